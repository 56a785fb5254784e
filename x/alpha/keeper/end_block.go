package keeper

import (
	"context"
	"fmt"
)

// EndBlocker does what comes due in a block, each step within a bound of its own:
// children whose cooldown has passed, holders of removed subnets' alpha, and
// coldkey swaps. It runs after x/emission's, so that an epoch sees the children
// that were in force when its block began.
func (k Keeper) EndBlocker(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"children", k.dueChildren},
		{"holders of removed subnets", k.payHolders},
		{"coldkey swaps", k.moveColdkeys},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}
