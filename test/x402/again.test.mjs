// The same customer, later: another process with the same store.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gateway, paying, report } from "./paying.mjs";

let it;
let cut = 0; // answers to lose
before(async () => {
  it = await paying({
    scheme: {
      fetch: async (request) => {
        const response = await fetch(request);
        if (request.headers.has("PAYMENT-SIGNATURE") && cut > 0) {
          cut--;
          await response.arrayBuffer();
          throw new TypeError("the line was cut");
        }
        return response;
      },
    },
  });
});
after(async () => {
  const [channel] = it.scheme.channels();
  const fees = it.events.reduce((sum, e) => sum + (e.fee ?? 0n), 0n);
  report({ channel: channel.id, charged: channel.charged, deposit: channel.deposit, fees, paid: it.events.filter((e) => e.type === "paid").length });
  await it.close();
});

test("the channel of the last run goes on", async () => {
  assert.equal((await it.pay(`${gateway}/work`, { method: "POST", body: "z" })).status, 200);
  assert.equal(it.scheme.channels()[0].charged, 610_000n);
  assert.deepEqual(it.events.map((e) => e.type), ["paid"]);
});

test("an answer that was lost is had again, and served and charged once", async () => {
  cut = 2;
  const served = Number(await (await fetch(`${gateway}/served`)).text());
  const response = await it.pay(`${gateway}/work`, { method: "POST", body: "lost" });
  assert.equal(await response.text(), "LOST");
  assert.equal(cut, 0);
  assert.equal(Number(await (await fetch(`${gateway}/served`)).text()), served + 1);
  assert.equal(it.scheme.channels()[0].charged, 617_000n);
});

test("a channel that runs low is topped up under way", async () => {
  for (let i = 0; i < 4; i++) {
    const text = await (await it.pay(`${gateway}/stream`)).text();
    assert.equal(text.split("\n\n").length - 1, 25);
  }
  assert.equal(it.events.filter((e) => e.type === "toppedUp").length, 1);
  const [channel] = it.scheme.channels();
  assert.equal(channel.charged, 1_017_000n);
  assert.equal((await it.chain.channel(channel.id)).deposit, 2_000_000n);
});

test("what exceeds the limits is not asked for", async () => {
  await assert.rejects(it.pay(`${gateway}/dear`), /exceeds limits.perRequest, which is 200000/);
});
