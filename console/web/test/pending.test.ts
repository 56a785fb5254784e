import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../src/lib/api.ts";
import { isStillUnknown, isUnknown, keep, pending, settled } from "../src/wallet/pending.ts";

const stored = new Map<string, string>();
let full = false;
Object.defineProperty(globalThis, "localStorage", {
  value: {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem(key: string, value: string) {
      if (full) throw new DOMException("full", "QuotaExceededError");
      stored.set(key, value);
    },
  },
});
const one = (hash: string) => ({ hash, tx: "AAAA", title: "Send TAO", timeoutHeight: "99", sent: 1 });

test("what is sent is kept once, until it is settled", () => {
  keep(one("A"));
  keep(one("B"));
  keep(one("A"));
  assert.deepEqual(pending().map((p) => p.hash), ["B", "A"]);
  settled("B");
  assert.deepEqual(pending().map((p) => p.hash), ["A"]);
});

test("storage that is full, or has something else in it, is no hindrance", () => {
  full = true;
  keep(one("C"));
  full = false;
  for (const damaged of ["", "{", "null", "{}", "[null]", '["A"]', '[{"hash":1}]', '[{"hash":"A","tx":"AAAA"}]']) {
    stored.set("lode-pending", damaged);
    assert.deepEqual(pending(), [], damaged);
    keep(one("D"));
    assert.deepEqual(pending(), [one("D")], damaged);
  }
});

test("bytes that may be in a block are kept until the chain has spoken", () => {
  const failed = (code: string, status: number) => new ApiError(code, "", "", status);
  assert.ok(isUnknown(failed("tx_unknown", 504)));
  assert.ok(isUnknown(failed("offline", 0)));
  for (const error of [failed("error", 502), new SyntaxError("half of an answer")]) assert.ok(isUnknown(error), "it may have been sent");
  for (const error of [failed("unavailable", 503), failed("tx_failed", 422), failed("error", 413)]) assert.ok(!isUnknown(error), "the first time nothing was sent");
  // the node may be down when the same bytes are sent again
  for (const error of [failed("unavailable", 503), failed("too_many", 503), failed("node_behind", 503), failed("error", 500), failed("timeout", 504), new TypeError("no JSON")]) {
    assert.ok(isStillUnknown(error), String((error as ApiError).code));
  }
  for (const code of ["tx_failed", "tx_expired", "insufficient_funds"]) assert.ok(!isStillUnknown(failed(code, 422)), code);
});
