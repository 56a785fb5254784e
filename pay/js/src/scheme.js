// The scheme batch-settlement on cosmos:*, as @x402/core's clients call it, and the
// fetch that belongs under it.
import { toHex } from "@cosmjs/encoding";
import { PaymentError, PlanUnusable } from "./error.js";
import { Funding, planOf } from "./funding.js";
import { channelKey, Ledger, promisedOn } from "./ledger.js";
import { readLimits, readRao } from "./limits.js";
import { Plans } from "./plans.js";
import { Queue } from "./queue.js";
import { paymentOf, send, StreamRequest, withBody } from "./sending.js";
import { EventFilter } from "./sse.js";
import {
  ASSET,
  ASSET_UNIT,
  CHARGED,
  IDENTIFIER,
  isRecord,
  NEED_VOUCHER,
  NETWORKS,
  parseJSON,
  readCharge,
  readCorrection,
  readId,
  readNeed,
  readTerms,
  requestPayload,
  SCHEME,
  streamPayload,
} from "./wire.js";

/** @import { PaymentCreationFailureContext, PaymentResponseContext, SpendControlAsset, x402Client } from "@x402/core/client" */
/** @import { PaymentPayload, PaymentPayloadContext, PaymentPayloadResult, PaymentRequired, PaymentRequirements, SchemeClientHooks, SchemeNetworkClient } from "@x402/core/types" */
/** @import { Chain } from "./chain.js" */
/** @import { Channel } from "./books.js" */
/** @import { LimitOptions } from "./limits.js" */
/** @import { Store } from "./store.js" */
/** @import { Correction, SignedVoucher, Terms } from "./wire.js" */

// seconds beyond the server's own time-out in which an answer may still come
const GRACE = 30;

/**
 * What has happened, for logs and ledgers of the application's. With planId it is about a
 * plan's channel, and what is paid, or not known to be, is in units; all else is in rao.
 *
 * @typedef {{channelId: string, payTo: string, planId?: bigint} & (
 *     {type: "opened" | "toppedUp", amount: bigint, fee: bigint, transaction: string}
 *   | {type: "closed" | "cancelled", fee: bigint, transaction: string}
 *   | {type: "paid", id: string, amount: bigint}
 *   | {type: "unknown", id: string, ceiling: bigint}
 *   | {type: "disputed", reason: string}
 *   | {type: "passedOver", reason: string}
 * )} PaymentEvent passedOver: what a plan can't pay is paid by use, if the limits allow that
 */

/**
 * @typedef {object} SubscribeOptions
 * @property {bigint | number | string} serviceId
 * @property {bigint | number | string} [planId] may be left out where the service offers one alone
 * @property {number} [periods] whose price is deposited, 1 if left out; the chain renews the plan out of it
 * @property {bigint | string} [maxPrice] rao, the most that a period may cost; what it costs now if left out
 * @property {number} [closeDelay] seconds in which the provider can redeem after a cancellation; an hour if left out
 */

/**
 * A subscription to a plan. Units count from the channel's opening.
 *
 * @typedef {object} Subscription
 * @property {bigint} planId
 * @property {bigint} price rao a period
 * @property {bigint} period seconds
 * @property {bigint} quota units a period
 * @property {bigint} unused units that are left of this period's, those aside that requests under way may use
 * @property {Date} periodEnd
 * @property {boolean} cancelled it ends with this period
 * @property {bigint} left rao of the deposit, for later periods
 */

/**
 * @typedef {object} SchemeOptions
 * @property {Chain} chain see connect
 * @property {Store} store what one process at a time uses
 * @property {LimitOptions} limits
 * @property {bigint | string} [deposit] rao to put into a channel at once, if the limits allow it; 20 requests' worth if left out
 * @property {number} [maxCloseDelay] seconds that a deposit may be out of reach after a channel was asked to close; a day if left out
 * @property {number} [maxParallel] requests under way at once on one channel; 8 if left out
 * @property {typeof globalThis.fetch} [fetch] what sends requests; the global one if left out
 * @property {(event: PaymentEvent) => void} [onEvent]
 * @property {() => number} [now] Unix milliseconds
 */

/**
 * A payment whose request is under way.
 *
 * @typedef {object} Payment
 * @property {string} id
 * @property {Channel} channel
 * @property {Terms} terms
 * @property {bigint} cumulative what its voucher says
 * @property {boolean} repeatable the server knows a repeated request by its identifier
 * @property {boolean} [refused] the server said so by the answer's status
 * @property {boolean} [streams] what it costs is said in the stream
 */

/**
 * Pays a Lode network's services out of channels, within limits.
 *
 * @implements {SchemeNetworkClient}
 */
export class LodeScheme {
  /** @readonly */
  scheme = SCHEME;
  /** @type {SchemeClientHooks} @readonly */
  schemeHooks = { onPaymentResponse: (context) => this.#answered(context) };

  #chain;
  #ledger;
  #limits;
  #funding;
  #plans;
  #maxCloseDelay;
  #maxParallel;
  #fetch;
  #onEvent;
  #now;
  /** @type {Map<string, Payment>} by id */
  #payments = new Map();
  #queue = new Queue(); // by channelKey, and the wallet's
  /** @type {Map<string, Set<string>>} identifiers of payments by channelKey, maxParallel at most */
  #underWay = new Map();
  /** @type {(() => void)[]} those who wait for a request to end */
  #waiting = [];
  /** @type {WeakMap<object, number>} how many of a server's offers are being passed over */
  #passedOver = new WeakMap();

  /**
   * @param {SchemeOptions} options
   * @param {Ledger} ledger
   */
  constructor(options, ledger) {
    this.#chain = options.chain;
    this.#ledger = ledger;
    this.#limits = readLimits(options.limits);
    this.#maxCloseDelay = options.maxCloseDelay ?? 86_400;
    this.#maxParallel = options.maxParallel ?? 8;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#onEvent = options.onEvent ?? (() => {});
    this.#now = options.now ?? Date.now;
    const deposit = options.deposit === undefined ? undefined : BigInt(options.deposit);
    this.#funding = new Funding(this.#chain, ledger, this.#queue, deposit, this.#onEvent);
    this.#plans = new Plans(this.#chain, ledger, this.#funding, this.#onEvent, this.#now);
    if (!(this.#maxParallel >= 1)) throw new PaymentError("limit", "maxParallel must be at least 1");
  }

  /**
   * Reads the store and gives a scheme to register.
   *
   * @param {SchemeOptions} options
   */
  static async open(options) {
    const ledger = await Ledger.open(options.store, readLimits(options.limits), options.now ?? Date.now);
    return new LodeScheme(options, ledger);
  }

  /**
   * Registers the scheme with a client: with it what it prefers of a server's offers, and
   * rao and plans' units with the client's own spend controls, which know no asset but
   * dollars' by themselves.
   *
   * @template {x402Client} C
   * @param {C} client
   * @returns {C}
   */
  register(client) {
    client.register(NETWORKS, this);
    client.registerPolicy((_, offers) => this.#preferred(offers));
    client.onPaymentCreationFailure((context) => this.#otherwise(client, context));
    const controls = /** @type {any} */ (client).spendControls;
    if (controls !== false && controls?.allowedAssets !== true) {
      const others = controls?.allowedAssets ?? [];
      client.setSpendControls({ ...controls, allowedAssets: [...others, ...this.spendControls()] });
    }
    return client;
  }

  /**
   * The entries of rao and of plans' units for a client's spend controls. They set no cap:
   * the limits do, and say which it was.
   *
   * @returns {SpendControlAsset[]}
   */
  spendControls() {
    return [ASSET, ASSET_UNIT].map((asset) => ({ network: NETWORKS, asset }));
  }

  /**
   * A server's offers, those of plans that this store subscribes to first, and without
   * those that can't be paid while there are others.
   *
   * @param {PaymentRequirements[]} offers
   */
  #preferred(offers) {
    const plans = [];
    const others = [];
    const last = [];
    for (const offer of offers) {
      const ours = offer.scheme === SCHEME && typeof offer.network === "string" && offer.network.startsWith("cosmos:");
      const terms = ours ? this.#payable(offer) : undefined;
      if (ours && !terms) last.push(offer);
      else if (terms?.planId) plans.push(offer);
      else others.push(offer);
    }
    const best = [...plans, ...others];
    if (best.length > 0) return best;
    // none will do: that by use says best why
    return last.sort((a, b) => Number(b.asset === ASSET) - Number(a.asset === ASSET));
  }

  /**
   * An offer's terms, if it is likely that it can be paid.
   *
   * @param {PaymentRequirements} offer
   * @returns {Terms | undefined}
   */
  #payable(offer) {
    try {
      const terms = readTerms(offer);
      this.#acceptable(terms);
      const may = terms.planId === 0n ? terms.amount <= this.#limits.perRequest : this.#plans.mayPay(terms);
      return may ? terms : undefined;
    } catch (error) {
      if (error instanceof PaymentError) return undefined; // it is told where the offer is paid after all
      throw error;
    }
  }

  /**
   * Pays another of a server's offers where it turned out that a plan can't pay.
   *
   * @param {x402Client} client
   * @param {PaymentCreationFailureContext} context
   * @returns {Promise<void | {recovered: true, payload: PaymentPayload}>}
   */
  async #otherwise(client, { paymentRequired, error }) {
    const times = this.#passedOver.get(paymentRequired) ?? 0;
    if (!(error instanceof PlanUnusable) || times + 1 >= paymentRequired.accepts.length) return;
    this.#passedOver.set(paymentRequired, times + 1);
    try {
      return { recovered: true, payload: await client.createPaymentPayload(paymentRequired) };
    } finally {
      this.#passedOver.set(paymentRequired, times);
    }
  }

  /**
   * The channels of the store, without their keys. What is signed, charged and promised is
   * in rao, of a plan's channel in units.
   */
  channels() {
    return [...this.#ledger.channels.values()].map((c) => ({
      id: c.id,
      network: c.network,
      payTo: c.payTo,
      serviceId: c.serviceId,
      deposit: c.deposit,
      subscription: subscriptionOf(c),
      signed: c.signed,
      charged: c.charged,
      promised: promisedOn(c),
      dispute: c.dispute,
    }));
  }

  /** What was spent: rao of this day, and in all. */
  spent() {
    const { day, today, total } = this.#ledger.spent;
    return { today: day === new Date(this.#now()).toISOString().slice(0, 10) ? today : 0n, total };
  }

  /**
   * Asks the chain to close a channel and forgets it: what was not charged comes back
   * to the payer after the channel's delay.
   *
   * @param {string} id
   */
  async closeChannel(id) {
    const channel = this.#known(id);
    await this.#queue.do(channelKey(channel), () => this.#funding.close(channel));
  }

  /**
   * Subscribes to a plan of a service: deposits the price of its periods, of which the
   * first begins at once. What the server sells by that plan is paid with it from then on.
   *
   * @param {SubscribeOptions} options
   * @returns {Promise<Subscription & {channelId: string}>}
   */
  async subscribe({ serviceId, planId, periods = 1, maxPrice, closeDelay = 3600 }) {
    if (!Number.isSafeInteger(periods) || periods < 1) throw new PaymentError("terms", `periods is ${periods}, not a number from 1 on`);
    if (!Number.isSafeInteger(closeDelay) || closeDelay < 1 || closeDelay > this.#maxCloseDelay) {
      throw new PaymentError("terms", `closeDelay is ${closeDelay}, not whole seconds from 1 to maxCloseDelay, which is ${this.#maxCloseDelay}`);
    }
    const channel = await this.#plans.subscribe({
      network: `cosmos:${this.#chain.chainId}`,
      serviceId: readId(serviceId, "serviceId"),
      planId: planId === undefined ? undefined : readId(planId, "planId"),
      periods: BigInt(periods),
      maxPrice: readRao(maxPrice, "maxPrice"),
      closeDelay,
    });
    return { channelId: channel.id, .../** @type {Subscription} */ (subscriptionOf(channel)) };
  }

  /**
   * Puts more into a channel, within the limits: so that its plan goes on for further
   * periods. One that pays by use is topped up by itself.
   *
   * @param {string} channelId
   * @param {bigint | string} amount rao
   */
  async topUp(channelId, amount) {
    const channel = this.#known(channelId);
    const rao = readRao(amount, "the amount");
    if (!rao) throw new PaymentError("limit", `the amount is ${amount}, at least 1 rao can be put in`);
    await this.#queue.do(channelKey(channel), () => this.#funding.putInto(channel, rao));
  }

  /**
   * Lets a subscription end: with its period, or now, that is after the channel's delay,
   * for what of the period's price is neither past nor used. The rest of the deposit
   * comes back then.
   *
   * @param {string} channelId
   * @param {{now?: boolean}} [options]
   * @returns {Promise<Date>} when it ends
   */
  async cancelPlan(channelId, { now = false } = {}) {
    const channel = this.#known(channelId);
    if (!channel.plan) throw new PaymentError("state", `channel ${channelId} pays by use, it has no plan`, { hint: "closeChannel closes it" });
    return new Date(1000 * (await this.#queue.do(channelKey(channel), () => this.#plans.cancel(channel, now))));
  }

  /** @param {string} id */
  #known(id) {
    const channel = this.#ledger.channels.get(id);
    if (!channel) throw new PaymentError("state", `the store has no channel ${id}`, { hint: "channels() lists those that it has" });
    return channel;
  }

  /** Lets go of the store. */
  async close() {
    await this.#ledger.close();
  }

  /**
   * Pays for a request: with a voucher, on a channel that is opened or topped up first if
   * need be.
   *
   * @param {number} x402Version
   * @param {PaymentRequirements} requirements
   * @param {PaymentPayloadContext} [context]
   * @returns {Promise<PaymentPayloadResult>}
   */
  async createPaymentPayload(x402Version, requirements, context) {
    const terms = readTerms(requirements);
    this.#acceptable(terms);
    const cap = context?.maxAmountPerPayment;
    if (cap !== undefined && terms.amount > BigInt(cap)) {
      const hint = "raise it in the client's spendControls";
      throw new PaymentError("limit", `a request of ${terms.amount} ${requirements.asset} exceeds maxAmountPerPayment, which is ${cap}`, { hint });
    }
    const id = newIdentifier();
    const repeatable = isRecord(context?.extensions) && isRecord(context.extensions[IDENTIFIER]);
    await this.#turn(channelKey(terms), id);
    try {
      const payload = await this.#queue.do(channelKey(terms), () => this.#pay(terms, id, repeatable));
      return { x402Version, payload, extensions: { [IDENTIFIER]: { info: { id } } } };
    } catch (error) {
      this.#ended(id);
      throw error;
    }
  }

  /**
   * @param {Terms} terms
   * @param {string} id
   * @param {boolean} repeatable
   */
  async #pay(terms, id, repeatable) {
    const byPlan = terms.planId !== 0n;
    if (!byPlan) this.#ledger.check(terms.payTo, terms.amount);
    const channel = await (byPlan ? this.#plans.channel(terms) : this.#funding.funded(terms));
    const cumulative = this.#ledger.promise(channel, id, terms.amount, terms.timeout + GRACE);
    this.#payments.set(id, { id, channel, terms, cumulative, repeatable });
    try {
      await this.#ledger.save();
    } catch (error) {
      this.#ledger.refused(channel, id); // no voucher is signed, nothing is sent
      throw error;
    }
    return requestPayload(sign(channel, cumulative), channel.untold);
  }

  /** @param {Terms} terms */
  #acceptable(terms) {
    if (terms.chainId !== this.#chain.chainId) {
      throw new PaymentError("terms", `the server wants to be paid on ${terms.network}, this wallet is on cosmos:${this.#chain.chainId}`);
    }
    if (terms.closeDelay > this.#maxCloseDelay) {
      const hint = "raise it if you can wait so long for the rest of a deposit";
      throw new PaymentError("terms", `a deposit would be out of reach for ${terms.closeDelay} seconds, maxCloseDelay is ${this.#maxCloseDelay}`, { hint });
    }
  }

  /**
   * Waits until fewer than maxParallel requests are under way on a channel. One that has
   * outlived its time-out counts no more: its answer was not heard.
   *
   * @param {string} key
   * @param {string} id
   */
  async #turn(key, id) {
    for (;;) {
      const ids = this.#underWay.get(key) ?? new Set();
      const now = this.#now() / 1000;
      let soonest = Infinity;
      for (const other of ids) {
        const payment = this.#payments.get(other);
        const until = (!payment?.streams && payment?.channel.promised.get(other)?.until) || Infinity;
        if (until < now) this.#lost(other);
        else soonest = Math.min(soonest, until);
      }
      if (ids.size < this.#maxParallel) {
        this.#underWay.set(key, ids.add(id));
        return;
      }
      await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
        const timer = soonest < Infinity ? setTimeout(resolve, (soonest - now + 1) * 1000) : undefined;
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /**
   * A payment's request is over.
   *
   * @param {string} id
   */
  #ended(id) {
    this.#payments.delete(id);
    for (const [key, ids] of this.#underWay) if (ids.delete(id) && ids.size === 0) this.#underWay.delete(key);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /**
   * The answer to a paid request.
   *
   * @param {PaymentResponseContext} context
   * @returns {Promise<void | {recovered: true}>}
   */
  async #answered({ paymentPayload, settleResponse, paymentRequired }) {
    const payment = this.#payments.get(identifierOf(paymentPayload) ?? "");
    if (!payment) return;
    if (settleResponse?.success) return this.#settled(payment, settleResponse);
    if (paymentRequired) return this.#corrected(payment, paymentRequired);
    if (settleResponse?.success === false || payment.refused) {
      this.#ledger.refused(payment.channel, payment.id);
      this.#ended(payment.id);
      await this.#ledger.save();
    } else if (!payment.streams) {
      this.#lost(payment.id);
    }
  }

  /**
   * @param {Payment} payment
   * @param {unknown} settlement
   */
  async #settled({ id, channel, streams }, settlement) {
    let before = channel.charged;
    try {
      const charge = readCharge(settlement);
      if (charge.amount === undefined) {
        // a stream tells at its end; whoever else does not is told by the next answer
        if (!streams) this.#lost(id);
        return;
      }
      if (channel.plan && !this.#ledger.canBe(channel, id, charge)) {
        // a new period may have begun; where the chain can't be asked, the next answer says the same
        if ((await this.#plans.look(channel)) === undefined) charge.cumulative = undefined;
        before = channel.charged;
      }
      this.#ledger.charged(channel, id, charge);
    } catch (error) {
      if (!(error instanceof PaymentError)) throw error;
      this.#ledger.dispute(channel, error.message);
    }
    if (channel.dispute === undefined) {
      this.#onEvent({ type: "paid", ...of(channel), id, amount: channel.charged - before });
    } else {
      this.#disputed(channel);
    }
    this.#ended(id);
    await this.#ledger.save();
  }

  /** @param {Channel} channel */
  #disputed(channel) {
    this.#onEvent({ type: "disputed", ...of(channel), reason: channel.dispute ?? "" });
  }

  /**
   * A paid request was refused. It is tried again if the books were old, if a later voucher
   * came before its own, if the channel has closed meanwhile, as the chain says, or if the server may not have seen yet what
   * was put into it.
   *
   * @param {Payment} payment
   * @param {PaymentRequired} paymentRequired
   * @returns {Promise<void | {recovered: true}>}
   */
  async #corrected({ id, channel, terms, cumulative }, paymentRequired) {
    let again = false;
    try {
      const correction = readCorrection(paymentRequired, terms);
      if (!correction) this.#ledger.refused(channel, id);
      else again = await this.#correct(channel, id, cumulative, correction);
    } catch (error) {
      if (!(error instanceof PaymentError)) throw error;
      this.#ledger.refused(channel, id);
      this.#ledger.dispute(channel, error.message);
    } finally {
      this.#ended(id);
    }
    if (channel.dispute !== undefined) this.#disputed(channel);
    if (!again && channel.dispute === undefined && this.#ledger.channels.has(channel.id)) {
      again = await (channel.plan ? this.#plans.lookAgain(channel, paymentRequired.error) : this.#funding.lookAgain(channel));
    }
    await this.#ledger.save();
    return again ? { recovered: true } : undefined;
  }

  /**
   * Takes a correction over. Of a plan it is judged by the period that the chain shows.
   *
   * @param {Channel} channel
   * @param {string} id
   * @param {bigint} cumulative
   * @param {Correction} correction
   * @returns {Promise<boolean>} whether another voucher may do
   */
  async #correct(channel, id, cumulative, correction) {
    const begun = channel.plan ? await this.#plans.look(channel) : false;
    if (begun === undefined || !this.#ledger.channels.has(channel.id)) {
      this.#ledger.refused(channel, id);
      return begun !== undefined; // closed meanwhile
    }
    return this.#ledger.correct(channel, id, cumulative, correction) || (begun && channel.dispute === undefined);
  }

  /**
   * The outcome of a payment will not be heard.
   *
   * @param {string} id
   */
  #lost(id) {
    const payment = this.#payments.get(id);
    if (!payment) return;
    const { channel } = payment;
    const ceiling = channel.promised.get(id)?.ceiling ?? 0n;
    this.#ledger.lost(id);
    this.#ended(id);
    this.#onEvent({ type: "unknown", ...of(channel), id, ceiling });
  }

  /**
   * The fetch to put under wrapFetchWithPayment. It sends a paid request again, unchanged,
   * while its outcome is not known, and pays for streams as they go, out of the
   * application's sight.
   *
   * @type {typeof globalThis.fetch}
   */
  fetch = async (input, init) => {
    const request = new Request(input, init);
    const payload = paymentOf(request);
    const payment = payload && this.#payments.get(identifierOf(payload) ?? "");
    if (!payment) return this.#fetch(request); // not paid, or by another scheme
    const streamed = new StreamRequest(request, payload);
    let response;
    try {
      response = await send(this.#fetch, request, payment.repeatable);
    } catch (error) {
      this.#lost(payment.id);
      throw error;
    }
    if (response.status === 402 || response.status === 400) payment.refused = true;
    const isStream = /^text\/event-stream\s*(;|$)/i.test(response.headers.get("content-type") ?? "");
    if (!isStream || !response.body || payment.refused) return response;
    payment.streams = true;
    return withBody(response, this.#paying(response.body, payment, streamed));
  };

  /**
   * A stream without the payment's events, which are answered as they come.
   *
   * @param {ReadableStream<Uint8Array>} body
   * @param {Payment} payment
   * @param {StreamRequest} request
   * @returns {ReadableStream<Uint8Array>}
   */
  #paying(body, payment, request) {
    /** @type {unknown} */
    let failed;
    /** @type {Promise<unknown>} */
    let answers = Promise.resolve();
    /** @param {() => Promise<void>} answer */
    const answer = (answer) => {
      answers = answers.then(answer).catch((error) => {
        failed ??= error;
        return reader.cancel(error);
      });
    };
    const filter = new EventFilter(({ type, data }) => {
      if (type === NEED_VOUCHER) answer(() => this.#answerNeed(data, payment, request));
      else if (type === CHARGED) answer(() => this.#settled(payment, parseJSON(data, CHARGED)));
      else return false;
      return true;
    });
    const reader = body.getReader();
    const end = async () => {
      await answers;
      this.#lost(payment.id);
      await this.#ledger.save();
    };
    return new ReadableStream({
      pull: async (controller) => {
        try {
          for (;;) {
            const { done, value } = await reader.read();
            const bytes = done ? filter.flush() : filter.push(value);
            if (bytes.length > 0) controller.enqueue(bytes);
            if (done) {
              await end();
              if (failed) throw failed;
              controller.close();
            }
            if (done || bytes.length > 0) return;
          }
        } catch (error) {
          await end();
          controller.error(failed ?? error);
        }
      },
      cancel: async (reason) => {
        await reader.cancel(reason);
        await end();
      },
    });
  }

  /**
   * Signs and sends the voucher that a stream waits for.
   *
   * @param {string} data
   * @param {Payment} payment
   * @param {StreamRequest} request
   */
  async #answerNeed(data, { id, channel, terms }, request) {
    const need = readNeed(data);
    if (need.channelId !== channel.id) {
      throw new PaymentError("state", `a stream paid by channel ${channel.id} asks for a voucher of ${need.channelId}`);
    }
    const voucher = await this.#queue.do(channelKey(terms), async () => {
      const more = this.#ledger.checkMore(channel, id, need, terms.amount);
      if (channel.plan) {
        if (!this.#ledger.reaches(channel, more)) await this.#plans.look(channel);
      } else if (this.#funding.lacks(channel, terms, more) > 0n) {
        await this.#funding.topUp(channel, terms, more);
      }
      const cumulative = this.#ledger.promiseMore(channel, id, need, terms.amount);
      await this.#ledger.save();
      return sign(channel, cumulative);
    });
    const response = await this.#fetch(request.answer(streamPayload(voucher, id)));
    await response.body?.cancel();
    // 404: the stream has ended meanwhile
    if (!response.ok && response.status !== 404) {
      throw new PaymentError("state", `the server asked for a voucher and refused it (status ${response.status})`);
    }
  }
}

/**
 * What an event says of a channel.
 *
 * @param {Channel} channel
 */
function of(channel) {
  return { channelId: channel.id, payTo: channel.payTo, ...planOf(channel) };
}

/**
 * @param {Channel} channel
 * @returns {Subscription | undefined}
 */
function subscriptionOf(channel) {
  if (!channel.plan) return undefined;
  const { id, price, period, quota, usedBefore, periodEnd, cancelled } = channel.plan;
  const unused = usedBefore + quota - channel.charged - promisedOn(channel);
  return { planId: id, price, period, quota, unused, periodEnd: new Date(periodEnd * 1000), cancelled, left: channel.left };
}

/**
 * @param {Channel} channel
 * @param {bigint} cumulative
 * @returns {SignedVoucher}
 */
function sign(channel, cumulative) {
  const chainId = channel.network.slice("cosmos:".length);
  return {
    channelId: channel.id,
    maxClaimableAmount: cumulative.toString(),
    signature: channel.key.sign(chainId, channel.id, cumulative),
  };
}

function newIdentifier() {
  return `pay_${toHex(crypto.getRandomValues(new Uint8Array(16)))}`;
}

/**
 * @param {PaymentPayload} payload
 * @returns {string | undefined}
 */
function identifierOf(payload) {
  const extension = payload.extensions?.[IDENTIFIER];
  const info = isRecord(extension) ? extension.info : undefined;
  return isRecord(info) && typeof info.id === "string" ? info.id : undefined;
}
