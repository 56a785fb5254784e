// npm's openai.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { at, calls, choice, city, failure, key, model, paid, served, url } from "./at.mjs";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
const user = (content) => [{ role: "user", content }];
const tools = [{ type: "function", function: { name: "weather", description: "tells it", parameters: city } }];

test("models are listed, and found by a name with a slash", async () => {
  const list = [];
  for await (const m of client.models.list()) list.push(m);
  assert.equal(list.length, 1);
  assert.equal(list[0].id, model);
  assert.equal(list[0].context_length, 1000);
  assert.equal(list[0].tier, "any");
  assert.deepEqual(list[0].price, { ...served.price, unit: "rao per million tokens" });
  const one = await client.models.retrieve(model);
  assert.deepEqual(one, list[0]);
  assert.ok((await failure(client.models.retrieve("gpt-9"))) instanceof OpenAI.NotFoundError);
});

test("a chat is answered, with usage", async () => {
  const { data, request_id } = await client.chat.completions.create({ model, messages: [{ role: "developer", content: "be kind" }, ...user("say Grüße, 世界")] }).withResponse();
  assert.equal(data.choices[0].message.content, "Grüße, 世界");
  assert.equal(data.choices[0].finish_reason, "stop");
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  assert.equal(request_id, data.id);
});

test("a stream has a role once, null until the end, and usage last if it is asked for", async () => {
  const stream = await client.chat.completions.create({ model, messages: user("say Grüße, 世界"), stream: true, stream_options: { include_usage: true } });
  const chunks = [];
  for await (const c of stream) chunks.push(c);
  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.completion_tokens, 4);
  assert.equal(chunks.filter((c) => c.choices[0].delta.role).length, 1);
  assert.deepEqual(chunks.map((c) => c.choices[0].finish_reason), [...Array(chunks.length - 1).fill(null), "stop"]);
  assert.ok(chunks.every((c) => c.usage == null && c.id === last.id));
  assert.equal(chunks.map((c) => c.choices[0].delta.content ?? "").join(""), "Grüße, 世界");
});

test("choices are told apart in a stream", async () => {
  const final = await client.chat.completions.stream({ model, messages: user("say hello"), n: 3 }).finalChatCompletion();
  assert.deepEqual(final.choices.map((c) => [c.index, c.message.content, c.finish_reason]), [0, 1, 2].map((i) => [i, choice("hello", i), "stop"]));
});

test("stop strings are cut off across pieces", async () => {
  for (const stream of [true, false]) {
    const body = { model, messages: user("say one two three"), stop: ["o thr", "zzz"] };
    const answer = stream ? await client.chat.completions.stream(body).finalChatCompletion() : await client.chat.completions.create(body);
    assert.equal(answer.choices[0].message.content, "one tw");
    assert.equal(answer.choices[0].finish_reason, "stop");
  }
});

test("log-probabilities come with bytes and alternatives, whole and in a stream", async () => {
  const body = { model, messages: user("say Grüße"), logprobs: true, top_logprobs: 2 };
  const whole = await client.chat.completions.create(body);
  const streamed = await client.chat.completions.stream(body).finalChatCompletion();
  const { content } = whole.choices[0].logprobs;
  assert.deepEqual(streamed.choices[0].logprobs.content, content);
  assert.equal(new TextDecoder().decode(Uint8Array.from(content.flatMap((t) => t.bytes))), "Grüße");
  assert.ok(content.every((t) => t.logprob <= 0 && t.top_logprobs.length === 2));
});

test("tools are called, whole and in a stream", async () => {
  const body = { model, messages: user(calls), tools };
  const want = [["weather", { city: "Paris }" }], ["weather", { city: "Oslo" }]];
  for (const answer of [await client.chat.completions.create(body), await client.chat.completions.stream(body).finalChatCompletion()]) {
    const [{ message, finish_reason }] = answer.choices;
    assert.equal(finish_reason, "tool_calls");
    assert.equal(message.content, "Let me see.");
    assert.deepEqual(message.tool_calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]), want);
    assert.equal(new Set(message.tool_calls.map((c) => c.id)).size, 2);
  }
});

test("the client's own loop over tools ends with an answer", async () => {
  const seen = [];
  const runner = client.chat.completions.runTools({
    model,
    stream: true,
    messages: user(calls),
    tools: [{ type: "function", function: { name: "weather", parameters: city, parse: JSON.parse, function: (args) => (seen.push(args.city), `say it rains in ${args.city}`) } }],
  });
  assert.equal(await runner.finalContent(), "you said: <tool_response>\nsay it rains in Paris }\n</tool_response>\n<tool_response>\nsay it rains in Oslo\n</tool_response>");
  assert.deepEqual(seen, ["Paris }", "Oslo"]);
});

test("a call that is demanded is made", async () => {
  for (const tool_choice of ["required", { type: "function", function: { name: "weather" } }]) {
    const final = await client.chat.completions.stream({ model, messages: user("go"), tools, tool_choice }).finalChatCompletion();
    assert.deepEqual(JSON.parse(final.choices[0].message.tool_calls[0].function.arguments), { city: "é" });
    assert.equal(final.choices[0].finish_reason, "tool_calls");
  }
});

test("a schema is followed", async () => {
  const response_format = { type: "json_schema", json_schema: { name: "x", strict: true, schema: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } } };
  const parsed = await client.chat.completions.parse({ model, messages: user("go"), response_format });
  assert.equal(parsed.choices[0].message.content, '{"a":1}');
  const bad = await failure(client.chat.completions.create({ model, messages: user("refuse grammar"), response_format }));
  assert.ok(bad instanceof OpenAI.BadRequestError);
  assert.equal(bad.param, "response_format");
});

test("errors before a stream have a status, in a stream they are thrown", async () => {
  const ask = (content, more) => client.chat.completions.create({ model, messages: user(content), stream: true, ...more });
  let err = await failure(ask("hi", { model: "gpt-9" }));
  assert.ok(err instanceof OpenAI.NotFoundError);
  assert.equal(err.code, "model_not_found");
  err = await failure(ask("say " + "x".repeat(9000)));
  assert.ok(err instanceof OpenAI.BadRequestError);
  assert.equal(err.code, "context_length_exceeded");
  err = await failure(ask("hi", { stop: ["1", "2", "3", "4", "5"] }));
  assert.equal(err.param, "stop");
  if (!paid) {
    err = await failure(ask("refuse price"));
    assert.equal(err.status, 402);
  }
  err = await failure(ask("refuse overloaded"));
  assert.equal(err.status, 503);
  assert.equal(err.headers.get("retry-after"), served.retry);

  const stream = await ask("break 2 gone one two three");
  let text = "";
  err = await failure((async () => {
    for await (const c of stream) text += c.choices[0].delta.content ?? "";
  })());
  assert.equal(text, "one two ");
  assert.ok(err instanceof OpenAI.APIError);
  assert.equal(err.code, "engine_gone");
});

test("a stream that is left ends", async () => {
  const stream = await client.chat.completions.create({ model, messages: user("forever"), stream: true });
  let n = 0;
  for await (const _ of stream) if (++n === 5) break;
  assert.ok(stream.controller.signal.aborted);
});

test("completions are answered", async () => {
  const whole = await client.completions.create({ model, prompt: ["say one", "say two"], n: 2, logprobs: 1 });
  assert.deepEqual(whole.choices.map((c) => c.text), ["one", choice("one", 1), "two", choice("two", 1)]);
  assert.deepEqual(whole.choices[0].logprobs.tokens, ["one"]);
  let text = "";
  for await (const c of await client.completions.create({ model, prompt: "say one two", stream: true })) text += c.choices[0].text;
  assert.equal(text, "one two");
});

test("embeddings are had as numbers, however they travel", async () => {
  for (const encoding_format of [undefined, "float"]) {
    const got = await client.embeddings.create({ model, input: ["one", "three"], encoding_format });
    assert.equal(got.data.length, 2);
    at([...got.data[0].embedding], 3);
    at([...got.data[1].embedding], 5);
  }
});

test("a response is answered, whole and in a stream", async () => {
  const body = { model, instructions: "be kind", input: [{ role: "user", content: [{ type: "input_text", text: "say Grüße, 世界" }] }] };
  const whole = await client.responses.create(body);
  assert.equal(whole.output_text, "Grüße, 世界");
  assert.equal(whole.status, "completed");
  const types = [];
  const stream = client.responses.stream(body).on("event", (e) => types.push([e.sequence_number, e.type]));
  const final = await stream.finalResponse();
  assert.equal(final.output_text, "Grüße, 世界");
  assert.deepEqual(final.usage, whole.usage);
  assert.deepEqual(types.map(([n]) => n), types.map((_, i) => i));
  assert.deepEqual([...new Set(types.map(([, t]) => t))], [
    "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
    "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
  ]);
});

test("a response calls tools; those of unknown kinds are skipped; what they say goes in again", async () => {
  const body = { model, input: calls, tools: [{ type: "web_search" }, { type: "custom", name: "patch" }, { type: "function", name: "weather", parameters: city, strict: true }] };
  for (const r of [await client.responses.create(body), await client.responses.stream(body).finalResponse()]) {
    assert.deepEqual(r.output.map((o) => o.type), ["message", "function_call", "function_call"]);
    assert.deepEqual(JSON.parse(r.output[1].arguments), { city: "Paris }" });
    const next = await client.responses.create({ model, input: [{ role: "user", content: "x" }, ...r.output, { type: "function_call_output", call_id: r.output[1].call_id, output: "rain" }] });
    assert.equal(next.output_text, "you said: <tool_response>\nrain\n</tool_response>");
  }
});

test("a response that is cut off is incomplete", async () => {
  const r = await client.responses.stream({ model, input: "say one two three", max_output_tokens: 1 }).finalResponse();
  assert.equal(r.status, "incomplete");
  assert.equal(r.incomplete_details.reason, "max_output_tokens");
  assert.equal(r.output_text, "one ");
});

test("a response that fails in its stream is thrown", async () => {
  const err = await failure((async () => {
    for await (const _ of await client.responses.create({ model, input: "break 1 overloaded one two", stream: true }));
  })());
  assert.ok(err instanceof OpenAI.APIError);
  assert.equal(err.code, paid ? "engine_gone" : "overloaded");
});
