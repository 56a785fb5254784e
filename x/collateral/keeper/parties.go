package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/collateral/types"
)

// party is a hotkey, whose it is and where its stake is kept.
type party struct {
	hotkey, coldkey, account sdk.AccAddress
	hotkeyText, coldkeyText  string
}

// party looks a bound hotkey up.
func (k Keeper) party(ctx context.Context, hotkey sdk.AccAddress) (p party, err error) {
	p.hotkey = hotkey
	if p.hotkeyText, err = k.text(hotkey); err != nil {
		return p, err
	}
	if p.coldkey, err = k.alpha.Coldkey(ctx, hotkey); err != nil {
		return p, err
	}
	if p.coldkeyText, err = k.text(p.coldkey); err != nil {
		return p, err
	}
	p.account, err = k.alpha.Account(ctx, hotkey)
	return p, err
}

// own is the party of a message that the coldkey signed: the hotkey must be its.
func (k Keeper) own(ctx context.Context, hotkey, coldkey string) (party, error) {
	hot, err := k.addressOf("hotkey", hotkey)
	if err != nil {
		return party{}, err
	}
	cold, err := k.addressOf("coldkey", coldkey)
	if err != nil {
		return party{}, err
	}
	p, err := k.party(ctx, hot)
	if err == nil && !p.coldkey.Equals(cold) {
		err = types.ErrNotOwn.Wrapf("hotkey %s is bound to %s, not to %s", p.hotkeyText, p.coldkeyText, coldkey)
	}
	return p, err
}

// accountParty is the party that has an account now. Records keep it as text.
func (k Keeper) accountParty(ctx context.Context, account string) (party, error) {
	a, err := k.addressOf("account", account)
	if err != nil {
		return party{}, err
	}
	hotkey, err := k.alpha.HotkeyOf(ctx, a)
	if err != nil {
		return party{}, err
	}
	return k.party(ctx, hotkey)
}

// hotkeyNamed is the hotkey that has an account now, both as text.
func (k Keeper) hotkeyNamed(ctx context.Context, account string) (string, error) {
	a, err := k.addressOf("account", account)
	if err != nil {
		return "", err
	}
	hotkey, err := k.alpha.HotkeyOf(ctx, a)
	if err != nil {
		return "", err
	}
	return k.text(hotkey)
}

// placeOf is the key of what is kept under an account, as records name it.
func (k Keeper) placeOf(subnetID uint64, account string) (place, error) {
	a, err := k.addressOf("account", account)
	return collections.Join(subnetID, a), err
}

func (k Keeper) addressOf(what, bech32 string) (sdk.AccAddress, error) {
	a, err := k.ac.StringToBytes(bech32)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("%s %q: %s", what, bech32, err)
	}
	return a, nil
}

func (k Keeper) text(a sdk.AccAddress) (string, error) {
	s, err := k.ac.BytesToString(a)
	if err != nil {
		return "", sdkerrors.ErrInvalidAddress.Wrapf("%x: %s", a.Bytes(), err)
	}
	return s, nil
}
