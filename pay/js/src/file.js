// The store of programs that run on Node: one JSON file.
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { PaymentError } from "./error.js";

/** @typedef {import("./store.js").Store} Store */

/** @type {Set<string>} locks that this process holds */
const held = new Set();

process.on("exit", () => {
  for (const lock of held) rmSync(lock, { force: true });
});

/**
 * Keeps everything in a file that its owner alone can read. A second process that opens
 * the same file is refused: two that sign for one channel would spend the same money.
 *
 * @implements {Store}
 */
export class FileStore {
  #path;
  #lock;

  /** @param {string} path its folder is made if it is missing */
  constructor(path) {
    this.#path = resolve(path);
    this.#lock = this.#path + ".lock";
  }

  async read() {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await this.#acquire();
    try {
      const { mode } = await stat(this.#path);
      if (process.platform !== "win32" && (mode & 0o077) !== 0) {
        throw new PaymentError("store", `others can read ${this.#path}, and with it spend its deposits: chmod 600 it`);
      }
      return await readFile(this.#path, "utf8");
    } catch (error) {
      if (isCode(error, "ENOENT")) return undefined;
      await this.close();
      throw error;
    }
  }

  /** @param {string} text */
  async write(text) {
    if (!held.has(this.#lock)) throw new PaymentError("store", `${this.#path} was not opened, or was closed`);
    const next = `${this.#path}.${randomUUID()}`;
    const file = await open(next, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, this.#path);
  }

  async close() {
    if (held.delete(this.#lock)) await unlink(this.#lock);
  }

  async #acquire() {
    if (held.has(this.#lock)) throw new PaymentError("store", `${this.#path} is open already in this process`);
    for (;;) {
      try {
        const file = await open(this.#lock, "wx", 0o600);
        held.add(this.#lock);
        try {
          await file.writeFile(String(process.pid));
        } finally {
          await file.close();
        }
        return;
      } catch (error) {
        if (!isCode(error, "EEXIST")) throw error;
      }
      await this.#clearStale();
    }
  }

  /** Takes the lock of a process that has ended out of the way. */
  async #clearStale() {
    let text;
    try {
      text = await readFile(this.#lock, "utf8");
    } catch (error) {
      if (isCode(error, "ENOENT")) return;
      throw error;
    }
    const pid = Number(text);
    // an empty lock is being written, or its writer died in that moment
    if (text === "" || (pid !== process.pid && runs(pid))) {
      const who = text === "" ? "another process" : `process ${pid}`;
      throw new PaymentError("store", `${who} uses ${this.#path}; end it, or if it has ended remove ${this.#lock}`);
    }
    try {
      await unlink(this.#lock);
    } catch (error) {
      if (!isCode(error, "ENOENT")) throw error;
    }
  }
}

/** @param {number} pid */
function runs(pid) {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, "ESRCH");
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isCode(error, code) {
  return error instanceof Error && "code" in error && error.code === code;
}
