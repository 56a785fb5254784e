// The fetch that pays: errors keep what programs need of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PaymentError } from "@lodenet/x402";
import { payingFetch } from "@lodenet/x402/fetch";
import { x402Client } from "@x402/core/client";
import { setUp, url } from "./fake.js";

const dear = (terms) => ({ ...terms, amount: "1001" });

test("a price above the limit is a PaymentError with its code and what to do", async () => {
  const { gateway, scheme } = await setUp();
  gateway.terms = dear;
  await assert.rejects(payingFetch(scheme)(url), (error) => {
    assert.ok(error instanceof PaymentError);
    assert.equal(error.code, "limit");
    assert.equal(error.hint, "raise it in the scheme's limits if that is worth so much");
    assert.equal(error.message, `a request of 1001 rao exceeds limits.perRequest, which is 1000; ${error.hint}`);
    return true;
  });
  assert.deepEqual(gateway.requests, []);
});

test("@x402/fetch by itself keeps the message", async () => {
  const { gateway, pay } = await setUp();
  gateway.terms = dear;
  await assert.rejects(pay(url), { name: "Error", message: /^Failed to create payment payload: a request of 1001 rao exceeds limits.perRequest/ });
});

test("what the chain refuses is told with its reason, and where nothing is wrong it pays", async () => {
  const { chain, gateway, scheme } = await setUp();
  const pay = payingFetch(scheme);
  chain.fails = new PaymentError("chain", "the chain refuses: spendable balance 5rao is smaller than 2000rao: insufficient funds");
  await assert.rejects(pay(url), { name: "PaymentError", code: "chain", message: /insufficient funds$/ });
  gateway.serve = async (_, request) => new Response(await request.text());
  const response = await pay(url, { method: "POST", body: "a body" });
  assert.equal(await response.text(), "a body");
});

test("requests at once have each its own error", async () => {
  const { gateway, scheme } = await setUp();
  const pay = payingFetch(scheme);
  const serve = gateway.fetch;
  gateway.fetch = (request) => {
    gateway.terms = (terms) => ({ ...terms, amount: new URL(request.url).searchParams.get("costs") });
    return serve(request);
  };
  const results = await Promise.allSettled([1001, 100, 1002, 100, 1003].map((costs) => pay(`${url}?costs=${costs}`)));
  const told = results.map((r) => (r.status === "rejected" ? /of (\d+) rao/.exec(r.reason.message)?.[1] : r.value.status));
  assert.deepEqual(told, ["1001", 200, "1002", 200, "1003"]);
});

test("the errors of a client's own controls, and those of the line, go on as they are", async () => {
  const { gateway, scheme, client } = await setUp();
  const pay = payingFetch(scheme, client);
  client.setSpendControls({});
  await assert.rejects(pay(url), { name: "Error", message: /rejected by spendControls/ });
  gateway.fetch = async () => {
    throw new TypeError("fetch failed");
  };
  await assert.rejects(pay(url), { name: "TypeError", message: "fetch failed" });
});

test("what a client's spend controls cap is capped, with the code", async () => {
  const { gateway, scheme } = await setUp();
  const client = new x402Client();
  client.register("cosmos:*", scheme).setSpendControls({ allowedAssets: [{ network: "cosmos:*", asset: "rao" }] });
  assert.equal((await payingFetch(scheme, client)(url)).status, 200);
  const terms = gateway.offer();
  await assert.rejects(scheme.createPaymentPayload(2, terms, { maxAmountPerPayment: "99" }), { code: "limit", message: /a request of 100 rao exceeds maxAmountPerPayment, which is 99/ });
});

test("of a server's offers those that can't be paid are left out while there are others", async () => {
  const { gateway, scheme, client } = await setUp();
  const required = gateway.required;
  gateway.required = function (...args) {
    const response = required.apply(this, args);
    const terms = JSON.parse(Buffer.from(response.headers.get("PAYMENT-REQUIRED"), "base64").toString());
    const [offer] = terms.accepts;
    terms.accepts = [
      { ...offer, amount: "1001" },
      { ...offer, network: "cosmos:lode-2" },
      { ...offer, asset: "unit", amount: "1", extra: { ...offer.extra, planId: "9" } },
      offer,
    ];
    response.headers.set("PAYMENT-REQUIRED", Buffer.from(JSON.stringify(terms)).toString("base64"));
    return response;
  };
  assert.equal((await payingFetch(scheme, client)(url)).status, 200);
  assert.equal(gateway.requests[0].accepted.amount, "100");
});

test("another network's offer comes before ours where ours can't be paid", async () => {
  const { gateway, scheme, client } = await setUp();
  const other = { scheme: "exact", network: "test:1", amount: "5", asset: "usd", payTo: "x", maxTimeoutSeconds: 60, extra: {} };
  let created = 0;
  client.register("test:*", { scheme: "exact", createPaymentPayload: async (x402Version) => (created++, { x402Version, payload: {} }) });
  client.setSpendControls(false);
  const ours = gateway.offer();
  const choose = (/** @type {any[]} */ accepts) => client.selectPaymentRequirements(2, accepts).network;
  assert.equal(choose([ours, other]), ours.network);
  assert.equal(choose([dear(ours), other]), "test:1");
  assert.equal(choose([other, ours]), "test:1"); // otherwise the server's order holds
  await client.createPaymentPayload({ x402Version: 2, resource: { url }, accepts: [dear(ours), other] });
  assert.equal(created, 1);
  assert.deepEqual(scheme.channels(), []);
});
