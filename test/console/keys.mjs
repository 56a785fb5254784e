// What people do with keys: bring them along and take them out, watch, bind, prepare for a
// theft, sign together, hand out limits, and let the wallet lock itself.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { bech32 } from "../../console/web/node_modules/@scure/base/index.js";
import { ALL_VIEWS, control, give, hotkey, hotkey2, PASSWORD, stranger, visitor, WAIT } from "./browser.mjs";

const [twelve, twelveLattice, twentyFour] = JSON.parse(readFileSync(new URL("../../console/testdata/keys.json", import.meta.url), "utf8"));

/** An address that begins like another and is another. */
function lookAlike(address) {
  const bytes = bech32.fromWords(bech32.decode(address).words);
  bytes[19] ^= 1;
  return bech32.encode("lode", bech32.toWords(bytes));
}

export async function keys(t) {
  const test = (name, fn) => t.test(name, fn);
  const v = await visitor();
  const { page, dialog, button, at, see, field, amount, sign, sound, shot } = v;
  const choose = (address) => page.getByLabel("Account", { exact: true }).selectOption(address);
  const review = () => button("Review").click();

  /** Adds a key in the dialog that is open. */
  async function add(how, name, fill, role) {
    await dialog().getByRole("button", { name: how, exact: true }).click();
    await field("Name", dialog()).fill(name);
    if (role === "hotkey") await dialog().getByLabel(/Hotkey: works/).check();
    await fill(dialog());
  }
  const imports = () => dialog().getByRole("button", { name: "Import", exact: true }).click();
  const close = () => dialog().locator("button.primary").click();

  await test("keys come along by 12 words, by 24, by a private key and by a key file, and wrong ones say why", async () => {
    await at("/wallet");
    await sound("wallet-welcome");
    await button("Import a key").click();
    await add("Words", "twelve", (d) => d.getByLabel("Words, in order").fill(twelve.mnemonic.replace("about", "zoo")));
    await dialog().getByLabel("A password for this browser").fill("short");
    await dialog().getByLabel("The same again").fill("short");
    await imports();
    assert.equal(await dialog().getByText("The key is in the wallet.").count(), 0);
    await dialog().getByLabel("A password for this browser").fill(PASSWORD);
    await dialog().getByLabel("The same again").fill(PASSWORD);
    await imports();
    await see("together they are no key");
    await dialog().getByLabel("Words, in order").fill(twelve.mnemonic);
    await imports();
    await see("The key is in the wallet.");
    assert.equal((await dialog().locator(".whole").textContent()).trim(), twelve.address);
    await close();

    for (const [how, name, fill, address] of [
      ["Words", "twenty-four", (d) => d.getByLabel("Words, in order").fill(`  ${twentyFour.mnemonic.toUpperCase()}\n`), twentyFour.address],
      ["Private key", "lattice", async (d) => {
        await d.getByLabel("Private key in hexadecimal").fill(`0x${twelveLattice.private}`);
        await d.getByLabel(/^Kind of key/).selectOption("ml_dsa_65");
      }, twelveLattice.address],
    ]) {
      await button("Add a key").first().click();
      await add(how, name, fill);
      await imports();
      await see("The key is in the wallet.");
      assert.equal((await dialog().locator(".whole").textContent()).trim(), address, name);
      await close();
    }
    await button("Add a key").first().click();
    await add("Key file", "again", async (d) => {
      await d.getByLabel("Or its text").fill(twelve.armored);
      await d.getByLabel("Its pass phrase").fill("not this one");
    });
    await imports();
    await see("The pass phrase does not open this key file.");
    await dialog().getByLabel("Its pass phrase").fill(twelve.passphrase);
    await imports();
    await see("The wallet has this key already: it is twelve. Nothing was changed.");
    await page.keyboard.press("Escape");
  });

  await test("a key is taken out by its password alone, though the wallet is open", async () => {
    await at("/wallet/keys");
    await page.getByRole("row").filter({ hasText: twelve.address }).getByRole("button", { name: "Export" }).click();
    await dialog().getByLabel("Password of the wallet").fill("wrong horse battery");
    await button("Show the key").click();
    await see("The password is wrong.");
    assert.equal(await dialog().locator("ol.words").count(), 0);
    await dialog().getByLabel("Password of the wallet").fill(PASSWORD);
    await button("Show the key").click();
    await dialog().locator("ol.words").waitFor(WAIT);
    const words = (await dialog().locator("ol.words li").allTextContents()).map((w) => w.replace(/^\d+/, "")).join(" ");
    assert.equal(words, twelve.mnemonic);
    await see(twelve.private, dialog());
    await button("Hide it").click();
    assert.equal(await page.getByText(twelve.private).count(), 0);
  });

  await test("an address is watched: it is looked at, and signs nothing", async () => {
    await button("Add a key").first().click();
    await add("Watch", "somebody", (d) => d.getByLabel("Address").fill(stranger.slice(0, -1) + (stranger.endsWith("q") ? "p" : "q")));
    await button("Watch it").click();
    await see("This is no address of this network.");
    await dialog().getByLabel("Address").fill(stranger);
    await button("Watch it").click();
    await see("The address is watched.");
    await close();
    await choose(stranger);
    await at("/wallet/send");
    await see("This address is only watched");
    assert.equal(await button("Review").count(), 0);
    await at("/wallet/keys");
    await page.getByRole("row").filter({ hasText: "somebody" }).getByRole("button", { name: "Forget" }).click();
    await page.getByRole("row").filter({ hasText: "somebody" }).waitFor({ state: "detached", timeout: 60_000 });
  });

  await test("a hotkey is bound by a transaction that both keys sign", async () => {
    await Promise.all([give(twelve.address), give(twentyFour.address)]);
    await choose(twelve.address);
    await button("New hotkey").click();
    await add("Private key", "worker", (d) => d.getByLabel("Private key in hexadecimal").fill("07".repeat(32)), "hotkey");
    await imports();
    await see("The key is in the wallet.");
    const worker = (await dialog().locator(".whole").textContent()).trim();
    await close();
    await page.getByLabel("Hotkey to bind").selectOption(worker);
    await button("Bind").click();
    await see("First: give the hotkey its account", dialog());
    await sign();
    await see("A hotkey is bound once and for ever.", dialog());
    for (const address of [twelve.address, worker]) await dialog().locator("dl.sums").getByText(address).waitFor(WAIT);
    await shot("bind");
    await sign();
    await page.getByRole("row").filter({ hasText: "nowhere" }).getByText("worker").waitFor(WAIT);
    await sound("wallet-keys", ALL_VIEWS);
  });

  await test("stake moves to another hotkey and to another subnet, and all of it is sold", async () => {
    await at(`/wallet/stake?netuid=1&hotkey=${hotkey}`);
    await amount().fill("10");
    await review();
    await sign();
    await button("Move").click();
    await field("To hotkey").fill(hotkey2);
    await amount().fill("1");
    await see("Inside a subnet alpha moves as alpha");
    await review();
    await see("Move stake to another hotkey", dialog());
    await sign();
    await page.getByLabel("To subnet").selectOption("2");
    await field("To hotkey").fill(hotkey2);
    await amount().fill("2");
    await see("Buys in");
    await sound("wallet-stake", ALL_VIEWS);
    await review();
    await see("Sells alpha of subnet 1", dialog());
    await see("Buys alpha of subnet 2", dialog());
    await sign();
    await button("Unstake all").click();
    await page.getByLabel("All that is staked on").selectOption(hotkey2);
    await see("Together");
    await sound("wallet-unstake-all");
    await review();
    await see("Unstake everything", dialog());
    for (const netuid of [1, 2]) await see(`Sells alpha of subnet ${netuid}`, dialog());
    await sign();
    await at("/wallet/portfolio");
    await page.getByRole("row").filter({ hasText: "Unstake" }).first().waitFor(WAIT);
    assert.equal(await page.getByRole("row").filter({ hasText: "Unstake" }).count(), 1, "what is on the first hotkey stays");
  });

  await test("TAO is delegated to a validator of the chain, what it earned is collected, and a part is taken back", async () => {
    await at("/validators/chain");
    await page.getByText("bonded", { exact: true }).first().waitFor(WAIT);
    await sound("validators-chain", ALL_VIEWS);
    await page.getByRole("row").getByRole("link", { name: "Delegate" }).first().click();
    await amount().fill("2");
    await review();
    await see("Delegate to a chain validator", dialog());
    await sign();
    const delegated = page.getByRole("region", { name: "Delegated" });
    await delegated.getByRole("row").filter({ hasText: /2\sTAO/ }).waitFor(WAIT);
    await button("Collect rewards").click();
    await see("Withdraw a delegation's rewards", dialog());
    await sign();
    await button("Take back").click();
    await amount().fill("3");
    await review();
    await see("There are 2 TAO.");
    await amount().fill("0.5");
    await see("It comes back after");
    await review();
    await see("Take a delegation back", dialog());
    await sign();
    await delegated.getByRole("row").filter({ hasText: /1\.5\sTAO/ }).waitFor(WAIT);
    await see("On its way back");
    await sound("wallet-delegate", ALL_VIEWS);
  });

  await test("a proposal gets its deposit, and a vote that counts as what is delegated", async () => {
    const proposed = await fetch(`${control}/propose`, { method: "POST" });
    assert.ok(proposed.ok, await proposed.clone().text());
    const id = await proposed.text();
    await at("/proposals");
    await page.getByRole("row").filter({ hasText: "needs its deposit" }).getByRole("link").first().click();
    await page.waitForURL(`**/#/proposals/${id}`, WAIT);
    await see("4 TAO of 10 TAO");
    await review();
    await see("An amount in TAO");
    await amount().fill("6");
    await review();
    await see("Deposit for a proposal", dialog());
    await sign();
    await see("Now it would fail for want of votes.");
    await see("It counts as the 1.5 TAO");
    await review();
    await see("Choose a vote.");
    await page.getByLabel("No, with veto", { exact: true }).check();
    await review();
    await see("Vote on a proposal", dialog());
    await see("No, with veto", dialog());
    await sign();
    await page.getByRole("region", { name: "Your vote" }).getByText("No, with veto").first().waitFor(WAIT);
    await page.getByRole("region", { name: "Votes" }).getByRole("row").filter({ hasText: "No, with veto" }).waitFor(WAIT);
    assert.equal(await page.locator("img").count(), 0, "its title is hostile");
    await sound("proposal", ALL_VIEWS);
    await page.getByRole("searchbox", { name: /^Search/ }).fill("onerror");
    await page.getByRole("searchbox", { name: /^Search/ }).press("Enter");
    await page.locator("main").getByRole("link", { name: /^Proposal/ }).click();
    await page.waitForURL(`**/#/proposals/${id}`, WAIT);
    await at("/proposals");
    await page.getByRole("row").filter({ hasText: "open" }).waitFor(WAIT);
    await sound("proposals", ALL_VIEWS);
  });

  await test("the address book names people, and what only looks like one of them is warned of", async () => {
    await at("/wallet/book");
    await field("Name").fill("shop");
    await field("Address").fill(stranger);
    await button("Add").click();
    await page.getByRole("row").filter({ hasText: "shop" }).waitFor(WAIT);
    await field("Name").fill("shop");
    await field("Address").fill(hotkey);
    await button("Add").click();
    await see("There is another shop already.");
    await field("Address").fill(twelve.address);
    await button("Add").click();
    await see("This address is known already, as twelve.");
    await sound("wallet-book", ALL_VIEWS);

    await at("/wallet/send");
    await field("To").fill(lookAlike(stranger));
    await amount().fill("1");
    await review();
    await see("This address looks like", dialog());
    assert.ok(await button("Sign and send").isDisabled());
    await shot("look-alike");
    await button("Reject").click();
    await field("To").fill("");
    await sound("wallet-send", ALL_VIEWS);
  });

  await test("a recovery key is named, and takes effect later", async () => {
    await at("/wallet/recovery");
    const propose = () => page.getByRole("region", { name: "Recovery key" }).getByRole("button", { name: "Review" }).click();
    await page.getByLabel(/^Address of the recovery key/).fill(twelve.address);
    await propose();
    await see("A thief of this key would have the recovery key too");
    await page.getByLabel(/^Address of the recovery key/).fill(twentyFour.address);
    await propose();
    await see("The recovery key will be able to move everything", dialog());
    await sign();
    await page.getByText(/^From block/).or(page.getByText("in force", { exact: true })).first().waitFor(WAIT);
    await sound("wallet-recovery", ALL_VIEWS);
  });

  await test("moving out of a coldkey is announced, shown, and disputed", async () => {
    await choose(twentyFour.address);
    await page.getByLabel("Address of the new coldkey").fill(stranger);
    await page.getByRole("region", { name: "Move everything to a new coldkey" }).getByRole("button", { name: "Review" }).click();
    await see("that the chain takes", dialog());
    await sign();
    await see("All that this account has moves to another one.");
    await button("Dispute it").click();
    await sign();
    await see("After a dispute no move can be announced");
  });

  await test("a program gets limits, which are taken back", async () => {
    await choose(twelve.address);
    await at("/wallet/allow");
    await see("Nobody may.");
    await field("Key of the program").fill(twelve.address);
    await review();
    await see("It is the account itself");
    await field("Key of the program").fill(stranger);
    await page.getByLabel(/^It may spend/).fill("1");
    await page.getByLabel(/^At most in one deposit/).fill("0.5");
    await see("In all at most 30 TAO, in 30 periods.");
    await review();
    await see("deposits into payment channels of services, within limits", dialog());
    await see("The other key will be able to spend as much without asking you.", dialog());
    await shot("allow-review");
    await sign();
    const row = page.getByRole("row").filter({ hasText: "Take back" });
    await row.getByText(/^30\sTAO/).first().waitFor(WAIT);
    await sound("wallet-allow", ALL_VIEWS);
    // once more: the old one for fees gives way
    await field("Key of the program").fill(stranger);
    await page.getByLabel(/^It may spend/).fill("2");
    await page.getByLabel("How often").selectOption("0");
    await review();
    await see("Stop paying another key's fees", dialog());
    await sign();
    await row.getByText(/^2\sTAO/).first().waitFor(WAIT);
    await button("Take back").click();
    await sign();
    await see("Nobody may.");
  });

  await test("two keys sign together; what the wallet does not know is neither shown in part nor signed", async () => {
    await at("/wallet/several");
    await see("None yet.");
    await field("Name").fill("safe");
    await page.getByLabel("twelve", { exact: true }).check();
    await page.getByLabel(/^Public keys of others/).fill("not a key");
    await button("Make the account").click();
    await see("Line 1:");
    await page.getByLabel(/^Public keys of others/).fill("");
    await page.getByLabel("lattice", { exact: true }).check();
    await button("Make the account").click();
    await see("The account is in the wallet:");
    const safe = (await page.locator(".note.good .whole").textContent()).trim();
    await give(safe);
    await choose(safe);
    await at("/wallet/send");
    await field("To").fill(stranger);
    await amount().fill("3");
    await review();
    await see("2 of its 2 keys", dialog());
    await button("Go on to its keys").click();
    await see("0 of 2 signatures");
    const file = await page.evaluate("JSON.parse(localStorage.getItem('lode-desk')).tx");
    await sound("wallet-several", ALL_VIEWS);
    await button("Sign as twelve").click();
    await see("1 of 2 signatures");
    const [part] = await page.evaluate("JSON.parse(localStorage.getItem('lode-desk')).parts");

    // a file from somebody else
    const read = async (text) => {
      await button("Put it away").click();
      await page.getByLabel(/^The transaction/).fill(text);
      await button("Read it").click();
    };
    await read(file.replace("/cosmos.bank.v1beta1.MsgSend", "/cosmos.bank.v1beta1.MsgMultiSend"));
    await see("the wallet does not know messages of type cosmos.bank.v1beta1.MsgMultiSend");
    assert.equal(await page.getByRole("button", { name: /^Sign as/ }).count(), 0);
    await shot("unknown");
    await read(file.replace(safe, twelve.address));
    await see("is no account of several keys that this browser knows");
    await read(file.replace('"3000000000"', '"4000000000"'));
    await page.getByText("Owners elsewhere").click();
    await page.getByLabel(/^A signature of theirs/).fill(part);
    await button("Add it").click();
    await see("This signature is not of this transaction.");
    await read(file);
    await page.getByText("Owners elsewhere").click();
    await page.getByLabel(/^A signature of theirs/).fill(part);
    await button("Add it").click();
    await see("1 of 2 signatures");
    await button("Sign as lattice").click();
    await see("2 of 2 signatures");
    await button("Send it").click();
    await see("It is in block");
  });

  await v.context.close();
}

let idle;

/** In a browser of its own: a minute passes while the other tests run. */
export async function leaveAlone() {
  idle = await visitor();
  const { page, at, button, field, see, dialog } = idle;
  await at("/wallet");
  await button("Import a key").click();
  await field("Name", dialog()).fill("idle");
  await dialog().getByLabel("Words, in order").fill(twelve.mnemonic);
  await dialog().getByLabel("A password for this browser").fill(PASSWORD);
  await dialog().getByLabel("The same again").fill(PASSWORD);
  await button("Import", dialog()).click();
  await see("The key is in the wallet.");
  await dialog().locator("button.primary").click();
  await at("/wallet/keys");
  await page.locator("select.minutes").selectOption("1");
  await button("Lock").waitFor(WAIT);
  // when it locks, the page says another word
  await page.evaluate(() => {
    const began = performance.now();
    const watch = new MutationObserver(() => {
      if (![...document.querySelectorAll("button")].some((b) => b.textContent === "Unlock")) return;
      watch.disconnect();
      window.lockedAfter = performance.now() - began;
    });
    watch.observe(document.body, { childList: true, subtree: true, characterData: true });
  });
}

export async function hasLocked() {
  await idle.button("Unlock").waitFor({ timeout: 90_000 });
  const after = await idle.page.evaluate("window.lockedAfter");
  assert.ok(after > 55_000, `it locked itself after ${after} ms, before its time`);
  await idle.page.reload();
  await idle.page.locator("select.minutes").waitFor(WAIT);
  assert.equal(await idle.page.locator("select.minutes").inputValue(), "1", "what was chosen holds in this browser");
  await idle.context.close();
}
