package types

import (
	"context"
	"time"
)

// Network is what x/alpha asks of x/emission; app wires it.
type Network interface {
	// TargetBlockTime tells how long blocks should take: a delay of n blocks that
	// must pass in time too lasts n times this.
	TargetBlockTime(ctx context.Context) (time.Duration, error)
	// Recycle takes rao of a module's account out of circulation, so that they can
	// be minted again.
	Recycle(ctx context.Context, fromModule string, rao uint64, reason string) error
}
