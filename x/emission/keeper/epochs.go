package keeper

import (
	"context"

	"github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/internal/guarded"
)

// runEpochs runs and pays the epochs that are due. One that fails leaves nothing
// but the event of its failure and comes again a tempo later; its pending alpha
// and root pot wait.
func (k Keeper) runEpochs(ctx context.Context) error {
	due, err := guarded.Attempt(ctx, types.ModuleName, k.weights.Due)
	if err != nil {
		return dropped(ctx, 0, 0, err)
	}
	for _, id := range due {
		err := guarded.Do(ctx, types.ModuleName, func(ctx context.Context) error {
			r, err := k.weights.RunEpoch(ctx, id)
			if err != nil {
				return err
			}
			return k.payEpoch(ctx, r)
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
