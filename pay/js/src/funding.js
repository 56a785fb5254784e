// Deposits: channels are opened, topped up, found again and closed, within what the books
// allow.
import { toHex } from "@cosmjs/encoding";
import { OutcomeUnknown, PaymentError } from "./error.js";
import { channelKey, disputed } from "./ledger.js";
import { sleep } from "./sending.js";
import { SessionKey } from "./voucher.js";

/** @import { Chain, ChainChannel, DepositInto } from "./chain.js" */
/** @import { Channel, Plan } from "./books.js" */
/** @import { Ledger, Purpose } from "./ledger.js" */
/** @import { Queue } from "./queue.js" */
/** @import { PaymentEvent } from "./scheme.js" */
/** @import { Terms } from "./wire.js" */

// blocks in which the transaction that opens a channel may come into one
const OPENING_BLOCKS = 50n;
// milliseconds in which a server's node learns of a deposit that ours has
const NODE_LAG = 1000;

/**
 * A channel to open.
 *
 * @typedef {Purpose & {closeDelay: number, maxPrice?: bigint}} Wanted maxPrice, of a plan: the most rao a period
 */

export class Funding {
  #chain;
  #ledger;
  #queue;
  #deposit;
  #onEvent;

  /**
   * @param {Chain} chain
   * @param {Ledger} ledger
   * @param {Queue} queue
   * @param {bigint | undefined} deposit rao to put in at once
   * @param {(event: PaymentEvent) => void} onEvent
   */
  constructor(chain, ledger, queue, deposit, onEvent) {
    this.#chain = chain;
    this.#ledger = ledger;
    this.#queue = queue;
    this.#deposit = deposit;
    this.#onEvent = onEvent;
  }

  /**
   * The channel that pays a service by use, with enough in it for a request.
   *
   * @param {Terms} terms
   */
  async funded(terms) {
    const channel = this.#ledger.find(terms);
    if (!channel) return this.#open(terms);
    if (channel.dispute !== undefined) throw disputed(channel);
    if (this.lacks(channel, terms, terms.amount) <= 0n) return channel;
    return (await this.topUp(channel, terms, terms.amount)) ? channel : this.#open(terms);
  }

  /**
   * What must be put into a channel before it can pay another `amount`.
   *
   * @param {Channel} channel
   * @param {Terms} terms
   * @param {bigint} amount
   */
  lacks(channel, terms, amount) {
    return max(this.#ledger.next(channel, amount), terms.minDeposit) - channel.deposit;
  }

  /**
   * Puts more into a channel.
   *
   * @param {Channel} channel
   * @param {Terms} terms
   * @param {bigint} amount that is to be promised
   * @returns {Promise<boolean>} false: the channel is closed, and forgotten
   */
  async topUp(channel, terms, amount) {
    const onChain = await this.openOnChain(channel.id);
    if (!onChain) {
      this.#ledger.forget(channel);
      await this.#ledger.save();
      return false;
    }
    // what an earlier top-up put in whose answer was not heard
    this.#ledger.see(channel, onChain);
    const needed = this.lacks(channel, terms, amount);
    if (needed > 0n) {
      await this.withWallet(() =>
        this.#put({ channelId: channel.id }, purposeOf(channel), channel.key, this.#amount(terms, needed)),
      );
    }
    return true;
  }

  /**
   * Puts more into a channel because the application says so.
   *
   * @param {Channel} channel
   * @param {bigint} amount rao
   */
  putInto(channel, amount) {
    return this.withWallet(async () => {
      const onChain = await this.openOnChain(channel.id);
      if (!onChain || onChain.plan?.cancelled) {
        throw new PaymentError("state", `channel ${channel.id} has ended, or is about to`, { hint: "open another, or subscribe again" });
      }
      this.#ledger.see(channel, onChain);
      this.#ledger.checkTopUp(channel, amount);
      await this.#put({ channelId: channel.id }, purposeOf(channel), channel.key, amount);
    });
  }

  /**
   * Opens a channel to a service.
   *
   * @param {Terms} terms
   */
  async #open(terms) {
    return this.withWallet(async () => {
      const service = await this.#chain.service(terms.serviceId);
      if (!service?.listed) throw new PaymentError("terms", `the chain has no service ${terms.serviceId} that is offered`);
      if (service.hotkey !== terms.payTo) throw notTheProvider(terms);
      const adopted = await this.adopt(terms);
      if (adopted) return adopted;
      const needed = max(terms.amount, terms.minDeposit, await this.#chain.minDeposit());
      return this.openNew(terms, this.#amount(terms, needed));
    });
  }

  /**
   * How much to put in where so much is needed.
   *
   * @param {Terms} terms
   * @param {bigint} needed
   */
  #amount(terms, needed) {
    return this.#ledger.depositFor(terms.payTo, needed, this.#deposit ?? 20n * terms.amount);
  }

  /**
   * Opens a channel. Its key is in the store before the transaction is sent.
   *
   * @param {Wanted} wanted
   * @param {bigint} amount rao
   */
  async openNew(wanted, amount) {
    const { serviceId, planId, closeDelay, maxPrice } = wanted;
    const session = SessionKey.generate();
    const timeoutHeight = (await this.#chain.height()) + OPENING_BLOCKS;
    this.#ledger.openings.set(channelKey(wanted), { key: session, timeoutHeight });
    await this.#ledger.save();
    const into = { serviceId, sessionKey: session.publicKey, closeDelay, ...(planId === 0n ? {} : { planId, maxPrice }) };
    return this.#put(into, wanted, session, amount, timeoutHeight);
  }

  /**
   * Runs what sends a transaction, after those before it.
   *
   * @template T
   * @param {() => Promise<T>} run
   */
  withWallet(run) {
    return this.#queue.do("wallet", run);
  }

  /**
   * The channel of an opening whose answer was not heard, if there is one and it came
   * about.
   *
   * @param {Purpose} of
   * @returns {Promise<Channel | undefined>}
   */
  async adopt(of) {
    const key = channelKey(of);
    const opening = this.#ledger.openings.get(key);
    if (!opening) return undefined;
    const height = await this.#chain.height();
    const found = await this.#chain.find(opening.key.publicKey);
    if (!found && height <= opening.timeoutHeight) {
      const hint = `try again after block ${opening.timeoutHeight}, it is ${height}`;
      throw new PaymentError("chain", `a channel to service ${of.serviceId} may still be opening`, { hint });
    }
    if (!found || found.closing) {
      this.#ledger.openings.delete(key);
      return undefined;
    }
    return this.#opened(of, found.id, opening.key);
  }

  /**
   * Sends a deposit.
   *
   * @param {DepositInto} into
   * @param {Purpose & {maxPrice?: bigint}} of
   * @param {SessionKey} key the channel's
   * @param {bigint} amount rao
   * @param {bigint} [timeoutHeight]
   * @returns {Promise<Channel>}
   */
  async #put(into, of, key, amount, timeoutHeight) {
    const isNew = !("channelId" in into);
    let sent;
    try {
      timeoutHeight ??= (await this.#chain.height()) + OPENING_BLOCKS;
      sent = await this.#chain.deposit(into, amount, timeoutHeight);
    } catch (error) {
      if (isNew && !(error instanceof OutcomeUnknown)) {
        this.#ledger.openings.delete(channelKey(of));
        await this.#ledger.save();
      }
      throw error;
    }
    const { channelId, transaction, fee } = sent;
    this.#ledger.spend(of.payTo, fee);
    const after = await this.#opened(of, channelId, key, { amount: amount.toString(), transaction });
    this.#onEvent({ type: isNew ? "opened" : "toppedUp", channelId, payTo: of.payTo, ...planOf(after), amount, fee, transaction });
    return after;
  }

  /**
   * Enters what the chain shows of a channel that a deposit went into.
   *
   * @param {Purpose & {maxPrice?: bigint}} of
   * @param {string} id
   * @param {SessionKey} key
   * @param {{amount: string, transaction: string}} [deposit]
   * @returns {Promise<Channel>}
   */
  async #opened(of, id, key, deposit) {
    const onChain = await this.#chain.channel(id);
    if (!onChain || onChain.closing) throw new PaymentError("chain", `the chain has no open channel ${id}`);
    const isOurs = onChain.sessionKey === toHex(key.publicKey) && onChain.serviceId === of.serviceId && onChain.hotkey === of.payTo;
    if (!isOurs || !isAsked(onChain.plan, of)) {
      const plan = onChain.plan ? `plan ${onChain.plan.id} (${onChain.plan.price} rao for ${onChain.plan.quota} units) of ` : "";
      throw new PaymentError("chain", `channel ${id} is not the one that was asked for: it pays ${plan}service ${onChain.serviceId} of ${onChain.hotkey}`);
    }
    const known = this.#ledger.channels.get(id);
    /** @type {Channel} */
    const channel = known ?? {
      id,
      network: of.network,
      payTo: of.payTo,
      serviceId: of.serviceId,
      key,
      closeDelay: onChain.closeDelay,
      deposit: 0n,
      plan: undefined,
      left: 0n,
      signed: 0n,
      charged: 0n,
      promised: new Map(),
      untold: undefined,
      dispute: undefined,
    };
    this.#ledger.see(channel, onChain);
    if (deposit) channel.untold = deposit;
    this.#ledger.channels.set(id, channel);
    this.#ledger.openings.delete(channelKey(of));
    await this.#ledger.save();
    return channel;
  }

  /**
   * A channel as the chain has it; undefined where it is closing or closed.
   *
   * @param {string} id
   * @returns {Promise<ChainChannel | undefined>}
   */
  async openOnChain(id) {
    const channel = await this.#chain.channel(id);
    return channel && !channel.closing ? channel : undefined;
  }

  /**
   * Looks at a channel that pays by use on chain, after a refusal.
   *
   * @param {Channel} channel
   * @returns {Promise<boolean>} whether another try may do
   */
  async lookAgain(channel) {
    /** @type {ChainChannel | undefined} */
    let onChain;
    try {
      onChain = await this.openOnChain(channel.id);
    } catch {
      return false; // the chain can't be asked: the application gets the server's refusal
    }
    if (!onChain) {
      this.#ledger.forget(channel);
      return true;
    }
    this.#ledger.see(channel, onChain);
    if (!channel.untold) return false;
    await sleep(NODE_LAG);
    return true;
  }

  /**
   * Asks the chain to close a channel, unless it is closing already, and forgets it.
   *
   * @param {Channel} channel
   */
  async close(channel) {
    const sent = (await this.openOnChain(channel.id)) && (await this.withWallet(() => this.#chain.close(channel.id)));
    if (sent) this.#ledger.spend(channel.payTo, sent.fee);
    this.#ledger.forget(channel);
    await this.#ledger.save();
    if (sent) this.#onEvent({ type: "closed", channelId: channel.id, payTo: channel.payTo, ...planOf(channel), ...sent });
  }
}

/**
 * @param {Channel} channel
 * @returns {Purpose}
 */
export function purposeOf({ network, payTo, serviceId, plan }) {
  return { network, payTo, serviceId, planId: plan?.id ?? 0n };
}

/**
 * The plan of a channel, as events tell it.
 *
 * @param {Channel} channel
 * @returns {{planId?: bigint}}
 */
export function planOf({ plan }) {
  return plan ? { planId: plan.id } : {};
}

/**
 * Whether a channel's plan, if it has one, is what was asked for.
 *
 * @param {Plan | undefined} plan
 * @param {Purpose & {maxPrice?: bigint}} of
 */
function isAsked(plan, { planId, maxPrice }) {
  if (!plan) return planId === 0n;
  const { id, price, period, quota } = plan;
  return id === planId && price > 0n && period > 0n && quota > 0n && (maxPrice === undefined || price <= maxPrice);
}

/** @param {Purpose} of */
export function notTheProvider({ serviceId, payTo }) {
  return new PaymentError("terms", `service ${serviceId} is not of ${payTo}, who asks to be paid for it`);
}

/** @param {bigint[]} values */
function max(...values) {
  return values.reduce((a, b) => (a > b ? a : b));
}
