package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/subnets/types"
)

// InitGenesis loads the module's state and makes its indexes.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	for _, s := range g.Subnets {
		if err := k.subnets.Set(ctx, s.Id, s); err != nil {
			return err
		}
		if err := k.netuids.Set(ctx, s.Netuid, s.Id); err != nil {
			return err
		}
	}
	for _, n := range g.Neurons {
		hotkey, err := k.ac.StringToBytes(n.Hotkey)
		if err != nil {
			return err
		}
		if err := k.seat(ctx, n, hotkey); err != nil {
			return err
		}
	}
	for _, b := range g.BurnPrices {
		if err := k.burns.Set(ctx, b.SubnetId, b.Burn); err != nil {
			return err
		}
	}
	for _, c := range g.Creations {
		creator, err := k.ac.StringToBytes(c.Creator)
		if err != nil {
			return err
		}
		if err := k.creations.Set(ctx, creator, c.Height); err != nil {
			return err
		}
	}
	for _, s := range g.HyperparameterSets {
		if err := k.sets.Set(ctx, collections.Join(s.SubnetId, s.Name), s.Height); err != nil {
			return err
		}
	}
	for _, c := range g.Scheduled {
		if err := k.scheduled.Set(ctx, collections.Join(c.SubnetId, c.Name), c); err != nil {
			return err
		}
	}
	for _, p := range g.Published {
		if err := k.published.Set(ctx, collections.Join(p.SubnetId, p.Uid), p); err != nil {
			return err
		}
	}
	for _, u := range g.PublishUses {
		if err := k.uses.Set(ctx, collections.Join(u.SubnetId, u.Uid), u); err != nil {
			return err
		}
	}
	for _, r := range g.Removals {
		if err := k.removals.Set(ctx, collections.Join(r.Height, r.SubnetId), r); err != nil {
			return err
		}
	}
	return k.lock.Set(ctx, g.Lock)
}

// ExportGenesis is the module's whole state. What InitGenesis makes of it
// exports to the same again, in the middle of a sweep too.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	g := &types.GenesisState{}
	var err error
	if g.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if g.Lock, _, err = found(k.lock.Get(ctx)); err != nil {
		return nil, err
	}
	if g.Subnets, err = values(ctx, k.subnets); err != nil {
		return nil, err
	}
	if g.Neurons, err = values(ctx, k.neurons); err != nil {
		return nil, err
	}
	err = k.burns.Walk(ctx, nil, func(id, burn uint64) (bool, error) {
		g.BurnPrices = append(g.BurnPrices, types.BurnPrice{SubnetId: id, Burn: burn})
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.creations.Walk(ctx, nil, func(creator sdk.AccAddress, height int64) (bool, error) {
		s, err := k.ac.BytesToString(creator)
		g.Creations = append(g.Creations, types.Creation{Creator: s, Height: height})
		return false, err
	})
	if err != nil {
		return nil, err
	}
	err = k.sets.Walk(ctx, nil, func(at collections.Pair[uint64, string], height int64) (bool, error) {
		g.HyperparameterSets = append(g.HyperparameterSets, types.HyperparameterSet{SubnetId: at.K1(), Name: at.K2(), Height: height})
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if g.Scheduled, err = values(ctx, k.scheduled); err != nil {
		return nil, err
	}
	if g.Published, err = values(ctx, k.published); err != nil {
		return nil, err
	}
	if g.PublishUses, err = values(ctx, k.uses); err != nil {
		return nil, err
	}
	g.Removals, err = values(ctx, k.removals)
	return g, err
}

// values are a map's, by key.
func values[K, V any](ctx context.Context, m collections.Map[K, V]) (all []V, err error) {
	err = m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		all = append(all, v)
		return false, nil
	})
	return all, err
}
