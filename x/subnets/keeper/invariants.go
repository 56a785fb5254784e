package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/subnets/types"
)

// CheckInvariants tests what must hold after every block (protocol.md §9): uids
// are dense and unique, hotkeys have one uid a subnet and the owner's has one,
// netuids are slots of one subnet, hyperparameters and prices fit each other.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	subnets, err := k.Subnets(ctx)
	if err != nil {
		return err
	}
	var neurons, records, seats, registered, priced int
	for _, s := range subnets {
		if err := k.checkSubnet(ctx, s); err != nil {
			return err
		}
		neurons += int(s.Neurons)
	}
	if err := k.subnets.Walk(ctx, nil, func(uint64, types.Subnet) (bool, error) { records++; return false, nil }); err != nil {
		return err
	}
	if err := k.neurons.Walk(ctx, nil, func(slot, types.Neuron) (bool, error) { seats++; return false, nil }); err != nil {
		return err
	}
	err = k.hotkeys.Walk(ctx, nil, func(collections.Pair[uint64, sdk.AccAddress], uint32) (bool, error) { registered++; return false, nil })
	if err != nil {
		return err
	}
	if err := k.burns.Walk(ctx, nil, func(uint64, uint64) (bool, error) { priced++; return false, nil }); err != nil {
		return err
	}
	if records != len(subnets) || seats != neurons || registered != neurons || priced != len(subnets) {
		return types.ErrInvariantBroken.Wrapf("%d slots but %d subnets and %d prices; %d neurons but %d uids and %d hotkeys",
			len(subnets), records, priced, neurons, seats, registered)
	}
	return nil
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
