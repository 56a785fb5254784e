package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// Hotkey is a hotkey's binding and take. A take above a maximum that governance
// has lowered since counts as the maximum.
func (k Keeper) Hotkey(ctx context.Context, hotkey sdk.AccAddress) (types.Hotkey, error) {
	h, err := k.binding(ctx, hotkey)
	if err != nil {
		return h, err
	}
	params, err := k.params.Get(ctx)
	h.Take = min(h.Take, params.MaxTake)
	return h, err
}

// binding is a hotkey's record as it is kept.
func (k Keeper) binding(ctx context.Context, hotkey sdk.AccAddress) (types.Hotkey, error) {
	h, ok, err := found(k.hotkeys.Get(ctx, hotkey))
	if err != nil || ok {
		return h, err
	}
	name, err := k.text(hotkey)
	if err != nil {
		return h, err
	}
	return h, types.ErrNotBound.Wrapf("%s has no coldkey: bind it with MsgBindHotkey, which both keys sign", name)
}

// Coldkey is the key that a hotkey is bound to.
func (k Keeper) Coldkey(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error) {
	h, err := k.binding(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	return k.addressOf("coldkey", h.Coldkey)
}

// bound reads a hotkey of a message, which must be bound.
func (k Keeper) bound(ctx context.Context, what, bech32 string) (sdk.AccAddress, error) {
	hotkey, err := k.addressOf(what, bech32)
	if err != nil {
		return nil, err
	}
	_, err = k.Hotkey(ctx, hotkey)
	return hotkey, err
}

func (k Keeper) setHotkey(ctx context.Context, hotkey sdk.AccAddress, h types.Hotkey) error {
	coldkey, err := k.addressOf("coldkey", h.Coldkey)
	if err != nil {
		return err
	}
	if err := k.hotkeysOfColdkey.Set(ctx, collections.Join(coldkey, hotkey)); err != nil {
		return err
	}
	return k.hotkeys.Set(ctx, hotkey, h)
}
