// What people do with the console, in a browser. The environment says where: LODE_CONSOLE,
// LODE_CONTROL (gives coins, cuts the node off), LODE_BROWSER, LODE_HOTKEY (a validator's of
// subnet 1), LODE_STRANGER (an address), LODE_SERVICE. With LODE_SHOTS it keeps pictures there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "../../console/web/node_modules/playwright-core/index.mjs";

const { LODE_CONSOLE: base, LODE_CONTROL: control, LODE_BROWSER, LODE_HOTKEY: hotkey, LODE_STRANGER: stranger, LODE_SERVICE: service, LODE_SHOTS: shots } = process.env;
const axe = readFileSync(new URL("../../console/web/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const PASSWORD = "correct horse battery";
const WAIT = { timeout: 60_000 };

let browser, context, page, address;
const bad = [];
const asked = new Set();

before(async () => {
  browser = await chromium.launch({ executablePath: LODE_BROWSER, args: ["--no-sandbox"] });
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(60_000);
  page = await context.newPage();
  page.on("pageerror", (error) => bad.push(error.message));
  page.on("console", (message) => {
    // a node that is down is one of the tests
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) bad.push(message.text());
  });
  context.on("request", (r) => asked.add(new URL(r.url()).origin));
});
after(() => browser?.close());

const at = async (path) => page.goto(`${base}/#${path}`);
const see = (text) => page.getByText(text).first().waitFor(WAIT);
const button = (name, root = page) => root.getByRole("button", { name, exact: true });
const field = (name, root = page) => root.getByLabel(name, { exact: true });
const shot = async (name) => shots && page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
const dialog = () => page.locator("dialog");

/** Nothing of the page may be wider than the screen, and axe must find nothing. */
async function sound(name) {
  await page.evaluate(`${axe};0`);
  for (const [width, scheme] of [[1280, "light"], [390, "dark"]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(150);
    const over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert.ok(over <= 0, `${name} is ${over} px too wide at ${width}`);
    const found = await page.evaluate("axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 200)).join(' ')))");
    assert.deepEqual(found, [], `${name} at ${width}`);
    await shot(`${name}-${width}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
}

test("the first page is small, and stands soon", async () => {
  await at("/"); // once, so that the machine has the browser's files warm
  await see("Issued");
  const fresh = await browser.newContext();
  const first = await fresh.newPage();
  let bytes = 0;
  first.on("response", async (r) => {
    const sizes = await r.request().sizes().catch(() => undefined);
    bytes += sizes?.responseBodySize ?? 0;
  });
  const began = performance.now();
  await first.goto(base);
  await first.getByRole("heading", { name: "Subnets by share of emission" }).waitFor(WAIT);
  const took = performance.now() - began;
  console.log(`first page: ${Math.round(took)} ms, ${bytes} bytes`);
  assert.ok(bytes < 300_000, `${bytes} bytes`);
  await fresh.close();
  await sound("home");
});

test("a wallet is created, its words are asked for, and it has an address", async () => {
  await at("/wallet");
  await button("Create a wallet").click();
  await field("Name", dialog()).fill("savings");
  await dialog().getByLabel("A password for this browser").fill(PASSWORD);
  await dialog().getByLabel("The same again").fill(PASSWORD);
  await button("Make the words").click();
  await dialog().locator("ol.words").waitFor(WAIT);
  const words = (await dialog().locator("ol.words li").allTextContents()).map((w) => w.replace(/^\d+/, ""));
  assert.equal(words.length, 24);
  await dialog().getByRole("checkbox").check();
  await button("Go on").click();
  for (const label of await dialog().locator("label").all()) {
    const n = Number(/\d+/.exec(await label.textContent())[0]);
    await label.locator("input").fill(words[n - 1]);
  }
  await button("Keep the key").click();
  await see("The key is in the wallet.");
  address = (await dialog().locator(".whole").textContent()).trim();
  assert.match(address, /^lode1[02-9ac-hj-np-z]{38}$/);
  await dialog().locator("button.primary").click();
  // what lies in the browser has none of the words
  const stored = await page.evaluate(async () => {
    const open = await new Promise((resolve) => { const r = indexedDB.open("lode"); r.onsuccess = () => resolve(r.result); });
    const all = await new Promise((resolve) => { const r = open.transaction("keys").objectStore("keys").getAll(); r.onsuccess = () => resolve(r.result); });
    open.close();
    return new TextDecoder("latin1").decode(all[0].sealed) + JSON.stringify(all) + JSON.stringify(localStorage);
  });
  for (const word of words.filter((w) => w.length > 4)) assert.ok(!stored.includes(word), "a word lies in the open");
});

test("without funds nothing can be sent, and the page says why", async () => {
  await at("/wallet/send");
  await field("To").fill(stranger);
  await page.locator(".amount input").first().fill("1");
  await button("Review").click();
  await see("There are 0 TAO.");
});

test("what is received is seen", async () => {
  await at("/wallet/receive");
  await page.getByRole("img", { name: `QR code of ${address}` }).waitFor(WAIT);
  const given = await fetch(`${control}/give/${address}`, { method: "POST" });
  assert.ok(given.ok, await given.text());
  await at("/wallet/portfolio");
  await page.locator("dd", { hasText: /^50 TAO|^50\sTAO/ }).first().waitFor(WAIT);
  await sound("wallet");
});

test("stake is bought with a limit, after a review of the very bytes, and stands in the portfolio", async () => {
  await at("/wallet/stake");
  await field("With hotkey").fill(hotkey);
  await page.locator(".amount input").first().fill("10");
  await button("Review").click();
  await dialog().getByText("Worst case after").waitFor(WAIT);
  assert.match(await dialog().textContent(), /Limit price.*TAO an alpha/s);
  assert.ok((await dialog().textContent()).includes(address), "the full address is shown");
  await shot("review");
  await button("Sign and send").click();
  await dialog().getByText("It is in block").waitFor(WAIT);
  await dialog().locator("button.primary").click();
  await at("/wallet/portfolio");
  await page.getByRole("row").filter({ hasText: "Unstake" }).first().waitFor(WAIT);
  await sound("portfolio");
});

test("a subnet's hostile name is text, wherever it stands", async () => {
  for (const path of ["/", "/subnets", "/subnets/1", "/wallet/portfolio", "/search?q=img"]) {
    await at(path);
    await page.getByText("<img src=x").first().waitFor(WAIT);
  }
  assert.equal(await page.locator("img").count(), 0);
  assert.notEqual(await page.title(), "owned");
});

test("every page of the explorer is sound", async () => {
  for (const [path, text] of [
    ["/subnets", "Market value"],
    ["/subnets/1", "About it"],
    ["/subnets/1?tab=metagraph", "Danger"],
    ["/subnets/1?tab=weights", "Weights: how validators"],
    ["/subnets/1?tab=parameters", "bonds_moving_average"],
    ["/subnets/1?tab=registrations", "Registrations"],
    ["/subnets/1?tab=join", "A place costs"],
    ["/validators", "Validators"],
    ["/market", "answers"],
    [`/market/${service}`, "About it"],
    ["/transactions", "done"],
    ["/blocks", "Proposer"],
    [`/accounts/${address}`, "Transactions"],
  ]) {
    await at(path);
    await page.locator("main").getByText(text).first().waitFor(WAIT);
    await page.locator(".skeleton").first().waitFor({ state: "detached", timeout: 60_000 });
    await sound(path.slice(1).replaceAll(/[^a-z0-9]+/g, "-").slice(0, 40));
  }
});

test("search finds a block, an address and a transaction", async () => {
  const search = page.getByRole("searchbox", { name: /^Search/ });
  await at("/");
  await search.fill("2");
  await search.press("Enter");
  await page.getByText("Block").first().waitFor(WAIT);
  await search.fill(address);
  await search.press("Enter");
  await page.waitForURL(new RegExp(`#/accounts/${address}`), WAIT);
  await at("/transactions");
  const link = page.locator("tbody th a").first();
  await link.waitFor(WAIT);
  const hash = decodeURIComponent((await link.getAttribute("href")).split("/").at(-1));
  await search.fill(hash);
  await search.press("Enter");
  await page.waitForURL(new RegExp(`#/transactions/${hash}`, "i"), WAIT);
  await page.getByRole("heading", { name: "Transaction", exact: true }).waitFor(WAIT);
});

test("after a reload the wallet is locked; a wrong password opens nothing, the right one does", async () => {
  await page.reload();
  await at("/wallet/portfolio");
  await button("Unlock").click();
  await dialog().getByLabel("Password").fill("wrong horse battery");
  await dialog().getByRole("button", { name: "Unlock" }).click();
  await see("The password is wrong.");
  await dialog().getByLabel("Password").fill(PASSWORD);
  await dialog().getByRole("button", { name: "Unlock" }).click();
  await button("Lock").waitFor(WAIT);
});

test("stake is sold with a limit", async () => {
  await at("/wallet/stake?do=unstake");
  await page.getByRole("heading", { name: "Unstake" }).waitFor(WAIT);
  await page.locator(".amount input").first().fill("1");
  await page.getByText("At least").waitFor(WAIT);
  await button("Review").click();
  await dialog().getByText("Worst case after").waitFor(WAIT);
  await button("Sign and send").click();
  await dialog().getByText("It is in block").waitFor(WAIT);
  await dialog().locator("button.primary").click();
});

test("the node goes away: it is said, nothing is sent, and it goes on by itself", async () => {
  await at("/wallet/send");
  await field("To").fill(stranger);
  await page.locator(".amount input").first().fill("1");
  await fetch(`${control}/down`, { method: "POST" });
  await page.getByText("The node does not answer").first().waitFor(WAIT);
  await button("Review").click();
  await dialog().getByRole("alert").waitFor(WAIT);
  await shot("node-down");
  await page.keyboard.press("Escape");
  await fetch(`${control}/up`, { method: "POST" });
  await page.getByText("The node does not answer").first().waitFor({ state: "detached", timeout: 90_000 });
  await button("Review").click();
  await dialog().getByText("Worst case after").waitFor(WAIT);
  await dialog().getByText("never sent here before").waitFor(WAIT);
  await button("Sign and send").click();
  await dialog().getByText("It is in block").waitFor(WAIT);
  await dialog().locator("button.primary").click();
});

/** Signs the deposit that opens a channel, where the page asks for it. */
async function sign() {
  await dialog().getByText("Worst case after").waitFor(WAIT);
  await button("Sign and send").click();
  await dialog().getByText("It is in block").waitFor(WAIT);
  await dialog().locator("button.primary").click();
}

test("a model is asked, its answer streams, and what it cost is shown", async () => {
  await at(`/market/${service}`);
  await button("Start").click();
  await field("Your message").fill("one two three four five");
  await button("Send").click();
  await sign();
  await page.locator(".assistant", { hasText: "one two three four five" }).waitFor(WAIT);
  await page.getByText("paid 0.000005 TAO").waitFor(WAIT);
  await page.getByText("r-1").waitFor(WAIT);
  await sound("chat");
});

test("a clip is sent, comes back, and stands beside the original", async () => {
  await button("Video").click();
  const clip = await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const brush = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
    const parts = [];
    recorder.ondataavailable = (e) => parts.push(e.data);
    const done = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();
    for (let i = 0; i < 20; i++) {
      brush.fillStyle = `hsl(${i * 18} 80% 50%)`;
      brush.fillRect(0, 0, 64, 64);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    recorder.stop();
    await done;
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  assert.ok(clip.length > 100);
  await page.locator("input[type=file]").setInputFiles({ name: "clip.webm", mimeType: "video/webm", buffer: Buffer.from(clip) });
  await page.getByLabel("Path below the service's endpoint").fill("clip");
  await button("Compress and pay").click();
  await page.getByText("saved, in").waitFor(WAIT);
  await page.getByText("paid 0.0003 TAO").waitFor(WAIT);
  assert.equal(await page.locator("video").count(), 2);
  await sound("video");
});

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
