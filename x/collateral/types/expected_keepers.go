package types

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// AccountKeeper is what x/collateral needs of x/auth.
type AccountKeeper interface {
	GetModuleAddress(moduleName string) sdk.AccAddress
}

// BankKeeper is what x/collateral needs of x/bank. app gives the bank that counts
// what is burned.
type BankKeeper interface {
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	SendCoinsFromAccountToModule(ctx context.Context, from sdk.AccAddress, toModule string, amount sdk.Coins) error
	SendCoinsFromModuleToAccount(ctx context.Context, fromModule string, to sdk.AccAddress, amount sdk.Coins) error
	BurnCoins(ctx context.Context, module string, amount sdk.Coins) error
}

// AlphaKeeper is what x/collateral needs of who owns which hotkey, and of stakes.
type AlphaKeeper interface {
	// Coldkey is the key that a hotkey is bound to; an error if it is bound to none.
	Coldkey(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error)
	// Account is where a hotkey's stakes are kept: it goes along when the hotkey is
	// swapped. HotkeyOf is who has it now.
	Account(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error)
	HotkeyOf(ctx context.Context, account sdk.AccAddress) (sdk.AccAddress, error)

	// LockStake keeps alpha units of a position from leaving, UnlockStake lets them
	// go, SlashStake unlocks and burns them. A coldkey swap moves a lock and the
	// hotkey that it is on together.
	LockStake(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress, alpha uint64) error
	UnlockStake(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress, alpha uint64) error
	SlashStake(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress, alpha uint64) error
	// Locks are all, by the hotkeys' accounts.
	Locks(ctx context.Context) ([]alphatypes.Lock, error)
}

// SubnetsKeeper is what x/collateral needs of the registry of subnets and neurons.
type SubnetsKeeper interface {
	Subnet(ctx context.Context, subnetID uint64) (subnetstypes.Subnet, error)
	SubnetByNetuid(ctx context.Context, netuid uint32) (subnetstypes.Subnet, error)
	Neuron(ctx context.Context, subnetID uint64, uid uint32) (subnetstypes.Neuron, error)
	NeuronByHotkey(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (subnetstypes.Neuron, error)
}

// WeightsKeeper is what x/collateral needs of the epochs.
type WeightsKeeper interface {
	EpochResult(ctx context.Context, subnetID uint64) (weightstypes.EpochResult, bool, error)
	Permitted(ctx context.Context, subnetID uint64, uid uint32) (bool, error)
}

// Network is what x/collateral asks of x/emission; app wires it.
type Network interface {
	// TargetBlockTime tells how long blocks should take: a delay of n blocks that
	// must pass in time too lasts n times this.
	TargetBlockTime(ctx context.Context) (time.Duration, error)
}
