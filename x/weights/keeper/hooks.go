package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/internal/guarded"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Hooks listen to x/subnets.
type Hooks struct{ k Keeper }

// Hooks are the keeper's listeners, for app to wire into x/subnets.
func (k Keeper) Hooks() Hooks { return Hooks{k} }

// AfterSubnetCreated does nothing: a subnet without a start has no epochs.
func (Hooks) AfterSubnetCreated(context.Context, subnetstypes.Subnet) error { return nil }

// AfterSubnetStarted schedules the first epoch: start + tempo + netuid mod tempo
// (protocol.md §7), which spreads subnets that start together.
func (h Hooks) AfterSubnetStarted(ctx context.Context, s subnetstypes.Subnet) error {
	tempo := int64(s.Hyperparameters.Tempo)
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	return h.k.setEpoch(ctx, s.Netuid, types.EpochState{
		SubnetId:  s.Id,
		DueHeight: height + tempo + int64(s.Netuid)%max(tempo, 1),
	})
}

// AfterNeuronRegistered clears what a replaced uid had: row, bonds, permit,
// commits, attempts and scores. What others think of the uid stays stored, and
// is dropped by the next epoch, which knows when the neuron registered.
func (h Hooks) AfterNeuronRegistered(ctx context.Context, n subnetstypes.Neuron, replaced bool) error {
	if !replaced {
		return nil
	}
	k, at := h.k, collections.Join(n.SubnetId, n.Uid)
	for _, remove := range []func(context.Context, slot) error{k.rows.Remove, k.bonds.Remove, k.commits.Remove, k.permits.Remove} {
		if err := remove(ctx, at); err != nil {
			return err
		}
	}
	for _, kind := range types.Kinds {
		if err := k.attempts.Remove(ctx, collections.Join3(n.SubnetId, n.Uid, kind)); err != nil {
			return err
		}
	}
	r, ok, err := k.EpochResult(ctx, n.SubnetId)
	if err != nil || !ok || int(n.Uid) >= len(r.Stake) {
		return err
	}
	for _, column := range [][]uint64{r.Stake, r.Incentive, r.Dividends, r.Consensus, r.ValidatorTrust, r.Rank} {
		column[n.Uid] = 0
	}
	r.Active[n.Uid] = false
	return k.results.Set(ctx, n.SubnetId, r)
}

// AfterSubnetRemoved ends the subnet's time: no epoch of it runs any more.
func (h Hooks) AfterSubnetRemoved(ctx context.Context, s subnetstypes.Subnet) error {
	state, ok, err := h.k.EpochState(ctx, s.Id)
	if err != nil || !ok {
		return err
	}
	if err := h.k.schedule.Remove(ctx, collections.Join3(state.DueHeight, s.Netuid, s.Id)); err != nil {
		return err
	}
	if err := h.k.epochs.Remove(ctx, s.Id); err != nil {
		return err
	}
	return h.k.results.Remove(ctx, s.Id)
}

// SweepSubnet deletes rows, bonds, commits, permits and attempts of a removed subnet.
func (h Hooks) SweepSubnet(ctx context.Context, subnetID uint64, most int) (swept int, err error) {
	k := h.k
	for _, sweep := range []func(int) (int, error){
		func(n int) (int, error) { return sweepSlots(ctx, k.rows, subnetID, n) },
		func(n int) (int, error) { return sweepSlots(ctx, k.bonds, subnetID, n) },
		func(n int) (int, error) { return sweepSlots(ctx, k.commits, subnetID, n) },
		func(n int) (int, error) {
			return guarded.Sweep(ctx, k.permits.Iterate, k.permits.Remove, collections.NewPrefixedPairRange[uint64, uint32](subnetID), n)
		},
		func(n int) (int, error) {
			return guarded.Sweep(ctx, k.attempts.Iterate, k.attempts.Remove, collections.NewPrefixedTripleRange[uint64, uint32, string](subnetID), n)
		},
	} {
		n, err := sweep(most - swept)
		if err != nil {
			return swept, err
		}
		if swept += n; swept >= most {
			break
		}
	}
	return swept, nil
}

// sweepSlots deletes at most so many entries of a subnet.
func sweepSlots[V any](ctx context.Context, m collections.Map[slot, V], subnetID uint64, most int) (int, error) {
	return guarded.Sweep(ctx, m.Iterate, m.Remove, collections.NewPrefixedPairRange[uint64, uint32](subnetID), most)
}
