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
	coldkey, err := k.addressOf("coldkey", m.Coldkey)
	if err != nil {
		return nil, err
	}
	hotkey, err := k.addressOf("hotkey", m.Hotkey)
	if err != nil {
		return nil, err
	}
	h, err := k.Hotkey(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	if owner, err := k.addressOf("coldkey", h.Coldkey); err != nil {
		return nil, err
	} else if !owner.Equals(coldkey) {
		return nil, types.ErrNotOwner.Wrapf("%s is %s's hotkey, not %s's: only its coldkey sets its take", h.Hotkey, h.Coldkey, m.Coldkey)
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
		if err := raise(ctx, &h, params); err != nil {
			return nil, err
		}
	}
	h.Take = m.Take
	if err := k.setHotkey(ctx, hotkey, h); err != nil {
		return nil, err
	}
	return &types.MsgSetTakeResponse{}, emit(ctx, &types.EventTakeSet{Hotkey: h.Hotkey, Take: h.Take})
}

// raise records a raise of the take, if enough has passed since the last one.
func raise(ctx context.Context, h *types.Hotkey, params types.Params) error {
	c := sdk.UnwrapSDKContext(ctx)
	height, now := c.BlockHeight(), c.BlockTime().Unix()
	if h.TakeRaisedHeight > 0 {
		block, second := h.TakeRaisedHeight+params.TakeRaiseBlocks, h.TakeRaisedTime+params.TakeRaiseSeconds
		if height < block || now < second {
			return types.ErrTooSoon.Wrapf("the take of %s was last raised in block %d; it can be raised again from block %d on, not before %s (this is block %d, %s); lowering is free",
				h.Hotkey, h.TakeRaisedHeight, block, utc(second), height, utc(now))
		}
	}
	h.TakeRaisedHeight, h.TakeRaisedTime = height, now
	return nil
}

func utc(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }
