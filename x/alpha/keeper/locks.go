package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// Locked are the alpha units of a coldkey's stake on a hotkey that can't leave:
// its collateral. The stake is worth at least as much.
func (k Keeper) Locked(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress) (uint64, error) {
	account, err := k.Account(ctx, hotkey)
	if err != nil {
		return 0, err
	}
	locked, _, err := found(k.locks.Get(ctx, collections.Join3(subnetID, account, coldkey)))
	return locked, err
}

// Locks are all, by the hotkeys' accounts.
func (k Keeper) Locks(ctx context.Context) (locks []types.Lock, err error) {
	err = k.locks.Walk(ctx, nil, func(at positionKey, alpha uint64) (bool, error) {
		l := types.Lock{SubnetId: at.K1(), Alpha: alpha}
		if l.Hotkey, err = k.text(at.K2()); err != nil {
			return true, err
		}
		l.Coldkey, err = k.text(at.K3())
		locks = append(locks, l)
		return false, err
	})
	return locks, err
}

// LockStake locks alpha units of a stake, beside those that are locked already. It
// goes on earning; no message takes it out until UnlockStake.
func (k Keeper) LockStake(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress, alpha uint64) error {
	p, err := k.Pool(ctx, subnetID)
	if err != nil || alpha == 0 {
		return err
	}
	h, err := k.holding(ctx, p, hotkey, coldkey)
	if err != nil {
		return err
	}
	if free := h.value - h.locked; alpha > free {
		return types.ErrLocked.Wrapf("%d alpha units to lock: the stake is worth %d, of which %d are locked already", alpha, h.value, h.locked)
	}
	// Of shares that are worth several units each a slash could not take a part.
	if h.pool.Shares.Cmp(new(big.Int).SetUint64(h.pool.Alpha)) < 0 {
		return types.ErrRounding.Wrapf("%s shares on the hotkey hold %d alpha units: too coarse to lock a part of; move all stake off the hotkey and stake again",
			h.pool.Shares, h.pool.Alpha)
	}
	return k.setLock(ctx, subnetID, h, h.locked+alpha)
}

// UnlockStake frees alpha units that were locked.
func (k Keeper) UnlockStake(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress, alpha uint64) error {
	if alpha == 0 {
		return nil
	}
	h := holding{hotkey: hotkey, coldkey: coldkey}
	var err error
	if h.account, err = k.Account(ctx, hotkey); err != nil {
		return err
	}
	if h.locked, err = k.Locked(ctx, subnetID, hotkey, coldkey); err != nil {
		return err
	}
	if alpha > h.locked {
		return types.ErrLocked.Wrapf("%d alpha units to unlock: %d are locked", alpha, h.locked)
	}
	return k.setLock(ctx, subnetID, h, h.locked-alpha)
}

// SlashStake burns alpha units that were locked. Where rounding would leave less
// stake than stays locked it burns a unit less; where it is so little that shares
// can't tell it, nothing. The lock falls by all of it in any case.
func (k Keeper) SlashStake(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress, alpha uint64) error {
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return err
	}
	if err := k.UnlockStake(ctx, subnetID, hotkey, coldkey, alpha); err != nil || alpha == 0 {
		return err
	}
	h, err := k.holding(ctx, p, hotkey, coldkey)
	if err != nil {
		return err
	}
	burned := min(alpha, h.free())
	if burned == 0 {
		return nil
	}
	err = k.removeStake(ctx, p, h, burned, types.ReasonSlash)
	if types.ErrRounding.Is(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := move(ctx, &p, types.Staked, types.Burned, burned); err != nil {
		return err
	}
	return k.setPool(ctx, p)
}

// setLock stores what is locked of a stake, and tells of the change.
func (k Keeper) setLock(ctx context.Context, subnetID uint64, h holding, locked uint64) error {
	at := collections.Join3(subnetID, h.account, h.coldkey)
	if locked == 0 {
		if err := k.locks.Remove(ctx, at); err != nil {
			return err
		}
	} else if err := k.locks.Set(ctx, at, locked); err != nil {
		return err
	}
	hot, err := k.text(h.hotkey)
	if err != nil {
		return err
	}
	cold, err := k.text(h.coldkey)
	if err != nil {
		return err
	}
	if locked < h.locked {
		return emit(ctx, &types.EventStakeUnlocked{SubnetId: subnetID, Hotkey: hot, Coldkey: cold, Alpha: h.locked - locked, Locked: locked})
	}
	return emit(ctx, &types.EventStakeLocked{SubnetId: subnetID, Hotkey: hot, Coldkey: cold, Alpha: locked - h.locked, Locked: locked})
}
