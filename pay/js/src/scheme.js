// The scheme batch-settlement on cosmos:*, as @x402/core's clients call it, and the
// fetch that belongs under it.
import { toHex } from "@cosmjs/encoding";
import { decodePaymentSignatureHeader, encodePaymentSignatureHeader } from "@x402/core/http";
import { OutcomeUnknown, PaymentError } from "./error.js";
import { channelKey, disputed, Ledger, promisedOn } from "./ledger.js";
import { readLimits } from "./limits.js";
import { EventFilter } from "./sse.js";
import { SessionKey } from "./voucher.js";
import {
  ASSET,
  CHARGED,
  IDENTIFIER,
  isRecord,
  NEED_VOUCHER,
  NETWORKS,
  parseJSON,
  readCharge,
  readCorrection,
  readNeed,
  readTerms,
  requestPayload,
  SCHEME,
  streamPayload,
} from "./wire.js";

/** @import { x402Client, PaymentResponseContext, SpendControlAsset } from "@x402/core/client" */
/** @import { PaymentPayload, PaymentPayloadContext, PaymentPayloadResult, PaymentRequired, PaymentRequirements, SchemeClientHooks, SchemeNetworkClient } from "@x402/core/types" */
/** @import { Chain, ChainChannel, DepositInto } from "./chain.js" */
/** @import { Channel } from "./ledger.js" */
/** @import { LimitOptions } from "./limits.js" */
/** @import { Store } from "./store.js" */
/** @import { SignedVoucher, Terms } from "./wire.js" */

// seconds beyond the server's own time-out in which an answer may still come
const GRACE = 30;
// blocks in which the transaction that opens a channel may come into one
const OPENING_BLOCKS = 50n;
// milliseconds before a request whose outcome is not known is sent again, if the server
// does not say how long to wait
const PAUSES = [250, 1000];
const LONGEST_PAUSE = 10_000;
const AGAIN = new Set([500, 502, 503, 504]);
// milliseconds in which a server's node learns of a deposit that ours has
const NODE_LAG = 1000;

/**
 * What has happened, for logs and ledgers of the application's.
 *
 * @typedef {{type: "opened" | "toppedUp", channelId: string, payTo: string, amount: bigint, fee: bigint, transaction: string}
 *   | {type: "paid", channelId: string, payTo: string, id: string, amount: bigint}
 *   | {type: "unknown", channelId: string, payTo: string, id: string, ceiling: bigint}
 *   | {type: "disputed", channelId: string, payTo: string, reason: string}} PaymentEvent
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
  #deposit;
  #maxCloseDelay;
  #maxParallel;
  #fetch;
  #onEvent;
  #now;
  /** @type {Map<string, Payment>} by id */
  #payments = new Map();
  /** @type {Map<string, Promise<unknown>>} the last in the queue, by channelKey or for the wallet */
  #queues = new Map();
  /** @type {Map<string, Set<string>>} identifiers of payments by channelKey, maxParallel at most */
  #underWay = new Map();
  /** @type {(() => void)[]} those who wait for a request to end */
  #waiting = [];

  /**
   * @param {SchemeOptions} options
   * @param {Ledger} ledger
   */
  constructor(options, ledger) {
    this.#chain = options.chain;
    this.#ledger = ledger;
    this.#limits = readLimits(options.limits);
    this.#deposit = options.deposit === undefined ? undefined : BigInt(options.deposit);
    this.#maxCloseDelay = options.maxCloseDelay ?? 86_400;
    this.#maxParallel = options.maxParallel ?? 8;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#onEvent = options.onEvent ?? (() => {});
    this.#now = options.now ?? Date.now;
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
   * Registers the scheme with a client, and rao with the client's own spend controls,
   * which know no asset but dollars' by themselves.
   *
   * @template {x402Client} C
   * @param {C} client
   * @returns {C}
   */
  register(client) {
    client.register(NETWORKS, this);
    const controls = /** @type {any} */ (client).spendControls;
    if (controls !== false && controls?.allowedAssets !== true) {
      const others = controls?.allowedAssets ?? [];
      client.setSpendControls({ ...controls, allowedAssets: [...others, this.spendControl()] });
    }
    return client;
  }

  /**
   * The entry of rao for a client's spend controls.
   *
   * @returns {SpendControlAsset}
   */
  spendControl() {
    return { network: NETWORKS, asset: ASSET, maxAmountPerPayment: this.#limits.perRequest.toString() };
  }

  /**
   * The channels of the store, without their keys.
   */
  channels() {
    return [...this.#ledger.channels.values()].map((c) => ({
      id: c.id,
      network: c.network,
      payTo: c.payTo,
      serviceId: c.serviceId,
      deposit: c.deposit,
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
    const channel = this.#ledger.channels.get(id);
    if (!channel) throw new PaymentError("state", `the store has no channel ${id}`);
    await this.#queue(channelKey(channel), async () => {
      if (await this.#openOnChain(id)) await this.#queue("wallet", () => this.#chain.close(id));
      await this.#forget(channel);
    });
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
    this.#acceptable(terms, context);
    const id = newIdentifier();
    const repeatable = isRecord(context?.extensions) && isRecord(context.extensions[IDENTIFIER]);
    await this.#turn(channelKey(terms), id);
    try {
      const payload = await this.#queue(channelKey(terms), () => this.#pay(terms, id, repeatable));
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
    this.#ledger.check(terms.payTo, terms.amount);
    const channel = await this.#funded(terms);
    const cumulative = this.#ledger.promise(channel, id, terms.amount, terms.timeout + GRACE);
    this.#payments.set(id, { id, channel, terms, repeatable });
    try {
      await this.#ledger.save();
    } catch (error) {
      this.#ledger.refused(channel, id); // no voucher is signed, nothing is sent
      throw error;
    }
    return requestPayload(sign(channel, cumulative), channel.untold);
  }

  /**
   * @param {Terms} terms
   * @param {PaymentPayloadContext | undefined} context
   */
  #acceptable(terms, context) {
    if (terms.chainId !== this.#chain.chainId) {
      throw new PaymentError("terms", `the server wants to be paid on ${terms.network}, this wallet is on cosmos:${this.#chain.chainId}`);
    }
    if (terms.closeDelay > this.#maxCloseDelay) {
      throw new PaymentError("terms", `a deposit would be out of reach for ${terms.closeDelay} seconds, maxCloseDelay is ${this.#maxCloseDelay}`);
    }
    const cap = context?.maxAmountPerPayment;
    if (cap !== undefined && terms.amount > BigInt(cap)) {
      throw new PaymentError("limit", `a request of ${terms.amount} rao exceeds the client's maxAmountPerPayment of ${cap}`);
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
   * Runs what must not run twice at once, in order.
   *
   * @template T
   * @param {string} key
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  #queue(key, run) {
    const before = this.#queues.get(key) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(run);
    this.#queues.set(key, mine);
    const clear = () => {
      if (this.#queues.get(key) === mine) this.#queues.delete(key);
    };
    mine.then(clear, clear);
    return mine;
  }

  /**
   * The channel that pays a service, with enough in it for a request.
   *
   * @param {Terms} terms
   */
  async #funded(terms) {
    let channel = this.#ledger.find(terms);
    if (!channel) return this.#open(terms);
    if (channel.dispute !== undefined) throw disputed(channel);
    if (this.#lacks(channel, terms, terms.amount) <= 0n) return channel;
    return (await this.#topUp(channel, terms, terms.amount)) ? channel : this.#open(terms);
  }

  /**
   * What must be put into a channel before it can pay another `amount`.
   *
   * @param {Channel} channel
   * @param {Terms} terms
   * @param {bigint} amount
   */
  #lacks(channel, terms, amount) {
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
  async #topUp(channel, terms, amount) {
    const onChain = await this.#openOnChain(channel.id);
    if (!onChain) {
      await this.#forget(channel);
      return false;
    }
    // what an earlier top-up put in whose answer was not heard
    channel.deposit = onChain.deposit;
    const needed = this.#lacks(channel, terms, amount);
    if (needed > 0n) {
      await this.#queue("wallet", () => this.#put({ channelId: channel.id }, terms, channel.key, needed));
    }
    return true;
  }

  /**
   * Opens a channel to a service. Its key is in the store before the transaction is sent.
   *
   * @param {Terms} terms
   */
  async #open(terms) {
    return this.#queue("wallet", async () => {
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
   * @param {import("./ledger.js").Opening} opening
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
   * @param {string} id
   * @returns {Promise<ChainChannel | undefined>}
   */
  async #openOnChain(id) {
    const channel = await this.#chain.channel(id);
    return channel && !channel.closing ? channel : undefined;
  }

  /** @param {Channel} channel */
  async #forget(channel) {
    this.#ledger.channels.delete(channel.id);
    await this.#ledger.save();
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
    const before = channel.charged;
    try {
      const charge = readCharge(settlement);
      if (charge.amount === undefined) {
        // a stream tells at its end; whoever else does not is told by the next answer
        if (!streams) this.#lost(id);
        return;
      }
      this.#ledger.charged(channel, id, charge);
    } catch (error) {
      if (!(error instanceof PaymentError)) throw error;
      this.#ledger.dispute(channel, error.message);
    }
    if (channel.dispute === undefined) {
      this.#onEvent({ type: "paid", channelId: channel.id, payTo: channel.payTo, id, amount: channel.charged - before });
    } else {
      this.#disputed(channel);
    }
    this.#ended(id);
    await this.#ledger.save();
  }

  /** @param {Channel} channel */
  #disputed({ id, payTo, dispute }) {
    this.#onEvent({ type: "disputed", channelId: id, payTo, reason: dispute ?? "" });
  }

  /**
   * A paid request was refused. It is tried again if the books were old, if the channel
   * has closed meanwhile, as the chain says, or if the server may not have seen yet what
   * was put into it.
   *
   * @param {Payment} payment
   * @param {PaymentRequired} paymentRequired
   * @returns {Promise<void | {recovered: true}>}
   */
  async #corrected({ id, channel, terms }, paymentRequired) {
    let again = false;
    try {
      const correction = readCorrection(paymentRequired, terms);
      if (correction) again = this.#ledger.correct(channel, id, correction);
      else this.#ledger.refused(channel, id);
    } catch (error) {
      if (!(error instanceof PaymentError)) throw error;
      this.#ledger.refused(channel, id);
      this.#ledger.dispute(channel, error.message);
    } finally {
      this.#ended(id);
    }
    if (channel.dispute !== undefined) this.#disputed(channel);
    if (!again && channel.dispute === undefined && this.#ledger.channels.has(channel.id)) {
      again = await this.#lookAgain(channel);
    }
    await this.#ledger.save();
    return again ? { recovered: true } : undefined;
  }

  /**
   * Looks at a channel on chain after a refusal.
   *
   * @param {Channel} channel
   * @returns {Promise<boolean>} whether another try may do
   */
  async #lookAgain(channel) {
    /** @type {ChainChannel | undefined} */
    let onChain;
    try {
      onChain = await this.#openOnChain(channel.id);
    } catch {
      return false; // the chain can't be asked: the application gets the server's refusal
    }
    if (!onChain) {
      this.#ledger.channels.delete(channel.id);
      return true;
    }
    channel.deposit = onChain.deposit;
    if (!channel.untold) return false;
    await sleep(NODE_LAG);
    return true;
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
    this.#onEvent({ type: "unknown", channelId: channel.id, payTo: channel.payTo, id, ceiling });
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
    const response = await this.#send(request, payment);
    if (response.status === 402 || response.status === 400) payment.refused = true;
    const isStream = /^text\/event-stream\s*(;|$)/i.test(response.headers.get("content-type") ?? "");
    if (!isStream || !response.body || payment.refused) return response;
    payment.streams = true;
    this.#ledger.streams(payment.channel, payment.id);
    return withBody(response, this.#paying(response.body, payment, streamed));
  };

  /**
   * Sends a paid request, and again while its outcome is not known and the server knows
   * it by its identifier.
   *
   * @param {Request} request
   * @param {Payment} payment
   */
  async #send(request, payment) {
    try {
      for (const pause of payment.repeatable ? PAUSES : []) {
        const { response, wait } = await this.#attempt(request.clone(), pause);
        if (response) return response;
        await sleep(wait, request.signal);
      }
      return await this.#fetch(request);
    } catch (error) {
      this.#lost(payment.id);
      throw error;
    }
  }

  /**
   * @param {Request} request
   * @param {number} pause milliseconds
   * @returns {Promise<{response?: Response, wait: number}>} without a response: how long to wait
   */
  async #attempt(request, pause) {
    try {
      const response = await this.#fetch(request);
      if (!AGAIN.has(response.status) || response.headers.has("PAYMENT-RESPONSE")) return { response, wait: 0 };
      const wished = Number(response.headers.get("retry-after")) * 1000; // NaN where it is a date
      await response.body?.cancel();
      return { wait: wished > pause ? Math.min(wished, LONGEST_PAUSE) : pause };
    } catch (error) {
      if (request.signal.aborted) throw error;
      return { wait: pause };
    }
  }

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
    const { channelId, required } = readNeed(data);
    if (channelId !== channel.id) throw new PaymentError("state", `a stream paid by channel ${channel.id} asks for a voucher of ${channelId}`);
    const voucher = await this.#queue(channelKey(terms), async () => {
      const more = this.#ledger.checkMore(channel, id, required);
      if (this.#lacks(channel, terms, more) > 0n) await this.#topUp(channel, terms, more);
      const cumulative = this.#ledger.promiseMore(channel, id, required);
      await this.#ledger.save();
      return sign(channel, cumulative);
    });
    const response = await this.#fetch(request.answer(streamPayload(voucher, id)));
    await response.body?.cancel();
    // a stream that another's voucher served meanwhile has ended
    if (!response.ok && response.status !== 404) {
      throw new PaymentError("state", `the server asked for a voucher and refused it (status ${response.status})`);
    }
  }
}

/** What of a request is needed to answer its stream's calls for vouchers. */
class StreamRequest {
  #url;
  #headers;
  #payload;
  #signal;

  /**
   * @param {Request} request
   * @param {PaymentPayload} payload
   */
  constructor(request, payload) {
    this.#url = request.url;
    this.#headers = new Headers(request.headers);
    for (const name of ["content-type", "content-length", "content-encoding"]) this.#headers.delete(name);
    this.#payload = payload;
    this.#signal = request.signal;
  }

  /** @param {Record<string, unknown>} payload */
  answer(payload) {
    const headers = new Headers(this.#headers);
    headers.set("PAYMENT-SIGNATURE", encodePaymentSignatureHeader({ ...this.#payload, payload }));
    return new Request(this.#url, { method: "HEAD", headers, signal: this.#signal });
  }
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
 * @param {Request} request
 * @returns {PaymentPayload | undefined}
 */
function paymentOf(request) {
  const header = request.headers.get("PAYMENT-SIGNATURE");
  if (header === null) return undefined;
  try {
    return decodePaymentSignatureHeader(header);
  } catch {
    return undefined; // not one of ours
  }
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

/**
 * @param {Response} response
 * @param {ReadableStream<Uint8Array>} body
 */
function withBody(response, body) {
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const { status, statusText, url } = response;
  return Object.defineProperty(new Response(body, { status, statusText, headers }), "url", { value: url });
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal] ends it early, with an error
 */
function sleep(milliseconds, signal) {
  return new Promise((/** @type {(value?: undefined) => void} */ resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** @param {bigint[]} values */
function max(...values) {
  return values.reduce((a, b) => (a > b ? a : b));
}
