// Vouchers: what is signed, and with what. The chain and the gateways hold the same
// bytes in the Go package voucher.
import { ed25519 } from "@noble/curves/ed25519.js";
import { fromHex, toHex, toUtf8 } from "@cosmjs/encoding";

const TAG = toUtf8("lode/voucher/1");

/**
 * The bytes that a voucher's signature is of: the tag, the chain id with its length in
 * a byte, the channel's id, and the cumulative amount, big endian.
 *
 * @param {string} chainId at most 255 bytes
 * @param {string} channelId hex
 * @param {bigint} cumulative rao
 */
export function voucherBytes(chainId, channelId, cumulative) {
  const chain = toUtf8(chainId);
  const id = fromHex(channelId);
  if (chain.length > 255) throw new RangeError(`a chain id of ${chain.length} bytes, at most 255 fit`);
  if (id.length !== 32) throw new RangeError(`a channel id of ${id.length} bytes, not 32`);
  const bytes = new Uint8Array(TAG.length + 1 + chain.length + 32 + 8);
  bytes.set(TAG);
  bytes[TAG.length] = chain.length;
  bytes.set(chain, TAG.length + 1);
  bytes.set(id, TAG.length + 1 + chain.length);
  if (cumulative < 0n || cumulative >> 64n !== 0n) throw new RangeError(`${cumulative} rao is no uint64`);
  new DataView(bytes.buffer).setBigUint64(bytes.length - 8, cumulative);
  return bytes;
}

/** A channel's session key: it signs vouchers, the wallet does not. */
export class SessionKey {
  #secret;

  /** @param {string} secret hex, 32 bytes */
  constructor(secret) {
    this.#secret = fromHex(secret);
    /** @readonly */
    this.publicKey = ed25519.getPublicKey(this.#secret);
  }

  static generate() {
    return new SessionKey(toHex(ed25519.utils.randomSecretKey()));
  }

  /** In hex: who has it can spend the channel's deposit. */
  secret() {
    return toHex(this.#secret);
  }

  /**
   * @param {string} chainId
   * @param {string} channelId hex
   * @param {bigint} cumulative rao
   * @returns {string} hex
   */
  sign(chainId, channelId, cumulative) {
    return toHex(ed25519.sign(voucherBytes(chainId, channelId, cumulative), this.#secret));
  }

  /**
   * Whether a voucher is one that this key has signed.
   *
   * @param {string} chainId
   * @param {string} channelId hex
   * @param {bigint} cumulative rao
   * @param {string} signature hex
   */
  signed(chainId, channelId, cumulative, signature) {
    return ed25519.verify(fromHex(signature), voucherBytes(chainId, channelId, cumulative), this.publicKey);
  }
}
