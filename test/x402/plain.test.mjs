// A program that knows nothing of payment: it was given another base URL, no more.
import assert from "node:assert/strict";
import { test } from "node:test";

const base = process.env.LODE_GATEWAY; // the proxy

test("a request is answered as if it cost nothing", async () => {
  const response = await fetch(`${base}/work`, { method: "POST", body: "hello" });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "HELLO");
});

test("ten at once are", async () => {
  const bodies = Array.from({ length: 10 }, (_, i) => `number ${i}`);
  const texts = await Promise.all(bodies.map(async (body) => (await fetch(`${base}/work`, { method: "POST", body })).text()));
  assert.deepEqual(texts, bodies.map((b) => b.toUpperCase()));
});

test("a stream comes part by part, with nothing of the payment's in it", async () => {
  const response = await fetch(`${base}/stream`);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const expected = Array.from({ length: 25 }, (_, i) => `event: part\ndata: ${i}\n\n`).join("");
  assert.equal(await response.text(), expected);
});

test("what fails, fails the same way", async () => {
  const response = await fetch(`${base}/fails`);
  assert.equal(response.status, 500);
  assert.equal(await response.text(), "broken\n");
});

test("what exceeds the owner's limits is refused with the reason", async () => {
  const response = await fetch(`${base}/dear`);
  assert.equal(response.status, 402);
  const { error, message } = await response.json();
  assert.equal(error, "over_limit");
  assert.match(message, /the limit for a request is 0\.0002/);
  console.log("REPORT {}");
});
