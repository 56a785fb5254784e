// npm's ai, with @ai-sdk/openai-compatible and @ai-sdk/open-responses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenResponses } from "@ai-sdk/open-responses";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embed, generateText, jsonSchema, Output, isStepCount, streamText, tool } from "ai";
import { at, calls, city, failure, key, model, url } from "./at.mjs";

const compatible = createOpenAICompatible({ name: "lode", apiKey: key, baseURL: `${url}/v1`, includeUsage: true, supportsStructuredOutputs: true });
const responses = createOpenResponses({ name: "lode", apiKey: key, url: `${url}/v1/responses` });
const weather = (seen) => tool({ description: "tells it", inputSchema: jsonSchema(city), execute: async ({ city }) => (seen.push(city), "rain") });

for (const [name, provider] of [["openai-compatible", compatible(model)], ["open-responses", responses(model)]]) {
  const base = { model: provider, maxRetries: 0 };

  test(`${name}: text is had, whole and in a stream`, async () => {
    const whole = await generateText({ ...base, system: "be kind", prompt: "say Grüße, 世界" });
    assert.equal(whole.text, "Grüße, 世界");
    assert.equal(whole.finishReason, "stop");
    const streamed = streamText({ ...base, system: "be kind", prompt: "say Grüße, 世界" });
    assert.equal(await streamed.text, "Grüße, 世界");
    assert.equal(await streamed.finishReason, "stop");
    const usage = await streamed.usage;
    assert.deepEqual([usage.inputTokens, usage.outputTokens], [whole.usage.inputTokens, whole.usage.outputTokens]);
    assert.equal(usage.outputTokens, 4);
  });

  test(`${name}: what is cut off is told`, async () => {
    assert.equal((await generateText({ ...base, prompt: "say one two three", maxOutputTokens: 1 })).finishReason, "length");
    assert.equal(await streamText({ ...base, prompt: "say one two three", maxOutputTokens: 1 }).finishReason, "length");
  });

  test(`${name}: tools are called, and their results go in again`, async () => {
    for (const run of [generateText, streamText]) {
      const seen = [];
      const result = await run({ ...base, prompt: calls, tools: { weather: weather(seen) }, stopWhen: isStepCount(2) });
      assert.equal(await result.text, "you said: <tool_response>\nrain\n</tool_response>\n<tool_response>\nrain\n</tool_response>");
      assert.deepEqual(seen, ["Paris }", "Oslo"]);
      assert.equal((await result.steps)[0].finishReason, "tool-calls");
    }
  });

  test(`${name}: a schema is followed`, async () => {
    const { output } = await generateText({ ...base, prompt: "go", output: Output.object({ schema: jsonSchema({ type: "object", properties: { a: { type: "integer" } }, required: ["a"], additionalProperties: false }) }) });
    assert.deepEqual(output, { a: 1 });
  });

  test(`${name}: errors are told`, async () => {
    const err = await failure(generateText({ ...base, prompt: "say " + "x".repeat(9000) }));
    assert.equal(err.statusCode, 400);
    assert.match(err.message, /prompt (is too long|has \d+ tokens)/);
    assert.ok(!err.isRetryable);
    assert.ok((await failure(generateText({ ...base, prompt: "refuse overloaded" }))).isRetryable);
    const errors = [];
    const broken = streamText({ ...base, prompt: "break 2 gone one two three", onError: ({ error }) => errors.push(error) });
    let text = "";
    for await (const part of broken.stream) if (part.type === "text-delta") text += part.text;
    assert.equal(text, "one two ");
    assert.ok(errors.length > 0);
    assert.match(JSON.stringify(errors[0].message ?? errors[0]), /the miner (has )?stopped/);
  });

  test(`${name}: a stream that is left ends`, async () => {
    const abort = new AbortController();
    const stream = streamText({ ...base, prompt: "forever", abortSignal: abort.signal });
    let n = 0;
    for await (const _ of stream.textStream) if (++n === 5) abort.abort();
    assert.ok(n >= 5);
  });
}

test("embeddings are had", async () => {
  const { embedding } = await embed({ model: compatible.embeddingModel(model), value: "three", maxRetries: 0 });
  at(embedding, 5);
});
