// Server-sent events: takes a stream's payment events out of it and leaves all else as
// it is.

// No event of a payment's is longer; what is, belongs to the application.
const MAX_EVENT = 16_384;

const LINE_END = /\r\n|\n|\r/;
const EVENT_END = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))/;

/**
 * @typedef {object} ServerSentEvent
 * @property {string} type
 * @property {string} data
 */

/** Splits a stream's text into events, held back until they are complete. */
export class EventFilter {
  #take;
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #encoder = new TextEncoder();
  #held = "";
  #long = false; // the event is too long to be a payment's, and its beginning is out

  /** @param {(event: ServerSentEvent) => boolean} take whether an event is the payment's */
  constructor(take) {
    this.#take = take;
  }

  /**
   * @param {Uint8Array} chunk
   * @returns {Uint8Array} what goes on to the application
   */
  push(chunk) {
    return this.#encoder.encode(this.#filter(this.#decoder.decode(chunk, { stream: true })));
  }

  /** What is left when the stream ends: an event that was not completed. */
  flush() {
    const rest = this.#held + this.#decoder.decode();
    this.#held = "";
    return this.#encoder.encode(rest);
  }

  /** @param {string} text */
  #filter(text) {
    let out = "";
    this.#held += text;
    for (let end; (end = EVENT_END.exec(this.#held)); this.#long = false) {
      const event = this.#held.slice(0, end.index + end[0].length);
      this.#held = this.#held.slice(event.length);
      if (this.#long || event.length > MAX_EVENT || !this.#take(parse(event))) out += event;
    }
    if (this.#held.length > MAX_EVENT) {
      this.#long = true;
      // the last characters may be half of the event's end
      out += this.#held.slice(0, -3);
      this.#held = this.#held.slice(-3);
    }
    return out;
  }
}

/**
 * @param {string} event
 * @returns {ServerSentEvent}
 */
function parse(event) {
  let type = "message";
  const data = [];
  for (const line of event.split(LINE_END)) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") type = value;
    if (field === "data") data.push(value);
  }
  return { type, data: data.join("\n") };
}
