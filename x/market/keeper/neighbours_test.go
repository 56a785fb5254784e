package keeper_test

import (
	"context"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/fixed"
	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	"github.com/lodenet/lode/x/market/types"
)

// faulty is x/alpha as the module sees it, and can be made to fail.
type faulty struct {
	alphakeeper.Keeper
	coldkey, buy error
}

func (f *faulty) Coldkey(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error) {
	if f.coldkey != nil {
		return nil, f.coldkey
	}
	return f.Keeper.Coldkey(ctx, hotkey)
}

func (f *faulty) BuyAndBurn(ctx context.Context, subnetID uint64, payer sdk.AccAddress, tao uint64, reason string) (uint64, error) {
	bought, err := f.Keeper.BuyAndBurn(ctx, subnetID, payer, tao, reason)
	if f.buy != nil {
		return 0, f.buy
	}
	return bought, err
}

// economy stands for x/emission, and for the schedule of x/weights: blocks of a second;
// what is recycled is burned; no epoch comes, so that revenue waits.
type economy struct {
	bank    bankkeeper.BaseKeeper
	revenue map[uint64]uint64 // alpha that waits for miners, by subnet id
	add     error
}

func (*economy) TargetBlockTime(context.Context) (time.Duration, error) { return time.Second, nil }
func (*economy) MedianMovingPrice(context.Context) (fixed.Q64, error)   { return fixed.OneQ64(), nil }
func (*economy) MovingPrice(context.Context, uint64) (fixed.Q64, error) { return fixed.OneQ64(), nil }
func (*economy) NextEpoch(context.Context, uint64) (int64, bool, error) { return 0, false, nil }

func (e *economy) AddRevenue(_ context.Context, subnetID, alpha uint64) error {
	if e.add != nil {
		return e.add
	}
	e.revenue[subnetID] += alpha
	return nil
}

func (e *economy) Recycle(ctx context.Context, fromModule string, rao uint64, _ string) error {
	if err := e.bank.SendCoinsFromModuleToModule(ctx, fromModule, source, coins(rao)); err != nil {
		return err
	}
	return e.bank.BurnCoins(ctx, source, coins(rao))
}

func (e *economy) RecycleOf(ctx context.Context, payer sdk.AccAddress, rao uint64, _ string) error {
	if err := e.bank.SendCoinsFromAccountToModule(ctx, payer, source, coins(rao)); err != nil {
		return err
	}
	return e.bank.BurnCoins(ctx, source, coins(rao))
}

func coins(rao uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(types.Denom, sdkmath.NewIntFromUint64(rao)))
}

// headerAt is the header of a context's block: x/authz reads the time from it.
func headerAt(ctx sdk.Context) cmtproto.Header {
	return cmtproto.Header{ChainID: chain, Height: ctx.BlockHeight(), Time: ctx.BlockTime()}
}

// noValidators is a chain without validators of its own.
type noValidators struct{}

func (noValidators) GetValidator(context.Context, sdk.ValAddress) (stakingtypes.Validator, error) {
	return stakingtypes.Validator{}, stakingtypes.ErrNoValidatorFound
}

func (noValidators) GetBondedValidatorsByPower(context.Context) ([]stakingtypes.Validator, error) {
	return nil, nil
}
