// A transaction's bytes: what is signed, and what is sent.
import { aminoText } from "./amino.ts";
import { fromAddress, toUtf8 } from "./bytes.ts";
import { decode, encode, type Message, typeOf } from "./proto.ts";

export type Algorithm = "secp256k1" | "ml_dsa_65";
export const MODE_DIRECT = 1;
export const MODE_AMINO = 127;

export interface PublicKey {
  algorithm: Algorithm;
  bytes: Uint8Array;
}

export const KEY_TYPES: Record<Algorithm, string> = { secp256k1: "cosmos.crypto.secp256k1.PubKey", ml_dsa_65: "cosmos.crypto.mldsa65.PubKey" };

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
  key: PublicKey;
  sequence: bigint;
}

export interface Fee {
  rao: bigint;
  gas: bigint;
}

const feeMessage = ({ rao, gas }: Fee): Message => ({ amount: rao > 0n ? [{ denom: "rao", amount: String(rao) }] : [], gas_limit: gas });

export function authInfoBytes(signers: Signer[], fee: Fee, mode = MODE_DIRECT): Uint8Array {
  return encode("AuthInfo", {
    signer_infos: signers.map(({ key, sequence }) => ({
      public_key: anyOf(KEY_TYPES[key.algorithm], { key: key.bytes }),
      mode_info: { single: { mode } },
      sequence,
    })),
    fee: feeMessage(fee),
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
