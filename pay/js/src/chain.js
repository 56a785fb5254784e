// The chain, as paying needs it: a few queries, the opening of channels, their closing.
import { fromHex, toHex } from "@cosmjs/encoding";
import { Registry } from "@cosmjs/proto-signing";
import {
  BroadcastTxError,
  calculateFee,
  defaultRegistryTypes,
  GasPrice,
  isDeliverTxFailure,
  QueryClient,
  SigningStargateClient,
} from "@cosmjs/stargate";
import { Comet38Client } from "@cosmjs/tendermint-rpc";
import { MsgExecResponse } from "cosmjs-types/cosmos/authz/v1beta1/tx";
import { TxRaw } from "cosmjs-types/cosmos/tx/v1beta1/tx";
import { OutcomeUnknown, PaymentError } from "./error.js";
import { decode, encode, generatedType, messages } from "./proto.js";
import { feesRefused, reasonOf } from "./reason.js";

/** @import { EncodeObject, OfflineSigner } from "@cosmjs/proto-signing" */
/** @import { StdFee } from "@cosmjs/stargate" */
/** @import { Plan } from "./books.js" */

/**
 * A channel as the chain has it.
 *
 * @typedef {object} ChainChannel
 * @property {string} id hex
 * @property {string} sessionKey hex
 * @property {bigint} serviceId
 * @property {bigint} deposit rao, all that was ever put in
 * @property {bigint} claimed rao
 * @property {Plan} [plan] where it subscribes to one
 * @property {number} closeDelay seconds
 * @property {boolean} closing it has been asked to close: nobody serves on it any more
 * @property {string} hotkey the provider's, now; empty in lists
 */

/**
 * A plan that is offered.
 *
 * @typedef {object} OfferedPlan
 * @property {bigint} id
 * @property {string} name
 * @property {bigint} price rao a period
 * @property {bigint} period seconds
 * @property {bigint} quota units a period
 */

/**
 * A service as the chain has it.
 *
 * @typedef {object} ChainService
 * @property {string} hotkey the provider's, now
 * @property {boolean} listed
 * @property {OfferedPlan[]} plans
 */

/**
 * What a deposit is for: a channel that there is, or one to open, of a plan if there is
 * planId. maxPrice is the most rao that a period may cost.
 *
 * @typedef {{channelId: string}
 *   | {serviceId: bigint, sessionKey: Uint8Array, closeDelay: number, planId?: bigint, maxPrice?: bigint}} DepositInto
 */

/**
 * @typedef {object} Sent
 * @property {string} transaction hash
 * @property {bigint} fee rao
 */

/** @typedef {Sent & {channelId: string}} Deposited channelId in hex */

/**
 * The chain. Another implementation of it can be given to the scheme.
 *
 * @typedef {object} Chain
 * @property {string} chainId
 * @property {string} payer the account that deposits come from
 * @property {() => Promise<bigint>} height of the newest block
 * @property {() => Promise<bigint>} minDeposit rao
 * @property {(id: bigint) => Promise<ChainService | undefined>} service
 * @property {(id: string) => Promise<ChainChannel | undefined>} channel undefined: there is none, or no more
 * @property {(sessionKey: Uint8Array) => Promise<ChainChannel | undefined>} find the payer's channel with a session key
 * @property {(into: DepositInto, amount: bigint, timeoutHeight: bigint) => Promise<Deposited>} deposit
 *   it is in no block after timeoutHeight; rejects with OutcomeUnknown where it may yet come into one
 * @property {(channelId: string) => Promise<Sent>} close asks to close a channel; the deposit comes back after its delay
 * @property {(channelId: string, now: boolean) => Promise<Sent & {ends: number}>} cancelPlan lets a subscription end, with
 *   its period or after the channel's delay; in Unix seconds
 */

const TYPE_DEPOSIT = "/lode.market.v1.MsgDeposit";
const TYPE_CLOSE = "/lode.market.v1.MsgClose";
const TYPE_CANCEL = "/lode.market.v1.MsgCancelPlan";
const TYPE_EXEC = "/cosmos.authz.v1beta1.MsgExec";

// gas of a simulation varies with what happens until the block
const GAS_MARGIN = 1.4;
// a fee grant is not part of a simulation
const FEE_GRANT_GAS = 40_000;

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
export async function connect({ rpc, signer, payer, feesByPayer = false, gasPrice = "0.01rao", pollInterval = 500 }) {
  const [account] = await signer.getAccounts();
  if (!account) throw new PaymentError("chain", "the signer has no account");
  const comet = await answered(rpc, Comet38Client.connect(rpc));
  const registry = new Registry(defaultRegistryTypes);
  registry.register(TYPE_DEPOSIT, generatedType(messages.MsgDeposit));
  registry.register(TYPE_CLOSE, generatedType(messages.MsgClose));
  registry.register(TYPE_CANCEL, generatedType(messages.MsgCancelPlan));
  const price = GasPrice.fromString(gasPrice);
  const client = SigningStargateClient.createWithSigner(comet, signer, {
    registry,
    gasPrice: price,
    broadcastPollIntervalMs: pollInterval,
  });
  const queries = QueryClient.withExtensions(comet);
  const agent = account.address;
  const from = payer ?? agent;
  const byAgent = from !== agent;
  const granter = byAgent && feesByPayer ? from : undefined;
  const chainId = await answered(rpc, client.getChainId());

  /**
   * @param {"Params" | "Service" | "Channel" | "Channels"} method
   * @param {Record<string, unknown>} request
   */
  async function query(method, request) {
    const bytes = encode(messages[`Query${method}Request`], request);
    const { value } = await answered(rpc, queries.queryAbci(`/lode.market.v1.Query/${method}`, bytes));
    return decode(messages[`Query${method}Response`], value);
  }

  /**
   * Sends one message and waits until it is in a block.
   *
   * @param {EncodeObject} message
   * @param {string} [granter] of the fee
   * @param {bigint} [timeoutHeight]
   */
  async function send(message, granter, timeoutHeight) {
    const gas = await answered(rpc, client.simulate(agent, [message], ""));
    const fee = calculateFee(Math.ceil(gas * GAS_MARGIN) + (granter ? FEE_GRANT_GAS : 0), price);
    const result = await broadcast(message, granter ? { ...fee, granter } : fee, timeoutHeight);
    const { transactionHash: transaction } = result;
    if (isDeliverTxFailure(result)) {
      throw new PaymentError("chain", `transaction ${transaction} failed: ${reasonOf(result.rawLog || `code ${result.code}`)}`);
    }
    const [response] = result.msgResponses;
    if (!response) throw new PaymentError("chain", `transaction ${transaction} has no response`);
    return { value: response.value, transaction, fee: BigInt(fee.amount[0]?.amount ?? "0") };
  }

  /**
   * @param {EncodeObject} message
   * @param {StdFee} fee
   * @param {bigint} [timeoutHeight]
   */
  async function broadcast(message, fee, timeoutHeight) {
    const signed = await answered(rpc, client.sign(agent, [message], fee, "", undefined, timeoutHeight));
    try {
      return await client.broadcastTx(TxRaw.encode(signed).finish(), client.broadcastTimeoutMs, pollInterval);
    } catch (error) {
      if (error instanceof BroadcastTxError) throw notTaken(error);
      throw new OutcomeUnknown(error);
    }
  }

  /** @param {BroadcastTxError} error */
  function notTaken(error) {
    const why = error.log && feesRefused(error.log);
    if (!why) return refusal(error.log ?? error.message, error);
    const hint = `lode wallet allow, as ${granter}, allows them`;
    return new PaymentError("chain", `${granter} pays no fees for ${agent}: ${why}`, { cause: error, hint });
  }

  return {
    chainId,
    payer: from,
    height: async () => BigInt(await answered(rpc, client.getHeight())),
    async minDeposit() {
      const { params } = await query("Params", {});
      return params?.minDeposit ?? 0n;
    },
    async service(id) {
      const response = await found(query("Service", { serviceId: id }));
      const info = response?.service;
      return info?.service && { hotkey: info.hotkey, listed: info.service.listed, plans: info.plans.map(offeredPlan) };
    },
    async channel(id) {
      const response = await found(query("Channel", { channelId: id }));
      return response?.channel && chainChannel(response.channel, response.hotkey);
    },
    async find(sessionKey) {
      const key = toHex(sessionKey);
      for (let next = new Uint8Array(), more = true; more; more = next.length > 0) {
        const { channels, pagination } = await query("Channels", {
          payer: from,
          pagination: { key: next, limit: 100n },
        });
        const channel = channels.find((/** @type {any} */ c) => toHex(c.sessionKey) === key);
        if (channel) return chainChannel(channel, "");
        next = pagination?.nextKey ?? new Uint8Array();
      }
      return undefined;
    },
    async deposit(into, amount, timeoutHeight) {
      const target =
        "channelId" in into
          ? { channelId: fromHex(into.channelId) }
          : { ...into, closeDelay: BigInt(into.closeDelay) };
      const message = { typeUrl: TYPE_DEPOSIT, value: { payer: from, amount, ...target, spender: byAgent ? agent : "" } };
      const sent = byAgent
        ? { typeUrl: TYPE_EXEC, value: { grantee: agent, msgs: [registry.encodeAsAny(message)] } }
        : message;
      const { value, transaction, fee } = await send(sent, granter, timeoutHeight);
      const response = decode(messages.MsgDepositResponse, byAgent ? onlyResult(value) : value);
      return { channelId: toHex(response.channelId), transaction, fee };
    },
    async close(channelId) {
      const message = { typeUrl: TYPE_CLOSE, value: { signer: agent, channelId: fromHex(channelId) } };
      const { transaction, fee } = await send(message, granter);
      return { transaction, fee };
    },
    async cancelPlan(channelId, now) {
      const message = { typeUrl: TYPE_CANCEL, value: { signer: agent, channelId: fromHex(channelId), now } };
      const { value, transaction, fee } = await send(message, granter);
      return { ends: Number(decode(messages.MsgCancelPlanResponse, value).ends), transaction, fee };
    },
    disconnect: () => client.disconnect(),
  };
}

/**
 * @param {Record<string, any>} c
 * @param {string} hotkey
 * @returns {ChainChannel}
 */
function chainChannel(c, hotkey) {
  return {
    id: toHex(c.id),
    sessionKey: toHex(c.sessionKey),
    serviceId: c.serviceId,
    deposit: c.deposit,
    claimed: c.claimed,
    closeDelay: Number(c.closeDelay),
    closing: c.closingTime !== 0n,
    hotkey,
    ...(c.subscription && { plan: subscribedPlan(c.subscription) }),
  };
}

/**
 * @param {Record<string, any>} s
 * @returns {Plan}
 */
function subscribedPlan({ planId, price, period, quota, usedBefore, periodEnd, cancelled }) {
  return { id: planId, price, period, quota, usedBefore, periodEnd: Number(periodEnd), cancelled };
}

/**
 * @param {Record<string, any>} p
 * @returns {OfferedPlan}
 */
function offeredPlan({ id, name, price, period, quota }) {
  return { id, name, price, period, quota };
}

/**
 * What a node answers. Where it refuses, the error has its reason alone; where it does not
 * answer, the error says which node.
 *
 * @template T
 * @param {string} rpc
 * @param {Promise<T>} answer
 * @returns {Promise<T>}
 */
async function answered(rpc, answer) {
  try {
    return await answer;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (/^Query failed with/.test(text)) throw refusal(text, error);
    const [, account] = /^Account '(\w+)' does not exist on chain/.exec(text) ?? [];
    if (account) {
      throw new PaymentError("chain", `${account} has never had a coin`, { cause: error, hint: "send it TAO for fees and deposits" });
    }
    if (/^(fetch failed|Bad status on response)/.test(text)) {
      const hint = "see that it runs, and that this is its CometBFT RPC";
      throw new PaymentError("chain", `the node at ${rpc} does not answer: ${text}`, { cause: error, hint });
    }
    throw error;
  }
}

/**
 * @param {string} text
 * @param {unknown} cause
 */
function refusal(text, cause) {
  const reason = reasonOf(text);
  const hint = reason.endsWith("insufficient funds") ? "send the account TAO, or put in less" : undefined;
  return new PaymentError("chain", `the chain refuses: ${reason}`, { cause, hint });
}

/**
 * What a query answers, undefined where the chain says that there is no such thing.
 *
 * @param {Promise<Record<string, any>>} answer
 */
async function found(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && /not found/.test(error.message)) return undefined;
    throw error;
  }
}

/** @param {Uint8Array} value an MsgExecResponse of one message */
function onlyResult(value) {
  const { results } = MsgExecResponse.decode(value);
  if (results.length !== 1) throw new PaymentError("chain", `MsgExec has ${results.length} results, not 1`);
  return /** @type {Uint8Array} */ (results[0]);
}
