package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// AlphaKeeper is what x/subnets needs of pools and of who owns which hotkey.
type AlphaKeeper interface {
	// CreatePool takes tao from the payer, puts alpha beside it and gives the
	// subnet its permanent id. Nothing trades until StartTrading.
	CreatePool(ctx context.Context, netuid uint32, payer sdk.AccAddress, tao, alpha uint64) (subnetID uint64, err error)
	StartTrading(ctx context.Context, subnetID uint64) error
	// Coldkey is the key that a hotkey is bound to; an error if it is bound to none.
	Coldkey(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error)
	// BuyAndBurn buys alpha for tao of the payer's and burns what it bought.
	BuyAndBurn(ctx context.Context, subnetID uint64, payer sdk.AccAddress, tao uint64, reason string) (alpha uint64, err error)
}
