/**
 * A promise that is not settled: a request that is under way, or one whose outcome is
 * not known.
 *
 * @typedef {object} Promised
 * @property {bigint} ceiling a stream's grows, see promiseMore
 * @property {number} until Unix seconds: the server has answered by then, or never will
 */
/**
 * A plan that a channel subscribes to, as the chain has it. Units are counted from the
 * channel's opening, and each period has its own: those of the first are 1 to quota, of
 * the second quota + 1 to 2·quota and so on.
 *
 * @typedef {object} Plan
 * @property {bigint} id
 * @property {bigint} price rao a period, as agreed
 * @property {bigint} period seconds
 * @property {bigint} quota units a period
 * @property {bigint} usedBefore units: the quotas of all periods that have ended
 * @property {number} periodEnd Unix seconds
 * @property {boolean} cancelled it ends with this period
 */
/**
 * A channel. What the server may have charged lies from `charged` to `charged` and all
 * that is promised. What is signed, charged and promised is in rao, of a plan's channel in
 * units.
 *
 * @typedef {object} Channel
 * @property {string} id hex
 * @property {string} network
 * @property {string} payTo
 * @property {bigint} serviceId
 * @property {SessionKey} key
 * @property {number} closeDelay seconds
 * @property {bigint} deposit rao, in all
 * @property {Plan | undefined} plan undefined: it pays by use
 * @property {bigint} left rao of the deposit that no period of the plan has taken; 0 where it pays by use
 * @property {bigint} signed cumulative: by the newest voucher
 * @property {bigint} charged cumulative, as far as it is known
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
     * a stream's grows, see promiseMore
     */
    ceiling: bigint;
    /**
     * Unix seconds: the server has answered by then, or never will
     */
    until: number;
};
/**
 * A plan that a channel subscribes to, as the chain has it. Units are counted from the
 * channel's opening, and each period has its own: those of the first are 1 to quota, of
 * the second quota + 1 to 2·quota and so on.
 */
export type Plan = {
    id: bigint;
    /**
     * rao a period, as agreed
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
     * units: the quotas of all periods that have ended
     */
    usedBefore: bigint;
    /**
     * Unix seconds
     */
    periodEnd: number;
    /**
     * it ends with this period
     */
    cancelled: boolean;
};
/**
 * A channel. What the server may have charged lies from `charged` to `charged` and all
 * that is promised. What is signed, charged and promised is in rao, of a plan's channel in
 * units.
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
     * undefined: it pays by use
     */
    plan: Plan | undefined;
    /**
     * rao of the deposit that no period of the plan has taken; 0 where it pays by use
     */
    left: bigint;
    /**
     * cumulative: by the newest voucher
     */
    signed: bigint;
    /**
     * cumulative, as far as it is known
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
