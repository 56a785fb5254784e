// Servers that want more than they are owed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hotkey, setUp, stranger, url } from "./fake.js";

const offers = {
  "another network": [(t) => ({ ...t, network: "cosmos:lode-2" }), /wants to be paid on cosmos:lode-2/],
  "a network that is none": [(t) => ({ ...t, network: "cosmos:a b" }), /not cosmos:CHAIN-ID/],
  "an amount with a sign": [(t) => ({ ...t, amount: "-1" }), /not an amount/],
  "an amount with a point": [(t) => ({ ...t, amount: "1.5" }), /not an amount/],
  "an amount as a number": [(t) => ({ ...t, amount: 100 }), /not an amount/],
  "an amount with zeros before it": [(t) => ({ ...t, amount: "0100" }), /not an amount/],
  "an absurd amount": [(t) => ({ ...t, amount: "9".repeat(40) }), /not an amount/],
  "an address of another network": [(t) => ({ ...t, payTo: "cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5lzv7xu" }), /not an address/],
  "an address with a bad checksum": [(t) => ({ ...t, payTo: hotkey.slice(0, -1) + "q" }), /not an address/],
  "another redeemer": [(t) => ({ ...t, extra: { ...t.extra, receiverAuthorizer: stranger } }), /receiverAuthorizer is not payTo/],
  "somebody else's service": [
    (t) => ({ ...t, payTo: stranger, extra: { ...t.extra, receiverAuthorizer: stranger } }),
    /service 1 is not of lode1/,
  ],
  "no service": [(t) => ({ ...t, extra: { ...t.extra, serviceId: undefined } }), /extra.serviceId is missing/],
  "service 0": [(t) => ({ ...t, extra: { ...t.extra, serviceId: "0" } }), /extra.serviceId is 0/],
  "a service that the chain does not know": [(t) => ({ ...t, extra: { ...t.extra, serviceId: "7" } }), /no service 7/],
  "a plan in rao": [(t) => ({ ...t, extra: { ...t.extra, planId: "3" } }), /the asset is "rao", not unit/],
  "units of no plan": [(t) => ({ ...t, asset: "unit" }), /the asset is "unit", not rao/],
  "a plan that is none": [(t) => ({ ...t, extra: { ...t.extra, planId: "x" } }), /extra.planId is "x"/],
  "a plan that nobody subscribed to": [(t) => ({ ...t, asset: "unit", extra: { ...t.extra, planId: "3" } }), /no subscription to; subscribe to it first/],
  "too short a delay": [(t) => ({ ...t, extra: { ...t.extra, withdrawDelay: 899 } }), /withdrawDelay is 899/],
  "too long a delay": [(t) => ({ ...t, extra: { ...t.extra, withdrawDelay: 2_592_000 } }), /out of reach for 2592000 seconds/],
  "a delay that is no number": [(t) => ({ ...t, extra: { ...t.extra, withdrawDelay: "900" } }), /withdrawDelay is "900"/],
  "a time-out of years": [(t) => ({ ...t, maxTimeoutSeconds: 1e9 }), /maxTimeoutSeconds/],
  "nothing about the service": [(t) => ({ ...t, extra: undefined }), /extra is missing/],
};

for (const [name, [terms, error]] of Object.entries(offers)) {
  test(`a server that asks for ${name} gets no deposit and no voucher`, async () => {
    const { chain, gateway, scheme, pay } = await setUp();
    // extra goes around the merge of correct()
    gateway.required = function (why) {
      const { extra, ...rest } = this.offer();
      const required = { x402Version: 2, error: why, resource: { url }, accepts: [{ ...rest, extra }] };
      const header = Buffer.from(JSON.stringify(required)).toString("base64");
      return new Response("{}", { status: 402, headers: { "PAYMENT-REQUIRED": header } });
    };
    gateway.terms = terms;
    await assert.rejects(pay(url), error);
    assert.deepEqual(chain.deposits, []);
    assert.deepEqual(gateway.requests, []);
    assert.deepEqual(scheme.channels(), []);
  });
}

test("a server that wants a deposit beyond the limits gets none", async () => {
  const { chain, gateway, pay } = await setUp({ scheme: { limits: { perRequest: 1000n, perDay: 5000n } } });
  gateway.terms = (t) => ({ ...t, extra: { ...t.extra, minDeposit: "18446744073709551615" } });
  await assert.rejects(pay(url), /a deposit of 18446744073709551615 rao exceeds limits.perDay/);
  assert.deepEqual(chain.deposits, []);
  gateway.terms = (t) => ({ ...t, extra: { ...t.extra, minDeposit: "4000" } });
  assert.equal((await pay(url)).status, 200);
  gateway.terms = (t) => ({ ...t, extra: { ...t.extra, minDeposit: "4500" } });
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(chain.deposits.map((d) => d.amount), [4000n, 1070n]); // up to what may be locked
});

test("a server that wants a longer delay than the channel has is paid by another channel", async () => {
  const { chain, gateway, pay } = await setUp();
  assert.equal((await pay(url)).status, 200);
  gateway.terms = (t) => ({ ...t, extra: { ...t.extra, withdrawDelay: 3600 } });
  assert.equal((await pay(url)).status, 200);
  assert.deepEqual(chain.deposits.map((d) => d.into.closeDelay), [900, 3600]);
});

test("many services can't lock up more than the limit between them", async () => {
  const { chain, gateway, pay } = await setUp({ scheme: { limits: { perRequest: 1000n, perDay: 100_000n, locked: 5000n } } });
  for (let i = 2n; i < 9n; i++) chain.services.set(i, { hotkey, listed: true, plans: [] });
  let service = 1;
  let minDeposit = "3000";
  gateway.terms = (t) => ({ ...t, extra: { ...t.extra, serviceId: `${service}`, minDeposit } });
  assert.equal((await pay(url)).status, 200);
  service = 2;
  minDeposit = "2000";
  assert.equal((await pay(url)).status, 200);
  service = 3;
  await assert.rejects(pay(url), /a deposit of 2000 rao exceeds limits.locked: 140 of 5000 rao are left/);
  assert.deepEqual(chain.deposits.map((d) => d.amount), [3000n, 2000n]);
});

const lies = {
  "more than the ceiling": (s) => ((s.extra.chargedAmount = "101"), s),
  "a sum that is too high": (s) => ((s.extra.channelState.chargedCumulativeAmount = "141"), s),
  "another channel": (s) => ((s.extra.channelState.channelId = "ff".repeat(32)), s),
  "an amount that is none": (s) => ((s.extra.chargedAmount = "-5"), s),
  "an amount in a list": (s) => ((s.extra.chargedAmount = ["70"]), s),
};

for (const [name, lie] of Object.entries(lies)) {
  test(`a server that says it charged ${name} gets no further voucher`, async () => {
    const { gateway, events, scheme, pay } = await setUp();
    assert.equal((await pay(url)).status, 200);
    gateway.settlement = lie;
    assert.equal((await pay(url)).status, 200); // it was delivered, so the application has it
    gateway.settlement = (s) => s;
    assert.equal(events.at(-1).type, "disputed");
    await assert.rejects(pay(url), /in dispute.*closeChannel/);
    assert.equal(gateway.requests.length, 2);
    const [channel] = scheme.channels();
    await scheme.closeChannel(channel.id);
    assert.equal((await pay(url)).status, 200); // on another channel
  });
}

test("a sum that is lower than what is known changes nothing", async () => {
  const { gateway, scheme, pay } = await setUp();
  await pay(url);
  gateway.settlement = (s) => ((s.extra.channelState.chargedCumulativeAmount = "1"), s);
  await pay(url);
  assert.equal(scheme.channels()[0].charged, 140n);
  assert.equal(scheme.channels()[0].dispute, undefined);
});

/** Lets the next paid request be refused with a correction. */
function refuse(gateway) {
  const serve = gateway.fetch;
  gateway.fetch = async (request) => {
    const header = request.headers.get("PAYMENT-SIGNATURE");
    if (!header) return serve(request);
    gateway.fetch = serve;
    const { payload } = JSON.parse(Buffer.from(header, "base64").toString());
    return gateway.required("cumulative_amount_mismatch", gateway.correct(payload.voucher.channelId));
  };
}

const corrections = {
  "with a voucher of another key": (c) => ((c.voucherState.signature = "11".repeat(64)), c),
  "with a voucher for another amount": (c) => ((c.voucherState.signedMaxClaimable = "101"), c),
  "that is more than its voucher": (c) => ((c.channelState.chargedCumulativeAmount = "101"), c),
  "of another channel": (c) => ((c.channelState.channelId = "ff".repeat(32)), c),
  "that can't be, though the voucher would cover it": (c) => ((c.channelState.chargedCumulativeAmount = "99"), c),
  "in numbers": (c) => ((c.channelState.chargedCumulativeAmount = 70), c),
};

for (const [name, lie] of Object.entries(corrections)) {
  test(`a correction ${name} is not believed`, async () => {
    const { gateway, scheme, pay } = await setUp();
    assert.equal((await pay(url)).status, 200);
    gateway.correction = lie;
    refuse(gateway);
    assert.equal((await pay(url)).status, 402);
    const [channel] = scheme.channels();
    assert.notEqual(channel.dispute, undefined);
    assert.equal(channel.signed, 200n - 30n);
    await assert.rejects(pay(url), /in dispute/);
  });
}

test("a server that refuses and corrects nothing is not paid twice", async () => {
  const { gateway, scheme, pay } = await setUp();
  await pay(url);
  refuse(gateway);
  assert.equal((await pay(url)).status, 402);
  const [channel] = scheme.channels();
  assert.equal(channel.dispute, undefined);
  assert.equal(channel.promised, 0n);
  // neither does refusing over and over raise what is signed
  for (let i = 0; i < 5; i++) {
    refuse(gateway);
    assert.equal((await pay(url)).status, 402);
  }
  assert.equal(scheme.channels()[0].signed, 170n);
});

test("settlements and corrections for payments that nobody made are ignored", async () => {
  const { gateway, scheme, pay } = await setUp();
  await pay(url);
  const [payload] = gateway.requests;
  const context = {
    paymentPayload: payload,
    requirements: payload.accepted,
    settleResponse: gateway.settlementOf(payload.payload.voucher.channelId, 70n),
  };
  assert.equal(await scheme.schemeHooks.onPaymentResponse(context), undefined); // a second answer to the first
  assert.equal(scheme.channels()[0].charged, 70n);
});
