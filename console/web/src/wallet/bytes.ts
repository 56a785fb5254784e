// Bytes and their texts.
import { base64 as b64, bech32, hex as h } from "@scure/base";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const toHex = (bytes: Uint8Array): string => h.encode(bytes);
export const fromHex = (text: string): Uint8Array => h.decode(text.toLowerCase());
export const toBase64 = (bytes: Uint8Array): string => b64.encode(bytes);
export const fromBase64 = (text: string): Uint8Array => b64.decode(text);
export const toUtf8 = (text: string): Uint8Array => encoder.encode(text);
/** Throws where the bytes are no UTF-8. */
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export const PREFIX = "lode";

export function toAddress(account: Uint8Array, prefix = PREFIX): string {
  return bech32.encode(prefix, bech32.toWords(account));
}

/** The account's bytes, undefined where the text is no address of that prefix. */
export function fromAddress(text: string, prefix = PREFIX): Uint8Array | undefined {
  if (text !== text.toLowerCase()) return undefined;
  try {
    const decoded = bech32.decode(text as `${string}1${string}`, 90);
    const bytes = bech32.fromWords(decoded.words);
    return decoded.prefix === prefix && (bytes.length === 20 || bytes.length === 32) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

export const isAddress = (text: string): boolean => fromAddress(text) !== undefined;
