package keeper

import (
	"context"

	"cosmossdk.io/collections"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/internal/guarded"
	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// Hooks listen to x/subnets, and do x/market's part of a coldkey swap.
type Hooks struct{ k Keeper }

var (
	_ subnetstypes.Hooks = Hooks{}
	_ alphatypes.Hooks   = Hooks{}
)

// Hooks are the keeper's listeners, for app to wire into x/subnets and x/alpha.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterSubnetCreated does nothing.
func (Hooks) AfterSubnetCreated(context.Context, subnetstypes.Subnet) error { return nil }

// AfterSubnetStarted does nothing: the end of this block finds it trading.
func (Hooks) AfterSubnetStarted(context.Context, subnetstypes.Subnet) error { return nil }

// AfterNeuronRegistered withdraws the services of a neuron that was replaced. It costs
// who registers nothing: whoever listed them has paid for it, and they are bounded.
func (h Hooks) AfterNeuronRegistered(ctx context.Context, n subnetstypes.Neuron, replaced bool) error {
	if !replaced {
		return nil
	}
	free := sdk.UnwrapSDKContext(ctx).WithGasMeter(storetypes.NewInfiniteGasMeter())
	in := collections.NewSuperPrefixedTripleRange[uint64, uint32, uint64](n.SubnetId, n.Uid)
	gone, err := guarded.FirstKeys(free, h.k.listed.Iterate, in, types.MaxServices)
	if err != nil {
		return err
	}
	for _, at := range gone {
		service, err := h.k.services.Get(free, at.K3())
		if err != nil {
			return err
		}
		if _, err := h.k.unlist(free, service, neuronGone); err != nil {
			return err
		}
	}
	return nil
}

// AfterSubnetRemoved recycles what of the subnet's revenue waits, and forgets its split
// and what it has brought. Channels go on: providers get all that is claimed.
func (h Hooks) AfterSubnetRemoved(ctx context.Context, s subnetstypes.Subnet) error {
	r, err := h.k.revenue(ctx, s)
	if err != nil {
		return err
	}
	if amount := r.Pending(); amount > 0 {
		if err := h.k.emission.Recycle(ctx, types.ModuleName, amount, types.ReasonRevenue); err != nil {
			return err
		}
		err := emit(ctx, &types.EventRevenueRecycled{SubnetId: s.Id, Netuid: s.Netuid, Amount: amount})
		if err != nil {
			return err
		}
	}
	if err := h.k.waiting.Remove(ctx, s.Id); err != nil {
		return err
	}
	if err := h.k.splits.Remove(ctx, s.Id); err != nil {
		return err
	}
	return h.k.revenues.Remove(ctx, s.Id)
}

// SweepSubnet withdraws the services of a removed subnet. Those with channels or
// subscriptions stay until these end.
func (h Hooks) SweepSubnet(ctx context.Context, subnetID uint64, most int) (swept int, err error) {
	for swept < most {
		at, err := guarded.FirstKeys(ctx, h.k.listed.Iterate, collections.NewPrefixedTripleRange[uint64, uint32, uint64](subnetID), 1)
		if err != nil || len(at) == 0 {
			return swept, err
		}
		service, err := h.k.services.Get(ctx, at[0].K3())
		if err != nil {
			return swept, err
		}
		plans, err := h.k.plansOfService(ctx, service.Id)
		if err != nil {
			return swept, err
		}
		// Plans first, so that a service is never more work than is left.
		for _, plan := range plans {
			if !plan.Offered {
				continue
			}
			if swept == most {
				return swept, nil
			}
			if err := h.k.retire(ctx, &service, plan); err != nil {
				return swept, err
			}
			if err := h.k.setService(ctx, service); err != nil {
				return swept, err
			}
			swept++
		}
		if swept == most {
			return swept, nil
		}
		n, err := h.k.unlist(ctx, service, subnetRemoved)
		if swept += n; err != nil {
			return swept, err
		}
	}
	return swept, nil
}
