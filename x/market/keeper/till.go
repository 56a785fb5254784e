package keeper

import (
	"context"
	"errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// till divides what leaves deposits by the subnets' splits, and pays each coldkey once
// for all of it.
type till struct {
	Keeper
	books  []*book  // by subnet, in the order in which they came
	payees []*payee // likewise
}

// payee is a provider's coldkey, and what it gets of a till.
type payee struct {
	coldkey sdk.AccAddress
	rao     uint64
}

// book is a subnet's part of a till.
type book struct {
	subnetID uint64
	live     bool // else the provider gets all, and nothing is counted
	split    types.RevenueSplit
	revenue  types.Revenue
}

// take counts what a provider claims in a subnet, in rao; its part is the coldkey's.
func (t *till) take(ctx context.Context, subnetID uint64, coldkey sdk.AccAddress, amount uint64) (types.Parts, error) {
	b, err := t.book(ctx, subnetID)
	if err != nil {
		return types.Parts{}, err
	}
	parts := b.split.Divide(amount)
	if b.live {
		b.revenue.Add(parts)
	}
	t.payee(coldkey).rao += parts.Provider // coins that are held
	return parts, nil
}

func (t *till) payee(coldkey sdk.AccAddress) *payee {
	for _, p := range t.payees {
		if p.coldkey.Equals(coldkey) {
			return p
		}
	}
	p := &payee{coldkey: coldkey}
	t.payees = append(t.payees, p)
	return p
}

func (t *till) book(ctx context.Context, subnetID uint64) (*book, error) {
	for _, b := range t.books {
		if b.subnetID == subnetID {
			return b, nil
		}
	}
	b := &book{subnetID: subnetID, split: types.RevenueSplit{Provider: types.Million}}
	s, err := t.subnets.Subnet(ctx, subnetID)
	switch {
	case errors.Is(err, subnetstypes.ErrNoSubnet):
	case err != nil:
		return nil, err
	default:
		b.live = true
		if b.split, err = t.split(ctx, subnetID); err != nil {
			return nil, err
		}
		if b.revenue, err = t.revenue(ctx, s); err != nil {
			return nil, err
		}
	}
	t.books = append(t.books, b)
	return b, nil
}

// close pays the coldkeys and stores what the subnets got.
func (t *till) close(ctx context.Context) error {
	for _, p := range t.payees {
		if p.rao == 0 {
			continue
		}
		if err := t.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, p.coldkey, rao(p.rao)); err != nil {
			return err
		}
	}
	for _, b := range t.books {
		if !b.live {
			continue
		}
		if err := t.setRevenue(ctx, b.revenue); err != nil {
			return err
		}
	}
	return nil
}

// revenue is what a live subnet's services have brought.
func (k Keeper) revenue(ctx context.Context, s subnetstypes.Subnet) (types.Revenue, error) {
	r, ok, err := found(k.revenues.Get(ctx, s.Id))
	if !ok {
		r = types.Revenue{SubnetId: s.Id, Netuid: s.Netuid}
	}
	return r, err
}

// setRevenue stores a subnet's revenue, and whether some of it waits.
func (k Keeper) setRevenue(ctx context.Context, r types.Revenue) error {
	set := k.waiting.Remove
	if r.Pending() > 0 {
		set = k.waiting.Set
	}
	if err := set(ctx, r.SubnetId); err != nil {
		return err
	}
	return k.revenues.Set(ctx, r.SubnetId, r)
}
