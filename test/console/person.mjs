// What people do with a wallet of their own: make it, receive, stake, buy with it, and come
// back to it.
import assert from "node:assert/strict";
import { ALL_VIEWS, base, control, give, hotkey, PASSWORD, service, stranger, WAIT } from "./browser.mjs";

export async function person(t, v) {
  const test = (name, fn) => t.test(name, fn);
  const { page, dialog, button, at, see, field, amount, sign, sound, shot } = v;
  let address;

  await test("a wallet is created, its words are asked for, and it has an address", async () => {
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
    // what lies in the browser has none of the words; by chance an address may spell one
    const stored = await page.evaluate(async () => {
      const open = await new Promise((resolve) => { const r = indexedDB.open("lode"); r.onsuccess = () => resolve(r.result); });
      const all = await new Promise((resolve) => { const r = open.transaction("keys").objectStore("keys").getAll(); r.onsuccess = () => resolve(r.result); });
      open.close();
      const text = (value) => (value instanceof Uint8Array ? new TextDecoder("latin1").decode(value) : JSON.stringify(value));
      return [...all.flatMap((key) => Object.values(key).map(text)), ...Object.values(localStorage)].join("\n");
    });
    assert.ok(stored.includes(address), "it was looked at");
    const open = words.filter((w) => w.length > 4 && stored.includes(w));
    assert.ok(open.length < 2, `words lie in the open: ${open}`);
  });

  await test("without funds nothing can be sent, and the page says why", async () => {
    await at("/wallet/send");
    await field("To").fill(stranger);
    await amount().fill("1");
    // before the balance is read the review opens, and says it in its place
    await page.getByText(/^Free: 0/).waitFor(WAIT);
    await button("Review").click();
    await see("There are 0 TAO.");
  });

  await test("what is received is seen", async () => {
    await at("/wallet/receive");
    await page.getByRole("img", { name: `QR code of ${address}` }).waitFor(WAIT);
    await sound("wallet-receive", ALL_VIEWS);
    await give(address);
    await at("/wallet/portfolio");
    await page.locator("dd", { hasText: /^50 TAO|^50\sTAO/ }).first().waitFor(WAIT);
  });

  await test("stake is bought with a limit, after a review of the very bytes, and stands in the portfolio", async () => {
    await at("/wallet/stake");
    await field("With hotkey").fill(hotkey);
    await amount().fill("10");
    await button("Review").click();
    await dialog().getByText("Worst case after").waitFor(WAIT);
    assert.match(await dialog().textContent(), /Limit price.*TAO an alpha/s);
    assert.ok((await dialog().textContent()).includes(address), "the full address is shown");
    await shot("review");
    await sign();
    await at("/wallet/portfolio");
    await page.getByRole("row").filter({ hasText: "Unstake" }).first().waitFor(WAIT);
    await sound("wallet-portfolio", ALL_VIEWS);
  });

  await test("a subnet's hostile name is text, wherever it stands", async () => {
    for (const path of ["/", "/subnets", "/subnets/1", "/wallet/portfolio", "/search?q=img"]) {
      await at(path);
      await page.getByText("<img src=x").first().waitFor(WAIT);
    }
    assert.equal(await page.locator("img").count(), 0);
    assert.notEqual(await page.title(), "owned");
  });

  await test("after a reload the wallet is locked; a wrong password opens nothing, the right one does", async () => {
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

  await test("who locks the wallet in one tab has locked it in all", async () => {
    const other = await v.context.newPage();
    await other.goto(base + "/#/wallet");
    await other.getByRole("button", { name: "Unlock", exact: true }).first().click();
    await other.getByRole("dialog").locator("input[type=password]").fill(PASSWORD);
    await other.getByRole("dialog").getByRole("button", { name: "Unlock" }).click();
    await other.getByRole("button", { name: "Lock", exact: true }).click();
    await button("Unlock").waitFor(WAIT);
    await other.close();
    await button("Unlock").click();
    await dialog().getByLabel("Password").fill(PASSWORD);
    await dialog().getByRole("button", { name: "Unlock" }).click();
    await button("Lock").waitFor(WAIT);
  });

  await test("stake is sold with a limit", async () => {
    await at("/wallet/stake?do=unstake");
    await page.getByRole("heading", { name: "Unstake" }).waitFor(WAIT);
    await amount().fill("1");
    await page.getByText("At least").waitFor(WAIT);
    await button("Review").click();
    await sign();
  });

  await test("a model is asked, its answer streams, and what it cost is shown", async () => {
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

  await test("a clip is sent, comes back, and stands beside the original", async () => {
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

  await test("a plan is bought, pays what is asked after that, and is ended", async () => {
    await button("Chat").click();
    await button("Subscribe").click();
    await see("Subscribe to the plan", dialog());
    await sign();
    await see("Subscribed to");
    await field("Your message").fill("six seven");
    await button("Send").click();
    await page.locator(".assistant", { hasText: "six seven" }).waitFor(WAIT);
    await see("used 2 of the plan");
    await sound("plan");
    await button("End it with its period").click();
    await sign();
    await see(", and ends then");
  });
}

/** The node is cut off, and comes back. */
export async function away({ page, dialog, button, at, field, amount, sign, shot }) {
  await at("/wallet/send");
  await field("To").fill(stranger);
  await amount().fill("1");
  await fetch(`${control}/down`, { method: "POST" });
  await page.getByText("The node does not answer").first().waitFor(WAIT);
  await button("Review").click();
  await dialog().getByRole("alert").waitFor(WAIT);
  await shot("node-down");
  await page.keyboard.press("Escape");
  await fetch(`${control}/up`, { method: "POST" });
  await page.getByText("The node does not answer").first().waitFor({ state: "detached", timeout: 90_000 });
  await button("Review").click();
  await dialog().getByText("never sent here before").waitFor(WAIT);
  await sign();
}
