// The ecosystem's own client, unchanged, against a Lode node. The environment says
// where: LODE_RPC, LODE_MNEMONIC (a funded coldkey's), LODE_VALIDATOR (the chain's
// validator's operator address).
import assert from "node:assert/strict";
import { before, after, test } from "node:test";
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { calculateFee, GasPrice, SigningStargateClient, isDeliverTxSuccess } from "@cosmjs/stargate";
import { Comet38Client } from "@cosmjs/tendermint-rpc";

const rpc = process.env.LODE_RPC;
const validator = process.env.LODE_VALIDATOR;
const gasPrice = GasPrice.fromString("1rao");
const tao = 1_000_000_000n;

let wallet, address, other, client;

before(async () => {
  wallet = await DirectSecp256k1HdWallet.fromMnemonic(process.env.LODE_MNEMONIC, { prefix: "lode" });
  [{ address }] = await wallet.getAccounts();
  const stranger = await DirectSecp256k1HdWallet.generate(12, { prefix: "lode" });
  [{ address: other }] = await stranger.getAccounts();
  // CometBFT 0.40 calls itself 0.39, for which connectComet falls back to an older
  // client; this one reads finalize_block_events.
  const comet = await Comet38Client.connect(rpc);
  client = await SigningStargateClient.createWithSigner(comet, wallet, { gasPrice });
});

after(() => client?.disconnect());

const coins = (amount) => [{ denom: "rao", amount: amount.toString() }];
const balance = async (of) => BigInt((await client.getBalance(of, "rao")).amount);

test("the wallet's standard path gives an address of this network", () => {
  assert.match(address, /^lode1[0-9a-z]{38}$/);
});

test("the chain says its id and its height", async () => {
  assert.equal(await client.getChainId(), process.env.LODE_CHAIN_ID);
  assert.ok((await client.getHeight()) > 0);
});

test("a balance is in rao", async () => {
  assert.ok((await balance(address)) >= 100n * tao);
  assert.equal(await balance(other), 0n);
});

test("gas is simulated, and what was simulated suffices", async () => {
  const message = {
    typeUrl: "/cosmos.bank.v1beta1.MsgSend",
    value: { fromAddress: address, toAddress: other, amount: coins(tao) },
  };
  const gas = await client.simulate(address, [message], "simulated");
  assert.ok(gas > 20_000 && gas < 300_000, `gas ${gas}`);
  const fee = calculateFee(Math.ceil(gas * 1.3), gasPrice);
  const was = await balance(address);
  const result = await client.signAndBroadcast(address, [message], fee, "simulated");
  assert.ok(isDeliverTxSuccess(result), result.rawLog);
  assert.equal(await balance(other), tao);
  assert.equal(await balance(address), was - tao - BigInt(fee.amount[0].amount));
});

test("a transfer arrives and is found by its events", async () => {
  const before = await balance(other);
  const result = await client.sendTokens(address, other, coins(2n * tao), "auto", "a transfer");
  assert.ok(isDeliverTxSuccess(result), result.rawLog);
  assert.equal(await balance(other), before + 2n * tao);

  const found = await client.searchTx([
    { key: "transfer.recipient", value: other },
    { key: "transfer.amount", value: `${2n * tao}rao` },
  ]);
  assert.deepEqual(found.map((tx) => tx.hash), [result.transactionHash]);
  const at = await client.searchTx(`tx.height=${result.height}`);
  assert.ok(at.some((tx) => tx.hash === result.transactionHash));
});

test("a delegation is bonded with the chain's validator", async () => {
  const result = await client.delegateTokens(address, validator, coins(3n * tao)[0], "auto");
  assert.ok(isDeliverTxSuccess(result), result.rawLog);
  const delegation = await client.getDelegation(address, validator);
  assert.deepEqual(delegation, coins(3n * tao)[0]);
});

test("more than there is can't be sent, and nothing moves", async () => {
  const was = await balance(other);
  await assert.rejects(
    client.sendTokens(address, other, coins(100_000_000n * tao), "auto"),
    /insufficient funds/,
  );
  const fee = calculateFee(200_000, gasPrice);
  const result = await client.sendTokens(address, other, coins(100_000_000n * tao), fee);
  assert.notEqual(result.code, 0);
  assert.match(result.rawLog, /insufficient funds/);
  assert.equal(await balance(other), was);
});

test("the denomination's metadata tells wallets how to show it", async () => {
  const { metadata } = await (await fetch(`${process.env.LODE_REST}/cosmos/bank/v1beta1/denoms_metadata/rao`)).json();
  assert.equal(metadata.base, "rao");
  assert.equal(metadata.display, "TAO");
  assert.equal(metadata.symbol, "TAO");
  assert.equal(metadata.denom_units.find((u) => u.denom === "TAO").exponent, 9);
  assert.equal(metadata.denom_units.find((u) => u.denom === "rao").exponent, 0);
});

test("a page from anywhere may read a local network", async () => {
  for (const url of [`${process.env.LODE_REST}/cosmos/base/tendermint/v1beta1/node_info`, `${rpc}/status`]) {
    const response = await fetch(url, { headers: { Origin: "http://example.org" } });
    assert.equal(response.status, 200, url);
    assert.equal(response.headers.get("access-control-allow-origin"), "*", url);
  }
});
