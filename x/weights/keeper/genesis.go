package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/weights/types"
)

// InitGenesis loads the module's state. The schedule's index is made from the
// epochs' states; x/subnets must have loaded before.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	for _, r := range g.Rows {
		if err := k.rows.Set(ctx, collections.Join(r.SubnetId, r.Uid), r); err != nil {
			return err
		}
	}
	for _, b := range g.Bonds {
		if err := k.bonds.Set(ctx, collections.Join(b.SubnetId, b.Uid), b); err != nil {
			return err
		}
	}
	for _, c := range g.Commits {
		if err := k.commits.Set(ctx, collections.Join(c.SubnetId, c.Uid), c); err != nil {
			return err
		}
	}
	for _, p := range g.Permits {
		if err := k.permits.Set(ctx, collections.Join(p.SubnetId, p.Uid)); err != nil {
			return err
		}
	}
	for _, a := range g.LastAttempts {
		if err := k.attempts.Set(ctx, collections.Join3(a.SubnetId, a.Uid, a.Kind), a); err != nil {
			return err
		}
	}
	for _, r := range g.Results {
		if err := k.results.Set(ctx, r.SubnetId, r); err != nil {
			return err
		}
	}
	for _, e := range g.Epochs {
		s, err := k.subnets.Subnet(ctx, e.SubnetId)
		if err != nil {
			return err
		}
		if err := k.setEpoch(ctx, s.Netuid, e); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis is the module's whole state. What InitGenesis makes of it
// exports to the same again.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	g := &types.GenesisState{}
	var err error
	if g.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if g.Rows, err = values(ctx, k.rows); err != nil {
		return nil, err
	}
	if g.Bonds, err = values(ctx, k.bonds); err != nil {
		return nil, err
	}
	if g.Commits, err = values(ctx, k.commits); err != nil {
		return nil, err
	}
	if g.Epochs, err = values(ctx, k.epochs); err != nil {
		return nil, err
	}
	if g.Results, err = values(ctx, k.results); err != nil {
		return nil, err
	}
	if g.LastAttempts, err = values(ctx, k.attempts); err != nil {
		return nil, err
	}
	err = k.permits.Walk(ctx, nil, func(at slot) (bool, error) {
		g.Permits = append(g.Permits, types.Permit{SubnetId: at.K1(), Uid: at.K2()})
		return false, nil
	})
	return g, err
}

// values are all of a map's, in the order of their keys.
func values[K, V any](ctx context.Context, m collections.Map[K, V]) (out []V, err error) {
	err = m.Walk(ctx, nil, func(_ K, v V) (bool, error) {
		out = append(out, v)
		return false, nil
	})
	return out, err
}
