import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex, toUtf8 } from "@cosmjs/encoding";
import { SessionKey, voucherBytes } from "@lodenet/x402";
import { decode, encode, messages } from "../src/proto.js";

// The vectors of the Go package voucher: voucher_test.go has the same.
const chainId = "lode-test-1";
const id = "1b338b1123cf00a78980618c9e5c56387fb1982428300e2f71b4d31873436995";
const signature =
  "479344b4df213e5015d89636b44001e4e77117cfb04b12a4a4f029828c71d4c3bad1702b4bda44fe414701ce331926e4de88f770dafb4dd151250e61fe05ca04";
const key = new SessionKey("07".repeat(32));

test("the bytes of a voucher and its signature are those of the chain", () => {
  const expected = toHex(toUtf8("lode/voucher/1")) + "0b" + toHex(toUtf8(chainId)) + id + "00000000075bcd15";
  assert.equal(toHex(voucherBytes(chainId, id, 123456789n)), expected);
  assert.equal(key.sign(chainId, id, 123456789n), signature);
  assert.equal(toHex(voucherBytes("x", id, (1n << 64n) - 1n)).slice(-16), "ffffffffffffffff");
});

test("a voucher is good for its chain, channel, amount and key alone", () => {
  assert.ok(key.signed(chainId, id, 123456789n, signature));
  assert.ok(!key.signed("lode-test-2", id, 123456789n, signature));
  assert.ok(!key.signed(chainId, "00" + id.slice(2), 123456789n, signature));
  assert.ok(!key.signed(chainId, id, 123456790n, signature));
  assert.ok(!SessionKey.generate().signed(chainId, id, 123456789n, signature));
  assert.ok(!key.signed(chainId, id, 123456789n, "00".repeat(64)));
});

test("what fits no voucher is refused", () => {
  assert.throws(() => voucherBytes("c".repeat(256), id, 1n), /256 bytes/);
  assert.throws(() => voucherBytes(chainId, id.slice(2), 1n), /31 bytes/);
  assert.throws(() => voucherBytes(chainId, id, -1n), /no uint64/);
  assert.throws(() => voucherBytes(chainId, id, 1n << 64n), /no uint64/);
});

test("MsgDeposit has the bytes that protobuf gives it", () => {
  const message = {
    payer: "lode1payer",
    amount: 300n,
    channelId: new Uint8Array(),
    serviceId: 7n,
    sessionKey: fromHex("0102"),
    closeDelay: 900n,
    planId: 0n,
    maxPrice: 0n,
    spender: "",
  };
  const bytes = encode(messages.MsgDeposit, message);
  assert.equal(toHex(bytes), "0a0a" + toHex(toUtf8("lode1payer")) + "10ac02" + "2007" + "2a020102" + "308407");
  assert.deepEqual(decode(messages.MsgDeposit, bytes), message);
});

test("unknown fields are passed over, and a field of another type is an error", () => {
  assert.deepEqual(decode(messages.MsgDepositResponse, fromHex("10057a0161")), { channelId: new Uint8Array(), deposit: 5n });
  assert.throws(() => decode(messages.MsgDepositResponse, fromHex("0805")), /wire type/);
  assert.throws(() => decode(messages.MsgDepositResponse, fromHex("0aff01")));
});
