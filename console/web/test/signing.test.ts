import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, fromUtf8, toHex } from "../src/wallet/bytes.ts";
import { decode, encode } from "../src/wallet/proto.ts";
import { aminoBytes, authInfoBytes, bodyBytes, directBytes, MODE_AMINO, readSignDoc, type Algorithm } from "../src/wallet/tx.ts";
import vectors from "../../testdata/signing.json" with { type: "json" };

test("there are vectors of every message", () => assert.ok(vectors.length > 80, `${vectors.length}`));

for (const v of vectors) {
  const type = v.type_url.slice(1);
  const value = fromHex(v.value);
  const fee = { rao: BigInt(v.fee), gas: BigInt(v.gas) };
  const signer = { key: { algorithm: v.public_key_type as Algorithm, bytes: fromHex(v.public_key) }, sequence: BigInt(v.sequence) };
  const options = { memo: v.memo, timeoutHeight: BigInt(v.timeout_height), until: v.until ? BigInt(v.until) : undefined };

  test(`${v.name}: what is read is written as it was`, () => assert.equal(toHex(encode(type, decode(type, value))), v.value));

  test(`${v.name}: the direct mode signs what Go's does`, () => {
    const body = bodyBytes([{ type, value: decode(type, value) }], options);
    assert.equal(toHex(body), v.body);
    const authInfo = authInfoBytes([signer], fee);
    assert.equal(toHex(authInfo), v.auth_info);
    const doc = { body, authInfo, chainId: v.chain_id, accountNumber: BigInt(v.account_number) };
    assert.equal(toHex(directBytes(doc)), v.direct);
    assert.deepEqual(readSignDoc(fromHex(v.direct)), doc);
  });

  test(`${v.name}: amino JSON signs what Go's does`, () => {
    const authInfo = authInfoBytes([signer], fee, MODE_AMINO);
    assert.equal(toHex(authInfo), v.auth_info_amino);
    assert.equal(fromUtf8(aminoBytes({ body: fromHex(v.body), authInfo, chainId: v.chain_id, accountNumber: BigInt(v.account_number) })), v.amino);
  });
}
