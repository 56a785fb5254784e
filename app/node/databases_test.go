package node

import (
	"testing"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"
)

// CometBFT asks its stores for a moment after it has closed them.
func TestADatabaseThatIsClosedHasNothing(t *testing.T) {
	var d databases
	cfg := cmtcfg.DefaultConfig().SetRoot(t.TempDir())
	db, err := d.provide(&cmtcfg.DBContext{ID: "blockstore", Config: cfg})
	require.NoError(t, err)
	blocks := store.NewBlockStore(db)
	require.NoError(t, blocks.SaveSeenCommit(7, &cmttypes.Commit{Height: 7}))
	raw, err := db.Get([]byte("SC:7"))
	require.NoError(t, err)
	require.NotEmpty(t, raw)
	require.NoError(t, blocks.Close())
	require.NotPanics(t, func() { require.Nil(t, blocks.LoadSeenCommit(7)) })
	has, err := db.Has([]byte("SC:7"))
	require.NoError(t, err)
	require.False(t, has)
	require.Error(t, db.Set([]byte("a"), []byte("b")), "what is not written is said")
	require.NoError(t, d.close())
}
