// The wallet as the page sees it: which keys there are, whether it is open, and the line to
// the worker that has them.
import type { KeplrKey } from "./keplr.ts";
import { names } from "./names.svelte.ts";
import type { Call, Calls, Reply, WalletState } from "./protocol.ts";
import type { KeyInfo } from "./vault.ts";
import workerUrl from "./worker.ts?worker&url";

export class WalletError extends Error {
  constructor(
    message: string,
    readonly wrongPassword = false,
  ) {
    super(message);
  }
}

interface Policy {
  createScriptURL(url: string): string;
}
const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes;
// the one address that may become a worker of this page
const policy: Policy = factory?.createPolicy("lode-worker", {
  createScriptURL(url) {
    if (url !== workerUrl) throw new TypeError("no worker but the wallet's");
    return url;
  },
}) ?? { createScriptURL: (url) => url };

function stored(key: string): string {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

const LOCK_AFTER = "lode-lock-after";

class Wallet {
  state = $state.raw<WalletState | undefined>();
  failed = $state("");
  /** A key of the Keplr extension, while it is connected. */
  keplr = $state.raw<KeplrKey | undefined>();
  #chosen = $state(stored("lode-account"));
  #worker: Worker | undefined;
  #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 1;
  #tabs: BroadcastChannel | undefined;
  #touched = 0;

  /** Starts the worker, once. */
  start(): void {
    if (this.#worker) return;
    this.#worker = new Worker(policy.createScriptURL(workerUrl), { type: "module", name: "lode-wallet" });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#hear(data);
    this.#worker.onerror = () => {
      this.failed = "The wallet's worker did not start. See that lode runs, and read the page anew.";
      for (const { reject } of this.#waiting.values()) reject(new WalletError(this.failed));
      this.#waiting.clear();
    };
    if ("BroadcastChannel" in globalThis) {
      this.#tabs = new BroadcastChannel("lode-wallet");
      this.#tabs.onmessage = ({ data }: MessageEvent<Call>) => void (data === "lock" ? this.call("lock") : data === "setLockAfter" ? this.#recall() : Promise.resolve()).then(() => this.refresh());
    }
    const touch = () => {
      if (!this.state?.unlocked || Date.now() - this.#touched < 10_000) return;
      this.#touched = Date.now();
      void this.call("touch");
    };
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, touch, { passive: true });
    void this.#recall();
    void this.refresh();
  }

  /** Takes up after how many seconds without use it locks, as it was chosen in this browser. */
  async #recall(): Promise<void> {
    const seconds = Number(stored(LOCK_AFTER));
    if (seconds >= 30 && seconds <= 86_400) await this.call("setLockAfter", seconds);
  }

  async setLockAfter(seconds: number): Promise<void> {
    try {
      localStorage.setItem(LOCK_AFTER, String(seconds));
    } catch {
      // it holds for this visit
    }
    await this.change("setLockAfter", seconds);
  }

  #hear(reply: Reply): void {
    if ("locked" in reply) {
      void this.refresh();
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (!waiting) return;
    if ("error" in reply) waiting.reject(new WalletError(reply.error, reply.wrongPassword));
    else waiting.resolve(reply.result as never);
  }

  call<C extends Call>(call: C, ...args: Calls[C]["args"]): Promise<Calls[C]["result"]> {
    this.start();
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      this.#worker?.postMessage({ id, call, args });
    });
  }

  async refresh(): Promise<void> {
    try {
      this.state = await this.call("state");
      names.own = Object.fromEntries(this.state.keys.map((k) => [k.address, k.name]));
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
    }
  }

  /** A call that changes what there is. */
  async change<C extends Call>(call: C, ...args: Calls[C]["args"]): Promise<Calls[C]["result"]> {
    try {
      return await this.call(call, ...args);
    } finally {
      await this.refresh();
      this.#tabs?.postMessage(call); // who locks the wallet means it, not one tab of it
    }
  }

  get keys(): KeyInfo[] {
    return this.state?.keys ?? [];
  }

  get coldkeys(): KeyInfo[] {
    return this.keys.filter((k) => k.role === "coldkey");
  }

  get hotkeys(): KeyInfo[] {
    return this.keys.filter((k) => k.role === "hotkey");
  }

  /** The account that the wallet shows: of this browser or Keplr's. */
  get address(): string {
    if (this.keplr && this.#chosen === this.keplr.address) return this.#chosen;
    const own = this.keys.find((k) => k.address === this.#chosen) ?? this.coldkeys[0] ?? this.keys[0];
    return own?.address ?? this.keplr?.address ?? "";
  }

  choose(address: string): void {
    this.#chosen = address;
    try {
      localStorage.setItem("lode-account", address);
    } catch {
      // it holds for this visit
    }
  }

  /** Another account was chosen in Keplr: if its former one is shown, it is shown instead. */
  keplrChanged(key: KeplrKey | undefined): void {
    const shown = this.keplr?.address === this.address;
    this.keplr = key;
    if (shown && key) this.choose(key.address);
  }

  key(address: string): KeyInfo | undefined {
    return this.keys.find((k) => k.address === address);
  }

  /** Whether a transaction of it can be written here: its key is here, or it is known which keys sign. */
  canPropose(address: string): boolean {
    return this.canSign(address) || this.key(address)?.several !== undefined;
  }

  canSign(address: string): boolean {
    if (this.keplr?.address === address) return true;
    const key = this.key(address);
    return key !== undefined && !key.watch;
  }
}

export const wallet = new Wallet();
