// Plans: a price a period for a quota of units, used before anything is paid by use.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore, PaymentError } from "@lodenet/x402";
import { payingFetch } from "@lodenet/x402/fetch";
import { FakeChain, FakeGateway, hotkey, setUp, stranger, streaming, url } from "./fake.js";

const plan = { id: 3n, name: "hourly", price: 5000n, period: 3600n, quota: 25n };

/** A customer of a service with a plan, on the chain's clock. Gives what setUp does, and its own fetch. */
async function customer({ scheme = {}, with: start = setUp, ...options } = {}) {
  const chain = options.chain ?? new FakeChain();
  chain.services.get(1n).plans = [{ ...plan }];
  const at = await start({ ...options, chain, scheme: { now: () => chain.now * 1000, ...scheme } });
  return { ...at, pay: payingFetch(at.scheme, at.client) };
}

/** What requests were paid with: the asset and the cumulative amount of each. */
const paid = (gateway) => gateway.requests.map((r) => `${r.accepted.asset} ${r.payload.voucher.maxClaimableAmount}`);

test("a plan that is subscribed to is used, and counted in units", async () => {
  const { chain, gateway, events, scheme, pay } = await customer();
  const { channelId, ...subscription } = await scheme.subscribe({ serviceId: "1", planId: 3, periods: 2 });
  assert.deepEqual(subscription, {
    planId: 3n, price: 5000n, period: 3600n, quota: 25n, unused: 25n, periodEnd: new Date(Date.UTC(2026, 0, 1, 13)), cancelled: false, left: 5000n,
  });
  const { sessionKey, ...into } = chain.deposits[0].into;
  assert.equal(sessionKey.length, 32);
  assert.deepEqual(into, { serviceId: 1n, closeDelay: 3600, planId: 3n, maxPrice: 5000n });
  assert.equal(chain.deposits[0].amount, 10_000n);
  assert.deepEqual(scheme.spent(), { today: 5010n, total: 5010n }); // a period and the fee

  for (let i = 0; i < 2; i++) assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17"]);
  assert.deepEqual(gateway.requests.map((r) => r.payload.type), ["deposit", "voucher"]);
  assert.equal(gateway.requests[0].accepted.extra.planId, "3");
  assert.equal(chain.deposits.length, 1);
  assert.deepEqual(scheme.spent(), { today: 5010n, total: 5010n });
  const [channel] = scheme.channels();
  assert.equal(channel.charged, 14n);
  assert.equal(channel.subscription.unused, 11n);
  assert.deepEqual(events.map((e) => [e.type, e.planId, e.amount]), [["opened", 3n, 10_000n], ["paid", 3n, 7n], ["paid", 3n, 7n]]);
});

test("without a subscription it is paid by use, though a plan is offered", async () => {
  const { gateway, pay } = await customer();
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100"]);
});

test("a quota that is used up gives way to paying by use, which is told once", async () => {
  const { chain, gateway, events, scheme, pay } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1 });
  let looks = 0;
  const { channel } = FakeChain.prototype;
  chain.channel = (id) => (id === channelId && looks++, channel.call(chain, id));
  for (let i = 0; i < 6; i++) assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17", "unit 24", "rao 100", "rao 170", "rao 240"]);
  assert.equal(looks, 1); // not at each request
  assert.deepEqual(events.filter((e) => e.type === "passedOver").map((e) => [e.channelId, e.planId, e.reason]), [
    [channelId, 3n, "plan 3 has 4 of 25 units left until 2026-01-01T13:00:00.000Z, not enough for 10 more; wait for the next period, or pay by use"],
  ]);
  // a request that may use no more than what is left is one for the plan
  gateway.planAmount = "4";
  gateway.units = 4n;
  assert.equal((await pay(url)).status, 200);
  assert.equal(paid(gateway).at(-1), "unit 25");
});

test("it is told, too, where the chain was asked for another reason just before", async () => {
  const { gateway, events, scheme, pay } = await customer();
  await scheme.subscribe({ serviceId: 1 });
  for (let i = 0; i < 2; i++) await pay(url);
  const serve = gateway.fetch;
  gateway.fetch = async (request) => {
    if (!request.headers.has("PAYMENT-SIGNATURE")) return serve(request);
    gateway.fetch = serve;
    return gateway.required("cumulative_amount_mismatch", gateway.correct(scheme.channels()[0].id));
  };
  assert.equal((await pay(url)).status, 402);
  for (let i = 0; i < 2; i++) assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17", "unit 24", "rao 100"]);
  assert.equal(events.filter((e) => e.type === "passedOver").length, 1);
});

test("where the limits don't let it be paid by use either, that is said", async () => {
  const { gateway, scheme, pay } = await customer({ scheme: { limits: { perRequest: 99n, perDay: 100_000n } } });
  await scheme.subscribe({ serviceId: 1 });
  for (let i = 0; i < 3; i++) assert.equal((await pay(url)).status, 200);
  for (let i = 0; i < 2; i++) await assert.rejects(pay(url), { name: "PaymentError", code: "limit", message: /a request of 100 rao exceeds limits.perRequest, which is 99/ });
  assert.equal(gateway.requests.length, 3);
});

test("where there are plans alone, a quota that is used up is an error", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  gateway.plansAlone = true;
  await assert.rejects(pay(url), { name: "PaymentError", code: "terms", hint: 'subscribe to it first: scheme.subscribe({ serviceId: "1", planId: "3" })' });
  await scheme.subscribe({ serviceId: 1 });
  for (let i = 0; i < 3; i++) assert.equal((await pay(url)).status, 200);
  await assert.rejects(pay(url), { name: "PaymentError", code: "limit", message: /plan 3 has 4 of 25 units left/ });
  assert.equal(chain.deposits.length, 1);
  assert.equal(gateway.requests.length, 3);
});

test("a new period counts from where the last quota ended, and its price is spent when it begins", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1, periods: 3 });
  for (let i = 0; i < 2; i++) await pay(url);
  chain.endPeriod(channelId);
  assert.equal((await pay(url)).status, 200); // what our books had is corrected by the server, and the chain confirms it
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17", "unit 24", "unit 35"]);
  assert.equal((await pay(url)).status, 200);
  assert.equal(paid(gateway).at(-1), "unit 42");
  const [channel] = scheme.channels();
  assert.equal(channel.charged, 39n);
  assert.equal(channel.dispute, undefined);
  assert.equal(channel.subscription.left, 5000n);
  assert.deepEqual(scheme.spent(), { today: 10_010n, total: 10_010n });

  // used up, and the next period has begun: the chain is asked before anything is paid by use
  gateway.units = 8n;
  await pay(url);
  chain.endPeriod(channelId);
  await pay(url);
  assert.deepEqual(paid(gateway).slice(-2), ["unit 49", "unit 60"]);
  assert.deepEqual(scheme.spent(), { today: 15_010n, total: 15_010n });
  assert.equal(scheme.channels()[0].subscription.left, 0n);
});

test("periods that passed unseen are spent on their own days", async () => {
  const { chain, scheme, pay } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1, periods: 20 });
  for (let i = 0; i < 14; i++) chain.endPeriod(channelId); // from noon of the first day to 2 o'clock of the second
  assert.deepEqual(scheme.spent(), { today: 0n, total: 5010n });
  assert.equal((await pay(url)).status, 200);
  // those of midnight, 1 and 2 o'clock are of this day
  assert.deepEqual(scheme.spent(), { today: 15_000n, total: 75_010n });
});

test("a period that begins a block late is waited for", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1, periods: 2 });
  await pay(url);
  chain.now += 3600; // no block yet
  const { channel } = FakeChain.prototype;
  let looks = 0;
  chain.channel = (id) => {
    if (++looks === 2) chain.endPeriod(channelId);
    return channel.call(chain, id);
  };
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17", "unit 35"]);
});

test("a subscription whose deposit does not reach ends, and what follows is paid by use", async () => {
  const { chain, gateway, events, scheme, pay } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1 });
  await pay(url);
  chain.endPeriod(channelId);
  assert.equal(chain.channels.size, 0);
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17", "rao 100"]);
  assert.match(events.find((e) => e.type === "passedOver").reason, /subscription of channel 0101\w+ to plan 3 has ended/);
  assert.equal(scheme.channels().length, 1);
  await scheme.subscribe({ serviceId: 1 });
  await pay(url);
  assert.equal(paid(gateway).at(-1), "unit 10");
});

test("a server that says a period has ended where no other begins is paid by use", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  await scheme.subscribe({ serviceId: 1 }); // of one period
  await pay(url);
  chain.now += 3600; // the chain's block has yet to end it
  assert.equal((await pay(url)).status, 200);
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17", "rao 100", "rao 170"]);
});

test("a plan goes on for longer if more is put in, within the limits", async () => {
  const limits = { perRequest: 1000n, perDay: 20_000n, locked: 9_999n, total: 22_000n };
  const { chain, events, scheme } = await customer({ scheme: { limits } });
  const { channelId } = await scheme.subscribe({ serviceId: 1 });
  await scheme.topUp(channelId, 5000n);
  assert.deepEqual(chain.deposits[1].into, { channelId });
  assert.deepEqual([events.at(-1).type, events.at(-1).planId, events.at(-1).amount], ["toppedUp", 3n, 5000n]);
  assert.equal(scheme.channels()[0].subscription.left, 5000n);
  await assert.rejects(scheme.topUp(channelId, "5000"), { code: "limit", message: /a deposit of 5000 rao exceeds limits.locked: 4999 of 9999 rao are left/ });
  chain.endPeriod(channelId);
  await scheme.topUp(channelId, "9000");
  assert.equal(scheme.channels()[0].subscription.left, 9000n);
  assert.deepEqual(scheme.spent(), { today: 10_030n, total: 10_030n });
  chain.endPeriod(channelId);
  await assert.rejects(scheme.topUp(channelId, 6000n), { code: "limit", message: /a deposit of 10000 rao exceeds limits.perDay: 4970 of 20000 rao are left/ });
  chain.now += 86_400;
  for (const amount of [0n, "0", "-1", "1tao", 5]) await assert.rejects(scheme.topUp(channelId, amount), { code: "limit", message: /the amount is/ });
  await scheme.cancelPlan(channelId);
  await assert.rejects(scheme.topUp(channelId, 1n), { code: "state", message: /has ended, or is about to/ });
  assert.equal(chain.deposits.length, 3);
});

test("a plan that is cancelled goes on to the end of its period", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1, periods: 5 });
  assert.deepEqual(await scheme.cancelPlan(channelId), new Date(Date.UTC(2026, 0, 1, 13)));
  assert.deepEqual(chain.cancelled, [[channelId, false]]);
  assert.equal(scheme.channels()[0].subscription.cancelled, true);
  assert.equal((await pay(url)).status, 200);
  chain.endPeriod(channelId);
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17", "rao 100"]);
});

test("a plan that is cancelled now pays nothing more", async () => {
  const { chain, gateway, events, scheme, pay } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1 });
  assert.deepEqual(await scheme.cancelPlan(channelId, { now: true }), new Date(Date.UTC(2026, 0, 1, 13)));
  assert.deepEqual(chain.cancelled, [[channelId, true]]);
  assert.deepEqual([events.at(-1).type, events.at(-1).planId, events.at(-1).fee], ["cancelled", 3n, 10n]);
  assert.deepEqual(scheme.spent(), { today: 5020n, total: 5020n });
  assert.deepEqual(scheme.channels(), []);
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100"]);
  await assert.rejects(scheme.cancelPlan(channelId), { code: "state", message: /the store has no channel/ });
  const [byUse] = scheme.channels();
  await assert.rejects(scheme.cancelPlan(byUse.id), { code: "state", hint: "closeChannel closes it" });
});

test("cancelling what the chain has ended forgets it", async () => {
  const { chain, scheme } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1 });
  chain.channels.clear();
  await assert.rejects(scheme.cancelPlan(channelId), { code: "state", message: /has ended/ });
  assert.deepEqual(scheme.channels(), []);
});

test("a subscription outlasts a restart, and what is under way then stays reserved", async () => {
  const chain = new FakeChain();
  const gateway = new FakeGateway(chain);
  const store = new MemoryStore();
  const first = await customer({ chain, gateway, store });
  await first.scheme.subscribe({ serviceId: 1 });
  await first.pay(url);
  gateway.before = () => new Promise(() => {}); // never answers
  const reached = gateway.requests.length + 1;
  first.pay(url).catch(() => {});
  while (gateway.requests.length < reached) await new Promise(setImmediate);
  gateway.before = async () => {};

  const second = await customer({ chain, gateway, store });
  assert.equal(second.scheme.channels()[0].promised, 10n);
  assert.deepEqual(second.scheme.spent(), { today: 5010n, total: 5010n });
  gateway.planAmount = "5";
  gateway.units = 5n;
  assert.equal((await second.pay(url)).status, 200);
  assert.equal(paid(gateway).at(-1), "unit 22");
  assert.equal(chain.deposits.length, 1);
});

test("books of before there were plans are read", async () => {
  const { chain, gateway, store, pay } = await customer();
  await pay(url);
  const books = JSON.parse(await store.read());
  books.version = 1;
  for (const channel of books.channels) delete channel.left;
  await store.write(JSON.stringify(books));
  const later = await customer({ chain, gateway, store });
  assert.equal((await later.pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100", "rao 170"]);
});

test("a subscription whose answer was lost is found by its key, not bought twice", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  chain.loses = true;
  await assert.rejects(scheme.subscribe({ serviceId: 1 }), /outcome is not known/);
  assert.deepEqual(scheme.spent(), { today: 0n, total: 0n });
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10"]);
  assert.deepEqual(scheme.spent(), { today: 5000n, total: 5000n }); // its fee was not heard of
  assert.equal(chain.deposits.length, 1);
});

test("one that was being opened when the program was killed is found by subscribing again", async () => {
  const chain = new FakeChain();
  const store = new MemoryStore();
  const first = await customer({ chain, store });
  const { deposit } = FakeChain.prototype;
  let sent;
  const reached = new Promise((resolve) => (sent = resolve));
  chain.deposit = async (...args) => {
    await deposit.apply(chain, args);
    sent();
    return new Promise(() => {}); // never heard
  };
  first.scheme.subscribe({ serviceId: 1 }).catch(() => {});
  await reached;
  chain.deposit = deposit;
  const second = await customer({ chain, store });
  const { unused } = await second.scheme.subscribe({ serviceId: 1 });
  assert.equal(unused, 25n);
  assert.equal(chain.deposits.length, 1);
});

test("while a subscription may still come into a block there is no second, and it is paid by use", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  chain.loses = true;
  await assert.rejects(scheme.subscribe({ serviceId: 1 }), /outcome is not known/);
  chain.channels = new Map(); // not in a block yet
  await assert.rejects(scheme.subscribe({ serviceId: 1 }), { code: "chain", message: /may still be opening; try again after block 150/ });
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100"]);
  chain.at = 151n;
  await scheme.subscribe({ serviceId: 1 }); // the first never came
  assert.equal(chain.deposits.length, 3);
});

test("a subscription that never came into a block is paid without", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  chain.loses = true;
  await assert.rejects(scheme.subscribe({ serviceId: 1 }), /outcome is not known/);
  chain.channels = new Map();
  chain.at = 151n;
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100"]);
  assert.equal(chain.deposits.length, 2);
});

test("a plan that runs is not bought a second time", async () => {
  const { chain, scheme } = await customer();
  const { channelId } = await scheme.subscribe({ serviceId: 1 });
  await assert.rejects(scheme.subscribe({ serviceId: 1 }), { code: "state", message: /subscribes to plan 3 already, this period until 2026-01-01T13/ });
  assert.equal(chain.deposits.length, 1);
  await scheme.cancelPlan(channelId);
  await scheme.subscribe({ serviceId: 1 }); // for when that one has ended
  assert.equal(chain.deposits.length, 2);
});

test("of two subscriptions the one that ends first is used first", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  const first = await scheme.subscribe({ serviceId: 1 });
  await scheme.cancelPlan(first.channelId);
  chain.now += 60;
  const second = await scheme.subscribe({ serviceId: 1 });
  for (let i = 0; i < 6; i++) assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10", "unit 17", "unit 24", "unit 10", "unit 17", "unit 24"]);
  assert.deepEqual(gateway.requests.map((r) => r.payload.voucher.channelId === first.channelId), [true, true, true, false, false, false]);
  assert.equal(gateway.requests.at(-1).payload.voucher.channelId, second.channelId);
});

test("a plan costs no more than was said, and is one that is offered", async () => {
  const { chain, scheme } = await customer();
  const refused = async (options, error) => assert.rejects(scheme.subscribe({ serviceId: 1, ...options }), { name: "PaymentError", ...error });
  await refused({ maxPrice: "4999" }, { code: "limit", message: /plan 3 costs 5000 rao a period, maxPrice is 4999/ });
  await refused({ planId: 4 }, { code: "terms", message: /service 1 offers no plan 4; its plans: 3 \(hourly, 5000 rao a period\)/ });
  await refused({ serviceId: 9 }, { code: "terms", message: /no service 9/ });
  for (const serviceId of [0, -1, 1.5, "x", undefined, null]) await refused({ serviceId }, { code: "terms", message: /serviceId is/ });
  for (const planId of [0, -1, "1e3", {}]) await refused({ planId }, { code: "terms", message: /planId is/ });
  for (const periods of [0, -1, 1.5, "2", NaN, Infinity, 2 ** 53]) await refused({ periods }, { code: "terms", message: /periods is/ });
  for (const maxPrice of ["1tao", -1n, 5000]) await refused({ maxPrice }, { code: "limit", message: /maxPrice is/ });
  for (const closeDelay of [0, 1.5, 86_401, "900"]) await refused({ closeDelay }, { code: "terms", message: /closeDelay is/ });
  chain.services.get(1n).plans.push({ ...plan, id: 5n, name: "dear", price: 9000n });
  await refused({}, { code: "terms", message: /planId is missing, service 1 offers 2 plans; its plans: 3 \(hourly.*5 \(dear, 9000 rao/ });
  chain.services.get(1n).plans = [];
  await refused({}, { code: "terms", message: /service 1 offers no plan; pay it by use/ });
  chain.services.get(1n).listed = false;
  await refused({}, { code: "terms", message: /no service 1 that is offered/ });
  assert.deepEqual(chain.deposits, []);
  assert.deepEqual(scheme.channels(), []);
});

test("each limit holds for subscriptions", async () => {
  const cases = [
    [{ perDay: 4999n }, {}, /a day of the plan of 5000 rao exceeds limits.perDay/],
    [{ perDay: 14_999n, locked: 100_000n }, { periods: 3 }, /a day of the plan of 15000 rao exceeds limits.perDay/],
    [{ perProvider: 4999n }, {}, /exceeds limits.perProvider/],
    [{ total: 9999n }, { periods: 2 }, /a subscription of 10000 rao exceeds limits.total/],
    [{ locked: 9999n }, { periods: 3 }, /a deposit for later periods of 10000 rao exceeds limits.locked/],
  ];
  for (const [limits, options, message] of cases) {
    const { chain, scheme } = await customer({ scheme: { limits: { perRequest: 1000n, perDay: 100_000n, ...limits } } });
    await assert.rejects(scheme.subscribe({ serviceId: 1, ...options }), { name: "PaymentError", code: "limit", message });
    assert.deepEqual(chain.deposits, []);
  }
});

test("periods of other days don't bind the limit of a day, and a day has no more of them than fit", async () => {
  const { chain, scheme } = await customer({ scheme: { limits: { perRequest: 1000n, perDay: 5100n, locked: 50_000n } } });
  chain.services.get(1n).plans[0].period = 86_400n;
  await scheme.subscribe({ serviceId: 1, periods: 10 });
  assert.equal(chain.deposits[0].amount, 50_000n);
});

test("what renews by itself is set aside in the limits", async () => {
  const limits = { perRequest: 1000n, perDay: 15_100n, total: 20_000n, locked: 100_000n };
  const { chain, gateway, scheme, pay } = await customer({ scheme: { limits } });
  chain.fee = 0n;
  chain.least = 0n;
  const { channelId } = await scheme.subscribe({ serviceId: 1, periods: 3 });
  gateway.planAmount = "26"; // never fits the quota
  assert.equal((await pay(url)).status, 200);
  await assert.rejects(pay(url), /a request of 100 rao exceeds limits.perDay: 30 of 15100 rao are left/);
  await scheme.cancelPlan(channelId); // nothing renews any more
  assert.equal((await pay(url)).status, 200);
});

test("a plan with less than the chain's least deposit takes that", async () => {
  const { chain, scheme } = await customer();
  chain.least = 12_000n;
  assert.equal((await scheme.subscribe({ serviceId: 1 })).left, 7000n);
  assert.equal(chain.deposits[0].amount, 12_000n);
});

test("a subscription that the chain refuses leaves nothing behind", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  chain.fails = new PaymentError("chain", "insufficient funds");
  await assert.rejects(scheme.subscribe({ serviceId: 1 }), /insufficient funds/);
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100"]);
  await scheme.subscribe({ serviceId: 1 });
});

test("requests at once share a quota, and those beyond it are paid by use", async () => {
  const { gateway, scheme, pay } = await customer();
  await scheme.subscribe({ serviceId: 1 });
  let waiting = [];
  gateway.before = () => new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 5) for (const go of waiting) go();
  });
  const all = await Promise.all([1, 2, 3, 4, 5].map(() => pay(url)));
  assert.ok(all.every((r) => r.status === 200));
  assert.deepEqual(paid(gateway).sort(), ["rao 100", "rao 200", "rao 300", "unit 10", "unit 20"]);
  const [byPlan, byUse] = scheme.channels();
  assert.deepEqual([byPlan.charged, byPlan.promised, byPlan.dispute], [14n, 0n, undefined]);
  assert.deepEqual([byUse.charged, byUse.promised, byUse.dispute], [210n, 0n, undefined]);
});

test("while the chain can't be asked, a plan goes on, and what is beyond its quota is paid by use", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  gateway.planAmount = "26";
  await pay(url); // opens a channel by use
  gateway.planAmount = "10";
  await scheme.subscribe({ serviceId: 1 });
  for (const method of ["height", "minDeposit", "service", "channel", "find", "deposit"]) {
    chain[method] = async () => {
      throw new Error("connection refused");
    };
  }
  for (let i = 0; i < 4; i++) assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100", "unit 10", "unit 17", "unit 24", "rao 170"]);
});

test("a provider whose hotkey was swapped is paid on, as the chain says", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  await scheme.subscribe({ serviceId: 1 });
  gateway.terms = (t) => ({ ...t, payTo: stranger, extra: { ...t.extra, receiverAuthorizer: stranger } });
  await assert.rejects(pay(url), { code: "terms", message: /service 1 is not of lode1/ });
  assert.deepEqual(gateway.requests, []);
  chain.services.get(1n).hotkey = stranger;
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["unit 10"]);
  assert.equal(scheme.channels()[0].payTo, stranger);
  assert.notEqual(stranger, hotkey);
});

test("a subscription that closes sooner than the server asks for is passed over", async () => {
  const { gateway, events, scheme, pay } = await customer();
  await scheme.subscribe({ serviceId: 1, closeDelay: 900 });
  gateway.terms = (t) => ({ ...t, extra: { ...t.extra, withdrawDelay: 1000 } });
  for (let i = 0; i < 2; i++) assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100", "rao 170"]);
  const [{ reason }, ...more] = events.filter((e) => e.type === "passedOver");
  assert.match(reason, /closes within 900 seconds, the server asks for 1000; cancelPlan it, and subscribe with a closeDelay of 1000/);
  assert.deepEqual(more, []);
  gateway.plansAlone = true;
  await assert.rejects(pay(url), { code: "terms", message: /closes within 900 seconds/ });
});

test("so is one with less in it than the server asks for", async () => {
  const { gateway, events, scheme, pay } = await customer();
  await scheme.subscribe({ serviceId: 1 });
  const { planOffers } = FakeGateway.prototype;
  gateway.planOffers = () => planOffers.call(gateway).map((o) => ({ ...o, extra: { ...o.extra, minDeposit: "5001" } }));
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100"]);
  assert.match(events.find((e) => e.type === "passedOver").reason, /was opened with 5000 rao, the server asks for 5001/);
});

test("a request that is paid anew after a while passes a plan over once more", async () => {
  const { chain, gateway, scheme, pay } = await customer();
  gateway.planAmount = "26"; // never fits
  await scheme.subscribe({ serviceId: 1 });
  const serve = gateway.fetch;
  let behind = 1;
  gateway.fetch = async (request) => {
    if (!request.headers.has("PAYMENT-SIGNATURE") || behind-- < 1) return serve(request);
    chain.now += 60; // the chain is asked for the plan again
    return gateway.required("channel_not_found");
  };
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(paid(gateway), ["rao 100"]);
});

test("a node that shows another subscription than the one that was bought is not believed", async () => {
  for (const lie of [(c) => ({ ...c, plan: { ...c.plan, id: 4n } }), (c) => ({ ...c, plan: undefined }), (c) => ({ ...c, plan: { ...c.plan, price: 5001n } }), (c) => ({ ...c, plan: { ...c.plan, quota: 0n } })]) {
    const { chain, scheme } = await customer();
    const { channel } = FakeChain.prototype;
    chain.channel = async (id) => lie(await channel.call(chain, id));
    await assert.rejects(scheme.subscribe({ serviceId: 1 }), { code: "chain", message: /is not the one that was asked for/ });
    assert.deepEqual(scheme.channels(), []);
  }
});

const lies = {
  "more than the ceiling": (s) => ((s.extra.chargedAmount = "11"), s),
  "a sum of a period that has not begun": (s) => ((s.extra.channelState.chargedCumulativeAmount = "32"), s),
};

for (const [name, lie] of Object.entries(lies)) {
  test(`a server that says it charged a plan ${name} gets no further voucher`, async () => {
    const { gateway, events, scheme, pay } = await customer();
    await scheme.subscribe({ serviceId: 1 });
    gateway.settlement = lie;
    assert.equal((await pay(url)).status, 200);
    gateway.settlement = (s) => s;
    assert.deepEqual([events.at(-1).type, events.at(-1).planId], ["disputed", 3n]);
    await assert.rejects(pay(url), { code: "state", message: /is in dispute: .* units? / });
    assert.equal(gateway.requests.length, 1);
  });
}

test("a correction to a period that has not begun is not believed", async () => {
  const { gateway, scheme, pay } = await customer();
  await scheme.subscribe({ serviceId: 1 });
  await pay(url);
  const { required } = FakeGateway.prototype;
  const serve = gateway.fetch;
  gateway.fetch = async (request) => {
    if (!request.headers.has("PAYMENT-SIGNATURE")) return serve(request);
    const extra = gateway.correct(scheme.channels()[0].id);
    extra.channelState.chargedCumulativeAmount = "25";
    return required.call(gateway, "cumulative_amount_mismatch", extra);
  };
  assert.equal((await pay(url)).status, 402);
  assert.match(scheme.channels()[0].dispute, /not backed by a voucher of ours: it says that 25 units were charged/);
});

test("books from an old backup are mended by a voucher of our own, in units", async () => {
  const chain = new FakeChain();
  const gateway = new FakeGateway(chain);
  const store = new MemoryStore();
  const first = await customer({ chain, gateway, store });
  await first.scheme.subscribe({ serviceId: 1 });
  await first.pay(url);
  const backup = await store.read();
  await first.pay(url);
  await store.write(backup);
  gateway.planAmount = "5";
  gateway.units = 5n;
  const second = await customer({ chain, gateway, store });
  assert.equal((await second.pay(url)).status, 200);
  assert.equal(second.scheme.channels()[0].charged, 19n);
  assert.deepEqual(second.scheme.spent(), { today: 5010n, total: 5010n });
});

const chunks = Array.from({ length: 8 }, (_, i) => `data: part ${i}\n\n`);

async function streamed({ quota = 500n, scheme } = {}) {
  const at = await customer({ with: (options) => streaming(chunks, options), scheme });
  at.chain.services.get(1n).plans[0].quota = quota;
  at.gateway.planAmount = "100";
  await at.scheme.subscribe({ serviceId: 1, periods: 2 });
  return at;
}

test("a stream is paid by plan as it goes, whatever the limits in rao are", async () => {
  const { gateway, scheme, pay } = await streamed({ scheme: { limits: { perRequest: 1n, perDay: 10_010n } } });
  assert.equal(await (await pay(url)).text(), chunks.join(""));
  assert.deepEqual(paid(gateway), ["unit 100", "unit 180", "unit 260", "unit 340"]);
  const [channel] = scheme.channels();
  assert.deepEqual([channel.charged, channel.promised, channel.dispute], [320n, 0n, undefined]);
  assert.equal(channel.subscription.unused, 180n);
});

test("a stream that its quota does not reach for ends with the reason", async () => {
  const { scheme, pay } = await streamed({ quota: 200n });
  await assert.rejects((await pay(url)).text(), { name: "PaymentError", code: "limit", message: /plan 3 has 20 of 200 units left until .*, not enough for 80 more/ });
  assert.equal(scheme.channels()[0].signed, 180n);
});

test("a stream under way goes on in a new period", async () => {
  const { chain, gateway, scheme, pay } = await streamed({ quota: 350n });
  const [{ id }] = scheme.channels();
  gateway.need = (need) => {
    if (need.requiredCumulative !== "260") return need;
    chain.endPeriod(id); // all that runs counts to the new period
    gateway.state.get(id).charged = 350n;
    return { ...need, requiredCumulative: "610" };
  };
  assert.equal(await (await pay(url)).text(), chunks.join(""));
  const [channel] = scheme.channels();
  assert.deepEqual([channel.charged, channel.promised, channel.dispute], [670n, 0n, undefined]);
});

test("a stream that asks for the whole quota at once gets nothing", async () => {
  const { gateway, scheme, pay } = await streamed({ quota: 1_000_000n });
  gateway.need = (need) => ({ ...need, additionalAmount: "1601" });
  await assert.rejects((await pay(url)).text(), { code: "limit", message: /asks for 1601 units at once, its request may use 100/ });
  assert.equal(scheme.channels()[0].signed, 100n);
});
