package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// ExchangeHotkeys gives a hotkey's stakes, children, locks, takes and destination
// to another hotkey of the same coldkey, and that one's, which are none, to it.
// The two exchange their accounts: it costs the same however many nominators
// there are. Destinations that lead to the old hotkey lead to the new one, so the
// cost grows with the coldkey's own hotkeys alone.
func (k Keeper) ExchangeHotkeys(ctx context.Context, hotkey, newHotkey sdk.AccAddress) error {
	from, err := k.record(ctx, hotkey)
	if err != nil {
		return err
	}
	to, err := k.record(ctx, newHotkey)
	if err != nil {
		return err
	}
	switch {
	case hotkey.Equals(newHotkey):
		return types.ErrInvalidRequest.Wrapf("%s can't be swapped with itself", from.Hotkey)
	case from.Coldkey != to.Coldkey:
		return types.ErrNotOwner.Wrapf("%s is %s's hotkey and %s is %s's: a swap stays with one coldkey", from.Hotkey, from.Coldkey, to.Hotkey, to.Coldkey)
	}
	if err := k.unused(ctx, newHotkey); err != nil {
		return err
	}
	a, b := accountName(from), accountName(to)
	from.Account, to.Account = elsewhere(b, from.Hotkey), elsewhere(a, to.Hotkey)
	from.Take, to.Take = to.Take, from.Take
	from.TakeRaisedHeight, to.TakeRaisedHeight = to.TakeRaisedHeight, from.TakeRaisedHeight
	from.TakeRaisedTime, to.TakeRaisedTime = to.TakeRaisedTime, from.TakeRaisedTime
	from.Destination, to.Destination = elsewhere(to.Destination, from.Hotkey), elsewhere(from.Destination, to.Hotkey)
	for _, h := range []struct {
		key    sdk.AccAddress
		record types.Hotkey
	}{{hotkey, from}, {newHotkey, to}} {
		if err := k.setHotkey(ctx, h.key, h.record); err != nil {
			return err
		}
		if err := k.indexAccount(ctx, h.key, h.record); err != nil {
			return err
		}
	}
	if err := k.redirect(ctx, from.Hotkey, to.Hotkey, from.Coldkey); err != nil {
		return err
	}
	return emit(ctx, &types.EventHotkeysSwapped{Hotkey: from.Hotkey, NewHotkey: to.Hotkey, Coldkey: from.Coldkey})
}

// unused is an error for a hotkey that anything is on in a live subnet: a swap
// would carry it, and with it what others have put there, to another hotkey.
// Locks are part of stakes.
func (k Keeper) unused(ctx context.Context, hotkey sdk.AccAddress) error {
	account, err := k.Account(ctx, hotkey)
	if err != nil {
		return err
	}
	pools, err := k.Pools(ctx)
	if err != nil {
		return err
	}
	for _, p := range pools {
		what, err := k.use(ctx, p.SubnetId, account)
		if err != nil {
			return err
		}
		if what == "" {
			continue
		}
		name, err := k.text(hotkey)
		if err != nil {
			return err
		}
		return types.ErrUsed.Wrapf("%s has %s in subnet %d: swap to a hotkey that nothing is on, or make a new one", name, what, p.Netuid)
	}
	return nil
}

// use says what is on an account in a subnet; "" for nothing.
func (k Keeper) use(ctx context.Context, subnetID uint64, account sdk.AccAddress) (string, error) {
	at := collections.Join(subnetID, account)
	if has, err := k.stakePools.Has(ctx, at); err != nil || has {
		return "stake", err
	}
	if has, err := k.children.Has(ctx, at); err != nil || has {
		return "children", err
	}
	if has, err := k.pendingChildren.Has(ctx, at); err != nil || has {
		return "children that wait for their cooldown", err
	}
	for _, index := range []struct {
		of   collections.KeySet[parentOf]
		what string
	}{{k.parents, "parents"}, {k.pendingParents, "parents that wait for their cooldown"}} {
		any := false
		err := index.of.Walk(ctx, collections.NewSuperPrefixedTripleRange[uint64, sdk.AccAddress, sdk.AccAddress](subnetID, account),
			func(parentOf) (bool, error) { any = true; return true, nil })
		if err != nil || any {
			return index.what, err
		}
	}
	return "", nil
}

// redirect makes the destinations of a coldkey's hotkeys that are one hotkey
// another.
func (k Keeper) redirect(ctx context.Context, from, to, coldkey string) error {
	owner, err := k.addressOf("coldkey", coldkey)
	if err != nil {
		return err
	}
	var changed []types.Hotkey // changed after the walk: an iterator should not see writes
	err = k.hotkeysOfColdkey.Walk(ctx, collections.NewPrefixedPairRange[sdk.AccAddress, sdk.AccAddress](owner), func(at hotkeyOf) (bool, error) {
		h, err := k.hotkeys.Get(ctx, at.K2())
		if err != nil {
			return true, err
		}
		if h.Destination == from {
			h.Destination = to
			changed = append(changed, h)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, h := range changed {
		hotkey, err := k.addressOf("hotkey", h.Hotkey)
		if err != nil {
			return err
		}
		if err := k.setHotkey(ctx, hotkey, h); err != nil {
			return err
		}
	}
	return nil
}

// record is a bound hotkey's as it is stored.
func (k Keeper) record(ctx context.Context, hotkey sdk.AccAddress) (types.Hotkey, error) {
	if _, err := k.Hotkey(ctx, hotkey); err != nil { // says what to do where it is not bound
		return types.Hotkey{}, err
	}
	return k.hotkeys.Get(ctx, hotkey)
}

// accountName is a record's account as text.
func accountName(h types.Hotkey) string {
	if h.Account == "" {
		return h.Hotkey
	}
	return h.Account
}

// elsewhere is an address as a record keeps it: empty where it is the hotkey itself.
func elsewhere(address, hotkey string) string {
	if address == hotkey {
		return ""
	}
	return address
}
