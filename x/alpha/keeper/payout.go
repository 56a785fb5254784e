package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// holdersPerBlock bounds how many holders a block pays (protocol.md §3).
const holdersPerBlock = 200

// payHolders pays holders of removed subnets' alpha who have not claimed, those of
// the subnet with the lowest id first.
func (k Keeper) payHolders(ctx context.Context) error {
	left := holdersPerBlock
	var pools []types.RetiredPool // read first: a store is not changed under its iterator
	err := k.retired.Walk(ctx, nil, func(_ uint64, r types.RetiredPool) (bool, error) {
		if !r.Settled {
			pools = append(pools, r)
		}
		return len(pools) == holdersPerBlock, nil
	})
	if err != nil {
		return err
	}
	for _, r := range pools {
		held, err := k.someHolders(ctx, r.SubnetId, left)
		if err != nil {
			return err
		}
		for _, at := range held {
			if _, err := k.payHolder(ctx, &r, at); err != nil {
				return err
			}
		}
		if err := k.setRetired(ctx, r); err != nil {
			return err
		}
		if left -= len(held); left == 0 {
			return nil
		}
	}
	return nil
}

// someHolders are at most so many stakes in a subnet.
func (k Keeper) someHolders(ctx context.Context, subnetID uint64, most int) (held []positionKey, err error) {
	err = k.positions.Walk(ctx, collections.NewPrefixedTripleRange[uint64, sdk.AccAddress, sdk.AccAddress](subnetID),
		func(at positionKey, _ *big.Int) (bool, error) {
			held = append(held, at)
			return len(held) >= most, nil
		})
	return held, err
}

// payHolder ends a stake in a removed subnet and pays its part of the pot. A lock
// does not hinder it: collateral is stake like any other here. The caller stores
// the record with setRetired.
//
// What can't be paid, because a module's account holds the stake, stays in the pot
// and is recycled with what rounding leaves; no message gives a module stake.
func (k Keeper) payHolder(ctx context.Context, r *types.RetiredPool, at positionKey) (uint64, error) {
	held, err := k.positions.Get(ctx, at)
	if err != nil {
		return 0, err
	}
	alpha, err := k.valueAt(ctx, at, held)
	if err != nil {
		return 0, err
	}
	hotkey, err := k.hotkeyText(ctx, at.K2())
	if err != nil {
		return 0, err
	}
	coldkey, err := k.text(at.K3())
	if err != nil {
		return 0, err
	}
	if err := k.setPosition(ctx, at, new(big.Int)); err != nil {
		return 0, err
	}
	if err := k.locks.Remove(ctx, at); err != nil {
		return 0, err
	}
	err = emit(ctx, &types.EventStakeRemoved{
		SubnetId: r.SubnetId, Netuid: r.Netuid, Hotkey: hotkey, Coldkey: coldkey,
		Alpha: alpha, Shares: sdkmath.NewIntFromBigInt(held), Reason: types.ReasonRemoval,
	})
	if err != nil {
		return 0, err
	}
	tao := part(alpha, *r)
	if k.bank.BlockedAddr(at.K3()) {
		tao = 0
	}
	if tao > 0 {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, at.K3(), rao(tao)); err != nil {
			return 0, err
		}
	}
	r.Paid += tao
	return tao, emit(ctx, &types.EventHolderPaid{
		SubnetId: r.SubnetId, Netuid: r.Netuid, Hotkey: hotkey, Coldkey: coldkey, Alpha: alpha, Tao: tao,
	})
}

// setRetired stores a pool of which holders were paid, and settles it after the last.
func (k Keeper) setRetired(ctx context.Context, r types.RetiredPool) error {
	left, err := k.someHolders(ctx, r.SubnetId, 1)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return k.settle(ctx, r)
	}
	return k.retired.Set(ctx, r.SubnetId, r)
}

// valueAt is what a stake is worth in alpha units.
func (k Keeper) valueAt(ctx context.Context, at positionKey, shares *big.Int) (uint64, error) {
	s, err := k.stakePools.Get(ctx, collections.Join(at.K1(), at.K2()))
	return s.Value(shares), err
}
