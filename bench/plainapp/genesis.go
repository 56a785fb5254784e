package plainapp

import (
	"encoding/json"

	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
)

// Genesis is one of our local chain's, without the modules that this application
// has not: the accounts, the validator and the blocks' limits are the same.
func Genesis(g app.Genesis) (*genutiltypes.AppGenesis, error) {
	doc, err := app.LocalGenesis(g)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(doc.AppState, &all); err != nil {
		return nil, err
	}
	state := map[string]json.RawMessage{}
	for _, name := range []string{authtypes.ModuleName, banktypes.ModuleName, stakingtypes.ModuleName} {
		state[name] = all[name]
	}
	doc.AppState, err = json.Marshal(state)
	return doc, err
}
