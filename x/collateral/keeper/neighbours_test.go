package keeper_test

import (
	"context"
	"time"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/fixed"
	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	"github.com/lodenet/lode/x/collateral/types"
)

// faulty is x/alpha as the module sees it, and can be made to fail.
type faulty struct {
	alphakeeper.Keeper
	unlock error
}

func (f *faulty) UnlockStake(ctx context.Context, id uint64, hotkey, coldkey sdk.AccAddress, alpha uint64) error {
	if f.unlock != nil {
		return f.unlock
	}
	return f.Keeper.UnlockStake(ctx, id, hotkey, coldkey, alpha)
}

// economy stands for x/emission: blocks of a second; what is recycled is burned.
type economy struct{ bank bankkeeper.BaseKeeper }

func (economy) TargetBlockTime(context.Context) (time.Duration, error) { return time.Second, nil }
func (economy) MedianMovingPrice(context.Context) (fixed.Q64, error)   { return fixed.OneQ64(), nil }
func (economy) MovingPrice(_ context.Context, id uint64) (fixed.Q64, error) {
	return fixed.OneQ64(), nil
}

func (e economy) Recycle(ctx context.Context, fromModule string, rao uint64, _ string) error {
	if err := e.bank.SendCoinsFromModuleToModule(ctx, fromModule, source, coins(rao)); err != nil {
		return err
	}
	return e.bank.BurnCoins(ctx, source, coins(rao))
}

func (e economy) RecycleOf(ctx context.Context, payer sdk.AccAddress, rao uint64, _ string) error {
	if err := e.bank.SendCoinsFromAccountToModule(ctx, payer, source, coins(rao)); err != nil {
		return err
	}
	return e.bank.BurnCoins(ctx, source, coins(rao))
}

func coins(rao uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(rao)))
}

// noValidators is a chain without validators of its own.
type noValidators struct{}

func (noValidators) GetValidator(context.Context, sdk.ValAddress) (stakingtypes.Validator, error) {
	return stakingtypes.Validator{}, stakingtypes.ErrNoValidatorFound
}

func (noValidators) GetBondedValidatorsByPower(context.Context) ([]stakingtypes.Validator, error) {
	return nil, nil
}
