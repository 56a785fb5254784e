// Transactions, public keys and signatures as files: the JSON that `lode … --generate-only`,
// `lode wallet show` and `lode tx sign --multisig` print and read. What is not known is
// refused: a file comes from somebody else.
import { fromBase64, toBase64 } from "./bytes.ts";
import { unpack } from "./amino.ts";
import { encode, type Field, type Message, typeOf, type Value } from "./proto.ts";
import { type Algorithm, isSeveral, KEY_TYPES, packKey, type PublicKey, unpackKey } from "./tx.ts";

type JSONValue = string | number | boolean | null | JSONValue[] | { [key: string]: JSONValue };
type JSONObject = { [key: string]: JSONValue };

/** The longest text that is read: an ML-DSA-65 signature has 4.5 kB, a transaction at most some 100. */
export const LONGEST = 1 << 20;

const AMINO = "SIGN_MODE_LEGACY_AMINO_JSON";

function instant(seconds: bigint, nanos: number): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const rest = String(nanos).padStart(9, "0").replace(/(000)+$/, "");
  return rest ? `${whole}.${rest}Z` : `${whole}Z`;
}

function span(seconds: bigint, nanos: number): string {
  const rest = String(Math.abs(nanos)).padStart(9, "0").replace(/(000)+$/, "");
  return `${nanos < 0 && seconds === 0n ? "-" : ""}${seconds}${rest ? "." + rest : ""}s`;
}

function write(field: Field, value: Value): JSONValue {
  switch (field.kind) {
    case "message": {
      const message = value as Message;
      if (field.type === "google.protobuf.Any") return writeAny(message);
      if (field.type === "google.protobuf.Timestamp") return instant(message.seconds as bigint, message.nanos as number);
      if (field.type === "google.protobuf.Duration") return span(message.seconds as bigint, message.nanos as number);
      return object(field.type ?? "", message);
    }
    case "bytes":
      return (value as Uint8Array).length === 0 ? null : toBase64(value as Uint8Array);
    case "enum":
      return field.values?.[String(value)] ?? (value as number);
  }
  if (field.int && value === "") return "0";
  return typeof value === "bigint" ? String(value) : (value as string | number | boolean);
}

function zero(field: Field): JSONValue {
  if (field.repeated) return [];
  switch (field.kind) {
    case "string":
      return field.int ? "0" : "";
    case "uint64":
    case "int64":
      return "0";
    case "bool":
      return false;
    case "enum":
      return field.values?.["0"] ?? 0;
    case "message":
      if (!field.always) return null;
      if (field.type === "google.protobuf.Duration") return "0s";
      // a time that is not set is the first second of year 1 in Go
      return field.type === "google.protobuf.Timestamp" ? "0001-01-01T00:00:00Z" : object(field.type ?? "", {});
    case "bytes":
      return null;
    default:
      return 0;
  }
}

function object(type: string, message: Message): JSONObject {
  const out: JSONObject = {};
  for (const field of typeOf(type)?.fields ?? []) {
    const value = message[field.name];
    if (value === undefined) out[field.name] = zero(field);
    else out[field.name] = Array.isArray(value) ? value.map((v) => write({ ...field, kind: field.kind.replace("packed ", "") }, v)) : write(field, value);
  }
  return out;
}

/** A message that stands in an Any, as JSON. */
export function writeAny(any: Message): JSONObject {
  const { type, value } = unpack(any);
  return { "@type": "/" + type, ...object(type, value) };
}

const isObject = (value: JSONValue | undefined): value is JSONObject => typeof value === "object" && value !== null && !Array.isArray(value);

const wrong = (name: string, what: string): never => {
  throw new Error(`${name} is no ${what}`);
};

function whole(name: string, value: JSONValue, low: bigint, high: bigint): bigint {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || !/^-?[0-9]{1,20}$/.test(text)) return wrong(name, "whole number");
  const n = BigInt(text);
  return n >= low && n <= high ? n : wrong(name, `number from ${low} to ${high}`);
}

function moment(name: string, value: JSONValue): Message {
  const match = typeof value === "string" ? /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(value) : null;
  const at = match ? Date.parse(match[1] + "Z") : NaN;
  if (!match || Number.isNaN(at)) return wrong(name, "time in UTC");
  return { seconds: BigInt(at / 1000), nanos: Number((match[2] ?? "").padEnd(9, "0")) };
}

function read(name: string, field: Field, value: JSONValue): Value {
  switch (field.kind) {
    case "string":
      return typeof value === "string" ? value : wrong(name, "text");
    case "bytes":
      try {
        return value === null ? new Uint8Array() : fromBase64(value as string);
      } catch {
        return wrong(name, "base64");
      }
    case "bool":
      return typeof value === "boolean" ? value : wrong(name, "yes or no");
    case "uint64":
      return whole(name, value, 0n, (1n << 64n) - 1n);
    case "int64":
      return whole(name, value, -(1n << 63n), (1n << 63n) - 1n);
    case "uint32":
      return Number(whole(name, value, 0n, (1n << 32n) - 1n));
    case "int32":
      return Number(whole(name, value, -(1n << 31n), (1n << 31n) - 1n));
    case "enum": {
      const known = Object.entries(field.values ?? {}).find(([, called]) => called === value);
      return known ? Number(known[0]) : Number(whole(name, value, -(1n << 31n), (1n << 31n) - 1n));
    }
    case "message":
      if (field.type === "google.protobuf.Any") return readAny(value);
      if (field.type === "google.protobuf.Timestamp") return moment(name, value);
      if (field.type === "google.protobuf.Duration") {
        const match = typeof value === "string" ? /^(-?\d{1,12})(?:\.(\d{1,9}))?s$/.exec(value) : null;
        if (!match) return wrong(name, "time in seconds");
        const nanos = Number((match[2] ?? "").padEnd(9, "0"));
        return { seconds: BigInt(match[1] ?? "0"), nanos: match[1]?.startsWith("-") ? -nanos : nanos };
      }
      return message(name, field.type ?? "", value);
  }
  return wrong(name, field.kind);
}

function message(name: string, type: string, value: JSONValue): Message {
  const known = typeOf(type);
  if (!known) throw new Error(`the wallet does not know messages of type ${type}`);
  if (!isObject(value)) return wrong(name, "object");
  const out: Message = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === "@type") continue;
    const field = known.fields.find((f) => f.name === key);
    if (!field) throw new Error(`${type} has no field ${key}`);
    const called = `${name}.${key}`;
    if (field.repeated) {
      if (item === null) continue;
      if (!Array.isArray(item)) return wrong(called, "list");
      out[key] = item.map((v, i) => read(`${called}[${i}]`, { ...field, kind: field.kind.replace("packed ", "") }, v));
    } else if (item !== null) {
      out[key] = read(called, field, item);
    }
  }
  return out;
}

/** A message in JSON, as what stands in an Any. */
export function readAny(value: JSONValue | undefined): Message {
  const url = isObject(value) ? value["@type"] : undefined;
  if (!isObject(value) || typeof url !== "string" || !url.startsWith("/")) throw new Error("a message of it has no @type");
  const type = url.slice(1);
  return { type_url: url, value: encode(type, message(type, type, value)) };
}

function parse(text: string, what: string): JSONObject {
  if (text.length > LONGEST) throw new Error(`This is too long for ${what}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`This is no ${what}: it is no JSON.`);
  }
  if (!isObject(value as JSONValue)) throw new Error(`This is no ${what}.`);
  return value as JSONObject;
}

const empty = (value: JSONValue | undefined) => value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);

/** A transaction without signatures, as bytes: its body, and its fee as it stands there. */
export interface TxFile {
  body: Uint8Array;
  fee: Message;
}

export function readTxFile(text: string): TxFile {
  const { body, auth_info: info, ...rest } = parse(text, "transaction");
  if (!isObject(body) || !isObject(info) || !isObject(info.fee)) throw new Error("This is no transaction: it has no body, or no fee. `lode … --generate-only` prints one.");
  const more = Object.keys(rest).find((key) => key !== "signatures");
  if (more !== undefined) throw new Error(`The transaction has a field ${more} that the wallet does not know.`);
  const { messages, unordered, extension_options, non_critical_extension_options, ...fields } = body;
  if (unordered) throw new Error("The transaction is unordered, which can't be signed by several keys. Write it anew without.");
  const { fee, signer_infos: _, tip, ...others } = info;
  if (!empty(extension_options) || !empty(non_critical_extension_options) || !empty(tip) || Object.keys(others).length > 0) throw new Error("The transaction has extensions that the wallet does not know.");
  if (!Array.isArray(messages) || messages.length === 0) throw new Error("The transaction has no message.");
  return {
    body: encode("TxBody", { ...message("body", "TxBody", { ...fields }), messages: messages.map(readAny) }),
    fee: message("fee", "Fee", fee),
  };
}

/** The same as a file, for other owners. */
export function writeTxFile(body: Message, fee: Message): string {
  const { memo, timeout_height, timeout_timestamp } = object("TxBody", { ...body, messages: [] });
  return JSON.stringify({
    body: { messages: (body.messages as Message[]).map(writeAny), memo, timeout_height, unordered: false, timeout_timestamp, extension_options: [], non_critical_extension_options: [] },
    auth_info: { signer_infos: [], fee: object("Fee", fee), tip: null },
    signatures: [],
  });
}

/** A public key, as `lode wallet show NAME --json | jq -c .public_key` prints it. */
export const writeKey = (key: PublicKey): string => JSON.stringify(writeAny(packKey(key)));

export function readKey(text: string): PublicKey {
  return keyOf(parse(text, "public key"), "This is no public key of a wallet. `lode wallet show NAME --json | jq -c .public_key` prints one.");
}

function keyOf(value: JSONValue | undefined, otherwise: string): PublicKey {
  const types: Record<string, Algorithm> = Object.fromEntries((Object.keys(KEY_TYPES) as Algorithm[]).map((a) => ["/" + KEY_TYPES[a], a]));
  if (!isObject(value) || typeof value["@type"] !== "string" || !types[value["@type"]]) throw new Error(otherwise);
  const key = unpackKey(readAny(value));
  if (isSeveral(key)) throw new Error(otherwise);
  return key;
}

/** One key's signature for an account of several. */
export interface PartialSignature {
  key: PublicKey;
  sequence: bigint;
  signature: Uint8Array;
}

export const writeSignature = ({ key, sequence, signature }: PartialSignature): string =>
  JSON.stringify({ signatures: [{ public_key: writeAny(packKey(key)), data: { single: { mode: AMINO, signature: toBase64(signature) } }, sequence: String(sequence) }] });

export function readSignatures(text: string): PartialSignature[] {
  const otherwise = "This is no signature for an account of several keys. `lode tx sign --multisig` prints one, and this page.";
  const { signatures } = parse(text, "signature");
  if (!Array.isArray(signatures) || signatures.length === 0 || signatures.length > 7) throw new Error(otherwise);
  return signatures.map((item) => {
    const single = isObject(item) && isObject(item.data) ? item.data.single : undefined;
    if (!isObject(item) || !isObject(single) || single.mode !== AMINO || typeof single.signature !== "string") throw new Error(otherwise);
    return { key: keyOf(item.public_key, otherwise), sequence: whole("sequence", item.sequence ?? "0", 0n, (1n << 64n) - 1n), signature: read("signature", { n: 0, name: "signature", kind: "bytes" }, single.signature) as Uint8Array };
  });
}
