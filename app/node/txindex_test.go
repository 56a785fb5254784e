package node_test

import (
	"path/filepath"
	"testing"
	"time"

	cmtdb "github.com/cometbft/cometbft-db"
	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/node"
)

// What a process that was killed between a block and its index leaves behind: the block
// is there, and its transactions can't be found by their hashes. Each block's first one is
// its proposer's proof.
func TestTransactionsThatAKillLeftOutOfTheIndexAreFoundAgain(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	wait(t, n, 4)
	c, err := rpchttp.New("http://"+n.Endpoints().RPC, "/websocket")
	require.NoError(t, err)
	height := n.Height() - 1 // indexed, since the next one is there
	b, err := c.Block(t.Context(), &height)
	require.NoError(t, err)
	hash := b.Block.Txs[0].Hash()
	before, err := c.Tx(t.Context(), hash, false)
	require.NoError(t, err)
	require.NoError(t, n.Stop())
	_, err = node.CompleteIndex(home) // the last block's may have come too late too
	require.NoError(t, err)

	forget := func() {
		db, err := cmtdb.NewGoLevelDB("tx_index", filepath.Join(home, "data"))
		require.NoError(t, err)
		require.NoError(t, db.DeleteSync(hash))
		require.NoError(t, db.Close())
	}
	forget()
	missing, err := node.CompleteIndex(home)
	require.NoError(t, err)
	require.Equal(t, 1, missing)
	missing, err = node.CompleteIndex(home)
	require.NoError(t, err)
	require.Zero(t, missing)

	forget()
	c, err = rpchttp.New("http://"+start(t, home).Endpoints().RPC, "/websocket")
	require.NoError(t, err)
	after, err := c.Tx(t.Context(), hash, false)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestANewHomeHasNoIndexToComplete(t *testing.T) {
	home, _ := initHome(t, time.Second)
	missing, err := node.CompleteIndex(home)
	require.NoError(t, err)
	require.Zero(t, missing)
}
