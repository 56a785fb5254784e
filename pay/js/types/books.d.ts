/**
 * A promise that is not settled: a request that is under way, or one whose outcome is
 * not known.
 *
 * @typedef {object} Promised
 * @property {bigint} ceiling rao; a stream's grows, see promiseMore
 * @property {number} until Unix seconds: the server has answered by then, or never will
 */
/**
 * A channel. What the server may have charged lies from `charged` to `charged` and all
 * that is promised.
 *
 * @typedef {object} Channel
 * @property {string} id hex
 * @property {string} network
 * @property {string} payTo
 * @property {bigint} serviceId
 * @property {SessionKey} key
 * @property {number} closeDelay seconds
 * @property {bigint} deposit rao, in all
 * @property {bigint} signed rao, cumulative: by the newest voucher
 * @property {bigint} charged rao, cumulative, as far as it is known
 * @property {Map<string, Promised>} promised by the payment's identifier
 * @property {{amount: string, transaction: string} | undefined} untold a deposit of which the server has not been told
 * @property {string | undefined} dispute why nothing is signed for it any more
 */
/**
 * A channel that is being opened: kept before the transaction is sent, so that neither
 * the key nor the deposit is lost if the program ends before the answer comes.
 *
 * @typedef {object} Opening
 * @property {SessionKey} key
 * @property {bigint} timeoutHeight the transaction is in no block after it
 */
/**
 * @typedef {object} Spent
 * @property {string} day the UTC day of `today` and `providers`
 * @property {bigint} today rao
 * @property {bigint} total rao, ever
 * @property {Map<string, bigint>} providers rao of that day, by payTo
 */
/**
 * @typedef {object} Books
 * @property {Map<string, Channel>} channels by id
 * @property {Map<string, Opening>} openings by channelKey
 * @property {Spent} spent
 */
/**
 * @param {string} text
 * @returns {Books}
 */
export function parseBooks(text: string): Books;
/**
 * @param {Books} books
 * @returns {string}
 */
export function formatBooks({ channels, openings, spent }: Books): string;
/**
 * A promise that is not settled: a request that is under way, or one whose outcome is
 * not known.
 */
export type Promised = {
    /**
     * rao; a stream's grows, see promiseMore
     */
    ceiling: bigint;
    /**
     * Unix seconds: the server has answered by then, or never will
     */
    until: number;
};
/**
 * A channel. What the server may have charged lies from `charged` to `charged` and all
 * that is promised.
 */
export type Channel = {
    /**
     * hex
     */
    id: string;
    network: string;
    payTo: string;
    serviceId: bigint;
    key: SessionKey;
    /**
     * seconds
     */
    closeDelay: number;
    /**
     * rao, in all
     */
    deposit: bigint;
    /**
     * rao, cumulative: by the newest voucher
     */
    signed: bigint;
    /**
     * rao, cumulative, as far as it is known
     */
    charged: bigint;
    /**
     * by the payment's identifier
     */
    promised: Map<string, Promised>;
    /**
     * a deposit of which the server has not been told
     */
    untold: {
        amount: string;
        transaction: string;
    } | undefined;
    /**
     * why nothing is signed for it any more
     */
    dispute: string | undefined;
};
/**
 * A channel that is being opened: kept before the transaction is sent, so that neither
 * the key nor the deposit is lost if the program ends before the answer comes.
 */
export type Opening = {
    key: SessionKey;
    /**
     * the transaction is in no block after it
     */
    timeoutHeight: bigint;
};
export type Spent = {
    /**
     * the UTC day of `today` and `providers`
     */
    day: string;
    /**
     * rao
     */
    today: bigint;
    /**
     * rao, ever
     */
    total: bigint;
    /**
     * rao of that day, by payTo
     */
    providers: Map<string, bigint>;
};
export type Books = {
    /**
     * by id
     */
    channels: Map<string, Channel>;
    /**
     * by channelKey
     */
    openings: Map<string, Opening>;
    spent: Spent;
};
import { SessionKey } from "./voucher.js";
