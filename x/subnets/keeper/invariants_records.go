package keeper

import (
	"context"
	"maps"
	"slices"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/subnets/types"
)

// checkSeats tests that every neuron is of a subnet or will be swept, and that
// there are as many hotkeys as neurons; checkSubnet has matched those of subnets.
func (k Keeper) checkSeats(ctx context.Context, w owners) error {
	seats, hotkeys := map[uint64]int{}, map[uint64]int{}
	if err := k.neurons.Walk(ctx, nil, func(at slot, _ types.Neuron) (bool, error) { seats[at.K1()]++; return false, nil }); err != nil {
		return err
	}
	err := k.hotkeys.Walk(ctx, nil, func(at collections.Pair[uint64, sdk.AccAddress], _ uint32) (bool, error) {
		hotkeys[at.K1()]++
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(seats)) {
		if !w.knows(id) || hotkeys[id] != seats[id] {
			return types.ErrInvariantBroken.Wrapf("subnet id %d (there or to be swept: %v) has %d uids and %d hotkeys", id, w.knows(id), seats[id], hotkeys[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(hotkeys)) {
		if seats[id] == 0 {
			return types.ErrInvariantBroken.Wrapf("subnet id %d has %d hotkeys and no uid", id, hotkeys[id])
		}
	}
	return nil
}

// checkRecords tests what is kept beside subnets and neurons.
func (k Keeper) checkRecords(ctx context.Context, w owners) error {
	broken := types.ErrInvariantBroken.Wrapf
	err := k.sets.Walk(ctx, nil, func(at collections.Pair[uint64, string], _ int64) (bool, error) {
		if !w.knows(at.K1()) {
			return true, broken("a setting of %s is of no subnet, id %d", at.K2(), at.K1())
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.published.Walk(ctx, nil, func(at slot, p types.Published) (bool, error) {
		if err := p.Validate(); err != nil || !w.seated(at) {
			return true, broken("published by uid %d of subnet id %d, a neuron or to be swept: %v (%v)", at.K2(), at.K1(), w.seated(at), err)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.uses.Walk(ctx, nil, func(at slot, _ types.PublishUse) (bool, error) {
		if !w.seated(at) {
			return true, broken("what uid %d of subnet id %d published is counted: there is no such neuron", at.K2(), at.K1())
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.scheduled.Walk(ctx, nil, func(at collections.Pair[uint64, string], c types.ScheduledHyperparameter) (bool, error) {
		s, there := w.live[at.K1()]
		if !there {
			return true, broken("a change of %s waits for no subnet, id %d", at.K2(), at.K1())
		}
		old, err := s.Hyperparameters.Get(at.K2())
		if err != nil || !waits(at.K2(), old, c.Value) {
			return true, broken("subnet %d: %s waits to become %d, but is %d (%v)", s.Netuid, at.K2(), c.Value, old, err)
		}
		return false, nil
	})
}
