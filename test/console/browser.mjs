// One browser for all tests, and a visitor's page in it with what tests say of pages. The
// environment says where: LODE_CONSOLE, LODE_CONTROL (gives coins, cuts the node off),
// LODE_BROWSER, LODE_HOTKEY (a validator's of subnet 1), LODE_HOTKEY_2 (one of subnet 2), LODE_STRANGER (an address),
// LODE_SERVICE. With LODE_SHOTS pictures are kept there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chromium } from "../../console/web/node_modules/playwright-core/index.mjs";

export const { LODE_CONSOLE: base, LODE_CONTROL: control, LODE_HOTKEY: hotkey, LODE_HOTKEY_2: hotkey2, LODE_STRANGER: stranger, LODE_SERVICE: service, LODE_SHOTS: shots } = process.env;
export const PASSWORD = "correct horse battery";
export const WAIT = { timeout: 60_000 };
const axe = readFileSync(new URL("../../console/web/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const WIDE = { width: 1280, height: 900 };

export const browser = await chromium.launch({ executablePath: process.env.LODE_BROWSER, args: ["--no-sandbox"] });

/** What broke on any page, and whom pages asked. */
export const bad = [];
export const asked = new Set();

/** Gives coins to an address. */
export async function give(address) {
  const given = await fetch(`${control}/give/${address}`, { method: "POST" });
  assert.ok(given.ok, await given.text());
}

/** A person with a browser of its own: nothing is stored in it yet. */
export async function visitor(options = {}) {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  context.setDefaultTimeout(60_000);
  context.on("request", (r) => asked.add(new URL(r.url()).origin));
  const page = await context.newPage();
  page.on("pageerror", (error) => bad.push(error.message));
  page.on("console", (message) => {
    // a node that is down is one of the tests
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) bad.push(message.text());
  });
  const dialog = () => page.locator("dialog");
  const button = (name, root = page) => root.getByRole("button", { name, exact: true });
  /** A picture of the whole page: the window grows, so that what is fixed to its end is there. */
  async function shot(name) {
    if (!shots) return;
    const { width, height } = page.viewportSize();
    const whole = await page.evaluate("document.querySelector('dialog') ? 0 : document.documentElement.scrollHeight");
    await page.setViewportSize({ width, height: Math.max(height, whole) });
    await page.screenshot({ path: `${shots}/${name}.png` });
    await page.setViewportSize({ width, height });
  }

  /** Signs what is reviewed, and waits until it is in a block. */
  async function sign() {
    await dialog().getByText("Worst case after").waitFor(WAIT);
    await button("Sign and send").click();
    await dialog().getByText("It is in block").waitFor(WAIT);
    await dialog().locator("button.primary").click();
  }

  /** Nothing of the page may be wider than a screen of that width. */
  async function fits(name, width = 390) {
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    const over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert.ok(over <= 0, `${name} is ${over} px too wide at ${width}`);
  }

  /** The page fits, and axe finds nothing. */
  async function sound(name, views = [[1280, "light"], [390, "dark"]]) {
    await page.evaluate(`${axe};0`);
    for (const [width, scheme] of views) {
      await page.emulateMedia({ colorScheme: scheme });
      await fits(name, width);
      const found = await page.evaluate("axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 200)).join(' ')))");
      assert.deepEqual(found, [], `${name} at ${width}, ${scheme}`);
      await shot(`${name}-${width}-${scheme}`);
    }
    await page.setViewportSize(WIDE);
    await page.emulateMedia({ colorScheme: "light" });
  }

  return {
    context,
    page,
    dialog,
    button,
    shot,
    sign,
    sound,
    fits,
    at: (path) => page.goto(`${base}/#${path}`),
    see: (text, root = page) => root.getByText(text).first().waitFor(WAIT),
    field: (name, root = page) => root.getByLabel(name, { exact: true }),
    amount: (root = page) => root.locator(".amount input").first(),
  };
}

/** Both widths, light and dark. */
export const ALL_VIEWS = [[1280, "light"], [1280, "dark"], [390, "light"], [390, "dark"]];
