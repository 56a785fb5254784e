/** Runs in order what must not run twice at once. */
export class Queue {
    /**
     * @template T
     * @param {string} name of the queue
     * @param {() => Promise<T>} run
     * @returns {Promise<T>}
     */
    do<T>(name: string, run: () => Promise<T>): Promise<T>;
    #private;
}
