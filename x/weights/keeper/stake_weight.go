package keeper

import (
	"context"
	"errors"
	"math"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// StakeWeight is a hotkey's weight in a subnet (protocol.md §5): alpha staked on
// it, by all nominators together, plus tao_weight times its root stake. alpha and
// weight are in units of 10^-9, root in rao.
func (k Keeper) StakeWeight(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (weight, alpha, root uint64, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	if alpha, err = k.alpha.StakeOn(ctx, subnetID, hotkey); err != nil {
		return 0, 0, 0, err
	}
	if root, err = k.RootStake(ctx, hotkey); err != nil {
		return 0, 0, 0, err
	}
	return add(alpha, params.WeighRoot(root)), alpha, root, nil
}

// RootStake is the tokens, in rao, of the bonded chain validator whose operator
// address is the hotkey's, else 0.
func (k Keeper) RootStake(ctx context.Context, hotkey sdk.AccAddress) (uint64, error) {
	v, err := k.staking.GetValidator(ctx, sdk.ValAddress(hotkey))
	if errors.Is(err, stakingtypes.ErrNoValidatorFound) {
		return 0, nil
	}
	if err != nil || !v.IsBonded() {
		return 0, err
	}
	return clamp(v.Tokens), nil
}

// stakeWeights are StakeWeight of all neurons of a subnet, by uid. The bonded
// validators are read once: they are far fewer than neurons.
func (k Keeper) stakeWeights(ctx context.Context, subnetID uint64, neurons []subnetstypes.Neuron) (weight, alpha, root []uint64, hotkeys []sdk.AccAddress, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	validators, err := k.staking.GetBondedValidatorsByPower(ctx)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	bonded := make(map[string]uint64, len(validators))
	for _, v := range validators {
		operator, err := sdk.ValAddressFromBech32(v.OperatorAddress)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		bonded[string(operator)] = clamp(v.Tokens)
	}
	n := len(neurons)
	weight, alpha, root, hotkeys = make([]uint64, n), make([]uint64, n), make([]uint64, n), make([]sdk.AccAddress, n)
	for i, neuron := range neurons {
		if hotkeys[i], err = k.ac.StringToBytes(neuron.Hotkey); err != nil {
			return nil, nil, nil, nil, err
		}
		if alpha[i], err = k.alpha.StakeOn(ctx, subnetID, hotkeys[i]); err != nil {
			return nil, nil, nil, nil, err
		}
		root[i] = bonded[string(hotkeys[i])]
		weight[i] = add(alpha[i], params.WeighRoot(root[i]))
	}
	return weight, alpha, root, hotkeys, nil
}

// clamp is an amount of the bank as a uint64; the supply's cap lies far below.
func clamp(i sdkmath.Int) uint64 {
	switch {
	case i.IsNil() || i.IsNegative():
		return 0
	case i.IsUint64():
		return i.Uint64()
	}
	return math.MaxUint64
}

// add is a + b, saturating.
func add(a, b uint64) uint64 {
	if s := a + b; s >= a {
		return s
	}
	return math.MaxUint64
}
