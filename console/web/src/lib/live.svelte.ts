// The newest block, as it comes. Browsers allow a host six connections, so of all tabs one
// reads the stream, and tells the others.
import type { Status, StreamBlock } from "./types.ts";
import { get } from "./api.ts";

/** A node may be a few blocks behind another; no chain goes back. */
const beganAnew = (height: number, before: number) => height + 20 < before;

type Told = { block: StreamBlock } | { connected: boolean };

class Live {
  height = $state(0);
  time = $state("");
  /** Whether the console answers. */
  connected = $state(true);
  status = $state.raw<Status | undefined>();
  /** Milliseconds by the console's clock, once a second: what "ago" counts from. */
  now = $state(Date.now());
  /** Rises where lists must be read anew. */
  generation = $state(0);

  #channel: BroadcastChannel | undefined;
  /** How far the console's clock is ahead of this machine's, in milliseconds. */
  #ahead = 0;

  start(): void {
    setInterval(() => (this.now = Date.now() + this.#ahead), 1000);
    void this.#look();
    setInterval(() => void this.#look(), 10_000);
    addEventListener("online", () => void this.#look());
    if (!("BroadcastChannel" in globalThis) || !navigator.locks) {
      this.#lead();
      return;
    }
    this.#channel = new BroadcastChannel("lode-live");
    this.#channel.onmessage = ({ data }: MessageEvent<Told>) => this.#hear(data);
    // whoever has the lock reads; when its tab closes, the next one does
    void navigator.locks.request("lode-live", () => {
      this.#lead();
      return new Promise(() => {});
    });
  }

  async #look(): Promise<void> {
    try {
      const status = await get<Status>("/v1/status");
      const back = !this.connected;
      if (status.time && status.age_seconds !== null) this.#ahead = Date.parse(status.time) + status.age_seconds * 1000 - Date.now();
      this.now = Date.now() + this.#ahead;
      // another chain, or one that began anew: nothing that is shown is of it
      if (this.status && (this.status.chain_id !== status.chain_id || beganAnew(status.height, this.height))) {
        this.height = 0;
        this.generation++;
      }
      this.status = status;
      this.connected = true;
      if (status.height > this.height && status.time) this.#block({ height: status.height, time: status.time, transactions: null, epochs: [], missed: true });
      if (back) this.generation++;
    } catch {
      this.connected = false;
    }
  }

  #lead(): void {
    const source = new EventSource("/v1/stream");
    source.addEventListener("block", (event: MessageEvent<string>) => this.#tell({ block: JSON.parse(event.data) as StreamBlock }));
    source.onopen = () => this.#tell({ connected: true });
    source.onerror = () => {
      void this.#look();
      // a stream that the server refused does not come back by itself
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#lead(), 5000);
    };
  }

  #tell(told: Told): void {
    this.#channel?.postMessage(told);
    this.#hear(told);
  }

  #hear(told: Told): void {
    if ("block" in told) this.#block(told.block);
    else if (told.connected && !this.connected) void this.#look();
  }

  #block({ height, time, missed }: StreamBlock): void {
    const before = this.height;
    if (height <= before && !(missed && beganAnew(height, before))) return;
    this.height = height;
    this.time = time;
    this.connected = true;
    // what was read at the start is not read again for the first block that is told
    if (before > 0 && height !== before + 1) this.generation++;
  }
}

export const live = new Live();
