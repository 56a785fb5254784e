package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/internal/guarded"
	"github.com/lodenet/lode/x/market/types"
)

const (
	// retryBlocks is for how long a channel is put off of which something failed.
	retryBlocks = 100
	// mostLater bounds for how many seconds a channel is not looked at whose blocks are
	// still to come: they may be quicker than planned.
	mostLater = 3_600
)

// EndBlocker closes channels whose time is over and ends periods of plans, work_per_block
// channels in all, what is left in the next block; then it spends what subnets' services
// have brought. What fails is put off, so that it stops neither the chain nor the others.
func (k Keeper) EndBlocker(ctx context.Context) error {
	if err := k.lookAtChannels(ctx); err != nil {
		return err
	}
	return k.spendRevenues(ctx)
}

// lookAtChannels looks at channels in the order in which they are due.
func (k Keeper) lookAtChannels(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	height, seconds := now(ctx)
	due, err := guarded.FirstKeys(ctx, k.looks.Iterate, collections.NewPrefixUntilPairRange[int64, []byte](seconds), int(params.WorkPerBlock))
	if err != nil {
		return err
	}
	for _, at := range due {
		c, err := k.channels.Get(ctx, at.K2())
		if err != nil {
			return err
		}
		failed := guarded.Do(ctx, types.ModuleName, func(ctx context.Context) error { return k.lookAt(ctx, c, height) })
		if failed == nil {
			continue
		}
		millis, err := k.blockMillis(ctx)
		if err != nil {
			return err
		}
		next := seconds + max(1, retryBlocks*millis/1_000)
		if err := k.setChannel(ctx, c, next); err != nil {
			return err
		}
		if err := tellPutOff(ctx, &types.EventWorkPutOff{ChannelId: hexID(c), SubnetId: c.SubnetId, Netuid: c.Netuid, NextTime: next}, failed); err != nil {
			return err
		}
	}
	return nil
}

// lookAt does what is due with a channel whose time has come.
func (k Keeper) lookAt(ctx context.Context, c types.Channel, height int64) error {
	if !c.Closing() {
		return k.endPeriod(ctx, c)
	}
	if c.ClosingHeight > height { // blocks were slower than planned
		millis, err := k.blockMillis(ctx)
		if err != nil {
			return err
		}
		_, seconds := now(ctx)
		return k.setChannel(ctx, c, seconds+min(max(1, (c.ClosingHeight-height)*millis/1_000/2), mostLater))
	}
	reason := byPayer
	if c.Subscription != nil {
		reason = planEnded
	}
	_, err := k.end(ctx, c, reason)
	return err
}

func tellPutOff(ctx context.Context, e *types.EventWorkPutOff, cause error) error {
	sdk.UnwrapSDKContext(ctx).Logger().Error("work at the block's end was put off", "module", types.ModuleName, "subnet", e.SubnetId, "channel", e.ChannelId, "reason", cause.Error())
	e.Reason = guarded.Reason(cause)
	return emit(ctx, e)
}
