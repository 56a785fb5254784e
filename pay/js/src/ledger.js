// The books: channels, what was promised on each, what was charged, and what that comes
// to under the user's limits. Pure bookkeeping; nothing here talks to anybody but the
// store.
import { formatBooks, parseBooks } from "./books.js";
import { PaymentError } from "./error.js";
import { limitError } from "./limits.js";

/** @import { Channel, Opening, Promised, Spent } from "./books.js" */
/** @import { Store } from "./store.js" */
/** @import { Limits } from "./limits.js" */
/** @import { Charge, Correction, Need, Terms } from "./wire.js" */

/** @param {Pick<Channel, "network" | "payTo" | "serviceId">} of */
export function channelKey(of) {
  return `${of.network} ${of.payTo} ${of.serviceId}`;
}

export class Ledger {
  #store;
  #limits;
  #now;
  /** @type {Promise<void> | undefined} a write that has not begun */
  #next;
  /** @type {Promise<void>} */
  #writing = Promise.resolve();
  /** @type {Set<string>} identifiers of payments whose request is under way */
  #underWay = new Set();

  /** @type {Map<string, Channel>} by id */
  channels = new Map();
  /** @type {Map<string, Opening>} by channelKey */
  openings = new Map();
  /** @type {Spent} */
  spent;

  /**
   * @param {Store} store
   * @param {Limits} limits
   * @param {() => number} now Unix milliseconds
   */
  constructor(store, limits, now) {
    this.#store = store;
    this.#limits = limits;
    this.#now = now;
    this.spent = { day: this.#day(), today: 0n, total: 0n, providers: new Map() };
  }

  /**
   * Reads the books. What was under way when they were last written has no known outcome.
   *
   * @param {Store} store
   * @param {Limits} limits
   * @param {() => number} now Unix milliseconds
   */
  static async open(store, limits, now) {
    const ledger = new Ledger(store, limits, now);
    const text = await store.read();
    if (text === undefined) return ledger;
    try {
      Object.assign(ledger, parseBooks(text));
    } catch (error) {
      await store.close?.();
      throw new PaymentError("store", `the store can't be read: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
    return ledger;
  }

  /**
   * Writes the books. Those who ask while a write is under way share the next one.
   *
   * @returns {Promise<void>}
   */
  save() {
    this.#next ??= this.#writing.catch(() => {}).then(() => {
      this.#next = undefined;
      return (this.#writing = this.#store.write(formatBooks(this)));
    });
    return this.#next;
  }

  /** Waits until all is written and lets go of the store. */
  async close() {
    await this.#next;
    await this.#writing;
    await this.#store.close?.();
  }

  #day() {
    return new Date(this.#now()).toISOString().slice(0, 10);
  }

  #today() {
    const day = this.#day();
    if (this.spent.day !== day) this.spent = { ...this.spent, day, today: 0n, providers: new Map() };
    return this.spent;
  }

  /**
   * Counts rao as spent.
   *
   * @param {string} payTo
   * @param {bigint} amount
   */
  spend(payTo, amount) {
    const spent = this.#today();
    spent.today += amount;
    spent.total += amount;
    spent.providers.set(payTo, (spent.providers.get(payTo) ?? 0n) + amount);
  }

  /** @param {string} [payTo] of this provider alone */
  #promised(payTo) {
    let promised = 0n;
    for (const c of this.channels.values()) if (payTo === undefined || c.payTo === payTo) promised += promisedOn(c);
    return promised;
  }

  /**
   * What each limit leaves for a provider.
   *
   * @param {string} payTo
   * @returns {[keyof Limits, bigint, bigint][]} name, what is left, the limit
   */
  #left(payTo) {
    const { perDay, perProvider, total } = this.#limits;
    const spent = this.#today();
    const promised = this.#promised();
    /** @type {[keyof Limits, bigint, bigint][]} */
    const left = [["perDay", perDay - spent.today - promised, perDay]];
    if (perProvider !== undefined) {
      const of = (spent.providers.get(payTo) ?? 0n) + this.#promised(payTo);
      left.push(["perProvider", perProvider - of, perProvider]);
    }
    if (total !== undefined) left.push(["total", total - spent.total - promised, total]);
    return left;
  }

  /**
   * Refuses what no limit leaves room for.
   *
   * @param {string} payTo
   * @param {bigint} amount more than is promised already
   * @param {bigint} [before] what is promised for the same request
   */
  check(payTo, amount, before = 0n) {
    const { perRequest } = this.#limits;
    if (before + amount > perRequest) throw limitError("a request", before + amount, perRequest, "perRequest", perRequest);
    for (const [name, left, limit] of this.#left(payTo)) {
      if (amount > left) throw limitError("a request", amount, left, name, limit);
    }
  }

  /**
   * How much to put into a channel: what is wished for, as far as the limits allow, and
   * at least what is needed.
   *
   * @param {string} payTo
   * @param {bigint} needed
   * @param {bigint} wished
   */
  depositFor(payTo, needed, wished) {
    let amount = wished > needed ? wished : needed;
    const { locked } = this.#limits;
    let unspent = 0n;
    for (const c of this.channels.values()) unspent += c.deposit - c.charged;
    for (const [name, left, limit] of [...this.#left(payTo), /** @type {const} */ (["locked", locked - unspent, locked])]) {
      if (needed > left) throw limitError("a deposit", needed, left, name, limit);
      if (amount > left) amount = left;
    }
    return amount;
  }

  /**
   * The channel that pays a service on a server's terms, if there is one.
   *
   * @param {Terms} terms
   */
  find(terms) {
    const key = channelKey(terms);
    for (const c of this.channels.values()) {
      if (channelKey(c) === key && c.closeDelay >= terms.closeDelay) return c;
    }
    return undefined;
  }

  /**
   * The cumulative amount that a voucher for another `amount` says. It never goes down:
   * a lower one would take nothing back.
   *
   * @param {Channel} c
   * @param {bigint} amount
   */
  next(c, amount) {
    const cumulative = c.charged + promisedOn(c) + amount;
    return cumulative > c.signed ? cumulative : c.signed;
  }

  /**
   * Promises up to `amount` for a request, and gives the cumulative amount to sign.
   *
   * @param {Channel} c
   * @param {string} id of the payment
   * @param {bigint} amount
   * @param {number} timeout seconds
   */
  promise(c, id, amount, timeout) {
    this.#mayPromise(c, amount);
    this.check(c.payTo, amount);
    c.signed = this.next(c, amount);
    c.promised.set(id, { ceiling: amount, until: Math.floor(this.#now() / 1000) + timeout });
    this.#underWay.add(id);
    return c.signed;
  }

  /**
   * Promises more for a stream, and gives the cumulative amount to sign.
   *
   * @param {Channel} c
   * @param {string} id
   * @param {Need} need
   */
  promiseMore(c, id, need) {
    const more = this.checkMore(c, id, need);
    this.#mayPromise(c, more);
    /** @type {Promised} */ (c.promised.get(id)).ceiling += more;
    c.signed = this.next(c, 0n);
    return c.signed;
  }

  /**
   * How much more must be promised for a stream, which the limits must allow. It is beside
   * all that is promised: the server may not have seen yet what other requests on their
   * way were promised, and does not count it.
   *
   * @param {Channel} c
   * @param {string} id
   * @param {Need} need
   */
  checkMore(c, id, { required, additional }) {
    const promised = c.promised.get(id);
    if (!promised || !this.#underWay.has(id)) {
      throw new PaymentError("state", "a voucher is asked for a stream that has ended");
    }
    const lacking = required - c.charged - promisedOn(c);
    const more = lacking > additional ? lacking : additional;
    if (more > 0n) this.check(c.payTo, more, promised.ceiling);
    return more;
  }

  /**
   * @param {Channel} c
   * @param {bigint} amount
   */
  #mayPromise(c, amount) {
    if (c.dispute !== undefined) throw disputed(c);
    if (this.next(c, amount) > c.deposit) {
      throw new PaymentError("state", `channel ${c.id} holds ${c.deposit} rao, not enough for ${amount} more`);
    }
  }

  /**
   * The request of a payment was refused: nothing is owed for it.
   *
   * @param {Channel} c
   * @param {string} id
   */
  refused(c, id) {
    this.#underWay.delete(id);
    c.promised.delete(id);
  }

  /**
   * The outcome of a request is not known: its ceiling stays promised until the server
   * says what it has charged in all.
   *
   * @param {string} id
   */
  lost(id) {
    this.#underWay.delete(id);
  }

  /** @param {string} id */
  isUnderWay(id) {
    return this.#underWay.has(id);
  }

  /**
   * The server has answered and says what it charged. It must fit what was promised, or
   * the channel is in dispute.
   *
   * @param {Channel} c
   * @param {string} id
   * @param {Charge} charge
   */
  charged(c, id, { amount, channelId, cumulative }) {
    const promised = c.promised.get(id);
    this.#underWay.delete(id);
    if (!promised || amount === undefined) return;
    if (channelId !== undefined && channelId !== c.id) {
      return this.dispute(c, `a payment of channel ${c.id} was answered with channel ${channelId}`);
    }
    if (amount > promised.ceiling) {
      return this.dispute(c, `${amount} rao were charged for a request of at most ${promised.ceiling}`);
    }
    c.promised.delete(id);
    c.charged += amount;
    c.untold = undefined;
    this.spend(c.payTo, amount);
    if (cumulative !== undefined && !this.#observe(c, cumulative)) {
      this.dispute(c, `${cumulative} rao were charged in all, says the server; ${c.charged} to ${c.charged + promisedOn(c)} can be`);
    }
  }

  /**
   * Takes over what the server says it has charged in all, if that can be. While
   * requests are under way it is only held against what they may have cost: their
   * answers will tell.
   *
   * @param {Channel} c
   * @param {bigint} cumulative
   * @returns {boolean} whether it can be
   */
  #observe(c, cumulative) {
    if (cumulative > c.charged + promisedOn(c)) return false;
    // less than is known: the answer of an earlier request, or a server that forgot
    if (cumulative < c.charged) return true;
    for (const id of c.promised.keys()) if (this.#underWay.has(id)) return true;
    let found = cumulative - c.charged;
    this.spend(c.payTo, found);
    c.charged = cumulative;
    const now = this.#now() / 1000;
    for (const [id, promised] of c.promised) {
      const part = least(found, promised.ceiling);
      promised.ceiling -= part;
      found -= part;
      if (promised.ceiling === 0n || promised.until < now) c.promised.delete(id);
    }
    return true;
  }

  /**
   * A paid request was refused with a correction. It is believed only as far as this
   * channel's own key vouches for it: a newer voucher than the books know shows that the
   * books are old; without one the server's sum must fit them.
   *
   * @param {Channel} c
   * @param {string} id
   * @param {bigint} cumulative what the voucher said that was refused
   * @param {Correction} correction
   * @returns {boolean} whether another voucher may do: the books were old, or one that was
   *   signed later has come first
   */
  correct(c, id, cumulative, { channelId, charged, signed, signature }) {
    this.refused(c, id);
    const chainId = c.network.slice("cosmos:".length);
    if (channelId !== c.id || charged > signed || !c.key.signed(chainId, channelId, signed, signature)) {
      this.dispute(c, `the server's correction is not backed by a voucher of ours: it says that ${charged} rao were charged`);
      return false;
    }
    if (signed > c.signed) {
      c.signed = signed;
      if (charged > c.charged) {
        this.spend(c.payTo, charged - c.charged);
        c.charged = charged;
      }
      return true;
    }
    if (!this.#observe(c, charged)) {
      this.dispute(c, `${charged} rao were charged in all, says the server; ${c.charged} to ${c.charged + promisedOn(c)} can be`);
    }
    return c.dispute === undefined && cumulative < c.signed;
  }

  /**
   * A channel is closing or closed. What is promised on it may still be redeemed, and
   * counts as spent.
   *
   * @param {Channel} c
   */
  forget(c) {
    if (!this.channels.delete(c.id)) return;
    this.spend(c.payTo, promisedOn(c));
    c.promised.clear();
  }

  /**
   * Signs nothing for a channel any more.
   *
   * @param {Channel} c
   * @param {string} why
   */
  dispute(c, why) {
    c.dispute = why;
  }
}

/** @param {Channel} c */
export function promisedOn(c) {
  let ceilings = 0n;
  for (const { ceiling } of c.promised.values()) ceilings += ceiling;
  return ceilings;
}

/**
 * @param {bigint} a
 * @param {bigint} b
 */
function least(a, b) {
  return a < b ? a : b;
}

/** @param {Channel} c */
export function disputed(c) {
  return new PaymentError("state", `channel ${c.id} is in dispute: ${c.dispute}. Close it to get the deposit back`);
}
