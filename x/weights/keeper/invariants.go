package keeper

import (
	"context"

	"cosmossdk.io/collections"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// CheckInvariants tests what must hold after every block (protocol.md §9): a
// subnet's permits are at most max_validators + 1, as of the epoch that gave
// them; open commits are within their number and not past their epoch; what is
// kept of a uid is of one that somebody holds; every epoch is in the schedule, at
// its block, and nothing else is.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	epochs, err := values(ctx, k.epochs)
	if err != nil {
		return err
	}
	for _, e := range epochs {
		if err := k.checkSubnet(ctx, params, e); err != nil {
			return err
		}
	}
	scheduled := 0
	err = k.schedule.Walk(ctx, nil, func(due) (bool, error) { scheduled++; return false, nil })
	if err == nil && scheduled != len(epochs) {
		err = types.ErrInvariantBroken.Wrapf("%d entries in the schedule for %d subnets", scheduled, len(epochs))
	}
	return err
}

// checkHeld looks for records of uids that nobody holds: an epoch could not read
// them.
func (k Keeper) checkHeld(ctx context.Context, s subnetstypes.Subnet) error {
	check := func(at slot, what string) (bool, error) {
		if at.K2() < s.Neurons {
			return false, nil
		}
		return true, types.ErrInvariantBroken.Wrapf("subnet %d has %s of uid %d, which nobody holds", s.Netuid, what, at.K2())
	}
	subnet := collections.NewPrefixedPairRange[uint64, uint32](s.Id)
	if err := k.rows.Walk(ctx, subnet, func(at slot, _ types.Row) (bool, error) { return check(at, "a row") }); err != nil {
		return err
	}
	if err := k.bonds.Walk(ctx, subnet, func(at slot, _ types.Bonds) (bool, error) { return check(at, "bonds") }); err != nil {
		return err
	}
	if err := k.commits.Walk(ctx, subnet, func(at slot, _ types.Commits) (bool, error) { return check(at, "commits") }); err != nil {
		return err
	}
	return k.permits.Walk(ctx, subnet, func(at slot) (bool, error) { return check(at, "a permit") })
}

func (k Keeper) checkSubnet(ctx context.Context, params types.Params, e types.EpochState) error {
	s, err := k.subnets.Subnet(ctx, e.SubnetId)
	if err != nil {
		return err
	}
	scheduled, err := k.schedule.Has(ctx, collections.Join3(e.DueHeight, s.Netuid, s.Id))
	if err != nil {
		return err
	}
	if !scheduled {
		return types.ErrInvariantBroken.Wrapf("the epoch of subnet %d, due at block %d, is not in the schedule", s.Netuid, e.DueHeight)
	}
	if err := k.checkHeld(ctx, s); err != nil {
		return err
	}
	subnet := collections.NewPrefixedPairRange[uint64, uint32](s.Id)
	permits := uint32(0)
	if err := k.permits.Walk(ctx, subnet, func(slot) (bool, error) { permits++; return false, nil }); err != nil {
		return err
	}
	r, _, err := k.EpochResult(ctx, s.Id)
	if err != nil {
		return err
	}
	if permits > 0 && permits > r.MaxValidators+1 {
		return types.ErrInvariantBroken.Wrapf("subnet %d has %d permits, at most max_validators %d and the owner's", s.Netuid, permits, r.MaxValidators)
	}
	return k.commits.Walk(ctx, subnet, func(at slot, open types.Commits) (bool, error) {
		if len(open.Commits) > int(params.MaxOpenCommits) {
			return true, types.ErrInvariantBroken.Wrapf("subnet %d, uid %d has %d open commits, at most %d", s.Netuid, at.K2(), len(open.Commits), params.MaxOpenCommits)
		}
		for _, c := range open.Commits {
			if c.RevealEpoch <= e.Number {
				return true, types.ErrInvariantBroken.Wrapf("subnet %d, uid %d keeps a commit of epoch %d after epoch %d", s.Netuid, at.K2(), c.Epoch, e.Number)
			}
		}
		return false, nil
	})
}
