// What the package's types must know, and must not let through.
import { type Chain, LodeScheme, MemoryStore, PaymentError, type PaymentEvent, type Store, type Subscription } from "@lodenet/x402";
import { payingFetch } from "@lodenet/x402/fetch";
import type { SchemeNetworkClient } from "@x402/core/types";
import { x402Client } from "@x402/fetch";

export async function uses(chain: Chain): Promise<bigint> {
  const store: Store = { read: async () => undefined, write: async (text: string) => void text };
  const events: PaymentEvent[] = [];
  const scheme: LodeScheme = await LodeScheme.open({
    chain,
    store,
    limits: { perRequest: 1n, perDay: "2", perProvider: 3n, total: 4n, locked: 5n },
    onEvent: (event) => events.push(event),
  });
  const asScheme: SchemeNetworkClient = scheme;
  const client: x402Client = scheme.register(new x402Client());
  client.register("cosmos:*", asScheme);
  const fetches: (typeof fetch)[] = [payingFetch(scheme), payingFetch(scheme, client)];
  const subscribed: Subscription & { channelId: string } = await scheme.subscribe({ serviceId: 2, planId: "1", periods: 3, maxPrice: 5n });
  const ends: Date = await scheme.cancelPlan(subscribed.channelId, { now: fetches.length > 2 });
  const units: bigint | undefined = scheme.channels()[0]?.subscription?.unused;
  if (ends < subscribed.periodEnd && units === subscribed.quota) return subscribed.price;
  const error = new PaymentError("limit", "no");
  const hint: string | undefined = error.hint;
  const code: "terms" | "limit" | "state" | "chain" | "store" = error.code;
  for (const event of events) {
    if (event.type === "paid") return event.amount;
    if (event.type === "passedOver" && event.planId === 1n) throw new Error(event.reason + hint);
  }
  return code === "limit" ? scheme.spent().total : 0n;
}

export async function misuses(chain: Chain) {
  // @ts-expect-error limits are required
  await LodeScheme.open({ chain, store: new MemoryStore() });
  // @ts-expect-error floats are no money
  await LodeScheme.open({ chain, store: new MemoryStore(), limits: { perRequest: 0.5, perDay: 1n } });
  // @ts-expect-error a service is required
  await (await LodeScheme.open({ chain, store: new MemoryStore(), limits: { perRequest: 1n, perDay: 1n } })).subscribe({ planId: 1 });
  // @ts-expect-error a chain has more than an id
  await LodeScheme.open({ chain: { chainId: "lode-1" }, store: new MemoryStore(), limits: { perRequest: 1n, perDay: 1n } });
}
