// The chain's messages, written and read by schema.json, which the chain's own code
// writes (console/vectors_test.go). Reading is strict: what is not known, stands in the
// wrong order or could be written in another way is refused, because what a person is
// shown must be all that is signed.
import { concat, equal, fromUtf8, toUtf8 } from "./bytes.ts";
import text from "./schema.json";

export interface Field {
  n: number;
  name: string;
  kind: string;
  type?: string;
  values?: Record<string, string>;
  repeated?: boolean;
  address?: boolean;
  always?: boolean;
  keep?: boolean;
  int?: boolean;
  empty?: boolean;
  amino?: string;
}

export interface MessageType {
  amino?: string;
  signers?: string[];
  fields: Field[];
}

/** 64-bit numbers are bigints, 32-bit numbers and enums numbers, bytes Uint8Arrays. */
export type Value = string | number | bigint | boolean | Uint8Array | Message | Value[];
export interface Message {
  [field: string]: Value | undefined;
}

const schema = text as Record<string, MessageType>;

// What surrounds the messages: the same for every chain of the ecosystem.
const around: Record<string, MessageType> = {
  SignDoc: {
    fields: [
      { n: 1, name: "body_bytes", kind: "bytes" },
      { n: 2, name: "auth_info_bytes", kind: "bytes" },
      { n: 3, name: "chain_id", kind: "string" },
      { n: 4, name: "account_number", kind: "uint64" },
    ],
  },
  TxRaw: {
    fields: [
      { n: 1, name: "body_bytes", kind: "bytes" },
      { n: 2, name: "auth_info_bytes", kind: "bytes" },
      { n: 3, name: "signatures", kind: "bytes", repeated: true },
    ],
  },
  TxBody: {
    fields: [
      { n: 1, name: "messages", kind: "message", type: "google.protobuf.Any", repeated: true },
      { n: 2, name: "memo", kind: "string" },
      { n: 3, name: "timeout_height", kind: "uint64" },
      { n: 5, name: "timeout_timestamp", kind: "message", type: "google.protobuf.Timestamp" },
    ],
  },
  AuthInfo: {
    fields: [
      { n: 1, name: "signer_infos", kind: "message", type: "SignerInfo", repeated: true },
      { n: 2, name: "fee", kind: "message", type: "Fee" },
    ],
  },
  SignerInfo: {
    fields: [
      { n: 1, name: "public_key", kind: "message", type: "google.protobuf.Any" },
      { n: 2, name: "mode_info", kind: "message", type: "ModeInfo" },
      { n: 3, name: "sequence", kind: "uint64" },
    ],
  },
  // single or multi, never both
  ModeInfo: {
    fields: [
      { n: 1, name: "single", kind: "message", type: "SingleMode" },
      { n: 2, name: "multi", kind: "message", type: "MultiMode" },
    ],
  },
  SingleMode: { fields: [{ n: 1, name: "mode", kind: "uint32" }] },
  MultiMode: {
    fields: [
      { n: 1, name: "bitarray", kind: "message", type: "CompactBitArray" },
      { n: 2, name: "mode_infos", kind: "message", type: "ModeInfo", repeated: true },
    ],
  },
  CompactBitArray: {
    fields: [
      { n: 1, name: "extra_bits_stored", kind: "uint32" },
      { n: 2, name: "elems", kind: "bytes" },
    ],
  },
  MultiSignature: { fields: [{ n: 1, name: "signatures", kind: "bytes", repeated: true }] },
  Fee: {
    fields: [
      { n: 1, name: "amount", kind: "message", type: "cosmos.base.v1beta1.Coin", repeated: true },
      { n: 2, name: "gas_limit", kind: "uint64" },
      { n: 3, name: "payer", kind: "string" },
      { n: 4, name: "granter", kind: "string" },
    ],
  },
};

/** A message's type, undefined where the wallet does not know it. */
export function typeOf(name: string): MessageType | undefined {
  return Object.hasOwn(schema, name) ? schema[name] : Object.hasOwn(around, name) ? around[name] : undefined;
}

function known(name: string): MessageType {
  const type = typeOf(name);
  if (!type) throw new Error(`the wallet does not know messages of type ${name}`);
  return type;
}

function varint(value: bigint): number[] {
  const bytes = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

const delimited = (n: number, bytes: Uint8Array) => concat(Uint8Array.from(varint((BigInt(n) << 3n) | 2n)), Uint8Array.from(varint(BigInt(bytes.length))), bytes);

function number(kind: string, value: Value): bigint {
  switch (kind) {
    case "uint64":
      if (typeof value === "bigint" && value >= 0n && value >> 64n === 0n) return value;
      break;
    case "int64":
      if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value;
      break;
    case "uint32":
      if (typeof value === "number" && value >>> 0 === value) return BigInt(value);
      break;
    case "int32":
    case "enum":
      if (typeof value === "number" && (value | 0) === value) return BigInt(value);
      break;
    case "bool":
      if (typeof value === "boolean") return value ? 1n : 0n;
      break;
  }
  throw new TypeError(`${String(value)} is no ${kind}`);
}

function single(field: Field, value: Value): Uint8Array {
  if (field.kind === "string" && typeof value === "string") return toUtf8(value);
  if (field.kind === "bytes" && value instanceof Uint8Array) return value;
  if (field.kind === "message" && typeof value === "object" && !Array.isArray(value) && !(value instanceof Uint8Array)) return encode(field.type ?? "", value);
  throw new TypeError(`${field.name} is no ${field.kind}`);
}

export function encode(name: string, message: Message): Uint8Array {
  const type = known(name);
  const unknown = Object.keys(message).find((key) => !type.fields.some((f) => f.name === key));
  if (unknown !== undefined) throw new TypeError(`${name} has no field ${unknown}`);
  const parts: Uint8Array[] = [];
  for (const field of type.fields) {
    const value = message[field.name];
    const packed = field.kind.startsWith("packed ");
    if (value === undefined) {
      if (field.always) parts.push(delimited(field.n, encode(field.type ?? "", {})));
    } else if (field.repeated) {
      if (!Array.isArray(value)) throw new TypeError(`${field.name} is no list`);
      if (packed && value.length > 0) parts.push(delimited(field.n, Uint8Array.from(value.flatMap((v) => varint(number(field.kind.slice(7), v))))));
      if (!packed) for (const item of value) parts.push(delimited(field.n, single(field, item)));
    } else if (field.kind === "message") {
      parts.push(delimited(field.n, single(field, value)));
    } else if (field.kind === "string" || field.kind === "bytes") {
      const bytes = single(field, value);
      if (bytes.length > 0) parts.push(delimited(field.n, bytes));
    } else {
      const n = number(field.kind, value);
      if (n !== 0n) parts.push(Uint8Array.from([...varint(BigInt(field.n) << 3n), ...varint(n)]));
    }
  }
  return concat(...parts);
}

class Reader {
  #bytes;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get done() {
    return this.#at >= this.#bytes.length;
  }
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value >> 64n !== 0n) break;
        return value;
      }
    }
    throw new Error("the message is cut off or damaged");
  }
  delimited(): Uint8Array {
    const length = Number(this.varint());
    if (length > this.#bytes.length - this.#at) throw new Error("the message is cut off");
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }
}

function scalar(kind: string, raw: bigint): Value {
  switch (kind) {
    case "uint64":
      return raw;
    case "int64":
      return BigInt.asIntN(64, raw);
    case "bool":
      return raw !== 0n;
    case "uint32":
      return Number(BigInt.asUintN(32, raw));
    default:
      return Number(BigInt.asIntN(32, raw));
  }
}

function zero(field: Field): Value | undefined {
  if (field.repeated) return [];
  switch (field.kind) {
    case "string":
      return "";
    case "bytes":
      return new Uint8Array();
    case "uint64":
    case "int64":
      return 0n;
    case "bool":
      return false;
    case "message":
      return undefined;
    default:
      return 0;
  }
}

function read(name: string, bytes: Uint8Array, depth: number): Message {
  if (depth > 10) throw new Error("the message is nested too deeply");
  const type = known(name);
  const message: Message = {};
  for (const field of type.fields) message[field.name] = zero(field);
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = reader.varint();
    const field = type.fields.find((f) => BigInt(f.n) === tag >> 3n);
    if (!field) throw new Error(`${name} has a field ${tag >> 3n} that the wallet does not know`);
    const packed = field.kind.startsWith("packed ");
    const isBytes = packed || field.kind === "string" || field.kind === "bytes" || field.kind === "message";
    if ((tag & 7n) !== (isBytes ? 2n : 0n)) throw new Error(`${name}.${field.name} is not encoded as a ${field.kind}`);
    if (packed) {
      const inner = new Reader(reader.delimited());
      const list = message[field.name] as Value[];
      while (!inner.done) list.push(scalar(field.kind.slice(7), inner.varint()));
      continue;
    }
    let value: Value;
    if (field.kind === "message") value = read(field.type ?? "", reader.delimited(), depth + 1);
    else if (field.kind === "string") value = fromUtf8(reader.delimited());
    else if (field.kind === "bytes") value = reader.delimited();
    else value = scalar(field.kind, reader.varint());
    if (field.repeated) (message[field.name] as Value[]).push(value);
    else message[field.name] = value;
  }
  return message;
}

/** All fields are there, those that were not written as zero. Throws where anything is unknown or ambiguous. */
export function decode(name: string, bytes: Uint8Array): Message {
  const message = read(name, bytes, 0);
  if (!equal(encode(name, message), bytes)) throw new Error(`${name} is not encoded in the one way that the wallet accepts`);
  return message;
}
