// What is kept, and the text that the store keeps of it.
import { SessionKey } from "./voucher.js";

// 1 knew no plans
const VERSION = 2;

/**
 * A promise that is not settled: a request that is under way, or one whose outcome is
 * not known.
 *
 * @typedef {object} Promised
 * @property {bigint} ceiling a stream's grows, see promiseMore
 * @property {number} until Unix seconds: the server has answered by then, or never will
 */

/**
 * A plan that a channel subscribes to, as the chain has it. Units are counted from the
 * channel's opening, and each period has its own: those of the first are 1 to quota, of
 * the second quota + 1 to 2·quota and so on.
 *
 * @typedef {object} Plan
 * @property {bigint} id
 * @property {bigint} price rao a period, as agreed
 * @property {bigint} period seconds
 * @property {bigint} quota units a period
 * @property {bigint} usedBefore units: the quotas of all periods that have ended
 * @property {number} periodEnd Unix seconds
 * @property {boolean} cancelled it ends with this period
 */

/**
 * A channel. What the server may have charged lies from `charged` to `charged` and all
 * that is promised. What is signed, charged and promised is in rao, of a plan's channel in
 * units.
 *
 * @typedef {object} Channel
 * @property {string} id hex
 * @property {string} network
 * @property {string} payTo
 * @property {bigint} serviceId
 * @property {SessionKey} key
 * @property {number} closeDelay seconds
 * @property {bigint} deposit rao, in all
 * @property {Plan | undefined} plan undefined: it pays by use
 * @property {bigint} left rao of the deposit that no period of the plan has taken; 0 where it pays by use
 * @property {bigint} signed cumulative: by the newest voucher
 * @property {bigint} charged cumulative, as far as it is known
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
  if (version !== 1 && version !== VERSION) throw new Error(`its version is ${version}, this program knows ${VERSION}`);
  return {
    channels: mapOf(channels, (c) => [
      c.id,
      {
        ...c,
        serviceId: BigInt(c.serviceId),
        key: new SessionKey(c.key),
        deposit: BigInt(c.deposit),
        plan: c.plan && parsePlan(c.plan),
        left: BigInt(c.left ?? 0),
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
 * @param {any} plan
 * @returns {Plan}
 */
function parsePlan({ id, price, period, quota, usedBefore, ...plan }) {
  return {
    ...plan,
    id: BigInt(id),
    price: BigInt(price),
    period: BigInt(period),
    quota: BigInt(quota),
    usedBefore: BigInt(usedBefore),
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
