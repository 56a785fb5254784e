// What people do in a hurry, and what slow machines do to them: two presses for one, a
// change of mind in the middle, two tabs, and answers that come late or not at all.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { base, give, hotkey, PASSWORD, service, stranger, visitor, WAIT } from "./browser.mjs";

const KEY = randomBytes(32).toString("hex");

/** Holds requests until they are let go on; the promise tells of the first. */
function held() {
  let go;
  const gone = new Promise((resolve) => (go = resolve));
  let came;
  const arrived = new Promise((resolve) => (came = resolve));
  const hold = async (route) => {
    came();
    await gone;
    await route.continue().catch(() => {}); // its page has given it up
  };
  return { hold, go, arrived };
}

export async function haste(t) {
  const test = (name, fn) => t.test(name, fn);
  const v = await visitor();
  const { page, context, dialog, button, at, see, field, amount, sign } = v;
  let sent = 0;
  page.on("request", (r) => { if (r.url().endsWith("/broadcast")) sent++; });
  const balance = async () => BigInt((await (await fetch(`${base}/v1/chain/account/${address}`)).json()).balance_rao);
  let address;

  async function review() {
    await at("/wallet/send");
    await field("To").fill(stranger);
    await amount().fill("1");
    await button("Review").click();
    await dialog().getByText("Worst case after").waitFor(WAIT);
  }

  await test("a key comes along", async () => {
    await at("/wallet");
    await button("Import a key").click();
    await button("Private key", dialog()).click();
    await field("Name", dialog()).fill("hasty");
    await dialog().getByLabel("Private key in hexadecimal").fill(KEY);
    await dialog().getByLabel("A password for this browser").fill(PASSWORD);
    await dialog().getByLabel("The same again").fill(PASSWORD);
    await button("Import", dialog()).click();
    await see("The key is in the wallet.");
    address = (await dialog().locator(".whole").textContent()).trim();
    await dialog().locator("button.primary").click();
    await give(address);
    await page.locator("dd", { hasText: /^50\sTAO/ }).first().waitFor(WAIT);
  });

  await test("who presses twice reviews once, and sends once", async () => {
    await at("/wallet/send");
    await field("To").fill(stranger);
    await amount().fill("1");
    await button("Review").dblclick();
    await dialog().getByText("Worst case after").waitFor(WAIT);
    await button("Sign and send").dblclick();
    await dialog().getByText("It is in block").waitFor(WAIT);
    await dialog().locator("button.primary").click();
    await dialog().waitFor({ state: "detached" });
    assert.equal(sent, 1);
  });

  await test("what is rejected while it is being signed is not sent", async () => {
    await review();
    // another tab of this account is sending: this one waits for its turn
    const other = await context.newPage();
    await other.goto(base);
    await other.evaluate((name) => new Promise((locked) => navigator.locks.request(name, () => { locked(); return new Promise((done) => (window.done = done)); })), `lode-tx-${address}`);
    await button("Sign and send").click();
    await button("Signing…").waitFor(WAIT);
    await button("Reject").click();
    await dialog().waitFor({ state: "detached" });
    await other.evaluate("window.done()");
    // who comes after it in the line sees it gone
    await page.evaluate((name) => navigator.locks.request(name, () => {}), `lode-tx-${address}`);
    await other.close();
    assert.equal(sent, 1);
  });

  await test("while it is on its way it can't be closed, and going back does not hide what became of it", async () => {
    await at("/wallet/portfolio");
    await review();
    const { hold, go, arrived } = held();
    await page.route("**/v1/chain/broadcast", hold);
    await button("Sign and send").click();
    await arrived;
    for (let i = 0; i < 3; i++) await page.keyboard.press("Escape");
    assert.ok(await button("Close", dialog()).isDisabled());
    await button("Waiting for a block…").waitFor(WAIT);
    go();
    await dialog().getByText("It is in block").waitFor(WAIT);
    await page.unroute("**/v1/chain/broadcast");
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    assert.equal(await amount().inputValue(), "", "what was sent stands there no more");
  });

  await test("who goes to another page with a review open has rejected it", async () => {
    await at("/wallet/portfolio");
    await review();
    await page.goBack();
    await dialog().waitFor({ state: "detached" });
    assert.equal(await page.getByText("what became of").count(), 0);
  });

  await test("of two tabs that prepared the same account's next transaction the second is prepared anew", async () => {
    await review();
    const other = await visitorTab(context);
    await other.goto(`${base}/#/wallet/send`);
    await other.getByLabel("To", { exact: true }).fill(stranger);
    await other.locator(".amount input").fill("1");
    await other.getByRole("button", { name: "Review", exact: true }).click();
    await other.locator("dialog").getByText("Worst case after").waitFor(WAIT);
    await other.locator("dialog").locator("input[type=password]").fill(PASSWORD);
    await other.getByRole("button", { name: "Sign and send", exact: true }).click();
    await other.locator("dialog").getByText("It is in block").waitFor(WAIT);
    await other.close();
    const before = sent;
    await button("Sign and send").click();
    await see("The account has sent something else meanwhile", dialog());
    assert.equal(sent, before);
    await sign();
    assert.equal(sent, before + 1);
  });

  await test("a trade is reviewed as it was typed last, however late its quote comes", async () => {
    await at(`/wallet/stake?netuid=1&hotkey=${hotkey}`);
    await amount().fill("1");
    await see("At least");
    const { hold, go, arrived } = held();
    await page.route("**/v1/chain/quote?*amount=1000000000&*", hold);
    await button("Review").click();
    await arrived;
    await amount().fill("2");
    await see("You get"); // of the second amount
    go();
    await page.unroute("**/v1/chain/quote?*amount=1000000000&*");
    const trade = dialog().getByRole("region", { name: "Stake" });
    await trade.getByText(/^2\sTAO$/).waitFor(WAIT);
    const [, price, alpha] = /Average price([0-9.]+) TAO.*You get([0-9.]+) alpha/s.exec(await dialog().getByRole("region", { name: "The trade" }).textContent());
    assert.ok(Math.abs(price * alpha - 2) < 0.05, `${alpha} at ${price}`);
    await page.keyboard.press("Escape");
  });

  await test("a form waits for what it must know", async () => {
    for (const [api, path] of [["**/v1/subnets", `/wallet/stake?hotkey=${hotkey}`], ["**/v1/chain/account/*", "/wallet/send"], ["**/v1/chain/validators*", "/wallet/delegate"], ["**/allowances*", "/wallet/allow"]]) {
      const { hold, go, arrived } = held();
      await page.route(api, hold);
      await at(path);
      await arrived;
      assert.ok(await button("Reading…").isDisabled(), path);
      go();
      await button("Review").waitFor(WAIT);
      if (!path.startsWith("/wallet/stake")) await page.getByText(/^As of block \d/).first().waitFor(WAIT); // a quote's, there
      await page.unroute(api);
    }
  });

  await test("an address of the wallet with other figures in it fills them in", async () => {
    for (const to of [stranger, hotkey]) {
      await at(`/wallet/send?to=${to}`);
      await page.waitForFunction((to) => [...document.querySelectorAll("input")].some((i) => i.value === to), to, WAIT);
    }
  });

  await test("a figure that is none breaks no form, and one that can be read in two ways is asked for", async () => {
    await at("/wallet/allow");
    await field("Key of the program").fill(stranger);
    await page.getByLabel(/^It may spend/).fill("1");
    for (const days of ["abc", "1e400", "-1", "1.5"]) {
      await page.getByLabel("For how many days").fill(days);
      await button("Review").click();
      await see("It lasts 1 to 3,650 days.");
    }
    await at("/wallet/send");
    await field("To").fill(stranger);
    await amount().fill("1,000");
    await button("Review").click();
    await see("1,000 can be read in two ways: write 1000 or 1.000.");
  });

  await test("names that two tabs give are kept both", async () => {
    const name = async (tab, called, address) => {
      await tab.getByLabel("Name", { exact: true }).fill(called);
      await tab.getByLabel("Address", { exact: true }).fill(address);
      await tab.getByRole("button", { name: "Add", exact: true }).click();
      await tab.getByRole("row").filter({ hasText: called }).waitFor(WAIT);
    };
    await at("/wallet/book");
    const other = await visitorTab(context);
    await other.goto(`${base}/#/wallet/book`);
    await name(other, "first", stranger);
    await name(page, "second", hotkey);
    await other.getByRole("row").filter({ hasText: "second" }).waitFor(WAIT);
    await page.reload();
    for (const called of ["first", "second"]) await page.getByRole("row").filter({ hasText: called }).waitFor(WAIT);
    await other.close();
  });

  await test("a browser that keeps nothing says so", async () => {
    await page.evaluate(() => { Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }; });
    await page.getByRole("row").filter({ hasText: "first" }).getByRole("button", { name: "Remove" }).click();
    await see("The browser keeps nothing for this page");
    await page.reload();
  });

  await test("what is copied is copied, also in a dialog and where the browser does not allow it; what is not is not said to be", async () => {
    await at("/wallet/receive");
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("no"));
      document.addEventListener("copy", () => (window.copied = String(document.activeElement.value)));
    });
    await page.getByRole("main").getByRole("button", { name: "Copy address" }).first().click();
    await page.getByRole("button", { name: "Copied" }).waitFor(WAIT);
    assert.equal(await page.evaluate("window.copied"), address);
    await page.evaluate(() => { document.execCommand = () => false; });
    await page.getByRole("main").getByRole("button", { name: "Copy address" }).first().click();
    await see("The browser copies nothing");
  });

  await test("tabs are gone through by keys", async () => {
    for (const path of ["/wallet", "/blocks", "/validators", "/subnets/1"]) {
      await at(path);
      const tabs = page.getByRole("tab");
      const chosen = (text) => page.locator("[role=tab]:focus[aria-selected=true]").getByText(text, { exact: true }).waitFor(WAIT);
      const [first, last] = [await tabs.first().textContent(), await tabs.last().textContent()];
      await tabs.first().focus();
      await page.keyboard.press("End");
      await chosen(last);
      await page.keyboard.press("ArrowRight");
      await chosen(first);
    }
  });

  await test("who leaves the till while it opens keeps nobody from it, a question that was not paid stands there still, and two presses ask once", async () => {
    const { hold, go, arrived } = held();
    await page.route("**/v1/chain/params", hold);
    await at(`/market/${service}`);
    await button("Start").click();
    await arrived;
    await at("/market");
    await page.getByRole("heading", { name: "Market", exact: true }).waitFor(WAIT);
    go();
    await page.unroute("**/v1/chain/params");
    await at(`/market/${service}`);
    await button("Start").click();
    await field("Your message").fill("one two");
    await page.keyboard.press("Enter");
    await dialog().getByText("Worst case after").waitFor(WAIT);
    await button("Reject").click();
    await see("The deposit was not signed, so nothing was paid.");
    assert.equal(await field("Your message").inputValue(), "one two");
    await button("Send").dblclick();
    await dialog().getByLabel("Password of the wallet").fill(PASSWORD);
    await sign();
    await page.locator(".assistant", { hasText: "one two" }).waitFor(WAIT);
    await field("Your message").fill("three four");
    await button("Send").dblclick();
    await page.locator(".assistant", { hasText: "three four" }).waitFor(WAIT);
    assert.equal(await page.locator(".turn").count(), 4);
  });

  await test("a dialog begins where one types, and gives the focus back", async () => {
    const focused = (what) => page.locator(`${what}:focus`).waitFor(WAIT);
    await at("/wallet/keys");
    const row = page.getByRole("row").filter({ hasText: address });
    for (const name of ["Rename", "Export"]) {
      await row.getByRole("button", { name }).focus();
      await page.keyboard.press("Enter");
      await focused("dialog input");
      await page.keyboard.press("Escape");
      await dialog().waitFor({ state: "detached" });
      await row.locator("button:focus", { hasText: name }).waitFor(WAIT);
    }
    await at("/wallet/send");
    await field("To").fill(stranger);
    await amount().fill("1");
    await button("Review").waitFor(WAIT);
    await page.keyboard.press("Enter");
    await focused("dialog h2");
    await page.keyboard.press("Escape");
    await focused(".amount input");
    // what locks the wallet opens it again, in the same place
    await button("Lock").focus();
    await page.keyboard.press("Enter");
    await page.locator("button:focus", { hasText: /^Unlock$/ }).waitFor(WAIT);
    await page.keyboard.press("Enter");
    await focused("dialog input");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.locator("button:focus", { hasText: /^Lock$/ }).waitFor(WAIT);
  });

  await test("what is printed is dark on white", async () => {
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const [ink, paper] = await page.evaluate(() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor].map((c) => Number(/\d+/.exec(c)[0])); });
    assert.ok(ink < 64 && paper > 192, `${ink} on ${paper}`);
    assert.ok(!(await page.locator("header.top").isVisible()));
    await page.emulateMedia({ media: "screen", colorScheme: "light" });
  });

  await test("an answer that is not as expected leaves the rest of the page, and is asked for again", async () => {
    for (const [api, path, heading] of [["**/v1/subnets", "/subnets", "Subnets"], ["**/portfolio", "/wallet/portfolio", "Income"], ["**/v1/chain/account/*", "/wallet/send", "Wallet"], ["**/v1/blocks/2", "/blocks/2", "Block 2"]]) {
      await at("/nowhere");
      await page.route(api, (route) => route.fulfill({ json: {} }));
      await at(path);
      await see("The console's answer is not what this page expects.");
      await page.unroute(api);
      await button("Try again").click();
      await page.getByText("not what this page expects").waitFor({ state: "detached" });
      await page.getByRole("heading", { name: heading, exact: true }).waitFor(WAIT);
    }
  });

  await context.close();
}

/** What is told of the network where the clock of the machine is wrong, where no block comes, and where the chain has begun anew. */
export async function times(t) {
  const test = (name, fn) => t.test(name, fn);
  const { page, context, at } = await visitor();
  const status = await (await fetch(`${base}/v1/status`)).json();

  await test("ages are by the console's clock, not by a wrong one", async () => {
    for (const days of [-1, 1]) {
      await page.clock.setFixedTime(Date.now() + days * 86_400_000);
      await at("/nowhere");
      await page.reload();
      await at("/blocks");
      await page.locator("tbody time").last().waitFor(WAIT);
      assert.match(await page.locator("tbody time").last().textContent(), /^\d+ (s|min) ago$/, `${days} days`);
    }
  });
  await context.close();

  await test("no block for long, a node that is behind, and a chain that began anew are told", async () => {
    const { page, context, at, see } = await visitor();
    const told = (change) => page.route("**/v1/status", (route) => route.fulfill({ json: { ...status, ...change } }));
    await page.route("**/v1/stream", (route) => route.abort());
    await told({ height: 5_000, time: status.time, age_seconds: 300 });
    await at("/subnets");
    await see("No block has come for");
    await told({ height: 5_000, age_seconds: 1, catching_up: true });
    await see("The node is catching up");
    await page.locator(".pulse", { hasText: /^5\s000$/ }).waitFor(WAIT);
    const [again] = await Promise.all([page.waitForRequest("**/v1/subnets", WAIT), told({ chain_id: "lode-other-1", height: 10, age_seconds: 1 })]);
    assert.ok(again);
    await page.locator(".pulse", { hasText: /^10$/ }).waitFor(WAIT);
    await context.close();
  });
}

/** Another tab of the same browser. */
async function visitorTab(context) {
  const page = await context.newPage();
  await page.goto(base);
  return page;
}
