// Package voucher is what the chain and off-chain code must agree on about
// payment channels: the id of a channel, the bytes of a voucher that are signed,
// and which keys and signatures are good.
//
// A payer's client signs vouchers with the channel's session key
// ([Voucher.Sign]); a gateway checks each ([Voucher.Verify]) before it serves,
// and the chain checks those that are redeemed ([VerifyAll]). A voucher is
// cumulative: it promises all that the channel has ever paid, so the newest
// replaces those before it. It never expires; it is worth nothing outside of its
// chain and its channel, and a channel that is opened again is another one.
//
// # What is signed and hashed
//
// The bytes of a voucher are
//
//	"lode/voucher/1" ‖ u8 length of the chain id ‖ chain id ‖ channel id (32) ‖ u64 cumulative
//
// and a channel's id is the SHA-256 of
//
//	"lode/channel/1" ‖ chain id ‖ payer ‖ provider ‖ session key ‖
//	u64 subnet id ‖ u64 service id ‖ u64 plan id ‖ u64 close delay ‖ u64 height of opening
//
// where chain id, payer, provider and session key each stand behind a u32 of
// their length. Numbers are big endian. Neither form will change; another one
// would have another tag.
//
// # Signatures
//
// Ed25519 with the rules of ZIP-215, as the chain verifies transactions: one
// signature is good or bad on every machine, alone or in a batch. These rules
// let keys of small order sign anything, so [CheckKey] refuses such keys where a
// channel is opened.
//
// Nothing here keeps state or panics, whatever it is fed, save that Sign wants a
// whole private key as crypto/ed25519 does.
package voucher
