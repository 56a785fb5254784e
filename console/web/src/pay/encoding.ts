// What pay/js needs of @cosmjs/encoding, which stands here in its place.
import { bech32 } from "@scure/base";
export { fromHex, toHex, toUtf8 } from "../wallet/bytes.ts";

export function fromBech32(text: string, limit: number): { prefix: string; data: Uint8Array } {
  const { prefix, words } = bech32.decode(text as `${string}1${string}`, limit);
  return { prefix, data: bech32.fromWords(words) };
}
