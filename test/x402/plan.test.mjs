// A customer with a plan: its quota is used first, what is beyond it is paid by use.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { payingFetch } from "@lodenet/x402/fetch";
import { gateway, paying, report } from "./paying.mjs";

const { LODE_SERVICE: serviceId, LODE_PLAN: planId, LODE_LONG_PLAN: longPlanId } = process.env;

let it;
let plan; // as it was subscribed to
let long;
const work = async (body) => {
  const response = await it.pay(`${gateway}/work`, { method: "POST", body });
  assert.equal(await response.text(), body.toUpperCase());
};
const byPlan = () => it.scheme.channels().find((c) => c.id === plan.channelId);

before(async () => {
  it = await paying({ scheme: { limits: { perRequest: "200000", perDay: "20000000" } } });
});
after(async () => {
  const byUse = it.scheme.channels().find((c) => !c.subscription);
  const fees = it.events.reduce((sum, e) => sum + (e.fee ?? 0n), 0n);
  report({ channel: byUse.id, charged: byUse.charged, deposit: byUse.deposit, fees, spent: it.scheme.spent().total, plan: plan.channelId, long });
  await it.close();
});

test("a plan is subscribed to, with the price of three periods", async () => {
  plan = await it.scheme.subscribe({ serviceId, planId, periods: 3, closeDelay: 900 });
  assert.equal(plan.price, 600_000n);
  assert.equal(plan.quota, 150n);
  assert.equal(plan.left, 1_200_000n);
  assert.equal((await it.chain.channel(plan.channelId)).deposit, 1_800_000n);
});

test("a stream and requests are paid out of its quota, in units", async () => {
  const text = await (await it.pay(`${gateway}/stream`)).text();
  assert.equal(text.split("\n\n").length - 1, 25);
  assert.equal(byPlan().charged, 100n);
  for (const body of ["a", "b", "c"]) await work(body);
  await Promise.all(["d", "e"].map(work));
  assert.equal(byPlan().charged, 135n);
  assert.equal(byPlan().subscription.unused, 15n);
  assert.equal(it.scheme.channels().length, 1, "nothing was paid by use");
});

test("what the quota does not reach for is paid by use", async () => {
  await work("f"); // 142
  await work("g");
  const byUse = it.scheme.channels().find((c) => !c.subscription);
  assert.equal(byUse.charged, 7_000n);
  assert.equal(byPlan().charged, 142n);
  assert.deepEqual(it.events.filter((e) => e.type === "passedOver").map((e) => e.channelId), [plan.channelId]);
});

test("beyond the limits it is refused, with what stock clients keep of it and with the code", async () => {
  const message = /a request of 1000000000 rao exceeds limits.perRequest, which is 200000/;
  await assert.rejects(it.pay(`${gateway}/dear`), message);
  await assert.rejects(payingFetch(it.scheme)(`${gateway}/dear`), { name: "PaymentError", code: "limit", message });
  assert.equal(it.scheme.channels().length, 2);
});

test("what the chain refuses is told by its reason alone", async () => {
  const refused = it.chain.deposit({ channelId: plan.channelId }, 10n ** 15n, (await it.chain.height()) + 10n);
  await assert.rejects(refused, { code: "chain", message: /^the chain refuses: spendable balance \d+rao is smaller than 1000000000000000rao: insufficient funds; send the account TAO/ });
});

test("another plan is cancelled at once", async () => {
  const { channelId, periodEnd, period, price } = await it.scheme.subscribe({ serviceId, planId: longPlanId, closeDelay: 5 });
  const ends = await it.scheme.cancelPlan(channelId, { now: true });
  assert.equal(it.scheme.channels().some((c) => c.id === channelId), false);
  const [seconds, start] = [ends, periodEnd].map((date) => BigInt(date.getTime() / 1000));
  long = { channel: channelId, price, elapsed: seconds - (start - period) };
});
