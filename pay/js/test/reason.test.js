// What a node says of a transaction, as nodes have said it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { feesRefused, reasonOf } from "../src/reason.js";

const rpc = "Query failed with (6): rpc error: code = Unknown desc = ";
const spent = "[/root/go/pkg/mod/cosmossdk.io/errors@v1.1.0/errors.go:165] with gas used: '63685': unknown request";
const dump =
  'failed to execute message; message payer:"lode1504kp4wa9v77aqr6j7um4wgrs3avygs2utlwvm" amount:10000000 service_id:1 ' +
  'session_key:"/\\342.\\017I\\007\\335s\\263 \\"e: \\303" close_delay:3600 spender:"lode15h7vjjgajq08k56l4cwe2qz4xyj5lanzm552q0" : ';
const reason = "lode15h7vjj may pay the services [2], this is service 1: spending limit";

const texts = {
  "a simulation": [`${rpc}failed to execute message; message index: 0: ${reason} ${spent}`, reason],
  "a simulation of another's message": [`${rpc}failed to execute message; message index: 0: ${dump}${reason} ${spent}`, reason],
  "a simulation that fails before its messages": [`${rpc}bad session key: invalid session key ${spent}`, "bad session key: invalid session key"],
  "a transaction in a block": [`failed to execute message; message index: 0: ${dump}${reason}`, reason],
  "a node that did not take it": ["spendable balance 0rao is smaller than 5rao: insufficient funds", "spendable balance 0rao is smaller than 5rao: insufficient funds"],
  "another tool's words": ["Query failed with (38): a: b", "a: b"],
  nothing: ["", "the node gives no reason"],
  "no more than what stands around it": [`${rpc}failed to simulate tx: ${spent}`, "the node gives no reason"],
};

for (const [name, [text, want]] of Object.entries(texts)) {
  test(`of ${name} the reason is left`, () => assert.equal(reasonOf(text), want));
}

test("a long text that is nearly a message is read at once", () => {
  const begun = performance.now();
  for (const part of ["a:b", "a:b ", 'a:"\\"', "a_a", "with gas used: '1' "]) {
    const text = "failed to execute message; message " + part.repeat(20_000);
    assert.ok(reasonOf(text).length > 1000);
  }
  assert.ok(performance.now() - begun < 2000);
});

test("a fee granter's refusal is told in words", () => {
  const said = (/** @type {string} */ why) => `\u0001\ufffd does not allow to pay fees for \u0002\ufffd: ${why}`;
  assert.equal(feesRefused(said("fee-grant not found: not found")), "it allows none");
  assert.equal(feesRefused(said("fee allowance expired")), "its allowance has expired");
  assert.equal(feesRefused(said("basic allowance: fee limit exceeded")), "its allowance is used up");
  assert.equal(feesRefused(said("message is not allowed")), "its allowance is not for this message");
  assert.equal(feesRefused(said("a new reason")), "it refuses");
  assert.equal(feesRefused("insufficient funds"), undefined);
});
