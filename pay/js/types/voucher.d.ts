/**
 * The bytes that a voucher's signature is of: the tag, the chain id with its length in
 * a byte, the channel's id, and the cumulative amount, big endian.
 *
 * @param {string} chainId at most 255 bytes
 * @param {string} channelId hex
 * @param {bigint} cumulative rao
 */
export function voucherBytes(chainId: string, channelId: string, cumulative: bigint): Uint8Array<ArrayBuffer>;
/** A channel's session key: it signs vouchers, the wallet does not. */
export class SessionKey {
    static generate(): SessionKey;
    /** @param {string} secret hex, 32 bytes */
    constructor(secret: string);
    /** @readonly */
    readonly publicKey: Uint8Array<ArrayBufferLike> & Uint8Array<ArrayBuffer>;
    /** In hex: who has it can spend the channel's deposit. */
    secret(): string;
    /**
     * @param {string} chainId
     * @param {string} channelId hex
     * @param {bigint} cumulative rao
     * @returns {string} hex
     */
    sign(chainId: string, channelId: string, cumulative: bigint): string;
    /**
     * Whether a voucher is one that this key has signed.
     *
     * @param {string} chainId
     * @param {string} channelId hex
     * @param {bigint} cumulative rao
     * @param {string} signature hex
     */
    signed(chainId: string, channelId: string, cumulative: bigint, signature: string): boolean;
    #private;
}
