package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// childrenPerBlock bounds how many changes of children a block carries out.
const childrenPerBlock = 200

// SetChildren lends fractions of a hotkey's own stake weight in a subnet to other
// hotkeys, in place of all that it lent before. It takes effect after a cooldown;
// another one in the meantime replaces it and waits as long again.
func (k msgServer) SetChildren(ctx context.Context, m *types.MsgSetChildren) (*types.MsgSetChildrenResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	coldkey, parent, err := k.own(ctx, m.Coldkey, m.Hotkey, "lends its stake weight")
	if err != nil {
		return nil, err
	}
	p, err := k.PoolByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	account, err := k.Account(ctx, parent)
	if err != nil {
		return nil, err
	}
	c, err := k.byAccounts(ctx, p.SubnetId, account, m.Children)
	if err != nil {
		return nil, err
	}
	if len(m.Children) == 0 {
		if err := k.lends(ctx, p, account, m.Hotkey); err != nil {
			return nil, err
		}
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if len(m.Children) > 0 { // each epoch reads every loan of its subnet
		if err := k.payFee(ctx, coldkey, params.ChildrenFee, types.ReasonChildren); err != nil {
			return nil, err
		}
	}
	pending := types.PendingChildren{Children: c}
	if pending.DueHeight, pending.DueTime, err = k.due(ctx, params.ChildrenCooldown); err != nil {
		return nil, err
	}
	if err := k.dropPending(ctx, p.SubnetId, account); err != nil {
		return nil, err
	}
	if err := k.setPending(ctx, account, pending); err != nil {
		return nil, err
	}
	event := types.EventChildrenScheduled{SubnetId: p.SubnetId, Netuid: p.Netuid, DueHeight: pending.DueHeight, DueTime: pending.DueTime}
	told, err := k.byHotkeys(ctx, c)
	if err != nil {
		return nil, err
	}
	event.Parent, event.Children = told.Parent, told.Children
	return &types.MsgSetChildrenResponse{DueHeight: pending.DueHeight, DueTime: pending.DueTime}, emit(ctx, &event)
}

// payFee takes a fee for what costs the chain more than its gas, and recycles it.
func (k Keeper) payFee(ctx context.Context, payer sdk.AccAddress, fee uint64, reason string) error {
	if fee == 0 {
		return nil
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, payer, types.ModuleName, rao(fee)); err != nil {
		return err
	}
	return k.upper.network.Recycle(ctx, types.ModuleName, fee, reason)
}

// lends is an error where there is no loan that could end, in force or waiting:
// changes that change nothing would cost no fee, and keep others' waiting.
func (k Keeper) lends(ctx context.Context, p types.Pool, account sdk.AccAddress, hotkey string) error {
	at := collections.Join(p.SubnetId, account)
	if has, err := k.children.Has(ctx, at); err != nil || has {
		return err
	}
	if has, err := k.pendingChildren.Has(ctx, at); err != nil || has {
		return err
	}
	return types.ErrChildren.Wrapf("%s lends nothing in subnet %d: there is no loan to end", hotkey, p.Netuid)
}

// own reads the keys of a message that only the hotkey's coldkey may send.
func (k Keeper) own(ctx context.Context, cold, hot, does string) (coldkey, hotkey sdk.AccAddress, err error) {
	if coldkey, hotkey, err = k.keys(cold, hot); err != nil {
		return nil, nil, err
	}
	h, err := k.Hotkey(ctx, hotkey)
	if err != nil {
		return nil, nil, err
	}
	owner, err := k.addressOf("coldkey", h.Coldkey)
	if err != nil {
		return nil, nil, err
	}
	if !owner.Equals(coldkey) {
		return nil, nil, types.ErrNotOwner.Wrapf("%s is %s's hotkey, not %s's: only its coldkey %s", h.Hotkey, h.Coldkey, cold, does)
	}
	return coldkey, hotkey, nil
}

// byAccounts is a record of children that a message names by hotkeys. All must be
// bound: an address that nobody has may be mistyped.
func (k Keeper) byAccounts(ctx context.Context, subnetID uint64, parent sdk.AccAddress, children []types.Child) (types.Children, error) {
	c := types.Children{SubnetId: subnetID, Children: make([]types.Child, len(children))}
	var err error
	if c.Parent, err = k.text(parent); err != nil {
		return c, err
	}
	seen := make(map[string]bool, len(children))
	for i, child := range children {
		hotkey, err := k.bound(ctx, "child", child.Hotkey)
		if err != nil {
			return c, err
		}
		account, err := k.Account(ctx, hotkey)
		if err != nil {
			return c, err
		}
		name, err := k.text(account)
		if err != nil {
			return c, err
		}
		if account.Equals(parent) || seen[name] { // the same key, spelled in two ways
			return c, types.ErrChildren.Wrapf("%s is the parent itself, or there twice", child.Hotkey)
		}
		seen[name] = true
		c.Children[i] = types.Child{Hotkey: name, Proportion: child.Proportion}
	}
	return c, nil
}

// dueChildren carries out changes whose cooldown has passed, in the order in
// which they come due. Where blocks are faster than planned, the first that has
// not waited long enough holds up those behind it, which came later.
func (k Keeper) dueChildren(ctx context.Context) error {
	var due []childrenDue
	until := collections.NewPrefixUntilTripleRange[int64, uint64, sdk.AccAddress](height(ctx))
	err := k.childrenDue.Walk(ctx, until, func(at childrenDue) (bool, error) {
		due = append(due, at)
		return len(due) == childrenPerBlock, nil
	})
	if err != nil {
		return err
	}
	for _, at := range due {
		pending, err := k.pendingChildren.Get(ctx, collections.Join(at.K2(), at.K3()))
		if err != nil {
			return err
		}
		if !passed(ctx, pending.DueHeight, pending.DueTime) {
			return nil
		}
		if err := k.dropPending(ctx, at.K2(), at.K3()); err != nil {
			return err
		}
		p, live, err := found(k.pools.Get(ctx, at.K2()))
		if err != nil {
			return err
		}
		if !live {
			continue // the subnet was removed in the meantime
		}
		if err := k.replaceChildren(ctx, p, at.K3(), pending.Children); err != nil {
			return err
		}
	}
	return nil
}

// replaceChildren puts a parent's new children in force.
func (k Keeper) replaceChildren(ctx context.Context, p types.Pool, parent sdk.AccAddress, c types.Children) error {
	at := collections.Join(p.SubnetId, parent)
	old, had, err := found(k.children.Get(ctx, at))
	if err != nil {
		return err
	}
	if had {
		if err := k.indexParents(ctx, k.parents.Remove, parent, old); err != nil {
			return err
		}
		if err := k.children.Remove(ctx, at); err != nil {
			return err
		}
	}
	if len(c.Children) > 0 {
		if err := k.setChildren(ctx, parent, c); err != nil {
			return err
		}
	}
	told, err := k.byHotkeys(ctx, c)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventChildrenSet{SubnetId: p.SubnetId, Netuid: p.Netuid, Parent: told.Parent, Children: told.Children})
}

func (k Keeper) setChildren(ctx context.Context, parent sdk.AccAddress, c types.Children) error {
	if err := k.indexParents(ctx, k.parents.Set, parent, c); err != nil {
		return err
	}
	return k.children.Set(ctx, collections.Join(c.SubnetId, parent), c)
}

// setPending stores a change that waits, with its index entries.
func (k Keeper) setPending(ctx context.Context, parent sdk.AccAddress, c types.PendingChildren) error {
	if err := k.indexParents(ctx, k.pendingParents.Set, parent, c.Children); err != nil {
		return err
	}
	if err := k.childrenDue.Set(ctx, collections.Join3(c.DueHeight, c.Children.SubnetId, parent)); err != nil {
		return err
	}
	return k.pendingChildren.Set(ctx, collections.Join(c.Children.SubnetId, parent), c)
}

// dropPending deletes a change that waits, if there is one, with its index entries.
func (k Keeper) dropPending(ctx context.Context, subnetID uint64, parent sdk.AccAddress) error {
	at := collections.Join(subnetID, parent)
	c, ok, err := found(k.pendingChildren.Get(ctx, at))
	if err != nil || !ok {
		return err
	}
	if err := k.indexParents(ctx, k.pendingParents.Remove, parent, c.Children); err != nil {
		return err
	}
	if err := k.childrenDue.Remove(ctx, collections.Join3(c.DueHeight, subnetID, parent)); err != nil {
		return err
	}
	return k.pendingChildren.Remove(ctx, at)
}

// indexParents writes or deletes the index entries of a parent's children.
func (k Keeper) indexParents(ctx context.Context, write func(context.Context, parentOf) error, parent sdk.AccAddress, c types.Children) error {
	for _, child := range c.Children {
		account, err := k.addressOf("child", child.Hotkey)
		if err != nil {
			return err
		}
		if err := write(ctx, collections.Join3(c.SubnetId, account, parent)); err != nil {
			return err
		}
	}
	return nil
}
