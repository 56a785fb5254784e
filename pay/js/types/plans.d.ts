/**
 * @typedef {object} Wish what to subscribe to
 * @property {string} network
 * @property {bigint} serviceId
 * @property {bigint | undefined} planId undefined: the only one
 * @property {bigint} periods whose price is deposited
 * @property {bigint | undefined} maxPrice rao a period; undefined: what it costs now
 * @property {number} closeDelay seconds
 */
export class Plans {
    /**
     * @param {Chain} chain
     * @param {Ledger} ledger
     * @param {Funding} funding
     * @param {(event: PaymentEvent) => void} onEvent
     * @param {() => number} now Unix milliseconds
     */
    constructor(chain: Chain, ledger: Ledger, funding: Funding, onEvent: (event: PaymentEvent) => void, now: () => number);
    /**
     * Whether a plan is likely to pay a request, or must be looked at for it. What it says
     * is of now; channel() knows better.
     *
     * @param {Terms} terms
     */
    mayPay(terms: Terms): boolean;
    /**
     * The channel of a subscription that pays a request.
     *
     * @param {Terms} terms
     * @returns {Promise<Channel>}
     */
    channel(terms: Terms): Promise<Channel>;
    /**
     * Whether a subscription's next period has begun, as the chain says; undefined where it
     * can't be asked. Where the period is due, a few blocks are waited for.
     *
     * @param {Channel} c
     * @param {boolean} [ended] the server says that the last one has ended
     * @returns {Promise<boolean | undefined>}
     */
    look(c: Channel, ended?: boolean): Promise<boolean | undefined>;
    /**
     * Looks at a subscription on chain after a refusal.
     *
     * @param {Channel} c
     * @param {string | undefined} reason of the server's
     * @returns {Promise<boolean>} whether another try may do
     */
    lookAgain(c: Channel, reason: string | undefined): Promise<boolean>;
    /**
     * Subscribes to a plan: opens a channel with the price of some periods in it, of which
     * the first begins at once.
     *
     * @param {Wish} wish
     * @returns {Promise<Channel>}
     */
    subscribe(wish: Wish): Promise<Channel>;
    /**
     * Lets a subscription end.
     *
     * @param {Channel} c
     * @param {boolean} now
     * @returns {Promise<number>} Unix seconds
     */
    cancel(c: Channel, now: boolean): Promise<number>;
    #private;
}
/**
 * what to subscribe to
 */
export type Wish = {
    network: string;
    serviceId: bigint;
    /**
     * undefined: the only one
     */
    planId: bigint | undefined;
    /**
     * whose price is deposited
     */
    periods: bigint;
    /**
     * rao a period; undefined: what it costs now
     */
    maxPrice: bigint | undefined;
    /**
     * seconds
     */
    closeDelay: number;
};
import type { Terms } from "./wire.js";
import type { Channel } from "./books.js";
import type { Chain } from "./chain.js";
import type { Ledger } from "./ledger.js";
import type { Funding } from "./funding.js";
import type { PaymentEvent } from "./scheme.js";
