/**
 * Pays for services of a Lode network over x402: registers the scheme batch-settlement
 * on cosmos:* with @x402/core's clients. See docs/pay-from-javascript.md.
 *
 * @module
 */
export { connect } from "./chain.js";
export { OutcomeUnknown, PaymentError } from "./error.js";
export { LodeScheme } from "./scheme.js";
export { MemoryStore } from "./store.js";
export { SessionKey, voucherBytes } from "./voucher.js";

/**
 * @typedef {import("./books.js").Plan} Plan
 * @typedef {import("./chain.js").Chain} Chain
 * @typedef {import("./chain.js").ChainChannel} ChainChannel
 * @typedef {import("./chain.js").ChainService} ChainService
 * @typedef {import("./chain.js").ConnectOptions} ConnectOptions
 * @typedef {import("./chain.js").Deposited} Deposited
 * @typedef {import("./chain.js").DepositInto} DepositInto
 * @typedef {import("./chain.js").OfferedPlan} OfferedPlan
 * @typedef {import("./chain.js").Sent} Sent
 * @typedef {import("./error.js").PaymentErrorCode} PaymentErrorCode
 * @typedef {import("./limits.js").LimitOptions} LimitOptions
 * @typedef {import("./scheme.js").PaymentEvent} PaymentEvent
 * @typedef {import("./scheme.js").SchemeOptions} SchemeOptions
 * @typedef {import("./scheme.js").SubscribeOptions} SubscribeOptions
 * @typedef {import("./scheme.js").Subscription} Subscription
 * @typedef {import("./store.js").Store} Store
 */
