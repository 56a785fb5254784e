package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/app/node"
)

const tao = 1_000_000_000

func initHome(t *testing.T, blockTime time.Duration) (home string, operator string) {
	t.Helper()
	home = t.TempDir()
	key := secp256k1.GenPrivKey()
	operator = sdk.AccAddress(key.PubKey().Address()).String()
	keys.Store(operator, key)
	require.NoError(t, node.Init(home, node.InitOptions{
		ChainID: "lode-local-1", BlockTime: blockTime,
		Accounts:  []node.Account{{Address: operator, Rao: 5 * tao}},
		Validator: node.Validator{OperatorAddress: operator, SelfBondRao: 10 * tao, Moniker: "one"},
	}))
	return home, operator
}

// keys are those of the operators that initHome made.
var keys sync.Map

func operatorKey(operator string) *secp256k1.PrivKey {
	key, _ := keys.Load(operator)
	return key.(*secp256k1.PrivKey)
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "genesis.json")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func start(t *testing.T, home string) *node.Node {
	t.Helper()
	n, err := node.Start(t.Context(), config(home))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	return n
}

func config(home string) node.Config {
	return node.Config{
		Home: home, RPC: "127.0.0.1:0", GRPC: "127.0.0.1:0", REST: "127.0.0.1:0", P2P: "127.0.0.1:0",
		CORS: true, CheckInvariants: 1,
	}
}

func wait(t *testing.T, n *node.Node, height int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, n.WaitHeight(ctx, height))
}

func get(t *testing.T, url string) (body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "http://example.org")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(raw))
	return string(raw), res.Header
}

func TestANodeMakesBlocksServesAndContinuesAfterARestartInTheSameProcess(t *testing.T) {
	home, operator := initHome(t, 100*time.Millisecond)
	n := start(t, home)
	wait(t, n, 2)
	require.Equal(t, "lode-local-1", n.ChainID())

	rest := "http://" + n.Endpoints().REST
	body, header := get(t, rest+"/cosmos/bank/v1beta1/balances/"+operator)
	require.Contains(t, body, `"amount":"5000000000"`)
	require.Equal(t, "*", header.Get("Access-Control-Allow-Origin"))
	body, _ = get(t, rest+"/cosmos/bank/v1beta1/denoms_metadata/rao")
	var meta struct {
		Metadata struct {
			Base, Display string
			DenomUnits    []struct {
				Denom    string
				Exponent int
			} `json:"denom_units"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &meta))
	require.Equal(t, "rao", meta.Metadata.Base)
	require.Equal(t, "TAO", meta.Metadata.Display)
	require.Equal(t, 9, meta.Metadata.DenomUnits[1].Exponent)
	body, header = get(t, "http://"+n.Endpoints().RPC+"/status")
	require.Contains(t, body, "lode-local-1")
	require.Equal(t, "*", header.Get("Access-Control-Allow-Origin"))

	begin := time.Now()
	require.NoError(t, n.Stop())
	require.Less(t, time.Since(begin), 2*time.Second)
	require.NoError(t, n.Wait())
	last := n.Height()

	again := start(t, home)
	require.GreaterOrEqual(t, again.Height(), last)
	wait(t, again, last+2)
}

func TestAPortInUseIsSaidBeforeAnythingStarts(t *testing.T) {
	home, _ := initHome(t, time.Second)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c := config(home)
	c.REST = l.Addr().String()
	_, err = node.Start(t.Context(), c)
	require.ErrorContains(t, err, "the REST address "+l.Addr().String()+" can't be listened on")

	start(t, home) // nothing was left locked
}

func TestAHomeWithoutANodeSaysHowToMakeOne(t *testing.T) {
	_, err := node.Start(t.Context(), config(t.TempDir()))
	require.ErrorIs(t, err, node.ErrNoNode)
	require.ErrorContains(t, err, "lode node init")
}

func TestAHomeIsInitialisedOnce(t *testing.T) {
	home, operator := initHome(t, time.Second)
	err := node.Init(home, node.InitOptions{ChainID: "lode-local-1", Validator: node.Validator{OperatorAddress: operator, SelfBondRao: 10 * tao}})
	require.ErrorIs(t, err, node.ErrExists)
}

func TestARefusedGenesisLeavesNoNode(t *testing.T) {
	home := t.TempDir()
	err := node.Init(home, node.InitOptions{ChainID: "lode-local-1", Validator: node.Validator{OperatorAddress: "cosmos1xyz", SelfBondRao: 10 * tao}})
	require.Error(t, err)
	entries, err := os.ReadDir(home)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestANodeIsQuiet(t *testing.T) {
	home, _ := initHome(t, 100*time.Millisecond)
	var log bytes.Buffer
	c := config(home)
	c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	n, err := node.Start(t.Context(), c)
	require.NoError(t, err)
	wait(t, n, 2)
	require.NoError(t, errors.Join(n.Stop()))
	require.Less(t, strings.Count(log.String(), "\n"), 10, log.String())
}
