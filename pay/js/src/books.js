// What is kept, and the text that the store keeps of it.
import { SessionKey } from "./voucher.js";

const VERSION = 1;

/**
 * A promise that is not settled: a request that is under way, or one whose outcome is
 * not known.
 *
 * @typedef {object} Promised
 * @property {bigint} ceiling rao; a stream's grows, see promiseMore
 * @property {number} until Unix seconds: the server has answered by then, or never will
 */

/**
 * A channel. What the server may have charged lies from `charged` to `charged` and all
 * that is promised.
 *
 * @typedef {object} Channel
 * @property {string} id hex
 * @property {string} network
 * @property {string} payTo
 * @property {bigint} serviceId
 * @property {SessionKey} key
 * @property {number} closeDelay seconds
 * @property {bigint} deposit rao, in all
 * @property {bigint} signed rao, cumulative: by the newest voucher
 * @property {bigint} charged rao, cumulative, as far as it is known
 * @property {Map<string, Promised>} promised by the payment's identifier
 * @property {{amount: string, transaction: string} | undefined} untold a deposit of which the server has not been told
 * @property {string | undefined} dispute why nothing is signed for it any more
 */

/**
 * A channel that is being opened: kept before the transaction is sent, so that neither
 * the key nor the deposit is lost if the program ends before the answer comes.
 *
 * @typedef {object} Opening
 * @property {SessionKey} key
 * @property {bigint} timeoutHeight the transaction is in no block after it
 */

/**
 * @typedef {object} Spent
 * @property {string} day the UTC day of `today` and `providers`
 * @property {bigint} today rao
 * @property {bigint} total rao, ever
 * @property {Map<string, bigint>} providers rao of that day, by payTo
 */

/**
 * @typedef {object} Books
 * @property {Map<string, Channel>} channels by id
 * @property {Map<string, Opening>} openings by channelKey
 * @property {Spent} spent
 */

/**
 * @param {string} text
 * @returns {Books}
 */
export function parseBooks(text) {
  const { version, channels, openings, spent } = JSON.parse(text);
  if (version !== VERSION) throw new Error(`its version is ${version}, this program knows ${VERSION}`);
  return {
    channels: mapOf(channels, (c) => [
      c.id,
      {
        ...c,
        serviceId: BigInt(c.serviceId),
        key: new SessionKey(c.key),
        deposit: BigInt(c.deposit),
        signed: BigInt(c.signed),
        charged: BigInt(c.charged),
        promised: mapOf(c.promised, ({ id, ...p }) => [id, { ...p, ceiling: BigInt(p.ceiling) }]),
      },
    ]),
    openings: mapOf(openings, (o) => [o.for, { key: new SessionKey(o.key), timeoutHeight: BigInt(o.timeoutHeight) }]),
    spent: {
      day: spent.day,
      today: BigInt(spent.today),
      total: BigInt(spent.total),
      providers: mapOf(spent.providers, ({ payTo, amount }) => [payTo, BigInt(amount)]),
    },
  };
}

/**
 * @template V
 * @param {any[]} list
 * @param {(item: any) => [string, V]} entry
 * @returns {Map<string, V>}
 */
function mapOf(list, entry) {
  return new Map(list.map(entry));
}

/**
 * @param {Books} books
 * @returns {string}
 */
export function formatBooks({ channels, openings, spent }) {
  const kept = {
    version: VERSION,
    channels: [...channels.values()].map(({ key, promised, ...c }) => ({
      ...c,
      key: key.secret(),
      promised: [...promised].map(([id, p]) => ({ id, ...p })),
    })),
    openings: [...openings].map(([of, { key, timeoutHeight }]) => ({ for: of, key: key.secret(), timeoutHeight })),
    spent: { ...spent, providers: [...spent.providers].map(([payTo, amount]) => ({ payTo, amount })) },
  };
  return JSON.stringify(kept, (_, value) => (typeof value === "bigint" ? value.toString() : value), 1);
}
