package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// StakeOn is the alpha on a hotkey in a subnet, everybody's; 0 if none.
func (k Keeper) StakeOn(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (uint64, error) {
	account, err := k.Account(ctx, hotkey)
	if err != nil {
		return 0, err
	}
	s, _, err := found(k.stakePools.Get(ctx, collections.Join(subnetID, account)))
	return s.Alpha, err
}

// Staked is StakeOn with the hotkey's binding, which an epoch needs again and again.
func (k Keeper) Staked(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (alpha uint64, b types.Binding, err error) {
	if b.Record, _, err = found(k.hotkeys.Get(ctx, hotkey)); err != nil {
		return 0, b, err
	}
	if b.Account, err = k.accountOf(hotkey, b.Record); err != nil {
		return 0, b, err
	}
	s, _, err := found(k.stakePools.Get(ctx, collections.Join(subnetID, b.Account)))
	return s.Alpha, b, err
}

// StakeOf is what a coldkey's stake on a hotkey in a subnet is worth in alpha
// units; 0 if none.
func (k Keeper) StakeOf(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress) (uint64, error) {
	account, err := k.Account(ctx, hotkey)
	if err != nil {
		return 0, err
	}
	s, ok, err := found(k.stakePools.Get(ctx, collections.Join(subnetID, account)))
	if err != nil || !ok {
		return 0, err
	}
	held, ok, err := found(k.positions.Get(ctx, collections.Join3(subnetID, account, coldkey)))
	if err != nil || !ok {
		return 0, err
	}
	return s.Value(held), nil
}

// holding is a coldkey's stake on a hotkey in a subnet.
type holding struct {
	hotkey, coldkey sdk.AccAddress
	account         sdk.AccAddress // the hotkey's
	pool            pool.SharePool
	shares          *big.Int
	value           uint64 // alpha units
	locked          uint64 // alpha units of it
}

// holding reads a stake that must be there.
func (k Keeper) holding(ctx context.Context, p types.Pool, hotkey, coldkey sdk.AccAddress) (holding, error) {
	h := holding{hotkey: hotkey, coldkey: coldkey}
	var ok bool
	var err error
	if h.account, err = k.Account(ctx, hotkey); err != nil {
		return h, err
	}
	if h.shares, ok, err = found(k.positions.Get(ctx, collections.Join3(p.SubnetId, h.account, coldkey))); err != nil {
		return h, err
	}
	if !ok {
		hot, err := k.text(hotkey)
		if err != nil {
			return h, err
		}
		cold, err := k.text(coldkey)
		if err != nil {
			return h, err
		}
		return h, types.ErrNoStake.Wrapf("%s has no stake on %s in subnet %d", cold, hot, p.Netuid)
	}
	if h.pool, err = k.stakePools.Get(ctx, collections.Join(p.SubnetId, h.account)); err != nil {
		return h, err
	}
	h.value = h.pool.Value(h.shares)
	h.locked, _, err = found(k.locks.Get(ctx, collections.Join3(p.SubnetId, h.account, coldkey)))
	return h, err
}

// free is what may leave the stake: all of it, or what leaves the lock covered.
// Rounding can make that a unit less than the difference of the two.
func (h holding) free() uint64 {
	return h.pool.Spare(h.shares, h.locked)
}

// part checks an amount of a stake: more than there is would sell or move what
// nobody meant, and what is locked stays.
func (h holding) part(alpha uint64) error {
	if alpha > h.value {
		return types.ErrNoStake.Wrapf("%d alpha units: the stake is worth %d", alpha, h.value)
	}
	if free := h.free(); alpha > free {
		return types.ErrLocked.Wrapf("%d alpha units: of the stake's %d, %d are locked as collateral, and %d can leave; unbond collateral first to take more",
			alpha, h.value, h.locked, free)
	}
	return nil
}

// stakePool is the one of a hotkey's account; empty where there is none.
func (k Keeper) stakePool(ctx context.Context, p types.Pool, account sdk.AccAddress) (pool.SharePool, error) {
	s, _, err := found(k.stakePools.Get(ctx, collections.Join(p.SubnetId, account)))
	return s, err
}

// addStake mints shares for alpha that the caller has moved to the pool's staked
// alpha. A refused rounding is types.ErrRounding, and nothing is written.
func (k Keeper) addStake(ctx context.Context, p types.Pool, hotkey, coldkey sdk.AccAddress, alpha uint64, reason string) error {
	account, err := k.Account(ctx, hotkey)
	if err != nil {
		return err
	}
	s, err := k.stakePool(ctx, p, account)
	if err != nil {
		return err
	}
	return k.deposit(ctx, p, account, s, hotkey, coldkey, alpha, reason)
}

// deposit is addStake with the hotkey's account and its stake pool.
func (k Keeper) deposit(ctx context.Context, p types.Pool, account sdk.AccAddress, s pool.SharePool, hotkey, coldkey sdk.AccAddress, alpha uint64, reason string) error {
	if s.Alpha == 0 { // a pool that holds something is a bound hotkey's
		if _, err := k.binding(ctx, hotkey); err != nil {
			return err
		}
	}
	after, minted, err := s.Deposit(alpha)
	if err != nil {
		return poolError(p, err)
	}
	at := collections.Join3(p.SubnetId, account, coldkey)
	held, there, err := found(k.positions.Get(ctx, at))
	if err != nil {
		return err
	}
	if there {
		// Its index entry stays: an epoch pays hundreds, and each entry is a path of the
		// tree to hash and to store.
		err = k.positions.Set(ctx, at, held.Add(held, minted))
	} else {
		err = k.setPosition(ctx, at, minted)
	}
	if err != nil {
		return err
	}
	if err := k.setStakePool(ctx, p.SubnetId, account, after); err != nil {
		return err
	}
	hot, err := k.text(hotkey)
	if err != nil {
		return err
	}
	cold, err := k.text(coldkey)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventStakeAdded{
		SubnetId: p.SubnetId, Netuid: p.Netuid, Hotkey: hot, Coldkey: cold,
		Alpha: alpha, Shares: sdkmath.NewIntFromBigInt(minted), Reason: reason,
	})
}

// removeStake redeems shares for alpha units; for all the shares' value or more
// it redeems them all. What is locked must stay covered. The caller moves the
// alpha on in the pool.
func (k Keeper) removeStake(ctx context.Context, p types.Pool, h holding, alpha uint64, reason string) error {
	after, redeemed, paid, err := h.pool.Redeem(h.shares, alpha)
	if err != nil {
		return poolError(p, err)
	}
	rest := new(big.Int).Sub(h.shares, redeemed)
	if left := after.Value(rest); left < h.locked {
		return types.ErrRounding.Wrapf("%d alpha units would leave %d of the %d that are locked: take less", alpha, left, h.locked)
	}
	if err := k.setPosition(ctx, collections.Join3(p.SubnetId, h.account, h.coldkey), rest); err != nil {
		return err
	}
	if err := k.setStakePool(ctx, p.SubnetId, h.account, after); err != nil {
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
	return emit(ctx, &types.EventStakeRemoved{
		SubnetId: p.SubnetId, Netuid: p.Netuid, Hotkey: hot, Coldkey: cold,
		Alpha: paid, Shares: sdkmath.NewIntFromBigInt(redeemed), Reason: reason,
	})
}

// reward raises the value of a stake pool's shares by alpha that the caller has
// moved to the pool's staked alpha. The stake pool must not be empty.
func (k Keeper) reward(ctx context.Context, p types.Pool, account sdk.AccAddress, s pool.SharePool, hotkey sdk.AccAddress, alpha uint64) error {
	after, err := s.Reward(alpha)
	if err != nil {
		return poolError(p, err)
	}
	if err := k.setStakePool(ctx, p.SubnetId, account, after); err != nil {
		return err
	}
	name, err := k.text(hotkey)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventStakeRewarded{SubnetId: p.SubnetId, Netuid: p.Netuid, Hotkey: name, Alpha: alpha})
}

// setPosition stores a position and its index entry, or deletes both where no
// share is left.
func (k Keeper) setPosition(ctx context.Context, at positionKey, shares *big.Int) error {
	of := collections.Join3(at.K3(), at.K1(), at.K2())
	if shares.Sign() == 0 {
		if err := k.positions.Remove(ctx, at); err != nil {
			return err
		}
		return k.positionOfColdkey.Remove(ctx, of)
	}
	if err := k.positions.Set(ctx, at, shares); err != nil {
		return err
	}
	return k.positionOfColdkey.Set(ctx, of)
}

// setStakePool stores what a stake pool holds, or deletes an empty one.
func (k Keeper) setStakePool(ctx context.Context, subnetID uint64, account sdk.AccAddress, s pool.SharePool) error {
	at := collections.Join(subnetID, account)
	if s.Empty() {
		return k.stakePools.Remove(ctx, at)
	}
	return k.stakePools.Set(ctx, at, s)
}
