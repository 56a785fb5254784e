package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
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
	// RetirePool ends a subnet's market; what its holders are owed is fixed here, at
	// the same cost however many they are.
	RetirePool(ctx context.Context, subnetID uint64) error
	// Sweep deletes at most so many records of a retired subnet. It is done once
	// every holder is paid and nothing is left.
	Sweep(ctx context.Context, subnetID uint64, most int) (swept int, done bool, err error)
	// ExchangeHotkeys gives all stakes of a hotkey to another of the same coldkey.
	ExchangeHotkeys(ctx context.Context, hotkey, newHotkey sdk.AccAddress) error
}

// BankKeeper is what x/subnets needs of x/bank.
type BankKeeper interface {
	SpendableCoin(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
}

// StakingKeeper is what x/subnets needs of x/staking.
type StakingKeeper interface {
	GetValidator(ctx context.Context, operator sdk.ValAddress) (stakingtypes.Validator, error)
}
