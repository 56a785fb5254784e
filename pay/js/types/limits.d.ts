/**
 * What may be spent, in rao as bigint or decimal string. Days are UTC's. Fees
 * count, and the price of a plan's period on the day that it begins. What was promised for requests that are under way counts as
 * spent until they tell their price.
 *
 * @typedef {object} LimitOptions
 * @property {bigint | string} perRequest one request's ceiling, one stream's in all
 * @property {bigint | string} perDay
 * @property {bigint | string} [perProvider] a day, of one provider; no limit if left out
 * @property {bigint | string} [total] ever, by this store; no limit if left out
 * @property {bigint | string} [locked] that may lie in channels at once, unspent; perDay if left out
 */
/**
 * @typedef {object} Limits
 * @property {bigint} perRequest
 * @property {bigint} perDay
 * @property {bigint | undefined} perProvider
 * @property {bigint | undefined} total
 * @property {bigint} locked
 */
/**
 * @param {LimitOptions} options
 * @returns {Limits}
 */
export function readLimits(options: LimitOptions): Limits;
/**
 * An amount of the application's.
 *
 * @param {unknown} value
 * @param {string} name
 */
export function readRao(value: unknown, name: string): bigint | undefined;
/**
 * The error of a limit that leaves too little.
 *
 * @param {string} what
 * @param {bigint} amount
 * @param {bigint} left
 * @param {keyof Limits} name
 * @param {bigint} limit
 */
export function limitError(what: string, amount: bigint, left: bigint, name: keyof Limits, limit: bigint): PaymentError;
/**
 * What may be spent, in rao as bigint or decimal string. Days are UTC's. Fees
 * count, and the price of a plan's period on the day that it begins. What was promised for requests that are under way counts as
 * spent until they tell their price.
 */
export type LimitOptions = {
    /**
     * one request's ceiling, one stream's in all
     */
    perRequest: bigint | string;
    perDay: bigint | string;
    /**
     * a day, of one provider; no limit if left out
     */
    perProvider?: string | bigint | undefined;
    /**
     * ever, by this store; no limit if left out
     */
    total?: string | bigint | undefined;
    /**
     * that may lie in channels at once, unspent; perDay if left out
     */
    locked?: string | bigint | undefined;
};
export type Limits = {
    perRequest: bigint;
    perDay: bigint;
    perProvider: bigint | undefined;
    total: bigint | undefined;
    locked: bigint;
};
import { PaymentError } from "./error.js";
