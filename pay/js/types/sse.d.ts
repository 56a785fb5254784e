/**
 * @typedef {object} ServerSentEvent
 * @property {string} type
 * @property {string} data
 */
/** Splits a stream's text into events, held back until they are complete. */
export class EventFilter {
    /** @param {(event: ServerSentEvent) => boolean} take whether an event is the payment's */
    constructor(take: (event: ServerSentEvent) => boolean);
    /**
     * @param {Uint8Array} chunk
     * @returns {Uint8Array} what goes on to the application
     */
    push(chunk: Uint8Array): Uint8Array;
    /** What is left when the stream ends: an event that was not completed. */
    flush(): Uint8Array<ArrayBuffer>;
    #private;
}
export type ServerSentEvent = {
    type: string;
    data: string;
};
