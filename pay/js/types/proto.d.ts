/**
 * @param {Fields} fields
 * @param {Message} message
 * @returns {Uint8Array}
 */
export function encode(fields: Fields, message: Message): Uint8Array;
/**
 * A message with all its fields; those that were not written have their zero. Fields
 * that are not known are passed over.
 *
 * @param {Fields} fields
 * @param {Uint8Array} bytes
 * @returns {Message}
 */
export function decode(fields: Fields, bytes: Uint8Array): Message;
/**
 * A message in the form that cosmjs's registry takes.
 *
 * @param {Fields} fields
 * @returns {GeneratedType}
 */
export function generatedType(fields: Fields): GeneratedType;
export namespace messages {
    export { deposit as MsgDeposit };
    export namespace MsgDepositResponse {
        export let channelId: [number, "bytes"];
        let deposit_1: [number, "uint64"];
        export { deposit_1 as deposit };
    }
    export namespace MsgClose {
        export let signer: [number, "string"];
        let channelId_1: [number, "bytes"];
        export { channelId_1 as channelId };
    }
    export namespace MsgCloseResponse {
        let closingTime: [number, "int64"];
        let closingHeight: [number, "int64"];
        let refunded: [number, "uint64"];
    }
    export namespace MsgCancelPlan {
        let signer_1: [number, "string"];
        export { signer_1 as signer };
        let channelId_2: [number, "bytes"];
        export { channelId_2 as channelId };
        export let now: [number, "bool"];
    }
    export namespace MsgCancelPlanResponse {
        let ends: [number, "int64"];
    }
    export let QueryParamsRequest: {};
    export namespace QueryParamsResponse {
        let params: [number, {
            minDeposit: [number, "uint64"];
            minCloseDelay: [number, "int64"];
            maxCloseDelay: [number, "int64"];
        }];
    }
    export namespace QueryServiceRequest {
        let serviceId: [number, "uint64"];
    }
    export namespace QueryServiceResponse {
        let service: [number, {
            service: [number, {
                id: [number, "uint64"];
                subnetId: [number, "uint64"];
                netuid: [number, "uint32"];
                provider: [number, "string"];
                name: [number, "string"];
                listed: [number, "bool"];
            }];
            hotkey: [number, "string"];
            plans: [number, [{
                id: [number, "uint64"];
                serviceId: [number, "uint64"];
                name: [number, "string"];
                price: [number, "uint64"];
                period: [number, "int64"];
                quota: [number, "uint64"];
                offered: [number, "bool"];
            }]];
        }];
    }
    export namespace QueryChannelRequest {
        let channelId_3: [number, "string"];
        export { channelId_3 as channelId };
    }
    export namespace QueryChannelResponse {
        let channel: [number, {
            id: [number, "bytes"];
            payer: [number, "string"];
            provider: [number, "string"];
            serviceId: [number, "uint64"];
            sessionKey: [number, "bytes"];
            closeDelay: [number, "int64"];
            deposit: [number, "uint64"];
            claimed: [number, "uint64"];
            closingTime: [number, "int64"];
            subscription: [number, {
                planId: [number, "uint64"];
                price: [number, "uint64"];
                period: [number, "int64"];
                quota: [number, "uint64"];
                periodStart: [number, "int64"];
                periodEnd: [number, "int64"];
                usedBefore: [number, "uint64"];
                used: [number, "uint64"];
                cancelled: [number, "bool"];
            }];
        }];
        let hotkey: [number, "string"];
        let height: [number, "int64"];
    }
    export namespace QueryChannelsRequest {
        let payer: [number, "string"];
        let pagination: [number, {
            key: [number, "bytes"];
            limit: [number, "uint64"];
        }];
    }
    export namespace QueryChannelsResponse {
        export let channels: [number, [{
            id: [number, "bytes"];
            payer: [number, "string"];
            provider: [number, "string"];
            serviceId: [number, "uint64"];
            sessionKey: [number, "bytes"];
            closeDelay: [number, "int64"];
            deposit: [number, "uint64"];
            claimed: [number, "uint64"];
            closingTime: [number, "int64"];
            subscription: [number, {
                planId: [number, "uint64"];
                price: [number, "uint64"];
                period: [number, "int64"];
                quota: [number, "uint64"];
                periodStart: [number, "int64"];
                periodEnd: [number, "int64"];
                usedBefore: [number, "uint64"];
                used: [number, "uint64"];
                cancelled: [number, "bool"];
            }];
        }]];
        let pagination_1: [number, {
            nextKey: [number, "bytes"];
        }];
        export { pagination_1 as pagination };
    }
}
/**
 * How one message is written and read: its fields by number, in order.
 */
export type Fields = {
    [field: string]: [number, "uint64" | "int64" | "uint32" | "bool" | "string" | "bytes" | Fields | [Fields]];
};
export type Message = Record<string, any>;
import type { GeneratedType } from "@cosmjs/proto-signing";
declare namespace deposit {
    let payer_1: [number, "string"];
    export { payer_1 as payer };
    export let amount: [number, "uint64"];
    let channelId_4: [number, "bytes"];
    export { channelId_4 as channelId };
    let serviceId_1: [number, "uint64"];
    export { serviceId_1 as serviceId };
    export let sessionKey: [number, "bytes"];
    export let closeDelay: [number, "int64"];
    export let planId: [number, "uint64"];
    export let maxPrice: [number, "uint64"];
    export let spender: [number, "string"];
}
export {};
