package keeper

import (
	"context"

	"github.com/lodenet/lode/x/subnets/types"
)

// CheckInvariants tests what must hold after every block (protocol.md §9): uids
// are dense and unique, hotkeys have one uid a subnet and the owner's has one,
// netuids are slots of one subnet, hyperparameters and prices fit each other, and
// what is neither a subnet's nor in the queue of the sweep does not exist.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	subnets, err := k.Subnets(ctx)
	if err != nil {
		return err
	}
	w := owners{live: map[uint64]types.Subnet{}, removed: map[uint64]bool{}}
	for _, s := range subnets {
		if err := k.checkSubnet(ctx, s); err != nil {
			return err
		}
		w.live[s.Id] = s
	}
	var records, priced int
	if err := k.subnets.Walk(ctx, nil, func(uint64, types.Subnet) (bool, error) { records++; return false, nil }); err != nil {
		return err
	}
	if err := k.burns.Walk(ctx, nil, func(uint64, uint64) (bool, error) { priced++; return false, nil }); err != nil {
		return err
	}
	if records != len(subnets) || priced != len(subnets) {
		return types.ErrInvariantBroken.Wrapf("%d slots but %d subnets and %d prices", len(subnets), records, priced)
	}
	removals, err := values(ctx, k.removals)
	if err != nil {
		return err
	}
	for _, r := range removals {
		if w.knows(r.SubnetId) {
			return types.ErrInvariantBroken.Wrapf("subnet id %d is in the queue of the sweep, and holds a slot or is in the queue again", r.SubnetId)
		}
		w.removed[r.SubnetId] = true
	}
	if err := k.checkSeats(ctx, w); err != nil {
		return err
	}
	return k.checkRecords(ctx, w)
}

// owners are the subnets that may have records: those that hold a slot, and those
// that wait for the sweep.
type owners struct {
	live    map[uint64]types.Subnet
	removed map[uint64]bool
}

func (w owners) knows(id uint64) bool {
	_, live := w.live[id]
	return live || w.removed[id]
}

// seated tells whether there may be a record of a uid.
func (w owners) seated(at slot) bool {
	return w.removed[at.K1()] || at.K2() < w.live[at.K1()].Neurons
}

func (k Keeper) checkSubnet(ctx context.Context, s types.Subnet) error {
	broken := func(format string, args ...any) error {
		return types.ErrInvariantBroken.Wrapf("subnet %d: "+format, append([]any{s.Netuid}, args...)...)
	}
	if id, ok, err := found(k.netuids.Get(ctx, s.Netuid)); err != nil || !ok || id != s.Id {
		return broken("its slot holds the subnet of id %d, not of %d (%v)", id, s.Id, err)
	}
	if err := s.Validate(); err != nil {
		return broken("%s", err)
	}
	burn, err := k.BurnCost(ctx, s.Id)
	if err != nil {
		return err
	}
	if burn != clampBurn(s.Hyperparameters, burn) {
		return broken("a registration costs %d rao, not within min_burn %d and max_burn %d", burn, s.Hyperparameters.MinBurn, s.Hyperparameters.MaxBurn)
	}
	neurons, err := k.Neurons(ctx, s.Id)
	if err != nil {
		return err
	}
	if len(neurons) != int(s.Neurons) {
		return broken("%d neurons, should be %d", len(neurons), s.Neurons)
	}
	owner := false
	for i, n := range neurons {
		hotkey, err := k.ac.StringToBytes(n.Hotkey)
		if err != nil {
			return err
		}
		uid, ok, err := found(k.hotkeys.Get(ctx, joinHotkey(s.Id, hotkey)))
		if err != nil {
			return err
		}
		if int(n.Uid) != i || !ok || uid != n.Uid {
			return broken("place %d has uid %d, its hotkey %s has uid %d", i, n.Uid, n.Hotkey, uid)
		}
		owner = owner || n.Hotkey == s.OwnerHotkey
	}
	if !owner {
		return broken("the owner's hotkey %s holds no uid", s.OwnerHotkey)
	}
	return nil
}
