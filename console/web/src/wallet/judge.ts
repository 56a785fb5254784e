// How well recipients are known: whether anything was sent there before, and whether an
// address only looks like a known one.
import { get } from "../lib/api.ts";
import type { TransactionList } from "../lib/types.ts";
import { wallet } from "./client.svelte.ts";
import type { Reviewed } from "./explain.ts";
import { names } from "./names.svelte.ts";
import { lookAlike } from "./similar.ts";

/** By address. before: undefined where only this browser could be asked. */
export type Known = Record<string, { before: boolean | undefined; like?: string }>;

const STORE = "lode-sent";

function sentTo(): string[] {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "[]") as unknown;
    return Array.isArray(kept) ? (kept as string[]) : [];
  } catch {
    return [];
  }
}

const recipients = ({ messages }: Reviewed) => [...new Set(messages.flatMap((m) => m.recipients))];

/** Remembers whom something was sent to. */
export function remember(shown: Reviewed): void {
  try {
    localStorage.setItem(STORE, JSON.stringify([...new Set([...sentTo(), ...recipients(shown)])].slice(-500)));
  } catch {
    // it will be asked of the index again
  }
}

/** Tells what is known of each recipient that isn't the wallet's own, as it becomes known. */
export async function judge(shown: Reviewed, tell: (known: Known) => void): Promise<void> {
  const me = shown.signers[0]?.address ?? "";
  const history = sentTo();
  const familiar = new Set([...Object.keys(names.own), ...Object.keys(names.book), ...history]);
  let known: Known = {};
  for (const address of recipients(shown).filter((a) => !wallet.key(a))) {
    let before: boolean | undefined = history.includes(address) || undefined;
    const like = lookAlike(address, familiar);
    tell((known = { ...known, [address]: { before, like } }));
    if (before !== undefined) continue;
    try {
      const list = await get<TransactionList>(`/v1/accounts/${address}/transactions?limit=200`);
      before = list.items.some((t) => t.ok && t.signers.includes(me));
    } catch {
      // without an index only this browser remembers
    }
    tell((known = { ...known, [address]: { before, like } }));
  }
}
