package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/internal/guarded"
)

// endStep is a part of the end of a block.
type endStep struct {
	name string
	do   func(context.Context) error
}

func (k Keeper) endSteps() []endStep {
	return []endStep{
		{"children", k.dueChildren},
		{"holders of removed subnets", k.payHolders},
		{"coldkey swaps", k.moveColdkeys},
	}
}

// EndBlocker does what comes due in a block, each step within a bound of its own:
// children whose cooldown has passed, holders of removed subnets' alpha, and
// coldkey swaps. It runs after x/emission's, so that an epoch sees the children
// that were in force when its block began. A step that fails leaves nothing, and
// stops neither the others nor the chain.
func (k Keeper) EndBlocker(ctx context.Context) error {
	for _, step := range k.endSteps() {
		if err := guarded.Do(ctx, types.ModuleName, step.do); err != nil {
			sdk.UnwrapSDKContext(ctx).Logger().Error("a step at the block's end failed", "module", types.ModuleName, "step", step.name, "reason", err.Error())
		}
	}
	return nil
}
