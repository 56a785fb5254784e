package app

import (
	"context"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// FlagCheckInvariants is the node's option for how many blocks lie between two
// checks of the invariants; 0, the default, checks never.
const FlagCheckInvariants = "check-invariants"

// CheckInvariants tests what must always hold (protocol.md §9), in all modules and
// between them. The error names the module, and the block.
func (app *App) CheckInvariants(ctx sdk.Context) error {
	for _, check := range []struct {
		module string
		run    func(context.Context) error
	}{
		{alphatypes.ModuleName, app.Alpha.CheckInvariants},
		{subnetstypes.ModuleName, app.Subnets.CheckInvariants},
		{weightstypes.ModuleName, app.Weights.CheckInvariants},
		{collateraltypes.ModuleName, app.Collateral.CheckInvariants},
		{emissiontypes.ModuleName, app.Emission.CheckInvariants},
		{markettypes.ModuleName, app.Market.CheckInvariants},
		{seedtypes.ModuleName, app.Seed.CheckInvariants},
	} {
		if err := check.run(ctx); err != nil {
			return fmt.Errorf("invariants of %s at block %d: %w", check.module, ctx.BlockHeight(), err)
		}
	}
	return nil
}
