package keeper

import (
	"context"
	"fmt"
	"strings"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/subnets/types"
)

// Subnet is a subnet by its permanent id.
func (k Keeper) Subnet(ctx context.Context, subnetID uint64) (types.Subnet, error) {
	s, ok, err := found(k.subnets.Get(ctx, subnetID))
	if err == nil && !ok {
		err = types.ErrNoSubnet.Wrapf("none has the permanent id %d", subnetID)
	}
	return s, err
}

// SubnetByNetuid is the subnet in a slot. The error says which slots are taken.
func (k Keeper) SubnetByNetuid(ctx context.Context, netuid uint32) (types.Subnet, error) {
	id, ok, err := found(k.netuids.Get(ctx, netuid))
	if err != nil {
		return types.Subnet{}, err
	}
	if !ok {
		var there []string
		err := k.netuids.Walk(ctx, nil, func(n uint32, _ uint64) (bool, error) {
			there = append(there, fmt.Sprint(n))
			return false, nil
		})
		if err != nil {
			return types.Subnet{}, err
		}
		if len(there) == 0 {
			return types.Subnet{}, types.ErrNoSubnet.Wrapf("netuid %d: there are no subnets yet, MsgCreateSubnet makes the first", netuid)
		}
		return types.Subnet{}, types.ErrNoSubnet.Wrapf("netuid %d: the subnets are %s", netuid, strings.Join(there, ", "))
	}
	return k.Subnet(ctx, id)
}

// Subnets are all, by netuid.
func (k Keeper) Subnets(ctx context.Context) ([]types.Subnet, error) {
	var ids []uint64
	err := k.netuids.Walk(ctx, nil, func(_ uint32, id uint64) (bool, error) {
		ids = append(ids, id)
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	subnets := make([]types.Subnet, len(ids))
	for i, id := range ids {
		if subnets[i], err = k.Subnet(ctx, id); err != nil {
			return nil, err
		}
	}
	return subnets, nil
}

// live asks for a subnet that is there: the records of a removed one are found
// by the sweep alone.
func (k Keeper) live(ctx context.Context, subnetID uint64) error {
	ok, err := k.subnets.Has(ctx, subnetID)
	if err == nil && !ok {
		_, err = k.Subnet(ctx, subnetID) // says so
	}
	return err
}

// Neuron is who holds a uid.
func (k Keeper) Neuron(ctx context.Context, subnetID uint64, uid uint32) (types.Neuron, error) {
	if err := k.live(ctx, subnetID); err != nil {
		return types.Neuron{}, err
	}
	return k.holder(ctx, subnetID, uid)
}

// holder is who holds a uid of a subnet that is there.
func (k Keeper) holder(ctx context.Context, subnetID uint64, uid uint32) (types.Neuron, error) {
	n, ok, err := found(k.neurons.Get(ctx, collections.Join(subnetID, uid)))
	if err == nil && !ok {
		err = types.ErrNotRegistered.Wrapf("nobody holds uid %d in the subnet of id %d", uid, subnetID)
	}
	return n, err
}

// NeuronByHotkey is a hotkey's neuron in a subnet.
func (k Keeper) NeuronByHotkey(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (types.Neuron, error) {
	if err := k.live(ctx, subnetID); err != nil {
		return types.Neuron{}, err
	}
	uid, ok, err := found(k.hotkeys.Get(ctx, collections.Join(subnetID, hotkey)))
	if err != nil {
		return types.Neuron{}, err
	}
	if ok {
		return k.holder(ctx, subnetID, uid)
	}
	s, err := k.Subnet(ctx, subnetID)
	if err != nil {
		return types.Neuron{}, err
	}
	return types.Neuron{}, types.ErrNotRegistered.Wrapf("hotkey %s holds no uid in subnet %d: MsgRegister gives it one", hotkey, s.Netuid)
}

// Neurons are a subnet's, by uid.
func (k Keeper) Neurons(ctx context.Context, subnetID uint64) (neurons []types.Neuron, err error) {
	if err := k.live(ctx, subnetID); err != nil {
		return nil, err
	}
	err = k.neurons.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](subnetID), func(_ slot, n types.Neuron) (bool, error) {
		neurons = append(neurons, n)
		return false, nil
	})
	return neurons, err
}

// bound asks for a hotkey that is bound to the coldkey. Addresses come back in
// their one canonical form: a message may write them in upper case.
func (k Keeper) bound(ctx context.Context, hotkey, coldkey string) (hot, cold key, err error) {
	if hot, err = k.key(hotkey); err != nil {
		return hot, cold, err
	}
	if cold, err = k.key(coldkey); err != nil {
		return hot, cold, err
	}
	owner, err := k.alpha.Coldkey(ctx, hot.addr)
	if err == nil && !owner.Equals(cold.addr) {
		err = types.ErrWrongColdkey.Wrapf("hotkey %s is bound to %s, not to %s", hot, owner, cold)
	}
	return hot, cold, err
}

// key is an address in both forms.
type key struct {
	addr sdk.AccAddress
	text string
}

func (k key) String() string { return k.text }

func (k Keeper) key(text string) (key, error) {
	addr, err := k.ac.StringToBytes(text)
	if err != nil {
		return key{}, err
	}
	text, err = k.ac.BytesToString(addr)
	return key{addr, text}, err
}

// owned asks for a subnet whose owner's hotkey is bound to the coldkey.
func (k Keeper) owned(ctx context.Context, netuid uint32, coldkey string) (types.Subnet, error) {
	s, err := k.SubnetByNetuid(ctx, netuid)
	if err != nil {
		return s, err
	}
	cold, err := k.key(coldkey)
	if err != nil {
		return s, err
	}
	owner, err := k.ownerColdkey(ctx, s)
	if err == nil && owner != cold.text {
		err = types.ErrNotOwner.Wrapf("subnet %d belongs to %s, not to %s", netuid, owner, cold)
	}
	return s, err
}

func (k Keeper) ownerColdkey(ctx context.Context, s types.Subnet) (string, error) {
	hotkey, err := k.ac.StringToBytes(s.OwnerHotkey)
	if err != nil {
		return "", err
	}
	cold, err := k.alpha.Coldkey(ctx, hotkey)
	if err != nil {
		return "", err
	}
	return k.ac.BytesToString(cold)
}
