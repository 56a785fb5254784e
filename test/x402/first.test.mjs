// A customer's first minutes: nothing is open yet.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decodePaymentRequiredHeader } from "@x402/core/http";
import { parsePaymentRequired } from "@x402/core/schemas";
import { gateway, paying, report, settlement } from "./paying.mjs";

let it;
before(async () => {
  it = await paying();
});
after(async () => {
  const [channel] = it.scheme.channels();
  const fees = it.events.reduce((sum, e) => sum + (e.fee ?? 0n), 0n);
  report({ channel: channel.id, charged: channel.charged, deposit: channel.deposit, fees, paid: it.events.filter((e) => e.type === "paid").length });
  await it.close();
});

test("without payment it is 402, with terms that the stock client's schema knows", async () => {
  const response = await fetch(`${gateway}/work`);
  assert.equal(response.status, 402);
  const required = decodePaymentRequiredHeader(response.headers.get("PAYMENT-REQUIRED"));
  const parsed = parsePaymentRequired(required);
  assert.ok(parsed.success, JSON.stringify(parsed.error));
  const [offer] = required.accepts;
  assert.equal(offer.scheme, "batch-settlement");
  assert.equal(offer.network, `cosmos:${it.chain.chainId}`);
  assert.equal(offer.asset, "rao");
  assert.equal(offer.amount, "10000"); // 10 units at 1,000 rao
});

test("the first request opens a channel and is served for what it used", async () => {
  const response = await it.pay(`${gateway}/work`, { method: "POST", body: "hello" });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "HELLO");
  const { success, network, extra } = settlement(response);
  assert.ok(success);
  assert.equal(network, `cosmos:${it.chain.chainId}`);
  assert.equal(extra.chargedAmount, "7000");
  assert.deepEqual(it.events.map((e) => e.type), ["opened", "paid"]);
  const [channel] = it.scheme.channels();
  const onChain = await it.chain.channel(channel.id);
  assert.equal(onChain.deposit, 1_000_000n);
  assert.equal(onChain.hotkey, channel.payTo);
});

test("later ones send vouchers alone", async () => {
  const height = await it.chain.height();
  for (let i = 0; i < 5; i++) assert.equal((await it.pay(`${gateway}/work`, { method: "POST", body: "x" })).status, 200);
  assert.equal(it.events.filter((e) => e.type === "opened" || e.type === "toppedUp").length, 1);
  assert.equal(it.scheme.channels()[0].charged, 42_000n);
  assert.ok((await it.chain.height()) - height < 5n, "they did not wait for blocks");
});

test("twenty at once are served, and add up", async () => {
  const bodies = Array.from({ length: 20 }, (_, i) => `number ${i}`);
  const texts = await Promise.all(bodies.map(async (body) => (await it.pay(`${gateway}/work`, { method: "POST", body })).text()));
  assert.deepEqual(texts, bodies.map((b) => b.toUpperCase()));
  const [channel] = it.scheme.channels();
  assert.equal(channel.charged, 182_000n);
  assert.equal(channel.promised, 0n);
});

test("a stream is paid while it runs, and shows nothing of it", async () => {
  const response = await it.pay(`${gateway}/stream`);
  assert.equal(response.status, 200);
  const text = await response.text();
  const expected = Array.from({ length: 25 }, (_, i) => `event: part\ndata: ${i}\n\n`).join("");
  assert.equal(text, expected);
  const [channel] = it.scheme.channels();
  assert.equal(channel.charged, 282_000n); // 25 parts of 4 units
  assert.equal(channel.promised, 0n);
});

test("streams and requests share the channel", async () => {
  const all = await Promise.all([
    ...[1, 2, 3].map(async () => (await (await it.pay(`${gateway}/stream`)).text()).split("\n\n").length - 1),
    ...[1, 2, 3].map(async () => (await (await it.pay(`${gateway}/work`, { method: "POST", body: "y" })).text()).length),
  ]);
  assert.deepEqual(all, [25, 25, 25, 1, 1, 1]);
  const [channel] = it.scheme.channels();
  assert.equal(channel.charged, 603_000n);
  assert.equal(channel.promised, 0n);
  assert.equal(channel.dispute, undefined);
});

test("what fails costs nothing", async () => {
  const response = await it.pay(`${gateway}/fails`);
  assert.equal(response.status, 500);
  assert.equal(settlement(response).extra.chargedAmount, "0");
  assert.equal(it.scheme.channels()[0].charged, 603_000n);
});
