// Package market keeps what subnets' miners sell to people, and pays them: a catalogue
// of services, deposits that vouchers draw on, plans for a fixed price a period, and
// where the money goes (protocol.md §10).
//
// Pure parts that gateways and clients share are in package voucher: what a channel's
// id is, what a voucher signs, which keys are good.
//
// # A payment's life
//
//   - A registered neuron lists a service. A payer opens a channel to it by MsgDeposit,
//     with an Ed25519 session key; the wallet signs that and no more.
//   - For each request the session key signs a voucher, off chain: what the provider
//     may have claimed in all. The provider redeems the last one, and claims of it what
//     was used.
//   - The payer's close takes effect after the channel's delay, in blocks and in time,
//     in which the provider redeems; the provider's is at once. What is left goes back.
//   - A channel may pay a plan instead: then vouchers count units of a quota, and the
//     price is paid when a period ends.
//
// # Where the money goes
//
// By the subnet's split: to the coldkey that the provider's hotkey has at that moment,
// at once, one send a message and coldkey; to the subnet's owner at the block's end; and into the
// subnet's pool, for alpha that is burned and alpha for the miners of the next epoch.
// Purchases are bounded per block: they can be foreseen, and what they move the price
// by must be less than what trades around them cost. Parts are rounded down, the rest
// is the provider's.
//
// # Who is who
//
// Records name a provider by its hotkey's account of x/alpha: a swap of the hotkey
// changes nothing here but who signs and who is paid. A multiaddr among the endpoints
// ends in the old hotkey's peer ID; who swaps lists anew. A neuron that is replaced, or
// whose subnet is removed, sells nothing new; open channels and subscriptions go on, and
// of a removed subnet the provider gets all.
//
// A payer is a coldkey, and a swap of it (x/alpha) moves its channels and plans to the
// new one, some in each block: from then on that one puts in, closes, cancels and gets
// what is left, and the old one can do nothing with them. Id, session key and agreement
// stay, so vouchers do too. An announced swap locks the payer: it opens, fills, closes
// and cancels nothing, and no agent fills for it. What comes back meanwhile moves with
// the account's coins.
//
// An agent pays for another by MsgExec under a SpendAuthorization. Its limits are
// checked here; a refund of what it had put in is given back to its limit, not to the
// payer's wallet alone. Authorizations are the account's that gave them, and a swap
// moves none: a thief of the old coldkey may have given some. The new coldkey allows
// its agents anew; they may still close what they opened, and refunds raise the limit
// that the new coldkey has given, if it has.
//
// # What it promises
//
//   - The module account holds what is left of all deposits and what of the revenue
//     waits, to the rao; all parts of a payment sum to it.
//   - What comes back goes to the coldkey that the payer is at that moment.
//   - A provider gets no more than a voucher says, than the deposit, or than a plan's
//     price; and whatever it has a good voucher for, if it redeems before the refund.
//   - A voucher is good for its chain, its channel and one opening of it alone. Lower
//     ones than the last, repetitions and bad items change nothing, and hinder no item
//     beside them.
//   - A block's end does bounded work; what fails is put off, told by an event, and
//     stops nothing else.
//
// # What it can't
//
// It doesn't know whether anything was delivered: between two vouchers one side trusts
// the other with one request. A provider that does not redeem in time loses what it
// has not redeemed. A plan's price is earned by time, also where nothing was asked for.
// Revenue can be played: who pays itself loses only what the split gives to others.
package market
