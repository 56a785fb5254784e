package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/internal/guarded"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
)

// runEpochs runs and pays the epochs that are due. One that fails leaves nothing
// but the event of its failure and comes again a tempo later; its pending alpha
// and root pot wait.
func (k Keeper) runEpochs(ctx context.Context, b block) error {
	due, err := guarded.Attempt(ctx, types.ModuleName, k.weights.Due)
	if err != nil {
		return dropped(ctx, 0, 0, err)
	}
	if len(due) == 0 {
		return nil
	}
	roots, bonded := make(weightskeeper.RootStakes, len(b.validators)), make(map[string]stakingtypes.Validator, len(b.validators))
	for i, v := range b.validators {
		operator, err := sdk.ValAddressFromBech32(v.OperatorAddress)
		if err != nil {
			return dropped(ctx, 0, 0, err)
		}
		roots[string(operator)], bonded[string(operator)] = b.tokens[i], v
	}
	for _, id := range due {
		err := guarded.Do(ctx, types.ModuleName, func(ctx context.Context) error {
			r, err := k.weights.RunEpoch(ctx, id, roots)
			if err != nil {
				return err
			}
			return k.payEpoch(ctx, bonded, r)
		})
		if err == nil {
			continue
		}
		// x/weights' event tells of it, unless that fails too.
		cause := guarded.Reason(err)
		if err := guarded.Do(ctx, types.ModuleName, func(ctx context.Context) error { return k.weights.FailEpoch(ctx, id, cause) }); err != nil {
			if err := dropped(ctx, id, 0, err); err != nil {
				return err
			}
		}
	}
	return nil
}
