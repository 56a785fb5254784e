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
     * The channel that pays a service, with enough in it for a request.
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
     * A channel as the chain has it; undefined where it is closing or closed.
     *
     * @param {string} id
     * @returns {Promise<ChainChannel | undefined>}
     */
    openOnChain(id: string): Promise<ChainChannel | undefined>;
    /**
     * Looks at a channel on chain after a refusal.
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
import type { Terms } from "./wire.js";
import type { Channel } from "./books.js";
import type { ChainChannel } from "./chain.js";
import type { Chain } from "./chain.js";
import type { Ledger } from "./ledger.js";
import type { Queue } from "./queue.js";
import type { PaymentEvent } from "./scheme.js";
