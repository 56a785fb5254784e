// What pay/js needs of @x402/core/http, which stands here in its place: x402's headers are JSON in base64.
import { fromBase64, fromUtf8, toBase64, toUtf8 } from "../wallet/bytes.ts";

export const encodePaymentSignatureHeader = (payload: unknown): string => toBase64(toUtf8(JSON.stringify(payload)));
export const decodePaymentSignatureHeader = (header: string): unknown => JSON.parse(fromUtf8(fromBase64(header))) as unknown;
