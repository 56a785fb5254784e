// The address of a public key.
import { ripemd160 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { toAddress } from "./bytes.ts";
import type { Algorithm, PublicKey } from "./tx.ts";

export function addressOf(algorithm: Algorithm, key: Uint8Array): string {
  return toAddress(algorithm === "secp256k1" ? ripemd160(sha256(key)) : sha256(key).slice(0, 20));
}

export const addressOfKey = ({ algorithm, bytes }: PublicKey): string => addressOf(algorithm, bytes);
