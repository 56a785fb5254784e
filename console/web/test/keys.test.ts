import assert from "node:assert/strict";
import { test } from "node:test";
import { openArmor } from "../src/wallet/armor.ts";
import { fromHex, toHex } from "../src/wallet/bytes.ts";
import { addressOf } from "../src/wallet/account.ts";
import { checkMnemonic, fromMnemonic, newMnemonic, publicKey, sign } from "../src/wallet/keys.ts";
import type { Algorithm } from "../src/wallet/tx.ts";
import vectors from "../../testdata/keys.json" with { type: "json" };

for (const v of vectors) {
  const algorithm = v.algorithm as Algorithm;
  test(`${v.mnemonic.split(" ").length} words give Go's ${algorithm} key, address and signature`, () => {
    const secret = fromMnemonic(v.mnemonic, algorithm);
    assert.equal(toHex(secret.bytes), v.private);
    assert.equal(toHex(publicKey(secret)), v.public);
    assert.equal(addressOf(algorithm, publicKey(secret)), v.address);
    assert.equal(toHex(sign(secret, fromHex(v.message))), v.signature);
  });
  if (!v.armored) continue;
  test(`a key file with a ${algorithm} key opens, and with a wrong pass phrase does not`, async () => {
    const secret = await openArmor(v.armored, v.passphrase);
    assert.equal(addressOf(algorithm, publicKey(secret)), v.address);
    assert.equal(toHex(sign(secret, fromHex(v.message))), v.signature);
    await assert.rejects(openArmor(v.armored, v.passphrase + "x"), /does not open/);
    await assert.rejects(openArmor(v.armored.replace(/\n([A-Za-z0-9+/]{20})/, (_, s: string) => "\n" + s.replace(/./, (c) => (c === "A" ? "B" : "A"))), v.passphrase), /damaged|does not open/);
    await assert.rejects(openArmor("hello", v.passphrase), /no key file/);
  });
}

test("new words are as many as asked for, and never the same", () => {
  assert.equal(newMnemonic(12).split(" ").length, 12);
  assert.equal(newMnemonic(24).split(" ").length, 24);
  assert.notEqual(newMnemonic(24), newMnemonic(24));
});

test("words that are no key say what is wrong, and are not repeated", () => {
  const good = vectors[0]!.mnemonic;
  assert.equal(checkMnemonic("  ABANDON " + good.slice(8) + "\n"), good);
  assert.throws(() => checkMnemonic("abandon abandon"), /2 words/);
  assert.throws(() => checkMnemonic(good.replace("about", "secretword")), (e: Error) => /Word 12/.test(e.message) && !/secretword/.test(e.message));
  assert.throws(() => checkMnemonic(good.replace("about", "zoo")), /exchanged or wrong/);
});
