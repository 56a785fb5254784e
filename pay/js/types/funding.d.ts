/**
 * @param {Channel} channel
 * @returns {Purpose}
 */
export function purposeOf({ network, payTo, serviceId, plan }: Channel): Purpose;
/**
 * The plan of a channel, as events tell it.
 *
 * @param {Channel} channel
 * @returns {{planId?: bigint}}
 */
export function planOf({ plan }: Channel): {
    planId?: bigint;
};
/** @param {Purpose} of */
export function notTheProvider({ serviceId, payTo }: Purpose): PaymentError;
/**
 * A channel to open.
 *
 * @typedef {Purpose & {closeDelay: number, maxPrice?: bigint}} Wanted maxPrice, of a plan: the most rao a period
 */
export class Funding {
    /**
     * @param {Chain} chain
     * @param {Ledger} ledger
     * @param {Queue} queue
     * @param {bigint | undefined} deposit rao to put in at once
     * @param {(event: PaymentEvent) => void} onEvent
     */
    constructor(chain: Chain, ledger: Ledger, queue: Queue, deposit: bigint | undefined, onEvent: (event: PaymentEvent) => void);
    /**
     * The channel that pays a service by use, with enough in it for a request.
     *
     * @param {Terms} terms
     */
    funded(terms: Terms): Promise<Channel>;
    /**
     * What must be put into a channel before it can pay another `amount`.
     *
     * @param {Channel} channel
     * @param {Terms} terms
     * @param {bigint} amount
     */
    lacks(channel: Channel, terms: Terms, amount: bigint): bigint;
    /**
     * Puts more into a channel.
     *
     * @param {Channel} channel
     * @param {Terms} terms
     * @param {bigint} amount that is to be promised
     * @returns {Promise<boolean>} false: the channel is closed, and forgotten
     */
    topUp(channel: Channel, terms: Terms, amount: bigint): Promise<boolean>;
    /**
     * Puts more into a channel because the application says so.
     *
     * @param {Channel} channel
     * @param {bigint} amount rao
     */
    putInto(channel: Channel, amount: bigint): Promise<void>;
    /**
     * Opens a channel. Its key is in the store before the transaction is sent.
     *
     * @param {Wanted} wanted
     * @param {bigint} amount rao
     */
    openNew(wanted: Wanted, amount: bigint): Promise<Channel>;
    /**
     * Runs what sends a transaction, after those before it.
     *
     * @template T
     * @param {() => Promise<T>} run
     */
    withWallet<T>(run: () => Promise<T>): Promise<T>;
    /**
     * The channel of an opening whose answer was not heard, if there is one and it came
     * about.
     *
     * @param {Purpose} of
     * @returns {Promise<Channel | undefined>}
     */
    adopt(of: Purpose): Promise<Channel | undefined>;
    /**
     * A channel as the chain has it; undefined where it is closing or closed.
     *
     * @param {string} id
     * @returns {Promise<ChainChannel | undefined>}
     */
    openOnChain(id: string): Promise<ChainChannel | undefined>;
    /**
     * Looks at a channel that pays by use on chain, after a refusal.
     *
     * @param {Channel} channel
     * @returns {Promise<boolean>} whether another try may do
     */
    lookAgain(channel: Channel): Promise<boolean>;
    /**
     * Asks the chain to close a channel, unless it is closing already, and forgets it.
     *
     * @param {Channel} channel
     */
    close(channel: Channel): Promise<void>;
    #private;
}
/**
 * maxPrice, of a plan: the most rao a period
 */
export type Wanted = Purpose & {
    closeDelay: number;
    maxPrice?: bigint;
};
import type { Channel } from "./books.js";
import type { Purpose } from "./ledger.js";
import { PaymentError } from "./error.js";
import type { Terms } from "./wire.js";
import type { ChainChannel } from "./chain.js";
import type { Chain } from "./chain.js";
import type { Ledger } from "./ledger.js";
import type { Queue } from "./queue.js";
import type { PaymentEvent } from "./scheme.js";
