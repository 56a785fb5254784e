/**
 * Why a payment was not made. `code` is for programs, the message for people; where
 * there is something to do about it, the message ends with that, and `hint` is that alone.
 *
 * - `terms`: what the server asks for can't be paid, or must not be
 * - `limit`: it would exceed a limit of the user's, or what is left of a plan's quota
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
     * @param {ErrorOptions & {hint?: string | undefined}} [options]
     */
    constructor(code: PaymentErrorCode, message: string, options?: ErrorOptions & {
        hint?: string | undefined;
    });
    /** @type {PaymentErrorCode} */
    code: PaymentErrorCode;
    /** @type {string | undefined} what to do about it */
    hint: string | undefined;
}
/** A transaction was sent, and whether it comes into a block is not known. */
export class OutcomeUnknown extends PaymentError {
    /** @param {unknown} cause */
    constructor(cause: unknown);
}
/** A plan does not pay a request, with nothing wrong about it: by use it may be paid. */
export class PlanUnusable extends PaymentError {
}
/**
 * Why a payment was not made. `code` is for programs, the message for people; where
 * there is something to do about it, the message ends with that, and `hint` is that alone.
 *
 * - `terms`: what the server asks for can't be paid, or must not be
 * - `limit`: it would exceed a limit of the user's, or what is left of a plan's quota
 * - `state`: the server's account of the channel can't be true
 * - `chain`: the chain did not do, or does not show, what a payment needs
 * - `store`: the store can't be used
 */
export type PaymentErrorCode = "terms" | "limit" | "state" | "chain" | "store";
