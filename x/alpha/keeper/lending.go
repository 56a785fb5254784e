package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// ChildrenIn are all children in force in a subnet, each parent once, in the
// order of the parents' accounts. Parents and children are hotkeys here.
func (k Keeper) ChildrenIn(ctx context.Context, subnetID uint64) ([]types.Children, error) {
	var all []types.Children
	err := k.children.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](subnetID), func(_ stakePoolKey, c types.Children) (bool, error) {
		all = append(all, c)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i], err = k.byHotkeys(ctx, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ParentsOf are the hotkeys that lend a child stake weight in a subnet, with the
// fraction of their own that each lends it, in the order of their accounts.
func (k Keeper) ParentsOf(ctx context.Context, subnetID uint64, child sdk.AccAddress) ([]types.Child, error) {
	account, err := k.Account(ctx, child)
	if err != nil {
		return nil, err
	}
	name, err := k.text(account)
	if err != nil {
		return nil, err
	}
	var parents []types.Child
	err = k.parents.Walk(ctx, collections.NewSuperPrefixedTripleRange[uint64, sdk.AccAddress, sdk.AccAddress](subnetID, account), func(at parentOf) (bool, error) {
		c, err := k.children.Get(ctx, collections.Join(subnetID, at.K3()))
		if err != nil {
			return true, err
		}
		for _, lent := range c.Children {
			if lent.Hotkey != name {
				continue
			}
			parent, err := k.hotkeyNamed(ctx, c.Parent)
			if err != nil {
				return true, err
			}
			parents = append(parents, types.Child{Hotkey: parent, Proportion: lent.Proportion})
		}
		return false, nil
	})
	return parents, err
}

// ChildkeyTake is what a child keeps of the dividends that lent stake weight
// earned in a subnet, per 10^6; 0 unless it was set. A take above a maximum that
// governance has lowered since counts as the maximum.
func (k Keeper) ChildkeyTake(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (uint32, error) {
	account, err := k.Account(ctx, hotkey)
	if err != nil {
		return 0, err
	}
	t, ok, err := found(k.childkeyTakes.Get(ctx, collections.Join(subnetID, account)))
	if err != nil || !ok {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	return min(t.Take, params.MaxTake), err
}

// byHotkeys is a record with hotkeys in place of accounts.
func (k Keeper) byHotkeys(ctx context.Context, c types.Children) (types.Children, error) {
	out := types.Children{SubnetId: c.SubnetId, Children: make([]types.Child, len(c.Children))}
	var err error
	if out.Parent, err = k.hotkeyNamed(ctx, c.Parent); err != nil {
		return out, err
	}
	for i, child := range c.Children {
		out.Children[i].Proportion = child.Proportion
		if out.Children[i].Hotkey, err = k.hotkeyNamed(ctx, child.Hotkey); err != nil {
			return out, err
		}
	}
	return out, nil
}
