/**
 * Keeps everything in a file that its owner alone can read. A second process that opens
 * the same file is refused: two that sign for one channel would spend the same money.
 *
 * @implements {Store}
 */
export class FileStore implements Store {
    /** @param {string} path its folder is made if it is missing */
    constructor(path: string);
    read(): Promise<string | undefined>;
    /** @param {string} text */
    write(text: string): Promise<void>;
    close(): Promise<void>;
    #private;
}
export type Store = import("./store.js").Store;
