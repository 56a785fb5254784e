/**
 * What has happened, for logs and ledgers of the application's. With planId it is about a
 * plan's channel, and what is paid, or not known to be, is in units; all else is in rao.
 *
 * @typedef {{channelId: string, payTo: string, planId?: bigint} & (
 *     {type: "opened" | "toppedUp", amount: bigint, fee: bigint, transaction: string}
 *   | {type: "closed" | "cancelled", fee: bigint, transaction: string}
 *   | {type: "paid", id: string, amount: bigint}
 *   | {type: "unknown", id: string, ceiling: bigint}
 *   | {type: "disputed", reason: string}
 *   | {type: "passedOver", reason: string}
 * )} PaymentEvent passedOver: what a plan can't pay is paid by use, if the limits allow that
 */
/**
 * @typedef {object} SubscribeOptions
 * @property {bigint | number | string} serviceId
 * @property {bigint | number | string} [planId] may be left out where the service offers one alone
 * @property {number} [periods] whose price is deposited, 1 if left out; the chain renews the plan out of it
 * @property {bigint | string} [maxPrice] rao, the most that a period may cost; what it costs now if left out
 * @property {number} [closeDelay] seconds in which the provider can redeem after a cancellation; an hour if left out
 */
/**
 * A subscription to a plan. Units count from the channel's opening.
 *
 * @typedef {object} Subscription
 * @property {bigint} planId
 * @property {bigint} price rao a period
 * @property {bigint} period seconds
 * @property {bigint} quota units a period
 * @property {bigint} unused units that are left of this period's, those aside that requests under way may use
 * @property {Date} periodEnd
 * @property {boolean} cancelled it ends with this period
 * @property {bigint} left rao of the deposit, for later periods
 */
/**
 * @typedef {object} SchemeOptions
 * @property {Chain} chain see connect
 * @property {Store} store what one process at a time uses
 * @property {LimitOptions} limits
 * @property {bigint | string} [deposit] rao to put into a channel at once, if the limits allow it; 20 requests' worth if left out
 * @property {number} [maxCloseDelay] seconds that a deposit may be out of reach after a channel was asked to close; a day if left out
 * @property {number} [maxParallel] requests under way at once on one channel; 8 if left out
 * @property {typeof globalThis.fetch} [fetch] what sends requests; the global one if left out
 * @property {(event: PaymentEvent) => void} [onEvent]
 * @property {() => number} [now] Unix milliseconds
 */
/**
 * A payment whose request is under way.
 *
 * @typedef {object} Payment
 * @property {string} id
 * @property {Channel} channel
 * @property {Terms} terms
 * @property {bigint} cumulative what its voucher says
 * @property {boolean} repeatable the server knows a repeated request by its identifier
 * @property {boolean} [refused] the server said so by the answer's status
 * @property {boolean} [streams] what it costs is said in the stream
 */
/**
 * Pays a Lode network's services out of channels, within limits.
 *
 * @implements {SchemeNetworkClient}
 */
export class LodeScheme implements SchemeNetworkClient {
    /**
     * Reads the store and gives a scheme to register.
     *
     * @param {SchemeOptions} options
     */
    static open(options: SchemeOptions): Promise<LodeScheme>;
    /**
     * @param {SchemeOptions} options
     * @param {Ledger} ledger
     */
    constructor(options: SchemeOptions, ledger: Ledger);
    /** @readonly */
    readonly scheme: "batch-settlement";
    /** @type {SchemeClientHooks} @readonly */
    readonly schemeHooks: SchemeClientHooks;
    /**
     * Registers the scheme with a client: with it what it prefers of a server's offers, and
     * rao and plans' units with the client's own spend controls, which know no asset but
     * dollars' by themselves.
     *
     * @template {x402Client} C
     * @param {C} client
     * @returns {C}
     */
    register<C extends x402Client>(client: C): C;
    /**
     * The entries of rao and of plans' units for a client's spend controls. They set no cap:
     * the limits do, and say which it was.
     *
     * @returns {SpendControlAsset[]}
     */
    spendControls(): SpendControlAsset[];
    /**
     * The channels of the store, without their keys. What is signed, charged and promised is
     * in rao, of a plan's channel in units.
     */
    channels(): {
        id: string;
        network: string;
        payTo: string;
        serviceId: bigint;
        deposit: bigint;
        subscription: Subscription | undefined;
        signed: bigint;
        charged: bigint;
        promised: bigint;
        dispute: string | undefined;
    }[];
    /** What was spent: rao of this day, and in all. */
    spent(): {
        today: bigint;
        total: bigint;
    };
    /**
     * Asks the chain to close a channel and forgets it: what was not charged comes back
     * to the payer after the channel's delay.
     *
     * @param {string} id
     */
    closeChannel(id: string): Promise<void>;
    /**
     * Subscribes to a plan of a service: deposits the price of its periods, of which the
     * first begins at once. What the server sells by that plan is paid with it from then on.
     *
     * @param {SubscribeOptions} options
     * @returns {Promise<Subscription & {channelId: string}>}
     */
    subscribe({ serviceId, planId, periods, maxPrice, closeDelay }: SubscribeOptions): Promise<Subscription & {
        channelId: string;
    }>;
    /**
     * Puts more into a channel, within the limits: so that its plan goes on for further
     * periods. One that pays by use is topped up by itself.
     *
     * @param {string} channelId
     * @param {bigint | string} amount rao
     */
    topUp(channelId: string, amount: bigint | string): Promise<void>;
    /**
     * Lets a subscription end: with its period, or now, that is after the channel's delay,
     * for what of the period's price is neither past nor used. The rest of the deposit
     * comes back then.
     *
     * @param {string} channelId
     * @param {{now?: boolean}} [options]
     * @returns {Promise<Date>} when it ends
     */
    cancelPlan(channelId: string, { now }?: {
        now?: boolean;
    }): Promise<Date>;
    /** Lets go of the store. */
    close(): Promise<void>;
    /**
     * Pays for a request: with a voucher, on a channel that is opened or topped up first if
     * need be.
     *
     * @param {number} x402Version
     * @param {PaymentRequirements} requirements
     * @param {PaymentPayloadContext} [context]
     * @returns {Promise<PaymentPayloadResult>}
     */
    createPaymentPayload(x402Version: number, requirements: PaymentRequirements, context?: PaymentPayloadContext): Promise<PaymentPayloadResult>;
    /**
     * The fetch to put under wrapFetchWithPayment. It sends a paid request again, unchanged,
     * while its outcome is not known, and pays for streams as they go, out of the
     * application's sight.
     *
     * @type {typeof globalThis.fetch}
     */
    fetch: typeof globalThis.fetch;
    #private;
}
/**
 * passedOver: what a plan can't pay is paid by use, if the limits allow that
 */
export type PaymentEvent = {
    channelId: string;
    payTo: string;
    planId?: bigint;
} & ({
    type: "opened" | "toppedUp";
    amount: bigint;
    fee: bigint;
    transaction: string;
} | {
    type: "closed" | "cancelled";
    fee: bigint;
    transaction: string;
} | {
    type: "paid";
    id: string;
    amount: bigint;
} | {
    type: "unknown";
    id: string;
    ceiling: bigint;
} | {
    type: "disputed";
    reason: string;
} | {
    type: "passedOver";
    reason: string;
});
export type SubscribeOptions = {
    serviceId: bigint | number | string;
    /**
     * may be left out where the service offers one alone
     */
    planId?: string | number | bigint | undefined;
    /**
     * whose price is deposited, 1 if left out; the chain renews the plan out of it
     */
    periods?: number | undefined;
    /**
     * rao, the most that a period may cost; what it costs now if left out
     */
    maxPrice?: string | bigint | undefined;
    /**
     * seconds in which the provider can redeem after a cancellation; an hour if left out
     */
    closeDelay?: number | undefined;
};
/**
 * A subscription to a plan. Units count from the channel's opening.
 */
export type Subscription = {
    planId: bigint;
    /**
     * rao a period
     */
    price: bigint;
    /**
     * seconds
     */
    period: bigint;
    /**
     * units a period
     */
    quota: bigint;
    /**
     * units that are left of this period's, those aside that requests under way may use
     */
    unused: bigint;
    periodEnd: Date;
    /**
     * it ends with this period
     */
    cancelled: boolean;
    /**
     * rao of the deposit, for later periods
     */
    left: bigint;
};
export type SchemeOptions = {
    /**
     * see connect
     */
    chain: Chain;
    /**
     * what one process at a time uses
     */
    store: Store;
    limits: LimitOptions;
    /**
     * rao to put into a channel at once, if the limits allow it; 20 requests' worth if left out
     */
    deposit?: string | bigint | undefined;
    /**
     * seconds that a deposit may be out of reach after a channel was asked to close; a day if left out
     */
    maxCloseDelay?: number | undefined;
    /**
     * requests under way at once on one channel; 8 if left out
     */
    maxParallel?: number | undefined;
    /**
     * what sends requests; the global one if left out
     */
    fetch?: typeof fetch | undefined;
    onEvent?: ((event: PaymentEvent) => void) | undefined;
    /**
     * Unix milliseconds
     */
    now?: (() => number) | undefined;
};
/**
 * A payment whose request is under way.
 */
export type Payment = {
    id: string;
    channel: Channel;
    terms: Terms;
    /**
     * what its voucher says
     */
    cumulative: bigint;
    /**
     * the server knows a repeated request by its identifier
     */
    repeatable: boolean;
    /**
     * the server said so by the answer's status
     */
    refused?: boolean | undefined;
    /**
     * what it costs is said in the stream
     */
    streams?: boolean | undefined;
};
import type { SchemeNetworkClient } from "@x402/core/types";
import type { SchemeClientHooks } from "@x402/core/types";
import type { x402Client } from "@x402/core/client";
import type { SpendControlAsset } from "@x402/core/client";
import type { PaymentRequirements } from "@x402/core/types";
import type { PaymentPayloadContext } from "@x402/core/types";
import type { PaymentPayloadResult } from "@x402/core/types";
import { Ledger } from "./ledger.js";
import type { Chain } from "./chain.js";
import type { Store } from "./store.js";
import type { LimitOptions } from "./limits.js";
import type { Channel } from "./books.js";
import type { Terms } from "./wire.js";
