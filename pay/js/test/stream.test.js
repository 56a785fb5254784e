// Streams: vouchers as they go, and nothing of it in the application's sight.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventFilter } from "../src/sse.js";
import { streaming, url } from "./fake.js";

const encoder = new TextEncoder();
const chunks = Array.from({ length: 8 }, (_, i) => `data: part ${i}\n\n`);

test("a stream is paid as it goes, and the application sees its own events alone", async () => {
  const { gateway, scheme, events, pay } = await streaming(chunks);
  const response = await pay(url);
  assert.equal(response.url, "");
  assert.equal(await response.text(), chunks.join(""));
  const answers = gateway.requests.filter((r) => r.payload.stream);
  assert.deepEqual(answers.map((r) => r.payload.voucher.maxClaimableAmount), ["180", "260", "340"]);
  assert.equal(answers[0].payload.stream, gateway.requests[0].extensions["payment-identifier"].info.id);
  const [channel] = scheme.channels();
  assert.equal(channel.charged, 320n);
  assert.equal(channel.promised, 0n);
  assert.equal(channel.dispute, undefined);
  assert.deepEqual(events.map((e) => e.type), ["opened", "paid"]);
  assert.equal(events[1].amount, 320n);
});

test("a stream tops its channel up", async () => {
  const { chain, pay } = await streaming(chunks, { scheme: { deposit: 200n } });
  chain.least = 100n;
  assert.equal(await (await pay(url)).text(), chunks.join(""));
  assert.deepEqual(chain.deposits.map((d) => d.amount), [200n, 200n]);
});

test("streams that run at once share a channel", async () => {
  const { gateway, scheme, pay } = await streaming(chunks);
  const texts = await Promise.all([1, 2, 3].map(async () => (await pay(url)).text()));
  for (const text of texts) assert.equal(text, chunks.join(""));
  const [channel] = scheme.channels();
  assert.equal(channel.charged, 960n);
  assert.equal(channel.promised, 0n);
  assert.equal(channel.dispute, undefined);
  assert.ok(channel.signed <= 960n + 2n * 80n, `${channel.signed}`);
  assert.equal(gateway.state.get(channel.id).charged, 960n);
});

test("a stream leaves requests on their way what they were promised", async () => {
  const { gateway, scheme, pay } = await streaming(chunks);
  const stream = await pay(url); // its voucher of 100 has come
  const serve = gateway.fetch;
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  let other;
  await new Promise((sent) => {
    gateway.fetch = async (request) => {
      if (request.method !== "HEAD" && request.headers.has("PAYMENT-SIGNATURE")) {
        sent();
        await held;
      }
      return serve(request);
    };
    other = pay(url); // is promised 100, of which the server does not know yet
  });
  assert.equal(await stream.text(), chunks.join(""));
  const asked = gateway.requests.filter((r) => r.payload.stream).map((r) => r.payload.voucher.maxClaimableAmount);
  assert.deepEqual(asked, ["280", "360", "440"]);
  letGo();
  // it comes after what was promised later is charged, and is paid anew
  assert.equal(await (await other).text(), chunks.join(""));
  const [channel] = scheme.channels();
  assert.deepEqual([channel.charged, channel.promised, channel.dispute], [640n, 0n, undefined]);
});

test("a stream costs no more than the limit of a request", async () => {
  const { scheme, pay } = await streaming(chunks, { scheme: { limits: { perRequest: 200n, perDay: 10_000n } } });
  const response = await pay(url);
  await assert.rejects(response.text(), /exceeds limits.perRequest/);
  const [channel] = scheme.channels();
  assert.equal(channel.signed, 180n);
  assert.equal(channel.promised, 180n); // what it cost is not known
});

const lies = {
  "of another channel": [(e) => ({ ...e, channelId: "ff".repeat(32) }), /asks for a voucher of ffff/],
  "for more than a request may cost": [(e) => ({ ...e, requiredCumulative: "1001" }), /a request of 1001 rao exceeds limits.perRequest/],
  "for an absurd amount": [(e) => ({ ...e, requiredCumulative: "9".repeat(30) }), /not an amount/],
  "that is not JSON": [() => undefined, /not JSON/],
};

for (const [name, [lie, error]] of Object.entries(lies)) {
  test(`a call for a voucher ${name} ends the stream`, async () => {
    const { gateway, scheme, pay } = await streaming(chunks);
    gateway.need = lie;
    await assert.rejects((await pay(url)).text(), error);
    assert.equal(scheme.channels()[0].signed, 100n);
  });
}

test("a stream that charges more than was promised is in dispute", async () => {
  const { gateway, scheme, pay } = await streaming(chunks);
  gateway.final = (s) => ((s.extra.chargedAmount = "341"), s);
  assert.equal(await (await pay(url)).text(), chunks.join(""));
  assert.match(scheme.channels()[0].dispute, /341 rao were charged for a request of at most 340/);
});

test("a stream that does not say what it cost stays reserved until the next answer says it", async () => {
  const { gateway, scheme, events, pay } = await streaming(chunks);
  const final = gateway.final;
  gateway.final = () => undefined;
  await (await pay(url)).text();
  assert.equal(scheme.channels()[0].promised, 340n);
  assert.equal(events.at(-1).type, "unknown");
  gateway.final = final;
  await (await pay(url)).text();
  assert.equal(scheme.channels()[0].charged, 640n);
  assert.equal(scheme.channels()[0].dispute, undefined);
});

test("an application that stops reading stops paying", async () => {
  const { gateway, scheme, pay } = await streaming(Array.from({ length: 1000 }, (_, i) => `data: part ${i}\n\n`));
  const reader = (await pay(url)).body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "data: part 0\n\n");
  await reader.cancel();
  assert.ok(scheme.channels()[0].signed <= 180n);
  assert.equal(gateway.state.get(scheme.channels()[0].id).charged, 0n);
});

test("a refused voucher ends the stream with an error", async () => {
  const { gateway, pay } = await streaming(chunks);
  const serve = gateway.fetch;
  gateway.fetch = async (request) => (request.method === "HEAD" ? new Response(null, { status: 402 }) : serve(request));
  await assert.rejects((await pay(url)).text(), /asked for a voucher and refused it \(status 402\)/);
});

test("a stream that has ended before its voucher comes is complete", async () => {
  const { gateway, scheme, pay } = await streaming(chunks);
  const serve = gateway.fetch;
  gateway.fetch = async (request) => {
    const response = await serve(request);
    return request.method === "HEAD" ? new Response(null, { status: 404 }) : response;
  };
  assert.equal(await (await pay(url)).text(), chunks.join(""));
  assert.equal(scheme.channels()[0].charged, 320n);
});

/** Feeds text to a filter in pieces of n bytes. */
function filtered(text, n) {
  const taken = [];
  const filter = new EventFilter((event) => {
    if (event.type !== "payment-x") return false;
    taken.push(event.data);
    return true;
  });
  const bytes = encoder.encode(text);
  const out = [];
  for (let i = 0; i < bytes.length; i += n) out.push(...filter.push(bytes.slice(i, i + n)));
  out.push(...filter.flush());
  return { text: new TextDecoder().decode(Uint8Array.from(out)), taken };
}

test("payment events are taken out at any border of the bytes, by any line ends", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const line = (...lines) => lines.map((l) => l + end).join("") + end;
    const text = line(": hello") + line("event: payment-x", "data: 1", "data: 2") + line("data: grüße", "id: 7") + line("data:payment-x", "event:payment-x") + line("event:  payment-x", "data: mine") + "data: unfinished";
    for (const n of [1, 2, 3, 5, 1000]) {
      const { text: rest, taken } = filtered(text, n);
      assert.deepEqual(taken, ["1\n2", "payment-x"], JSON.stringify({ end, n }));
      const seen = rest.replaceAll("\r\n", "\n").replaceAll("\r", "\n").replace(/\n{2,}/g, "\n\n");
      assert.equal(seen, ": hello\n\ndata: grüße\nid: 7\n\nevent:  payment-x\ndata: mine\n\ndata: unfinished");
    }
  }
});

test("an event too long to be a payment's goes through as it comes", () => {
  const long = `event: payment-x\ndata: ${"y".repeat(40_000)}\n\n`;
  const { text, taken } = filtered(long + "event: payment-x\ndata: z\n\n" + long, 1024);
  assert.deepEqual(taken, ["z"]);
  assert.equal(text, long + long);
});
