package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/market/types"
)

// party is a hotkey, whose it is and where what it has is kept.
type party struct {
	hotkey, coldkey, account             sdk.AccAddress
	hotkeyText, coldkeyText, accountText string
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
	if p.account, err = k.alpha.Account(ctx, hotkey); err != nil {
		return p, err
	}
	p.accountText, err = k.text(p.account)
	return p, err
}

// provider is the party that has an account now. Records keep it as text.
func (k Keeper) provider(ctx context.Context, account string) (party, error) {
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

// signs tells whether an address is the party's hotkey or its coldkey.
func (p party) signs(signer sdk.AccAddress) bool {
	return signer.Equals(p.hotkey) || signer.Equals(p.coldkey)
}

// signed asks for a message that the party's hotkey signed, or its coldkey.
func (k Keeper) signed(p party, signer string) error {
	who, err := k.addressOf("signer", signer)
	if err == nil && !p.signs(who) {
		err = types.ErrNotYours.Wrapf("%s is neither the provider's hotkey %s nor its coldkey %s: one of them signs", signer, p.hotkeyText, p.coldkeyText)
	}
	return err
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

// canonical is an address of a message in its one form: a message may write it in
// upper case.
func (k Keeper) canonical(what, bech32 string) (sdk.AccAddress, string, error) {
	a, err := k.addressOf(what, bech32)
	if err != nil {
		return nil, "", err
	}
	s, err := k.text(a)
	return a, s, err
}
