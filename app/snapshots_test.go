package app_test

import (
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/store/v2/snapshots"
	snapshottypes "github.com/cosmos/cosmos-sdk/store/v2/snapshots/types"

	"github.com/lodenet/lode/app"
)

// gate is a database that can be slow.
type gate struct {
	dbm.DB
	slow    atomic.Bool
	entered chan struct{} // a read that waits
	release chan struct{}
}

func (g *gate) Get(key []byte) ([]byte, error) {
	if g.slow.CompareAndSwap(true, false) {
		close(g.entered)
		<-g.release
	}
	return g.DB.Get(key)
}

func TestANodeThatEndsWaitsForTheSnapshotThatItBreaksOff(t *testing.T) {
	c := newChain(t)
	c.blocks(3)
	require.NoError(t, c.Close())

	home := t.TempDir()
	dir := filepath.Join(home, "data", "snapshots")
	open := func() baseappOption {
		meta, err := dbm.NewGoLevelDB("metadata", dir, nil)
		require.NoError(t, err)
		store, err := snapshots.NewStore(meta, dir)
		require.NoError(t, err)
		return baseapp.SetSnapshot(store, snapshottypes.NewSnapshotOptions(0, 2))
	}
	with := appOptions{flags.FlagHome: home, app.FlagCheckInvariants: 1}
	db := &gate{DB: c.db, entered: make(chan struct{}), release: make(chan struct{})}
	a := app.New(log.NewNopLogger(), db, with, baseapp.SetChainID(chainID), open())
	whole, err := a.SnapshotManager().Create(uint64(c.height - 1))
	require.NoError(t, err)

	db.slow.Store(true)
	made := make(chan error, 1)
	go func() {
		_, err := a.SnapshotManager().Create(uint64(c.height))
		made <- err
	}()
	<-db.entered
	closed := make(chan error, 1)
	go func() { closed <- a.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("closed under a snapshot: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(db.release)
	require.ErrorContains(t, <-made, "the node ends")
	require.NoError(t, <-closed)
	_, err = a.SnapshotManager().Create(uint64(c.height))
	require.Error(t, err, "after the end")

	// What broken snapshots leave goes at the next start; whole ones stay.
	for _, height := range []string{"7", "x"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, height, "3"), 0o700))
	}
	b := app.New(log.NewNopLogger(), c.db, with, baseapp.SetChainID(chainID), open())
	require.NoDirExists(t, filepath.Join(dir, "7"))
	require.NoDirExists(t, filepath.Join(dir, strconv.FormatInt(c.height, 10)))
	require.DirExists(t, filepath.Join(dir, "x"), "nobody's business")
	chunk, err := b.SnapshotManager().LoadChunk(whole.Height, whole.Format, 0)
	require.NoError(t, err)
	require.NotEmpty(t, chunk)
	require.NoError(t, b.Close())
}

// onBegin is a logger that says when a block begins to be executed before it is decided.
type onBegin struct {
	log.Logger
	do func()
}

func (l onBegin) With(...any) log.Logger { return l }

func (l onBegin) Debug(msg string, _ ...any) {
	if msg == "OE started" {
		l.do()
	}
}

func TestANodeThatEndsWaitsForTheBlockThatItExecutesEarly(t *testing.T) {
	c := newChain(t)
	c.blocks(3)
	db := &gate{DB: c.db, entered: make(chan struct{}), release: make(chan struct{})}
	begun := false
	logger := onBegin{log.NewNopLogger(), func() { begun = true; db.slow.Store(true) }}
	c.App = app.New(logger, db, options, baseapp.SetChainID(chainID), baseapp.SetIAVLSyncPruning(true))
	require.Equal(t, abci.ResponseProcessProposal_ACCEPT, c.propose(c.frame()))
	require.True(t, begun)
	<-db.entered
	closed := make(chan error, 1)
	go func() { closed <- c.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("closed under a block: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(db.release)
	require.NoError(t, <-closed)
}

// A simulation reads what is not there yet; the blocks after the snapshot must not.
func TestANodeThatIsAskedBeforeItsSnapshotComesMakesTheSameBlocks(t *testing.T) {
	snapshot := func() baseappOption {
		store, err := snapshots.NewStore(dbm.NewMemDB(), t.TempDir())
		require.NoError(t, err)
		return baseapp.SetSnapshot(store, snapshottypes.NewSnapshotOptions(1_000, 2)) // none by itself
	}
	c := newChain(t)
	c.run([]string{"user"}, send("user", "owner", 1))
	from := app.New(log.NewNopLogger(), c.db, options, baseapp.SetChainID(chainID), baseapp.SetIAVLSyncPruning(true), snapshot())
	made, err := from.SnapshotManager().Create(uint64(c.height))
	require.NoError(t, err)

	joined := *c
	joined.db = dbm.NewMemDB()
	joined.App = app.New(log.NewNopLogger(), joined.db, appOptions{app.FlagCheckInvariants: 1, server.FlagInterBlockCache: true},
		baseapp.SetChainID(chainID), baseapp.SetMinGasPrices(app.MinGasPrices()), baseapp.SetIAVLSyncPruning(true), snapshot())
	t.Cleanup(func() { require.NoError(t, joined.Close()) })
	next := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	_, _, err = joined.Simulate(next)
	require.Error(t, err, "there is no account yet")
	offer, err := from.ListSnapshots(&abci.RequestListSnapshots{})
	require.NoError(t, err)
	_, err = joined.OfferSnapshot(&abci.RequestOfferSnapshot{Snapshot: offer.Snapshots[0], AppHash: c.lastHash})
	require.NoError(t, err)
	for i := range made.Chunks {
		chunk, err := from.LoadSnapshotChunk(&abci.RequestLoadSnapshotChunk{Height: made.Height, Format: made.Format, Chunk: i})
		require.NoError(t, err)
		applied, err := joined.ApplySnapshotChunk(&abci.RequestApplySnapshotChunk{Index: i, Chunk: chunk.Chunk})
		require.NoError(t, err)
		require.Equal(t, abci.ResponseApplySnapshotChunk_ACCEPT, applied.Result)
	}
	joined.replay = true
	c.runTx(next)
	joined.runTx(next)
	require.Equal(t, c.lastHash, joined.lastHash)
}
