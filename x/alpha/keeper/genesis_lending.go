package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/alpha/types"
)

// initLending loads children, takes of children and locks.
func (k Keeper) initLending(ctx context.Context, g types.GenesisState) error {
	for _, c := range g.Children {
		parent, err := k.addressOf("parent", c.Parent)
		if err != nil {
			return err
		}
		if err := k.setChildren(ctx, parent, c); err != nil {
			return err
		}
	}
	for _, c := range g.PendingChildren {
		parent, err := k.addressOf("parent", c.Children.Parent)
		if err != nil {
			return err
		}
		if err := k.setPending(ctx, parent, c); err != nil {
			return err
		}
	}
	for _, t := range g.ChildkeyTakes {
		account, err := k.addressOf("hotkey", t.Hotkey)
		if err != nil {
			return err
		}
		if err := k.childkeyTakes.Set(ctx, collections.Join(t.SubnetId, account), t); err != nil {
			return err
		}
	}
	for _, l := range g.Locks {
		coldkey, account, err := k.keys(l.Coldkey, l.Hotkey)
		if err != nil {
			return err
		}
		if err := k.locks.Set(ctx, collections.Join3(l.SubnetId, account, coldkey), l.Alpha); err != nil {
			return err
		}
	}
	return nil
}

// exportLending adds them to an exported state.
func (k Keeper) exportLending(ctx context.Context, g *types.GenesisState) (err error) {
	if g.Children, err = values(ctx, k.children); err != nil {
		return err
	}
	if g.PendingChildren, err = values(ctx, k.pendingChildren); err != nil {
		return err
	}
	if g.ChildkeyTakes, err = values(ctx, k.childkeyTakes); err != nil {
		return err
	}
	g.Locks, err = k.Locks(ctx)
	return err
}
