import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOfKey, severalOf } from "../src/wallet/account.ts";
import { equal, fromHex, toHex, toUtf8 } from "../src/wallet/bytes.ts";
import { review } from "../src/wallet/explain.ts";
import { LONGEST, readAny, readKey, readSignatures, readTxFile, writeAny, writeKey, writeSignature, writeTxFile } from "../src/wallet/files.ts";
import { verify } from "../src/wallet/keys.ts";
import { decode, encode } from "../src/wallet/proto.ts";
import { aminoBytes, authInfoWith, checkSeveral, directBytes, joinSignatures, txBytes } from "../src/wallet/tx.ts";
import vectors from "../../testdata/several.json" with { type: "json" };

for (const [i, v] of vectors.accounts.entries()) {
  const members = v.members.map((m) => readKey(JSON.stringify(m)));
  const several = severalOf(v.threshold, [...members].reverse());
  const unsigned = JSON.stringify(v.unsigned);
  const sequence = BigInt(v.sequence);
  const { body, fee } = readTxFile(unsigned);
  const doc = { body, authInfo: authInfoWith([{ key: several, sequence }], fee), chainId: v.chain_id, accountNumber: BigInt(v.account_number) };

  test(`account ${i}: the same keys in any order have the address that Go gives them`, () => {
    assert.equal(addressOfKey(several), v.address);
    assert.deepEqual(several.members, members);
    assert.deepEqual(members.map((m) => JSON.parse(writeKey(m))), v.members);
  });

  test(`account ${i}: a transaction's file is read and written as the program does`, () => {
    assert.deepEqual(JSON.parse(writeTxFile(decode("TxBody", body), fee)), v.unsigned);
    const shown = review(directBytes(doc));
    assert.deepEqual(shown.signers.map((s) => s.address), [v.address]);
    assert.equal(shown.memo, "rent & <more>");
    assert.equal(shown.feeRao, 2000n);
  });

  test(`account ${i}: the program's signatures are of what the page shows, and together are what it sends`, () => {
    const parts = v.signatures.flatMap((s) => readSignatures(JSON.stringify(s)));
    for (const part of parts) {
      assert.equal(part.sequence, sequence);
      assert.ok(verify(part.key, aminoBytes(doc), part.signature));
      assert.ok(!verify(part.key, aminoBytes({ ...doc, accountNumber: 8n }), part.signature), "of another account");
      assert.deepEqual(JSON.parse(writeSignature(part)), v.signatures[parts.indexOf(part)]);
    }
    const signed = members.flatMap((m, at) => (parts.some((p) => equal(p.key.bytes, m.bytes)) ? [at] : []));
    const ordered = signed.map((at) => parts.find((p) => equal(p.key.bytes, members[at]!.bytes))!.signature);
    assert.equal(toHex(txBytes(body, authInfoWith([{ key: several, sequence, signed }], fee), [joinSignatures(ordered)])), v.signed);
  });
}

for (const m of vectors.messages) {
  test(`${m.type_url}: as a file has it, ${m.value.length / 2} bytes`, () => {
    const any = { type_url: m.type_url, value: fromHex(m.value) };
    assert.deepEqual(writeAny(any), m.json);
    // an amount that is not set is 0 in a file, and is written out by who reads it
    if (/"amount":"0"/.test(JSON.stringify(m.json))) assert.deepEqual(writeAny(readAny(m.json as never)), m.json);
    else assert.deepEqual(readAny(m.json as never), any);
  });
}

const file = vectors.accounts[0]!.unsigned;
const key = vectors.accounts[0]!.members[0]!;

test("what a file has that the wallet does not know is refused", () => {
  const refuse = (change: (tx: any) => void, why: RegExp) => {
    const tx = structuredClone(file) as any;
    change(tx);
    assert.throws(() => readTxFile(JSON.stringify(tx)), why);
  };
  refuse((tx) => (tx.body.messages[0]["@type"] = "/cosmos.evil.v1.MsgTakeAll"), /does not know/);
  refuse((tx) => (tx.body.messages[0].and = 1), /no field and/);
  refuse((tx) => (tx.body.messages[0].amount[0].more = "1"), /no field more/);
  refuse((tx) => (tx.body.messages = []), /no message/);
  refuse((tx) => (tx.body.unordered = true), /unordered/);
  refuse((tx) => (tx.body.extension_options = [{ "@type": "/x" }]), /extensions/);
  refuse((tx) => (tx.auth_info.tip = { amount: [] }), /extensions/);
  refuse((tx) => (tx.auth_info.fee.gas_limit = "-1"), /number from 0/);
  refuse((tx) => (tx.auth_info.fee.gas_limit = 1e300), /whole number/);
  refuse((tx) => (tx.body.timeout_height = "18446744073709551616"), /number from 0/);
  refuse((tx) => (tx.body.memo = 7), /no text/);
  refuse((tx) => (tx.more = 1), /field more/);
  refuse((tx) => delete tx.auth_info.fee, /no fee/);
  for (const text of ["", "[]", "null", "7", "{", '{"body":1}', "{}"]) assert.throws(() => readTxFile(text));
  assert.throws(() => readTxFile(" ".repeat(LONGEST + 1)), /too long/);
  assert.throws(() => readTxFile(JSON.stringify({ ...file, body: { ...file.body, messages: [{ ...file.body.messages[0], __proto__: null, constructor: 1 }] } })), /no field constructor/);
});

test("an account of keys that the chain would refuse is refused", () => {
  const one = readKey(JSON.stringify(key));
  const two = readKey(JSON.stringify(vectors.accounts[0]!.members[1]!));
  assert.throws(() => severalOf(1, [one]), /2 to 7/);
  assert.throws(() => severalOf(1, Array.from({ length: 8 }, () => one)), /2 to 7/);
  assert.throws(() => severalOf(1, [one, one]), /twice/);
  for (const threshold of [0, 3, 1.5, NaN]) assert.throws(() => severalOf(threshold, [one, two]), /can be asked/);
  assert.throws(() => checkSeveral({ threshold: 1, members: [one, { algorithm: "secp256k1", bytes: new Uint8Array(32) }] }), /no public key/);
  for (const text of ['{"@type":"/cosmos.crypto.multisig.LegacyAminoPubKey","threshold":1,"public_keys":[]}', '{"@type":"/cosmos.crypto.ed25519.PubKey","key":""}', '{"key":"AA=="}', "x"]) assert.throws(() => readKey(text), /public key/);
});

test("a signature that is of another kind, or of another, is refused", () => {
  const good = vectors.accounts[0]!.signatures[0]! as any;
  const change = (f: (s: any) => void) => {
    const s = structuredClone(good);
    f(s);
    return JSON.stringify(s);
  };
  assert.throws(() => readSignatures(change((s) => (s.signatures[0].data.single.mode = "SIGN_MODE_DIRECT"))), /no signature/);
  assert.throws(() => readSignatures(change((s) => (s.signatures = []))), /no signature/);
  assert.throws(() => readSignatures(change((s) => (s.signatures[0].data.single.signature = "!"))), /base64/);
  assert.throws(() => readSignatures(change((s) => (s.signatures[0].public_key["@type"] = "/x"))), /no signature/);
  assert.throws(() => readSignatures(JSON.stringify(file)), /no signature/);
  const [part] = readSignatures(JSON.stringify(good));
  assert.ok(!verify(part!.key, toUtf8("another text"), part!.signature));
  assert.ok(!verify(part!.key, toUtf8("x"), new Uint8Array(3)), "too short, and no error");
});

test("who signs as several where one signs, or the other way round, is refused", () => {
  const v = vectors.accounts[0]!;
  const several = severalOf(v.threshold, v.members.map((m) => readKey(JSON.stringify(m))));
  const { body, fee } = readTxFile(JSON.stringify(v.unsigned));
  const doc = (authInfo: Uint8Array) => directBytes({ body, authInfo, chainId: v.chain_id, accountNumber: 7n });
  const info = (change: (signer: any) => void) => {
    const decoded = decode("AuthInfo", authInfoWith([{ key: several, sequence: 0n }], fee)) as any;
    change(decoded.signer_infos[0]);
    return encode("AuthInfo", decoded);
  };
  assert.ok(review(doc(info(() => {}))));
  assert.throws(() => review(doc(info((s) => (s.mode_info = { single: { mode: 127 } })))), /each by itself/);
  assert.throws(() => review(doc(info((s) => (s.mode_info.single = { mode: 127 })))), /each by itself/);
  assert.throws(() => review(doc(info((s) => (s.mode_info.multi.mode_infos[0].single.mode = 1)))), /each by itself/);
});
