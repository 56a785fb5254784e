// Names that a person gave to addresses: of its own keys, and of the address book. Both
// stay in this browser.

const STORE = "lode-book";

function load(): Record<string, string> {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) ?? "{}") as unknown;
    if (typeof kept !== "object" || kept === null) return {};
    return Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return {};
  }
}

class Names {
  book = $state<Record<string, string>>(load());
  own = $state.raw<Record<string, string>>({});

  of(address: string): string | undefined {
    return this.own[address] ?? this.book[address];
  }

  constructor() {
    // another tab has changed it
    addEventListener("storage", ({ key }) => {
      if (key === STORE || key === null) this.book = load();
    });
  }

  set(address: string, name: string): void {
    if (name) this.book[address] = name;
    else delete this.book[address];
    try {
      localStorage.setItem(STORE, JSON.stringify(this.book));
    } catch {
      throw new Error("The browser keeps nothing for this page: the address book lasts until it is closed.");
    }
  }
}

export const names = new Names();
