/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isRecord(value: unknown): value is Record<string, unknown>;
/**
 * An amount: a decimal string of an unsigned 64-bit number, as canonically written.
 *
 * @param {unknown} value
 * @param {string} name
 */
export function readAmount(value: unknown, name: string): bigint;
/**
 * Bytes in hex, lower case.
 *
 * @param {unknown} value
 * @param {number} bytes
 * @param {string} name
 */
export function readHex(value: unknown, bytes: number, name: string): string;
/**
 * What a server asks for one request.
 *
 * @typedef {object} Terms
 * @property {string} network CAIP-2: `cosmos:` and the chain's id
 * @property {string} chainId
 * @property {bigint} amount rao, the most that this request may cost
 * @property {string} payTo the provider's hotkey
 * @property {bigint} serviceId
 * @property {number} closeDelay seconds
 * @property {bigint} minDeposit rao, that the server would like a channel to have; 0: no wish
 * @property {number} timeout seconds in which the server answers
 */
/**
 * @param {PaymentRequirements} requirements
 * @returns {Terms}
 */
export function readTerms(requirements: PaymentRequirements): Terms;
/**
 * A voucher as it is sent.
 *
 * @typedef {object} SignedVoucher
 * @property {string} channelId hex
 * @property {string} maxClaimableAmount rao, cumulative
 * @property {string} signature hex
 */
/**
 * The payload of a paid request. `deposit` says that the channel was opened or topped
 * up just now, so that the server looks it up.
 *
 * @param {SignedVoucher} voucher
 * @param {{amount: string, transaction: string}} [deposit]
 * @returns {Record<string, unknown>}
 */
export function requestPayload(voucher: SignedVoucher, deposit?: {
    amount: string;
    transaction: string;
}): Record<string, unknown>;
/**
 * The payload that answers a stream's call for a voucher.
 *
 * @param {SignedVoucher} voucher
 * @param {string} stream the identifier of the payment that the stream answers
 * @returns {Record<string, unknown>}
 */
export function streamPayload(voucher: SignedVoucher, stream: string): Record<string, unknown>;
/**
 * What a server says that it charged.
 *
 * @typedef {object} Charge
 * @property {bigint | undefined} amount rao, for the request; undefined: not known yet
 * @property {string | undefined} channelId hex
 * @property {bigint | undefined} cumulative rao, of the channel, afterwards
 */
/**
 * @param {unknown} settlement a PAYMENT-RESPONSE
 * @returns {Charge}
 */
export function readCharge(settlement: unknown): Charge;
/**
 * A channel as a corrective 402 tells it, with the newest voucher that the server has.
 *
 * @typedef {object} Correction
 * @property {string} channelId hex
 * @property {bigint} charged rao, cumulative
 * @property {bigint} signed rao: what the voucher promises
 * @property {string} signature hex
 */
/**
 * The correction in a 402 to a paid request, of the offer that was paid; undefined where
 * it has none.
 *
 * @param {PaymentRequired} paymentRequired
 * @param {Terms} terms
 * @returns {Correction | undefined}
 */
export function readCorrection(paymentRequired: PaymentRequired, terms: Terms): Correction | undefined;
/**
 * A stream's call for a voucher.
 *
 * @typedef {object} Need
 * @property {string} channelId hex
 * @property {bigint} required rao, cumulative: what the voucher must say at least
 * @property {bigint} additional rao that this stream may cost more from then on; 0 where the server does not say
 */
/**
 * @param {string} data of the event
 * @returns {Need}
 */
export function readNeed(data: string): Need;
/**
 * @param {string} text
 * @param {string} name
 */
export function parseJSON(text: string, name: string): Record<string, unknown>;
/** @import { PaymentRequired, PaymentRequirements } from "@x402/core/types" */
export const SCHEME: "batch-settlement";
export const NETWORKS: "cosmos:*";
export const ASSET: "rao";
/** The extension whose id makes a repeated request the same request. */
export const IDENTIFIER: "payment-identifier";
/** Server-sent events that are the payment's, not the application's. */
export const NEED_VOUCHER: "payment-need-voucher";
export const CHARGED: "payment-response";
/**
 * What a server asks for one request.
 */
export type Terms = {
    /**
     * CAIP-2: `cosmos:` and the chain's id
     */
    network: string;
    chainId: string;
    /**
     * rao, the most that this request may cost
     */
    amount: bigint;
    /**
     * the provider's hotkey
     */
    payTo: string;
    serviceId: bigint;
    /**
     * seconds
     */
    closeDelay: number;
    /**
     * rao, that the server would like a channel to have; 0: no wish
     */
    minDeposit: bigint;
    /**
     * seconds in which the server answers
     */
    timeout: number;
};
/**
 * A voucher as it is sent.
 */
export type SignedVoucher = {
    /**
     * hex
     */
    channelId: string;
    /**
     * rao, cumulative
     */
    maxClaimableAmount: string;
    /**
     * hex
     */
    signature: string;
};
/**
 * What a server says that it charged.
 */
export type Charge = {
    /**
     * rao, for the request; undefined: not known yet
     */
    amount: bigint | undefined;
    /**
     * hex
     */
    channelId: string | undefined;
    /**
     * rao, of the channel, afterwards
     */
    cumulative: bigint | undefined;
};
/**
 * A channel as a corrective 402 tells it, with the newest voucher that the server has.
 */
export type Correction = {
    /**
     * hex
     */
    channelId: string;
    /**
     * rao, cumulative
     */
    charged: bigint;
    /**
     * rao: what the voucher promises
     */
    signed: bigint;
    /**
     * hex
     */
    signature: string;
};
/**
 * A stream's call for a voucher.
 */
export type Need = {
    /**
     * hex
     */
    channelId: string;
    /**
     * rao, cumulative: what the voucher must say at least
     */
    required: bigint;
    /**
     * rao that this stream may cost more from then on; 0 where the server does not say
     */
    additional: bigint;
};
import type { PaymentRequirements } from "@x402/core/types";
import type { PaymentRequired } from "@x402/core/types";
