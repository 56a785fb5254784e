package keeper

import (
	"context"
	"errors"
	"math"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

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

// RootStakes are the root stakes of the bonded chain validators, in rao.
type RootStakes map[string]uint64 // by the bytes of the operator's address

// RootStakes reads the bonded validators: they are far fewer than neurons.
func (k Keeper) RootStakes(ctx context.Context) (RootStakes, error) {
	validators, err := k.staking.GetBondedValidatorsByPower(ctx)
	if err != nil {
		return nil, err
	}
	bonded := make(RootStakes, len(validators))
	for _, v := range validators {
		operator, err := sdk.ValAddressFromBech32(v.OperatorAddress)
		if err != nil {
			return nil, err
		}
		bonded[string(operator)] = clamp(v.Tokens)
	}
	return bonded, nil
}

func (r RootStakes) of(_ context.Context, hotkey sdk.AccAddress) (uint64, error) {
	return r[string(hotkey)], nil
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
