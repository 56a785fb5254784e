// A chain and a gateway for tests, in memory. The gateway keeps the rules that a Lode
// gateway keeps; tests make it lie.
import { fromHex, toBech32, toHex } from "@cosmjs/encoding";
import { ed25519 } from "@noble/curves/ed25519.js";
import { encodePaymentRequiredHeader, encodePaymentResponseHeader } from "@x402/core/http";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { LodeScheme, MemoryStore, OutcomeUnknown, voucherBytes } from "@lodenet/x402";

export const chainId = "lode-test-1";
export const hotkey = toBech32("lode", new Uint8Array(20).fill(2));
export const stranger = toBech32("lode", new Uint8Array(20).fill(9));
export const url = "http://gateway.test/work";

export class FakeChain {
  chainId = chainId;
  payer = toBech32("lode", new Uint8Array(20).fill(1));
  channels = new Map();
  services = new Map([[1n, { hotkey, listed: true }]]);
  deposits = [];
  closed = [];
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
      id = toHex(new Uint8Array(32).fill(this.channels.size + 1));
      this.channels.set(id, {
        id,
        sessionKey: toHex(into.sessionKey),
        serviceId: into.serviceId,
        deposit: amount,
        claimed: 0n,
        closeDelay: into.closeDelay,
        closing: false,
        hotkey: this.services.get(into.serviceId).hotkey,
      });
    }
    if (this.loses) {
      this.loses = false;
      throw new OutcomeUnknown(new Error("the line was cut"));
    }
    return { channelId: id, transaction: "AB".repeat(32), fee: this.fee };
  }
  async close(id) {
    this.closed.push(id);
    this.channels.get(id).closing = true;
  }
}

export class FakeGateway {
  state = new Map(); // by channel: charged, reserved, signed, signature
  requests = []; // of paid requests, the payloads
  unpaid = 0;
  price = 70n; // of a request of at most `amount`
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

  required(error, extra = {}) {
    const offer = this.offer();
    const required = {
      x402Version: 2,
      error,
      resource: { url },
      accepts: [{ ...offer, extra: { ...offer.extra, ...extra } }],
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
    const cumulative = BigInt(maxClaimableAmount);
    const bytes = voucherBytes(chainId, channelId, cumulative);
    if (!ed25519.verify(fromHex(signature), bytes, fromHex(channel.sessionKey))) return this.required("voucher_signature");
    const state = this.state.get(channelId) ?? { charged: 0n, reserved: 0n, signed: 0n, signature: "", waiting: new Map() };
    this.state.set(channelId, state);
    if (cumulative > channel.deposit) return this.required("cumulative_exceeds_balance");
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
    state.charged += this.price;
    const again = () => this.settled(response.clone(), channelId, this.price);
    this.answers.set(info.id, again);
    return again();
  };

  correct(channelId) {
    const { charged, signed, signature } = this.state.get(channelId);
    return this.correction({
      channelState: { ...this.channelState(channelId), chargedCumulativeAmount: `${charged}` },
      voucherState: { signedMaxClaimable: `${signed}`, signature },
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
