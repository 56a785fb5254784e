package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// Account is the key under which a hotkey's stakes, children, childkey takes and
// locks are kept: its own address, or after a swap the other hotkey's. It stays
// theirs over swaps, so that none of these records has to move. A hotkey that is
// not bound has nothing; its account would be its own address.
func (k Keeper) Account(ctx context.Context, hotkey sdk.AccAddress) (sdk.AccAddress, error) {
	h, _, err := found(k.hotkeys.Get(ctx, hotkey))
	if err != nil {
		return nil, err
	}
	return k.accountOf(hotkey, h)
}

// accountOf is Account by the hotkey's record.
func (k Keeper) accountOf(hotkey sdk.AccAddress, h types.Hotkey) (sdk.AccAddress, error) {
	if h.Account == "" {
		return hotkey, nil
	}
	return k.addressOf("account", h.Account)
}

// HotkeyOf is the hotkey that has an account now.
func (k Keeper) HotkeyOf(ctx context.Context, account sdk.AccAddress) (sdk.AccAddress, error) {
	hotkey, ok, err := found(k.hotkeyOfAccount.Get(ctx, account))
	if err != nil {
		return nil, err
	}
	if !ok {
		return account, nil
	}
	return hotkey, nil
}

// hotkeyNamed is HotkeyOf for records, which keep addresses as text.
func (k Keeper) hotkeyNamed(ctx context.Context, account string) (string, error) {
	a, err := k.addressOf("account", account)
	if err != nil {
		return "", err
	}
	return k.hotkeyText(ctx, a)
}

// hotkeyText is HotkeyOf as text.
func (k Keeper) hotkeyText(ctx context.Context, account sdk.AccAddress) (string, error) {
	hotkey, err := k.HotkeyOf(ctx, account)
	if err != nil {
		return "", err
	}
	return k.text(hotkey)
}

// indexAccount keeps the way back from a hotkey's account. An account that is the
// hotkey's own address needs none.
func (k Keeper) indexAccount(ctx context.Context, hotkey sdk.AccAddress, h types.Hotkey) error {
	if h.Account == "" {
		return k.hotkeyOfAccount.Remove(ctx, hotkey)
	}
	account, err := k.addressOf("account", h.Account)
	if err != nil {
		return err
	}
	return k.hotkeyOfAccount.Set(ctx, account, hotkey)
}
