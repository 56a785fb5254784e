package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/internal/guarded"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// Hooks listen to x/subnets.
type Hooks struct{ k Keeper }

var _ subnetstypes.Hooks = Hooks{}

// Hooks are the keeper's listeners, for app to wire into x/subnets.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterSubnetCreated does nothing.
func (Hooks) AfterSubnetCreated(context.Context, subnetstypes.Subnet) error { return nil }

// AfterSubnetStarted does nothing.
func (Hooks) AfterSubnetStarted(context.Context, subnetstypes.Subnet) error { return nil }

// AfterNeuronRegistered does nothing: the collateral of a replaced neuron stays at
// stake, and so do claims against it.
func (Hooks) AfterNeuronRegistered(context.Context, subnetstypes.Neuron, bool) error { return nil }

// AfterSubnetRemoved does nothing: a claim of a removed subnet can't be confirmed
// any more, and its deposit goes back when it is swept, or when its time is up.
func (Hooks) AfterSubnetRemoved(context.Context, subnetstypes.Subnet) error { return nil }

// SweepSubnet lets claims of a removed subnet lapse, each after those who could
// confirm it, and deletes collaterals and waits: what was collateral is stake like
// any other, paid out by x/alpha.
func (h Hooks) SweepSubnet(ctx context.Context, subnetID uint64, most int) (swept int, err error) {
	k, in := h.k, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](subnetID)
	for swept < most {
		at, err := guarded.FirstKeys(ctx, k.claimOf.Iterate, in, 1)
		if err != nil {
			return swept, err
		}
		if len(at) == 0 {
			break
		}
		claim, _, err := k.openClaim(ctx, at[0])
		if err != nil {
			return swept, err
		}
		n, err := guarded.Sweep(ctx, k.voters.Iterate, k.voters.Remove, votersOf(claim.Id), most-swept)
		if err != nil {
			return swept, err
		}
		if swept += n; swept == most {
			break
		}
		if err := k.lapse(ctx, claim); err != nil {
			return swept, err
		}
		swept++
	}
	places, err := guarded.FirstKeys(ctx, k.collaterals.Iterate, in, most-swept)
	if err != nil {
		return swept, err
	}
	for _, at := range places {
		c, err := k.collaterals.Get(ctx, at)
		if err != nil {
			return swept, err
		}
		if err := k.unschedule(ctx, at, c); err != nil {
			return swept, err
		}
		if err := k.collaterals.Remove(ctx, at); err != nil {
			return swept, err
		}
		swept++
	}
	n, err := guarded.Sweep(ctx, k.waits.Iterate, k.waits.Remove, in, most-swept)
	return swept + n, err
}
