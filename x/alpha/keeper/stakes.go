package keeper

import (
	"context"

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
	alpha, _, err = found(k.staked.Get(ctx, collections.Join(subnetID, b.Account)))
	return alpha, b, err
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
	return sharePool(s).Value(held.Shares.BigInt()), nil
}

// holding is a coldkey's stake on a hotkey in a subnet.
type holding struct {
	hotkey, coldkey sdk.AccAddress
	account         sdk.AccAddress // the hotkey's
	pool            types.StakePool
	position        types.Position
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
	if h.position, ok, err = found(k.positions.Get(ctx, collections.Join3(p.SubnetId, h.account, coldkey))); err != nil {
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
	h.value = sharePool(h.pool).Value(h.position.Shares.BigInt())
	h.locked, _, err = found(k.locks.Get(ctx, collections.Join3(p.SubnetId, h.account, coldkey)))
	return h, err
}

// free is what may leave the stake: all of it, or what leaves the lock covered.
// Rounding can make that a unit less than the difference of the two.
func (h holding) free() uint64 {
	return sharePool(h.pool).Spare(h.position.Shares.BigInt(), h.locked)
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
func (k Keeper) stakePool(ctx context.Context, p types.Pool, account sdk.AccAddress) (types.StakePool, error) {
	s, ok, err := found(k.stakePools.Get(ctx, collections.Join(p.SubnetId, account)))
	if err != nil || ok {
		return s, err
	}
	name, err := k.text(account)
	return types.StakePool{SubnetId: p.SubnetId, Hotkey: name, Shares: sdkmath.ZeroInt()}, err
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
func (k Keeper) deposit(ctx context.Context, p types.Pool, account sdk.AccAddress, s types.StakePool, hotkey, coldkey sdk.AccAddress, alpha uint64, reason string) error {
	if s.Alpha == 0 { // a pool that holds something is a bound hotkey's
		if _, err := k.binding(ctx, hotkey); err != nil {
			return err
		}
	}
	after, minted, err := sharePool(s).Deposit(alpha)
	if err != nil {
		return poolError(p, err)
	}
	position, there, err := found(k.positions.Get(ctx, collections.Join3(p.SubnetId, account, coldkey)))
	if err != nil {
		return err
	}
	if !there {
		position = types.Position{SubnetId: p.SubnetId, Hotkey: s.Hotkey, Shares: sdkmath.ZeroInt()}
		if position.Coldkey, err = k.text(coldkey); err != nil {
			return err
		}
	}
	shares := sdkmath.NewIntFromBigInt(minted)
	position.Shares = position.Shares.Add(shares)
	if there {
		err = k.changePosition(ctx, account, coldkey, position)
	} else {
		err = k.setPosition(ctx, account, coldkey, position)
	}
	if err != nil {
		return err
	}
	if err := k.setStakePool(ctx, account, s, after); err != nil {
		return err
	}
	name, err := k.text(hotkey)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventStakeAdded{
		SubnetId: p.SubnetId, Netuid: p.Netuid, Hotkey: name, Coldkey: position.Coldkey,
		Alpha: alpha, Shares: shares, Reason: reason,
	})
}

// removeStake redeems shares for alpha units; for all the shares' value or more
// it redeems them all. What is locked must stay covered. The caller moves the
// alpha on in the pool.
func (k Keeper) removeStake(ctx context.Context, p types.Pool, h holding, alpha uint64, reason string) error {
	after, redeemed, paid, err := sharePool(h.pool).Redeem(h.position.Shares.BigInt(), alpha)
	if err != nil {
		return poolError(p, err)
	}
	shares := sdkmath.NewIntFromBigInt(redeemed)
	h.position.Shares = h.position.Shares.Sub(shares)
	if left := after.Value(h.position.Shares.BigInt()); left < h.locked {
		return types.ErrRounding.Wrapf("%d alpha units would leave %d of the %d that are locked: take less", alpha, left, h.locked)
	}
	if err := k.setPosition(ctx, h.account, h.coldkey, h.position); err != nil {
		return err
	}
	if err := k.setStakePool(ctx, h.account, h.pool, after); err != nil {
		return err
	}
	name, err := k.text(h.hotkey)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventStakeRemoved{
		SubnetId: p.SubnetId, Netuid: p.Netuid, Hotkey: name, Coldkey: h.position.Coldkey,
		Alpha: paid, Shares: shares, Reason: reason,
	})
}

// reward raises the value of a stake pool's shares by alpha that the caller has
// moved to the pool's staked alpha. The stake pool must not be empty.
func (k Keeper) reward(ctx context.Context, p types.Pool, account sdk.AccAddress, s types.StakePool, hotkey sdk.AccAddress, alpha uint64) error {
	after, err := sharePool(s).Reward(alpha)
	if err != nil {
		return poolError(p, err)
	}
	if err := k.setStakePool(ctx, account, s, after); err != nil {
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
func (k Keeper) setPosition(ctx context.Context, account, coldkey sdk.AccAddress, p types.Position) error {
	at, of := collections.Join3(p.SubnetId, account, coldkey), collections.Join3(coldkey, p.SubnetId, account)
	if p.Shares.IsZero() {
		if err := k.positions.Remove(ctx, at); err != nil {
			return err
		}
		return k.positionOfColdkey.Remove(ctx, of)
	}
	if err := k.positions.Set(ctx, at, p); err != nil {
		return err
	}
	return k.positionOfColdkey.Set(ctx, of)
}

// changePosition stores a position that is there and has shares. Its index entry stays:
// an epoch pays hundreds, and each entry is a path of the tree to hash and to store.
func (k Keeper) changePosition(ctx context.Context, account, coldkey sdk.AccAddress, p types.Position) error {
	return k.positions.Set(ctx, collections.Join3(p.SubnetId, account, coldkey), p)
}

// setStakePool stores a stake pool with what it now holds, or deletes an empty one.
func (k Keeper) setStakePool(ctx context.Context, account sdk.AccAddress, s types.StakePool, after pool.SharePool) error {
	at := collections.Join(s.SubnetId, account)
	if after.Empty() {
		return k.stakePools.Remove(ctx, at)
	}
	s.Alpha, s.Shares = after.Alpha, sdkmath.NewIntFromBigInt(after.Shares)
	return k.stakePools.Set(ctx, at, s)
}

func sharePool(s types.StakePool) pool.SharePool {
	return pool.SharePool{Alpha: s.Alpha, Shares: s.Shares.BigInt()}
}
