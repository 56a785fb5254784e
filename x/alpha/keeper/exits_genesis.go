package keeper

import (
	"context"

	"github.com/lodenet/lode/x/alpha/types"
)

// initExits loads removed subnets' pools and what is kept of coldkeys. A swap in
// the middle of its execution goes on where it was.
func (k Keeper) initExits(ctx context.Context, g types.GenesisState) error {
	for _, r := range g.Retired {
		if err := k.retired.Set(ctx, r.SubnetId, r); err != nil {
			return err
		}
	}
	for _, s := range g.ColdkeySwaps {
		coldkey, err := k.addressOf("coldkey", s.Coldkey)
		if err != nil {
			return err
		}
		if _, err := k.addressOf("new_coldkey", s.NewColdkey); err != nil {
			return err
		}
		if err := k.setColdkeySwap(ctx, coldkey, s); err != nil {
			return err
		}
	}
	for _, r := range g.Recoveries {
		coldkey, err := k.addressOf("coldkey", r.Coldkey)
		if err != nil {
			return err
		}
		for _, key := range []string{r.Key, r.Next} {
			if _, err := k.recoveryOf(coldkey, key); err != nil {
				return err
			}
		}
		if err := k.recoveries.Set(ctx, coldkey, r); err != nil {
			return err
		}
	}
	for _, b := range g.DisputeBars {
		coldkey, err := k.addressOf("coldkey", b.Coldkey)
		if err != nil {
			return err
		}
		if err := k.disputeBars.Set(ctx, coldkey, b); err != nil {
			return err
		}
	}
	return nil
}

func (k Keeper) exportExits(ctx context.Context, g *types.GenesisState) (err error) {
	if g.Retired, err = values(ctx, k.retired); err != nil {
		return err
	}
	if g.ColdkeySwaps, err = values(ctx, k.coldkeySwaps); err != nil {
		return err
	}
	if g.Recoveries, err = values(ctx, k.recoveries); err != nil {
		return err
	}
	g.DisputeBars, err = values(ctx, k.disputeBars)
	return err
}
