// Where the API is, and a tool that tests offer.
import assert from "node:assert/strict";

export const url = process.env.LODE_API;
assert.ok(url, "set LODE_API to where the API is served");

export const model = "lode/mini";
export const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };

/** What the model without a mind says when it is to call the tool twice. */
export const calls =
  'say Let me see. <tool_call>\n{"name": "weather", "arguments": {"city": "Paris }"}}\n</tool_call>\n<tool_call>{"name":"weather","arguments":{"city":"Oslo"}}</tool_call>';

/** @returns what a promise is rejected with. */
export async function failure(promise) {
  try {
    await promise;
  } catch (err) {
    return err;
  }
  assert.fail("it was not refused");
}
