// What the browser keeps for the page, and what the page says where it does not.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { PASSWORD, visitor, WAIT } from "./browser.mjs";

/** Has the wallet's worker begin with other lines than its own. */
const before = (page, lines) =>
  page.route("**/assets/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${lines}\n${await response.text()}` });
  });

async function importKey({ dialog, button, field }, password, key = randomBytes(32).toString("hex")) {
  await button("Import a key").click();
  await button("Private key", dialog()).click();
  await field("Name", dialog()).fill("kept");
  await dialog().getByLabel("Private key in hexadecimal").fill(key);
  await dialog().getByLabel("A password for this browser").fill(password);
  await dialog().getByLabel("The same again").fill(password);
  await button("Import", dialog()).click();
}

export async function storage(t) {
  const test = (name, fn) => t.test(name, fn);

  await test("a key that the disk did not take is not said to be kept", async () => {
    const v = await visitor();
    await before(v.page, `
      const add = IDBObjectStore.prototype.add;
      IDBObjectStore.prototype.add = function (...args) {
        const request = add.apply(this, args);
        request.addEventListener("success", () => this.transaction.abort()); // as a full disk does, at the end
        return request;
      };`);
    await v.at("/wallet");
    await importKey(v, PASSWORD);
    await v.see("The browser could not keep it", v.dialog());
    await v.page.unrouteAll();
    await v.page.reload();
    await v.button("Create a wallet").waitFor(WAIT);
    await v.context.close();
  });

  await test("where the browser keeps nothing the wallet says so, and the rest is there", async () => {
    const v = await visitor();
    await before(v.page, `indexedDB.open = () => { throw new DOMException("not here", "SecurityError"); };`);
    await v.at("/wallet");
    await v.see("This browser keeps nothing for this page, so there can be no wallet in it");
    await v.at("/subnets");
    await v.see("Market value");
    await v.context.close();
  });

  await test("a password without a key is none: another may be chosen", async () => {
    const v = await visitor();
    const { page, dialog, button, at, see, field } = v;
    await at("/wallet");
    await importKey(v, "a password that is forgotten", "00".repeat(32)); // which is no key
    await see("These bytes are no private key.", dialog());
    await page.keyboard.press("Escape");
    await page.reload();
    await importKey(v, PASSWORD);
    await see("The key is in the wallet.");
    await page.reload();
    await button("Unlock").click();
    await dialog().getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await button("Lock").waitFor(WAIT);

    // now that there is a key the password stays
    await button("Add a key").first().click();
    await field("Name", dialog()).fill("more");
    assert.equal(await dialog().getByLabel("A password for this browser").count(), 0);
    await v.context.close();
  });

  await test("of two tabs that make a wallet at once one has it, and the other is told", async () => {
    const v = await visitor();
    await v.at("/wallet");
    const other = await v.context.newPage();
    const dialog = other.locator("dialog");
    await other.goto(v.page.url());
    await other.getByRole("button", { name: "Create a wallet" }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("first");
    await dialog.getByLabel("A password for this browser").fill("of the first tab");
    await dialog.getByLabel("The same again").fill("of the first tab");
    await dialog.getByRole("button", { name: "Make the words" }).click();
    await dialog.locator("ol.words").waitFor(WAIT);
    const words = (await dialog.locator("ol.words li").allTextContents()).map((w) => w.replace(/^\d+/, ""));
    await importKey(v, PASSWORD);
    await v.see("The key is in the wallet.");
    await dialog.getByRole("checkbox").check();
    await dialog.getByRole("button", { name: "Go on" }).click();
    for (const label of await dialog.locator("label").all()) await label.locator("input").fill(words[Number(/\d+/.exec(await label.textContent())[0]) - 1]);
    await dialog.getByRole("button", { name: "Keep the key" }).click();
    await dialog.getByText("Another tab has made the wallet meanwhile").waitFor(WAIT);
    await other.keyboard.press("Escape");
    await other.getByRole("button", { name: "Unlock", exact: true }).click();
    await dialog.getByLabel("Password").fill(PASSWORD);
    await other.keyboard.press("Enter");
    await other.getByRole("button", { name: "Lock", exact: true }).waitFor(WAIT);
    await v.context.close();
  });
}
