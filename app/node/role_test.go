package node_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"

	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/test/ports"
)

// leaveSocket makes what a killed process leaves at its address.
func leaveSocket(t *testing.T, file string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: file, Net: "unix"})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	require.FileExists(t, file)
}

func atHeight(t *testing.T, n *node.Node, height string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+n.Endpoints().REST+"/cosmos/bank/v1beta1/supply", nil)
	require.NoError(t, err)
	req.Header.Set("X-Cosmos-Block-Height", height)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(raw)
}

func TestAPrunedNodeKeepsWhatItNeedsAndAnArchiveKeepsAll(t *testing.T) {
	opts := testnetOptions(t, 1)
	opts.Build = func(g app.Genesis) (*genutiltypes.AppGenesis, error) {
		genesis, err := app.LocalGenesis(g)
		if err == nil { // blocks are needed as evidence for so long
			genesis.Consensus.Params.Evidence.MaxAgeNumBlocks = 4
		}
		return genesis, err
	}
	written, _ := startTestnet(t, opts)
	peer := []string{written[0].NodeID + "@" + written[0].P2P}
	archiveHome := joiner(t, written[0], node.Settings{Role: node.RoleArchive, Peers: peer})
	// The role's own 100 states and 604,800 blocks would take long to fill.
	prunedHome := joiner(t, written[0], node.Settings{Role: node.RoleValidator, SnapshotInterval: 5, Peers: peer})
	toml := filepath.Join(prunedHome, "config", "app.toml")
	replaceIn(t, toml, `pruning-keep-recent = "100"`, `pruning-keep-recent = "3"`)
	replaceIn(t, toml, "snapshot-keep-recent = 100", "snapshot-keep-recent = 2")

	archive := start(t, archiveHome)
	cfg := config(prunedHome)
	cfg.P2P = fmt.Sprintf("127.0.0.1:%d", ports.Free(t, 1))
	pruned, err := node.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pruned.Stop()) })
	const last = 32
	waitLong(t, pruned, last)
	waitLong(t, archive, last)

	code, body := atHeight(t, archive, "3")
	require.Equal(t, http.StatusOK, code, body)
	require.Contains(t, body, "rao")
	require.Eventually(t, func() bool { // states are deleted in the background
		code, body = atHeight(t, pruned, "3")
		return code != http.StatusOK
	}, time.Minute, 50*time.Millisecond)
	require.Contains(t, body, "failed to load state at height 3")
	require.Contains(t, body, "Version has either been pruned")

	height := int64(3)
	c, err := rpchttp.New("http://"+archive.Endpoints().RPC, "/websocket")
	require.NoError(t, err)
	_, err = c.Block(t.Context(), &height)
	require.NoError(t, err)
	require.EqualValues(t, 1, status(t, archive).SyncInfo.EarliestBlockHeight)
	c, err = rpchttp.New("http://"+pruned.Endpoints().RPC, "/websocket")
	require.NoError(t, err)
	_, err = c.Block(t.Context(), &height)
	require.ErrorContains(t, err, "height 3 is not available, lowest height is")
	kept := status(t, pruned).SyncInfo
	require.Greater(t, kept.EarliestBlockHeight, height)
	require.LessOrEqual(t, kept.EarliestBlockHeight, kept.LatestBlockHeight-10, "two snapshots' blocks are kept for those who begin with them")

	// It serves snapshots: a node would begin with them.
	trusted := pruned.Height() - 1
	b, err := c.Block(t.Context(), &trusted)
	require.NoError(t, err)
	trust, err := node.PrepareStateSync(t.Context(), joiner(t, written[0], node.Settings{Peers: []string{string(status(t, pruned).NodeInfo.DefaultNodeID) + "@" + cfg.P2P}}),
		node.StateSyncOptions{Servers: []string{"http://" + pruned.Endpoints().RPC}, TrustHeight: trusted, TrustHash: b.BlockID.Hash.String()})
	require.NoError(t, err)
	require.Len(t, trust.Snapshots, 2, trust.Snapshots)

	// Stopped, it exports its last state, and goes on afterwards.
	require.NoError(t, pruned.Stop())
	genesis, err := node.Export(prunedHome, 0)
	require.NoError(t, err)
	require.Greater(t, genesis.InitialHeight, int64(last))
	_, err = node.Export(prunedHome, 3)
	require.Error(t, err)
	again := start(t, prunedHome)
	waitLong(t, again, genesis.InitialHeight+2)
}

func TestARoleSaysWhatANodeKeeps(t *testing.T) {
	for role, want := range map[node.Role][]string{
		node.RoleValidator: {`pruning = "custom"`, `pruning-keep-recent = "100"`, "min-retain-blocks = 1", "snapshot-interval = 0", `indexer = "null"`, "discard_abci_responses = true", "seed_mode = false"},
		node.RoleFull:      {`pruning = "default"`, "min-retain-blocks = 0", "snapshot-interval = 1000", `indexer = "kv"`, "discard_abci_responses = false"},
		node.RoleArchive:   {`pruning = "nothing"`, "min-retain-blocks = 0", "snapshot-interval = 1000", `indexer = "kv"`},
		node.RoleSeed:      {`pruning = "custom"`, "min-retain-blocks = 1", "snapshot-interval = 0", `indexer = "null"`, "seed_mode = true", "pex = true"},
	} {
		home := t.TempDir()
		_, err := node.Prepare(home, node.Settings{Role: role, BlockTime: 3 * time.Second})
		require.NoError(t, err)
		var both string
		for _, name := range []string{"app.toml", "config.toml"} {
			raw, err := os.ReadFile(filepath.Join(home, "config", name))
			require.NoError(t, err)
			both += string(raw)
		}
		for _, line := range want {
			require.Contains(t, both, "\n"+line+"\n", string(role))
		}
	}
	_, err := node.ParseRole("miner")
	require.EqualError(t, err, `there is no role "miner": validator, full, archive, seed`)
}

func TestAPeersAddressIsReadBeforeItIsWritten(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef01234567"
	for address, says := range map[string]string{
		id + "@127.0.0.1:26656":       "",
		id + "@node.example.org:1":    "",
		id + "@[2001:db8::1]:26656":   "",
		"":                            "has no id",
		"127.0.0.1:26656":             "has no id",
		"@127.0.0.1:26656":            "must be 40 hexadecimal digits",
		"abc@127.0.0.1:26656":         "must be 40 hexadecimal digits",
		id[:39] + "g@127.0.0.1:26656": "must be 40 hexadecimal digits",
		id + "@127.0.0.1":             "missing port",
		id + "@:26656":                "there is no host",
		id + "@127.0.0.1:0":           "not from 1 to 65535",
		id + "@127.0.0.1:65536":       "not from 1 to 65535",
		id + "@127.0.0.1:port":        "invalid syntax",
		id + "@a b:26656":             "is no name of a host",
		id + "@tcp://127.0.0.1:26656": "too many colons",
	} {
		err := node.CheckPeer(address)
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, says, address)
	}
	_, err := node.Prepare(t.TempDir(), node.Settings{Peers: []string{id + "@127.0.0.1:1", id + "@127.0.0.2:1"}})
	require.ErrorContains(t, err, "is named twice")
}
