// Amino JSON: what Ledger devices sign. Go's encoder decides, console/testdata holds its results.
import { toBase64 } from "./bytes.ts";
import { decode, type Field, type Message, typeOf, type Value } from "./proto.ts";

type JSONValue = string | number | boolean | null | JSONValue[] | { [key: string]: JSONValue };

function rfc3339(seconds: bigint, nanos: number): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const rest = String(nanos).padStart(9, "0").replace(/0+$/, "");
  return rest ? `${whole}.${rest}Z` : `${whole}Z`;
}

/** A message that stands in an Any, with its name. */
export function unpack(any: Message): { type: string; value: Message } {
  const url = any.type_url as string;
  if (!url.startsWith("/")) throw new Error(`${url || "an empty type"} is no message's type`);
  return { type: url.slice(1), value: decode(url.slice(1), any.value as Uint8Array) };
}

function wrapped(any: Message): JSONValue {
  const { type, value } = unpack(any);
  const name = typeOf(type)?.amino;
  if (!name) throw new Error(`${type} can't be signed as amino JSON`);
  return { type: name, value: object(type, value) };
}

function item(field: Field, value: Value): JSONValue {
  if (field.kind === "message") {
    const message = value as Message;
    if (field.type === "google.protobuf.Any") return wrapped(message);
    if (field.type === "google.protobuf.Timestamp") return rfc3339(message.seconds as bigint, message.nanos as number);
    if (field.type === "google.protobuf.Duration") return String((message.seconds as bigint) * 1_000_000_000n + BigInt(message.nanos as number));
    return object(field.type ?? "", message);
  }
  if (value instanceof Uint8Array) return toBase64(value);
  if (field.int && value === "") return "0";
  return typeof value === "bigint" ? String(value) : (value as JSONValue);
}

const empty = (value: Value | undefined) =>
  value === undefined || value === "" || value === 0 || value === 0n || value === false || ((Array.isArray(value) || value instanceof Uint8Array) && value.length === 0);

function object(type: string, message: Message): JSONValue {
  const out: { [key: string]: JSONValue } = {};
  for (const field of typeOf(type)?.fields ?? []) {
    const value = message[field.name];
    if (empty(value) && !field.keep) continue;
    const name = field.amino ?? field.name;
    if (value === undefined) out[name] = {};
    else if (Array.isArray(value) && value.length === 0) out[name] = field.empty ? [] : null;
    else out[name] = Array.isArray(value) ? value.map((v) => item(field, v)) : item(field, value);
  }
  return out;
}

export interface Envelope {
  chainId: string;
  accountNumber: bigint;
  sequence: bigint;
}

const sorted = (value: JSONValue): JSONValue => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] as JSONValue)]),
  );
};

/** The document as an object, as wallets such as Keplr take it. */
export function aminoDoc(body: Message, fee: Message, { chainId, accountNumber, sequence }: Envelope): { [key: string]: JSONValue } {
  const doc: { [key: string]: JSONValue } = {
    account_number: String(accountNumber),
    chain_id: chainId,
    fee: object("Fee", { ...fee, gas_limit: 0n }),
    memo: body.memo as string,
    msgs: (body.messages as Message[]).map(wrapped),
    sequence: String(sequence),
  };
  const fees = doc.fee as { [key: string]: JSONValue };
  fees.amount ??= [];
  fees.gas = String(fee.gas_limit);
  if (body.timeout_height) doc.timeout_height = String(body.timeout_height);
  const until = body.timeout_timestamp as Message | undefined;
  if (until) doc.timeout_timestamp = rfc3339(until.seconds as bigint, until.nanos as number);
  return sorted(doc) as { [key: string]: JSONValue };
}

/** The text whose bytes are signed: sorted, and escaped as Go escapes. */
export function aminoText(body: Message, fee: Message, envelope: Envelope): string {
  return JSON.stringify(aminoDoc(body, fee, envelope)).replace(/[<>&\u2028\u2029]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}
