// Transactions that were sent and of which it is not known yet what became of them. Their
// bytes are kept, so that the same can be sent again, also after the page was closed.
import { ApiError } from "../lib/api.ts";

export interface Pending {
  hash: string;
  tx: string; // base64
  title: string;
  timeoutHeight: string;
  sent: number; // milliseconds since 1970
}

const STORE = "lode-pending";

function isPending(p: unknown): p is Pending {
  const kept = (typeof p === "object" ? p : undefined) as Partial<Record<keyof Pending, unknown>> | undefined;
  return typeof kept?.hash === "string" && typeof kept.tx === "string" && typeof kept.title === "string" && typeof kept.timeoutHeight === "string" && typeof kept.sent === "number";
}

export function pending(): Pending[] {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "[]") as unknown;
    return Array.isArray(kept) ? kept.filter(isPending) : [];
  } catch {
    return [];
  }
}

function store(list: Pending[]): void {
  try {
    localStorage.setItem(STORE, JSON.stringify(list.slice(-20)));
  } catch {
    // without storage the transaction's page has to do
  }
}

export const keep = (one: Pending): void => store([...pending().filter((p) => p.hash !== one.hash), one]);

export const settled = (hash: string): void => store(pending().filter((p) => p.hash !== hash));

const UNKNOWN = ["tx_unknown", "timeout", "offline"];

/**
 * Whether it may be in a block, or come into one, though sending it failed: also where the
 * answer broke off, or is a proxy's and not the console's.
 */
export const isUnknown = (error: unknown): boolean => !(error instanceof ApiError) || UNKNOWN.includes(error.code) || (error.code === "error" && error.status >= 500);

/** The same of what was sent before: that nothing was sent this time says nothing of the first. Only the chain's own verdict (422) does. */
export const isStillUnknown = (error: unknown): boolean => !(error instanceof ApiError) || error.status !== 422;
