package keeper

import (
	"context"
	"encoding/hex"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/x/seed/types"
)

// Hooks tie operators' VRF keys to their validators.
type Hooks struct{ k Keeper }

var _ stakingtypes.StakingHooks = Hooks{}

// Hooks are x/staking's.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterValidatorCreated refuses a validator whose operator has no VRF key in force.
// One that only waits would not do: until it begins, the validator's blocks would
// prove nothing, and CometBFT checks of a block's proposer only that it is some
// validator. A dishonest one could name the one without a key, and so choose
// between two seeds.
func (h Hooks) AfterValidatorCreated(ctx context.Context, addr sdk.ValAddress) error {
	key, ok, err := h.k.VRFKey(ctx, sdk.AccAddress(addr))
	if err != nil {
		return err
	}
	operator, err := h.k.ac.BytesToString(addr)
	if err != nil {
		return err
	}
	if !ok {
		return types.ErrNoKey.Wrapf("a validator needs a VRF key, %s has none: register one (`lode node vrf-key register`) and wait until it is in force", operator)
	}
	// The validator proposes no block before the next.
	if at := key.At(sdk.UnwrapSDKContext(ctx).BlockHeight() + 1); !at.Active() {
		return types.ErrNoKey.Wrapf("the VRF key of %s is in force from block %d on: create the validator then", operator, at.PendingHeight)
	}
	return nil
}

// AfterValidatorRemoved forgets the operator's keys. Nothing is proposed with them
// any more: a validator is removed when it has been unbonded for the unbonding time,
// a block after it left the set at the earliest, and that block was the last that it
// could have proposed.
func (h Hooks) AfterValidatorRemoved(ctx context.Context, _ sdk.ConsAddress, addr sdk.ValAddress) error {
	key, ok, err := h.k.VRFKey(ctx, sdk.AccAddress(addr))
	if err != nil || !ok {
		return err
	}
	for _, public := range [][]byte{key.Key, key.Pending} {
		if len(public) == 0 {
			continue
		}
		if err := h.k.owners.Remove(ctx, public); err != nil {
			return err
		}
	}
	if err := h.k.keys.Remove(ctx, addr); err != nil {
		return err
	}
	return emit(ctx, &types.EventVRFKeyRemoved{Operator: key.Operator})
}

func (Hooks) BeforeValidatorModified(context.Context, sdk.ValAddress) error { return nil }

func (Hooks) AfterValidatorConsKeyUpdated(context.Context, sdk.ConsAddress, sdk.ConsAddress, sdk.ValAddress) error {
	return nil // keys belong to operators
}

func (Hooks) AfterValidatorBonded(context.Context, sdk.ConsAddress, sdk.ValAddress) error { return nil }

func (Hooks) AfterValidatorBeginUnbonding(context.Context, sdk.ConsAddress, sdk.ValAddress) error {
	return nil
}

func (Hooks) BeforeDelegationCreated(context.Context, sdk.AccAddress, sdk.ValAddress) error {
	return nil
}

func (Hooks) BeforeDelegationSharesModified(context.Context, sdk.AccAddress, sdk.ValAddress) error {
	return nil
}

func (Hooks) BeforeDelegationRemoved(context.Context, sdk.AccAddress, sdk.ValAddress) error {
	return nil
}

func (Hooks) AfterDelegationModified(context.Context, sdk.AccAddress, sdk.ValAddress) error {
	return nil
}

func (Hooks) BeforeValidatorSlashed(context.Context, sdk.ValAddress, math.LegacyDec) error {
	return nil
}

func (Hooks) AfterUnbondingInitiated(context.Context, uint64) error { return nil }

// keyText is a key as errors name it.
func keyText(public []byte) string { return "the VRF key " + hex.EncodeToString(public) }
