// Where the API is, and a tool that tests offer.
import assert from "node:assert/strict";

export const url = process.env.LODE_API;
assert.ok(url, "set LODE_API to where the API is served");
export const key = process.env.LODE_KEY ?? "none";

/** Whether miners answer, who are paid: LODE_PAID is what they take, in rao for a million tokens. */
export const paid = Number(process.env.LODE_PAID ?? 0);

/** What differs between an API that answers by itself, and one whose answers miners make. */
export const served = paid
  ? { created: "2026-11-26T00:00:00Z", price: { input: paid / 4, output: paid }, retry: "1" }
  : { created: "2023-11-14T22:13:20Z", price: { input: 20000, output: 60000 }, retry: "2" };

/** @returns the text of a choice. To miners each choice is a request of its own. */
export const choice = (text, index) => (paid ? text : text + "!".repeat(index));

/** Checks the place of a text of so many letters. Miners' have a length of 1. */
export function at(vector, letters) {
  const want = [letters, 0.5, -0.25];
  const length = paid ? Math.hypot(...want) : 1;
  assert.equal(vector.length, want.length);
  want.forEach((x, i) => assert.ok(Math.abs(vector[i] - x / length) < 1e-6, `${vector} for ${letters} letters`));
}

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
