package keeper

import (
	"context"
	"slices"
	"time"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/subnets/types"
)

// moment is a time of the chain, as errors tell it.
func moment(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.DateTime + " UTC") }

// waits tells whether a change must wait: raises of what is asked of collateral
// take effect only once everybody could have taken theirs out (protocol.md §3).
func waits(name string, from, to uint64) bool {
	return to > from && slices.Contains(types.ScheduledNames(), name)
}

// schedule lets a hyperparameter change once the present collateral_unbond has
// passed, in blocks and in time. It takes the place of what waited before.
func (k Keeper) schedule(ctx context.Context, s types.Subnet, name string, value uint64) error {
	target, err := k.upper.network.TargetBlockTime(ctx)
	if err != nil {
		return err
	}
	height, seconds := now(ctx)
	c := types.ScheduledHyperparameter{SubnetId: s.Id, Name: name, Value: value}
	c.DueHeight, c.DueTime = later(height, seconds, int64(s.Hyperparameters.CollateralUnbond), target)
	if err := k.scheduled.Set(ctx, collections.Join(s.Id, name), c); err != nil {
		return err
	}
	return emit(ctx, &types.EventHyperparameterScheduled{
		SubnetId: s.Id, Netuid: s.Netuid, Name: name, Value: value, DueHeight: c.DueHeight, DueTime: c.DueTime,
	})
}

// setDue makes the changes whose time has come.
func (k Keeper) setDue(ctx context.Context) error {
	height, seconds := now(ctx)
	var due []types.ScheduledHyperparameter
	err := k.scheduled.Walk(ctx, nil, func(_ collections.Pair[uint64, string], c types.ScheduledHyperparameter) (bool, error) {
		if height >= c.DueHeight && seconds >= c.DueTime {
			due = append(due, c)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, c := range due {
		s, err := k.Subnet(ctx, c.SubnetId)
		if err != nil {
			return err
		}
		if err := k.put(ctx, s, c.Name, c.Value); err != nil {
			return err
		}
	}
	return nil
}

// put sets a hyperparameter from this block on, and drops what waited for it.
func (k Keeper) put(ctx context.Context, s types.Subnet, name string, value uint64) error {
	if err := s.Hyperparameters.Set(name, value); err != nil {
		return err
	}
	if err := k.subnets.Set(ctx, s.Id, s); err != nil {
		return err
	}
	if err := k.scheduled.Remove(ctx, collections.Join(s.Id, name)); err != nil {
		return err
	}
	if err := k.fitBurn(ctx, s); err != nil {
		return err
	}
	return emit(ctx, &types.EventHyperparameterSet{SubnetId: s.Id, Netuid: s.Netuid, Name: name, Value: value})
}
