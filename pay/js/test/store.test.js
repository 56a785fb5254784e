import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LodeScheme, MemoryStore } from "@lodenet/x402";
import { FileStore } from "@lodenet/x402/file";
import { FakeChain, FakeGateway, setUp, stranger, url } from "./fake.js";

const folder = () => mkdtemp(join(tmpdir(), "lode-x402-"));

test("channels, keys and what was spent outlast a restart, in a file of its owner's", async () => {
  const path = join(await folder(), "deep", "x402.json");
  const chain = new FakeChain();
  const gateway = new FakeGateway(chain);
  const first = await setUp({ chain, gateway, store: new FileStore(path) });
  await first.pay(url);
  await first.scheme.close();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(path, ".."))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(path, "..")), ["x402.json"]);

  const second = await setUp({ chain, gateway, store: new FileStore(path) });
  assert.deepEqual(second.scheme.spent(), { today: 80n, total: 80n });
  assert.equal((await second.pay(url)).status, 200);
  assert.equal(chain.deposits.length, 1);
  assert.equal(gateway.requests[1].payload.voucher.maxClaimableAmount, "170");
  await second.scheme.close();
});

test("what was under way when the program was killed stays reserved", async () => {
  const chain = new FakeChain();
  const gateway = new FakeGateway(chain);
  const store = new MemoryStore();
  const first = await setUp({ chain, gateway, store });
  await first.pay(url);
  let begun;
  const under = new Promise((resolve) => (begun = resolve));
  gateway.before = () => {
    begun();
    return new Promise(() => {}); // never
  };
  first.pay(url).catch(() => {});
  await under;

  gateway.before = async () => {};
  const second = await setUp({ chain, gateway, store });
  assert.equal(second.scheme.channels()[0].promised, 100n);
  assert.equal((await second.pay(url)).status, 200);
  assert.equal(gateway.requests.at(-1).payload.voucher.maxClaimableAmount, "270");
});

test("a channel being opened when the program was killed is found again", async () => {
  const chain = new FakeChain();
  const store = new MemoryStore();
  const first = await setUp({ chain, store });
  const deposit = chain.deposit.bind(chain);
  let sent;
  const reached = new Promise((resolve) => (sent = resolve));
  chain.deposit = async (...args) => {
    await deposit(...args);
    sent();
    return new Promise(() => {}); // never heard
  };
  first.pay(url).catch(() => {});
  await reached;
  chain.deposit = deposit;

  const second = await setUp({ chain, store });
  assert.equal((await second.pay(url)).status, 200);
  assert.equal(chain.deposits.length, 1);
});

test("books from an old backup are mended by a voucher of our own", async () => {
  const chain = new FakeChain();
  const gateway = new FakeGateway(chain);
  const store = new MemoryStore();
  const first = await setUp({ chain, gateway, store });
  await first.pay(url);
  const backup = await store.read();
  for (let i = 0; i < 5; i++) await first.pay(url);
  await store.write(backup);

  const second = await setUp({ chain, gateway, store });
  assert.equal((await second.pay(url)).status, 200);
  const [channel] = second.scheme.channels();
  assert.equal(channel.charged, 490n);
  assert.equal(channel.dispute, undefined);
  assert.equal(second.scheme.spent().total, 500n);
});

test("a file that others can read is refused", async () => {
  const path = join(await folder(), "x402.json");
  await writeFile(path, "{}");
  await chmod(path, 0o644);
  await assert.rejects(setUp({ store: new FileStore(path) }), /chmod 600/);
  await chmod(path, 0o600);
  await assert.rejects(setUp({ store: new FileStore(path) }), /version is undefined/); // and the lock was let go
});

const broken = {
  "no JSON": "{",
  "another version": JSON.stringify({ version: 3, channels: [], openings: [], spent: {} }),
  "half of it": JSON.stringify({ version: 1, channels: [] }),
  "a key that is none": JSON.stringify({
    version: 1,
    channels: [{ id: "00", serviceId: "1", key: "zz", deposit: "1", signed: "1", charged: "1", promised: [] }],
    openings: [],
    spent: { day: "", today: "0", total: "0", providers: [] },
  }),
};

for (const [name, text] of Object.entries(broken)) {
  test(`a store with ${name} is not overwritten`, async () => {
    const store = new MemoryStore();
    await store.write(text);
    await assert.rejects(setUp({ store }), { name: "PaymentError", code: "store" });
    assert.equal(await store.read(), text);
  });
}

test("one process at a time uses a file, and a dead one's lock is taken away", async () => {
  const path = join(await folder(), "x402.json");
  const script = `
    import { FileStore } from ${JSON.stringify(new URL("../src/file.js", import.meta.url).href)};
    const store = new FileStore(${JSON.stringify(path)});
    await store.read();
    await store.write("from a child");
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  await assert.rejects(new FileStore(path).read(), new RegExp(`process ${child.pid} uses`));
  child.kill("SIGKILL");
  await once(child, "exit");
  const store = new FileStore(path);
  assert.equal(await store.read(), "from a child");
  await assert.rejects(new FileStore(path).read(), /open already in this process/);
  await store.write("mine");
  await store.close();
  assert.equal(await readFile(path, "utf8"), "mine");
  await assert.rejects(store.write("too late"), /was closed/);
});

test("a store that can't be written stops payments before they are made", async () => {
  const { gateway, store, scheme, pay } = await setUp();
  await pay(url);
  const write = store.write.bind(store);
  store.write = async () => {
    throw new Error("no space left on device");
  };
  await assert.rejects(pay(url), /no space left/);
  assert.equal(gateway.requests.length, 1);
  store.write = write;
  assert.equal((await pay(url)).status, 200);
  assert.equal(scheme.channels()[0].promised, 0n);
});

const day = 86_400_000;

test("each limit holds, and days begin anew", async () => {
  let now = Date.UTC(2026, 0, 1, 12);
  const limits = { perRequest: "100", perDay: 300n, total: "500", locked: 10_000n };
  const { gateway, chain, pay } = await setUp({ scheme: { limits, now: () => now } });
  chain.fee = 0n;
  chain.least = 0n;
  gateway.price = 100n;
  gateway.terms = (t) => ({ ...t, amount: "101" });
  await assert.rejects(pay(url), /a request of 101 rao exceeds limits.perRequest, which is 100; raise it/);
  gateway.terms = (t) => t;
  for (let i = 0; i < 3; i++) assert.equal((await pay(url)).status, 200);
  await assert.rejects(pay(url), /a request of 100 rao exceeds limits.perDay: 0 of 300 rao are left/);
  now += day;
  for (let i = 0; i < 2; i++) assert.equal((await pay(url)).status, 200);
  await assert.rejects(pay(url), /exceeds limits.total: 0 of 500/);
  now += day;
  await assert.rejects(pay(url), /exceeds limits.total/);
  assert.equal(gateway.requests.length, 5);
});

test("a provider's limit is its own", async () => {
  const limits = { perRequest: 1000n, perDay: 10_000n, perProvider: 150n };
  const { gateway, chain, pay } = await setUp({ scheme: { limits } });
  chain.fee = 0n;
  chain.least = 0n;
  chain.services.set(2n, { hotkey: stranger, listed: true, plans: [] });
  assert.equal((await pay(url)).status, 200); // 70
  await assert.rejects(pay(url), /exceeds limits.perProvider: 80 of 150/);
  gateway.terms = (t) => ({ ...t, payTo: stranger, extra: { ...t.extra, serviceId: "2", receiverAuthorizer: stranger } });
  assert.equal((await pay(url)).status, 200);
});

test("what is under way counts", async () => {
  const limits = { perRequest: 100n, perDay: 250n };
  const { gateway, chain, pay } = await setUp({ scheme: { limits } });
  chain.fee = 0n;
  chain.least = 0n;
  const results = await Promise.allSettled([1, 2, 3].map(() => pay(url)));
  assert.equal(results.filter((r) => r.status === "fulfilled").length, 2);
  assert.equal(gateway.requests.length, 2);
});

for (const limits of [undefined, {}, { perRequest: 1n }, { perRequest: 1n, perDay: -1n }, { perRequest: 1, perDay: 1n }, { perRequest: "1tao", perDay: 1n }]) {
  test(`limits of ${JSON.stringify(limits, (_, v) => (typeof v === "bigint" ? `${v}n` : v))} are refused`, async () => {
    const options = { chain: new FakeChain(), store: new MemoryStore(), limits };
    await assert.rejects(LodeScheme.open(options), { name: "PaymentError", code: "limit" });
  });
}
