/**
 * Where channels, their keys and what was spent are kept: one text, read once and
 * written whole. Who can read it can spend the deposits; one process at a time uses it.
 *
 * @typedef {object} Store
 * @property {() => Promise<string | undefined>} read what was written last; undefined: nothing yet
 * @property {(text: string) => Promise<void>} write keeps a text; it is safe once this returns
 * @property {() => Promise<void>} [close] lets go of it
 */

/**
 * Keeps nothing: with the process, its channels' keys are gone, and their deposits come
 * back only by closing them with the wallet. For tests and short errands.
 *
 * @implements {Store}
 */
export class MemoryStore {
  /** @type {string | undefined} */
  #text;

  async read() {
    return this.#text;
  }

  /** @param {string} text */
  async write(text) {
    this.#text = text;
  }
}
