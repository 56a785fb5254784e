package keeper

import (
	"context"
	"slices"

	"github.com/lodenet/lode/fixed"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

var _ subnetstypes.Economy = Keeper{}

// MedianMovingPrice is the median of the moving prices of started subnets that
// have one, the lower middle; 1 where there is none. A new pool is priced by it
// (protocol.md §3).
func (k Keeper) MedianMovingPrice(ctx context.Context) (fixed.Q64, error) {
	subnets, err := k.subnets.Subnets(ctx)
	if err != nil {
		return fixed.Q64{}, err
	}
	var prices []fixed.Q64
	for _, s := range subnets {
		if s.StartedHeight == 0 {
			continue
		}
		e, err := k.Emission(ctx, s.Id)
		if err != nil {
			return fixed.Q64{}, err
		}
		if !e.MovingPrice.IsZero() {
			prices = append(prices, e.MovingPrice)
		}
	}
	if len(prices) == 0 {
		return fixed.OneQ64(), nil
	}
	slices.SortFunc(prices, fixed.Q64.Cmp)
	return prices[(len(prices)-1)/2], nil
}

// MovingPrice is a subnet's moving price, TAO per alpha; 0 before its start.
func (k Keeper) MovingPrice(ctx context.Context, subnetID uint64) (fixed.Q64, error) {
	e, err := k.Emission(ctx, subnetID)
	return e.MovingPrice, err
}
