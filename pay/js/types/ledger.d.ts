/**
 * What a channel is for.
 *
 * @typedef {object} Purpose
 * @property {string} network
 * @property {string} payTo
 * @property {bigint} serviceId
 * @property {bigint} planId 0: to pay by use
 */
/** @param {Purpose | Channel} of */
export function channelKey(of: Purpose | Channel): string;
/** @param {Channel} c */
export function promisedOn(c: Channel): bigint;
/**
 * The most that a channel's vouchers can say.
 *
 * @param {Channel} c
 */
export function reach(c: Channel): bigint;
/**
 * @param {Channel} c
 * @param {bigint} amount
 */
export function quotaUsedUp(c: Channel, amount: bigint): PlanUnusable;
/** @param {Channel} c */
export function disputed(c: Channel): PaymentError;
export class Ledger {
    /**
     * Reads the books. What was under way when they were last written has no known outcome.
     *
     * @param {Store} store
     * @param {Limits} limits
     * @param {() => number} now Unix milliseconds
     */
    static open(store: Store, limits: Limits, now: () => number): Promise<Ledger>;
    /**
     * @param {Store} store
     * @param {Limits} limits
     * @param {() => number} now Unix milliseconds
     */
    constructor(store: Store, limits: Limits, now: () => number);
    /** @type {Map<string, Channel>} by id */
    channels: Map<string, Channel>;
    /** @type {Map<string, Opening>} by channelKey */
    openings: Map<string, Opening>;
    /** @type {Spent} */
    spent: Spent;
    /**
     * Writes the books. Those who ask while a write is under way share the next one.
     *
     * @returns {Promise<void>}
     */
    save(): Promise<void>;
    /** Waits until all is written and lets go of the store. */
    close(): Promise<void>;
    /**
     * Counts rao as spent.
     *
     * @param {string} payTo
     * @param {bigint} amount
     * @param {bigint} [today] what of it is of this day
     */
    spend(payTo: string, amount: bigint, today?: bigint): void;
    /**
     * Refuses what no limit leaves room for.
     *
     * @param {string} payTo
     * @param {bigint} amount more than is promised already
     * @param {bigint} [before] what is promised for the same request
     */
    check(payTo: string, amount: bigint, before?: bigint): void;
    /**
     * How much to put into a channel: what is wished for, as far as the limits allow, and
     * at least what is needed.
     *
     * @param {string} payTo
     * @param {bigint} needed
     * @param {bigint} wished
     */
    depositFor(payTo: string, needed: bigint, wished: bigint): bigint;
    /**
     * Refuses a subscription that the limits leave no room for: what its periods of one
     * day cost, what they cost in all, and what of the deposit waits for later ones.
     *
     * @param {string} payTo
     * @param {{price: bigint, period: bigint}} plan
     * @param {bigint} periods
     * @param {bigint} deposit
     */
    checkPlan(payTo: string, { price, period }: {
        price: bigint;
        period: bigint;
    }, periods: bigint, deposit: bigint): void;
    /**
     * Refuses to put more into a channel than the limits leave room for. Of a plan that is
     * what its further periods cost, those of this day and all.
     *
     * @param {Channel} c
     * @param {bigint} amount
     */
    checkTopUp(c: Channel, amount: bigint): void;
    /**
     * The channel that pays a service by use on a server's terms, if there is one.
     *
     * @param {Terms} terms
     */
    find(terms: Terms): Channel | undefined;
    /**
     * The channels that subscribe to a plan, the one first whose period ends first. Who
     * they pay may have another hotkey by now.
     *
     * @param {Omit<Purpose, "payTo">} of
     */
    subscriptions({ network, serviceId, planId }: Omit<Purpose, "payTo">): Channel[];
    /**
     * Takes over what the chain says of a channel. A new period of a plan counts from where
     * the last one's quota ended, whatever of it was used: what is unknown of that stays so.
     * Its price is spent when it begins.
     *
     * @param {Channel} c
     * @param {Pick<ChainChannel, "deposit" | "claimed" | "plan">} onChain
     * @returns {boolean} whether a period has begun that was not known
     */
    see(c: Channel, { deposit, claimed, plan }: Pick<ChainChannel, "deposit" | "claimed" | "plan">): boolean;
    /**
     * Whether a channel reaches for another `amount`.
     *
     * @param {Channel} c
     * @param {bigint} amount
     */
    reaches(c: Channel, amount: bigint): boolean;
    /**
     * The cumulative amount that a voucher for another `amount` says. It never goes down:
     * a lower one would take nothing back.
     *
     * @param {Channel} c
     * @param {bigint} amount
     */
    next(c: Channel, amount: bigint): bigint;
    /**
     * Promises up to `amount` for a request, and gives the cumulative amount to sign.
     *
     * @param {Channel} c
     * @param {string} id of the payment
     * @param {bigint} amount
     * @param {number} timeout seconds
     */
    promise(c: Channel, id: string, amount: bigint, timeout: number): bigint;
    /**
     * Promises more for a stream, and gives the cumulative amount to sign.
     *
     * @param {Channel} c
     * @param {string} id
     * @param {Need} need
     * @param {bigint} amount that its request may cost
     */
    promiseMore(c: Channel, id: string, need: Need, amount: bigint): bigint;
    /**
     * How much more must be promised for a stream, which the limits must allow. It is beside
     * all that is promised: the server may not have seen yet what other requests on their
     * way were promised, and does not count it.
     *
     * @param {Channel} c
     * @param {string} id
     * @param {Need} need
     * @param {bigint} amount that its request may cost
     */
    checkMore(c: Channel, id: string, { required, additional }: Need, amount: bigint): bigint;
    /**
     * The request of a payment was refused: nothing is owed for it.
     *
     * @param {Channel} c
     * @param {string} id
     */
    refused(c: Channel, id: string): void;
    /**
     * The outcome of a request is not known: its ceiling stays promised until the server
     * says what it has charged in all.
     *
     * @param {string} id
     */
    lost(id: string): void;
    /** @param {string} id */
    isUnderWay(id: string): boolean;
    /**
     * Whether what the server says that it charged in all can be.
     *
     * @param {Channel} c
     * @param {string} id
     * @param {Charge} charge
     */
    canBe(c: Channel, id: string, { amount, cumulative }: Charge): boolean;
    /**
     * The server has answered and says what it charged. It must fit what was promised, or
     * the channel is in dispute.
     *
     * @param {Channel} c
     * @param {string} id
     * @param {Charge} charge
     */
    charged(c: Channel, id: string, { amount, channelId, cumulative }: Charge): void;
    /**
     * A paid request was refused with a correction. It is believed only as far as this
     * channel's own key vouches for it: a newer voucher than the books know shows that the
     * books are old; without one the server's sum must fit them.
     *
     * @param {Channel} c
     * @param {string} id
     * @param {bigint} cumulative what the voucher said that was refused
     * @param {Correction} correction
     * @returns {boolean} whether another voucher may do: the books were old, or one that was
     *   signed later has come first
     */
    correct(c: Channel, id: string, cumulative: bigint, { channelId, charged, signed, signature }: Correction): boolean;
    /**
     * A channel is closing or closed. What is promised on it may still be redeemed, and
     * counts as spent; of a plan the period's price does already.
     *
     * @param {Channel} c
     */
    forget(c: Channel): void;
    /**
     * Signs nothing for a channel any more.
     *
     * @param {Channel} c
     * @param {string} why
     */
    dispute(c: Channel, why: string): void;
    #private;
}
/**
 * What a channel is for.
 */
export type Purpose = {
    network: string;
    payTo: string;
    serviceId: bigint;
    /**
     * 0: to pay by use
     */
    planId: bigint;
};
import type { Channel } from "./books.js";
import { PlanUnusable } from "./error.js";
import { PaymentError } from "./error.js";
import type { Opening } from "./books.js";
import type { Spent } from "./books.js";
import type { Terms } from "./wire.js";
import type { ChainChannel } from "./chain.js";
import type { Need } from "./wire.js";
import type { Charge } from "./wire.js";
import type { Correction } from "./wire.js";
import type { Store } from "./store.js";
import type { Limits } from "./limits.js";
