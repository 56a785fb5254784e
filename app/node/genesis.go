package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	dbm "github.com/cosmos/cosmos-db"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/server"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
)

// WriteGenesis writes a genesis to where a node of home reads it. It is written
// last and at once: a home with a genesis is complete.
func WriteGenesis(home string, genesis *genutiltypes.AppGenesis) error {
	path := cometConfig(home, Settings{}).GenesisFile()
	tmp := path + ".tmp"
	if err := genesis.SaveAs(tmp); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// Export is the state of a home's node, which must not run, as a genesis; a height
// of 0 is the last one. See app.Export.
func Export(home string, height int64) (genesis *genutiltypes.AppGenesis, err error) {
	s, err := load(home)
	if err != nil {
		return nil, err
	}
	if genesis, err = genutiltypes.AppGenesisFromFile(s.comet.GenesisFile()); err != nil {
		return nil, err
	}
	db, err := openState(s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	defer recovered(&err)
	return app.Export(log.NewNopLogger(), db, s.options, genesis, height)
}

// Import makes the home of a node that begins with a genesis file, for example one
// that Export wrote. Keys and configuration that the home has are kept: a
// validator of the genesis goes on with its priv_validator_key.json and vrf_key.json.
func Import(home, moniker, file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !json.Valid(raw) {
		return fmt.Errorf("%s is no genesis file: it is not JSON", file)
	}
	genesis, err := genutiltypes.AppGenesisFromReader(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("%s is no genesis file: %w", file, err)
	}
	target, err := app.CheckGenesis(genesis)
	if err != nil {
		return fmt.Errorf("%s is no genesis of this program: %w", file, err)
	}
	if _, err := Prepare(home, Settings{Moniker: moniker, BlockTime: target}); err != nil {
		return err
	}
	return WriteGenesis(home, genesis)
}

func openState(s settings) (dbm.DB, error) {
	return OpenState(s.comet.RootDir, server.GetAppDBBackend(s.options))
}

// recovered turns a panic, the SDK's way to refuse options and state, into an error.
func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = errors.Join(*err, fmt.Errorf("the application can't be started: %w", r))
	default:
		*err = errors.Join(*err, fmt.Errorf("the application can't be started: %v", r))
	}
}

// MarshalGenesis is a genesis as its file has it.
func MarshalGenesis(genesis *genutiltypes.AppGenesis) ([]byte, error) {
	raw, err := json.MarshalIndent(genesis, "", "  ")
	return append(raw, '\n'), err
}
