// The one transaction that is being reviewed. A form proposes; the review shows, signs and sends.
import type { Broadcast, Quote } from "../lib/types.ts";
import type { Intent } from "./tx.ts";

export interface Proposal {
  title: string;
  intents: Intent[];
  memo?: string;
  /** The last block that may take it, where that is not the usual one. */
  timeoutHeight?: bigint;
  /** The trade that it makes, as it was quoted. */
  quote?: Quote;
  resolve: (result: Broadcast | undefined) => void;
}

class Proposals {
  current = $state.raw<Proposal | undefined>();

  /** Opens the review, if none is open: who presses twice means one. Undefined: nothing was sent. */
  propose(title: string, intents: Intent[], options: { memo?: string; quote?: Quote; timeoutHeight?: bigint } = {}): Promise<Broadcast | undefined> {
    if (this.current) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.current = { title, intents, ...options, resolve };
    });
  }

  close(result?: Broadcast): void {
    const { current } = this;
    this.current = undefined;
    current?.resolve(result);
  }
}

export const proposals = new Proposals();
