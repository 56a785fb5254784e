package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/alpha/types"
)

// InitGenesis loads the module's state, makes its indexes, and checks it against
// bank, which must have loaded before.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	if err := k.nextSubnetID.Set(ctx, g.NextSubnetId); err != nil {
		return err
	}
	for _, p := range g.Pools {
		if err := k.netuids.Set(ctx, p.Netuid, p.SubnetId); err != nil {
			return err
		}
		if err := k.setPool(ctx, p); err != nil {
			return err
		}
	}
	for _, h := range g.Hotkeys {
		hotkey, err := k.addressOf("hotkey", h.Hotkey)
		if err != nil {
			return err
		}
		if err := k.setHotkey(ctx, hotkey, h); err != nil {
			return err
		}
		if err := k.indexAccount(ctx, hotkey, h); err != nil {
			return err
		}
	}
	for _, s := range g.StakePools {
		hotkey, err := k.addressOf("hotkey", s.Hotkey)
		if err != nil {
			return err
		}
		if err := k.stakePools.Set(ctx, collections.Join(s.SubnetId, hotkey), s); err != nil {
			return err
		}
	}
	for _, p := range g.Positions {
		coldkey, hotkey, err := k.keys(p.Coldkey, p.Hotkey)
		if err != nil {
			return err
		}
		if err := k.setPosition(ctx, hotkey, coldkey, p); err != nil {
			return err
		}
	}
	if err := k.initLending(ctx, g); err != nil {
		return err
	}
	if err := k.initExits(ctx, g); err != nil {
		return err
	}
	return k.CheckInvariants(ctx)
}

// ExportGenesis is the module's whole state. What InitGenesis makes of it
// exports to the same again.
func (k Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	g := &types.GenesisState{}
	var err error
	if g.Params, err = k.params.Get(ctx); err != nil {
		return nil, err
	}
	if g.NextSubnetId, err = k.nextSubnetID.Get(ctx); err != nil {
		return nil, err
	}
	if g.Pools, err = values(ctx, k.pools); err != nil {
		return nil, err
	}
	if g.Hotkeys, err = values(ctx, k.hotkeys); err != nil {
		return nil, err
	}
	if g.StakePools, err = values(ctx, k.stakePools); err != nil {
		return nil, err
	}
	if g.Positions, err = values(ctx, k.positions); err != nil {
		return nil, err
	}
	if err := k.exportLending(ctx, g); err != nil {
		return nil, err
	}
	return g, k.exportExits(ctx, g)
}
