package keeper

import (
	"cmp"
	"context"
	"slices"

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
	neurons, err := k.Neurons(ctx, subnetID)
	if err != nil {
		return nil, err
	}
	return k.PruningOrderOf(ctx, s, neurons)
}

// PruningOrderOf is PruningOrder by all neurons of a subnet, by uid.
func (k Keeper) PruningOrderOf(ctx context.Context, s types.Subnet, neurons []types.Neuron) ([]types.PruningPlace, error) {
	p, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	target, err := k.upper.network.TargetBlockTime(ctx)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(neurons))
	for uid := range order {
		order[uid] = uid
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &neurons[i], &neurons[j]
		return cmp.Or(cmp.Compare(a.Emission, b.Emission), cmp.Compare(a.RegisteredHeight, b.RegisteredHeight))
	})
	height, seconds := now(ctx)
	var free, immune []types.PruningPlace
	for _, uid := range order {
		n := neurons[uid]
		if n.Hotkey == s.OwnerHotkey {
			continue
		}
		place := types.PruningPlace{Uid: n.Uid, Emission: n.Emission}
		untilHeight, untilTime := later(n.RegisteredHeight, n.RegisteredTime, int64(s.Hyperparameters.ImmunityPeriod), target)
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

// SetEmissions records what the last epoch gave to each uid, in alpha units. neurons are all
// of the subnet in this block. It writes only what changed.
func (k Keeper) SetEmissions(ctx context.Context, neurons []types.Neuron, byUID []uint64) error {
	if len(byUID) != len(neurons) {
		return types.ErrNotRegistered.Wrapf("%d emissions for %d neurons", len(byUID), len(neurons))
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
