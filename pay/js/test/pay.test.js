// The stock client of x402 pays, with this scheme registered.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PaymentError } from "@lodenet/x402";
import { FakeChain, setUp, url } from "./fake.js";

test("the first request opens a channel, later ones send vouchers alone", async () => {
  const { chain, gateway, events, scheme, pay } = await setUp();
  for (let i = 0; i < 3; i++) {
    const response = await pay(url);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "done");
  }
  assert.equal(chain.deposits.length, 1);
  assert.equal(chain.deposits[0].amount, 2000n); // 20 requests' worth
  assert.deepEqual(gateway.requests.map((r) => r.payload.type), ["deposit", "voucher", "voucher"]);
  assert.deepEqual(gateway.requests[0].payload.deposit, { amount: "2000", transaction: "AB".repeat(32) });
  assert.deepEqual(gateway.requests.map((r) => r.payload.voucher.maxClaimableAmount), ["100", "170", "240"]);
  const [channel] = scheme.channels();
  assert.equal(channel.charged, 210n);
  assert.equal(channel.promised, 0n);
  assert.deepEqual(scheme.spent(), { today: 220n, total: 220n }); // with the fee
  assert.deepEqual(events.map((e) => e.type), ["opened", "paid", "paid", "paid"]);
  const ids = new Set(gateway.requests.map((r) => r.extensions["payment-identifier"].info.id));
  assert.equal(ids.size, 3);
});

test("a body is sent again with the payment", async () => {
  const { gateway, pay } = await setUp();
  gateway.serve = async (_, request) => new Response(await request.text());
  const response = await pay(url, { method: "POST", body: "x".repeat(100_000) });
  assert.equal((await response.text()).length, 100_000);
});

test("a channel that runs low is topped up", async () => {
  const { chain, gateway, events, pay } = await setUp({ scheme: { deposit: 1000n } });
  gateway.price = 100n;
  for (let i = 0; i < 11; i++) assert.equal((await pay(url)).status, 200);
  assert.deepEqual(chain.deposits.map((d) => d.amount), [1000n, 1000n]);
  assert.ok(chain.deposits[1].into.channelId);
  assert.equal(gateway.requests[10].payload.type, "deposit");
  assert.equal(events.filter((e) => e.type === "toppedUp").length, 1);
});

test("parallel requests add up, and no more run at once than allowed", async () => {
  const { gateway, scheme, pay } = await setUp({ scheme: { maxParallel: 3 } });
  let now = 0;
  let most = 0;
  /** @type {(() => void)[]} */
  const waiting = [];
  gateway.before = () => {
    most = Math.max(most, ++now);
    return new Promise((resolve) => {
      waiting.push(() => resolve(now--));
      // all that can be under way are: let them go
      if (now === 3 || gateway.requests.length === 10) for (const go of waiting.splice(0)) go();
    });
  };
  const responses = await Promise.all(Array.from({ length: 10 }, () => pay(url)));
  assert.ok(responses.every((r) => r.status === 200));
  assert.equal(most, 3);
  const [channel] = scheme.channels();
  assert.equal(channel.charged, 700n);
  assert.equal(channel.promised, 0n);
  assert.equal(channel.dispute, undefined);
  assert.ok(channel.signed <= 700n + 3n * 100n, `${channel.signed}`);
});

test("answers of parallel requests may come in any order", async () => {
  const { gateway, scheme, pay } = await setUp();
  await pay(url);
  const done = [];
  gateway.before = () => new Promise((resolve) => {
    done.push(resolve);
    if (done.length === 4) for (const go of done.reverse()) go();
  });
  const responses = await Promise.all([1, 2, 3, 4].map(() => pay(url)));
  assert.ok(responses.every((r) => r.status === 200));
  assert.equal(scheme.channels()[0].charged, 350n);
  assert.equal(scheme.channels()[0].dispute, undefined);
});

test("two first requests at once open one channel", async () => {
  const { chain, pay } = await setUp();
  await Promise.all([pay(url), pay(url)]);
  assert.equal(chain.deposits.length, 1);
});

test("a lost answer is asked for again with the identical payment, and charged once", async () => {
  const { gateway, scheme, pay } = await setUp();
  const serve = gateway.fetch;
  let lost = 0;
  gateway.fetch = async (request) => {
    const response = await serve(request);
    if (request.headers.has("PAYMENT-SIGNATURE") && lost++ < 1) throw new TypeError("fetch failed");
    return response;
  };
  const response = await pay(url, { method: "POST", body: "a body" });
  assert.equal(response.status, 200);
  assert.equal(gateway.requests.length, 2);
  assert.deepEqual(gateway.requests[0], gateway.requests[1]);
  assert.equal(scheme.channels()[0].charged, 70n);
});

test("an outcome that stays unknown is reserved until the server tells", async () => {
  const { gateway, scheme, events, pay } = await setUp();
  await pay(url);
  const serve = gateway.fetch;
  gateway.fetch = async (request) => {
    const response = await serve(request);
    if (request.headers.has("PAYMENT-SIGNATURE")) throw new TypeError("fetch failed");
    return response;
  };
  await assert.rejects(pay(url), /fetch failed/);
  assert.equal(gateway.requests.length, 4); // one, and one sent three times
  assert.equal(events.at(-1).type, "unknown");
  assert.equal(scheme.channels()[0].charged, 70n);
  assert.equal(scheme.channels()[0].promised, 100n);

  gateway.fetch = serve;
  assert.equal((await pay(url)).status, 200);
  const [channel] = scheme.channels();
  assert.equal(channel.charged, 210n); // the gateway did charge for the lost one
  assert.equal(channel.promised, 30n); // the rest of its ceiling, until its time is over
  assert.equal(channel.dispute, undefined);
});

test("a server that knows no identifiers gets no second payment for an unknown outcome", async () => {
  const { gateway, pay } = await setUp();
  const serve = gateway.fetch;
  gateway.required = function (error) {
    const response = Object.getPrototypeOf(this).required.call(this, error);
    const required = JSON.parse(Buffer.from(response.headers.get("PAYMENT-REQUIRED"), "base64").toString());
    delete required.extensions;
    response.headers.set("PAYMENT-REQUIRED", Buffer.from(JSON.stringify(required)).toString("base64"));
    return response;
  };
  gateway.fetch = async (request) => {
    const response = await serve(request);
    if (request.headers.has("PAYMENT-SIGNATURE")) throw new TypeError("fetch failed");
    return response;
  };
  await assert.rejects(pay(url), /fetch failed/);
  assert.equal(gateway.requests.length, 1);
});

test("an aborted request is not sent again", async () => {
  const { gateway, scheme, pay } = await setUp();
  await pay(url);
  const abort = new AbortController();
  gateway.before = async () => {
    abort.abort();
    throw abort.signal.reason;
  };
  await assert.rejects(pay(url, { signal: abort.signal }), { name: "AbortError" });
  assert.equal(gateway.requests.length, 2);
  assert.equal(scheme.channels()[0].promised, 100n);
});

test("a request that is refused costs nothing", async () => {
  const { gateway, scheme, pay } = await setUp();
  await pay(url);
  const serve = gateway.fetch;
  gateway.fetch = async (request) =>
    request.headers.has("PAYMENT-SIGNATURE") ? gateway.required("channel_busy") : serve(request);
  assert.equal((await pay(url)).status, 402);
  const [channel] = scheme.channels();
  assert.equal(channel.promised, 0n);
  assert.equal(channel.charged, 70n);
  gateway.fetch = serve;
  assert.equal((await pay(url)).status, 200);
  assert.equal(gateway.requests.at(-1).payload.voucher.maxClaimableAmount, "170");
});

test("a channel that was closed meanwhile is replaced, as the chain says", async () => {
  const { chain, gateway, scheme, pay } = await setUp();
  await pay(url);
  chain.channels.get(scheme.channels()[0].id).closing = true;
  assert.equal((await pay(url)).status, 200);
  assert.equal(chain.deposits.length, 2);
  assert.equal(scheme.channels().length, 1);
  assert.equal(gateway.requests.at(-1).payload.type, "deposit");
});

test("a channel that pays by use can be topped up beforehand, within the limits", async () => {
  const { chain, scheme, pay } = await setUp({ scheme: { limits: { perRequest: 1000n, perDay: 5000n } } });
  await pay(url);
  const [{ id }] = scheme.channels();
  await assert.rejects(scheme.topUp(id, 5000n), { code: "limit", message: /a deposit of 5000 rao exceeds limits.perDay: 4920/ });
  await scheme.topUp(id, 3000n);
  assert.equal(scheme.channels()[0].deposit, 5000n);
  await assert.rejects(scheme.topUp(id, 71n), { code: "limit", message: /exceeds limits.locked: 70 of 5000/ });
  await assert.rejects(scheme.topUp("ff".repeat(32), 1n), { code: "state", message: /the store has no channel/ });
  assert.equal(chain.deposits.length, 2);
});

test("closing a channel asks the chain and forgets it", async () => {
  const { chain, events, scheme, pay } = await setUp();
  await pay(url);
  const [{ id }] = scheme.channels();
  await scheme.closeChannel(id);
  assert.deepEqual(chain.closed, [id]);
  assert.deepEqual([events.at(-1).type, events.at(-1).fee], ["closed", 10n]);
  assert.deepEqual(scheme.spent(), { today: 90n, total: 90n }); // a request and two fees
  assert.deepEqual(scheme.channels(), []);
  await assert.rejects(scheme.closeChannel(id), /no channel/);
});

test("the client's own spend controls let rao and units through, and what was set there holds", async () => {
  const { client, gateway, pay } = await setUp();
  assert.deepEqual(client.spendControls.allowedAssets, ["rao", "unit"].map((asset) => ({ network: "cosmos:*", asset })));
  gateway.terms = (terms) => ({ ...terms, asset: "dollars" });
  await assert.rejects(pay(url), /rejected by spendControls/);
  client.setSpendControls({ allowedAssets: [{ network: "cosmos:*", asset: "rao", maxAmountPerPayment: "99" }] });
  gateway.terms = (terms) => terms;
  await assert.rejects(pay(url), /rejected by spendControls.allowedAssets maxAmountPerPayment/);
  assert.deepEqual(gateway.requests, []);
});

test("a deposit that fails for certain leaves nothing behind", async () => {
  const { chain, scheme, pay } = await setUp();
  chain.fails = new PaymentError("chain", "insufficient funds");
  await assert.rejects(pay(url), /insufficient funds/);
  assert.deepEqual(scheme.channels(), []);
  assert.equal((await pay(url)).status, 200);
});

test("a deposit whose answer was lost is found by its key, not made twice", async () => {
  const { chain, gateway, pay } = await setUp();
  chain.loses = true;
  await assert.rejects(pay(url), /outcome is not known/);
  assert.equal((await pay(url)).status, 200);
  assert.equal(chain.deposits.length, 1);
  assert.equal(gateway.requests.length, 1);
});

test("while a deposit may still come into a block there is no second one", async () => {
  const { chain, pay } = await setUp();
  chain.loses = true;
  await assert.rejects(pay(url), /outcome is not known/);
  const channels = chain.channels;
  chain.channels = new Map(); // not in a block yet
  await assert.rejects(pay(url), /may still be opening; try again after block 150/);
  chain.at = 151n;
  assert.equal((await pay(url)).status, 200); // it never came
  assert.equal(chain.deposits.length, 2);
  assert.equal(channels.size, 1);
});

test("a wallet without a chain's service is told so", async () => {
  const chain = new FakeChain();
  chain.services.clear();
  const { pay } = await setUp({ chain });
  await assert.rejects(pay(url), /no service 1/);
});

test("while the chain can't be asked, payments go on, and refusals are passed on", async () => {
  const { chain, gateway, scheme, pay } = await setUp();
  await pay(url);
  for (const method of ["height", "minDeposit", "service", "channel", "find", "deposit"]) {
    chain[method] = async () => {
      throw new Error("connection refused");
    };
  }
  assert.equal((await pay(url)).status, 200);
  const serve = gateway.fetch;
  gateway.fetch = async (request) =>
    request.headers.has("PAYMENT-SIGNATURE") ? gateway.required("channel_busy") : serve(request);
  assert.equal((await pay(url)).status, 402);
  gateway.fetch = serve;
  assert.equal((await pay(url)).status, 200);
  assert.equal(scheme.channels()[0].charged, 210n);
});

test("a server whose node has not seen the deposit yet is asked once more", async () => {
  const { gateway, chain, pay } = await setUp();
  const serve = gateway.fetch;
  let behind = 1;
  gateway.fetch = async (request) => {
    if (request.headers.has("PAYMENT-SIGNATURE") && behind-- > 0) return gateway.required("channel_not_found");
    return serve(request);
  };
  assert.equal((await pay(url)).status, 200);
  assert.equal(chain.deposits.length, 1);
});

test("a server that is busy is asked again when it says so, with the same payment", async () => {
  const { gateway, pay } = await setUp();
  const serve = gateway.fetch;
  const seen = [];
  gateway.fetch = async (request) => {
    const header = request.headers.get("PAYMENT-SIGNATURE");
    if (header && seen.push([header, performance.now()]) === 1) {
      return new Response("busy", { status: 503, headers: { "Retry-After": "1" } });
    }
    return serve(request);
  };
  assert.equal((await pay(url)).status, 200);
  assert.equal(seen.length, 2);
  assert.equal(seen[0][0], seen[1][0]);
  assert.ok(seen[1][1] - seen[0][1] >= 990);
});

test("an abort while waiting to ask again ends the request, and its price stays reserved", async () => {
  const { gateway, scheme, pay } = await setUp();
  await pay(url);
  const abort = new AbortController();
  const serve = gateway.fetch;
  gateway.fetch = async (request) => {
    if (!request.headers.has("PAYMENT-SIGNATURE")) return serve(request);
    setTimeout(() => abort.abort(), 10);
    return new Response("busy", { status: 503, headers: { "Retry-After": "10" } });
  };
  await assert.rejects(pay(url, { signal: abort.signal }), { name: "AbortError" });
  assert.equal(scheme.channels()[0].promised, 100n);
});

test("an answer that says nothing of payment leaves the price reserved", async () => {
  for (const answer of [() => undefined, () => "broken"]) {
    const { gateway, scheme, events, pay } = await setUp();
    gateway.settlement = answer;
    assert.equal((await pay(url)).status, 200);
    assert.equal(scheme.channels()[0].promised, 100n);
    assert.equal(events.at(-1).type, "unknown");
  }
});

test("requests that others have paid are let through as they are", async () => {
  const { gateway, scheme } = await setUp();
  gateway.fetch = async (request) => new Response(request.headers.get("PAYMENT-SIGNATURE"));
  for (const header of ["not base64!", btoa("not JSON"), btoa('{"extensions":null}'), btoa("{}")]) {
    const response = await scheme.fetch(url, { headers: { "PAYMENT-SIGNATURE": header } });
    assert.equal(await response.text(), header);
  }
});

test("a request that is not heard of for longer than its time-out makes room", async () => {
  let now = Date.UTC(2026, 0, 1);
  const { client, scheme, gateway, pay } = await setUp({ scheme: { maxParallel: 1, now: () => now } });
  await pay(url);
  // an application that pays and never says what came of it
  const { accepted } = gateway.requests[0];
  const required = { x402Version: 2, resource: { url }, accepts: [accepted] };
  await client.createPaymentPayload(required);
  assert.equal(scheme.channels()[0].promised, 100n);
  now += 100_000;
  assert.equal((await pay(url)).status, 200);
  assert.equal(scheme.channels()[0].charged, 140n);
  assert.equal(scheme.channels()[0].promised, 0n);
});
