// Plans: subscribed to within what the books allow, followed from period to period, and
// cancelled. The chain renews them, out of their channels' deposits.
import { PaymentError, PlanUnusable } from "./error.js";
import { notTheProvider, planOf } from "./funding.js";
import { channelKey, disputed, quotaUsedUp } from "./ledger.js";
import { sleep } from "./sending.js";
import { PLAN_ENDED } from "./wire.js";

/** @import { Chain, ChainService, OfferedPlan } from "./chain.js" */
/** @import { Channel } from "./books.js" */
/** @import { Funding } from "./funding.js" */
/** @import { Ledger, Purpose } from "./ledger.js" */
/** @import { PaymentEvent } from "./scheme.js" */
/** @import { Terms } from "./wire.js" */

// milliseconds after which the chain is asked again for a period that was not there
const LOOK_AGAIN = 5000;
// milliseconds between looks while a period is due, and how often: a block begins it
const BLOCK = 1000;
const LOOKS = 20;
// seconds for which a period is due by our clock: one that goes wrong waits for nothing
const DUE = 60;

/**
 * @typedef {object} Wish what to subscribe to
 * @property {string} network
 * @property {bigint} serviceId
 * @property {bigint | undefined} planId undefined: the only one
 * @property {bigint} periods whose price is deposited
 * @property {bigint | undefined} maxPrice rao a period; undefined: what it costs now
 * @property {number} closeDelay seconds
 */

export class Plans {
  #chain;
  #ledger;
  #funding;
  #onEvent;
  #now;
  /** @type {Map<string, number>} milliseconds when the chain was asked in vain, by a channel's id, or an opening's key */
  #looked = new Map();
  /** @type {Set<string>} ids of channels whose period has ended, the server says, with none to follow */
  #ended = new Set();
  /** @type {Map<string, string>} what was told last of a channel that was passed over, by its id */
  #told = new Map();

  /**
   * @param {Chain} chain
   * @param {Ledger} ledger
   * @param {Funding} funding
   * @param {(event: PaymentEvent) => void} onEvent
   * @param {() => number} now Unix milliseconds
   */
  constructor(chain, ledger, funding, onEvent, now) {
    this.#chain = chain;
    this.#ledger = ledger;
    this.#funding = funding;
    this.#onEvent = onEvent;
    this.#now = now;
  }

  /**
   * Whether a plan is likely to pay a request, or must be looked at for it. What it says
   * is of now; channel() knows better.
   *
   * @param {Terms} terms
   */
  mayPay(terms) {
    const key = channelKey(terms);
    if (this.#ledger.openings.has(key) && !this.#lately(key)) return true;
    return this.#ledger.subscriptions(terms).some((c) => {
      if (c.dispute !== undefined) return true; // which channel() says
      const why = misfit(c, terms);
      if (!why && (this.#ready(c, terms.amount) || !this.#lately(c.id))) return true;
      this.#passOver(c, why ?? this.#usedUp(c, terms.amount));
      return false;
    });
  }

  /**
   * The channel of a subscription that pays a request.
   *
   * @param {Terms} terms
   * @returns {Promise<Channel>}
   */
  async channel(terms) {
    await this.#adopt(terms);
    const all = this.#ledger.subscriptions(terms);
    if (all.length === 0) {
      const hint = `subscribe to it first: scheme.subscribe({ serviceId: "${terms.serviceId}", planId: "${terms.planId}" })`;
      throw new PlanUnusable("terms", `the server sells this by plan ${terms.planId} of service ${terms.serviceId}, which this store has no subscription to`, { hint });
    }
    const able = all.filter((c) => c.dispute === undefined && !misfit(c, terms));
    for (const c of able) {
      if (this.#ready(c, terms.amount)) return this.#pays(c, terms);
    }
    /** @type {PaymentError | undefined} */
    let why;
    for (const c of able) {
      if ((await this.look(c)) && this.#ready(c, terms.amount)) return this.#pays(c, terms);
      const reason = this.#usedUp(c, terms.amount);
      this.#passOver(c, reason);
      why ??= reason;
    }
    if (why) throw why;
    const [c] = /** @type {[Channel]} */ (all);
    throw misfit(c, terms) ?? disputed(c);
  }

  /**
   * @param {Channel} c
   * @param {Terms} terms
   */
  async #pays(c, terms) {
    if (c.payTo !== terms.payTo) {
      // the provider's hotkey may have been swapped
      const service = await this.#chain.service(c.serviceId);
      if (service?.hotkey !== terms.payTo) throw notTheProvider(terms);
      c.payTo = terms.payTo;
    }
    return c;
  }

  /**
   * @param {Channel} c
   * @param {bigint} amount
   */
  #ready(c, amount) {
    return !this.#ended.has(c.id) && this.#ledger.reaches(c, amount);
  }

  /**
   * Why a channel is not ready.
   *
   * @param {Channel} c
   * @param {bigint} amount
   */
  #usedUp(c, amount) {
    return this.#ended.has(c.id) || !this.#ledger.channels.has(c.id) ? hasEnded(c) : quotaUsedUp(c, amount);
  }

  /** @param {string} what */
  #lately(what) {
    return this.#now() - (this.#looked.get(what) ?? -Infinity) < LOOK_AGAIN;
  }

  /**
   * Enters a subscription whose opening was not heard of, if it came about.
   *
   * @param {Terms} terms
   */
  async #adopt(terms) {
    const key = channelKey(terms);
    if (!this.#ledger.openings.has(key)) return;
    try {
      await this.#funding.withWallet(() => this.#funding.adopt(terms));
    } catch (error) {
      this.#looked.set(key, this.#now());
      if (this.#ledger.subscriptions(terms).length > 0) return;
      throw new PlanUnusable("chain", `plan ${terms.planId} can't be paid with yet: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
    await this.#ledger.save();
  }

  /**
   * Whether a subscription's next period has begun, as the chain says; undefined where it
   * can't be asked. Where the period is due, a few blocks are waited for.
   *
   * @param {Channel} c
   * @param {boolean} [ended] the server says that the last one has ended
   * @returns {Promise<boolean | undefined>}
   */
  async look(c, ended = false) {
    try {
      return await this.#renewed(c, ended);
    } catch {
      this.#foundNone(c, ended);
      return undefined;
    }
  }

  /**
   * @param {Channel} c
   * @param {boolean} ended
   */
  async #renewed(c, ended) {
    for (let look = 1; ; look++) {
      const onChain = await this.#funding.openOnChain(c.id);
      if (!onChain) {
        this.#passOver(c, hasEnded(c));
        this.#forget(c);
        await this.#ledger.save();
        return false;
      }
      const begun = this.#ledger.see(c, onChain);
      if (begun) {
        this.#looked.delete(c.id);
        this.#ended.delete(c.id);
        await this.#ledger.save();
        return true;
      }
      if (look >= LOOKS || !this.#due(c, ended)) break;
      await sleep(BLOCK);
    }
    this.#foundNone(c, ended);
    return false;
  }

  /**
   * @param {Channel} c
   * @param {boolean} ended
   */
  #foundNone(c, ended) {
    this.#looked.set(c.id, this.#now());
    if (ended) this.#ended.add(c.id);
  }

  /**
   * @param {Channel} c
   * @param {boolean} ended
   */
  #due({ plan, left }, ended) {
    if (!plan || plan.cancelled || left < plan.price) return false;
    const since = this.#now() / 1000 - plan.periodEnd;
    return ended || (since >= 0 && since < DUE);
  }

  /**
   * Looks at a subscription on chain after a refusal.
   *
   * @param {Channel} c
   * @param {string | undefined} reason of the server's
   * @returns {Promise<boolean>} whether another try may do
   */
  async lookAgain(c, reason) {
    const ended = reason === PLAN_ENDED;
    const begun = await this.look(c, ended);
    if (begun || ended || !this.#ledger.channels.has(c.id)) return true; // by use, or it is said why not
    if (begun === undefined || !c.untold) return false;
    await sleep(BLOCK);
    return true;
  }

  /**
   * Subscribes to a plan: opens a channel with the price of some periods in it, of which
   * the first begins at once.
   *
   * @param {Wish} wish
   * @returns {Promise<Channel>}
   */
  subscribe(wish) {
    const { network, serviceId, periods, closeDelay } = wish;
    return this.#funding.withWallet(async () => {
      const service = await this.#chain.service(serviceId);
      if (!service?.listed) throw new PaymentError("terms", `the chain has no service ${serviceId} that is offered`);
      const plan = chosen(wish, service);
      const maxPrice = wish.maxPrice ?? plan.price;
      if (plan.price > maxPrice) {
        throw new PaymentError("limit", `plan ${plan.id} costs ${plan.price} rao a period, maxPrice is ${maxPrice}`, { hint: "raise it if that is worth so much" });
      }
      const wanted = { network, payTo: service.hotkey, serviceId, planId: plan.id, closeDelay, maxPrice };
      await this.#refuseSecond(wanted);
      const adopted = await this.#funding.adopt(wanted);
      if (adopted) return adopted;
      const price = plan.price * periods;
      const least = await this.#chain.minDeposit();
      const deposit = price > least ? price : least;
      this.#ledger.checkPlan(service.hotkey, plan, deposit / plan.price, deposit);
      return this.#funding.openNew(wanted, deposit);
    });
  }

  /**
   * One that runs is not bought again: a program that is started again would.
   *
   * @param {Purpose} of
   */
  async #refuseSecond(of) {
    for (const c of this.#ledger.subscriptions(of)) {
      const onChain = await this.#funding.openOnChain(c.id);
      if (onChain) this.#ledger.see(c, onChain);
      else this.#forget(c);
      await this.#ledger.save();
      if (!onChain?.plan || onChain.plan.cancelled) continue;
      const until = new Date(onChain.plan.periodEnd * 1000).toISOString();
      const hint = "cancelPlan ends it; to have two at once, keep the other in another store";
      throw new PaymentError("state", `channel ${c.id} subscribes to plan ${of.planId} already, this period until ${until}`, { hint });
    }
  }

  /**
   * Lets a subscription end.
   *
   * @param {Channel} c
   * @param {boolean} now
   * @returns {Promise<number>} Unix seconds
   */
  cancel(c, now) {
    return this.#funding.withWallet(async () => {
      if (!(await this.#funding.openOnChain(c.id))) {
        this.#forget(c);
        await this.#ledger.save();
        throw new PaymentError("state", `the plan of channel ${c.id} has ended, or is about to: the rest of its deposit comes back by itself`);
      }
      const { ends, ...sent } = await this.#chain.cancelPlan(c.id, now);
      this.#ledger.spend(c.payTo, sent.fee);
      const after = await this.#funding.openOnChain(c.id);
      if (after) this.#ledger.see(c, after);
      else this.#forget(c);
      await this.#ledger.save();
      this.#onEvent({ type: "cancelled", channelId: c.id, payTo: c.payTo, ...planOf(c), ...sent });
      return ends;
    });
  }

  /** @param {Channel} c */
  #forget(c) {
    this.#ledger.forget(c);
    this.#ended.delete(c.id);
    this.#looked.delete(c.id);
  }

  /**
   * Tells that a plan does not pay a request, once a period.
   *
   * @param {Channel} c
   * @param {PaymentError} reason
   */
  #passOver(c, reason) {
    const what = `${c.plan?.usedBefore}`;
    if (this.#told.get(c.id) === what) return;
    this.#told.set(c.id, what);
    this.#onEvent({ type: "passedOver", channelId: c.id, payTo: c.payTo, ...planOf(c), reason: reason.message });
  }
}

/**
 * The plan that is wished for.
 *
 * @param {Wish} wish
 * @param {ChainService} service
 * @returns {OfferedPlan}
 */
function chosen({ serviceId, planId }, { plans }) {
  const found = planId === undefined ? plans : plans.filter(({ id }) => id === planId);
  const [plan] = found;
  if (plan && found.length === 1) return plan;
  if (plans.length === 0) throw new PaymentError("terms", `service ${serviceId} offers no plan`, { hint: "pay it by use" });
  const offered = plans.map(({ id, name, price }) => `${id} (${name}, ${price} rao a period)`).join(", ");
  const wrong = planId === undefined ? `planId is missing, service ${serviceId} offers ${plans.length} plans` : `service ${serviceId} offers no plan ${planId}`;
  throw new PaymentError("terms", wrong, { hint: `its plans: ${offered}` });
}

/** @param {Channel} c */
function hasEnded({ id, plan }) {
  const hint = "subscribe again, or pay by use";
  return new PlanUnusable("limit", `the subscription of channel ${id} to plan ${plan?.id} has ended, or its period has and no other has begun`, { hint });
}

/**
 * Why a server will not take a subscription's channel, whatever is left of its quota.
 *
 * @param {Channel} c
 * @param {Terms} terms
 */
function misfit({ id, closeDelay, deposit, plan }, terms) {
  const it = `channel ${id} of plan ${plan?.id}`;
  if (closeDelay < terms.closeDelay) {
    const hint = `cancelPlan it, and subscribe with a closeDelay of ${terms.closeDelay}`;
    return new PlanUnusable("terms", `${it} closes within ${closeDelay} seconds, the server asks for ${terms.closeDelay}`, { hint });
  }
  if (deposit < terms.minDeposit) {
    const hint = "cancelPlan it, and subscribe for more periods";
    return new PlanUnusable("terms", `${it} was opened with ${deposit} rao, the server asks for ${terms.minDeposit}`, { hint });
  }
  return undefined;
}
