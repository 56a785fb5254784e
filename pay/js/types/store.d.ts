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
export class MemoryStore implements Store {
    read(): Promise<string | undefined>;
    /** @param {string} text */
    write(text: string): Promise<void>;
    #private;
}
/**
 * Where channels, their keys and what was spent are kept: one text, read once and
 * written whole. Who can read it can spend the deposits; one process at a time uses it.
 */
export type Store = {
    /**
     * what was written last; undefined: nothing yet
     */
    read: () => Promise<string | undefined>;
    /**
     * keeps a text; it is safe once this returns
     */
    write: (text: string) => Promise<void>;
    /**
     * lets go of it
     */
    close?: (() => Promise<void>) | undefined;
};
