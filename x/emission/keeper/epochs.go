package keeper

import (
	"context"
)

// runEpochs runs and pays the epochs that are due. One that fails leaves nothing
// but the event of its failure and comes again a tempo later; its pending alpha
// and root pot wait.
func (k Keeper) runEpochs(ctx context.Context) error {
	due, err := attempt(ctx, k.weights.Due)
	if err != nil {
		return dropped(ctx, 0, 0, err)
	}
	for _, id := range due {
		err := attemptOnly(ctx, func(ctx context.Context) error {
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
		cause := reason(err)
		if err := attemptOnly(ctx, func(ctx context.Context) error { return k.weights.FailEpoch(ctx, id, cause) }); err != nil {
			if err := dropped(ctx, id, 0, err); err != nil {
				return err
			}
		}
	}
	return nil
}
