package keeper

import (
	"context"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// SetTake sets a hotkey's take of its nominators' dividends. Lowering is free;
// between two raises blocks and time must pass, so that nobody stakes on a low
// take and finds a high one in the next epoch.
func (k msgServer) SetTake(ctx context.Context, m *types.MsgSetTake) (*types.MsgSetTakeResponse, error) {
	_, hotkey, err := k.own(ctx, m.Coldkey, m.Hotkey, "sets its take")
	if err != nil {
		return nil, err
	}
	h, err := k.Hotkey(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if m.Take > params.MaxTake {
		return nil, types.ErrTake.Wrapf("a take of %d per million, the most is %d", m.Take, params.MaxTake)
	}
	if m.Take == h.Take {
		return &types.MsgSetTakeResponse{}, nil
	}
	if m.Take > h.Take {
		if h.TakeRaisedHeight, h.TakeRaisedTime, err = raise(ctx, "take of "+h.Hotkey, h.TakeRaisedHeight, h.TakeRaisedTime, params); err != nil {
			return nil, err
		}
	}
	h.Take = m.Take
	if err := k.setHotkey(ctx, hotkey, h); err != nil {
		return nil, err
	}
	return &types.MsgSetTakeResponse{}, emit(ctx, &types.EventTakeSet{Hotkey: h.Hotkey, Take: h.Take})
}

// raise is block and second of a take's raise now, if enough has passed since the
// last one.
func raise(ctx context.Context, what string, lastHeight, lastTime int64, params types.Params) (height, now int64, err error) {
	c := sdk.UnwrapSDKContext(ctx)
	height, now = c.BlockHeight(), c.BlockTime().Unix()
	if lastHeight > 0 {
		block, second := lastHeight+params.TakeRaiseBlocks, lastTime+params.TakeRaiseSeconds
		if height < block || now < second {
			return 0, 0, types.ErrTooSoon.Wrapf("the %s was last raised in block %d; it can be raised again from block %d on, not before %s (this is block %d, %s); lowering is free",
				what, lastHeight, block, utc(second), height, utc(now))
		}
	}
	return height, now, nil
}

func utc(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }
