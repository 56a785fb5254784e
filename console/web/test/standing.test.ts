import assert from "node:assert/strict";
import { test } from "node:test";
import type { Proposal, ProposalRules } from "../src/lib/types.ts";
import { standing } from "../src/pages/explorer/standing.ts";

const rules = { bonded_rao: "1000", quorum: 0.334, threshold: 0.5, expedited_threshold: 0.667, veto_threshold: 0.334 } as ProposalRules;
const votes = (yes: number, no: number, veto: number, abstain: number, expedited = false) =>
  standing({ expedited, tally: { yes_rao: String(yes), no_rao: String(no), veto_rao: String(veto), abstain_rao: String(abstain) } } as Proposal, rules);

test("votes are counted as the chain's x/gov counts them", () => {
  assert.equal(votes(0, 0, 0, 0).would, "fail for want of votes");
  assert.equal(votes(333, 0, 0, 0).would, "fail for want of votes");
  assert.equal(votes(334, 0, 0, 0).would, "be accepted");
  assert.equal(votes(0, 0, 0, 334).would, "be rejected"); // all abstain
  assert.equal(votes(200, 200, 0, 0).would, "be rejected"); // half is not over half
  assert.equal(votes(201, 200, 0, 0).would, "be accepted");
  assert.equal(votes(101, 100, 0, 200).would, "be accepted"); // who abstains counts for the quorum alone
  assert.equal(votes(600, 0, 301, 0).would, "be vetoed"); // 301 of 901 are over 0.334
  assert.equal(votes(600, 0, 300, 0).would, "be accepted");
  assert.equal(votes(660, 340, 0, 0, true).would, "be rejected");
  assert.equal(votes(668, 332, 0, 0, true).would, "be accepted");
});

test("parts are of what has voted, turnout of what is bonded", () => {
  const s = votes(300, 100, 50, 50);
  assert.deepEqual([s.voted, s.turnout, s.part.yes, s.part.abstain], [500n, 0.5, 0.6, 0.1]);
  assert.ok(Math.abs(s.yes - 300 / 450) < 1e-8);
});
