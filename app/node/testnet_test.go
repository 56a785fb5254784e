package node_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/viper"
	"github.com/stretchr/testify/require"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/test/ports"
)

func testnetOptions(t *testing.T, validators int) node.TestnetOptions {
	t.Helper()
	return node.TestnetOptions{
		Validators: validators, ChainID: "lode-test-1", BlockTime: 200 * time.Millisecond,
		StartingPort: ports.Free(t, validators*10), Build: app.LocalGenesis,
		Operators: func(_ string, names []string) (operators []string, err error) {
			for range names {
				operators = append(operators, sdk.AccAddress(secp256k1.GenPrivKey().PubKey().Address()).String())
			}
			return operators, nil
		},
	}
}

func TestFourValidatorsOfATestNetworkMakeBlocksTogetherAndAgreeOnTheirState(t *testing.T) {
	written, err := node.Testnet(filepath.Join(t.TempDir(), "net"), testnetOptions(t, 4))
	require.NoError(t, err)
	require.Len(t, written, 4)
	var nodes []*node.Node
	for i, w := range written {
		n, err := node.Start(t.Context(), node.Config{Home: w.Home, CheckInvariants: 1})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, n.Stop()) })
		nodes = append(nodes, n)
		require.Equal(t, w.Endpoints, n.Endpoints())
		if i < 2 {
			require.Zero(t, n.Height(), "two of four are no majority")
		}
	}
	const last = 6
	for _, n := range nodes {
		wait(t, n, last)
	}
	// A header says the state after the block before, and who was there to sign.
	var hash string
	signed := map[string]bool{}
	for _, n := range nodes {
		c, err := rpchttp.New("http://"+n.Endpoints().RPC, "/websocket")
		require.NoError(t, err)
		height := int64(last)
		b, err := c.Block(t.Context(), &height)
		require.NoError(t, err)
		if hash == "" {
			hash = b.Block.AppHash.String()
		}
		require.Equal(t, hash, b.Block.AppHash.String())
		for h := int64(1); h <= last; h++ {
			b, err := c.Block(t.Context(), &h)
			require.NoError(t, err)
			signed[b.Block.ProposerAddress.String()] = true
		}
	}
	require.NotEmpty(t, hash)
	require.Len(t, signed, 4, "each has proposed a block, so each has proved with its VRF key")
}

func TestATestNetworksNodesShareTheGenesisAndNothingElse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "net")
	opts := testnetOptions(t, 3)
	written, err := node.Testnet(dir, opts)
	require.NoError(t, err)
	var genesis string
	seen := map[string]bool{}
	for i, w := range written {
		raw, err := os.ReadFile(filepath.Join(w.Home, "config", "genesis.json"))
		require.NoError(t, err)
		if genesis == "" {
			genesis = string(raw)
		}
		require.Equal(t, genesis, string(raw))
		for _, name := range []string{"priv_validator_key.json", "node_key.json", "vrf_key.json"} {
			path := filepath.Join(w.Home, "config", name)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.EqualValues(t, 0o600, info.Mode().Perm(), path)
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			require.False(t, seen[string(raw)], path)
			seen[string(raw)] = true
		}
		v := viper.New()
		v.SetConfigFile(filepath.Join(w.Home, "config", "config.toml"))
		require.NoError(t, v.ReadInConfig())
		require.True(t, v.GetBool("p2p.allow_duplicate_ip"))
		require.False(t, v.GetBool("p2p.addr_book_strict"))
		require.False(t, v.GetBool("instrumentation.prometheus"))
		peers := strings.Split(v.GetString("p2p.persistent_peers"), ",")
		require.Len(t, peers, 2)
		for j, other := range written {
			require.Equal(t, i != j, strings.Contains(v.GetString("p2p.persistent_peers"), other.NodeID+"@"+other.P2P))
		}
		require.NoError(t, node.Check(w.Home))
	}
	_, err = node.Testnet(dir, opts)
	require.ErrorIs(t, err, node.ErrExists)
}

func TestATestNetworkThatCantBeLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	for says, change := range map[string]func(*node.TestnetOptions){
		"0 validators: must have 1 to 50":                func(o *node.TestnetOptions) { o.Validators = 0 },
		"-3 validators":                                  func(o *node.TestnetOptions) { o.Validators = -3 },
		"1000000000 validators":                          func(o *node.TestnetOptions) { o.Validators = 1_000_000_000 },
		"the starting port 80: must be 1024 to 65506":    func(o *node.TestnetOptions) { o.StartingPort, o.Validators = 80, 3 },
		"the starting port 65507: must be 1024 to 65506": func(o *node.TestnetOptions) { o.StartingPort, o.Validators = 65_507, 3 },
		"a target block time of -1s":                     func(o *node.TestnetOptions) { o.BlockTime = -time.Second },
		"target_block_time is 0 ms":                      func(o *node.TestnetOptions) { o.BlockTime = time.Microsecond },
		"chain_id":                                       func(o *node.TestnetOptions) { o.ChainID = "" },
		"chain_id in genesis doc is too long":            func(o *node.TestnetOptions) { o.ChainID = strings.Repeat("x", 51) },
		"1 accounts for 2 validators":                    func(o *node.TestnetOptions) { o.Operators = operators("lode1") },
		`genesis account "cosmos1abc"`:                   func(o *node.TestnetOptions) { o.Operators = operators("cosmos1abc", "cosmos1abd") },
	} {
		opts := testnetOptions(t, 2)
		change(&opts)
		_, err := node.Testnet(filepath.Join(parent, "net"), opts)
		require.ErrorContains(t, err, says)
	}
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func operators(addresses ...string) func(string, []string) ([]string, error) {
	return func(string, []string) ([]string, error) { return addresses, nil }
}
