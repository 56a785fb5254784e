package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/test/upgrade/roster"
)

const nextName = "v2-test"

// next is the release after this one: its upgrade adds a module with a store, and
// x/subnets' migration fills it. migrate, if there is one, runs after that.
func next(migrate func(sdk.Context, *app.App) error) app.NextRelease {
	return app.NextRelease{
		Stores:   []string{roster.Name},
		Upgrades: []app.Upgrade{{Name: nextName, Stores: storetypes.StoreUpgrades{Added: []string{roster.Name}}, Migrate: migrate}},
		Modules:  rosterIn(roster.Name),
	}
}

// rosterIn has the roster in a store of the name.
func rosterIn(name string) func(app.Keepers, func(string) store.KVStoreService) []appmodule.AppModule {
	return func(k app.Keepers, open func(string) store.KVStoreService) []appmodule.AppModule {
		r := roster.New(open(name))
		return []appmodule.AppModule{roster.AppModule{Roster: r}, roster.NewSubnets(k.Subnets, r)}
	}
}

// node is the chain in a home, which releases of the program take turns to run.
type node struct {
	*chain
	home string
	db   *dbm.MemDB
}

// newNode begins with this release.
func newNode(t testing.TB) *node {
	t.Helper()
	home := t.TempDir()
	c := chainWith(t, genesis(t), optionsIn(home))
	c.block()
	return &node{c, home, c.db.(*dbm.MemDB)}
}

func optionsIn(home string, skip ...int) appOptions {
	o := maps.Clone(options)
	o[flags.FlagHome], o[server.FlagUnsafeSkipUpgrades] = home, skip
	return o
}

// copied is the node in a home and a database of its own.
func (n *node) copied(t testing.TB) *node {
	t.Helper()
	home, db := t.TempDir(), dbm.NewMemDB()
	require.NoError(t, os.CopyFS(home, os.DirFS(n.home)))
	it, err := n.db.Iterator(nil, nil)
	require.NoError(t, err)
	for ; it.Valid(); it.Next() {
		require.NoError(t, db.Set(it.Key(), it.Value()))
	}
	require.NoError(t, it.Close())
	c := *n.chain
	c.t, c.App, c.db, c.sequence, c.events = t, nil, db, map[string]uint64{}, slices.Clone(n.events)
	return &node{&c, home, db}
}

// start ends the release that runs and starts another.
func (n *node) start(r app.NextRelease, o appOptions, base ...func(*baseapp.BaseApp)) {
	n.t.Helper()
	a := r.New(log.NewNopLogger(), n.db, o, append(base, baseapp.SetChainID(chainID), baseapp.SetMinGasPrices(app.MinGasPrices()))...)
	n.t.Cleanup(func() { require.NoError(n.t, a.Close()) })
	n.App = a
	require.Equal(n.t, n.height, a.LastBlockHeight())
}

// refusal is why a release can't be started, or can't make the next block.
func (n *node) refusal(r app.NextRelease) (err error) {
	n.t.Helper()
	defer func() {
		if p := recover(); p != nil {
			err = p.(error)
		}
	}()
	n.start(r, optionsIn(n.home))
	return n.halt()
}

// halt is why no next block can be made.
func (n *node) halt() error {
	n.t.Helper()
	txs := [][]byte{n.frame()}
	if !n.replay {
		require.Equal(n.t, abci.ResponseProcessProposal_ACCEPT, n.propose(txs...)) // runs it optimistically
	}
	hash := sha256.Sum256(fmt.Append(nil, n.height+1, txs))
	_, err := n.FinalizeBlock(&abci.RequestFinalizeBlock{
		Txs: txs, Hash: hash[:], Height: n.height + 1, Time: n.time.Add(time.Second), ProposerAddress: n.proposer, DecidedLastCommit: n.votes(),
	})
	require.Error(n.t, err)
	return err
}

func (n *node) infoFile() string {
	return filepath.Join(n.home, "data", upgradetypes.UpgradeInfoFilename)
}

// decideOn has governance pass a message: a proposal, its deposit, the validator's vote.
func (n *node) decideOn(id uint64, msg sdk.Msg) {
	n.t.Helper()
	submit, err := govv1.NewMsgSubmitProposal([]sdk.Msg{msg}, sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, tao)), text("user"), "", "Next", "the next release", false)
	require.NoError(n.t, err)
	n.run([]string{"user"}, submit)
	n.run([]string{"user"}, govv1.NewMsgDeposit(addr("user"), id, sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, 9*tao))))
	n.run([]string{validator}, govv1.NewMsgVote(addr(validator), id, govv1.OptionYes, ""))
	n.time = n.time.Add(time.Minute) // the voting period of local networks
	n.block()
	p, err := n.Gov.Proposals.Get(n.query(), id)
	require.NoError(n.t, err)
	require.Equal(n.t, govv1.StatusPassed, p.Status, p.FailedReason)
}

var authority = authtypes.NewModuleAddress(govtypes.ModuleName).String()

func nextPlan(height int64) upgradetypes.Plan {
	return upgradetypes.Plan{Name: nextName, Height: height, Info: "lists neurons"}
}

// schedule has a chain's first upgrade voted on.
func (n *node) schedule(plan upgradetypes.Plan) {
	n.t.Helper()
	n.run([]string{"user"}, send("user", validator, tao)) // fees
	n.decideOn(1, &upgradetypes.MsgSoftwareUpgrade{Authority: authority, Plan: plan})
}

// toHeight makes blocks up to the one before the upgrade.
func (n *node) toHeight() {
	n.t.Helper()
	plan, err := n.Upgrade.GetUpgradePlan(n.query())
	require.NoError(n.t, err)
	n.blocks(int(plan.Height - 1 - n.height))
}

// halted is a node with a life behind it, which this release has brought up to the
// upgrade's height.
func halted(t testing.TB, replay bool) *node {
	t.Helper()
	n := newNode(t)
	n.replay = replay
	live(n.chain)
	n.schedule(nextPlan(n.height + 8))
	n.toHeight()
	return n
}

func (n *node) neurons() (list []roster.Entry) {
	neurons, err := n.Subnets.Neurons(n.query(), n.subnetID())
	require.NoError(n.t, err)
	for _, u := range neurons {
		list = append(list, roster.Entry{Hotkey: sdk.MustAccAddressFromBech32(u.Hotkey), SubnetID: u.SubnetId, UID: u.Uid, Registered: u.RegisteredHeight})
	}
	slices.SortFunc(list, func(a, b roster.Entry) int { return bytes.Compare(a.Hotkey, b.Hotkey) })
	return list
}

// state is what the modules export.
func (n *node) state(r app.NextRelease) map[string]json.RawMessage {
	n.t.Helper()
	g, err := r.Export(log.NewNopLogger(), n.db, optionsIn(n.home), genesis(n.t), 0)
	require.NoError(n.t, err)
	var state map[string]json.RawMessage
	require.NoError(n.t, json.Unmarshal(g.AppState, &state))
	return state
}
