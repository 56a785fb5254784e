package keeper

import (
	"context"

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
