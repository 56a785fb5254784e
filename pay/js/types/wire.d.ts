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
 * An id of the chain's: a positive number, or one as a decimal string.
 *
 * @param {unknown} value
 * @param {string} name
 */
export function readId(value: unknown, name: string): bigint;
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
 * @property {bigint} amount the most that this request may cost: rao, of a plan units
 * @property {string} payTo the provider's hotkey
 * @property {bigint} serviceId
 * @property {bigint} planId 0: by use
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
 * @property {string} maxClaimableAmount cumulative: rao, of a plan units
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
 * What a server says that it charged: rao, of a plan units.
 *
 * @typedef {object} Charge
 * @property {bigint | undefined} amount for the request; undefined: not known yet
 * @property {string | undefined} channelId hex
 * @property {bigint | undefined} cumulative of the channel, afterwards
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
 * @property {bigint} charged cumulative: rao, of a plan units
 * @property {bigint} signed what the voucher promises
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
 * @property {bigint} required cumulative: what the voucher must say at least; rao, of a plan units
 * @property {bigint} additional that this stream may cost more from then on; 0 where the server does not say
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
/** What is paid by use, and what is paid by plan. */
export const ASSET: "rao";
export const ASSET_UNIT: "unit";
/** Why a plan's payment is refused between two periods. */
export const PLAN_ENDED: "invalid_batch_settlement_cosmos_plan_ended";
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
     * the most that this request may cost: rao, of a plan units
     */
    amount: bigint;
    /**
     * the provider's hotkey
     */
    payTo: string;
    serviceId: bigint;
    /**
     * 0: by use
     */
    planId: bigint;
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
     * cumulative: rao, of a plan units
     */
    maxClaimableAmount: string;
    /**
     * hex
     */
    signature: string;
};
/**
 * What a server says that it charged: rao, of a plan units.
 */
export type Charge = {
    /**
     * for the request; undefined: not known yet
     */
    amount: bigint | undefined;
    /**
     * hex
     */
    channelId: string | undefined;
    /**
     * of the channel, afterwards
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
     * cumulative: rao, of a plan units
     */
    charged: bigint;
    /**
     * what the voucher promises
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
     * cumulative: what the voucher must say at least; rao, of a plan units
     */
    required: bigint;
    /**
     * that this stream may cost more from then on; 0 where the server does not say
     */
    additional: bigint;
};
import type { PaymentRequirements } from "@x402/core/types";
import type { PaymentRequired } from "@x402/core/types";
