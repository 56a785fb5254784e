package app

import (
	"context"
	"fmt"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
)

// MaxCommission is the most that a chain validator may take of its delegators'
// rewards: the take on root stake (protocol.md §5).
var MaxCommission = math.LegacyNewDecWithPrec(18, 2)

// commissionCap refuses validators that could take more than [MaxCommission]. A
// validator's maximum never changes and bounds its rate, so its creation is the
// one place to look.
type commissionCap struct {
	staking *stakingkeeper.Keeper
}

var _ stakingtypes.StakingHooks = commissionCap{}

// AfterValidatorCreated refuses a maximum above the cap.
func (c commissionCap) AfterValidatorCreated(ctx context.Context, addr sdk.ValAddress) error {
	v, err := c.staking.GetValidator(ctx, addr)
	if err != nil {
		return err
	}
	if v.Commission.MaxRate.GT(MaxCommission) {
		return fmt.Errorf("%w: the maximum commission is %s, may be at most %s: set commission-max-rate lower",
			stakingtypes.ErrCommissionGTMaxRate, v.Commission.MaxRate, MaxCommission)
	}
	return nil
}

func (commissionCap) BeforeValidatorModified(context.Context, sdk.ValAddress) error { return nil }
func (commissionCap) AfterValidatorRemoved(context.Context, sdk.ConsAddress, sdk.ValAddress) error {
	return nil
}

func (commissionCap) AfterValidatorConsKeyUpdated(context.Context, sdk.ConsAddress, sdk.ConsAddress, sdk.ValAddress) error {
	return nil
}

func (commissionCap) AfterValidatorBonded(context.Context, sdk.ConsAddress, sdk.ValAddress) error {
	return nil
}

func (commissionCap) AfterValidatorBeginUnbonding(context.Context, sdk.ConsAddress, sdk.ValAddress) error {
	return nil
}

func (commissionCap) BeforeDelegationCreated(context.Context, sdk.AccAddress, sdk.ValAddress) error {
	return nil
}

func (commissionCap) BeforeDelegationSharesModified(context.Context, sdk.AccAddress, sdk.ValAddress) error {
	return nil
}

func (commissionCap) BeforeDelegationRemoved(context.Context, sdk.AccAddress, sdk.ValAddress) error {
	return nil
}

func (commissionCap) AfterDelegationModified(context.Context, sdk.AccAddress, sdk.ValAddress) error {
	return nil
}

func (commissionCap) BeforeValidatorSlashed(context.Context, sdk.ValAddress, math.LegacyDec) error {
	return nil
}
func (commissionCap) AfterUnbondingInitiated(context.Context, uint64) error { return nil }
