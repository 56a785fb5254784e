/** @import { LodeScheme } from "./scheme.js" */
/**
 * A fetch that pays what servers ask for. It is wrapFetchWithPayment of @x402/fetch, but
 * for its errors: that one keeps their message alone, this one hands the PaymentError on
 * that says why nothing was paid.
 *
 * @param {LodeScheme} scheme
 * @param {x402Client} [client] that the scheme is registered with, if others are too
 * @returns {typeof globalThis.fetch}
 */
export function payingFetch(scheme: LodeScheme, client?: x402Client): typeof globalThis.fetch;
import type { LodeScheme } from "./scheme.js";
import { x402Client } from "@x402/core/client";
