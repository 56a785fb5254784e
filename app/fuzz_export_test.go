package app

import sdk "github.com/cosmos/cosmos-sdk/types"

// BeginModules and EndModules run a block's beginning and end on a state of the
// test's choice.
func (app *App) BeginModules(ctx sdk.Context) error {
	_, err := app.modules.BeginBlock(ctx)
	return err
}

func (app *App) EndModules(ctx sdk.Context) error {
	_, err := app.modules.EndBlock(ctx)
	return err
}
