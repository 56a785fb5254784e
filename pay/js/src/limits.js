import { PaymentError } from "./error.js";

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
export function readLimits(options) {
  const perRequest = required(options, "perRequest");
  const perDay = required(options, "perDay");
  return {
    perRequest,
    perDay,
    perProvider: rao(options, "perProvider"),
    total: rao(options, "total"),
    locked: rao(options, "locked") ?? perDay,
  };
}

/**
 * @param {LimitOptions} options
 * @param {"perRequest" | "perDay"} name
 */
function required(options, name) {
  const value = rao(options, name);
  if (value === undefined) throw new PaymentError("limit", `limits.${name} is missing: say how many rao may be spent`);
  return value;
}

/**
 * @param {LimitOptions} options
 * @param {keyof LimitOptions} name
 */
function rao(options, name) {
  return readRao(options?.[name], `limits.${name}`);
}

/**
 * An amount of the application's.
 *
 * @param {unknown} value
 * @param {string} name
 */
export function readRao(value, name) {
  if (value === undefined) return undefined;
  if (typeof value === "bigint" && value >= 0n) return value;
  if (typeof value === "string" && /^[0-9]+$/.test(value)) return BigInt(value);
  throw new PaymentError("limit", `${name} is ${value}, not an amount in rao`);
}

const HINTS = {
  perDay: "wait for the next day (UTC), or raise the limit",
  perProvider: "wait for the next day (UTC), or raise the limit",
  total: "raise the limit",
  locked: "close a channel that is not needed any more, or raise the limit",
};

/**
 * The error of a limit that leaves too little.
 *
 * @param {string} what
 * @param {bigint} amount
 * @param {bigint} left
 * @param {keyof Limits} name
 * @param {bigint} limit
 */
export function limitError(what, amount, left, name, limit) {
  if (name === "perRequest") {
    const hint = `raise it in the scheme's limits if that is worth so much`;
    return new PaymentError("limit", `${what} of ${amount} rao exceeds limits.perRequest, which is ${limit}`, { hint });
  }
  const rest = left > 0n ? left : 0n;
  return new PaymentError("limit", `${what} of ${amount} rao exceeds limits.${name}: ${rest} of ${limit} rao are left`, { hint: HINTS[name] });
}
