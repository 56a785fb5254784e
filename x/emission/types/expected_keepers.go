package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// What x/emission needs of x/weights is keeper.WeightsKeeper: its epoch's result
// is that keeper's type, which this package stays free of for the sake of
// clients.

// AccountKeeper is what x/emission needs of accounts.
type AccountKeeper interface {
	GetModuleAddress(name string) sdk.AccAddress
	GetModuleAccount(ctx context.Context, name string) sdk.ModuleAccountI
}

// BankKeeper is what x/emission needs of the bank.
type BankKeeper interface {
	GetSupply(ctx context.Context, denom string) sdk.Coin
	GetBalance(ctx context.Context, addr sdk.AccAddress, denom string) sdk.Coin
	MintCoins(ctx context.Context, module string, amount sdk.Coins) error
	BurnCoins(ctx context.Context, module string, amount sdk.Coins) error
	SendCoinsFromAccountToModule(ctx context.Context, from sdk.AccAddress, to string, amount sdk.Coins) error
	SendCoinsFromModuleToModule(ctx context.Context, from, to string, amount sdk.Coins) error
}

// DistributionKeeper is what x/emission needs of x/distribution: it hands a
// validator's coins, already in that module's account, to its delegators.
type DistributionKeeper interface {
	AllocateTokensToValidator(ctx context.Context, v stakingtypes.ValidatorI, tokens sdk.DecCoins) error
}

// StakingKeeper is what x/emission needs of the chain's own validators.
type StakingKeeper interface {
	GetValidator(ctx context.Context, addr sdk.ValAddress) (stakingtypes.Validator, error)
	GetBondedValidatorsByPower(ctx context.Context) ([]stakingtypes.Validator, error)
}

// AlphaKeeper is what x/emission needs of the pools and stakes. Amounts of TAO
// are rao, of alpha units of 10^-9.
type AlphaKeeper interface {
	Pool(ctx context.Context, subnetID uint64) (alphatypes.Pool, error)
	Pools(ctx context.Context) ([]alphatypes.Pool, error) // live ones, by netuid
	Coldkey(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error)
	Hotkey(ctx context.Context, hotkey sdk.AccAddress) (alphatypes.Hotkey, error)

	// Emit gives a pool its part of a block and returns the rao that the alpha sold for
	// root brought; PayPending pays what waited for an epoch. Neither moves coins.
	Emit(ctx context.Context, subnetID uint64, e alphatypes.BlockEmission) (root uint64, err error)
	PayPending(ctx context.Context, subnetID uint64, payments []alphatypes.Payment) error

	// ChildkeyTake is what a child keeps of dividends earned by lent stake weight, per
	// 10^6; Payee a hotkey's coldkey, and the hotkey, of the same coldkey, that gets a
	// miner's incentive.
	ChildkeyTake(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (uint32, error)
	Payee(ctx context.Context, hotkey sdk.AccAddress, record alphatypes.Hotkey) (coldkey, destination sdk.AccAddress, err error)
}

// CollateralKeeper is what x/emission needs of the miners' collateral.
type CollateralKeeper interface {
	// Covered tells whether a hotkey's bonded collateral reaches the subnet's minimum.
	Covered(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (bool, error)
	// BondedIn is all bonded collateral of a subnet, in alpha units, by the bytes of the
	// hotkey's account.
	BondedIn(ctx context.Context, subnetID uint64) (map[string]uint64, error)
}

// SubnetsKeeper is what x/emission needs of the registry of subnets and neurons.
type SubnetsKeeper interface {
	Subnets(ctx context.Context) ([]subnetstypes.Subnet, error) // by netuid
	SubnetByNetuid(ctx context.Context, netuid uint32) (subnetstypes.Subnet, error)
	Neurons(ctx context.Context, subnetID uint64) ([]subnetstypes.Neuron, error) // by uid
	SetEmissions(ctx context.Context, neurons []subnetstypes.Neuron, byUID []uint64) error
	PruningOrderOf(ctx context.Context, s subnetstypes.Subnet, neurons []subnetstypes.Neuron) ([]subnetstypes.PruningPlace, error)
	BurnCost(ctx context.Context, subnetID uint64) (uint64, error)
}
