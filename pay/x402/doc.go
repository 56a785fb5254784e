// Package x402 is the wire of payments over HTTP: the types of x402 version 2, the
// codec of its headers, and the scheme batch-settlement as Lode binds it to its
// chain. It decides nothing; package pay does.
//
// A server that wants money answers 402 with the header PAYMENT-REQUIRED
// ([Required]). The client asks again with PAYMENT-SIGNATURE ([Payment]), and the
// paid answer carries PAYMENT-RESPONSE ([Settlement]). Each is base64 of JSON:
// [Encode] writes it, [DecodeRequired], [DecodePayment] and [DecodeSettlement] read
// it and refuse what is malformed or larger than a header may be, with an error that
// wraps [ErrMalformed]: a server answers it with 400.
//
// # The scheme on Lode
//
// The scheme's name is batch-settlement, the network cosmos:CHAIN-ID, the asset rao,
// payTo the address of the provider's hotkey. amount is the most that the request may
// cost. Field names are those of the scheme on other networks where it has a field:
//
//	accepts[].extra   {receiverAuthorizer, withdrawDelay, minDeposit, serviceId, unit, price, per, planId?}
//	payload           {type, voucher: {channelId, maxClaimableAmount, signature}, deposit?: {amount, transaction}, stream?}
//	settlement.extra  {commitmentId, chargedAmount?, channelState}
//	channelState      {channelId, balance, totalClaimed, withdrawRequestedAt, chargedCumulativeAmount}
//
// Amounts are decimal strings; channel ids are 64 and signatures 128 lower-case
// hexadecimal digits without 0x. What is signed is package voucher's. type is
// "voucher", "deposit" where the channel has just been opened or topped up (the gateway
// then looks it up), or "refund", which asks the provider to close the channel.
//
// Where planId is given, a channel that subscribes to that plan pays: amounts are then
// units of the service instead of rao, and the asset is "unit".
//
// A voucher that does not reach is refused with the error [ReasonCumulative]; the
// terms in that answer carry channelState and voucherState {signedMaxClaimable,
// signature}, the newest voucher that the gateway has. The client checks its own
// signature on it before it believes the state.
//
// # Streams
//
// In an answer of type text/event-stream the gateway asks for the next voucher by an
// event payment-need-voucher ([NeedVoucher]): {channelId, requiredCumulative,
// acceptedCumulative, additionalAmount, deposit}. The voucher must say requiredCumulative
// at least. additionalAmount is what this stream may cost more from then on; a client with
// other requests on their way, of which the gateway may not know yet, promises it beside
// theirs, or the stream takes what is theirs. The client hands it in by a HEAD request
// to the same URL whose payload names the stream: the payment-identifier of the
// stream's own request. 204 says that it was taken. A last event payment-response
// carries the settlement as JSON, since headers are long gone.
//
// The extension payment-identifier makes retries safe: the same id with the same
// payment gets the same answer and is charged once.
package x402
