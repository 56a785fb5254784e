// The address of a public key.
import { ripemd160 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, toAddress, toUtf8 } from "./bytes.ts";
import { type AccountKey, type Algorithm, checkSeveral, isSeveral, type PublicKey, type Several } from "./tx.ts";

const accountOf = (algorithm: Algorithm, key: Uint8Array): Uint8Array => (algorithm === "secp256k1" ? ripemd160(sha256(key)) : sha256(key).slice(0, 20));

export const addressOf = (algorithm: Algorithm, key: Uint8Array): string => toAddress(accountOf(algorithm, key));

export const addressOfKey = (key: AccountKey): string => (isSeveral(key) ? toAddress(sha256(aminoKey(key)).slice(0, 20)) : addressOf(key.algorithm, key.bytes));

// Amino's names of keys. Four bytes of a name's hash stand before what it names.
const NAMES: Record<Algorithm, string> = { secp256k1: "tendermint/PubKeySecp256k1", ml_dsa_65: "cometbft/PubKeyMlDsa65" };
const SEVERAL = "tendermint/PubKeyMultisigThreshold";

function prefix(name: string): Uint8Array {
  const hash = sha256(toUtf8(name));
  let at = 0;
  while (hash[at] === 0) at++;
  at += 3;
  while (hash[at] === 0) at++;
  return hash.slice(at, at + 4);
}

function length(n: number): Uint8Array {
  const out: number[] = [];
  for (; n > 0x7f; n >>= 7) out.push((n & 0x7f) | 0x80);
  return Uint8Array.from([...out, n]);
}

/** A key's bytes as amino writes them, of which the address of several is a hash. */
function aminoKey(key: AccountKey): Uint8Array {
  if (!isSeveral(key)) return concat(prefix(NAMES[key.algorithm]), length(key.bytes.length), key.bytes);
  const members = key.members.map(aminoKey);
  return concat(prefix(SEVERAL), Uint8Array.from([0x08]), length(key.threshold), ...members.flatMap((m) => [Uint8Array.from([0x12]), length(m.length), m]));
}

/** The account of these keys: they are put in the order of their addresses, as the SDK's tools do. */
export function severalOf(threshold: number, members: PublicKey[]): Several {
  const sorted = members.map((key) => ({ key, at: accountOf(key.algorithm, key.bytes) })).sort((a, b) => compare(a.at, b.at));
  return checkSeveral({ threshold, members: sorted.map(({ key }) => key) });
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return (a[i] ?? 0) - (b[i] ?? 0);
  return 0;
}
