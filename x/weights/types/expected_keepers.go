package types

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// SubnetsKeeper is what x/weights needs of the registry of subnets and neurons.
type SubnetsKeeper interface {
	Subnet(ctx context.Context, subnetID uint64) (subnetstypes.Subnet, error)
	SubnetByNetuid(ctx context.Context, netuid uint32) (subnetstypes.Subnet, error)
	NeuronByHotkey(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (subnetstypes.Neuron, error)
	Neurons(ctx context.Context, subnetID uint64) ([]subnetstypes.Neuron, error) // by uid
	ServeRateLimit(ctx context.Context) (int64, error)                           // blocks
}

// AlphaKeeper is what x/weights needs of the subnets' stakes.
type AlphaKeeper interface {
	// Staked is the alpha on a hotkey, in units, and what the hotkey is bound to.
	Staked(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (uint64, alphatypes.Binding, error)
	// ChildrenIn are all lists of children in force in a subnet, of hotkeys.
	ChildrenIn(ctx context.Context, subnetID uint64) ([]alphatypes.Children, error)
	// EndLending takes a hotkey's children in a subnet away.
	EndLending(ctx context.Context, subnetID uint64, parent sdk.AccAddress) error
}

// StakingKeeper is what x/weights needs of the chain's own validators.
type StakingKeeper interface {
	GetValidator(ctx context.Context, addr sdk.ValAddress) (stakingtypes.Validator, error)
	GetBondedValidatorsByPower(ctx context.Context) ([]stakingtypes.Validator, error)
}
