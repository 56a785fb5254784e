/**
 * Why a payment was not made. `code` is for programs, the message for people.
 *
 * - `terms`: what the server asks for can't be paid, or must not be
 * - `limit`: it would exceed a limit of the user's
 * - `state`: the server's account of the channel can't be true
 * - `chain`: the chain did not do, or does not show, what a payment needs
 * - `store`: the store can't be used
 *
 * @typedef {"terms" | "limit" | "state" | "chain" | "store"} PaymentErrorCode
 */
export class PaymentError extends Error {
    /**
     * @param {PaymentErrorCode} code
     * @param {string} message
     * @param {ErrorOptions} [options]
     */
    constructor(code: PaymentErrorCode, message: string, options?: ErrorOptions);
    /** @type {PaymentErrorCode} */
    code: PaymentErrorCode;
}
/** A transaction was sent, and whether it comes into a block is not known. */
export class OutcomeUnknown extends PaymentError {
    /** @param {unknown} cause */
    constructor(cause: unknown);
}
/**
 * Why a payment was not made. `code` is for programs, the message for people.
 *
 * - `terms`: what the server asks for can't be paid, or must not be
 * - `limit`: it would exceed a limit of the user's
 * - `state`: the server's account of the channel can't be true
 * - `chain`: the chain did not do, or does not show, what a payment needs
 * - `store`: the store can't be used
 */
export type PaymentErrorCode = "terms" | "limit" | "state" | "chain" | "store";
