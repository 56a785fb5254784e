package types

import sdk "github.com/cosmos/cosmos-sdk/types"

// BlockEmission is what a block gives to a pool, in this order.
type BlockEmission struct {
	TaoIn, AlphaIn uint64 // liquidity: rao, and alpha units that are issued
	Excess         uint64 // rao that buy alpha for the protocol
	Sold           uint64 // alpha units that are issued and sold in the pool at once, for root
	Pending        uint64 // alpha units that are issued and wait for the next epoch
}

// Binding is a hotkey's record, and the account that its stakes are kept under.
type Binding struct {
	Record  Hotkey // empty where the hotkey is not bound
	Account sdk.AccAddress
}

// Payment is a part of a pool's pending alpha, and where it goes.
type Payment struct {
	To    Account // Staked; Burned; Issuance, where it is recycled
	Alpha uint64  // units

	// Of what is staked.
	Hotkey  sdk.AccAddress // whose stake pool it joins
	Account sdk.AccAddress // the hotkey's, where the caller knows it
	Coldkey sdk.AccAddress // who gets new shares for it; nil: nobody, all shares are worth more
	Reason  string         // of new shares, as their event tells it
}
