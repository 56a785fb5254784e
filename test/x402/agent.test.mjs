// An agent pays with what its owner allows it, on chain.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gateway, paying, report } from "./paying.mjs";

let it;
before(async () => {
  it = await paying({
    connect: { payer: process.env.LODE_PAYER, feesByPayer: true },
    scheme: { deposit: "1500000" },
  });
});
after(async () => {
  report({ channels: it.scheme.channels().map((c) => c.id) });
  await it.close();
});

test("it opens a channel of its owner's", async () => {
  assert.equal((await it.pay(`${gateway}/work`, { method: "POST", body: "a" })).status, 200);
  const [channel] = it.scheme.channels();
  assert.equal((await it.chain.channel(channel.id)).deposit, 1_500_000n);
});

test("beyond the allowance the chain refuses, whatever the client's limits say", async () => {
  const [channel] = it.scheme.channels();
  await assert.rejects(
    it.chain.deposit({ channelId: channel.id }, 1_000_000n, (await it.chain.height()) + 10n),
    /left of the limit/,
  );
  assert.equal((await it.chain.channel(channel.id)).deposit, 1_500_000n);
});

test("it can close what it opened", async () => {
  const [channel] = it.scheme.channels();
  await it.scheme.closeChannel(channel.id);
  assert.equal((await it.chain.channel(channel.id)).closing, true);
  assert.deepEqual(it.scheme.channels(), []);
});
