import assert from "node:assert/strict";
import { test } from "node:test";
import { change, coins, exact, label, noAmount, parseCoins, percent, price, priced, short, verb, visible } from "../src/lib/format.ts";

test("amounts are exact to the last unit, and grouped", () => {
  assert.equal(exact("1234567890123456789"), "1\u202f234\u202f567\u202f890.123456789");
  assert.equal(exact("1"), "0.000000001");
  assert.equal(exact("-1500000000"), "−1.5");
  assert.equal(coins("999999"), "0.000999999");
  assert.equal(coins("1999999999"), "1.999");
  assert.equal(short("1234567000000000"), "1.23\u202fM");
});

test("a typed amount is read exactly, or not at all", () => {
  assert.equal(parseCoins("1.5"), 1_500_000_000n);
  assert.equal(parseCoins("1 000,000000001"), 1_000_000_000_001n);
  assert.equal(parseCoins(".5"), 500_000_000n);
  assert.equal(parseCoins("0,125"), 125_000_000n);
  assert.equal(parseCoins("1 000"), 1_000_000_000_000n);
  assert.equal(noAmount("1,000"), "1,000 can be read in two ways: write 1000 or 1.000.");
  for (const text of ["", ".", "-1", "1e9", "1.0000000001", "1.2.3", "0x10", "１", "1,000", " 12,345 "]) assert.equal(parseCoins(text), undefined, text);
});

test("other people's words show what is hidden in them", () => {
  assert.equal(visible("a\u202eb\u0000c"), "a⟨U+202E⟩b⟨U+0000⟩c");
  assert.equal(visible("z\u0301\u0301\u0301\u0301"), "z\u0301\u0301");
  assert.equal(visible("a\u200bb\ufeff"), "a⟨U+200B⟩b⟨U+FEFF⟩");
  assert.equal(visible("Übersetzung 天気"), "Übersetzung 天気");
  assert.equal([...label("x".repeat(100), 10)].length, 10);
  assert.equal(label("אבג 9"), "\u2068אבג 9\u2069", "figures beside it keep their order");
});

test("a part is told in percent, with no more digits than mean something", () => {
  assert.equal(percent(0.1234), "12.34\u202f%");
  assert.equal(percent(0.00001), "<0.01\u202f%");
  assert.equal(percent(-0.5, 0), "−50\u202f%");
  assert.equal(percent(9_999), "999900.00\u202f%");
  assert.equal(percent(1e57), "over 1\u202f000\u202f000\u202f%");
});

test("prices keep four digits, changes their sign", () => {
  assert.equal(price("0.012345678"), "0.01235");
  assert.equal(price("0"), "0");
  assert.equal(price("12345.6"), "12\u202f346");
  assert.equal(change(0.01), "+1.00\u202f%");
  assert.equal(verb("/lode.alpha.v1.MsgUnstakeAll"), "Unstake all");
});

test("a service's price is of what it counts, told in its unit where that comes out even", () => {
  const video = { unit: "video_minute", counted: "video_ms", unit_parts: 60_000 };
  assert.equal(priced({ ...video, per: "60000" }), "a minute of video");
  assert.equal(priced({ ...video, per: "120000" }), "2 minutes of video");
  assert.equal(priced({ ...video, per: "1500" }), "1\u202f500 ms of video");
  const token = { unit: "token", counted: "token", unit_parts: 1 };
  assert.equal(priced({ ...token, per: "1" }), "a token");
  assert.equal(priced({ ...token, per: "1000000" }), "1\u202f000\u202f000 tokens");
});
