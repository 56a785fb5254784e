package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// BindHotkey binds a hotkey to its coldkey, for good. Both have signed: that is
// what the message's two signers are for, so nobody binds a stranger's key.
func (k msgServer) BindHotkey(ctx context.Context, m *types.MsgBindHotkey) (*types.MsgBindHotkeyResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	hotkey, err := k.addressOf("hotkey", m.Hotkey)
	if err != nil {
		return nil, err
	}
	coldkey, err := k.addressOf("coldkey", m.Coldkey)
	if err != nil {
		return nil, err
	}
	if hotkey.Equals(coldkey) { // the same key, spelled in two ways
		return nil, types.ErrBound.Wrapf("%s can't be its own coldkey", m.Hotkey)
	}
	// The ante handler refuses this already, but not in the announcement's own
	// transaction: there the swap's new coldkey could become the old one's hotkey,
	// and with the swap its own.
	if err := k.Unlocked(ctx, coldkey); err != nil {
		return nil, err
	}
	if h, bound, err := found(k.hotkeys.Get(ctx, hotkey)); err != nil {
		return nil, err
	} else if bound {
		return nil, types.ErrBound.Wrapf("%s has been %s's since block %d: a binding is for good, make a new hotkey", h.Hotkey, h.Coldkey, h.BoundHeight)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	h := types.Hotkey{Take: params.DefaultTake, BoundHeight: sdk.UnwrapSDKContext(ctx).BlockHeight()}
	if h.Hotkey, err = k.text(hotkey); err != nil {
		return nil, err
	}
	if h.Coldkey, err = k.text(coldkey); err != nil {
		return nil, err
	}
	if err := k.setHotkey(ctx, hotkey, h); err != nil {
		return nil, err
	}
	if err := emit(ctx, &types.EventHotkeyBound{Hotkey: h.Hotkey, Coldkey: h.Coldkey}); err != nil {
		return nil, err
	}
	return &types.MsgBindHotkeyResponse{}, emit(ctx, &types.EventTakeSet{Hotkey: h.Hotkey, Take: h.Take})
}
