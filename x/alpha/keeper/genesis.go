package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/x/alpha/pool"
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
		if err := k.setStakePool(ctx, s.SubnetId, hotkey, pool.SharePool{Alpha: s.Alpha, Shares: s.Shares.BigInt()}); err != nil {
			return err
		}
	}
	for _, p := range g.Positions {
		coldkey, hotkey, err := k.keys(p.Coldkey, p.Hotkey)
		if err != nil {
			return err
		}
		if err := k.setPosition(ctx, collections.Join3(p.SubnetId, hotkey, coldkey), p.Shares.BigInt()); err != nil {
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
	if err := k.exportStakes(ctx, g); err != nil {
		return nil, err
	}
	if err := k.exportLending(ctx, g); err != nil {
		return nil, err
	}
	return g, k.exportExits(ctx, g)
}

// exportStakes exports stake pools and positions with what their keys say.
func (k Keeper) exportStakes(ctx context.Context, g *types.GenesisState) error {
	err := k.stakePools.Walk(ctx, nil, func(at stakePoolKey, s pool.SharePool) (bool, error) {
		hotkey, err := k.text(at.K2())
		g.StakePools = append(g.StakePools, types.StakePool{SubnetId: at.K1(), Hotkey: hotkey, Alpha: s.Alpha, Shares: sdkmath.NewIntFromBigInt(s.Shares)})
		return false, err
	})
	if err != nil {
		return err
	}
	return k.positions.Walk(ctx, nil, func(at positionKey, shares *big.Int) (bool, error) {
		p := types.Position{SubnetId: at.K1(), Shares: sdkmath.NewIntFromBigInt(shares)}
		var err error
		if p.Hotkey, err = k.text(at.K2()); err != nil {
			return true, err
		}
		p.Coldkey, err = k.text(at.K3())
		g.Positions = append(g.Positions, p)
		return false, err
	})
}
