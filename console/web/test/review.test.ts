import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf } from "../src/wallet/account.ts";
import { concat, fromHex, toUtf8 } from "../src/wallet/bytes.ts";
import { review } from "../src/wallet/explain.ts";
import { encode } from "../src/wallet/proto.ts";
import { lookAlike } from "../src/wallet/similar.ts";
import { authInfoBytes, bodyBytes, directBytes, type Intent } from "../src/wallet/tx.ts";
import keys from "../../testdata/keys.json" with { type: "json" };

const key = { algorithm: "secp256k1" as const, bytes: fromHex(keys[0]!.public) };
const me = addressOf("secp256k1", key.bytes);
const you = addressOf("secp256k1", fromHex(keys[2]!.public));
const send: Intent = { type: "cosmos.bank.v1beta1.MsgSend", value: { from_address: me, to_address: you, amount: [{ denom: "rao", amount: "1500000000" }] } };
const authInfo = authInfoBytes([{ key, sequence: 3n }], { rao: 1040n, gas: 104_000n });
const doc = (body: Uint8Array, info = authInfo) => directBytes({ body, authInfo: info, chainId: "lode-local-1", accountNumber: 7n });

test("what is shown is what the bytes say", () => {
  const shown = review(doc(bodyBytes([send], { memo: "rent", timeoutHeight: 99n })));
  assert.equal(shown.messages[0]!.title, "Send TAO");
  assert.deepEqual(shown.messages[0]!.recipients, [you]);
  assert.equal(shown.messages[0]!.spends, 1_500_000_000n);
  assert.deepEqual(shown.messages[0]!.rows.map((r) => r.value), [me, you, "1500000000"]);
  assert.deepEqual([shown.feeRao, shown.gas, shown.memo, shown.timeoutHeight], [1040n, 104_000n, "rent", 99n]);
  assert.deepEqual(shown.signers.map((s) => s.address), [me]);
});

test("a message that the wallet does not know is refused, whole", () => {
  const unknown = encode("TxBody", { messages: [{ type_url: "/cosmos.evil.v1.MsgTakeAll", value: toUtf8("x") }] });
  assert.throws(() => review(doc(unknown)), /does not know/);
  const among = encode("TxBody", { messages: [{ type_url: "/" + send.type, value: encode(send.type, send.value) }, { type_url: "/cosmos.authz.v1beta1.MsgExec", value: new Uint8Array() }] });
  assert.throws(() => review(doc(among)), /does not know/);
});

test("an authorization that the wallet does not know is refused", () => {
  const any = { type_url: "/cosmos.authz.v1beta1.GenericAuthorization", value: new Uint8Array() };
  const grant = { type: "cosmos.authz.v1beta1.MsgGrant", value: { granter: me, grantee: you, grant: { authorization: any } } };
  assert.throws(() => review(doc(bodyBytes([grant]))), /does not know/);
});

test("fields that the wallet does not know, or that stand twice, are refused", () => {
  const value = concat(encode(send.type, send.value), Uint8Array.from([0x7a, 0x01, 0x41])); // field 15
  assert.throws(() => review(doc(encode("TxBody", { messages: [{ type_url: "/" + send.type, value }] }))), /field 15/);
  const twice = concat(encode(send.type, send.value), encode(send.type, { to_address: me }));
  assert.throws(() => review(doc(encode("TxBody", { messages: [{ type_url: "/" + send.type, value: twice }] }))), /one way/);
  assert.throws(() => review(concat(doc(bodyBytes([send])), Uint8Array.from([0x7a, 0x01, 0x41]))), /field 15/);
  assert.throws(() => review(concat(doc(bodyBytes([send])).slice(0, -3))), /cut off|damaged|one way/);
});

test("who signs must be who the messages need", () => {
  const other = authInfoBytes([{ key: { algorithm: "secp256k1", bytes: fromHex(keys[2]!.public) }, sequence: 0n }], { rao: 1n, gas: 1n });
  assert.throws(() => review(doc(bodyBytes([send]), other)), /signers/);
});

test("coins of another kind are refused", () => {
  const strange = { ...send, value: { ...send.value, amount: [{ denom: "uatom", amount: "5" }] } };
  assert.throws(() => review(doc(bodyBytes([strange]))), /rao alone/);
});

test("an address that looks like a known one is told from it, a stranger's is not taken for it", () => {
  const known = "lode1as3geqyfa3e4796q70yslss2zy7mm9j247cchm";
  assert.equal(lookAlike(known, [known]), undefined);
  assert.equal(lookAlike("lode1as3wwqqqqqqqqqqqqqqqqqqqqqqqqqqqqqcchm", [known]), known);
  assert.equal(lookAlike("lode1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq7cchm", [known]), known);
  assert.equal(lookAlike("lode1er45w07q7sfgh2lnkyd4lphr00c5yuen50twa5", [known]), undefined);
});
