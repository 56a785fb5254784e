// What people look at: every page of the explorer and the market, and the search.
import assert from "node:assert/strict";
import { ALL_VIEWS, base, browser, service, stranger, visitor, WAIT } from "./browser.mjs";

export async function firstPage() {
  const warm = await visitor(); // so that the machine has the browser's files warm
  await warm.at("/");
  await warm.see("Issued");
  await warm.page.getByText(/^As of block \d/).waitFor(WAIT);
  await warm.sound("home", ALL_VIEWS);
  await warm.context.close();
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
}

export async function explorer(t) {
  const test = (name, fn) => t.test(name, fn);
  const { page, context, at, see, sound } = await visitor();
  const search = page.getByRole("searchbox", { name: /^Search/ });

  await test("every page of the explorer is sound", async () => {
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
      ["/blocks/2", "Proposer"],
      [`/accounts/${stranger}`, "Transactions"],
      ["/search?q=1", "answers"],
      ["/nowhere", "There is no such page"],
    ]) {
      await at(path);
      await page.locator("main").getByText(text).first().waitFor(WAIT);
      await page.locator(".skeleton").first().waitFor({ state: "detached", timeout: 60_000 });
      if (/^\/(subnets|validators|market)/.test(path)) await page.locator("main").getByText(/^As of block \d/).first().waitFor(WAIT);
      await sound(path.slice(1).replaceAll(/[^a-z0-9]+/g, "-").replace(/-lode1.*/, "").slice(0, 40));
    }
  });

  await test("while a hand scrolls the metagraph nothing is read anew, and soon after it is", async () => {
    await at("/subnets/1?tab=metagraph");
    const list = page.getByRole("table", { name: "Neurons" });
    await list.getByRole("row").nth(1).waitFor(WAIT);
    // so low that few rows scroll, too
    await list.evaluate((e) => { e.style.height = "40px"; });
    const { blocks, read } = await page.evaluate(async () => {
      const list = document.querySelector(".window");
      const scrolls = [];
      list.addEventListener("scroll", () => scrolls.push(performance.now()));
      performance.clearResourceTimings();
      const height = () => document.querySelector(".pulse b").textContent;
      const seen = new Set();
      const until = performance.now() + 15_000; // it is read every 12 seconds
      for (let i = 0; performance.now() < until; i++) {
        list.scrollTop = i % 2 === 0 ? 1 : 2;
        seen.add(height());
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      // where the machine stood still for a moment the hand has rested, too, and it may be read
      const within = ({ name, startTime }) => name.endsWith("/metagraph") && scrolls.some((at) => at <= startTime && startTime < at + 290);
      return { blocks: seen.size, read: performance.getEntriesByType("resource").filter(within).length };
    });
    assert.ok(blocks > 1, "blocks came");
    assert.equal(read, 0);
    await page.waitForRequest((r) => r.url().endsWith("/metagraph"), WAIT);
  });

  await test("search finds a block, an address and a transaction", async () => {
    await at("/");
    await search.fill("2");
    await search.press("Enter");
    await see("Block");
    await search.fill(stranger);
    await search.press("Enter");
    await page.waitForURL(new RegExp(`#/accounts/${stranger}`), WAIT);
    await at("/transactions");
    const link = page.locator("tbody th a").first();
    await link.waitFor(WAIT);
    const hash = decodeURIComponent((await link.getAttribute("href")).split("/").at(-1));
    await search.fill(hash);
    await search.press("Enter");
    await page.waitForURL(new RegExp(`#/transactions/${hash}`, "i"), WAIT);
    await page.getByRole("heading", { name: "Transaction", exact: true }).waitFor(WAIT);
    await sound("transaction");
  });

  await test("an address that was typed without the # leads to its page, also after a reload", async () => {
    await page.goto(`${base}/subnets/1?tab=join`);
    await see("A place costs");
    assert.equal(page.url(), `${base}/#/subnets/1?tab=join`);
    await page.reload();
    await see("A place costs");
    await context.close();
  });
}

/** After all that people did: of every kind of transaction each field says something, and it fits on a phone. */
export async function transactions() {
  const { page, context, at, see, fits } = await visitor();
  const { items, next } = await (await fetch(`${base}/v1/transactions?limit=500`)).json();
  assert.ok(!next, "all of them");
  const kinds = Object.fromEntries(items.flatMap(({ types, hash }) => types.map((type) => [type, hash])));
  assert.ok(Object.keys(kinds).length > 20, `of ${items.length} only these kinds: ${Object.keys(kinds)}`);
  for (const [type, hash] of Object.entries(kinds)) {
    await at(`/transactions/${hash}`);
    await see("What came of it");
    const blank = await page.evaluate(() => [...document.querySelectorAll("main dd")].filter((d) => d.textContent.trim() === "").map((d) => d.previousElementSibling.textContent));
    assert.deepEqual(blank, [], type);
    assert.equal(await page.getByText(/\b[0-9]+rao\b/).count(), 0, "amounts are in TAO");
    await fits(type);
  }
  await context.close();
}
