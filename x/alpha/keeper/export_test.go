package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"
	"cosmossdk.io/collections/codec"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// What no message does, for tests of the invariants.

func (k Keeper) ForcePool(ctx context.Context, p types.Pool) error { return k.setPool(ctx, p) }

func (k Keeper) ForceStakePool(ctx context.Context, hotkey sdk.AccAddress, s types.StakePool) error {
	return k.stakePools.Set(ctx, collections.Join(s.SubnetId, hotkey), pool.SharePool{Alpha: s.Alpha, Shares: s.Shares.BigInt()})
}

func (k Keeper) ForcePosition(ctx context.Context, hotkey, coldkey sdk.AccAddress, p types.Position) error {
	return k.setPosition(ctx, collections.Join3(p.SubnetId, hotkey, coldkey), p.Shares.BigInt())
}

func (k Keeper) ForceNetuid(ctx context.Context, netuid uint32, id uint64) error {
	return k.netuids.Set(ctx, netuid, id)
}

func (k Keeper) ForceLock(ctx context.Context, id uint64, account, coldkey sdk.AccAddress, alpha uint64) error {
	return k.locks.Set(ctx, collections.Join3(id, account, coldkey), alpha)
}

func (k Keeper) ForceChildren(ctx context.Context, parent sdk.AccAddress, c types.Children) error {
	return k.children.Set(ctx, collections.Join(c.SubnetId, parent), c)
}

func (k Keeper) ForceHotkey(ctx context.Context, hotkey sdk.AccAddress, h types.Hotkey) error {
	return k.setHotkey(ctx, hotkey, h)
}

func (k Keeper) ForceHotkeyOfAccount(ctx context.Context, account, hotkey sdk.AccAddress) error {
	return k.hotkeyOfAccount.Set(ctx, account, hotkey)
}

// Parents are the indexes of children in force and of those that wait.
func (k Keeper) Parents() []collections.KeySet[collections.Triple[uint64, sdk.AccAddress, sdk.AccAddress]] {
	return []collections.KeySet[parentOf]{k.parents, k.pendingParents}
}

// ChildrenDue is the index of changes of children.
func (k Keeper) ChildrenDue() collections.KeySet[collections.Triple[int64, uint64, sdk.AccAddress]] {
	return k.childrenDue
}

func (k Keeper) DropIndexes(ctx context.Context, id uint64, hotkey, coldkey sdk.AccAddress) error {
	if err := k.positionOfColdkey.Remove(ctx, collections.Join3(coldkey, id, hotkey)); err != nil {
		return err
	}
	return k.hotkeysOfColdkey.Remove(ctx, collections.Join(coldkey, hotkey))
}

func (k Keeper) AddIndex(ctx context.Context, coldkey, hotkey sdk.AccAddress) error {
	return k.hotkeysOfColdkey.Set(ctx, collections.Join(coldkey, hotkey))
}

// RecordCodecs are how stake pools and positions are kept.
func RecordCodecs() (codec.ValueCodec[pool.SharePool], codec.ValueCodec[*big.Int]) {
	return stakePoolCodec{}, sharesCodec{}
}
