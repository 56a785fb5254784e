package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// limit is how often a neuron may do something of a kind.
type limit struct {
	kind   string
	name   string // as users know it
	blocks int64
	last   int64 // an attempt that the kind's own record doesn't know, 0 if none
}

// revealLimit lets one reveal a block through, which pays.
var revealLimit = limit{kind: types.KindReveal, name: "one reveal a block", blocks: 1}

// freeRevealLimit lets reveals into the free lane as often as commits: a reveal that
// fails keeps the commit, and 21 hotkeys that reveal something wrong in every block
// would fill the lane.
func freeRevealLimit(s subnetstypes.Subnet) limit {
	l := weightsLimit(s)
	l.kind, l.name = types.KindReveal, "weights_rate_limit for free reveals"
	return l
}

func weightsLimit(s subnetstypes.Subnet) limit {
	return limit{kind: types.KindWeights, name: "weights_rate_limit", blocks: max(int64(s.Hyperparameters.WeightsRateLimit), 1)}
}

// targetHeight is the block that a transaction is checked for. A check or a
// simulation runs on the state of the last block, for the next one.
func targetHeight(ctx context.Context) int64 {
	c := sdk.UnwrapSDKContext(ctx)
	if c.IsCheckTx() || c.ExecMode() == sdk.ExecModeSimulate {
		return c.BlockHeight() + 1
	}
	return c.BlockHeight()
}

// nextAllowed is the first block at which an attempt will be accepted, and the
// block of the last one; both 0 where there was none.
func (k Keeper) nextAllowed(ctx context.Context, n subnetstypes.Neuron, l limit) (first, last int64, err error) {
	a, ok, err := found(k.attempts.Get(ctx, collections.Join3(n.SubnetId, n.Uid, l.kind)))
	if err != nil {
		return 0, 0, err
	}
	last = l.last
	if ok {
		last = max(last, a.Height)
	}
	if last == 0 {
		return 0, 0, nil
	}
	return last + l.blocks, last, nil
}

// checkLimit is an error that says when to try again, if it is too soon.
func (k Keeper) checkLimit(ctx context.Context, n subnetstypes.Neuron, l limit) error {
	first, last, err := k.nextAllowed(ctx, n, l)
	if err != nil {
		return err
	}
	if now := targetHeight(ctx); now < first {
		return types.ErrTooSoon.Wrapf("%s: %d blocks between two attempts; the last was in block %d, the first block that will be accepted is %d (this is for block %d)",
			l.name, l.blocks, last, first, now)
	}
	return nil
}

// consumeLimit records an attempt.
func (k Keeper) consumeLimit(ctx context.Context, n subnetstypes.Neuron, l limit) error {
	return k.attempts.Set(ctx, collections.Join3(n.SubnetId, n.Uid, l.kind), types.LastAttempt{
		SubnetId: n.SubnetId, Uid: n.Uid, Kind: l.kind, Height: targetHeight(ctx),
	})
}

// useLimit is for messages: it checks and consumes, unless the free lane did.
func (k Keeper) useLimit(ctx context.Context, n subnetstypes.Neuron, l limit) error {
	if inLane(ctx) {
		return nil
	}
	if err := k.checkLimit(ctx, n, l); err != nil {
		return err
	}
	return k.consumeLimit(ctx, n, l)
}
