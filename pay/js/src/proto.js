// The chain's messages that paying needs, encoded by hand after proto/lode/market/v1.
import { BinaryReader, BinaryWriter, WireType } from "cosmjs-types/binary";

/** @import { GeneratedType } from "@cosmjs/proto-signing" */

/**
 * How one message is written and read: its fields by number, in order.
 *
 * @typedef {{[field: string]: [number, "uint64" | "int64" | "uint32" | "bool" | "string" | "bytes" | Fields | [Fields]]}} Fields
 */

/** @typedef {Record<string, any>} Message */

const deposit = /** @satisfies {Fields} */ ({
  payer: [1, "string"],
  amount: [2, "uint64"],
  channelId: [3, "bytes"],
  serviceId: [4, "uint64"],
  sessionKey: [5, "bytes"],
  closeDelay: [6, "int64"],
  planId: [7, "uint64"],
  maxPrice: [8, "uint64"],
  spender: [9, "string"],
});

const service = /** @satisfies {Fields} */ ({
  id: [1, "uint64"],
  subnetId: [2, "uint64"],
  netuid: [3, "uint32"],
  provider: [4, "string"],
  name: [5, "string"],
  listed: [13, "bool"],
});

const plan = /** @satisfies {Fields} */ ({
  id: [1, "uint64"],
  serviceId: [2, "uint64"],
  name: [3, "string"],
  price: [4, "uint64"],
  period: [5, "int64"],
  quota: [6, "uint64"],
  offered: [7, "bool"],
});

const subscription = /** @satisfies {Fields} */ ({
  planId: [1, "uint64"],
  price: [2, "uint64"],
  period: [3, "int64"],
  quota: [4, "uint64"],
  periodStart: [5, "int64"],
  periodEnd: [6, "int64"],
  usedBefore: [7, "uint64"],
  used: [8, "uint64"],
  cancelled: [9, "bool"],
});

const channel = /** @satisfies {Fields} */ ({
  id: [1, "bytes"],
  payer: [2, "string"],
  provider: [3, "string"],
  serviceId: [6, "uint64"],
  sessionKey: [7, "bytes"],
  closeDelay: [8, "int64"],
  deposit: [9, "uint64"],
  claimed: [10, "uint64"],
  closingTime: [12, "int64"],
  subscription: [16, subscription],
});

const page = /** @satisfies {Fields} */ ({ key: [1, "bytes"], limit: [3, "uint64"] });
const nextPage = /** @satisfies {Fields} */ ({ nextKey: [1, "bytes"] });

export const messages = {
  MsgDeposit: deposit,
  MsgDepositResponse: /** @satisfies {Fields} */ ({ channelId: [1, "bytes"], deposit: [2, "uint64"] }),
  MsgClose: /** @satisfies {Fields} */ ({ signer: [1, "string"], channelId: [2, "bytes"] }),
  MsgCloseResponse: /** @satisfies {Fields} */ ({
    closingTime: [1, "int64"],
    closingHeight: [2, "int64"],
    refunded: [3, "uint64"],
  }),
  MsgCancelPlan: /** @satisfies {Fields} */ ({ signer: [1, "string"], channelId: [2, "bytes"], now: [3, "bool"] }),
  MsgCancelPlanResponse: /** @satisfies {Fields} */ ({ ends: [1, "int64"] }),
  QueryParamsRequest: /** @satisfies {Fields} */ ({}),
  QueryParamsResponse: /** @satisfies {Fields} */ ({
    params: [1, { minDeposit: [1, "uint64"], minCloseDelay: [2, "int64"], maxCloseDelay: [3, "int64"] }],
  }),
  QueryServiceRequest: /** @satisfies {Fields} */ ({ serviceId: [1, "uint64"] }),
  QueryServiceResponse: /** @satisfies {Fields} */ ({
    service: [1, { service: [1, service], hotkey: [2, "string"], plans: [4, [plan]] }],
  }),
  QueryChannelRequest: /** @satisfies {Fields} */ ({ channelId: [1, "string"] }),
  QueryChannelResponse: /** @satisfies {Fields} */ ({
    channel: [1, channel],
    hotkey: [2, "string"],
    height: [3, "int64"],
  }),
  QueryChannelsRequest: /** @satisfies {Fields} */ ({ payer: [1, "string"], pagination: [3, page] }),
  QueryChannelsResponse: /** @satisfies {Fields} */ ({ channels: [1, [channel]], pagination: [2, nextPage] }),
};

/**
 * @param {Fields} fields
 * @param {Message} message
 * @returns {Uint8Array}
 */
export function encode(fields, message) {
  return write(new BinaryWriter(), fields, message).finish();
}

/**
 * @param {BinaryWriter} writer
 * @param {Fields} fields
 * @param {Message} message
 */
function write(writer, fields, message) {
  for (const [name, [number, type]] of Object.entries(fields)) {
    const value = message[name];
    if (value === undefined) continue;
    if (Array.isArray(type)) {
      for (const item of value) writer.tag(number, WireType.Bytes).bytes(encode(type[0], item));
    } else if (typeof type === "object") {
      writer.tag(number, WireType.Bytes).bytes(encode(type, value));
    } else if (type === "string" || type === "bytes") {
      if (value.length === 0) continue;
      const tagged = writer.tag(number, WireType.Bytes);
      if (type === "string") tagged.string(value);
      else tagged.bytes(value);
    } else if (BigInt(value) !== 0n) {
      writer.tag(number, WireType.Varint)[type](/** @type {never} */ (value));
    }
  }
  return writer;
}

/**
 * A message with all its fields; those that were not written have their zero. Fields
 * that are not known are passed over.
 *
 * @param {Fields} fields
 * @param {Uint8Array} bytes
 * @returns {Message}
 */
export function decode(fields, bytes) {
  const reader = new BinaryReader(bytes);
  /** @type {Message} */
  const message = {};
  /** @type {Map<number, [string, Fields[string][1]]>} */
  const byNumber = new Map();
  for (const [name, [number, type]] of Object.entries(fields)) {
    byNumber.set(number, [name, type]);
    message[name] = zero(type);
  }
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = byNumber.get(number);
    if (!field) {
      reader.skipType(wire);
      continue;
    }
    const [name, type] = field;
    if ((wire === WireType.Bytes) !== (type === "string" || type === "bytes" || typeof type === "object")) {
      throw new Error(`field ${name} has wire type ${wire}`);
    }
    if (Array.isArray(type)) message[name].push(decode(type[0], reader.bytes()));
    else if (typeof type === "object") message[name] = decode(type, reader.bytes());
    else message[name] = reader[type]();
  }
  return message;
}

/** @param {Fields[string][1]} type */
function zero(type) {
  if (Array.isArray(type)) return [];
  if (typeof type === "object") return undefined;
  return { uint64: 0n, int64: 0n, uint32: 0, bool: false, string: "", bytes: new Uint8Array() }[type];
}

/**
 * A message in the form that cosmjs's registry takes.
 *
 * @param {Fields} fields
 * @returns {GeneratedType}
 */
export function generatedType(fields) {
  const type = {
    encode: (/** @type {Message} */ message, writer = new BinaryWriter()) => write(writer, fields, message),
    decode: (/** @type {Uint8Array | BinaryReader} */ input) =>
      decode(fields, input instanceof Uint8Array ? input : input.buf),
    fromPartial: (/** @type {Message} */ message) => message,
  };
  return /** @type {GeneratedType} */ (/** @type {unknown} */ (type));
}
