/** Runs in order what must not run twice at once. */
export class Queue {
  /** @type {Map<string, Promise<unknown>>} the last of each name */
  #last = new Map();

  /**
   * @template T
   * @param {string} name of the queue
   * @param {() => Promise<T>} run
   * @returns {Promise<T>}
   */
  do(name, run) {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(run);
    this.#last.set(name, mine);
    const clear = () => {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    };
    mine.then(clear, clear);
    return mine;
  }
}
