package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/weights/types"
)

// retryBlocks is how much later a failed epoch comes where even the subnet's
// tempo can't be read.
const retryBlocks = 360

// setEpoch stores a subnet's place in time and keeps the schedule's index.
func (k Keeper) setEpoch(ctx context.Context, netuid uint32, s types.EpochState) error {
	old, ok, err := k.EpochState(ctx, s.SubnetId)
	if err != nil {
		return err
	}
	if ok {
		if err := k.schedule.Remove(ctx, collections.Join3(old.DueHeight, netuid, s.SubnetId)); err != nil {
			return err
		}
	}
	if err := k.epochs.Set(ctx, s.SubnetId, s); err != nil {
		return err
	}
	return k.schedule.Set(ctx, collections.Join3(s.DueHeight, netuid, s.SubnetId))
}

// Due lists the subnets whose epoch runs in this block: at most
// max_epochs_per_block, by due block, then netuid. What is left over is due in
// the next block, before later ones. It costs the same however many subnets
// there are.
func (k Keeper) Due(ctx context.Context) ([]uint64, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	var ids []uint64
	err = k.schedule.Walk(ctx, nil, func(d due) (bool, error) {
		if d.K1() > height {
			return true, nil
		}
		ids = append(ids, d.K3())
		return len(ids) == int(params.MaxEpochsPerBlock), nil
	})
	return ids, err
}

// FailEpoch puts off a subnet's epoch by a tempo, after its run was dropped. The
// run is not counted: commits of its epoch belong to the next one, so nobody
// loses a reveal to it.
func (k Keeper) FailEpoch(ctx context.Context, subnetID uint64, reason string) error {
	state, ok, err := k.EpochState(ctx, subnetID)
	if err != nil || !ok {
		return err
	}
	height := sdk.UnwrapSDKContext(ctx).BlockHeight()
	netuid, tempo := uint32(0), int64(retryBlocks)
	if s, err := k.subnets.Subnet(ctx, subnetID); err == nil {
		netuid, tempo = s.Netuid, int64(s.Hyperparameters.Tempo)
	} else if netuid, err = k.scheduledNetuid(ctx, state); err != nil {
		return err
	}
	state.DueHeight = height + max(tempo, 1)
	if err := k.setEpoch(ctx, netuid, state); err != nil {
		return err
	}
	return emit(ctx, &types.EventEpochFailed{SubnetId: subnetID, Netuid: netuid, Reason: reason, NextDue: state.DueHeight})
}

// scheduledNetuid finds a subnet's netuid in the schedule, for when x/subnets
// can't tell: without it the entry would stay due for ever.
func (k Keeper) scheduledNetuid(ctx context.Context, s types.EpochState) (netuid uint32, err error) {
	err = k.schedule.Walk(ctx, collections.NewPrefixedTripleRange[int64, uint32, uint64](s.DueHeight), func(d due) (bool, error) {
		netuid = d.K2()
		return d.K3() == s.SubnetId, nil
	})
	return netuid, err
}
