package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/market/types"
)

// InitGenesis loads the module's state; the indexes are made from the records.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	if err := k.nextServiceID.Set(ctx, g.NextServiceId); err != nil {
		return err
	}
	if err := k.nextPlanID.Set(ctx, g.NextPlanId); err != nil {
		return err
	}
	for _, s := range g.Services {
		account, err := k.addressOf("account", s.Provider)
		if err != nil {
			return err
		}
		if err := k.names.Set(ctx, collections.Join3(s.SubnetId, account, s.Name), s.Id); err != nil {
			return err
		}
		if err := k.setService(ctx, s); err != nil {
			return err
		}
	}
	for _, p := range g.Plans {
		if err := k.plansOf.Set(ctx, collections.Join(p.ServiceId, p.Id)); err != nil {
			return err
		}
		if err := k.plans.Set(ctx, p.Id, p); err != nil {
			return err
		}
	}
	for _, c := range g.Channels {
		lookTime := c.LookTime
		c.LookTime = 0 // not in the index yet
		if err := k.addChannel(ctx, c, lookTime); err != nil {
			return err
		}
	}
	for _, s := range g.Splits {
		if err := k.splits.Set(ctx, s.SubnetId, s); err != nil {
			return err
		}
	}
	for _, r := range g.Revenues {
		if err := k.setRevenue(ctx, r); err != nil {
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
	if g.NextServiceId, err = k.nextServiceID.Get(ctx); err != nil {
		return nil, err
	}
	if g.NextPlanId, err = k.nextPlanID.Get(ctx); err != nil {
		return nil, err
	}
	if g.Services, err = values(ctx, k.services); err != nil {
		return nil, err
	}
	if g.Plans, err = values(ctx, k.plans); err != nil {
		return nil, err
	}
	if g.Channels, err = values(ctx, k.channels); err != nil {
		return nil, err
	}
	if g.Splits, err = values(ctx, k.splits); err != nil {
		return nil, err
	}
	g.Revenues, err = values(ctx, k.revenues)
	return g, err
}
