package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/subnets/types"
)

// alphaCap is the most alpha that a subnet can ever have, in units of 10^-9.
const alphaCap = 21_000_000 * 1_000_000_000

// CreateSubnet opens a subnet in the first free slot, or in that of the weakest
// where none is free. The whole lock seeds its
// pool; the creator's hotkey becomes uid 0 and the owner's key (protocol.md §3).
func (k msgServer) CreateSubnet(ctx context.Context, m *types.MsgCreateSubnet) (*types.MsgCreateSubnetResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	hotkey, coldkey, err := k.bound(ctx, m.Hotkey, m.Coldkey)
	if err != nil {
		return nil, err
	}
	p, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := k.useCreation(ctx, p, coldkey.addr); err != nil {
		return nil, err
	}
	lock, err := k.LockCost(ctx)
	if err != nil {
		return nil, err
	}
	if lock > m.MaxLock {
		return nil, types.ErrTooExpensive.Wrapf("a subnet costs %d rao in this block, your max_lock is %d: raise it, or wait for the price to fall", lock, m.MaxLock)
	}
	netuid, err := k.slot(ctx, p)
	if err != nil {
		return nil, err
	}
	s, err := k.open(ctx, m, p, netuid, hotkey, coldkey, lock)
	if err != nil {
		return nil, err
	}
	n := types.Neuron{SubnetId: s.Id, Uid: 0, Hotkey: s.OwnerHotkey, RegisteredHeight: s.CreatedHeight, RegisteredTime: s.CreatedTime}
	if err := k.seat(ctx, n, hotkey.addr); err != nil {
		return nil, err
	}
	err = emit(ctx, &types.EventSubnetCreated{
		SubnetId: s.Id, Netuid: netuid, Name: s.Name, OwnerHotkey: hotkey.text, OwnerColdkey: coldkey.text, Lock: lock,
		Description: s.Description, Url: s.Url, Parameters: s.Parameters, Hyperparameters: s.Hyperparameters,
		Burn: clampBurn(s.Hyperparameters, p.RegisterBaseBurn),
	})
	if err != nil {
		return nil, err
	}
	err = emit(ctx, &types.EventNeuronRegistered{SubnetId: s.Id, Netuid: netuid, Hotkey: hotkey.text, Coldkey: coldkey.text})
	if err != nil {
		return nil, err
	}
	if err := k.upper.hooks.AfterSubnetCreated(ctx, s); err != nil {
		return nil, err
	}
	if err := k.upper.hooks.AfterNeuronRegistered(ctx, n, false); err != nil {
		return nil, err
	}
	return &types.MsgCreateSubnetResponse{Netuid: netuid, SubnetId: s.Id, Lock: lock}, nil
}

// open pays the lock into a new pool and stores the subnet with its first price
// of a registration.
func (k Keeper) open(ctx context.Context, m *types.MsgCreateSubnet, p types.Params, netuid uint32, hotkey, coldkey key, lock uint64) (types.Subnet, error) {
	price, err := k.upper.network.MedianMovingPrice(ctx)
	if err != nil {
		return types.Subnet{}, err
	}
	id, err := k.alpha.CreatePool(ctx, netuid, coldkey.addr, lock, min(price.QuoUint64(lock), alphaCap/4))
	if err != nil {
		return types.Subnet{}, err
	}
	h, err := p.Defaults()
	if err != nil {
		return types.Subnet{}, err
	}
	height, seconds := now(ctx)
	s := types.Subnet{
		Id: id, Netuid: netuid, OwnerHotkey: hotkey.text,
		Name: m.Name, Description: m.Description, Url: m.Url, Parameters: parameters(m.Parameters),
		Lock: lock, CreatedHeight: height, CreatedTime: seconds, Neurons: 1, Hyperparameters: h,
	}
	if err := k.subnets.Set(ctx, id, s); err != nil {
		return s, err
	}
	if err := k.netuids.Set(ctx, netuid, id); err != nil {
		return s, err
	}
	if err := k.burns.Set(ctx, id, clampBurn(h, p.RegisterBaseBurn)); err != nil {
		return s, err
	}
	return s, k.lock.Set(ctx, types.LockState{LastLock: lock, LastLockHeight: height})
}

// parameters of a subnet are always a JSON object, so that its programs need not
// ask whether there are any.
func parameters(s string) string {
	if s == "" {
		return "{}"
	}
	return s
}

// slot is the lowest free netuid. Where the cap is reached the weakest subnet
// makes room first.
func (k Keeper) slot(ctx context.Context, p types.Params) (uint32, error) {
	free, subnets, err := k.freeNetuid(ctx)
	if err != nil || subnets < p.MaxSubnets {
		return free, err
	}
	if err := k.makeRoom(ctx, p, subnets); err != nil {
		return 0, err
	}
	free, _, err = k.freeNetuid(ctx)
	return free, err
}

// freeNetuid is the lowest free slot, from 1, and how many are taken.
func (k Keeper) freeNetuid(ctx context.Context) (free, taken uint32, err error) {
	free = 1
	err = k.netuids.Walk(ctx, nil, func(netuid uint32, _ uint64) (bool, error) {
		if netuid == free {
			free++
		}
		taken++
		return false, nil
	})
	return free, taken, err
}

// useCreation lets an account create a subnet once per creation_interval.
func (k Keeper) useCreation(ctx context.Context, p types.Params, creator sdk.AccAddress) error {
	last, ok, err := found(k.creations.Get(ctx, creator))
	if err != nil {
		return err
	}
	height := targetHeight(ctx)
	if first := last + p.CreationInterval; ok && height < first {
		return types.ErrTooSoon.Wrapf("creation_interval: %d blocks between two creations of an account; %s created in block %d, the first block that will be accepted is %d (this is for block %d)",
			p.CreationInterval, creator, last, first, height)
	}
	return k.creations.Set(ctx, creator, height)
}

// seat gives a neuron its uid.
func (k Keeper) seat(ctx context.Context, n types.Neuron, hotkey sdk.AccAddress) error {
	if err := k.neurons.Set(ctx, joinSlot(n), n); err != nil {
		return err
	}
	return k.hotkeys.Set(ctx, joinHotkey(n.SubnetId, hotkey), n.Uid)
}
