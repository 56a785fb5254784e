// How the votes on a proposal stand.
import type { Proposal, ProposalRules } from "../../lib/types.ts";

export const STATUS = { deposit: "needs its deposit", voting: "open", passed: "accepted", rejected: "rejected", failed: "accepted, but it failed" } as const;
export const OPTIONS = { yes: "Yes", no: "No", veto: "No, with veto", abstain: "Abstain" } as const;
export type Option = keyof typeof OPTIONS;

export interface Standing {
  /** TAO that has voted, in rao. */
  voted: bigint;
  /** Of all that is bonded now. */
  turnout: number;
  /** Of what has not abstained. */
  yes: number;
  /** Of all that has voted. */
  part: Record<Option, number>;
  /** What would come of it if voting ended now. */
  would: "fail for want of votes" | "be vetoed" | "be accepted" | "be rejected";
}

const of = (part: bigint, whole: bigint): number => (whole === 0n ? 0 : Number((part * 1_000_000_000n) / whole) / 1e9);

/** As the SDK's x/gov counts: quorum of what is bonded, veto of what has voted, yes of what has not abstained. */
export function standing({ tally, expedited }: Proposal, rules: ProposalRules): Standing {
  const [yes, no, veto, abstain] = [BigInt(tally.yes_rao), BigInt(tally.no_rao), BigInt(tally.veto_rao), BigInt(tally.abstain_rao)];
  const voted = yes + no + veto + abstain;
  const s = {
    voted,
    turnout: of(voted, BigInt(rules.bonded_rao)),
    yes: of(yes, voted - abstain),
    part: { yes: of(yes, voted), no: of(no, voted), veto: of(veto, voted), abstain: of(abstain, voted) },
  };
  const would =
    s.turnout < rules.quorum || voted === 0n ? "fail for want of votes" : voted === abstain ? "be rejected" : s.part.veto > rules.veto_threshold ? "be vetoed" : s.yes > (expedited ? rules.expedited_threshold : rules.threshold) ? "be accepted" : "be rejected";
  return { ...s, would };
}
