// A chain and a gateway for tests, in memory. The gateway keeps the rules that a Lode
// gateway keeps; tests make it lie.
import { fromHex, toBech32, toHex } from "@cosmjs/encoding";
import { ed25519 } from "@noble/curves/ed25519.js";
import { encodePaymentRequiredHeader, encodePaymentResponseHeader } from "@x402/core/http";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { LodeScheme, MemoryStore, OutcomeUnknown, PaymentError, voucherBytes } from "@lodenet/x402";

export const chainId = "lode-test-1";
export const hotkey = toBech32("lode", new Uint8Array(20).fill(2));
export const stranger = toBech32("lode", new Uint8Array(20).fill(9));
const encoder = new TextEncoder();
export const url = "http://gateway.test/work";

export class FakeChain {
  chainId = chainId;
  payer = toBech32("lode", new Uint8Array(20).fill(1));
  channels = new Map();
  services = new Map([[1n, { hotkey, listed: true, plans: [] }]]);
  deposits = [];
  opened = 0;
  closed = [];
  cancelled = [];
  now = Date.UTC(2026, 0, 1, 12) / 1000;
  at = 100n;
  least = 1000n;
  fee = 10n;
  fails = undefined; // what the next deposit throws
  loses = false; // the next deposit's answer

  async height() {
    return this.at;
  }
  async minDeposit() {
    return this.least;
  }
  async service(id) {
    return this.services.get(id);
  }
  async channel(id) {
    return this.channels.get(id);
  }
  async find(sessionKey) {
    return [...this.channels.values()].find((c) => c.sessionKey === toHex(sessionKey));
  }
  async deposit(into, amount, timeoutHeight) {
    if (this.fails) {
      const error = this.fails;
      this.fails = undefined;
      throw error;
    }
    this.deposits.push({ into, amount, timeoutHeight });
    let id = into.channelId;
    if (id) {
      this.channels.get(id).deposit += amount;
    } else {
      id = toHex(new Uint8Array(32).fill(++this.opened));
      this.channels.set(id, {
        id,
        sessionKey: toHex(into.sessionKey),
        serviceId: into.serviceId,
        deposit: amount,
        claimed: 0n,
        closeDelay: into.closeDelay,
        closing: false,
        hotkey: this.services.get(into.serviceId).hotkey,
        ...(into.planId && { plan: this.#subscribe(into, amount) }),
      });
    }
    if (this.loses) {
      this.loses = false;
      throw new OutcomeUnknown(new Error("the line was cut"));
    }
    return { channelId: id, transaction: "AB".repeat(32), fee: this.fee };
  }
  #subscribe({ serviceId, planId, maxPrice }, amount) {
    const { price, period, quota } = this.services.get(serviceId).plans.find((p) => p.id === planId);
    if (price > maxPrice) throw new PaymentError("chain", `plan ${planId} costs ${price} rao a period, your max_price is ${maxPrice}`);
    if (amount < price) throw new PaymentError("chain", `plan ${planId} costs ${price} rao a period, the deposit is ${amount}`);
    return { id: planId, price, period, quota, usedBefore: 0n, periodEnd: this.now + Number(period), cancelled: false };
  }
  /** Time goes to the end of a channel's period, and the chain does what it does then. */
  endPeriod(id) {
    const c = this.channels.get(id);
    this.now = c.plan.periodEnd;
    c.claimed += c.plan.price;
    if (c.plan.cancelled || c.deposit - c.claimed < c.plan.price) return this.channels.delete(id);
    c.plan = { ...c.plan, usedBefore: c.plan.usedBefore + c.plan.quota, periodEnd: c.plan.periodEnd + Number(c.plan.period) };
  }
  async cancelPlan(id, now) {
    this.cancelled.push([id, now]);
    const c = this.channels.get(id);
    c.plan = { ...c.plan, cancelled: true };
    const sent = { transaction: "CD".repeat(32), fee: this.fee };
    if (!now) return { ...sent, ends: c.plan.periodEnd };
    c.closing = true;
    return { ...sent, ends: this.now + c.closeDelay };
  }
  async close(id) {
    this.closed.push(id);
    this.channels.get(id).closing = true;
    return { transaction: "EF".repeat(32), fee: this.fee };
  }
}

export class FakeGateway {
  state = new Map(); // by channel: charged, reserved, signed, signature
  requests = []; // of paid requests, the payloads
  unpaid = 0;
  price = 70n; // of a request of at most `amount`
  units = 7n; // of a request of at most `planAmount`
  planAmount = "10";
  plansAlone = false; // nothing is sold by use
  answers = new Map(); // by payment identifier
  // what a test changes
  terms = (terms) => terms;
  settlement = (settlement) => settlement;
  correction = (extra) => extra;
  before = async () => {}; // a request is let through
  serve = async () => new Response("done");

  constructor(chain) {
    this.chain = chain;
  }

  offer() {
    return this.terms({
      scheme: "batch-settlement",
      network: `cosmos:${chainId}`,
      amount: "100",
      asset: "rao",
      payTo: hotkey,
      maxTimeoutSeconds: 60,
      extra: { receiverAuthorizer: hotkey, withdrawDelay: 900, serviceId: "1", unit: "request", price: "100", per: "1" },
    });
  }

  /** What the service's plans are sold for, as units. */
  planOffers() {
    const { extra, ...offer } = this.offer();
    return this.chain.services.get(1n)?.plans.map(({ id, name, price, period, quota }) => {
      const plan = { planId: `${id}`, planName: name, planPrice: `${price}`, planPeriod: Number(period), planQuota: `${quota}` };
      return { ...offer, amount: this.planAmount, asset: "unit", extra: { ...extra, minDeposit: `${price}`, ...plan } };
    }) ?? [];
  }

  /** extra goes into the offer of its channel's kind. */
  required(error, extra = {}) {
    const planId = this.chain.channels.get(extra.channelState?.channelId)?.plan?.id ?? 0n;
    const offers = [...(this.plansAlone ? [] : [this.offer()]), ...this.planOffers()];
    const required = {
      x402Version: 2,
      error,
      resource: { url },
      accepts: offers.map((o) => (BigInt(o.extra?.planId ?? 0) === planId ? { ...o, extra: { ...o.extra, ...extra } } : o)),
      extensions: { "payment-identifier": { info: { required: false }, schema: {} } },
    };
    return new Response("{}", { status: 402, headers: { "PAYMENT-REQUIRED": encodePaymentRequiredHeader(required) } });
  }

  /** Is given to the scheme as the fetch that sends. */
  fetch = async (request) => {
    const header = request.headers.get("PAYMENT-SIGNATURE");
    if (!header) {
      this.unpaid++;
      return this.required("PAYMENT-SIGNATURE header is required");
    }
    const payment = JSON.parse(Buffer.from(header, "base64").toString());
    this.requests.push(payment);
    const { payload } = payment;
    const { info } = payment.extensions["payment-identifier"];
    const { channelId, maxClaimableAmount, signature } = payload.voucher;
    const channel = this.chain.channels.get(channelId);
    if (!channel || channel.closing) return this.required("channel_not_found");
    const { plan } = channel;
    if ((payment.accepted.extra.planId ?? "0") !== `${plan?.id ?? 0}`) return this.required("receiver_mismatch");
    const cumulative = BigInt(maxClaimableAmount);
    const bytes = voucherBytes(chainId, channelId, cumulative);
    if (!ed25519.verify(fromHex(signature), bytes, fromHex(channel.sessionKey))) return this.required("voucher_signature");
    const state = this.state.get(channelId) ?? { charged: 0n, reserved: 0n, signed: 0n, signature: "", waiting: new Map() };
    this.state.set(channelId, state);
    if (plan && plan.usedBefore > state.charged) state.charged = plan.usedBefore;
    if (plan && this.chain.now >= plan.periodEnd) return this.required("invalid_batch_settlement_cosmos_plan_ended");
    if (cumulative > (plan ? plan.usedBefore + plan.quota : channel.deposit)) return this.required("cumulative_exceeds_balance");
    const known = !payload.stream && this.answers.get(info.id);
    if (known) return known();
    const ceiling = payload.stream ? 0n : BigInt(payment.accepted.amount);
    // a request is covered by its own voucher, what runs beside it by the newest
    const own = state.charged + ceiling;
    const newest = cumulative > state.signed ? cumulative : state.signed;
    if ((!payload.stream && cumulative < own) || newest < own + state.reserved) {
      return this.required("invalid_batch_settlement_cosmos_cumulative_amount_mismatch", this.correct(channelId));
    }
    if (cumulative > state.signed) Object.assign(state, { signed: cumulative, signature });
    if (payload.stream) {
      state.waiting.get(payload.stream)?.();
      return new Response(null, { status: 204 });
    }
    state.reserved += ceiling;
    await this.before(payment, request);
    const response = await this.serve(payment, request);
    // a stream settles by itself
    if (response.headers.get("content-type") === "text/event-stream") return this.settled(response, channelId, undefined);
    state.reserved -= ceiling;
    const price = plan ? this.units : this.price;
    state.charged += price;
    const again = () => this.settled(response.clone(), channelId, price);
    this.answers.set(info.id, again);
    return again();
  };

  correct(channelId) {
    const { charged, signed, signature } = this.state.get(channelId);
    return this.correction({
      channelState: { ...this.channelState(channelId), chargedCumulativeAmount: `${charged}` },
      ...(signature && { voucherState: { signedMaxClaimable: `${signed}`, signature } }),
    });
  }

  channelState(channelId) {
    const { deposit, claimed } = this.chain.channels.get(channelId);
    return {
      channelId,
      balance: `${deposit}`,
      totalClaimed: `${claimed}`,
      withdrawRequestedAt: 0,
      chargedCumulativeAmount: `${this.state.get(channelId).charged}`,
    };
  }

  settlementOf(channelId, amount) {
    return this.settlement({
      success: true,
      payer: this.chain.payer,
      transaction: "",
      network: `cosmos:${chainId}`,
      amount: "",
      extra: {
        commitmentId: "c",
        ...(amount === undefined ? {} : { chargedAmount: `${amount}` }),
        channelState: this.channelState(channelId),
      },
    });
  }

  settled(response, channelId, amount) {
    const settlement = this.settlementOf(channelId, amount);
    if (settlement) response.headers.set("PAYMENT-RESPONSE", encodePaymentResponseHeader(settlement));
    return response;
  }
}

/** A client that pays, with its chain, gateway and events. */
export async function setUp(options = {}) {
  const chain = options.chain ?? new FakeChain();
  const gateway = options.gateway ?? new FakeGateway(chain);
  const events = [];
  const store = options.store ?? new MemoryStore();
  const scheme = await LodeScheme.open({
    chain,
    store,
    limits: { perRequest: 1000n, perDay: 100_000n },
    fetch: (request) => gateway.fetch(request),
    onEvent: (event) => events.push(event),
    ...options.scheme,
  });
  const client = scheme.register(new x402Client());
  const pay = wrapFetchWithPayment(scheme.fetch, client);
  return { chain, gateway, events, store, scheme, client, pay };
}

/**
 * A gateway whose answers are streams of `chunks` that cost 40 each: for each it waits
 * for a voucher that covers it.
 */
export async function streaming(chunks, options = {}) {
  const at = await setUp(options);
  const { gateway } = at;
  gateway.need = (event) => event;
  gateway.final = (settlement) => settlement;
  gateway.serve = async (payment) => {
    const { channelId } = payment.payload.voucher;
    const state = gateway.state.get(channelId);
    let charged = 0n;
    let granted = 100n; // the request's own ceiling
    const send = (controller, type, data) => controller.enqueue(encoder.encode(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`));
    const body = new ReadableStream({
      async start(controller) {
        try {
          for (const chunk of chunks) {
            // It asks even where the newest voucher reaches: that may be what other requests
            // were promised which are still on their way.
            for (let asked = false; charged + 40n > granted; asked = true) {
              const required = state.charged + state.reserved + 80n;
              if (asked && required <= state.signed) {
                granted += 80n;
                state.reserved += 80n;
                continue;
              }
              const raised = new Promise((resolve) => state.waiting.set(payment.extensions["payment-identifier"].info.id, resolve));
              const deposit = gateway.chain.channels.get(channelId).deposit;
              const need = { channelId, requiredCumulative: `${required}`, additionalAmount: "80", acceptedCumulative: `${state.signed}`, deposit: `${deposit}` };
              send(controller, "payment-need-voucher", gateway.need(need));
              await raised;
            }
            charged += 40n;
            controller.enqueue(encoder.encode(chunk));
          }
          state.charged += charged;
          state.reserved -= granted;
          const settlement = gateway.final(gateway.settlementOf(channelId, charged));
          if (settlement) send(controller, "payment-response", settlement);
          controller.close();
        } catch (error) {
          if (error.code !== "ERR_INVALID_STATE") throw error; // the client has gone
        }
      },
    });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  };
  return at;
}
