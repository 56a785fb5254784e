package keeper

import (
	"context"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/subnets/types"
)

// BurnCost is what a registration costs in this block, in rao.
func (k Keeper) BurnCost(ctx context.Context, subnetID uint64) (uint64, error) {
	burn, ok, err := found(k.burns.Get(ctx, subnetID))
	if err == nil && !ok {
		_, err = k.Subnet(ctx, subnetID) // a subnet has a price from its creation on
	}
	return burn, err
}

// BeginBlocker makes the scheduled changes of hyperparameters that are due and
// lets the prices of registrations fall by a block (protocol.md §3, §4).
func (k Keeper) BeginBlocker(ctx context.Context) error {
	if err := k.setDue(ctx); err != nil {
		return err
	}
	subnets, err := k.Subnets(ctx)
	if err != nil {
		return err
	}
	for _, s := range subnets {
		old, err := k.BurnCost(ctx, s.Id)
		if err != nil {
			return err
		}
		if burn := decayed(s.Hyperparameters, old); burn != old {
			if err := k.burns.Set(ctx, s.Id, burn); err != nil {
				return err
			}
		}
	}
	return nil
}

// decayed is the price a block later: floor(burn·f/2^32), f = 2^32·2^(−1/half life).
func decayed(h types.Hyperparameters, burn uint64) uint64 {
	return clampBurn(h, fixed.Pow2Neg(h.BurnHalfLife).MulUint64(burn))
}

// raised is the price after a registration.
func raised(h types.Hyperparameters, burn uint64) uint64 {
	return clampBurn(h, mulDiv(burn, uint64(h.BurnIncrease), 100))
}

func clampBurn(h types.Hyperparameters, burn uint64) uint64 {
	return min(max(burn, h.MinBurn), h.MaxBurn)
}
