//go:build linux

package cluster_test

import (
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
)

// A node joins a chain that lives, from a snapshot that its validators have: it needs none of
// the early blocks, and has the same state.
func TestANodeJoinsByStateSync(t *testing.T) {
	long(t)
	c := write(t, 4, "--snapshot-interval", "20")
	c.begin()
	l := keep(c)
	c.all(70)
	port := freePorts(t, 10)
	at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(port+i) }
	joiner := &member{name: "joiner", home: filepath.Join(c.dir, "joiner"), p2p: at(0), flags: []string{
		"--p2p.laddr", "tcp://" + at(0), "--rpc.laddr", "tcp://" + at(1), "--api.address", "tcp://" + at(2), "--grpc.address", at(3),
	}}
	joiner.answerAt(t, "http://"+at(1), (&net.Dialer{}).DialContext)
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
	mine, err := client.New(client.Config{Nodes: []string{joiner.url}, ChainID: c.chainID})
	require.NoError(t, err)
	defer mine.Close()
	for address, rao := range l.balances {
		got, err := mine.Balance(t.Context(), address)
		require.NoError(t, err)
		require.Equal(t, uint64(rao), got, "balance of %s at the joiner", address)
	}
}
