package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/types"
)

// InitGenesis loads the module's state. It must come before x/staking's, whose
// validators need their keys.
func (k Keeper) InitGenesis(ctx context.Context, g types.GenesisState) error {
	if err := g.Validate(); err != nil {
		return err
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	// At a chain's beginning the context has its initial height, or 0 for 1. Seeds of
	// other blocks would be mixed with the chain's own.
	if n, initial := len(g.Seeds), max(sdkCtx.BlockHeight(), 1); n > 0 && g.Seeds[n-1].Height != initial-1 {
		return types.ErrInvalidGenesis.Wrapf("the last seed is that of block %d, the chain begins with block %d: begin with the next block, or without past seeds",
			g.Seeds[n-1].Height, initial)
	}
	if err := k.params.Set(ctx, g.Params); err != nil {
		return err
	}
	seed := g.Seed
	if len(seed) == 0 {
		seed = types.GenesisSeed(sdkCtx.ChainID())
	}
	if err := k.seed.Set(ctx, seed); err != nil {
		return err
	}
	for _, s := range g.Seeds {
		if err := k.seeds.Set(ctx, s.Height, s); err != nil {
			return err
		}
	}
	for _, key := range g.Keys {
		operator, err := k.ac.StringToBytes(key.Operator)
		if err != nil {
			return err
		}
		if err := k.setKey(ctx, operator, key); err != nil {
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
	if g.Seed, err = k.seed.Get(ctx); err != nil {
		return nil, err
	}
	err = k.keys.Walk(ctx, nil, func(_ []byte, key types.VRFKey) (bool, error) {
		g.Keys = append(g.Keys, key)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	err = k.seeds.Walk(ctx, nil, func(_ int64, s types.Seed) (bool, error) {
		g.Seeds = append(g.Seeds, s)
		return false, nil
	})
	return g, err
}
