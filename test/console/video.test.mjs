// The page's form gives a clip to real miners: through a validator that sells on the mesh,
// paid by vouchers that the page signs. LODE_CLIP is ten pictures of H.264 in MP4.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { bad, browser, give, PASSWORD, service, visitor, WAIT } from "./browser.mjs";

after(() => browser.close());

test("a clip is chosen, paid, compressed by a miner, and stands beside the original", async () => {
  const { page, dialog, button, at, field, see, sign, sound } = await visitor();
  await at("/wallet");
  await button("Create a wallet").click();
  await field("Name", dialog()).fill("films");
  await dialog().getByLabel("A password for this browser").fill(PASSWORD);
  await dialog().getByLabel("The same again").fill(PASSWORD);
  await button("Make the words").click();
  await dialog().locator("ol.words").waitFor(WAIT);
  const words = (await dialog().locator("ol.words li").allTextContents()).map((w) => w.replace(/^\d+/, ""));
  await dialog().getByRole("checkbox").check();
  await button("Go on").click();
  for (const label of await dialog().locator("label").all()) await label.locator("input").fill(words[Number(/\d+/.exec(await label.textContent())[0]) - 1]);
  await button("Keep the key").click();
  await see("The key is in the wallet.");
  const address = (await dialog().locator(".whole").textContent()).trim();
  await dialog().locator("button.primary").click();
  await give(address);

  await at(`/market/${service}`);
  await button("Start").click();
  const clip = readFileSync(process.env.LODE_CLIP);
  await page.locator("input[type=file]").setInputFiles({ name: "clip.mp4", mimeType: "video/mp4", buffer: clip });
  await page.getByLabel("Quality").selectOption({ value: "94" });
  await button("Compress and pay").click();
  await sign(); // the channel's deposit
  // a miner that shares its cores with other tests may be too late: that is told, costs nothing, and one presses again
  const saved = page.getByText("saved, in");
  const failed = page.locator("main .problem");
  for (let tries = 1; ; tries++) {
    await saved.or(failed).first().waitFor({ timeout: 120_000 });
    if (await saved.isVisible()) break;
    assert.ok(tries < 4, await failed.textContent());
    await button("Compress and pay").click();
  }
  await page.getByText(/paid 0\.0000[1-9]\d* TAO/).first().waitFor(WAIT);
  const videos = page.locator("video");
  assert.equal(await videos.count(), 2);
  const seen = await videos.evaluateAll((all) => Promise.all(all.map((v) => new Promise((resolve, reject) => {
    const done = () => resolve([v.videoWidth, v.videoHeight]);
    if (v.error) reject(new Error(v.error.message));
    else if (v.readyState >= 2) done();
    else {
      v.addEventListener("loadeddata", done, { once: true });
      v.addEventListener("error", () => reject(new Error(v.error?.message)), { once: true });
    }
  }))));
  assert.deepEqual(seen, [[160, 96], [160, 96]], "both have pictures");
  await sound("video-miners");
  assert.deepEqual(bad, []);
});
