// What a page shows of the API: read when the page opens, and again as blocks come.
import { untrack } from "svelte";
import { ApiError, get } from "./api.ts";
import { live } from "./live.svelte.ts";

export interface QueryOptions {
  /** Seconds between two readings, at least; 0: it is read once. */
  every?: number;
  /** While it says so nothing is read anew: what a hand is moving stays as it is, and moves evenly. */
  hold?: () => boolean;
}

/** To be made while a component is set up. Keeps what it had while it reads, and where reading fails. */
export class Query<T> {
  data = $state.raw<T | undefined>();
  error = $state.raw<ApiError | undefined>();
  loading = $state(true);
  #path;
  #read = 0;
  #generation = 0; // of live, when it was read
  #abort: AbortController | undefined;

  constructor(path: () => string | undefined, { every = 6, hold = () => false }: QueryOptions = {}) {
    this.#path = path;
    $effect(() => {
      const now = path();
      untrack(() => {
        this.data = undefined;
        this.error = undefined;
        if (now !== undefined) void this.refresh();
      });
      return () => this.#abort?.abort();
    });
    $effect(() => {
      // an answer on its way would come in the middle of it
      if (hold() && untrack(() => this.data !== undefined && this.loading)) {
        this.#abort?.abort();
        this.#read = 0;
      }
    });
    if (every > 0) {
      $effect(() => {
        void live.height;
        const { generation } = live;
        untrack(() => {
          if (path() !== undefined && !document.hidden && !hold() && (generation !== this.#generation || performance.now() - this.#read > every * 1000)) void this.refresh();
        });
      });
    }
  }

  refresh = async (): Promise<void> => {
    const path = this.#path();
    if (path === undefined) return;
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.#read = performance.now();
    this.#generation = live.generation;
    this.loading = true;
    try {
      const data = await get<T>(path, abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.error = undefined;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError("error", String(error));
    } finally {
      if (!abort.signal.aborted) this.loading = false;
    }
  };
}

/** A list that comes in pages. */
export class Pages<T> {
  items = $state.raw<T[]>([]);
  next = $state("");
  height = $state(0);
  time = $state("");
  error = $state.raw<ApiError | undefined>();
  loading = $state(true);
  loaded = $state(false);
  #path;
  #turn = 0;
  #read = 0;
  #generation = 0;
  #pages = 0;

  constructor(path: () => string | undefined, { every = 6 }: QueryOptions = {}) {
    this.#path = path;
    $effect(() => {
      const now = path();
      untrack(() => {
        this.items = [];
        this.loaded = false;
        if (now !== undefined) void this.refresh();
      });
    });
    if (every > 0) {
      $effect(() => {
        void live.height;
        const { generation } = live;
        // who has gone on to older pages is not thrown back
        untrack(() => {
          if (this.#pages <= 1 && path() !== undefined && !document.hidden && (generation !== this.#generation || performance.now() - this.#read > every * 1000)) void this.refresh();
        });
      });
    }
  }

  refresh = async (): Promise<void> => this.#load("");
  more = async (): Promise<void> => this.#load(this.next);

  async #load(after: string): Promise<void> {
    const path = this.#path();
    if (path === undefined) return;
    const turn = ++this.#turn;
    this.#read = performance.now();
    this.#generation = live.generation;
    this.loading = true;
    try {
      const read = (from: string) => get<{ items: T[]; next: string; height: number; time: string }>(path + (from ? (path.includes("?") ? "&" : "?") + "after=" + encodeURIComponent(from) : ""));
      let page = await read(after);
      // a page may have nothing of the list, and still a next
      while (page.items.length === 0 && page.next && turn === this.#turn) page = await read(page.next);
      if (turn !== this.#turn) return;
      this.items = after ? [...this.items, ...page.items] : page.items;
      this.#pages = after ? this.#pages + 1 : 1;
      this.next = page.next;
      this.height = page.height;
      this.time = page.time;
      this.error = undefined;
      this.loaded = true;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.error = error instanceof ApiError ? error : new ApiError("error", String(error));
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }
}
