package node_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"

	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/test/ports"
)

// joiner is a home with the genesis of a network and no block.
func joiner(t *testing.T, of node.TestnetNode, s node.Settings) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "joiner")
	s.Moniker, s.BlockTime, s.Alone = "joiner", 200*time.Millisecond, true
	_, err := node.Prepare(home, s)
	require.NoError(t, err)
	require.NoError(t, node.Import(home, "joiner", filepath.Join(of.Home, "config", "genesis.json")))
	return home
}

func startTestnet(t *testing.T, o node.TestnetOptions) ([]node.TestnetNode, []*node.Node) {
	t.Helper()
	written, err := node.Testnet(filepath.Join(t.TempDir(), "net"), o)
	require.NoError(t, err)
	var nodes []*node.Node
	for _, w := range written {
		n, err := node.Start(t.Context(), node.Config{Home: w.Home, CheckInvariants: 1})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, n.Stop()) })
		nodes = append(nodes, n)
	}
	return written, nodes
}

func status(t *testing.T, n *node.Node) *ctypes.ResultStatus {
	t.Helper()
	c, err := rpchttp.New("http://"+n.Endpoints().RPC, "/websocket")
	require.NoError(t, err)
	s, err := c.Status(t.Context())
	require.NoError(t, err)
	return s
}

// tampering is a server that passes a node's answers on, each changed.
func tampering(t *testing.T, target string, change func([]byte) []byte) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		res, err := http.Post(target, "application/json", r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = w.Write(change(raw))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestANodeJoinsFromASnapshotOfItsPeersAndServesSnapshotsItself(t *testing.T) {
	opts := testnetOptions(t, 2)
	opts.SnapshotInterval = 5
	written, nodes := startTestnet(t, opts)
	for _, n := range nodes {
		wait(t, n, 8)
	}
	servers := []string{"http://" + written[0].RPC, "http://" + written[1].RPC}

	home := joiner(t, written[0], node.Settings{SnapshotInterval: 5})
	config := filepath.Join(home, "config", "config.toml")
	before, err := os.ReadFile(config)
	require.NoError(t, err)
	refuseStateSync(t, home, servers)
	after, err := os.ReadFile(config)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "what is refused changes nothing")

	trust, err := node.PrepareStateSync(t.Context(), home, node.StateSyncOptions{Servers: servers})
	require.NoError(t, err)
	require.Equal(t, "lode-test-1", trust.ChainID)
	require.NotEmpty(t, trust.Snapshots)
	require.True(t, trust.NewPeers)
	require.Len(t, trust.Peers, 2)
	require.Zero(t, trust.Snapshots[0]%5)
	require.False(t, trust.Given)

	replaceIn(t, config, `discovery_time = "15s"`, `discovery_time = "5s"`) // the least that CometBFT takes
	listen := fmt.Sprintf("127.0.0.1:%d", ports.Free(t, 1))
	cfg := node.Config{Home: home, RPC: "127.0.0.1:0", GRPC: "127.0.0.1:0", REST: "127.0.0.1:0", P2P: listen, CheckInvariants: 1}
	n, err := node.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	first := trust.Snapshots[0]
	waitLong(t, n, first+3)
	own := status(t, n)
	require.Greater(t, own.SyncInfo.EarliestBlockHeight, first, "it has no block up to the snapshot")
	agree(t, n, nodes[0], own.SyncInfo.LatestBlockHeight)

	// It makes snapshots of its own: a third node begins with nobody else's.
	next := (n.Height()/5 + 1) * 5
	waitLong(t, n, next+2)
	third := joiner(t, written[0], node.Settings{Peers: []string{string(own.NodeInfo.DefaultNodeID) + "@" + listen}})
	height := n.Height() - 1
	block, err := rpchttp.New("http://"+n.Endpoints().RPC, "/websocket")
	require.NoError(t, err)
	b, err := block.Block(t.Context(), &height)
	require.NoError(t, err)
	trust, err = node.PrepareStateSync(t.Context(), third, node.StateSyncOptions{
		Servers: []string{"http://" + n.Endpoints().RPC}, TrustHeight: height, TrustHash: b.BlockID.Hash.String(),
	})
	require.NoError(t, err)
	require.True(t, trust.Given)
	require.Contains(t, trust.Snapshots, next)

	// Once it has blocks it takes no snapshot any more, running or not.
	_, err = node.PrepareStateSync(t.Context(), home, node.StateSyncOptions{Servers: servers})
	require.ErrorContains(t, err, "is it running? then stop it first")
	require.NoError(t, n.Stop())
	_, err = node.PrepareStateSync(t.Context(), home, node.StateSyncOptions{Servers: servers})
	require.ErrorIs(t, err, node.ErrHasBlocks)
	again := start(t, home)
	waitLong(t, again, again.Height()+2) // the SDK answers for the latest state from the first new block on
	agree(t, again, nodes[1], again.Height())
}

// agree requires that two nodes have the same block, the same state before it, and the
// same proved seed of it.
func agree(t *testing.T, a, b *node.Node, height int64) {
	t.Helper()
	waitLong(t, a, height)
	waitLong(t, b, height)
	var want string
	for _, n := range []*node.Node{a, b} {
		c, err := rpchttp.New("http://"+n.Endpoints().RPC, "/websocket")
		require.NoError(t, err)
		block, err := c.Block(t.Context(), &height)
		require.NoError(t, err)
		seed, _ := get(t, fmt.Sprintf("http://%s/lode/seed/v1/seeds/%d", n.Endpoints().REST, height))
		require.Contains(t, seed, `"proved":true`)
		got := block.BlockID.Hash.String() + block.Block.AppHash.String() + seed
		if want == "" {
			want = got
		}
		require.Equal(t, want, got)
	}
}

// refuseStateSync tries what must be refused with an error that says why.
func refuseStateSync(t *testing.T, home string, servers []string) {
	t.Helper()
	anotherChain := tampering(t, servers[1], func(raw []byte) []byte {
		return bytes.ReplaceAll(raw, []byte(`"network":"lode-test-1"`), []byte(`"network":"lode-test-2"`))
	})
	appHash := regexp.MustCompile(`"app_hash":"[0-9A-F]{8}`)
	liar := tampering(t, servers[1], func(raw []byte) []byte {
		return appHash.ReplaceAll(raw, []byte(`"app_hash":"00000000`))
	})
	behind := tampering(t, servers[1], func(raw []byte) []byte {
		return bytes.ReplaceAll(raw, []byte(`"catching_up":false`), []byte(`"catching_up":true`))
	})
	noise := tampering(t, servers[1], func([]byte) []byte { return []byte("<html>") })
	hash := strings.Repeat("AB", 32)
	for says, o := range map[string]node.StateSyncOptions{
		"none is named":                 {},
		"no URL like":                   {Servers: []string{"127.0.0.1:26657", servers[0]}},
		"one alone could say anything":  {Servers: servers[:1]},
		"does not answer":               {Servers: []string{servers[0], "http://127.0.0.1:1"}},
		"invalid character":             {Servers: []string{servers[0], noise}},
		"is of chain lode-test-2":       {Servers: []string{servers[0], anotherChain}},
		"are the same node":             {Servers: []string{servers[0], servers[0]}},
		"still fetches old blocks":      {Servers: []string{servers[0], behind}},
		"the servers disagree: block":   {Servers: []string{servers[0], liar}, TrustHeight: 6},
		"for the operator":              {Servers: servers[:1], TrustHeight: 6, TrustHash: hash},
		"is too recent":                 {Servers: servers, TrustHeight: 1 << 40},
		"must be 1 or more":             {Servers: servers, TrustHeight: -1},
		"needs the height of its block": {Servers: servers, TrustHash: hash},
		"must be 64 hexadecimal digits": {Servers: servers, TrustHeight: 3, TrustHash: "xyz"},
		"must be more than 0":           {Servers: servers, TrustPeriod: -time.Second},
		"is worth nothing":              {Servers: servers, TrustPeriod: time.Nanosecond},
	} {
		_, err := node.PrepareStateSync(t.Context(), home, o)
		require.ErrorContains(t, err, says)
	}
	_, err := node.PrepareStateSync(t.Context(), t.TempDir(), node.StateSyncOptions{Servers: servers})
	require.ErrorIs(t, err, node.ErrNoNode)
}

func TestStateSyncSaysThatNoPeerHasASnapshot(t *testing.T) {
	written, nodes := startTestnet(t, testnetOptions(t, 1))
	wait(t, nodes[0], 3)
	c, err := rpchttp.New("http://"+written[0].RPC, "/websocket")
	require.NoError(t, err)
	height := int64(1)
	b, err := c.Block(t.Context(), &height)
	require.NoError(t, err)
	o := node.StateSyncOptions{Servers: []string{"http://" + written[0].RPC}, TrustHeight: 1, TrustHash: b.BlockID.Hash.String()}
	_, err = node.PrepareStateSync(t.Context(), joiner(t, written[0], node.Settings{}), o)
	require.ErrorIs(t, err, node.ErrNoSnapshot)
	require.ErrorContains(t, err, "1 of 1 peers answer, and have none")
	_, err = node.PrepareStateSync(t.Context(), joiner(t, written[0], node.Settings{Peers: []string{written[0].NodeID + "@127.0.0.1:1"}}), o)
	require.ErrorContains(t, err, "none of 1 peers can be reached")
	// Seeds have no snapshots, and lead to those who have: they are not asked.
	trust, err := node.PrepareStateSync(t.Context(), joiner(t, written[0], node.Settings{Seeds: []string{written[0].NodeID + "@127.0.0.1:1"}}), o)
	require.NoError(t, err)
	require.Empty(t, trust.Snapshots)
	require.Empty(t, trust.Peers)
}

func waitLong(t *testing.T, n *node.Node, height int64) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for n.Height() < height {
		require.True(t, time.Now().Before(deadline), "block %d never came: at %d", height, n.Height())
		wait(t, n, min(height, n.Height()+1))
	}
}

func TestSnapshotsLiveAsLongAsAJoiningNodeNeedsThem(t *testing.T) {
	for _, c := range []struct {
		interval  int64
		blockTime time.Duration
		keep      string
	}{
		{1_000, 3 * time.Second, "2"}, // 50 minutes
		{100, time.Second, "4"},       // 300 s after the next one
		{20, time.Second, "16"},
		{4, 500 * time.Millisecond, "100"}, // no more
		{1 << 20, time.Hour, "2"},
	} {
		home := t.TempDir()
		_, err := node.Prepare(home, node.Settings{BlockTime: c.blockTime, SnapshotInterval: c.interval})
		require.NoError(t, err)
		raw, err := os.ReadFile(filepath.Join(home, "config", "app.toml"))
		require.NoError(t, err)
		lines := strings.Split(string(raw), "\n")
		require.True(t, slices.Contains(lines, fmt.Sprintf("snapshot-interval = %d", c.interval)))
		require.True(t, slices.Contains(lines, "snapshot-keep-recent = "+c.keep), "%v", c)
	}
}
