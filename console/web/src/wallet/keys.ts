// Keys: from words, from bytes, and what they sign. Used in the worker alone.
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { HDKey } from "@scure/bip32";
import { entropyToMnemonic, generateMnemonic, mnemonicToEntropy, mnemonicToSeedSync } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import type { Algorithm, PublicKey } from "./tx.ts";

export const PATH = "m/44'/118'/0'/0/0";

/** What a key is made of: 32 bytes, of secp256k1 the key itself, of ML-DSA-65 its seed, or the 4,032 bytes of an ML-DSA-65 key whose seed is not known. */
export interface Secret {
  algorithm: Algorithm;
  bytes: Uint8Array;
  mnemonic?: string;
}

export function newMnemonic(words: 12 | 24): string {
  return generateMnemonic(wordlist, words === 24 ? 256 : 128);
}

/** Words as they are derived from, or an error that says what is wrong with them and does not repeat them. */
export function checkMnemonic(text: string): string {
  const words = text.normalize("NFKD").trim().toLowerCase().split(/\s+/);
  if (words.length === 1 && words[0] === "") throw new Error("There are no words. A key has 12 or 24.");
  if (words.length < 12 || words.length > 24 || words.length % 3 !== 0) throw new Error(`There are ${words.length} words. A key has 12, 15, 18, 21 or 24.`);
  const wrong = words.findIndex((word) => !wordlist.includes(word));
  if (wrong >= 0) throw new Error(`Word ${wrong + 1} is not on the English list of BIP-39. Look for a typing error.`);
  const mnemonic = words.join(" ");
  try {
    if (entropyToMnemonic(mnemonicToEntropy(mnemonic, wordlist), wordlist) !== mnemonic) throw new Error();
  } catch {
    throw new Error("All words are known, but together they are no key. Look for exchanged or wrong words.");
  }
  return mnemonic;
}

export function fromMnemonic(mnemonic: string, algorithm: Algorithm): Secret {
  const checked = checkMnemonic(mnemonic);
  const node = HDKey.fromMasterSeed(mnemonicToSeedSync(checked)).derive(PATH);
  if (!node.privateKey) throw new Error("these words give no key; make others");
  return { algorithm, bytes: node.privateKey, mnemonic: checked };
}

export function fromBytes(algorithm: Algorithm, bytes: Uint8Array): Secret {
  if (algorithm === "secp256k1" && !secp256k1.utils.isValidSecretKey(bytes)) throw new Error("These bytes are no private key. A secp256k1 key has 32 bytes, 64 digits in hexadecimal.");
  if (algorithm === "ml_dsa_65" && bytes.length !== 32 && bytes.length !== ml_dsa65.lengths.secretKey) throw new Error("These bytes are no ML-DSA-65 key. It has 32 bytes as a seed, 4,032 when it is written out.");
  return { algorithm, bytes };
}

export function publicKey({ algorithm, bytes }: Secret): Uint8Array {
  if (algorithm === "secp256k1") return secp256k1.getPublicKey(bytes, true);
  return bytes.length === 32 ? ml_dsa65.keygen(bytes).publicKey : ml_dsa65.getPublicKey(bytes);
}

export function sign({ algorithm, bytes }: Secret, message: Uint8Array): Uint8Array {
  if (algorithm === "secp256k1") return secp256k1.sign(message, bytes, { lowS: true, prehash: true });
  // no randomness: a key signs the same bytes in one way, as the chain's own wallet does
  const key = bytes.length === 32 ? ml_dsa65.keygen(bytes).secretKey : bytes;
  return ml_dsa65.sign(message, key, { extraEntropy: false });
}

/** Whether a signature is a key's, of a message. */
export function verify({ algorithm, bytes }: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (algorithm === "secp256k1") return secp256k1.verify(signature, message, bytes, { lowS: true, prehash: true });
    return ml_dsa65.verify(signature, message, bytes);
  } catch {
    return false;
  }
}
