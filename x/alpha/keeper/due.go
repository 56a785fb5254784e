package keeper

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// due is when a delay that begins now is over: the block and the second (Unix)
// that must both have come. Neither fast blocks nor slow ones shorten it.
func (k Keeper) due(ctx context.Context, blocks int64) (height, second int64, err error) {
	target, err := k.upper.network.TargetBlockTime(ctx)
	if err != nil {
		return 0, 0, err
	}
	c := sdk.UnwrapSDKContext(ctx)
	delay := (time.Duration(blocks)*target + time.Second - 1) / time.Second
	return c.BlockHeight() + blocks, c.BlockTime().Unix() + int64(delay), nil
}

// passed tells whether a block and a second have both come.
func passed(ctx context.Context, height, second int64) bool {
	c := sdk.UnwrapSDKContext(ctx)
	return c.BlockHeight() >= height && c.BlockTime().Unix() >= second
}
