package keeper

import (
	"context"
	"math/bits"

	"github.com/lodenet/lode/x/subnets/types"
)

// LockCost is what the creation of a subnet costs in this block, in rao.
func (k Keeper) LockCost(ctx context.Context) (uint64, error) {
	p, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	last, _, err := found(k.lock.Get(ctx))
	if err != nil {
		return 0, err
	}
	height, _ := now(ctx)
	return lockCost(p, last, height), nil
}

// lockCost is max(min_lock, last·m − floor(last·(now − then)/interval)), m the
// multiplier, 1 before the first creation (protocol.md §3).
func lockCost(p types.Params, last types.LockState, height int64) uint64 {
	m := uint64(1)
	if last.LastLockHeight > 0 {
		m = uint64(p.LockMultiplier)
	}
	passed := uint64(max(height-last.LastLockHeight, 0))
	raised := mulDiv(last.LastLock, m, 1)
	fallen := mulDiv(last.LastLock, passed, uint64(p.LockInterval))
	if fallen >= raised {
		return p.MinLock
	}
	return max(p.MinLock, raised-fallen)
}

// mulDiv is floor(a·b/d), saturating; d is not zero.
func mulDiv(a, b, d uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi >= d {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, d)
	return q
}
