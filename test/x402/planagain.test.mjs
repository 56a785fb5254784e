// The same customer, later: another process with the same store, in the plan's second
// period.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { gateway, paying, report } from "./paying.mjs";

let it;
let plan;
let byUse;
const work = async (body) => {
  const response = await it.pay(`${gateway}/work`, { method: "POST", body });
  assert.equal(await response.text(), body.toUpperCase());
};
const now = () => it.scheme.channels().find((c) => c.id === plan.id);

before(async () => {
  it = await paying({ scheme: { limits: { perRequest: "200000", perDay: "20000000" } } });
  plan = it.scheme.channels().find((c) => c.subscription);
  byUse = it.scheme.channels().find((c) => !c.subscription);
});
after(async () => {
  const fees = it.events.reduce((sum, e) => sum + (e.fee ?? 0n), 0n);
  const { charged } = it.scheme.channels().find((c) => c.id === byUse.id);
  report({ fees, charged, units: now().charged, spent: it.scheme.spent().total });
  await it.close();
});

test("the subscription of the last run goes on", async () => {
  assert.equal(plan.charged, 142n);
  assert.equal(plan.promised, 0n);
});

test("the chain begins the second period, and its quota is used", async () => {
  const { usedBefore } = await begun();
  assert.equal(usedBefore, 150n);
  await work("h");
  assert.equal(now().charged, 157n);
  assert.equal(now().subscription.left, 600_000n);
  assert.equal(now().dispute, undefined);
  assert.deepEqual(it.events.map((e) => [e.type, e.amount]), [["paid", 7n]]);
});

test("it is cancelled, and goes on to the period's end", async () => {
  const ends = await it.scheme.cancelPlan(plan.id);
  assert.deepEqual(ends, now().subscription.periodEnd);
  await work("i");
  assert.equal(now().charged, 164n);
  assert.equal(now().subscription.cancelled, true);
});

/** Asks the chain until the period that the store knows of is over. */
async function begun() {
  for (;;) {
    const { plan: onChain } = await it.chain.channel(plan.id);
    if (onChain.usedBefore > 0n) return onChain;
    await wait(200);
  }
}
