package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// What no message does, for tests of the invariants.

func (k Keeper) ForcePool(ctx context.Context, p types.Pool) error { return k.setPool(ctx, p) }

func (k Keeper) ForceStakePool(ctx context.Context, hotkey sdk.AccAddress, s types.StakePool) error {
	return k.stakePools.Set(ctx, collections.Join(s.SubnetId, hotkey), s)
}

func (k Keeper) ForcePosition(ctx context.Context, hotkey, coldkey sdk.AccAddress, p types.Position) error {
	return k.setPosition(ctx, hotkey, coldkey, p)
}

func (k Keeper) ForceNetuid(ctx context.Context, netuid uint32, id uint64) error {
	return k.netuids.Set(ctx, netuid, id)
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
