// The names that pay/js's types take from packages that the page does without.
export interface PaymentRequirements {
  scheme: string;
  network: string;
  asset: string;
  amount: string;
  payTo: string;
  maxTimeoutSeconds: number;
  extra: Record<string, unknown>;
}
export interface PaymentRequired {
  x402Version: number;
  error?: string;
  resource?: unknown;
  accepts: PaymentRequirements[];
  extensions?: Record<string, unknown>;
}
export interface PaymentPayloadResult {
  x402Version: number;
  payload: Record<string, unknown>;
  extensions?: Record<string, unknown>;
}
export interface PaymentPayload extends PaymentPayloadResult {
  accepted: PaymentRequirements;
  resource?: unknown;
}
export interface PaymentPayloadContext {
  extensions?: Record<string, unknown>;
  maxAmountPerPayment?: string;
}
export interface PaymentResponseContext {
  paymentPayload: PaymentPayload;
  requirements: PaymentRequirements;
  settleResponse?: { success: boolean } & Record<string, unknown>;
  paymentRequired?: PaymentRequired;
}
export interface PaymentCreationFailureContext {
  paymentRequired: PaymentRequired;
  error: Error;
}
export interface SchemeClientHooks {
  onPaymentResponse(context: PaymentResponseContext): Promise<void | { recovered: true }>;
}
export interface SchemeNetworkClient {
  readonly scheme: string;
}
export type SpendControlAsset = { network: string; asset: string };
export interface x402Client {
  register(network: string, scheme: unknown): unknown;
  registerPolicy(policy: (version: number, offers: PaymentRequirements[]) => PaymentRequirements[]): unknown;
  onPaymentCreationFailure(hook: (context: PaymentCreationFailureContext) => Promise<void | { recovered: true; payload: PaymentPayload }>): unknown;
  spendControls: false;
  createPaymentPayload(required: PaymentRequired): Promise<PaymentPayload>;
}
export type EncodeObject = unknown;
export type OfflineSigner = unknown;
export type StdFee = unknown;
