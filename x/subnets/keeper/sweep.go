package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/internal/guarded"
	"github.com/lodenet/lode/x/subnets/types"
)

// alphaRecord is the most keys that x/alpha's sweep deletes with one record, even
// where it may delete fewer. Parameters allow more a block, see minSweep.
const alphaRecord = 7

// EndBlocker deletes records of removed subnets, the longest removed first, at
// most sweep_keys_per_block of all modules (protocol.md §3). One whose holders
// are not paid yet keeps nobody else waiting.
func (k Keeper) EndBlocker(ctx context.Context) error {
	queue, err := values(ctx, k.removals)
	if err != nil || len(queue) == 0 {
		return err
	}
	p, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	left := int(p.SweepKeysPerBlock)
	for _, r := range queue {
		if left <= 0 {
			break
		}
		swept, err := guarded.Attempt(ctx, types.ModuleName, func(ctx context.Context) (int, error) { return k.sweep(ctx, r, left) })
		if err != nil {
			// What can't be deleted is nobody's any more: it must not stop the chain.
			sdk.UnwrapSDKContext(ctx).Logger().Error("a removed subnet can't be swept", "subnet_id", r.SubnetId, "err", err)
			continue
		}
		left -= swept
	}
	return nil
}

// sweep deletes at most so many records of a removed subnet: this module's, then
// those of the modules above, then x/alpha's.
func (k Keeper) sweep(ctx context.Context, r types.Removal, most int) (swept int, err error) {
	swept, done, err := k.sweepOwn(ctx, r.SubnetId, most)
	if err != nil || !done || swept == most {
		return swept, err
	}
	n, err := k.upper.hooks.SweepSubnet(ctx, r.SubnetId, most-swept)
	if swept += n; err != nil || swept > most-alphaRecord {
		return swept, err
	}
	n, done, err = k.alpha.Sweep(ctx, r.SubnetId, most-swept)
	if swept += n; err != nil || !done {
		return swept, err
	}
	if err := k.removals.Remove(ctx, collections.Join(r.Height, r.SubnetId)); err != nil {
		return swept, err
	}
	return swept, emit(ctx, &types.EventSubnetSwept{SubnetId: r.SubnetId, Netuid: r.Netuid})
}

// sweepOwn deletes neurons, blocks of settings and published data.
func (k Keeper) sweepOwn(ctx context.Context, subnetID uint64, most int) (swept int, done bool, err error) {
	swept, done, err = k.sweepNeurons(ctx, subnetID, most)
	if err != nil || !done {
		return swept, false, err
	}
	for _, sweep := range []func(most int) (int, error){
		func(most int) (int, error) {
			return guarded.Sweep(ctx, k.sets.Iterate, k.sets.Remove, collections.NewPrefixedPairRange[uint64, string](subnetID), most)
		},
		func(most int) (int, error) {
			return guarded.Sweep(ctx, k.published.Iterate, k.published.Remove, collections.NewPrefixedPairRange[uint64, uint32](subnetID), most)
		},
		func(most int) (int, error) {
			return guarded.Sweep(ctx, k.uses.Iterate, k.uses.Remove, collections.NewPrefixedPairRange[uint64, uint32](subnetID), most)
		},
	} {
		left := most - swept
		n, err := sweep(left)
		if swept += n; err != nil || n == left {
			return swept, false, err
		}
	}
	return swept, true, nil
}

// sweepNeurons deletes neurons together with the index of their hotkeys, so that
// both always agree.
func (k Keeper) sweepNeurons(ctx context.Context, subnetID uint64, most int) (swept int, done bool, err error) {
	slots, err := guarded.FirstKeys(ctx, k.neurons.Iterate, collections.NewPrefixedPairRange[uint64, uint32](subnetID), most/2)
	if err != nil {
		return 0, false, err
	}
	for _, at := range slots {
		n, err := k.neurons.Get(ctx, at)
		if err != nil {
			return swept, false, err
		}
		hotkey, err := k.ac.StringToBytes(n.Hotkey)
		if err != nil {
			return swept, false, err
		}
		if err := k.hotkeys.Remove(ctx, joinHotkey(subnetID, hotkey)); err != nil {
			return swept, false, err
		}
		if err := k.neurons.Remove(ctx, at); err != nil {
			return swept, false, err
		}
		swept += 2
	}
	return swept, len(slots) < most/2, nil
}
