// A transaction's bytes: what is signed, and what is sent.
import { aminoText } from "./amino.ts";
import { equal, fromAddress, toUtf8 } from "./bytes.ts";
import { decode, encode, type Message, typeOf } from "./proto.ts";

export type Algorithm = "secp256k1" | "ml_dsa_65";
export const MODE_DIRECT = 1;
export const MODE_AMINO = 127;

export interface PublicKey {
  algorithm: Algorithm;
  bytes: Uint8Array;
}

export const KEY_TYPES: Record<Algorithm, string> = { secp256k1: "cosmos.crypto.secp256k1.PubKey", ml_dsa_65: "cosmos.crypto.mldsa65.PubKey" };

export const SIGNATURE_SIZES: Record<Algorithm, number> = { secp256k1: 64, ml_dsa_65: 3309 };

/** An account of several keys, of which as many as threshold sign. */
export interface Several {
  threshold: number;
  members: PublicKey[];
}

export type AccountKey = PublicKey | Several;

export const SEVERAL_TYPE = "cosmos.crypto.multisig.LegacyAminoPubKey";

export const isSeveral = (key: AccountKey): key is Several => "members" in key;

export interface Intent {
  type: string; // without the slash
  value: Message;
}

export const anyOf = (type: string, value: Message): Message => ({ type_url: "/" + type, value: encode(type, value) });

export interface BodyOptions {
  memo?: string;
  timeoutHeight?: bigint;
  until?: bigint; // nanoseconds since 1970
}

export function bodyBytes(intents: Intent[], { memo = "", timeoutHeight = 0n, until }: BodyOptions = {}): Uint8Array {
  return encode("TxBody", {
    messages: intents.map(({ type, value }) => anyOf(type, value)),
    memo,
    timeout_height: timeoutHeight,
    timeout_timestamp: until === undefined ? undefined : { seconds: until / 1_000_000_000n, nanos: Number(until % 1_000_000_000n) },
  });
}

export interface Signer {
  key: AccountKey;
  sequence: bigint;
  /** Of an account of several keys: which of its members sign; the first ones if left out. */
  signed?: number[];
}

export const packKey = (key: AccountKey): Message =>
  isSeveral(key) ? anyOf(SEVERAL_TYPE, { threshold: key.threshold, public_keys: key.members.map(packKey) }) : anyOf(KEY_TYPES[key.algorithm], { key: key.bytes });

/** A public key that stands in an Any. */
export function unpackKey(any: Message): AccountKey {
  const type = (any.type_url as string).slice(1);
  const value = decode(type, any.value as Uint8Array);
  if (type === SEVERAL_TYPE) {
    const members = (value.public_keys as Message[]).map(unpackKey);
    if (members.some(isSeveral)) throw new Error("an account of several keys has another one among its keys");
    return checkSeveral({ threshold: value.threshold as number, members: members as PublicKey[] });
  }
  const algorithm = (Object.keys(KEY_TYPES) as Algorithm[]).find((a) => KEY_TYPES[a] === type);
  if (!algorithm) throw new Error(`the wallet does not know keys of type ${type}`);
  return { algorithm, bytes: value.key as Uint8Array };
}

/** Refuses what the chain would. */
export function checkSeveral(several: Several): Several {
  const { threshold, members } = several;
  if (members.length < 2 || members.length > 7) throw new Error(`An account of several keys has 2 to 7 of them, not ${members.length}.`);
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > members.length) throw new Error(`Of ${members.length} keys 1 to ${members.length} can be asked to sign, not ${threshold}.`);
  members.forEach(({ algorithm, bytes }, i) => {
    if (bytes.length !== (algorithm === "secp256k1" ? 33 : 1952)) throw new Error(`Key ${i + 1} is no public key: it has ${bytes.length} bytes.`);
    if (members.some((other, j) => j < i && equal(other.bytes, bytes))) throw new Error(`Key ${i + 1} is there twice.`);
  });
  return several;
}

/** Most significant bit first, as the chain counts. */
function bits(length: number, set: number[]): Message {
  const elems = new Uint8Array(Math.ceil(length / 8));
  for (const i of set) elems[i >> 3] = (elems[i >> 3] ?? 0) | (128 >> (i & 7));
  return { extra_bits_stored: length % 8, elems };
}

function modeOf({ key, signed }: Signer, mode: number): Message {
  if (!isSeveral(key)) return { single: { mode } };
  // its members don't know of each other's signatures: they sign amino JSON
  const set = signed ?? Array.from({ length: key.threshold }, (_, i) => i);
  return { multi: { bitarray: bits(key.members.length, set), mode_infos: set.map(() => ({ single: { mode: MODE_AMINO } })) } };
}

/** A signature of the right length by nobody, for trying a transaction out. */
export function blankSignature(key: AccountKey): Uint8Array {
  if (!isSeveral(key)) return new Uint8Array(SIGNATURE_SIZES[key.algorithm]);
  return joinSignatures(key.members.slice(0, key.threshold).map(({ algorithm }) => new Uint8Array(SIGNATURE_SIZES[algorithm])));
}

/** The signatures of members, in the order of the account's keys. */
export const joinSignatures = (signatures: Uint8Array[]): Uint8Array => encode("MultiSignature", { signatures });

export interface Fee {
  rao: bigint;
  gas: bigint;
}

const feeMessage = ({ rao, gas }: Fee): Message => ({ amount: rao > 0n ? [{ denom: "rao", amount: String(rao) }] : [], gas_limit: gas });

export const authInfoBytes = (signers: Signer[], fee: Fee, mode = MODE_DIRECT): Uint8Array => authInfoWith(signers, feeMessage(fee), mode);

/** The same with a fee as it stands in a file. */
export function authInfoWith(signers: Signer[], fee: Message, mode = MODE_DIRECT): Uint8Array {
  return encode("AuthInfo", {
    signer_infos: signers.map((signer) => ({ public_key: packKey(signer.key), mode_info: modeOf(signer, mode), sequence: signer.sequence })),
    fee,
  });
}

/** What a signature is of: bytes to sign, with what of them is needed to read them. */
export interface SignDoc {
  body: Uint8Array;
  authInfo: Uint8Array;
  chainId: string;
  accountNumber: bigint;
}

export function directBytes({ body, authInfo, chainId, accountNumber }: SignDoc): Uint8Array {
  return encode("SignDoc", { body_bytes: body, auth_info_bytes: authInfo, chain_id: chainId, account_number: accountNumber });
}

export function readSignDoc(bytes: Uint8Array): SignDoc {
  const doc = decode("SignDoc", bytes);
  return {
    body: doc.body_bytes as Uint8Array,
    authInfo: doc.auth_info_bytes as Uint8Array,
    chainId: doc.chain_id as string,
    accountNumber: doc.account_number as bigint,
  };
}

/** What is signed in amino JSON's mode, for the signer at an index. */
export function aminoBytes(doc: SignDoc, index = 0): Uint8Array {
  const info = decode("AuthInfo", doc.authInfo);
  const signer = (info.signer_infos as Message[])[index];
  if (!signer) throw new Error(`the transaction has no signer ${index}`);
  const envelope = { chainId: doc.chainId, accountNumber: doc.accountNumber, sequence: signer.sequence as bigint };
  return toUtf8(aminoText(decode("TxBody", doc.body), info.fee as Message, envelope));
}

export function txBytes(body: Uint8Array, authInfo: Uint8Array, signatures: Uint8Array[]): Uint8Array {
  return encode("TxRaw", { body_bytes: body, auth_info_bytes: authInfo, signatures });
}

/** The addresses that must sign a message, in order. */
export function signersOf(type: string, value: Message): string[] {
  const named = typeOf(type)?.signers;
  if (!named || named.length === 0) throw new Error(`the wallet does not know who signs ${type}`);
  const addresses = named.map((field) => value[field] as string);
  const wrong = addresses.find((a) => fromAddress(a) === undefined);
  if (wrong !== undefined) throw new Error(`${wrong || "nothing"} is no address of this network`);
  return addresses;
}
