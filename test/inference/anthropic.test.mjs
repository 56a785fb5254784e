// npm's @anthropic-ai/sdk.
import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { calls, city, failure, key, model, paid, served, url } from "./at.mjs";

const client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
const ask = (content, more) => ({ model, max_tokens: 100, messages: [{ role: "user", content }], ...more });
const tools = [{ type: "web_search_20250305", name: "web_search" }, { name: "weather", description: "tells it", input_schema: city }];

test("models are listed", async () => {
  const list = [];
  for await (const m of client.models.list()) list.push([m.type, m.id, m.display_name]);
  assert.deepEqual(list, [["model", model, model]]);
  assert.equal((await client.models.retrieve(model)).created_at, served.created);
  assert.ok((await failure(client.models.retrieve("claude-9"))) instanceof Anthropic.NotFoundError);
});

test("a message is answered, whole and in a stream", async () => {
  const body = ask([{ type: "text", text: "say Grüße, " }, { type: "text", text: "世界" }], { system: "be kind" });
  const whole = await client.messages.create(body);
  assert.deepEqual(whole.content, [{ type: "text", text: "Grüße, 世界" }]);
  assert.equal(whole.stop_reason, "end_turn");
  const names = [];
  const stream = client.messages.stream(body).on("streamEvent", (e) => names.push(e.type));
  const final = await stream.finalMessage();
  assert.deepEqual(final.content, whole.content);
  assert.deepEqual(final.usage, whole.usage);
  assert.deepEqual([...new Set(names)], ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]);
  assert.equal(stream.request_id, final.id);
});

test("tokens are counted as they are used", async () => {
  const { model: m, messages } = ask("say hello there");
  const { input_tokens } = await client.messages.countTokens({ model: m, messages });
  assert.equal(input_tokens, (await client.messages.create(ask("say hello there"))).usage.input_tokens);
});

test("a stop sequence is named and cut off; a full answer is told", async () => {
  const stopped = await client.messages.stream(ask("say one two three", { stop_sequences: ["zzz", "wo"] })).finalMessage();
  assert.deepEqual([stopped.stop_reason, stopped.stop_sequence, stopped.content[0].text], ["stop_sequence", "wo", "one t"]);
  const full = await client.messages.stream(ask("say one two three", { max_tokens: 1 })).finalMessage();
  assert.deepEqual([full.stop_reason, full.content[0].text], ["max_tokens", "one "]);
});

test("tools are used, whole and in a stream, and what they say goes in again", async () => {
  for (const m of [await client.messages.create(ask(calls, { tools })), await client.messages.stream(ask(calls, { tools })).finalMessage()]) {
    assert.equal(m.stop_reason, "tool_use");
    assert.deepEqual(m.content.map((b) => b.text ?? [b.name, b.input]), ["Let me see.", ["weather", { city: "Paris }" }], ["weather", { city: "Oslo" }]]);
    const results = m.content.filter((b) => b.type === "tool_use").map((b) => ({ type: "tool_result", tool_use_id: b.id, content: [{ type: "text", text: "rain" }] }));
    const next = await client.messages.create({ ...ask("x"), messages: [{ role: "user", content: "x" }, { role: "assistant", content: m.content }, { role: "user", content: results }], tools: [] });
    assert.equal(next.content[0].text, "you said: <tool_response>\nrain\n</tool_response>\n<tool_response>\nrain\n</tool_response>");
  }
  for (const tool_choice of [{ type: "any" }, { type: "tool", name: "weather" }]) {
    const m = await client.messages.stream(ask("go", { tools, tool_choice })).finalMessage();
    assert.deepEqual(m.content.map((b) => b.input), [{ city: "é" }]);
  }
});

test("a schema is followed", async () => {
  const m = await client.messages.create(ask("go", { output_config: { format: { type: "json_schema", schema: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } } } }));
  assert.equal(m.content[0].text, '{"a":1}');
});

test("errors before a stream have a status, in a stream they are thrown", async () => {
  const stream = (content, more) => client.messages.create({ ...ask(content), stream: true, ...more });
  let err = await failure(stream("hi", { model: "claude-9" }));
  assert.ok(err instanceof Anthropic.NotFoundError);
  assert.equal(err.type, "not_found_error");
  err = await failure(stream("say " + "x".repeat(9000)));
  assert.ok(err instanceof Anthropic.BadRequestError);
  assert.match(err.message, /prompt (is too long|has \d+ tokens)/);
  err = await failure(stream("refuse overloaded"));
  assert.deepEqual([err.status, err.type, err.headers.get("retry-after")], [529, "overloaded_error", served.retry]);
  if (!paid) {
    err = await failure(stream("refuse price"));
    assert.deepEqual([err.status, err.type], [402, "billing_error"]);
  }
  err = await failure(client.messages.stream(ask("break 2 overloaded one two three")).finalMessage());
  assert.equal(err.type, paid ? "api_error" : "overloaded_error");
});

test("a stream that is left ends", async () => {
  const stream = client.messages.stream(ask("forever", { max_tokens: 1_000_000 }));
  let n = 0;
  for await (const _ of stream) if (++n === 5) break;
  assert.ok(stream.controller.signal.aborted);
});
