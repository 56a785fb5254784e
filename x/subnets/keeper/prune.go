package keeper

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lodenet/lode/x/subnets/types"
)

// PruningOrder lists a subnet's neurons, the first to be replaced first, as they
// would go one after the other. The owner's is never pruned and not in it.
//
// Among non-immune neurons the lowest emission of the last epoch goes first, then
// the oldest registration, then the lowest uid; but the last min_non_immune of
// them are spared while there are immune ones, which go by the same order
// (protocol.md §4).
func (k Keeper) PruningOrder(ctx context.Context, subnetID uint64) ([]types.PruningPlace, error) {
	s, err := k.Subnet(ctx, subnetID)
	if err != nil {
		return nil, err
	}
	p, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	target, err := k.upper.network.TargetBlockTime(ctx)
	if err != nil {
		return nil, err
	}
	neurons, err := k.Neurons(ctx, subnetID)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(neurons, func(a, b types.Neuron) int { // they come by uid
		return cmp.Or(cmp.Compare(a.Emission, b.Emission), cmp.Compare(a.RegisteredHeight, b.RegisteredHeight))
	})
	height, seconds := now(ctx)
	var free, immune []types.PruningPlace
	for _, n := range neurons {
		if n.Hotkey == s.OwnerHotkey {
			continue
		}
		place := types.PruningPlace{Uid: n.Uid, Emission: n.Emission}
		untilHeight, untilTime := immuneUntil(n, s.Hyperparameters.ImmunityPeriod, target)
		if height < untilHeight || seconds < untilTime {
			place.ImmuneUntilHeight, place.ImmuneUntilTime = untilHeight, untilTime
			immune = append(immune, place)
		} else {
			free = append(free, place)
		}
	}
	first := max(len(free)-int(min(p.MinNonImmune, types.MaxUIDs)), 0)
	return slices.Concat(free[:first], immune, free[first:]), nil
}

// immuneUntil is when a neuron's immunity ends: it lasts until the period has
// passed in blocks and in time (protocol.md §2). Time is in Unix seconds.
func immuneUntil(n types.Neuron, period uint32, target time.Duration) (height, seconds int64) {
	blocks := int64(period)
	whole, part := int64(target/time.Second), int64(target%time.Second)
	lasts := blocks*whole + (blocks*part+int64(time.Second)-1)/int64(time.Second)
	return n.RegisteredHeight + blocks, n.RegisteredTime + lasts
}

// SetEmissions records what the last epoch gave to each uid, in alpha units. It
// writes only what changed.
func (k Keeper) SetEmissions(ctx context.Context, subnetID uint64, byUID []uint64) error {
	neurons, err := k.Neurons(ctx, subnetID)
	if err != nil {
		return err
	}
	if len(byUID) != len(neurons) {
		return types.ErrNotRegistered.Wrapf("%d emissions for the %d neurons of the subnet of id %d", len(byUID), len(neurons), subnetID)
	}
	for uid, n := range neurons {
		if n.Emission == byUID[uid] {
			continue
		}
		n.Emission = byUID[uid]
		if err := k.neurons.Set(ctx, joinSlot(n), n); err != nil {
			return err
		}
	}
	return nil
}
