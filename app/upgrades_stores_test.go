package app_test

import (
	"fmt"
	"slices"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/store/v2/rootmulti"
	"github.com/cosmos/cosmos-sdk/store/v2/snapshots"
	snapshottypes "github.com/cosmos/cosmos-sdk/store/v2/snapshots/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/test/upgrade/roster"
)

// stores are the names of those that the last block has committed.
func (n *node) stores() (names []string) {
	info, err := n.CommitMultiStore().(*rootmulti.Store).GetCommitInfo(n.height)
	require.NoError(n.t, err)
	for _, s := range info.StoreInfos {
		names = append(names, s.Name)
	}
	return names
}

// upgrade has the release stop for the upgrade of the next one, which goes on. A
// replica that takes no part in proposals must come to the same state.
func (n *node) upgrade(id uint64, name string, to app.NextRelease) {
	n.t.Helper()
	n.decideOn(id, &upgradetypes.MsgSoftwareUpgrade{Authority: authority, Plan: upgradetypes.Plan{Name: name, Height: n.height + 6}})
	n.toHeight()
	require.ErrorIs(n.t, n.halt(), app.ErrUpgradeNeeded)
	replica := n.copied(n.t)
	replica.replay = true
	for _, it := range []*node{n, replica} {
		it.start(to, optionsIn(it.home))
		it.blocks(2)
		it.start(to, optionsIn(it.home)) // what is loaded without an upgrade is the same
		it.blocks(2)
	}
	require.Equal(n.t, n.lastHash, replica.lastHash)
}

func TestAnUpgradeRenamesAndDeletesStores(t *testing.T) {
	v2 := next(nil)
	v3 := app.NextRelease{
		Stores:   []string{"roll"},
		Upgrades: append(slices.Clone(v2.Upgrades), app.Upgrade{Name: "v3-test", Stores: storetypes.StoreUpgrades{Renamed: []storetypes.StoreRename{{OldKey: roster.Name, NewKey: "roll"}}}}),
		Modules:  rosterIn("roll"),
	}
	v4 := app.NextRelease{
		Upgrades: append(slices.Clone(v3.Upgrades), app.Upgrade{Name: "v4-test", Stores: storetypes.StoreUpgrades{Deleted: []string{"roll"}}}),
		Modules: func(k app.Keepers, _ func(string) store.KVStoreService) []appmodule.AppModule {
			return []appmodule.AppModule{roster.NewSubnets(k.Subnets, roster.Roster{})}
		},
	}
	n := newNode(t)
	settle(n.chain)
	original := n.stores()
	n.run([]string{"user"}, send("user", validator, tao)) // fees
	n.upgrade(1, nextName, v2)
	list := n.state(v2)[roster.Name]
	require.Contains(t, string(list), `"uid": 4`)

	n.upgrade(2, "v3-test", v3)
	require.Contains(t, n.stores(), "roll")
	require.NotContains(t, n.stores(), roster.Name)
	require.JSONEq(t, string(list), string(n.state(v3)[roster.Name]))

	n.upgrade(3, "v4-test", v4)
	require.Equal(t, original, n.stores())
	require.NotContains(t, n.state(v4), roster.Name)
}

func TestANodeKilledWhileItCommitsAnUpgradeDoesItAgain(t *testing.T) {
	n := newNode(t)
	settle(n.chain)
	n.schedule(nextPlan(n.height + 8))
	n.toHeight()
	require.ErrorIs(t, n.halt(), app.ErrUpgradeNeeded)

	killed := n.copied(t)
	n.start(next(nil), optionsIn(n.home))
	n.block()
	before := *killed.chain
	latest, err := killed.db.Get([]byte("s/latest"))
	require.NoError(t, err)
	require.NotEmpty(t, latest)
	killed.start(next(nil), optionsIn(killed.home))
	killed.block()
	// All stores are written; what says that the block is committed is not.
	require.NoError(t, killed.db.Set([]byte("s/latest"), latest))
	require.NoError(t, killed.db.Delete(fmt.Appendf(nil, "s/%d", before.height+1)))

	killed.height, killed.time, killed.seed = before.height, before.time, before.seed
	killed.start(next(nil), optionsIn(killed.home))
	killed.block()
	require.Equal(t, n.lastHash, killed.lastHash)
	n.blocks(2)
	killed.blocks(2)
	require.Equal(t, n.lastHash, killed.lastHash)
}

func TestASnapshotAfterAnUpgradeHasTheNewStore(t *testing.T) {
	n := newNode(t)
	settle(n.chain)
	n.schedule(nextPlan(n.height + 8))
	n.toHeight()
	require.ErrorIs(t, n.halt(), app.ErrUpgradeNeeded)
	withSnapshots := func() func(*baseapp.BaseApp) {
		s, err := snapshots.NewStore(dbm.NewMemDB(), t.TempDir())
		require.NoError(t, err)
		return baseapp.SetSnapshot(s, snapshottypes.NewSnapshotOptions(1000, 2)) // none by itself
	}
	n.start(next(nil), optionsIn(n.home), withSnapshots())
	n.blocks(2)
	made, err := n.SnapshotManager().Create(uint64(n.height))
	require.NoError(t, err)

	joined := n.copied(t)
	joined.db = dbm.NewMemDB()
	height := joined.height
	joined.height = 0
	joined.home = t.TempDir()
	joined.start(next(nil), optionsIn(joined.home), withSnapshots())
	offer, err := n.ListSnapshots(&abci.RequestListSnapshots{})
	require.NoError(t, err)
	require.Len(t, offer.Snapshots, 1)
	res, err := joined.OfferSnapshot(&abci.RequestOfferSnapshot{Snapshot: offer.Snapshots[0], AppHash: n.lastHash})
	require.NoError(t, err)
	require.Equal(t, abci.ResponseOfferSnapshot_ACCEPT, res.Result)
	for i := range made.Chunks {
		chunk, err := n.LoadSnapshotChunk(&abci.RequestLoadSnapshotChunk{Height: made.Height, Format: made.Format, Chunk: i})
		require.NoError(t, err)
		applied, err := joined.ApplySnapshotChunk(&abci.RequestApplySnapshotChunk{Index: i, Chunk: chunk.Chunk})
		require.NoError(t, err)
		require.Equal(t, abci.ResponseApplySnapshotChunk_ACCEPT, applied.Result)
	}
	joined.height = height
	require.Equal(t, n.LastCommitID(), joined.LastCommitID())
	require.Contains(t, joined.stores(), roster.Name)
	require.NoError(t, joined.CheckRelease())
	joined.start(next(nil), optionsIn(joined.home)) // it needs no upgrade-info.json
	n.blocks(3)
	joined.blocks(3)
	require.Equal(t, n.lastHash, joined.lastHash)
	require.JSONEq(t, string(n.state(next(nil))[roster.Name]), string(joined.state(next(nil))[roster.Name]))
}
