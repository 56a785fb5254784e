//go:build linux

package cluster_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A node joins a chain that lives, from a snapshot that its validators have: it needs none of
// the early blocks, and has the same state.
func TestANodeJoinsByStateSync(t *testing.T) {
	long(t)
	c := write(t, 4, "--snapshot-interval", "20")
	c.begin()
	l := keep(c)
	c.all(70)
	joiner := c.newcomer("joiner")
	for _, args := range [][]string{
		{"node", "init", "joiner", "--home", joiner.home},
		{"node", "import", filepath.Join(c.nodes[0].home, "config", "genesis.json"), "--home", joiner.home},
		{"node", "state-sync", "--rpc", c.nodes[0].url + "," + c.nodes[1].url, "--home", joiner.home},
	} {
		out, exit := c.lode(args...)
		require.Zero(t, exit, "%v: %s", args, out)
	}
	began := time.Now()
	validators := c.nodes
	c.nodes = append(validators[:4:4], joiner)
	c.start(joiner)
	c.follows(joiner)
	s, err := joiner.sync(t.Context())
	require.NoError(t, err)
	say(t, "joined %.1fs after it was started, at block %d; its first block is %d", time.Since(began).Seconds(), s.LatestBlockHeight, s.EarliestBlockHeight)
	require.GreaterOrEqual(t, s.EarliestBlockHeight, int64(20))
	one := int64(1)
	_, err = joiner.rpc.Block(t.Context(), &one)
	require.Error(t, err, "block 1 was not fetched")
	c.reach(s.LatestBlockHeight+10, joiner)
	first, last := c.agree()
	say(t, "blocks and states %d to %d are those of the validators", first, last)

	// The ledger of the whole time is true of it too, although it has not seen the blocks.
	c.nodes = validators
	l.check()
	l.balancesAt(joiner)
}
