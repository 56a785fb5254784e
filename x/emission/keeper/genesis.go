package keeper

import (
	"context"

	"github.com/lodenet/lode/x/emission/types"
)

// InitGenesis loads the module's state; the bank must have loaded before. Zero
// issued counts the bank's supply; otherwise the totals must explain it to the
// rao.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	k.accounts.GetModuleAccount(ctx, types.ModuleName) // makes it
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	supply := clamp(k.bank.GetSupply(ctx, types.Denom).Amount)
	if g.Totals.Issued == 0 {
		g.Totals.Issued = supply
	}
	switch t := g.Totals; {
	case t.Issued > g.Params.Cap:
		return types.ErrInvalidGenesis.Wrapf("the bank holds %d rao, the cap is %d", t.Issued, g.Params.Cap)
	case t.Issued-t.Burned-g.Uncounted != supply:
		return types.ErrInvalidGenesis.Wrapf("%d rao issued less %d burned are %d, but the bank holds %d", t.Issued, t.Burned+g.Uncounted, t.Issued-t.Burned-g.Uncounted, supply)
	}
	if g.Uncounted > 0 {
		if err := k.uncounted.Set(ctx, g.Uncounted); err != nil {
			return err
		}
	}
	if err := k.totals.Set(ctx, g.Totals); err != nil {
		return err
	}
	if err := k.clock.Set(ctx, g.Clock); err != nil {
		return err
	}
	if err := k.taoRemainder.Set(ctx, g.TaoRemainder); err != nil {
		return err
	}
	for _, e := range g.Subnets {
		if err := k.emissions.Set(ctx, e.SubnetId, e); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis is the module's whole state. What InitGenesis makes of it exports
// to the same again.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	g := &types.GenesisState{}
	var err error
	if g.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if g.Totals, err = k.totals.Get(ctx); err != nil {
		return nil, err
	}
	if g.Uncounted, _, err = found(k.uncounted.Get(ctx)); err != nil {
		return nil, err
	}
	if g.Clock, err = k.clock.Get(ctx); err != nil {
		return nil, err
	}
	if g.TaoRemainder, _, err = found(k.taoRemainder.Get(ctx)); err != nil {
		return nil, err
	}
	g.Subnets, err = k.all(ctx)
	return g, err
}

// all are all subnets' records, by subnet id.
func (k Keeper) all(ctx context.Context) (out []types.SubnetEmission, err error) {
	err = k.emissions.Walk(ctx, nil, func(_ uint64, e types.SubnetEmission) (bool, error) {
		out = append(out, e)
		return false, nil
	})
	return out, err
}
