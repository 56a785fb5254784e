package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/curve"
	"github.com/lodenet/lode/x/emission/types"
)

// payRoot hands the root pot to the delegators of the chain validators whose root
// stake earned it, a parent's part to the parent's; without claimants it is
// recycled.
func (k Keeper) payRoot(ctx context.Context, p *payout) error {
	for _, c := range p.claims {
		p.sums.RootPaid += c.root
	}
	if err := k.toDistribution(ctx, p.sums.RootPaid); err != nil {
		return err
	}
	for _, c := range p.claims {
		if c.root == 0 {
			continue
		}
		v, ok := p.bonded[string(c.hotkey)]
		if !ok {
			return types.ErrAccounting.Wrapf("%s has root stake and is no bonded validator", c.hotkey)
		}
		if err := k.payDelegators(ctx, v, c.root); err != nil {
			return err
		}
		p.root[c.uid] += c.root
	}
	p.sums.RootRecycled = p.sums.RootPot - p.sums.RootPaid
	return k.recycle(ctx, p.sums.RootRecycled, types.ReasonRootUnclaimed)
}

// takes are what of a claim's alpha does not reach the nominators of its hotkey.
type takes struct{ childkey, hotkey uint64 }

// payDividends raises the share pool of each contributor's hotkey by its part of
// the alpha pot. First the child keeps its take of a parent's part, then the
// hotkey its take of the rest: both buy shares for the coldkey of the key that
// takes, after all pools have been raised.
func (k Keeper) payDividends(ctx context.Context, p *payout) error {
	taken := make([]takes, len(p.claims))
	for i, c := range p.claims {
		if c.alpha == 0 {
			continue
		}
		var err error
		if taken[i], err = k.takesOf(ctx, p, c); err != nil {
			return err
		}
		p.dividends[c.uid] += c.alpha
		var account sdk.AccAddress
		if !c.parent {
			account = p.Stakes[c.uid].Binding.Account
		}
		p.reward(c.hotkey, account, c.alpha-taken[i].childkey-taken[i].hotkey)
	}
	for i, c := range p.claims {
		if err := k.stakeTake(ctx, p, p.Stakes[c.uid].Hotkey, taken[i].childkey, alphatypes.ReasonChildkeyTake); err != nil {
			return err
		}
		if err := k.stakeTake(ctx, p, c.hotkey, taken[i].hotkey, alphatypes.ReasonTake); err != nil {
			return err
		}
		if err := k.emitParentPaid(ctx, p, c, taken[i].childkey); err != nil {
			return err
		}
	}
	return nil
}

// takesOf are a claim's. The child has none of what its own stake earned.
func (k Keeper) takesOf(ctx context.Context, p *payout, c claim) (t takes, err error) {
	if c.parent {
		take, err := k.alpha.ChildkeyTake(ctx, p.Subnet.Id, p.Stakes[c.uid].Hotkey)
		if err != nil {
			return t, err
		}
		t.childkey = curve.MulDiv(c.alpha, uint64(min(take, million)), million)
	}
	h, err := k.alpha.Hotkey(ctx, c.hotkey)
	t.hotkey = curve.MulDiv(c.alpha-t.childkey, uint64(min(h.Take, million)), million)
	return t, err
}

// stakeTake stakes a take on the hotkey that took it, for its coldkey.
func (k Keeper) stakeTake(ctx context.Context, p *payout, hotkey sdk.AccAddress, alpha uint64, reason string) error {
	if alpha == 0 {
		return nil
	}
	coldkey, err := k.alpha.Coldkey(ctx, hotkey)
	if err != nil {
		return err
	}
	p.stake(hotkey, nil, coldkey, alpha, reason)
	return nil
}

// emitParentPaid tells what went through a validator to one of its parents.
func (k Keeper) emitParentPaid(ctx context.Context, p *payout, c claim, childkeyTake uint64) error {
	if !c.parent || c.alpha == 0 && c.root == 0 {
		return nil
	}
	parent, err := k.ac.BytesToString(c.hotkey)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventParentPaid{
		SubnetId: p.sums.SubnetId, Netuid: p.sums.Netuid, Epoch: p.sums.Epoch, Uid: uint32(c.uid),
		Child: p.Neurons[c.uid].Hotkey, Parent: parent,
		Dividends: c.alpha, ChildkeyTake: childkeyTake, RootTao: c.root,
	})
}
