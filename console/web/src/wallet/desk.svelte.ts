// The transaction that an account of several keys is about to send, and the signatures that
// are there already. Neither is secret; both stay in this browser until it is sent.

const STORE = "lode-desk";

function load(): { tx: string; parts: string[] } {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "{}") as { tx?: unknown; parts?: unknown };
    return { tx: typeof kept.tx === "string" ? kept.tx : "", parts: Array.isArray(kept.parts) ? kept.parts.filter((p) => typeof p === "string") : [] };
  } catch {
    return { tx: "", parts: [] };
  }
}

class Desk {
  #now = $state.raw(load());

  constructor() {
    // another tab has put something there, or away
    addEventListener("storage", ({ key }) => {
      if (key === STORE || key === null) this.#now = load();
    });
  }

  /** As a file has it; empty: there is none. */
  get tx(): string {
    return this.#now.tx;
  }

  /** As files have them. */
  get parts(): string[] {
    return this.#now.parts;
  }

  put(tx: string): void {
    this.#keep({ tx, parts: [] });
  }

  add(part: string): void {
    if (!this.parts.includes(part)) this.#keep({ tx: this.tx, parts: [...this.parts, part].slice(-20) });
  }

  #keep(now: { tx: string; parts: string[] }): void {
    this.#now = now;
    try {
      localStorage.setItem(STORE, JSON.stringify(now));
    } catch {
      // it holds for this visit
    }
  }
}

export const desk = new Desk();
