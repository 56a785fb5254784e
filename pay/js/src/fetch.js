// The fetch that pays: @x402/fetch with a scheme in it.
import { x402Client } from "@x402/core/client";
import { wrapFetchWithPayment } from "@x402/fetch";

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
export function payingFetch(scheme, client = scheme.register(new x402Client())) {
  return async (input, init) => {
    /** @type {unknown} */
    let why;
    const telling = Object.create(client, {
      createPaymentPayload: {
        value: async (/** @type {Parameters<x402Client["createPaymentPayload"]>[0]} */ required) => {
          try {
            return await client.createPaymentPayload(required);
          } catch (error) {
            why = error;
            throw error;
          }
        },
      },
    });
    try {
      return await wrapFetchWithPayment(scheme.fetch, telling)(input, init);
    } catch (error) {
      throw why ?? error;
    }
  };
}
