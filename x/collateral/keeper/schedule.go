package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/collateral/types"
)

// keep stores a collateral, or removes it where nothing is left, and notes the
// block at whose end its unbondings are to be looked at next.
func (k Keeper) keep(ctx context.Context, at place, c types.Collateral) error {
	frozen, err := k.frozen(ctx, at)
	if err != nil {
		return err
	}
	next, err := k.nextLook(ctx, c, frozen)
	if err != nil {
		return err
	}
	return k.keepUntil(ctx, at, c, next)
}

// keepUntil is keep with the block given; 0: none.
func (k Keeper) keepUntil(ctx context.Context, at place, c types.Collateral, next int64) error {
	if err := k.unschedule(ctx, at, c); err != nil {
		return err
	}
	if c.Total() == 0 {
		return k.collaterals.Remove(ctx, at)
	}
	if c.LookHeight = next; next != 0 {
		if err := k.looks.Set(ctx, collections.Join3(next, at.K1(), at.K2())); err != nil {
			return err
		}
	}
	return k.collaterals.Set(ctx, at, c)
}

func (k Keeper) unschedule(ctx context.Context, at place, c types.Collateral) error {
	if c.LookHeight == 0 {
		return nil
	}
	return k.looks.Remove(ctx, collections.Join3(c.LookHeight, at.K1(), at.K2()))
}

// nextLook is the first block at whose end something of a collateral can become
// free; 0 where nothing leaves, or where all that is left is frozen: then the
// claim's end looks again. Where blocks ran ahead of the clock it is estimated by
// the target block time, and looked at again where that was too early.
func (k Keeper) nextLook(ctx context.Context, c types.Collateral, frozen uint64) (next int64, err error) {
	if c.Total() <= frozen {
		return 0, nil
	}
	height, seconds := now(ctx)
	for _, u := range c.Unbondings {
		at := max(u.DueHeight, height)
		if u.DueHeight <= height && u.DueTime > seconds {
			block, err := k.blockMillis(ctx)
			if err != nil {
				return 0, err
			}
			at = height + max(1, (u.DueTime-seconds)*1_000/block)
		}
		if next == 0 || at < next {
			next = at
		}
	}
	return next, nil
}

// dueIn is when so many blocks from now have passed, in blocks and in time.
func (k Keeper) dueIn(ctx context.Context, blocks int64) (height, seconds int64, err error) {
	height, seconds = now(ctx)
	millis, err := k.blockMillis(ctx)
	return height + blocks, seconds + (blocks*millis+999)/1_000, err
}

// blockMillis is the target block time in milliseconds, at least 1.
func (k Keeper) blockMillis(ctx context.Context) (int64, error) {
	d, err := k.upper.network.TargetBlockTime(ctx)
	return max(1, d.Milliseconds()), err
}

// frozen is what an open claim holds of a collateral.
func (k Keeper) frozen(ctx context.Context, at place) (uint64, error) {
	c, ok, err := k.openClaim(ctx, at)
	if !ok {
		return 0, err
	}
	return c.Frozen, err
}

// openClaim is the claim against an account, if one is open.
func (k Keeper) openClaim(ctx context.Context, at place) (c types.Claim, ok bool, err error) {
	id, ok, err := found(k.claimOf.Get(ctx, at))
	if err != nil || !ok {
		return c, false, err
	}
	c, err = k.claims.Get(ctx, id)
	return c, err == nil, err
}
