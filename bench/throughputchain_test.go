package bench_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/viper"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/bench/plainapp"
)

// testChain is an application on a database on disk, in the home of a node that is
// the chain's only validator.
type testChain struct {
	name     string
	home     string
	app      servertypes.ABCI
	db       dbm.DB
	options  *viper.Viper
	genesis  *genutiltypes.AppGenesis
	proposer cryptotypes.PubKey
	accounts authkeeper.AccountKeeper
	state    func() sdk.Context // of the last block
	injected int                // how many of a block's transactions are no user's
}

// chainOptions are what an application's node and its blocks differ in.
type chainOptions struct {
	settings map[string]any           // over those of a new home
	base     []func(*baseapp.BaseApp) // after those of the settings
	maxGas   int64                    // of a block; 0: as the profile has it
	people   []*sender
}

// newTestChain makes the application: ours, or the SDK's plain one.
func newTestChain(b *testing.B, name string, plain bool, o chainOptions) *testChain {
	b.Helper()
	// On disk: where a temporary folder is memory, LODE_BENCH_DIR names another.
	home, err := os.MkdirTemp(os.Getenv("LODE_BENCH_DIR"), "lode-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			b.Error(err)
		}
	})
	keys, err := node.Prepare(home, node.Settings{Moniker: name, Alone: true})
	if err != nil {
		b.Fatal(err)
	}
	build := app.LocalGenesis
	if plain {
		build = plainapp.Genesis
	}
	g := app.Genesis{ChainID: scaleChainID, Time: time.Now(), Validators: []app.Validator{{
		Operator: o.people[0].address, ConsensusKey: keys.Consensus, VRFKey: keys.VRF, SelfBond: 10_000_000_000, Moniker: name,
	}}}
	for _, p := range o.people {
		g.Balances = append(g.Balances, app.Balance{Address: p.address, Rao: p.funds})
	}
	c := &testChain{name: name, home: home, proposer: keys.Consensus}
	if c.genesis, err = build(g); err != nil {
		b.Fatal(err)
	}
	if o.maxGas != 0 {
		c.genesis.Consensus.Params.Block.MaxGas = o.maxGas
	}
	if err := node.WriteGenesis(home, c.genesis); err != nil {
		b.Fatal(err)
	}
	c.options = viper.New()
	for _, file := range []string{"config.toml", "app.toml"} {
		c.options.SetConfigFile(filepath.Join(home, "config", file))
		if err := c.options.MergeInConfig(); err != nil {
			b.Fatal(err)
		}
	}
	c.options.Set(flags.FlagHome, home)
	for k, v := range o.settings {
		c.options.Set(k, v)
	}
	if c.db, err = dbm.NewDB("application", dbm.GoLevelDBBackend, filepath.Join(home, "data")); err != nil {
		b.Fatal(err)
	}
	base := append(server.DefaultBaseappOptions(c.options), o.base...)
	if plain {
		a, err := plainapp.New(log.NewNopLogger(), c.db, c.options, base...)
		if err != nil {
			b.Fatal(err)
		}
		c.app, c.accounts, c.state = a, a.Account, func() sdk.Context { return a.NewContext(true) }
		b.Cleanup(closes(b, a))
	} else {
		a := app.New(log.NewNopLogger(), c.db, c.options, base...)
		c.app, c.accounts, c.state, c.injected = a, a.Account, func() sdk.Context { return a.NewContext(true) }, 1
		b.Cleanup(closes(b, a))
	}
	return c
}

func closes(b *testing.B, c interface{ Close() error }) func() {
	return func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}
}

// meet gives senders what they are on this chain: their account's number and
// sequence.
func (c *testChain) meet(people []*sender) error {
	for _, p := range people {
		a := c.accounts.GetAccount(c.state(), p.key.PubKey().Address().Bytes())
		if a == nil {
			return fmt.Errorf("%s has no account on %s", p.address, c.name)
		}
		p.account, p.sequence = a.GetAccountNumber(), a.GetSequence()
	}
	return nil
}
