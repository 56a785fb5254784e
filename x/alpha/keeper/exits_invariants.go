package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// checkRetired tests the pools of removed subnets, and sums what of their pots is
// still to be paid out: the stake pools hold what was staked at the removal, and
// nobody's shares are more than theirs; who is paid has none.
func (k Keeper) checkRetired(ctx context.Context) (outstanding sdkmath.Int, err error) {
	outstanding = sdkmath.ZeroInt()
	pools, err := values(ctx, k.retired)
	if err != nil {
		return outstanding, err
	}
	for _, r := range pools {
		if err := r.Validate(); err != nil {
			return outstanding, err
		}
		if live, err := k.pools.Has(ctx, r.SubnetId); err != nil || live {
			return outstanding, broken(err, "subnet id %d is both live and removed", r.SubnetId)
		}
		outstanding = outstanding.Add(sdkmath.NewIntFromUint64(r.Outstanding()))
		holders, err := k.someHolders(ctx, r.SubnetId, 1)
		if err != nil || r.Settled != (len(holders) == 0) {
			return outstanding, broken(err, "removed subnet id %d is settled: %v, and has a holder: %v", r.SubnetId, r.Settled, len(holders) > 0)
		}
		if !r.Settled {
			if err := k.checkUnpaid(ctx, r); err != nil {
				return outstanding, err
			}
		}
	}
	return outstanding, nil
}

func (k Keeper) checkUnpaid(ctx context.Context, r types.RetiredPool) error {
	staked := sdkmath.ZeroInt()
	err := k.stakePools.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](r.SubnetId), func(at stakePoolKey, s pool.SharePool) (bool, error) {
		staked = staked.Add(sdkmath.NewIntFromUint64(s.Alpha))
		sum := new(big.Int)
		err := k.positions.Walk(ctx, collections.NewSuperPrefixedTripleRange[uint64, sdk.AccAddress, sdk.AccAddress](r.SubnetId, at.K2()),
			func(_ positionKey, shares *big.Int) (bool, error) {
				sum.Add(sum, shares)
				return false, nil
			})
		if err != nil || sum.Cmp(s.Shares) > 0 {
			return true, broken(err, "the shares on %s in removed subnet id %d sum to %s, the stake pool had %s", at.K2(), r.SubnetId, sum, s.Shares)
		}
		return false, nil
	})
	if err == nil && !staked.Equal(sdkmath.NewIntFromUint64(r.Staked)) {
		err = types.ErrInvariantBroken.Wrapf("the stake pools of removed subnet id %d held %s alpha units, its record says %d", r.SubnetId, staked, r.Staked)
	}
	return err
}

// checkColdkeys tests that every announced swap comes due once, and that no
// coldkey is its own successor or recovery key.
func (k Keeper) checkColdkeys(ctx context.Context) error {
	entries := 0
	err := k.coldkeySwaps.Walk(ctx, nil, func(coldkey sdk.AccAddress, s types.ColdkeySwap) (bool, error) {
		entries++
		if ok, err := k.coldkeySwapsDue.Has(ctx, collections.Join(s.DueHeight, coldkey)); err != nil || !ok || s.Coldkey == s.NewColdkey {
			return true, broken(err, "the swap of %s for %s, due in block %d, comes due: %v", s.Coldkey, s.NewColdkey, s.DueHeight, ok)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := k.coldkeySwapsDue.Walk(ctx, nil, func(coldkeyDue) (bool, error) { entries--; return false, nil }); err != nil {
		return err
	}
	if entries != 0 {
		return types.ErrInvariantBroken.Wrapf("%d entries too many say that a coldkey's swap comes due", -entries)
	}
	return k.recoveries.Walk(ctx, nil, func(_ sdk.AccAddress, r types.Recovery) (bool, error) {
		if r.Key == r.Coldkey || r.Next == r.Coldkey || r.Key == "" && r.DueHeight == 0 {
			return true, types.ErrInvariantBroken.Wrapf("the recovery key of %s is %q, and %q from block %d on", r.Coldkey, r.Key, r.Next, r.DueHeight)
		}
		return false, nil
	})
}

func broken(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return types.ErrInvariantBroken.Wrapf(format, args...)
}
