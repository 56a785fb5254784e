// What a node says of a transaction that it refuses, cut down to the reason.

// what stands before it: who asked, and which message of how many
const PREFIX = /^(?:Query failed with \(\d+\): |rpc error: code = \w+ desc = |failed to simulate tx: )/;
const INDEX = /failed to execute message; message index: \d+: /g;
// a message that was sent for another is written out whole, its bytes as they are
const DUMP = /failed to execute message; message (?:[a-z_]+:(?:"(?:[^"\\]|\\.)*"|[\w.+-]+) +)+: /g;
// what stands behind it: where in the node's source it is, and what was used until then
const SUFFIX = /(?:(?:^| )\[[^\]\s]+\.go:\d+\])? ?with gas used: '\d+'(?:: [a-z ]+)?$/;

// around two addresses, written as raw bytes, where a fee granter does not pay
const NOT_GRANTED = "does not allow to pay fees for";
/** @type {[string, string][]} */
const MEANINGS = [
  ["not found", "it allows none"],
  ["expired", "its allowance has expired"],
  ["limit exceeded", "its allowance is used up"],
  ["not allowed", "its allowance is not for this message"],
];

/** @param {string} text */
export function reasonOf(text) {
  let reason = text.trim();
  for (let was = ""; was !== reason; ) reason = (was = reason).replace(PREFIX, "");
  return reason.replace(INDEX, "").replace(DUMP, "").replace(SUFFIX, "").trim() || "the node gives no reason";
}

/**
 * Why a fee granter does not pay, if that is what a node says.
 *
 * @param {string} text
 */
export function feesRefused(text) {
  const at = text.indexOf(NOT_GRANTED);
  if (at < 0) return undefined;
  return MEANINGS.find(([words]) => text.includes(words, at))?.[1] ?? "it refuses";
}
