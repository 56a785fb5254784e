// A server for developing the page: it answers from recorded JSON in place of a network.
// For development only; nothing of it is in the built page.
//
//   node dev/fixture.mjs [port] [folder of the built page]
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const port = Number(process.argv[2] ?? 8790);
const root = process.argv[3] ?? fileURLToPath(new URL("../../dist", import.meta.url));
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm" };

const start = Date.now() - 5000 * 1000;
const height = () => Math.floor((Date.now() - start) / 1000);
const at = (h) => new Date(start + h * 1000).toISOString();
const address = (n) => ["lode1nsrlrvqezz3cdx7vpxgcefvhtu6x8tpt6w256y", "lode1u5eltj08wstehugyc5xqhyqetmjq7chkf9qmlz", "lode1tj4htz8na6crlvcl2m8x5revs94nntz2juzxfc", "lode1as3geqyfa3e4796q70yslss2zy7mm9j247cchm", "lode1er45w07q7sfgh2lnkyd4lphr00c5yuen50twa5", "lode1fcw76qawdqdq56kr28uzaha058y46lg9d43fgx"][n % 6];
const hash = (n) => (n * 2654435761).toString(16).padStart(16, "0").toUpperCase().repeat(4).slice(0, 64);
const rao = (tao) => String(BigInt(Math.round(tao * 1e6)) * 1000n);

const NAMES = ["video", "inference", "storage\u202egnp.exe", "<img src=x onerror=alert(1)>", "protein folding", "search", "a very long name of a subnet that never ends", "", "Übersetzung", "天気予報"];
const subnet = (i) => ({
  netuid: i + 1, subnet_id: i + 1, name: NAMES[i % NAMES.length], description: i === 0 ? "Compress video so that nobody sees it" : "What this market is for", url: "https://example.org/" + i, started: i !== 5, created_height: 10 + i, created_time: at(10 + i), owner_hotkey: address(i),
  price: (0.5 / (i + 1)).toFixed(9), moving_price: (0.45 / (i + 1)).toFixed(9), change_1h: 0.01 * ((i % 5) - 2), change_24h: i % 4 === 3 ? null : 0.04 * ((i % 5) - 2), change_7d: null,
  market_value_rao: rao(120000 / (i + 1)), tao_reserve_rao: rao(5000 / (i + 1)), alpha_reserve: rao(10000), alpha_issued: rao(50000), alpha_staked: rao(21000), alpha_circulating: rao(22000), emission_share: 0.4 / 2 ** i, liquidity_rao: rao(10000 / (i + 1)), volume_24h_rao: rao(700 / (i + 1)),
  neurons: i === 1 ? 4096 : 24 + i, miners: 18 + i, validators: 6, max_uids: i === 1 ? 4096 : 256, tempo: 10, epochs: 480, next_epoch_height: height() + 6, burn_rao: rao(0.1), revenue_rao: rao(12.5 / (i + 1)), revenue_24h_rao: rao(0.5), removal_place: i < 2 ? null : i - 2, immune_until_height: i < 2 ? 9000 : null, immune_until_time: i < 2 ? at(9000) : null,
});
const neuron = (uid) => ({
  uid, hotkey: address(uid), coldkey: address(uid + 1), owner: uid === 0, permit: uid < 6, active: uid !== 4, stake_alpha: rao(1000 / (uid + 1)), stake_weight: rao(900 / (uid + 1)), root_stake_rao: "0", incentive: uid < 6 ? 0 : 1 / (uid + 3), dividends: uid < 6 ? 0.4 / (uid + 1) : 0, consensus: uid < 6 ? 0 : 0.8 / uid, validator_trust: uid < 6 ? 0.9 : 0, rank: 0.1, emission_alpha: rao(3 / (uid + 1)), registered_height: 20 + uid, last_update_height: uid < 6 ? height() - 4 - uid : null, pruning_rank: uid === 0 ? null : uid, immune_until_height: uid > 20 ? 9000 : null, endpoints: ["/ip4/127.0.0.1/tcp/4001"], protocol: "video/miner", protocol_version: "1", collateral_alpha: "0", inherited_weight: "0", lent_weight: "0", destination: address(uid),
});
const now = () => ({ height: height(), time: at(height()) });
const list = (items, more = {}) => ({ ...now(), items, next: "", ...more });
const tx = (n) => ({ hash: hash(n), height: height() - n, time: at(height() - n), index: 0, ok: n % 7 !== 3, code: n % 7 === 3 ? 5 : 0, codespace: n % 7 === 3 ? "sdk" : "", error: n % 7 === 3 ? "insufficient funds" : "", fee_rao: "1234", gas_wanted: 123400, gas_used: 98000, signers: [address(n)], types: [["/lode.alpha.v1.MsgStake", "/cosmos.bank.v1beta1.MsgSend", "/lode.weights.v1.MsgCommitWeights", "/lode.subnets.v1.MsgRegister"][n % 4]] });
const block = (h) => ({ height: h, time: at(h), hash: hash(h), proposer: hash(7).slice(0, 40), transactions: h % 3 });
const hyper = (name, value, unit, set_by = "owner") => ({ name, value, default: value, min: "0", max: "65535", unit, set_by, set_height: null, next_height: set_by === "owner" ? 100 : null, scheduled: null });
const service = (id) => ({ id: String(id), netuid: 1 + (id % 2), subnet_id: 1, uid: 3, name: ["Video by the minute", "Questions and answers", "\u202eevil <b>name</b>"][id % 3], description: "What it does, in its provider's own words", endpoint: id % 3 === 2 ? "/ip4/1.2.3.4/tcp/1/p2p/x" : "http://127.0.0.1:8402", buyable: id % 3 !== 2, unit: ["video_minute", "token", "request"][id % 3], price_rao: rao(0.01), per: id % 3 === 1 ? "1000" : "1", counted: ["video_ms", "token", "request"][id % 3], unit_parts: 60000, terms: "", hotkey: address(id), coldkey: address(id + 1), listed: true, channels: 2, updated_height: 120, plans: [] });
let balance = 0n;
const portfolio = (a) => ({ ...now(), address: a, balance_rao: String(balance || 123456789000n), delegated_rao: rao(10), unbonding_rao: "0", rewards_rao: rao(0.25), stakes_value_rao: rao(250), claims_rao: "0", total_rao: rao(383.7), indexed_height: height(), subnets: [0, 2].map((i) => ({ netuid: i + 1, subnet_id: i + 1, name: NAMES[i], removed: false, alpha: rao(300), value_rao: rao(150), price: "0.500000000", part: 0.4 - i * 0.1, stakes: [{ hotkey: address(i), registered: i === 0, alpha: rao(300), locked_alpha: "0", value_rao: rao(150), yields: [1, 7, 30].map((days) => ({ days, samples: days * 100, epoch: 0.00012, apr: 0.34, apy: 0.405, tao_return: 0.021 - i * 0.02 })) }] })) });
const trade = (netuid, side, given) => ({ netuid, side, given, expected: String((BigInt(given) * 19n) / 10n), least: String((BigInt(given) * 18n) / 10n), fee: "500000", spot_price: "0.500000000", average_price: "0.502512562", price_after: "0.505000000", impact: side === "buy" ? 0.01 : -0.01, limit_price: "0.525000000", limit_price_rao: "525000000", within_limit: true });

function answer(url, body) {
  const path = url.pathname.replace(/^\/v1/, "");
  const [, a, b, c] = path.split("/");
  const i = Number(b) - 1;
  if (path === "/status") return { ...now(), chain_id: "lode-local-1", local: true, node_ok: true, node_error: null, catching_up: false, age_seconds: 0.4, indexed_height: height(), indexed_time: at(height()), index_error: null, build: "ab".repeat(32), version: "dev" };
  if (path === "/home") return { ...now(), chain_id: "lode-local-1", issued_rao: rao(1004321.5), supply_rao: rao(1004300), burned_rao: rao(21.5), recycled_rao: "0", cap_rao: rao(21e6), block_reward_rao: rao(1), block_seconds: 1, halvings: 0, next_halving_rao: rao(10.5e6), next_halving_time: new Date(Date.now() + 9.5e9).toISOString(), neurons: 300, free_slots: 118, lock_rao: rao(1000), subnets: NAMES.map((_, n) => subnet(n)) };
  if (a === "subnets" && !b) return list(NAMES.map((_, n) => subnet(n)), { free_slots: 118 });
  if (a === "subnets" && !(i >= 0 && i < NAMES.length)) return undefined;
  if (a === "subnets" && !c) return { ...subnet(i), ...now(), owner_coldkey: address(3), parameters: '{"least_quality": 98}', lock_rao: rao(1000), started_height: 11, started_time: at(11), last_epoch_height: height() - 4, alpha_protocol: "0", alpha_pending: rao(5), alpha_burned: rao(12), free_slots: 118, hyperparameters: [hyper("tempo", "10", "blocks"), hyper("kappa", "32767", "1/65535", "governance"), hyper("commit_reveal", "1", "switch"), hyper("min_burn", "500000", "rao"), hyper("bonds_moving_average", "900000", "1/1000000"), hyper("max_uids", "256", "uids")], revenue: { total_rao: rao(12.5), provider_rao: rao(10), owner_rao: "0", burn_rao: rao(1.25), burned_alpha: rao(2.5), miners_rao: rao(0.6), miners_alpha: rao(1.2), waiting_rao: "0", redemptions: 40, split: { provider: 0.85, burn: 0.1, miners: 0.05, owner: 0 }, scheduled: null, price_without: "0.490000000" }, serves: [{ protocol: "video/miner", version: "1", neurons: 18 }] };
  if (c === "candles") { let p = 0.5; return { ...now(), netuid: i + 1, subnet_id: i + 1, interval: "5m", next: "", items: Array.from({ length: 120 }, (_, n) => { const open = p; p *= 1 + Math.sin(n * 1.7) * 0.012 + Math.cos(n / 9) * 0.006; const close = p; return { time: new Date(Date.now() - (120 - n) * 300e3).toISOString(), open: open.toFixed(9), close: close.toFixed(9), high: (Math.max(open, close) * 1.004).toFixed(9), low: (Math.min(open, close) * 0.996).toFixed(9), volume_rao: rao(5 + 4 * Math.sin(n)), trades: 3 }; }) }; }
  if (c === "emission") return { ...now(), netuid: i + 1, subnet_id: i + 1, next: "", items: Array.from({ length: 100 }, (_, n) => ({ epoch: n, height: n * 10, time: at(n * 10), pending_alpha: rao(10), paid_alpha: rao(8 + Math.sin(n / 5)), owner_alpha: rao(1.8), revenue_alpha: "0", burned_alpha: rao(1 + Math.cos(n / 7)), recycled_alpha: "0", carried_alpha: "0", root_paid_rao: "0" })) };
  if (c === "metagraph") return { ...now(), netuid: i + 1, subnet_id: i + 1, name: NAMES[i], started: true, price: "0.5", moving_price: "0.4", tao_reserve_rao: rao(1), alpha_reserve: rao(2), burn_rao: rao(0.1), tempo: 10, epochs: 480, next_epoch_height: height() + 6, neurons: Array.from({ length: subnet(i).neurons }, (_, n) => neuron(n)) };
  if (c === "weights" || c === "bonds") { const n = subnet(i).neurons; return { ...now(), netuid: i + 1, neurons: n, rows: Array.from({ length: 6 }, (_, uid) => ({ uid, uids: Array.from({ length: n - 6 }, (_, k) => k + 6), values: Array.from({ length: n - 6 }, (_, k) => Math.floor(65535 * Math.abs(Math.sin(k + uid * 0.3)))), height: height() - 9, set_height: height() - 5 })) }; }
  if (a === "subnets" && c === "registrations") return list(Array.from({ length: 20 }, (_, n) => ({ height: height() - n * 30, time: at(height() - n * 30), netuid: i + 1, subnet_id: 1, uid: n, hotkey: address(n), coldkey: address(n + 1), burn_rao: rao(0.1 + 0.05 * Math.abs(Math.sin(n))), replaced: n % 5 ? null : address(n + 2) })));
  if (path === "/validators") return list(Array.from({ length: 6 }, (_, n) => ({ hotkey: address(n), coldkey: address(n + 1), take: 0.18, root_stake_rao: rao(10), stake_value_rao: rao(500 / (n + 1)), subnets: [{ netuid: 1, uid: n, stake_alpha: rao(1000 / (n + 1)), stake_weight: rao(900), dividends: 0.4 / (n + 1), validator_trust: 0.95, emission_alpha: rao(2), active: n !== 4, last_update_height: height() - 5 }] })));
  if (a === "accounts" && c === "portfolio") return portfolio(b);
  if (a === "accounts" && c === "stakes") return list(portfolio(b).subnets.flatMap((s) => s.stakes.map((k) => ({ netuid: s.netuid, subnet_id: s.subnet_id, subnet_name: s.name, removed: false, hotkey: k.hotkey, registered: k.registered, alpha: k.alpha, locked_alpha: "0", value_rao: k.value_rao, price: s.price }))));
  if (a === "accounts" && c === "income") return list(Array.from({ length: 12 }, (_, n) => ({ height: height() - n * 10, time: at(height() - n * 10), netuid: 1, subnet_id: 1, epoch: 480 - n, hotkey: address(n), kind: n % 2 ? "dividends" : "incentive", alpha: rao(0.5), tao_rao: "0", value_rao: rao(0.25) })));
  if (a === "accounts" && c === "transactions") return list(Array.from({ length: 8 }, (_, n) => tx(n)));
  if (a === "accounts" && c) return list([]);
  if (a === "accounts") return { ...portfolio(b), subnets: undefined, indexed_height: undefined, exists: true, account_number: "7", sequence: "3", key_type: "secp256k1", coldkey: null, take: null, hotkeys: [{ hotkey: address(1), take: 0.18, bound_height: 40, destination: address(1) }], registrations: [{ netuid: 1, uid: 3, hotkey: address(1), permit: true }], coldkey_swap: null, recovery_key: null };
  if (a === "transactions" && !b) return list(Array.from({ length: 30 }, (_, n) => tx(n)));
  if (a === "transactions") return { ...tx(1), hash: b, memo: "hello \u202ereversed", messages: [{ "@type": "/cosmos.bank.v1beta1.MsgSend", from_address: address(0), to_address: address(1), amount: [{ denom: "rao", amount: "1500000000" }] }], events: [{ type: "transfer", attributes: [{ key: "sender", value: address(0) }, { key: "amount", value: "1500000000rao" }] }] };
  if (a === "blocks" && !b) return list(Array.from({ length: 30 }, (_, n) => block(height() - n)));
  if (a === "blocks" && !(Number(b) > 0)) return undefined;
  if (a === "blocks") return { ...block(Number(b)), items: [tx(1), tx(2)] };
  if (path === "/search") return list([{ kind: "subnet", id: "1", title: "video", path: "/subnets/1" }, { kind: "service", id: "3", title: "\u202eevil", path: "/market/services/3" }]);
  if (path === "/market/services") return list([1, 2, 3, 4].map(service));
  if (a === "market") return { ...service(Number(c)), ...now(), subnet_name: "video", neuron: neuron(3) };
  if (path === "/chain/params") return { ...now(), chain_id: "lode-local-1", local: true, denom: "rao", bech32_prefix: "lode", coin_type: 118, gas_price: "0.01", gas_adjustment: 1.3, tx_lifetime_blocks: 100, block_seconds: 1, trade_fee: 0.0005, min_trade_rao: "2000000", min_reserve: "1000000", default_slippage: 500, max_take: 0.18, coldkey_swap_delay_blocks: 600, coldkey_swap_fee_rao: rao(0.1), recovery_delay_blocks: 600, hotkey_swap_fee_rao: rao(0.1), min_deposit_rao: rao(0.001), min_close_delay_seconds: 5, max_close_delay_seconds: 2592000 };
  if (path.startsWith("/chain/account/")) return { ...now(), chain_id: "lode-local-1", address: path.split("/")[3], exists: true, account_number: "7", sequence: "3", key_type: "secp256k1", public_key: null, balance_rao: String(balance || 123456789000n) };
  if (path === "/chain/simulate") return { ...now(), gas_used: "80000", gas_limit: "104000", fee_rao: "1040" };
  if (path === "/chain/broadcast") return { ...now(), hash: hash(body.length), gas_used: "80000" };
  if (path === "/chain/quote") { const p = url.searchParams; const t = [trade(Number(p.get("netuid")), p.get("kind") === "stake" ? "buy" : "sell", p.get("amount"))]; if (p.get("kind") === "swap") t.push(trade(Number(p.get("to_netuid")), "buy", t[0].expected)); return { ...now(), kind: p.get("kind"), slippage: 500, trades: t, expected: t.at(-1).expected, least: t.at(-1).least, within_limit: true }; }
  return undefined;
}

createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", `http://127.0.0.1:${port}`);
  if (url.pathname === "/v1/stream") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    let last = height();
    const timer = setInterval(() => { if (height() > last) { last = height(); response.write(`id: ${last}\nevent: block\ndata: ${JSON.stringify({ height: last, time: at(last), transactions: last % 3, epochs: [], missed: false })}\n\n`); } }, 100);
    request.on("close", () => clearInterval(timer));
    return;
  }
  if (url.pathname.startsWith("/v1/")) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const value = answer(url, Buffer.concat(chunks).toString());
    response.writeHead(value ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(value ?? { error: { code: "not_found", message: `${url.pathname}: there is no such thing`, hint: "" } }));
    return;
  }
  try {
    const file = url.pathname === "/" ? "index.html" : normalize(url.pathname).replace(/^(\.\.[/\\])+/, "");
    const text = await readFile(join(root, file));
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream", "content-security-policy": CSP, "x-content-type-options": "nosniff" });
    response.end(text);
  } catch {
    response.writeHead(404).end();
  }
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
