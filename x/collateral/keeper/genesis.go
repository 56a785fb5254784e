package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/collateral/types"
)

// InitGenesis loads the module's state; the indexes are made from the records.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	if err := k.nextClaimID.Set(ctx, g.NextClaimId); err != nil {
		return err
	}
	for _, c := range g.Collaterals {
		at, err := k.placeOf(c.SubnetId, c.Hotkey)
		if err != nil {
			return err
		}
		if err := k.keepUntil(ctx, at, c, c.LookHeight); err != nil {
			return err
		}
	}
	for _, c := range g.Claims {
		at, err := k.placeOf(c.SubnetId, c.Accused)
		if err != nil {
			return err
		}
		if err := k.storeClaim(ctx, at, c, nil); err != nil {
			return err
		}
	}
	for _, v := range g.Voters {
		account, err := k.addressOf("account", v.Hotkey)
		if err != nil {
			return err
		}
		if err := k.voters.Set(ctx, collections.Join(v.ClaimId, account), v); err != nil {
			return err
		}
	}
	for _, w := range g.Waits {
		at, err := k.placeOf(w.SubnetId, w.Author)
		if err != nil {
			return err
		}
		if err := k.waits.Set(ctx, at, w); err != nil {
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
	if g.NextClaimId, err = k.nextClaimID.Get(ctx); err != nil {
		return nil, err
	}
	if g.Collaterals, err = values(ctx, k.collaterals); err != nil {
		return nil, err
	}
	if g.Claims, err = values(ctx, k.claims); err != nil {
		return nil, err
	}
	if g.Voters, err = values(ctx, k.voters); err != nil {
		return nil, err
	}
	g.Waits, err = values(ctx, k.waits)
	return g, err
}
