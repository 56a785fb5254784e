package keeper

import (
	"cmp"
	"context"
	"slices"

	"cosmossdk.io/collections"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/subnets/types"
)

// removeGas is charged for each subnet that a removal looks at. It is flat, so
// that what owners write into their subnets makes nobody's creation dearer.
const removeGas = 20_000

// candidate is a subnet that may have to make room.
type candidate struct {
	types.Subnet
	price                  fixed.Q64 // moving, TAO per alpha
	untilHeight, untilTime int64     // the end of its immunity
	immune                 bool
}

// candidates are all subnets, the first to be removed first: the lowest moving
// price among those past network immunity, the oldest among equals; the immune
// ones, by the same order, come last (protocol.md §3).
func (k Keeper) candidates(ctx context.Context, p types.Params) ([]candidate, error) {
	subnets, err := k.Subnets(ctx)
	if err != nil {
		return nil, err
	}
	target, err := k.upper.network.TargetBlockTime(ctx)
	if err != nil {
		return nil, err
	}
	height, seconds := now(ctx)
	all := make([]candidate, len(subnets))
	for i, s := range subnets {
		price, err := k.upper.network.MovingPrice(ctx, s.Id)
		if err != nil {
			return nil, err
		}
		c := candidate{Subnet: s, price: price}
		c.untilHeight, c.untilTime = later(s.CreatedHeight, s.CreatedTime, p.NetworkImmunity, target)
		c.immune = height < c.untilHeight || seconds < c.untilTime
		all[i] = c
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.immune != b.immune {
			if b.immune {
				return -1
			}
			return 1
		}
		return cmp.Or(a.price.Cmp(b.price), cmp.Compare(a.CreatedHeight, b.CreatedHeight), cmp.Compare(a.Id, b.Id))
	})
	return all, nil
}

// RemovalOrder lists all subnets, the first to be removed first.
func (k Keeper) RemovalOrder(ctx context.Context) ([]types.RemovalPlace, error) {
	p, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	all, err := k.candidates(ctx, p)
	if err != nil {
		return nil, err
	}
	order := make([]types.RemovalPlace, len(all))
	for i, c := range all {
		order[i] = types.RemovalPlace{SubnetId: c.Id, Netuid: c.Netuid, MovingPrice: c.price.String()}
		if c.immune {
			order[i].ImmuneUntilHeight, order[i].ImmuneUntilTime = c.untilHeight, c.untilTime
		}
	}
	return order, nil
}

// makeRoom removes the subnet that is first in the order.
func (k Keeper) makeRoom(ctx context.Context, p types.Params, subnets uint32) error {
	c := sdk.UnwrapSDKContext(ctx)
	c.GasMeter().ConsumeGas(removeGas*uint64(subnets), "removal order")
	all, err := k.candidates(c.WithGasMeter(storetypes.NewInfiniteGasMeter()), p)
	if err != nil {
		return err
	}
	if all[0].immune {
		next := slices.MinFunc(all, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(a.untilHeight, b.untilHeight), cmp.Compare(a.untilTime, b.untilTime), cmp.Compare(a.Id, b.Id))
		})
		return types.ErrFull.Wrapf("all %d slots of subnets are taken (max_subnets) and every subnet is immune: the first that could be removed is subnet %d, from block %d and from %s on (network_immunity: %d blocks and their time)",
			p.MaxSubnets, next.Netuid, next.untilHeight, moment(next.untilTime), p.NetworkImmunity)
	}
	return k.removeSubnet(ctx, all[0])
}

// removeSubnet takes a subnet's slot. It costs the same however many neurons and
// holders the subnet has: their records are deleted by the sweep, the holders paid
// by x/alpha.
func (k Keeper) removeSubnet(ctx context.Context, c candidate) error {
	if err := k.alpha.RetirePool(ctx, c.Id); err != nil {
		return err
	}
	if err := k.subnets.Remove(ctx, c.Id); err != nil {
		return err
	}
	if err := k.netuids.Remove(ctx, c.Netuid); err != nil {
		return err
	}
	if err := k.burns.Remove(ctx, c.Id); err != nil {
		return err
	}
	for _, name := range types.ScheduledNames() {
		if err := k.scheduled.Remove(ctx, collections.Join(c.Id, name)); err != nil {
			return err
		}
	}
	height, _ := now(ctx)
	if err := k.removals.Set(ctx, collections.Join(height, c.Id), types.Removal{SubnetId: c.Id, Netuid: c.Netuid, Height: height}); err != nil {
		return err
	}
	if err := k.upper.hooks.AfterSubnetRemoved(ctx, c.Subnet); err != nil {
		return err
	}
	return emit(ctx, &types.EventSubnetRemoved{SubnetId: c.Id, Netuid: c.Netuid, Name: c.Name, MovingPrice: c.price.String()})
}
