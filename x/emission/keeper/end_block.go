package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/x/emission/curve"
	"github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/internal/guarded"
)

// million is the denominator of shares.
const million = 1_000_000

// block is what all subnets of a block share.
type block struct {
	params     types.Params
	height     int64
	elapsed    uint64                   // milliseconds that the block's rewards are for
	target     uint64                   // milliseconds
	validators []stakingtypes.Validator // the bonded ones
	tokens     []uint64                 // theirs, rao
	rootWeight uint64                   // tao_weight · all bonded tokens, units of 10^-9
}

// EndBlocker counts what was burned, mints the block reward and divides it
// (protocol.md §2, §6), then runs and pays the epochs that are due (§7). It comes
// after x/staking's: root stake is read as that leaves it.
func (k Keeper) EndBlocker(ctx context.Context) error {
	if err := k.countBurns(ctx); err != nil {
		return err
	}
	b, err := k.openBlock(ctx)
	if err != nil {
		return err
	}
	if err := k.mintBlock(ctx, b); err != nil {
		return err
	}
	return k.runEpochs(ctx, b)
}

// mintBlock mints what the time since the last block is worth. What can't be
// handed to anyone is not minted.
func (k Keeper) mintBlock(ctx context.Context, b block) error {
	totals, err := k.totals.Get(ctx)
	if err != nil {
		return err
	}
	reward, err := k.blockReward(ctx, b, totals.Issued)
	if err != nil {
		return err
	}
	forSecurity := curve.MulDiv(reward, uint64(b.params.SecurityShare), million)
	security, err := guarded.Attempt(ctx, types.ModuleName, func(ctx context.Context) (uint64, error) { return k.paySecurity(ctx, b, forSecurity) })
	if err != nil {
		if err := dropped(ctx, 0, 0, err); err != nil {
			return err
		}
	}
	emitted, err := guarded.Attempt(ctx, types.ModuleName, func(ctx context.Context) (uint64, error) { return k.emitSubnets(ctx, b, reward-forSecurity) })
	if err != nil {
		if err := dropped(ctx, 0, 0, err); err != nil {
			return err
		}
	}

	minted := security + emitted
	if minted == 0 {
		return nil
	}
	totals.Issued += minted
	totals.Security += security
	if err := k.totals.Set(ctx, totals); err != nil {
		return err
	}
	return emit(ctx, &types.EventBlockReward{Minted: minted, Security: security, Issued: totals.Issued})
}

// openBlock reads the clock and sets it.
func (k Keeper) openBlock(ctx context.Context) (b block, err error) {
	if b.params, err = k.params.Get(ctx); err != nil {
		return b, err
	}
	clock, err := k.clock.Get(ctx)
	if err != nil {
		return b, err
	}
	c := sdk.UnwrapSDKContext(ctx)
	now := c.BlockTime().UnixMilli()
	b.height, b.target = c.BlockHeight(), uint64(b.params.TargetBlockTime)
	b.elapsed = curve.Elapsed(clock.LastTime, now, b.params.TargetBlockTime)
	if err := k.clock.Set(ctx, types.Clock{LastTime: now}); err != nil {
		return b, err
	}
	if b.validators, err = k.staking.GetBondedValidatorsByPower(ctx); err != nil {
		return b, err
	}
	b.tokens = make([]uint64, len(b.validators))
	for i, v := range b.validators {
		b.tokens[i] = clamp(v.Tokens)
	}
	weights, err := k.weights.Params(ctx)
	if err != nil {
		return b, err
	}
	b.rootWeight = weights.WeighRoot(sum(b.tokens))
	return b, nil
}

// blockReward is the block's TAO: the curve's, scaled by time, never past the cap.
func (k Keeper) blockReward(ctx context.Context, b block, issued uint64) (uint64, error) {
	remainder, _, err := found(k.taoRemainder.Get(ctx))
	if err != nil {
		return 0, err
	}
	perBlock := curve.Reward(b.params.Cap, b.params.InitialReward, issued)
	reward, rest := curve.Scale(perBlock, remainder, b.elapsed, b.target)
	if perBlock == 0 {
		return 0, nil // the cap is reached: what was carried is a part of a rao
	}
	return min(reward, b.params.Cap-issued), k.taoRemainder.Set(ctx, rest)
}
