// Requests that are paid: sent again while their outcome is not known, and the requests
// that hand in a stream's vouchers.
import { decodePaymentSignatureHeader, encodePaymentSignatureHeader } from "@x402/core/http";

/** @import { PaymentPayload } from "@x402/core/types" */

// milliseconds before a request whose outcome is not known is sent again, if the server
// does not say how long to wait
const PAUSES = [250, 1000];
const LONGEST_PAUSE = 10_000;
const AGAIN = new Set([500, 502, 503, 504]);

/**
 * Sends a paid request, and again while its outcome is not known, if the server knows it
 * again.
 *
 * @param {typeof globalThis.fetch} fetch
 * @param {Request} request
 * @param {boolean} repeatable
 */
export async function send(fetch, request, repeatable) {
  for (const pause of repeatable ? PAUSES : []) {
    const { response, wait } = await attempt(fetch, request.clone(), pause);
    if (response) return response;
    await sleep(wait, request.signal);
  }
  return fetch(request);
}

/**
 * @param {typeof globalThis.fetch} fetch
 * @param {Request} request
 * @param {number} pause milliseconds
 * @returns {Promise<{response?: Response, wait: number}>} without a response: how long to wait
 */
async function attempt(fetch, request, pause) {
  try {
    const response = await fetch(request);
    if (!AGAIN.has(response.status) || response.headers.has("PAYMENT-RESPONSE")) return { response, wait: 0 };
    const wished = Number(response.headers.get("retry-after")) * 1000; // NaN where it is a date
    await response.body?.cancel();
    return { wait: wished > pause ? Math.min(wished, LONGEST_PAUSE) : pause };
  } catch (error) {
    if (request.signal.aborted) throw error;
    return { wait: pause };
  }
}

/**
 * @param {Request} request
 * @returns {PaymentPayload | undefined}
 */
export function paymentOf(request) {
  const header = request.headers.get("PAYMENT-SIGNATURE");
  if (header === null) return undefined;
  try {
    return decodePaymentSignatureHeader(header);
  } catch {
    return undefined; // not one of ours
  }
}

/** What of a request is needed to answer its stream's calls for vouchers. */
export class StreamRequest {
  #url;
  #headers;
  #payload;
  #signal;

  /**
   * @param {Request} request
   * @param {PaymentPayload} payload
   */
  constructor(request, payload) {
    this.#url = request.url;
    this.#headers = new Headers(request.headers);
    for (const name of ["content-type", "content-length", "content-encoding"]) this.#headers.delete(name);
    this.#payload = payload;
    this.#signal = request.signal;
  }

  /** @param {Record<string, unknown>} payload */
  answer(payload) {
    const headers = new Headers(this.#headers);
    headers.set("PAYMENT-SIGNATURE", encodePaymentSignatureHeader({ ...this.#payload, payload }));
    return new Request(this.#url, { method: "HEAD", headers, signal: this.#signal });
  }
}

/**
 * A response with another body.
 *
 * @param {Response} response
 * @param {ReadableStream<Uint8Array>} body
 */
export function withBody(response, body) {
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const { status, statusText, url } = response;
  return Object.defineProperty(new Response(body, { status, statusText, headers }), "url", { value: url });
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal] ends it early, with an error
 */
export function sleep(milliseconds, signal) {
  return new Promise((/** @type {(value?: undefined) => void} */ resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
