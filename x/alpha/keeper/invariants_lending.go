package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// checkLending tests that hotkeys and accounts lead to each other, that children
// are as a message may set them and their indexes name them and nothing else, and
// that no lock is more than its stake.
func (k Keeper) checkLending(ctx context.Context) error {
	for _, check := range []func(context.Context) error{k.checkAccounts, k.checkChildren, k.checkPending, k.checkLocks} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (k Keeper) checkAccounts(ctx context.Context) error {
	away := 0
	err := k.hotkeys.Walk(ctx, nil, func(hotkey sdk.AccAddress, h types.Hotkey) (bool, error) {
		account, err := k.Account(ctx, hotkey)
		if err != nil {
			return true, err
		}
		back, err := k.HotkeyOf(ctx, account)
		if err != nil {
			return true, err
		}
		if !back.Equals(hotkey) {
			return true, types.ErrInvariantBroken.Wrapf("hotkey %s has the account %s, which leads to another hotkey", h.Hotkey, accountName(h))
		}
		if h.Account != "" {
			away++
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := k.hotkeyOfAccount.Walk(ctx, nil, func(sdk.AccAddress, []byte) (bool, error) { away--; return false, nil }); err != nil {
		return err
	}
	return surplus("hotkeys of accounts", -away)
}

func (k Keeper) checkChildren(ctx context.Context) error {
	entries := 0
	err := k.children.Walk(ctx, nil, func(at stakePoolKey, c types.Children) (bool, error) {
		entries += len(c.Children)
		if len(c.Children) == 0 {
			return true, types.ErrInvariantBroken.Wrapf("%s has a record of no children in subnet id %d", c.Parent, c.SubnetId)
		}
		return false, k.checkFamily(ctx, k.parents, at, c)
	})
	if err != nil {
		return err
	}
	if err := k.parents.Walk(ctx, nil, func(parentOf) (bool, error) { entries--; return false, nil }); err != nil {
		return err
	}
	return surplus("parents", -entries)
}

func (k Keeper) checkPending(ctx context.Context) error {
	entries, due := 0, 0
	err := k.pendingChildren.Walk(ctx, nil, func(at stakePoolKey, c types.PendingChildren) (bool, error) {
		entries += len(c.Children.Children)
		due++
		if ok, err := k.childrenDue.Has(ctx, collections.Join3(c.DueHeight, at.K1(), at.K2())); err != nil || !ok {
			return true, missing(err, "change of children", at.K1(), at.K2())
		}
		return false, k.checkFamily(ctx, k.pendingParents, at, c.Children)
	})
	if err != nil {
		return err
	}
	if err := k.pendingParents.Walk(ctx, nil, func(parentOf) (bool, error) { entries--; return false, nil }); err != nil {
		return err
	}
	if err := k.childrenDue.Walk(ctx, nil, func(childrenDue) (bool, error) { due--; return false, nil }); err != nil {
		return err
	}
	if err := surplus("waiting parents", -entries); err != nil {
		return err
	}
	return surplus("due changes of children", -due)
}

// checkFamily tests a parent's children and that an index has them.
func (k Keeper) checkFamily(ctx context.Context, index collections.KeySet[parentOf], at stakePoolKey, c types.Children) error {
	if err := types.ValidateChildren(c.Parent, c.Children); err != nil {
		return types.ErrInvariantBroken.Wrapf("children of %s in subnet id %d: %s", c.Parent, c.SubnetId, err)
	}
	for _, child := range c.Children {
		account, err := k.addressOf("child", child.Hotkey)
		if err != nil {
			return err
		}
		if ok, err := index.Has(ctx, collections.Join3(at.K1(), account, at.K2())); err != nil || !ok {
			return missing(err, "child", at.K1(), account)
		}
	}
	return nil
}

func (k Keeper) checkLocks(ctx context.Context) error {
	return k.locks.Walk(ctx, nil, func(at positionKey, locked uint64) (bool, error) {
		hotkey, err := k.HotkeyOf(ctx, at.K2())
		if err != nil {
			return true, err
		}
		worth, err := k.StakeOf(ctx, at.K1(), hotkey, at.K3())
		if err == nil && (locked == 0 || locked > worth) {
			err = types.ErrInvariantBroken.Wrapf("in subnet id %d, %d alpha units of a stake on %x are locked that is worth %d", at.K1(), locked, hotkey.Bytes(), worth)
		}
		return false, err
	})
}

// surplus is an error for an index with more entries than its records need.
func surplus(what string, entries int) error {
	if entries == 0 {
		return nil
	}
	return types.ErrInvariantBroken.Wrapf("the index of %s has %d entries too many", what, entries)
}
