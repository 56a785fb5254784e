package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// MoveColdkeys is a step of EndBlocker by itself.
func (k Keeper) MoveColdkeys(ctx context.Context) error { return k.moveColdkeys(ctx) }

// EndSteps is EndBlocker with its errors.
func (k Keeper) EndSteps(ctx context.Context) error {
	for _, step := range k.endSteps() {
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// What no message does, for tests of the invariants.

func (k Keeper) ForceRetired(ctx context.Context, r types.RetiredPool) error {
	return k.retired.Set(ctx, r.SubnetId, r)
}

func (k Keeper) ForceColdkeySwap(ctx context.Context, coldkey sdk.AccAddress, s types.ColdkeySwap, due bool) error {
	if due {
		if err := k.coldkeySwapsDue.Set(ctx, collections.Join(s.DueHeight, coldkey)); err != nil {
			return err
		}
	}
	return k.coldkeySwaps.Set(ctx, coldkey, s)
}

func (k Keeper) ForceRecovery(ctx context.Context, coldkey sdk.AccAddress, r types.Recovery) error {
	return k.recoveries.Set(ctx, coldkey, r)
}
