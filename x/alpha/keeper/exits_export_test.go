package keeper

import "context"

// MoveColdkeys is a step of EndBlocker by itself.
func (k Keeper) MoveColdkeys(ctx context.Context) error { return k.moveColdkeys(ctx) }
