// The page signs with Keplr. The extension itself can't be had here; what it puts into pages
// and what stands behind that in its content script are Keplr's own code, from npm, which
// decides how calls and bytes travel. Behind it stands a keeper of one key with the manners of
// Keplr's background: it knows chains that were suggested, and signs what it is given,
// refuses, or sets another fee.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { bech32 } from "../../console/web/node_modules/@scure/base/index.js";
import { secp256k1 } from "../../console/web/node_modules/@noble/curves/secp256k1.js";
import { ripemd160 } from "../../console/web/node_modules/@noble/hashes/legacy.js";
import { sha256 } from "../../console/web/node_modules/@noble/hashes/sha2.js";
import { rolldown } from "../../console/web/node_modules/rolldown/dist/index.mjs";
import { bad, base, browser, give, stranger, visitor, WAIT } from "./browser.mjs";

after(() => browser.close());

const here = (path) => new URL(path, import.meta.url).pathname;
const built = await rolldown({ input: here("keplr/node_modules/@keplr-wallet/provider/build/inject.js"), platform: "browser" });
const code = (await built.generate({ format: "iife", name: "keplrCode" })).output[0].code;

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const isHex = (v) => v !== null && typeof v === "object" && typeof v.hex === "string";
const bytesOf = (v) => Uint8Array.from(Buffer.from(v.hex, "hex"));

function varint(n) {
  const out = [];
  for (n = BigInt(n); n > 127n; n >>= 7n) out.push(Number(n & 127n) | 128);
  return Buffer.from([...out, Number(n)]);
}
const field = (number, bytes) => Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);

/** cosmos.tx.v1beta1.SignDoc. Keplr's proxy holds account numbers as signed; the same 64 bits are written. */
function signDoc({ bodyBytes, authInfoBytes, chainId, accountNumber }) {
  const number = BigInt.asUintN(64, BigInt(accountNumber));
  return Buffer.concat([field(1, bodyBytes), field(2, authInfoBytes), field(3, Buffer.from(chainId)), ...(number > 0n ? [varint(4 << 3), varint(number)] : [])]);
}

/** Amino JSON as Keplr serializes it: keys sorted, and what HTML could take for markup escaped. */
function aminoBytes(doc) {
  const sorted = (v) => (Array.isArray(v) ? v.map(sorted) : v !== null && typeof v === "object" ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : v);
  return Buffer.from(JSON.stringify(sorted(doc)).replace(/[<>&]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0")));
}

/** One rao more of fee, where the transaction names it. */
function dearer(authInfo) {
  const at = Buffer.from(authInfo).indexOf(Buffer.from("\x0a\x03rao\x12", "latin1")) + 6;
  assert.ok(at > 6, "the fee is in the transaction");
  const digits = Buffer.from(authInfo.subarray(at + 1, at + 1 + authInfo[at])).toString();
  const more = String(BigInt(digits) + 1n);
  assert.equal(more.length, digits.length);
  const changed = Uint8Array.from(authInfo);
  changed.set(Buffer.from(more), at + 1);
  return [changed, BigInt(more)];
}

/** What Keplr demands of a chain that is suggested (its chain-validator 0.13.16 takes the same). */
function checkChain(info) {
  const text = (s, most) => assert.ok(typeof s === "string" && s.length > 0 && s.length <= most, `${s}`);
  const known = ["chainId", "chainName", "rpc", "rest", "bip44", "bech32Config", "currencies", "feeCurrencies", "stakeCurrency", "features"];
  assert.deepEqual(Object.keys(info).filter((k) => !known.includes(k)), []);
  text(info.chainId, 50);
  text(info.chainName, 36);
  for (const url of [info.rpc, info.rest]) {
    assert.match(new URL(url).protocol, /^https?:$/);
    assert.ok(!url.includes("?"));
  }
  assert.ok(Number.isInteger(info.bip44.coinType) && info.bip44.coinType >= 0);
  assert.deepEqual(Object.keys(info.bech32Config).sort(), ["bech32PrefixAccAddr", "bech32PrefixAccPub", "bech32PrefixConsAddr", "bech32PrefixConsPub", "bech32PrefixValAddr", "bech32PrefixValPub"]);
  const currency = ({ gasPriceStep: _, ...c }) => {
    assert.deepEqual(Object.keys(c).sort(), ["coinDecimals", "coinDenom", "coinMinimalDenom"]);
    assert.ok(Number.isInteger(c.coinDecimals) && c.coinDecimals <= 18);
  };
  assert.ok(info.currencies.length > 0 && info.feeCurrencies.length > 0);
  [...info.currencies, ...info.feeCurrencies, info.stakeCurrency].forEach(currency);
  for (const { gasPriceStep: { low, average, high } } of info.feeCurrencies) assert.ok(0 < low && low <= average && average <= high);
  assert.ok(Array.isArray(info.features));
}

/** Keplr's background: one key, the chains that it was told of, and what its person does when asked. */
class Keeper {
  chains = new Map();
  calls = [];
  mood = "sign";
  fee = 0n; // that it has set last
  constructor(seed, ledger) {
    this.secret = sha256(Buffer.from(seed));
    this.ledger = ledger;
    this.pubKey = secp256k1.getPublicKey(this.secret, true);
    this.raw = ripemd160(sha256(this.pubKey));
  }
  chain(id) {
    const info = this.chains.get(id);
    if (!info) throw new Error(`There is no chain info for ${id}`);
    return info;
  }
  address(id) {
    return bech32.encode(this.chain(id).bech32Config.bech32PrefixAccAddr, bech32.toWords(this.raw));
  }
  signature(bytes) {
    const signature = Buffer.from(secp256k1.sign(sha256(bytes), this.secret, { prehash: false })).toString("base64");
    return { pub_key: { type: "tendermint/PubKeySecp256k1", value: Buffer.from(this.pubKey).toString("base64") }, signature };
  }
  ask(id, signer, docChain) {
    if (signer !== this.address(id)) throw new Error("Signer mismatched");
    if (docChain !== id) throw new Error("Chain id in the message is not matched with the requested chain id");
    if (this.mood === "refuse") throw new Error("Request rejected");
  }
  async experimentalSuggestChain(info) {
    checkChain(info);
    this.chains.set(info.chainId, info);
  }
  async enable(id) {
    this.chain(id);
  }
  async getKey(id) {
    return { name: "my keplr", algo: "secp256k1", pubKey: { hex: hex(this.pubKey) }, address: { hex: hex(this.raw) }, bech32Address: this.address(id), ethereumHexAddress: "", isNanoLedger: this.ledger, isKeystone: false };
  }
  async signDirect(id, signer, doc, options) {
    this.ask(id, signer, doc.chainId);
    if (this.ledger) throw new Error("SIGN_MODE_DIRECT can't be signed on Ledger");
    assert.ok(isHex(doc.bodyBytes) && isHex(doc.authInfoBytes), "bytes arrive as bytes");
    assert.match(doc.accountNumber, /^-?\d+$/);
    assert.deepEqual(options, { preferNoSetFee: true, preferNoSetMemo: true });
    let [body, authInfo] = [bytesOf(doc.bodyBytes), bytesOf(doc.authInfoBytes)];
    if (this.mood === "another fee") [authInfo, this.fee] = dearer(authInfo);
    if (this.mood === "another body") body = Uint8Array.from([...body, 0x12, 1, 0x61]); // a memo
    const signature = this.signature(signDoc({ ...doc, bodyBytes: body, authInfoBytes: authInfo }));
    return { signed: { bodyBytes: { hex: hex(body) }, authInfoBytes: { hex: hex(authInfo) }, chainId: doc.chainId, accountNumber: doc.accountNumber }, signature };
  }
  async signAmino(id, signer, doc) {
    this.ask(id, signer, doc.chain_id);
    for (const [name, value] of Object.entries(doc)) assert.ok(["account_number", "chain_id", "fee", "memo", "msgs", "sequence", "timeout_height"].includes(name) && value !== undefined, name);
    for (const name of ["account_number", "sequence"]) assert.match(doc[name], /^\d+$/);
    const signed = this.mood === "another body" ? { ...doc, memo: "a" } : doc;
    return { signed, signature: this.signature(aminoBytes(signed)) };
  }
}

/** A visitor whose browser has Keplr. */
async function withKeplr(keeper) {
  const v = await visitor();
  await v.page.exposeFunction("keplrKeeper", async (method, args) => {
    keeper.calls.push(method);
    try {
      return { is: await keeper[method](...JSON.parse(args)) };
    } catch (error) {
      return { error: error.message };
    }
  });
  await v.page.addInitScript({ content: `${code}
    if (window === window.top) {
      // as Keplr's messages to its background carry bytes, and find those that the proxy left as it got them
      const flat = (_, v) => (typeof v === "string" && v.startsWith("__uint8array__") ? { hex: v.slice(14) } : v instanceof Uint8Array ? { hex: [...v].map((b) => b.toString(16).padStart(2, "0")).join("") } : v?.constructor?.name === "Long" || (v && typeof v === "object" && "low" in v && "high" in v && "unsigned" in v) ? v.toString() : v);
      const round = (v) => Array.isArray(v) ? v.map(round) : v && typeof v === "object" ? (typeof v.hex === "string" ? Uint8Array.from(v.hex.match(/../g) ?? [], (b) => parseInt(b, 16)) : Object.fromEntries(Object.entries(v).map(([k, w]) => [k, round(w)]))) : v;
      const behind = Object.fromEntries(["experimentalSuggestChain", "enable", "getKey", "signDirect", "signAmino"].map((method) => [method, async (...args) => {
        const answer = await window.keplrKeeper(method, JSON.stringify(args, flat));
        if (answer.error) throw new Error(answer.error);
        return round(answer.is);
      }]));
      const other = { request: async () => ({}), getAccounts: async () => [] }; // of chains that are no business of this page
      keplrCode.InjectedKeplr.startProxy({ ...behind, ethereum: other, starknet: other, bitcoin: other });
      window.keplr = new keplrCode.InjectedKeplr("", "0.12.313", "extension", () => {}, () => {}, undefined, undefined, undefined, { id: "keplr", name: "Keplr", icon: "" });
    }` });
  return v;
}

async function connect(v) {
  await v.at("/wallet");
  await v.button("Use Keplr").click();
  await v.button("Connect", v.dialog()).click();
  await v.dialog().waitFor({ ...WAIT, state: "detached" });
}

async function review(v, tao) {
  await v.at("/wallet/send");
  await v.field("To").fill(stranger);
  await v.amount().fill(tao);
  await v.button("Review").click();
  await v.dialog().getByText("Worst case after").waitFor(WAIT);
  await v.button("Sign with Keplr").click();
}

async function inBlock(v) {
  const done = v.dialog().getByText("It is in block");
  const wrong = v.dialog().getByRole("alert");
  await done.or(wrong).first().waitFor(WAIT);
  assert.equal(await wrong.count(), 0, (await wrong.count()) > 0 ? await wrong.first().textContent() : "");
  await v.dialog().locator("button.primary").click();
}

const get = async (path) => {
  const answer = await fetch(base + path);
  assert.ok(answer.ok, await answer.clone().text());
  return answer.json();
};
const received = async () => BigInt((await get(`/v1/chain/account/${stranger}`)).balance_rao);

test("Keplr learns the network, and signs what it shows; another fee of its is taken, another transaction is not", async () => {
  const keeper = new Keeper("a key of keplr's", false);
  const v = await withKeplr(keeper);
  await connect(v);
  assert.deepEqual(keeper.calls, ["experimentalSuggestChain", "enable", "getKey"]);
  const [info] = keeper.chains.values();
  const address = keeper.address(info.chainId);
  await give(address);
  const before = await received();

  await review(v, "1");
  await inBlock(v);
  assert.equal((await received()) - before, 1_000_000_000n, "the chain took Keplr's signature");

  keeper.mood = "another fee";
  await review(v, "1");
  await inBlock(v);
  const { items } = await get(`/v1/accounts/${address}/transactions?limit=1`);
  assert.equal(BigInt(items[0].fee_rao), keeper.fee, "the fee that Keplr has shown is paid");

  for (const [mood, words] of [["refuse", "Request rejected"], ["another body", "Keplr signed something else than what was shown. Nothing was sent."]]) {
    keeper.mood = mood;
    await review(v, "1");
    await v.dialog().getByText(words).waitFor(WAIT);
    await v.page.keyboard.press("Escape");
  }
  assert.equal((await received()) - before, 2_000_000_000n, "nothing more was sent");
  keeper.mood = "sign";
  await review(v, "1");
  await inBlock(v);
  assert.equal((await received()) - before, 3_000_000_000n);
});

test("another account that is chosen in Keplr is the page's", async () => {
  const keeper = new Keeper("the first account", false);
  const other = new Keeper("the second account", false);
  const v = await withKeplr(keeper);
  await connect(v);
  const [info] = keeper.chains.values();
  [keeper.secret, keeper.pubKey, keeper.raw] = [other.secret, other.pubKey, other.raw];
  await v.page.evaluate(() => window.dispatchEvent(new Event("keplr_keystorechange")));
  const address = keeper.address(info.chainId);
  await v.page.waitForFunction((a) => document.querySelector("select[aria-label=Account]")?.value === a, address, WAIT);
  await give(address);
  const before = await received();
  await review(v, "1");
  await inBlock(v);
  assert.equal((await received()) - before, 1_000_000_000n);
});

test("a Ledger behind Keplr signs amino JSON", async () => {
  const keeper = new Keeper("a key on a ledger", true);
  const v = await withKeplr(keeper);
  await connect(v);
  const [info] = keeper.chains.values();
  await give(keeper.address(info.chainId));
  const before = await received();
  await review(v, "2");
  await inBlock(v);
  assert.equal((await received()) - before, 2_000_000_000n, "the chain took the amino signature");
  assert.ok(keeper.calls.includes("signAmino") && !keeper.calls.includes("signDirect"));
  keeper.mood = "another body";
  await review(v, "2");
  await v.dialog().getByText("Keplr signed something else than what was shown. Nothing was sent.").waitFor(WAIT);
  assert.equal((await received()) - before, 2_000_000_000n);
});

test("nothing broke on the way", () => assert.deepEqual(bad, []));
