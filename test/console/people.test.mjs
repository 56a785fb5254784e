// What people do with the console, in a browser: four of them at once, on one network.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, describe, test } from "node:test";
import { asked, bad, base, browser, visitor } from "./browser.mjs";
import { explorer, firstPage, transactions } from "./explorer.mjs";
import { haste, times } from "./haste.mjs";
import { hasLocked, keys, leaveAlone } from "./keys.mjs";
import { away, person } from "./person.mjs";
import { storage } from "./storage.mjs";

after(() => browser.close());

test("a wallet that nobody uses is told to lock itself after a minute", leaveAlone);

test("the first page is small, and stands soon", firstPage);

const first = await visitor();
describe("people", { concurrency: 4 }, () => {
  test("with a wallet of their own", (t) => person(t, first));
  test("with many keys", keys);
  test("in a hurry", haste);
  test("whose browser keeps little", storage);
  test("with a wrong clock, or a network that stands still", times);
  test("who only look", explorer);
});

test("of every kind of transaction each field says something, and it fits on a phone", transactions);

test("the node goes away: it is said, nothing is sent, and it goes on by itself", () => away(first));

test("the wallet that nobody used has locked itself", hasLocked);

test("a page of another site, or of another name for this machine, is refused", async () => {
  const { port } = new URL(base);
  const status = (headers, method = "GET", path = "/v1/status") =>
    new Promise((resolve, reject) => {
      const r = request({ host: "127.0.0.1", port, path, method, headers }, (answer) => { answer.resume(); resolve(answer.statusCode); });
      r.on("error", reject);
      r.end();
    });
  assert.equal(await status({ Host: `127.0.0.1:${port}` }), 200);
  assert.ok((await status({ Host: `127.0.0.1.evil.com:${port}` })) >= 400);
  assert.ok((await status({ Host: `127.0.0.1:${port}`, Origin: "http://evil.com", "Content-Type": "application/json" }, "POST", "/v1/chain/simulate")) >= 400);
});

test("nothing was asked of another site, and nothing broke the policy", () => {
  assert.deepEqual([...asked].filter((origin) => origin !== base && origin !== "null"), []);
  assert.deepEqual(bad, []);
});
