package indexer_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	cmtdb "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"
	"github.com/stretchr/testify/require"

	appnode "github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
	"github.com/lodenet/lode/records"
)

// node is a node's stores with a chain's blocks, in memory or on disk, and what serves
// them: CometBFT's stores and RPC server, and a node's records.
type node struct {
	chain  *indexertest.Chain
	blocks *store.BlockStore
	states sm.Store
	state  cmtdb.DB
	last   cmttypes.BlockID
	height int64
}

// signers are how many validators signed each block.
const signers = 50

// A node is a process of its own: nodeVariable is how many blocks it has, and where; no
// place is in memory.
const nodeVariable = "LODE_BENCH_NODE"

// serve is that process: it tells its URL, and ends when its standard input does.
func serve(what string) error {
	blocks, dir, _ := strings.Cut(what, " ")
	last, err := strconv.ParseInt(blocks, 10, 64)
	if err != nil {
		return err
	}
	n, err := open(dir)
	if err != nil {
		return err
	}
	for n.height < last {
		if err := n.make(); err != nil {
			return err
		}
	}
	// What made them is no part of a node.
	debug.FreeOSMemory()
	mux := http.NewServeMux()
	mux.Handle(records.Path, appnode.Records(n.blocks, n.state, slog.Default()))
	mux.Handle("/", n)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	fmt.Println(srv.URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func open(dir string) (*node, error) {
	n := &node{chain: indexertest.New(busy)}
	blocks, state := cmtdb.DB(cmtdb.NewMemDB()), cmtdb.DB(cmtdb.NewMemDB())
	if dir != "" {
		var err error
		if blocks, err = cmtdb.NewDB("blockstore", cmtdb.GoLevelDBBackend, dir); err != nil {
			return nil, err
		}
		if state, err = cmtdb.NewDB("state", cmtdb.GoLevelDBBackend, dir); err != nil {
			return nil, err
		}
	}
	n.blocks, n.states, n.state = store.NewBlockStore(blocks), sm.NewStore(state, sm.StoreOptions{}), state
	return n, nil
}

// startNode starts one that has so many blocks, and returns its URL.
func startNode(tb testing.TB, blocks int64, dir string) string {
	self, err := os.Executable()
	require.NoError(tb, err)
	c := exec.Command(self)
	c.Env, c.Stderr = append(os.Environ(), fmt.Sprintf("%s=%d %s", nodeVariable, blocks, dir)), os.Stderr
	in, err := c.StdinPipe()
	require.NoError(tb, err)
	out, err := c.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, c.Start())
	tb.Cleanup(func() {
		require.NoError(tb, in.Close())
		require.NoError(tb, c.Wait())
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(tb, err)
	return strings.TrimSpace(url)
}

// source is a node's blocks, by way of a client as `lode console` makes one; blocks after
// the last are not there yet.
func source(tb testing.TB, url string, last int64) indexer.Source {
	c, err := client.New(client.Config{Nodes: []string{url}})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Close()) })
	return until{indexer.Node(c), last}
}

// until is a source whose chain ends.
type until struct {
	indexer.Source
	last int64
}

func (u until) Kept(context.Context) (first, last int64, err error) { return 1, u.last, nil }

func (u until) Wait(ctx context.Context, _ int64) error {
	<-ctx.Done()
	return ctx.Err()
}

// make adds the next block, as a node does.
func (n *node) make() error {
	n.height++
	r := n.chain.Block(n.height)
	hash := make([]byte, 32)
	commit := &cmttypes.Commit{}
	if n.height > 1 {
		commit = &cmttypes.Commit{Height: n.height - 1, BlockID: n.last}
		for range signers {
			commit.Signatures = append(commit.Signatures, cmttypes.CommitSig{
				BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: hash[:20], Timestamp: r.Time, Signature: make([]byte, 64),
			})
		}
	}
	b := cmttypes.MakeBlock(n.height, cmttypes.ToTxs(r.Txs), commit, nil)
	b.ChainID, b.Time, b.LastBlockID, b.Version.Block, b.ProposerAddress = "lode-test-1", r.Time, n.last, version.BlockProtocol, r.Proposer
	b.ValidatorsHash, b.NextValidatorsHash, b.ConsensusHash, b.AppHash, b.LastResultsHash = hash, hash, hash, hash, hash
	parts, err := b.MakePartSet(cmttypes.BlockPartSizeBytes)
	if err != nil {
		return err
	}
	n.last = cmttypes.BlockID{Hash: b.Hash(), PartSetHeader: parts.Header()}
	n.blocks.SaveBlock(b, parts, &cmttypes.Commit{Height: n.height, BlockID: n.last})
	return n.states.SaveFinalizeBlockResponse(n.height, &abci.ResponseFinalizeBlock{TxResults: r.Results, Events: r.Events, AppHash: hash})
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var result any
	switch q.Method {
	case "status":
		result = &ctypes.ResultStatus{NodeInfo: p2p.DefaultNodeInfo{Network: "lode-test-1"}, SyncInfo: ctypes.SyncInfo{LatestBlockHeight: n.height, LatestBlockTime: time.Now(), EarliestBlockHeight: 1}}
	case "genesis_chunked":
		doc, err := n.chain.Genesis(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		raw, err := cmtjson.Marshal(doc)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		result = &ctypes.ResultGenesisChunk{TotalChunks: 1, Data: base64.StdEncoding.EncodeToString(raw)}
	}
	var id int
	if err := json.Unmarshal(q.ID, &id); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := json.NewEncoder(w).Encode(rpctypes.NewRPCSuccessResponse(rpctypes.JSONRPCIntID(id), result)); err != nil {
		panic(err) // the benchmark is over
	}
}

// BenchmarkNodeAnswers is what a node takes to write a busy block's results as JSON, by
// CometBFT's own code, for whoever does not ask for records.
func BenchmarkNodeAnswers(b *testing.B) {
	c := indexertest.New(busy)
	r := c.Block(400)
	res := &ctypes.ResultBlockResults{Height: r.Height, TxsResults: r.Results, FinalizeBlockEvents: r.Events}
	size := 0
	for b.Loop() {
		raw, err := json.Marshal(rpctypes.NewRPCSuccessResponse(rpctypes.JSONRPCIntID(1), res))
		require.NoError(b, err)
		size = len(raw)
	}
	b.ReportMetric(float64(size), "bytes")
	stored := &abci.ResponseFinalizeBlock{TxResults: r.Results, Events: r.Events}
	b.ReportMetric(float64(stored.Size()), "bytes-stored")
}
