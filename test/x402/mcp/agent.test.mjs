// An agent of npm's MCP SDK, which knows nothing of payment: it starts `lode pay mcp` as
// its MCP server. The environment says which: LODE, LODE_SERVER, LODE_RPC.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { parsePaymentRequired } from "@x402/core/schemas";

const url = process.env.LODE_SERVER;

const started = (...flags) =>
  new StdioClientTransport({
    command: process.env.LODE,
    args: ["pay", "mcp", url, "--node", process.env.LODE_RPC, "--from", "agent", "--deposit", "0.001", ...flags],
    env: process.env,
  });

async function connect(transport) {
  const client = new Client({ name: "agent", version: "1" });
  await client.connect(transport);
  return client;
}

let agent;
before(async () => {
  agent = await connect(started("--max-request", "0.0001"));
});
after(() => agent.close());

const shout = (text, more = {}) => ({ name: "shout", arguments: { text, ...more } });

test("without lode pay mcp it is told the terms, as the stock schema knows them", async () => {
  const plain = await connect(new StreamableHTTPClientTransport(new URL(url)));
  const result = await plain.callTool(shout("free?"));
  assert.equal(result.isError, true);
  const parsed = parsePaymentRequired(result.structuredContent);
  assert.ok(parsed.success, JSON.stringify(parsed.error));
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  assert.equal(result.structuredContent.resource.url, "mcp://tool/shout");
  assert.equal(result.structuredContent.accepts[0].scheme, "batch-settlement");
  assert.equal(result.structuredContent.accepts[0].amount, "10000"); // 10 units at 1,000 rao
  await plain.close();
});

test("tools are listed, called and paid for what they use", async () => {
  assert.equal(agent.getServerVersion().name, "letters");
  const { tools } = await agent.listTools();
  assert.deepEqual(tools.map((t) => t.name), ["shout"]);
  const result = await agent.callTool(shout("hello"));
  assert.ok(!result.isError, JSON.stringify(result));
  assert.equal(result.content[0].text, "HELLO");
  const settled = result._meta["x402/payment-response"];
  assert.equal(settled.success, true);
  assert.equal(settled.extra.chargedAmount, "7000");
});

test("ten at once are served", async () => {
  const results = await Promise.all(Array.from({ length: 10 }, (_, i) => agent.callTool(shout(`number ${i}`))));
  assert.deepEqual(results.map((r) => r.content[0].text), Array.from({ length: 10 }, (_, i) => `NUMBER ${i}`));
});

test("what fails costs nothing, and is told", async () => {
  const result = await agent.callTool(shout("fail"));
  assert.equal(result.isError, true);
  assert.equal(result.content[0].text, "no voice");
  assert.equal(result._meta["x402/payment-response"].extra.chargedAmount, "0");
});

test("what is over the limits is told as the tool's error", async () => {
  await agent.close();
  agent = await connect(started("--max-request", "0.000009"));
  const result = await agent.callTool(shout("dear"));
  assert.equal(result.isError, true);
  assert.equal(JSON.parse(result.content[0].text).error.code, "over_limit");
});
