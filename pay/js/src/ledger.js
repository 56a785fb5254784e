// The books: channels, what was promised on each, what was charged, and what that comes
// to under the user's limits. Pure bookkeeping; nothing here talks to anybody but the
// store.
import { formatBooks, parseBooks } from "./books.js";
import { PaymentError, PlanUnusable } from "./error.js";
import { limitError } from "./limits.js";

/** @import { ChainChannel } from "./chain.js" */
/** @import { Channel, Opening, Promised, Spent } from "./books.js" */
/** @import { Store } from "./store.js" */
/** @import { Limits } from "./limits.js" */
/** @import { Charge, Correction, Need, Terms } from "./wire.js" */

const DAY = 86_400;

// A stream asks for at most so many times what its request may cost, at a time: what of
// a plan's quota it has used only the application knows.
const AHEAD = 16n;

/**
 * What a channel is for.
 *
 * @typedef {object} Purpose
 * @property {string} network
 * @property {string} payTo
 * @property {bigint} serviceId
 * @property {bigint} planId 0: to pay by use
 */

/** @param {Purpose | Channel} of */
export function channelKey(of) {
  const plan = "planId" in of ? of.planId : (of.plan?.id ?? 0n);
  return `${of.network} ${of.payTo} ${of.serviceId}${plan === 0n ? "" : ` plan ${plan}`}`;
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
   * @param {bigint} [today] what of it is of this day
   */
  spend(payTo, amount, today = amount) {
    const spent = this.#today();
    spent.today += today;
    spent.total += amount;
    spent.providers.set(payTo, (spent.providers.get(payTo) ?? 0n) + today);
  }

  /**
   * Rao that will be spent without anybody's asking: what requests under way were
   * promised, and the periods of plans that begin this day.
   *
   * @param {string} [payTo] of this provider alone
   */
  #promised(payTo) {
    const midnight = Math.floor(this.#now() / 1000 / DAY) * DAY;
    let promised = 0n;
    for (const c of this.channels.values()) {
      if (payTo !== undefined && c.payTo !== payTo) continue;
      if (!c.plan) promised += promisedOn(c);
      else promised += c.plan.price * (renewalsBefore(c, midnight + DAY) - renewalsBefore(c, midnight));
    }
    return promised;
  }

  /** The same, whenever it comes. */
  #promisedEver() {
    let promised = 0n;
    for (const c of this.channels.values()) {
      promised += c.plan ? c.plan.price * renewalsBefore(c, Infinity) : promisedOn(c);
    }
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
    if (total !== undefined) left.push(["total", total - spent.total - this.#promisedEver(), total]);
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
    for (const [name, left, limit] of [...this.#left(payTo), this.#leftToLock()]) {
      if (needed > left) throw limitError("a deposit", needed, left, name, limit);
      if (amount > left) amount = left;
    }
    return amount;
  }

  /** @returns {[keyof Limits, bigint, bigint]} as of #left */
  #leftToLock() {
    const { locked } = this.#limits;
    let unspent = 0n;
    for (const c of this.channels.values()) unspent += c.plan ? c.left : c.deposit - c.charged;
    return ["locked", locked - unspent, locked];
  }

  /**
   * Refuses a subscription that the limits leave no room for: what its periods of one
   * day cost, what they cost in all, and what of the deposit waits for later ones.
   *
   * @param {string} payTo
   * @param {{price: bigint, period: bigint}} plan
   * @param {bigint} periods
   * @param {bigint} deposit
   */
  checkPlan(payTo, { price, period }, periods, deposit) {
    const ofADay = price * least(periods, (BigInt(DAY) + period - 1n) / period);
    for (const [name, left, limit] of this.#left(payTo)) {
      const amount = name === "total" ? price * periods : ofADay;
      if (amount > left) throw limitError(name === "total" ? "a subscription" : "a day of the plan", amount, left, name, limit);
    }
    const [name, left, limit] = this.#leftToLock();
    if (deposit - price > left) throw limitError("a deposit for later periods", deposit - price, left, name, limit);
  }

  /**
   * Refuses to put more into a channel than the limits leave room for. Of a plan that is
   * what its further periods cost, those of this day and all.
   *
   * @param {Channel} c
   * @param {bigint} amount
   */
  checkTopUp(c, amount) {
    if (!c.plan) {
      this.depositFor(c.payTo, amount, amount);
      return;
    }
    const before = [...this.#left(c.payTo), this.#leftToLock()];
    c.left += amount;
    const after = [...this.#left(c.payTo), this.#leftToLock()];
    c.left -= amount;
    after.forEach(([name, left, limit], i) => {
      const had = before[i]?.[1] ?? 0n;
      if (left < 0n) throw limitError("a deposit", had - left, had, name, limit);
    });
  }

  /**
   * The channel that pays a service by use on a server's terms, if there is one.
   *
   * @param {Terms} terms
   */
  find(terms) {
    const key = channelKey(terms);
    for (const c of this.channels.values()) {
      if (!c.plan && channelKey(c) === key && c.closeDelay >= terms.closeDelay) return c;
    }
    return undefined;
  }

  /**
   * The channels that subscribe to a plan, the one first whose period ends first. Who
   * they pay may have another hotkey by now.
   *
   * @param {Omit<Purpose, "payTo">} of
   */
  subscriptions({ network, serviceId, planId }) {
    const all = [];
    for (const c of this.channels.values()) {
      if (c.plan?.id === planId && c.network === network && c.serviceId === serviceId) all.push({ c, end: c.plan.periodEnd });
    }
    return all.sort((a, b) => a.end - b.end).map(({ c }) => c);
  }

  /**
   * Takes over what the chain says of a channel. A new period of a plan counts from where
   * the last one's quota ended, whatever of it was used: what is unknown of that stays so.
   * Its price is spent when it begins.
   *
   * @param {Channel} c
   * @param {Pick<ChainChannel, "deposit" | "claimed" | "plan">} onChain
   * @returns {boolean} whether a period has begun that was not known
   */
  see(c, { deposit, claimed, plan }) {
    c.deposit = deposit;
    if (!plan) return false;
    const { id, price, period, quota } = c.plan ?? plan; // as agreed
    const ended = plan.usedBefore / quota;
    const begun = c.plan ? ended - c.plan.usedBefore / quota : ended + 1n;
    if (begun < 0n) return false; // of a node that is behind
    c.plan = { ...plan, id, price, period, quota };
    const left = deposit - claimed - price;
    c.left = left > 0n ? left : 0n;
    if (begun === 0n) return false;
    const midnight = Math.floor(this.#now() / 1000 / DAY) * DAY;
    const ofToday = (BigInt(plan.periodEnd) - BigInt(midnight)) / period; // those that began after midnight
    this.spend(c.payTo, begun * price, least(begun, ofToday > 0n ? ofToday : 0n) * price);
    if (plan.usedBefore > c.charged) {
      c.charged = plan.usedBefore;
      for (const id of c.promised.keys()) if (!this.#underWay.has(id)) c.promised.delete(id);
    }
    return true;
  }

  /**
   * Whether a channel reaches for another `amount`.
   *
   * @param {Channel} c
   * @param {bigint} amount
   */
  reaches(c, amount) {
    return this.next(c, amount) <= reach(c);
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
    if (!c.plan) this.check(c.payTo, amount);
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
   * @param {bigint} amount that its request may cost
   */
  promiseMore(c, id, need, amount) {
    const more = this.checkMore(c, id, need, amount);
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
   * @param {bigint} amount that its request may cost
   */
  checkMore(c, id, { required, additional }, amount) {
    const promised = c.promised.get(id);
    if (!promised || !this.#underWay.has(id)) {
      throw new PaymentError("state", "a voucher is asked for a stream that has ended");
    }
    const lacking = required - c.charged - promisedOn(c);
    const more = lacking > additional ? lacking : additional;
    if (!c.plan) {
      if (more > 0n) this.check(c.payTo, more, promised.ceiling);
    } else if (more > AHEAD * amount) {
      throw new PaymentError("limit", `a stream asks for ${more} units at once, its request may use ${amount}, and ${AHEAD} times that is the most`);
    }
    return more;
  }

  /**
   * @param {Channel} c
   * @param {bigint} amount
   */
  #mayPromise(c, amount) {
    if (c.dispute !== undefined) throw disputed(c);
    if (c.plan && !this.reaches(c, amount)) throw quotaUsedUp(c, amount);
    if (!this.reaches(c, amount)) {
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
   * Whether what the server says that it charged in all can be.
   *
   * @param {Channel} c
   * @param {string} id
   * @param {Charge} charge
   */
  canBe(c, id, { amount = 0n, cumulative = 0n }) {
    const ceiling = c.promised.get(id)?.ceiling ?? 0n;
    return cumulative <= c.charged + promisedOn(c) - ceiling + amount;
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
      return this.dispute(c, `${amount} ${unitOf(c)} were charged for a request of at most ${promised.ceiling}`);
    }
    c.promised.delete(id);
    c.charged += amount;
    c.untold = undefined;
    if (!c.plan) this.spend(c.payTo, amount);
    if (cumulative !== undefined && !this.#observe(c, cumulative)) {
      this.dispute(c, `${cumulative} ${unitOf(c)} were charged in all, says the server; ${c.charged} to ${c.charged + promisedOn(c)} can be`);
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
    if (!c.plan) this.spend(c.payTo, found);
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
    // of a plan's new period more counts as charged than was ever signed
    const covered = charged <= signed || (c.plan !== undefined && charged <= c.charged);
    if (channelId !== c.id || !covered || !c.key.signed(chainId, channelId, signed, signature)) {
      this.dispute(c, `the server's correction is not backed by a voucher of ours: it says that ${charged} ${unitOf(c)} were charged`);
      return false;
    }
    if (signed > c.signed) {
      c.signed = signed;
      if (charged > c.charged) {
        if (!c.plan) this.spend(c.payTo, charged - c.charged);
        c.charged = charged;
      }
      return true;
    }
    if (!this.#observe(c, charged)) {
      this.dispute(c, `${charged} ${unitOf(c)} were charged in all, says the server; ${c.charged} to ${c.charged + promisedOn(c)} can be`);
    }
    return c.dispute === undefined && cumulative < c.signed;
  }

  /**
   * A channel is closing or closed. What is promised on it may still be redeemed, and
   * counts as spent; of a plan the period's price does already.
   *
   * @param {Channel} c
   */
  forget(c) {
    if (!this.channels.delete(c.id)) return;
    if (!c.plan) this.spend(c.payTo, promisedOn(c));
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
 * The most that a channel's vouchers can say.
 *
 * @param {Channel} c
 */
export function reach(c) {
  return c.plan ? c.plan.usedBefore + c.plan.quota : c.deposit;
}

/**
 * How many periods of a plan begin from the end of the one that is known to a time, as
 * far as the deposit reaches.
 *
 * @param {Channel} c
 * @param {number} time Unix seconds
 */
function renewalsBefore({ plan, left }, time) {
  if (!plan || plan.cancelled) return 0n;
  const paid = left / plan.price;
  if (time === Infinity) return paid;
  const until = BigInt(time) - BigInt(plan.periodEnd);
  return until <= 0n ? 0n : least(paid, (until + plan.period - 1n) / plan.period);
}

/** @param {Channel} c */
function unitOf(c) {
  return c.plan ? "units" : "rao";
}

/**
 * @param {Channel} c
 * @param {bigint} amount
 */
export function quotaUsedUp(c, amount) {
  const { id, quota, periodEnd, cancelled } = /** @type {NonNullable<Channel["plan"]>} */ (c.plan);
  const left = reach(c) - c.charged - promisedOn(c);
  const end = new Date(periodEnd * 1000).toISOString();
  const hint = cancelled ? "it ends then" : "wait for the next period, or pay by use";
  return new PlanUnusable("limit", `plan ${id} has ${left} of ${quota} units left until ${end}, not enough for ${amount} more`, { hint });
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
  const hint = "close it (closeChannel) to get the deposit back";
  return new PaymentError("state", `channel ${c.id} is in dispute: ${c.dispute}`, { hint });
}
