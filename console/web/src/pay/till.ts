// Buying: pay/js with this page's wallet and this console's API under it. The session keys
// that sign vouchers are the page's, not the wallet's: they can spend the deposits that a
// person signed for, and nothing else.
import { LodeScheme } from "@lodenet/x402/scheme.js";
import { OutcomeUnknown, PaymentError } from "@lodenet/x402/error.js";
import type { Chain, ChainChannel } from "@lodenet/x402/chain.js";
import type { PaymentEvent } from "@lodenet/x402/scheme.js";
import type { PaymentPayload, PaymentRequired, PaymentRequirements, x402Client } from "@x402/core/client";
import { ApiError, get } from "../lib/api.ts";
import type { ChannelList, Params, ServiceDetail, Status } from "../lib/types.ts";
import { fromBase64, fromHex, fromUtf8, toHex, toBase64, toUtf8 } from "../wallet/bytes.ts";
import { proposals } from "../wallet/propose.svelte.ts";
import type { Intent } from "../wallet/tx.ts";

type Channel = ChannelList["items"][number];

async function channelsOf(address: string): Promise<Channel[]> {
  const all: Channel[] = [];
  let after = "";
  do {
    const page = await get<ChannelList>(`/v1/accounts/${address}/channels?limit=500${after ? `&after=${encodeURIComponent(after)}` : ""}`);
    all.push(...page.items);
    after = page.next;
  } while (after);
  return all;
}

const onChain = (c: Channel, hotkey: string): ChainChannel => ({
  id: c.channel_id,
  sessionKey: toHex(fromBase64(c.session_key)),
  serviceId: BigInt(c.service_id),
  deposit: BigInt(c.deposit_rao),
  claimed: BigInt(c.claimed_rao),
  closeDelay: c.close_delay_seconds,
  closing: c.closing_time !== null,
  hotkey,
  ...(c.plan && {
    plan: {
      id: BigInt(c.plan.id),
      price: BigInt(c.plan.price_rao),
      period: BigInt(c.plan.period_seconds),
      quota: BigInt(c.plan.quota),
      usedBefore: BigInt(c.plan.used_before),
      periodEnd: Date.parse(c.plan.period_end) / 1000,
      cancelled: c.plan.cancelled,
    },
  }),
});

async function service(id: bigint): Promise<ServiceDetail | undefined> {
  try {
    return await get<ServiceDetail>(`/v1/market/services/${id}`);
  } catch (error) {
    if (error instanceof ApiError && error.code === "not_found") return undefined;
    throw error;
  }
}

/** The chain as pay/js needs it, for a payer whose wallet is this page's. */
async function chainOf(payer: string): Promise<Chain> {
  const params = await get<Params>("/v1/chain/params");

  async function send(title: string, intent: Intent, timeoutHeight?: bigint) {
    const result = await proposals.propose(title, [intent], { timeoutHeight });
    if (!result) throw new PaymentError("chain", "the deposit was not signed, so nothing was paid");
    return { transaction: result.hash, fee: 0n };
  }

  return {
    chainId: params.chain_id,
    payer,
    height: async () => BigInt((await get<Status>("/v1/status")).height),
    minDeposit: async () => BigInt(params.min_deposit_rao),
    async service(id) {
      const found = await service(id);
      return found && { hotkey: found.hotkey, listed: found.listed, plans: found.plans.map((p) => ({ id: BigInt(p.id), name: p.name, price: BigInt(p.price_rao), period: BigInt(p.period_seconds), quota: BigInt(p.quota) })) };
    },
    async channel(id) {
      const found = (await channelsOf(payer)).find((c) => c.channel_id === id);
      return found && onChain(found, (await service(BigInt(found.service_id)))?.hotkey ?? "");
    },
    async find(sessionKey) {
      const key = toBase64(sessionKey);
      const found = (await channelsOf(payer)).find((c) => c.session_key === key);
      return found && onChain(found, "");
    },
    async deposit(into, amount, timeoutHeight) {
      const fields =
        "channelId" in into
          ? { channel_id: fromHex(into.channelId) }
          : { service_id: into.serviceId, session_key: into.sessionKey, close_delay: BigInt(into.closeDelay), plan_id: into.planId ?? 0n, max_price: into.maxPrice ?? 0n };
      const title = "channelId" in into ? "Put more into the channel" : into.planId ? "Subscribe to the plan" : "Open a payment channel";
      const sent = await send(title, { type: "lode.market.v1.MsgDeposit", value: { payer, amount, ...fields } }, timeoutHeight);
      if ("channelId" in into) return { channelId: into.channelId, ...sent };
      const key = toBase64(into.sessionKey);
      for (let tries = 0; tries < 20; tries++) {
        const found = (await channelsOf(payer)).find((c) => c.session_key === key);
        if (found) return { channelId: found.channel_id, ...sent };
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      throw new OutcomeUnknown(new Error("the channel is not shown yet"));
    },
    close: (channelId) => send("Close the channel", { type: "lode.market.v1.MsgClose", value: { signer: payer, channel_id: fromHex(channelId) } }),
    async cancelPlan(channelId, now) {
      const sent = await send("Cancel the plan", { type: "lode.market.v1.MsgCancelPlan", value: { signer: payer, channel_id: fromHex(channelId), now } });
      const after = (await channelsOf(payer)).find((c) => c.channel_id === channelId);
      return { ends: Date.parse(after?.closing_time ?? after?.plan?.period_end ?? new Date().toISOString()) / 1000, ...sent };
    },
  };
}

/** One text in this browser, and one tab at a time that uses it: two would spend the same money. */
class TabStore {
  #key;
  #release: (() => void) | undefined;

  constructor(key: string) {
    this.#key = key;
  }

  async read(): Promise<string | undefined> {
    await new Promise<void>((resolve, reject) => {
      navigator.locks
        .request(this.#key, { ifAvailable: true }, (lock) => {
          if (!lock) {
            reject(new PaymentError("store", "another tab of this page is buying", { hint: "go on there, or close it" }));
            return;
          }
          resolve();
          return new Promise<void>((release) => (this.#release = release));
        })
        .catch(reject);
    });
    return localStorage.getItem(this.#key) ?? undefined;
  }

  async write(text: string): Promise<void> {
    try {
      localStorage.setItem(this.#key, text);
    } catch (cause) {
      throw new PaymentError("store", "the browser keeps nothing for this page any more, so nothing is paid", { cause, hint: "free some of its storage" });
    }
  }

  async close(): Promise<void> {
    this.#release?.();
  }
}

export interface Limits {
  perRequest: bigint;
  perDay: bigint;
  deposit: bigint;
}

export interface Till {
  fetch: typeof globalThis.fetch;
  scheme: LodeScheme;
  close(): Promise<void>;
}

const required = (text: string): PaymentRequired => JSON.parse(fromUtf8(fromBase64(text))) as PaymentRequired;

/** Opens the books of an account, and gives a fetch that pays what servers ask for, within the limits. */
export async function openTill(payer: string, limits: Limits, onEvent: (event: PaymentEvent) => void): Promise<Till> {
  const chain = await chainOf(payer);
  const scheme = await LodeScheme.open({ chain, store: new TabStore(`lode-pay/${chain.chainId}/${payer}`), limits: { perRequest: limits.perRequest, perDay: limits.perDay }, deposit: limits.deposit, onEvent });
  let prefer = (_: number, offers: PaymentRequirements[]) => offers;
  let otherwise: Parameters<x402Client["onPaymentCreationFailure"]>[0] | undefined;
  const client: x402Client = {
    spendControls: false,
    register: () => {},
    registerPolicy: (policy) => (prefer = policy),
    onPaymentCreationFailure: (hook) => (otherwise = hook),
    createPaymentPayload: create,
  };
  scheme.register(client);

  async function create(terms: PaymentRequired): Promise<PaymentPayload> {
    const ours = terms.accepts.filter((offer) => offer.scheme === scheme.scheme && /^cosmos:/.test(offer.network));
    const offer = prefer(terms.x402Version, ours)[0];
    if (!offer) throw new PaymentError("terms", "the service asks for a payment that this wallet does not know");
    try {
      const made = await scheme.createPaymentPayload(terms.x402Version, offer, { extensions: terms.extensions });
      return { ...made, extensions: { ...terms.extensions, ...made.extensions }, accepted: offer, ...(terms.resource !== undefined && { resource: terms.resource }) };
    } catch (error) {
      const other = await otherwise?.({ paymentRequired: terms, error: error as Error });
      if (other) return other.payload;
      throw error;
    }
  }

  /** Tells the books how a paid request went. True: another payment may do. */
  async function told(paymentPayload: PaymentPayload, response: Response): Promise<boolean> {
    const settled = response.headers.get("PAYMENT-RESPONSE");
    const wanted = response.status === 402 ? response.headers.get("PAYMENT-REQUIRED") : null;
    const result = await scheme.schemeHooks.onPaymentResponse({
      paymentPayload,
      requirements: paymentPayload.accepted,
      ...(settled !== null && { settleResponse: JSON.parse(fromUtf8(fromBase64(settled))) as { success: boolean } }),
      ...(wanted !== null && settled === null && { paymentRequired: required(wanted) }),
    });
    return result !== undefined;
  }

  const pay: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const again = request.clone();
    const first = await scheme.fetch(request);
    const wanted = first.status === 402 ? first.headers.get("PAYMENT-REQUIRED") : null;
    if (wanted === null) return first;
    await first.body?.cancel();
    for (let tries = 0; ; tries++) {
      const payload = await create(required(wanted));
      const paid = again.clone();
      paid.headers.set("PAYMENT-SIGNATURE", toBase64(toUtf8(JSON.stringify(payload))));
      const response = await scheme.fetch(paid);
      if (!(await told(payload, response)) || tries > 0) return response;
      await response.body?.cancel();
    }
  };
  return { fetch: pay, scheme, close: () => scheme.close() };
}
