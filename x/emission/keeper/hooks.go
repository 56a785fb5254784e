package keeper

import (
	"context"

	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// Hooks listen to x/subnets.
type Hooks struct{ k Keeper }

var _ subnetstypes.Hooks = Hooks{}

// Hooks are the keeper's listeners, for app to wire into x/subnets.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterSubnetCreated opens the subnet's record, empty: it emits from its start on.
func (h Hooks) AfterSubnetCreated(ctx context.Context, s subnetstypes.Subnet) error {
	e, err := h.k.Emission(ctx, s.Id)
	if err != nil {
		return err
	}
	return h.k.emissions.Set(ctx, s.Id, e)
}

// AfterSubnetStarted does nothing: the end of this block finds it started.
func (Hooks) AfterSubnetStarted(context.Context, subnetstypes.Subnet) error { return nil }

// AfterNeuronRegistered does nothing: what is in the air belongs to the subnet.
func (Hooks) AfterNeuronRegistered(context.Context, subnetstypes.Neuron, bool) error { return nil }

// AfterSubnetRemoved recycles the root pot, which has no claimants any more, and
// forgets what the subnet had in the air: its alpha is in the pot of x/alpha.
func (h Hooks) AfterSubnetRemoved(ctx context.Context, s subnetstypes.Subnet) error {
	e, err := h.k.Emission(ctx, s.Id)
	if err != nil {
		return err
	}
	if err := h.k.recycle(ctx, e.RootPot, types.ReasonRootUnclaimed); err != nil {
		return err
	}
	return h.k.emissions.Remove(ctx, s.Id)
}

// SweepSubnet has nothing to delete.
func (Hooks) SweepSubnet(context.Context, uint64, int) (int, error) { return 0, nil }
