package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// Sweep deletes at most so many keys of a retired subnet: lent stake weight and
// takes at once, the stake pools once every holder is paid, then the record of the
// pot. done tells that nothing is left. A record and its index entries go together
// (at most 7 keys), so it deletes that many even where most is less.
func (k Keeper) Sweep(ctx context.Context, subnetID uint64, most int) (swept int, done bool, err error) {
	r, ok, err := found(k.retired.Get(ctx, subnetID))
	if err != nil || !ok {
		if _, live, err := found(k.pools.Get(ctx, subnetID)); err != nil || live {
			return 0, false, retiredError(err, "subnet id %d is live: only a removed one is swept", subnetID)
		}
		return 0, true, err
	}
	b := budget{most: most}
	type step func(context.Context, uint64, *budget) (bool, error)
	steps := []step{k.sweepChildren, k.sweepPendingChildren, k.sweepChildkeyTakes}
	if r.Settled {
		steps = append(steps, k.sweepStakePools)
	}
	for _, s := range steps {
		if empty, err := s(ctx, subnetID, &b); err != nil || !empty {
			return b.used, false, err
		}
	}
	if !r.Settled || !b.take(1) {
		return b.used, false, nil
	}
	return b.used, true, k.retired.Remove(ctx, subnetID)
}

// budget bounds the work of a block.
type budget struct{ used, most int }

// take tells whether there is room for n more, and uses it. The first work always
// has room, so that a small budget does not mean that nothing ever happens.
func (b *budget) take(n int) bool {
	if b.used > 0 && b.used+n > b.most || b.most <= 0 {
		return false
	}
	b.used += n
	return true
}

func (k Keeper) sweepChildren(ctx context.Context, subnetID uint64, b *budget) (bool, error) {
	return sweep(ctx, k.children, subnetID, b,
		func(c types.Children) int { return 1 + len(c.Children) },
		func(at stakePoolKey, c types.Children) error {
			return k.indexParents(ctx, k.parents.Remove, at.K2(), c)
		})
}

func (k Keeper) sweepPendingChildren(ctx context.Context, subnetID uint64, b *budget) (bool, error) {
	return sweep(ctx, k.pendingChildren, subnetID, b,
		func(c types.PendingChildren) int { return 2 + len(c.Children.Children) },
		func(at stakePoolKey, _ types.PendingChildren) error { return k.dropPending(ctx, subnetID, at.K2()) })
}

func (k Keeper) sweepChildkeyTakes(ctx context.Context, subnetID uint64, b *budget) (bool, error) {
	return sweep(ctx, k.childkeyTakes, subnetID, b, func(types.ChildkeyTake) int { return 1 }, nil)
}

func (k Keeper) sweepStakePools(ctx context.Context, subnetID uint64, b *budget) (bool, error) {
	return sweep(ctx, k.stakePools, subnetID, b, func(pool.SharePool) int { return 1 }, nil)
}

// sweep deletes a subnet's records of a map, and tells whether none is left. cost
// is how many keys go with a record; also deletes the others.
func sweep[V any](ctx context.Context, m collections.Map[stakePoolKey, V], subnetID uint64, b *budget, cost func(V) int, also func(stakePoolKey, V) error) (bool, error) {
	type record struct {
		at stakePoolKey
		v  V
	}
	var leaving []record
	empty := true
	err := m.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](subnetID), func(at stakePoolKey, v V) (bool, error) {
		if !b.take(cost(v)) {
			empty = false
			return true, nil
		}
		leaving = append(leaving, record{at, v})
		return false, nil
	})
	if err != nil {
		return false, err
	}
	for _, r := range leaving { // not while walking: a store is not changed under its iterator
		if also != nil {
			if err := also(r.at, r.v); err != nil {
				return false, err
			}
		}
		if err := m.Remove(ctx, r.at); err != nil {
			return false, err
		}
	}
	return empty, nil
}

func retiredError(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return types.ErrInvalidRequest.Wrapf(format, args...)
}
