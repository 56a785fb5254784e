/**
 * @typedef {object} ConnectOptions
 * @property {string} rpc a node's CometBFT RPC, for example http://127.0.0.1:26657
 * @property {OfflineSigner} signer the payer's wallet, or an agent's; its first account signs
 * @property {string} [payer] who pays, where the signer is an agent with a spending authorization of theirs
 * @property {boolean} [feesByPayer] the payer's fee grant pays an agent's fees
 * @property {string} [gasPrice] as a coin, 0.01rao if left out
 * @property {number} [pollInterval] milliseconds between looks whether a transaction is in a block, 500 if left out
 */
/**
 * Connects to a node.
 *
 * @param {ConnectOptions} options
 * @returns {Promise<Chain & {disconnect: () => void}>}
 */
export function connect({ rpc, signer, payer, feesByPayer, gasPrice, pollInterval }: ConnectOptions): Promise<Chain & {
    disconnect: () => void;
}>;
export type ConnectOptions = {
    /**
     * a node's CometBFT RPC, for example http://127.0.0.1:26657
     */
    rpc: string;
    /**
     * the payer's wallet, or an agent's; its first account signs
     */
    signer: OfflineSigner;
    /**
     * who pays, where the signer is an agent with a spending authorization of theirs
     */
    payer?: string | undefined;
    /**
     * the payer's fee grant pays an agent's fees
     */
    feesByPayer?: boolean | undefined;
    /**
     * as a coin, 0.01rao if left out
     */
    gasPrice?: string | undefined;
    /**
     * milliseconds between looks whether a transaction is in a block, 500 if left out
     */
    pollInterval?: number | undefined;
};
/**
 * A channel as the chain has it.
 */
export type ChainChannel = {
    /**
     * hex
     */
    id: string;
    /**
     * hex
     */
    sessionKey: string;
    serviceId: bigint;
    /**
     * rao, all that was ever put in
     */
    deposit: bigint;
    /**
     * rao
     */
    claimed: bigint;
    /**
     * where it subscribes to one
     */
    plan?: Plan | undefined;
    /**
     * seconds
     */
    closeDelay: number;
    /**
     * it has been asked to close: nobody serves on it any more
     */
    closing: boolean;
    /**
     * the provider's, now; empty in lists
     */
    hotkey: string;
};
/**
 * A plan that is offered.
 */
export type OfferedPlan = {
    id: bigint;
    name: string;
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
};
/**
 * A service as the chain has it.
 */
export type ChainService = {
    /**
     * the provider's, now
     */
    hotkey: string;
    listed: boolean;
    plans: OfferedPlan[];
};
/**
 * What a deposit is for: a channel that there is, or one to open, of a plan if there is
 * planId. maxPrice is the most rao that a period may cost.
 */
export type DepositInto = {
    channelId: string;
} | {
    serviceId: bigint;
    sessionKey: Uint8Array;
    closeDelay: number;
    planId?: bigint;
    maxPrice?: bigint;
};
export type Sent = {
    /**
     * hash
     */
    transaction: string;
    /**
     * rao
     */
    fee: bigint;
};
/**
 * channelId in hex
 */
export type Deposited = Sent & {
    channelId: string;
};
/**
 * The chain. Another implementation of it can be given to the scheme.
 */
export type Chain = {
    chainId: string;
    /**
     * the account that deposits come from
     */
    payer: string;
    /**
     * of the newest block
     */
    height: () => Promise<bigint>;
    /**
     * rao
     */
    minDeposit: () => Promise<bigint>;
    service: (id: bigint) => Promise<ChainService | undefined>;
    /**
     * undefined: there is none, or no more
     */
    channel: (id: string) => Promise<ChainChannel | undefined>;
    /**
     * the payer's channel with a session key
     */
    find: (sessionKey: Uint8Array) => Promise<ChainChannel | undefined>;
    /**
     *   it is in no block after timeoutHeight; rejects with OutcomeUnknown where it may yet come into one
     */
    deposit: (into: DepositInto, amount: bigint, timeoutHeight: bigint) => Promise<Deposited>;
    /**
     * asks to close a channel; the deposit comes back after its delay
     */
    close: (channelId: string) => Promise<Sent>;
    /**
     * lets a subscription end, with
     * its period or after the channel's delay; in Unix seconds
     */
    cancelPlan: (channelId: string, now: boolean) => Promise<Sent & {
        ends: number;
    }>;
};
import type { OfflineSigner } from "@cosmjs/proto-signing";
import type { Plan } from "./books.js";
