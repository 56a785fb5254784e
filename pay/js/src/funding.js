// Deposits: channels are opened, topped up, found again and closed, within what the books
// allow.
import { toHex } from "@cosmjs/encoding";
import { OutcomeUnknown, PaymentError } from "./error.js";
import { channelKey, disputed } from "./ledger.js";
import { sleep } from "./sending.js";
import { SessionKey } from "./voucher.js";

/** @import { Chain, ChainChannel, DepositInto } from "./chain.js" */
/** @import { Channel, Opening } from "./books.js" */
/** @import { Ledger } from "./ledger.js" */
/** @import { Queue } from "./queue.js" */
/** @import { PaymentEvent } from "./scheme.js" */
/** @import { Terms } from "./wire.js" */

// blocks in which the transaction that opens a channel may come into one
const OPENING_BLOCKS = 50n;
// milliseconds in which a server's node learns of a deposit that ours has
const NODE_LAG = 1000;

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
   * The channel that pays a service, with enough in it for a request.
   *
   * @param {Terms} terms
   */
  async funded(terms) {
    let channel = this.#ledger.find(terms);
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
    channel.deposit = onChain.deposit;
    const needed = this.lacks(channel, terms, amount);
    if (needed > 0n) {
      await this.#queue.do("wallet", () => this.#put({ channelId: channel.id }, terms, channel.key, needed));
    }
    return true;
  }

  /**
   * Opens a channel to a service. Its key is in the store before the transaction is sent.
   *
   * @param {Terms} terms
   */
  async #open(terms) {
    return this.#queue.do("wallet", async () => {
      const key = channelKey(terms);
      const service = await this.#chain.service(terms.serviceId);
      if (!service?.listed) throw new PaymentError("terms", `the chain has no service ${terms.serviceId} that is offered`);
      if (service.hotkey !== terms.payTo) {
        throw new PaymentError("terms", `service ${terms.serviceId} is not of ${terms.payTo}, who asks to be paid for it`);
      }
      const left = this.#ledger.openings.get(key);
      if (left) {
        const adopted = await this.#adopt(terms, left);
        if (adopted) return adopted;
      }
      const needed = max(terms.amount, terms.minDeposit, await this.#chain.minDeposit());
      const session = SessionKey.generate();
      const timeoutHeight = (await this.#chain.height()) + OPENING_BLOCKS;
      this.#ledger.openings.set(key, { key: session, timeoutHeight });
      await this.#ledger.save();
      const into = { serviceId: terms.serviceId, sessionKey: session.publicKey, closeDelay: terms.closeDelay };
      return this.#put(into, terms, session, needed, timeoutHeight);
    });
  }

  /**
   * The channel of an opening whose answer was not heard, if it came about.
   *
   * @param {Terms} terms
   * @param {Opening} opening
   * @returns {Promise<Channel | undefined>}
   */
  async #adopt(terms, opening) {
    const height = await this.#chain.height();
    const found = await this.#chain.find(opening.key.publicKey);
    if (!found && height <= opening.timeoutHeight) {
      throw new PaymentError(
        "chain",
        `a channel to service ${terms.serviceId} may still be opening: try again after block ${opening.timeoutHeight}, it is ${height}`,
      );
    }
    if (!found || found.closing) {
      this.#ledger.openings.delete(channelKey(terms));
      return undefined;
    }
    return this.#opened(terms, found.id, opening.key);
  }

  /**
   * Sends a deposit.
   *
   * @param {DepositInto} into
   * @param {Terms} terms
   * @param {SessionKey} key the channel's
   * @param {bigint} needed
   * @param {bigint} [timeoutHeight]
   * @returns {Promise<Channel>}
   */
  async #put(into, terms, key, needed, timeoutHeight) {
    const isNew = !("channelId" in into);
    let amount, sent;
    try {
      amount = this.#ledger.depositFor(terms.payTo, needed, this.#deposit ?? 20n * terms.amount);
      timeoutHeight ??= (await this.#chain.height()) + OPENING_BLOCKS;
      sent = await this.#chain.deposit(into, amount, timeoutHeight);
    } catch (error) {
      if (isNew && !(error instanceof OutcomeUnknown)) {
        this.#ledger.openings.delete(channelKey(terms));
        await this.#ledger.save();
      }
      throw error;
    }
    const { channelId, transaction, fee } = sent;
    this.#ledger.spend(terms.payTo, fee);
    const after = await this.#opened(terms, channelId, key, { amount: amount.toString(), transaction });
    this.#onEvent({ type: isNew ? "opened" : "toppedUp", channelId, payTo: terms.payTo, amount, fee, transaction });
    return after;
  }

  /**
   * Enters what the chain shows of a channel that a deposit went into.
   *
   * @param {Terms} terms
   * @param {string} id
   * @param {SessionKey} key
   * @param {{amount: string, transaction: string}} [deposit]
   * @returns {Promise<Channel>}
   */
  async #opened(terms, id, key, deposit) {
    const onChain = await this.#chain.channel(id);
    if (!onChain || onChain.closing) throw new PaymentError("chain", `the chain has no open channel ${id}`);
    if (onChain.sessionKey !== toHex(key.publicKey) || onChain.serviceId !== terms.serviceId || onChain.hotkey !== terms.payTo) {
      throw new PaymentError("chain", `channel ${id} is not the one that was asked for: it pays service ${onChain.serviceId} of ${onChain.hotkey}`);
    }
    const known = this.#ledger.channels.get(id);
    const channel = known ?? {
      id,
      network: terms.network,
      payTo: terms.payTo,
      serviceId: terms.serviceId,
      key,
      closeDelay: onChain.closeDelay,
      deposit: 0n,
      signed: 0n,
      charged: 0n,
      promised: new Map(),
      untold: undefined,
      dispute: undefined,
    };
    channel.deposit = onChain.deposit;
    if (deposit) channel.untold = deposit;
    this.#ledger.channels.set(id, channel);
    this.#ledger.openings.delete(channelKey(terms));
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
   * Looks at a channel on chain after a refusal.
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
    channel.deposit = onChain.deposit;
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
    if (await this.openOnChain(channel.id)) await this.#queue.do("wallet", () => this.#chain.close(channel.id));
    this.#ledger.forget(channel);
    await this.#ledger.save();
  }
}

/** @param {bigint[]} values */
function max(...values) {
  return values.reduce((a, b) => (a > b ? a : b));
}
