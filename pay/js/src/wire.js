// What goes over the wire, and how it is read. Everything that is read here was written
// by a server that wants money: each reader takes unknown values and returns exact ones,
// or throws.
import { fromBech32 } from "@cosmjs/encoding";
import { PaymentError } from "./error.js";

/** @import { PaymentRequired, PaymentRequirements } from "@x402/core/types" */

export const SCHEME = "batch-settlement";
export const NETWORKS = "cosmos:*";
/** What is paid by use, and what is paid by plan. */
export const ASSET = "rao";
export const ASSET_UNIT = "unit";
/** Why a plan's payment is refused between two periods. */
export const PLAN_ENDED = "invalid_batch_settlement_cosmos_plan_ended";
/** The extension whose id makes a repeated request the same request. */
export const IDENTIFIER = "payment-identifier";
/** Server-sent events that are the payment's, not the application's. */
export const NEED_VOUCHER = "payment-need-voucher";
export const CHARGED = "payment-response";

const MAX_UINT64 = (1n << 64n) - 1n;
const MIN_CLOSE_DELAY = 900;
const MAX_CLOSE_DELAY = 2_592_000;
const MAX_TIMEOUT = 86_400;

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * An amount: a decimal string of an unsigned 64-bit number, as canonically written.
 *
 * @param {unknown} value
 * @param {string} name
 */
export function readAmount(value, name) {
  if (typeof value !== "string" || !/^(0|[1-9][0-9]{0,19})$/.test(value) || BigInt(value) > MAX_UINT64) {
    throw new PaymentError("terms", `${name} is ${show(value)}, not an amount in rao`);
  }
  return BigInt(value);
}

/**
 * An id of the chain's: a positive number, or one as a decimal string.
 *
 * @param {unknown} value
 * @param {string} name
 */
export function readId(value, name) {
  if (typeof value === "bigint") return readId(String(value), name);
  const text = typeof value === "number" && Number.isSafeInteger(value) ? String(value) : value;
  const id = readAmount(text, name);
  if (id === 0n) throw new PaymentError("terms", `${name} is 0`);
  return id;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} min
 * @param {number} max
 */
function readSeconds(value, name, min, max) {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new PaymentError("terms", `${name} is ${show(value)}, not whole seconds from ${min} to ${max}`);
  }
  return value;
}

/**
 * Bytes in hex, lower case.
 *
 * @param {unknown} value
 * @param {number} bytes
 * @param {string} name
 */
export function readHex(value, bytes, name) {
  if (typeof value !== "string" || value.length !== 2 * bytes || !/^[0-9a-f]*$/.test(value)) {
    throw new PaymentError("terms", `${name} is ${show(value)}, not ${bytes} bytes in hex`);
  }
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function readAddress(value, name) {
  if (typeof value === "string" && value === value.toLowerCase()) {
    try {
      const { prefix, data } = fromBech32(value, 90);
      if (prefix === "lode" && data.length === 20) return value;
    } catch {
      // said below
    }
  }
  throw new PaymentError("terms", `${name} is ${show(value)}, not an address of this network (lode1…)`);
}

/** @param {unknown} value */
function show(value) {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 80 ? text.slice(0, 80) + "…" : text;
}

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
export function readTerms(requirements) {
  const { scheme, network, asset, extra } = requirements;
  if (scheme !== SCHEME) throw new PaymentError("terms", `the scheme is ${show(scheme)}, not ${SCHEME}`);
  if (typeof network !== "string" || !/^cosmos:[-_a-zA-Z0-9]{1,32}$/.test(network)) {
    throw new PaymentError("terms", `the network is ${show(network)}, not cosmos:CHAIN-ID`);
  }
  if (!isRecord(extra)) throw new PaymentError("terms", "extra is missing: it names the service");
  const planId = readPlanId(extra);
  const unit = planId === 0n ? ASSET : ASSET_UNIT;
  if (asset !== unit) throw new PaymentError("terms", `the asset is ${show(asset)}, not ${unit}`);
  const payTo = readAddress(requirements.payTo, "payTo");
  if (extra.receiverAuthorizer !== undefined && extra.receiverAuthorizer !== payTo) {
    throw new PaymentError("terms", "extra.receiverAuthorizer is not payTo: the provider's hotkey alone redeems");
  }
  return {
    network,
    chainId: network.slice("cosmos:".length),
    amount: readAmount(requirements.amount, "amount"),
    payTo,
    serviceId: readId(extra.serviceId, "extra.serviceId"),
    planId,
    closeDelay: readSeconds(extra.withdrawDelay, "extra.withdrawDelay", MIN_CLOSE_DELAY, MAX_CLOSE_DELAY),
    minDeposit: extra.minDeposit === undefined ? 0n : readAmount(extra.minDeposit, "extra.minDeposit"),
    timeout: readSeconds(requirements.maxTimeoutSeconds, "maxTimeoutSeconds", 1, MAX_TIMEOUT),
  };
}

/**
 * The plan that an offer is of, 0 where it is by use.
 *
 * @param {Record<string, unknown>} extra
 */
function readPlanId({ planId }) {
  return planId === undefined || planId === 0 || planId === "0" ? 0n : readId(planId, "extra.planId");
}

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
export function requestPayload(voucher, deposit) {
  return deposit ? { type: "deposit", voucher, deposit } : { type: "voucher", voucher };
}

/**
 * The payload that answers a stream's call for a voucher.
 *
 * @param {SignedVoucher} voucher
 * @param {string} stream the identifier of the payment that the stream answers
 * @returns {Record<string, unknown>}
 */
export function streamPayload(voucher, stream) {
  return { type: "voucher", voucher, stream };
}

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
export function readCharge(settlement) {
  const extra = isRecord(settlement) && isRecord(settlement.extra) ? settlement.extra : {};
  const state = isRecord(extra.channelState) ? extra.channelState : {};
  return {
    amount: extra.chargedAmount === undefined ? undefined : readAmount(extra.chargedAmount, "chargedAmount"),
    channelId: state.channelId === undefined ? undefined : readHex(state.channelId, 32, "channelState.channelId"),
    cumulative:
      state.chargedCumulativeAmount === undefined
        ? undefined
        : readAmount(state.chargedCumulativeAmount, "channelState.chargedCumulativeAmount"),
  };
}

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
export function readCorrection(paymentRequired, terms) {
  const accepts = Array.isArray(paymentRequired.accepts) ? paymentRequired.accepts : [];
  const accept = accepts.find((a) => {
    const ours = isRecord(a) && a.scheme === SCHEME && a.network === terms.network && a.payTo === terms.payTo;
    return ours && isRecord(a.extra) && readPlanId(a.extra) === terms.planId;
  });
  const extra = accept?.extra;
  if (!isRecord(extra) || !isRecord(extra.channelState) || !isRecord(extra.voucherState)) return undefined;
  const { channelState, voucherState } = extra;
  return {
    channelId: readHex(channelState.channelId, 32, "channelState.channelId"),
    charged: readAmount(channelState.chargedCumulativeAmount, "channelState.chargedCumulativeAmount"),
    signed: readAmount(voucherState.signedMaxClaimable, "voucherState.signedMaxClaimable"),
    signature: readHex(voucherState.signature, 64, "voucherState.signature"),
  };
}

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
export function readNeed(data) {
  const value = parseJSON(data, NEED_VOUCHER);
  return {
    channelId: readHex(value.channelId, 32, "channelId"),
    required: readAmount(value.requiredCumulative, "requiredCumulative"),
    additional: value.additionalAmount === undefined ? 0n : readAmount(value.additionalAmount, "additionalAmount"),
  };
}

/**
 * @param {string} text
 * @param {string} name
 */
export function parseJSON(text, name) {
  /** @type {unknown} */
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PaymentError("terms", `${name} is not JSON`, { cause: error });
  }
  if (!isRecord(value)) throw new PaymentError("terms", `${name} is not a JSON object`);
  return value;
}
