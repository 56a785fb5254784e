package keeper

import (
	"context"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/emission/types"
)

// AddRevenue keeps alpha that customers' payments bought for a subnet's miners until its
// next epoch, which divides it by incentive; where nobody has any it waits on. The caller
// has moved it to the pool's pending alpha.
func (k Keeper) AddRevenue(ctx context.Context, subnetID uint64, alpha uint64) error {
	e, err := k.Emission(ctx, subnetID)
	if err != nil {
		return err
	}
	e.PendingRevenue += alpha
	if _, fits := e.Pending(); !fits || e.PendingRevenue < alpha {
		return types.ErrAccounting.Wrapf("the pending alpha of the subnet of id %d exceeds 64 bits", subnetID)
	}
	return k.emissions.Set(ctx, subnetID, e)
}

// divideRevenue divides alpha by incentive; nil where there is nothing or nobody has any.
func divideRevenue(alpha uint64, incentive []fixed.Q32) []uint64 {
	if alpha == 0 {
		return nil
	}
	weights := make([]uint64, len(incentive))
	for uid, i := range incentive {
		weights[uid] = uint64(i)
	}
	if sum(weights) == 0 {
		return nil
	}
	return fixed.Apportion(alpha, weights)
}
