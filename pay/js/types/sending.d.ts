/**
 * Sends a paid request, and again while its outcome is not known, if the server knows it
 * again.
 *
 * @param {typeof globalThis.fetch} fetch
 * @param {Request} request
 * @param {boolean} repeatable
 */
export function send(fetch: typeof globalThis.fetch, request: Request, repeatable: boolean): Promise<Response>;
/**
 * @param {Request} request
 * @returns {PaymentPayload | undefined}
 */
export function paymentOf(request: Request): PaymentPayload | undefined;
/**
 * A response with another body.
 *
 * @param {Response} response
 * @param {ReadableStream<Uint8Array>} body
 */
export function withBody(response: Response, body: ReadableStream<Uint8Array>): Response;
/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal] ends it early, with an error
 */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<undefined>;
/** What of a request is needed to answer its stream's calls for vouchers. */
export class StreamRequest {
    /**
     * @param {Request} request
     * @param {PaymentPayload} payload
     */
    constructor(request: Request, payload: PaymentPayload);
    /** @param {Record<string, unknown>} payload */
    answer(payload: Record<string, unknown>): Request;
    #private;
}
import type { PaymentPayload } from "@x402/core/types";
