// The Cosmos SDK's key files: ASCII armour around a key encrypted by a pass phrase.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { argon2id } from "hash-wasm";
import { base64 } from "@scure/base";
import { equal, fromHex, toUtf8 } from "./bytes.ts";
import { fromBytes, type Secret } from "./keys.ts";

// Amino's prefixes of the two kinds of keys, with the length that follows.
const SECP = Uint8Array.from([0xe1, 0xb0, 0xf7, 0x9b, 0x20]);

function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let i = 0; i < 8; i++) {
      crc <<= 1;
      if (crc & 0x1000000) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}

/** Opens a file of `lode wallet export` or of any chain's `keys export`. */
export async function openArmor(text: string, passphrase: string): Promise<Secret> {
  const match = /-----BEGIN TENDERMINT PRIVATE KEY-----\r?\n([\s\S]*?)\r?\n-----END TENDERMINT PRIVATE KEY-----/.exec(text);
  if (!match?.[1]) throw new Error("This is no key file. It begins with -----BEGIN TENDERMINT PRIVATE KEY-----.");
  const [head = "", ...rest] = match[1].split(/\r?\n\r?\n/);
  const headers = new Map(head.split(/\r?\n/).map((line) => line.split(/:\s*/, 2) as [string, string]));
  const lines = rest.join("\n").split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  const sum = lines.at(-1)?.startsWith("=") ? lines.pop()?.slice(1) : undefined;
  let body;
  try {
    body = base64.decode(lines.join(""));
  } catch {
    throw new Error("The key file is damaged: what is between its lines is no base64.");
  }
  if (sum !== undefined) {
    const crc = crc24(body);
    if (!equal(base64.decode(sum), Uint8Array.from([crc >> 16, (crc >> 8) & 0xff, crc & 0xff]))) throw new Error("The key file is damaged: its checksum is wrong.");
  }
  const kdf = headers.get("kdf");
  if (kdf !== "argon2") throw new Error(`The key file is protected by ${kdf ?? "nothing that is known"}. Export it anew with a current version: it then uses argon2.`);
  const salt = fromHex(headers.get("salt") ?? "");
  const key = await argon2id({ password: toUtf8(passphrase), salt, iterations: 1, memorySize: 64 * 1024, parallelism: 4, hashLength: 32, outputType: "binary" });
  let plain;
  try {
    plain = chacha20poly1305(key, new Uint8Array(12)).decrypt(body);
  } catch {
    throw new Error("The pass phrase does not open this key file.");
  }
  const type = headers.get("type") ?? "secp256k1";
  if (type === "secp256k1" && plain.length === 37 && equal(plain.slice(0, 5), SECP)) return fromBytes("secp256k1", plain.slice(5));
  // an ML-DSA-65 key of 4,032 bytes after four bytes of its name and two of its length
  if (type === "ml_dsa_65" && plain.length === 4 + 2 + 4032 && equal(plain.slice(4, 6), Uint8Array.from([0xc0, 0x1f]))) return fromBytes("ml_dsa_65", plain.slice(6));
  throw new Error(`The key file has a key of type ${type}, which this wallet does not know.`);
}

