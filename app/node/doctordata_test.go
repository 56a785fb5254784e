package node_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/node"
)

// ran is the home of a node that has made blocks and was stopped.
func ran(t *testing.T, pruning string, blocks int64) string {
	t.Helper()
	home, _ := initHome(t, 50*time.Millisecond)
	path := filepath.Join(home, "config", "app.toml")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := strings.Replace(string(raw), `pruning = "default"`, `pruning = "`+pruning+`"`, 1)
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o600))
	n := start(t, home)
	wait(t, n, blocks)
	require.NoError(t, n.Stop())
	return home
}

func TestSoundDataHasTheChainsHash(t *testing.T) {
	for _, pruning := range []string{"nothing", "everything"} {
		home := ran(t, pruning, 35)
		f := node.ExamineData(home)
		require.Equal(t, node.OK, f.State, f.Says)
		require.Contains(t, f.Says, "give the state's hash")
		require.Contains(t, f.Says, "which is the chain's")
		require.Contains(t, f.Says, "are whole")
	}
}

func TestDataOfARunningNodeIsNotRead(t *testing.T) {
	home, _ := initHome(t, 50*time.Millisecond)
	wait(t, start(t, home), 2)
	f := node.ExamineData(home)
	require.Equal(t, node.Skipped, f.State)
	require.Contains(t, f.Says, "the node runs")
}

// Every kind of record, with one bit that is wrong.
func TestAFlippedBitInTheDataIsFound(t *testing.T) {
	whole := ran(t, "nothing", 6)
	leaf := func(_, v []byte) bool { return len(v) > 60 && v[0] == 0 }
	inner := func(_, v []byte) bool { return len(v) > 60 && v[0] > 2 }
	any := func(_, v []byte) bool { return len(v) > 8 }
	for _, c := range []struct {
		name, db, prefix string
		which            func(k, v []byte) bool
		says             string
	}{
		{"an entry in the tree", "application", "s/k:bank/s", leaf, "store bank"},
		{"a hash in the tree", "application", "s/k:bank/s", inner, "store bank"},
		{"an entry where it is read from", "application", "s/k:staking/f", any, "store staking"},
		{"a block", "blockstore", "P:3:0", any, "block 3 is not what was signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := t.TempDir()
			require.NoError(t, os.CopyFS(home, os.DirFS(whole)))
			db, err := dbm.NewGoLevelDB(c.db, filepath.Join(home, "data"), nil)
			require.NoError(t, err)
			// The latest of those that match: of older versions some are part of no state any more.
			it, err := db.ReverseIterator([]byte(c.prefix), binary.BigEndian.AppendUint64([]byte(c.prefix), ^uint64(0)))
			require.NoError(t, err)
			var key, value []byte
			for ; it.Valid() && key == nil; it.Next() {
				if c.which(it.Key(), it.Value()) {
					key, value = bytes.Clone(it.Key()), bytes.Clone(it.Value())
				}
			}
			require.NoError(t, it.Close())
			require.NotNil(t, key)
			value[len(value)*2/3] ^= 1
			require.NoError(t, db.SetSync(key, value))
			require.NoError(t, db.Close())
			f := node.ExamineData(home)
			require.Equal(t, node.Failed, f.State, f.Says)
			require.Contains(t, f.Says, c.says)
			require.Contains(t, f.Do, "begin anew")
		})
	}
}
