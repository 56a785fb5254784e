package indexer_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
)

// node answers as a node's RPC does, byte for byte, with a chain's blocks out of memory:
// what a node takes to write its answers isn't measured.
type node struct {
	chain   *indexertest.Chain
	last    []byte // hash
	height  int64
	answers map[answer][]byte
}

// answer is of a method for a height: 350 kB a block.
type answer struct {
	method string
	height int64
}

// signers are how many validators signed each block.
const signers = 50

// A node is a process of its own: nodeVariable is how many blocks it has.
const nodeVariable = "LODE_BENCH_NODE"

// serve is that process: it tells its URL, and ends when its standard input does.
func serve(blocks string) error {
	n := &node{chain: indexertest.New(busy), answers: map[answer][]byte{}}
	last, err := strconv.ParseInt(blocks, 10, 64)
	if err != nil {
		return err
	}
	for n.height < last {
		if err := n.make(); err != nil {
			return err
		}
	}
	srv := httptest.NewServer(n)
	defer srv.Close()
	fmt.Println(srv.URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startNode starts one that has so many blocks, and returns its URL.
func startNode(tb testing.TB, blocks int64) string {
	self, err := os.Executable()
	require.NoError(tb, err)
	c := exec.Command(self)
	c.Env, c.Stderr = append(os.Environ(), fmt.Sprintf("%s=%d", nodeVariable, blocks)), os.Stderr
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

// make writes a node's answers for the next block.
func (n *node) make() error {
	n.height++
	r, err := n.chain.Block(context.Background(), n.height)
	if err != nil {
		return err
	}
	hash := make([]byte, 32)
	b := &cmttypes.Block{Header: cmttypes.Header{
		ChainID: "lode-test-1", Height: r.Height, Time: r.Time, LastBlockID: cmttypes.BlockID{Hash: n.last}, LastCommitHash: hash, DataHash: hash,
		ValidatorsHash: hash, NextValidatorsHash: hash, ConsensusHash: hash, AppHash: hash, LastResultsHash: hash, EvidenceHash: hash, ProposerAddress: r.Proposer,
	}, LastCommit: &cmttypes.Commit{Height: r.Height - 1}}
	for _, tx := range r.Txs {
		b.Txs = append(b.Txs, tx)
	}
	for range signers {
		b.LastCommit.Signatures = append(b.LastCommit.Signatures, cmttypes.CommitSig{
			BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: hash[:20], Timestamp: r.Time, Signature: make([]byte, 64),
		})
	}
	n.last = b.Header.Hash()
	raw, err := cmtjson.Marshal(&ctypes.ResultBlock{BlockID: cmttypes.BlockID{Hash: n.last}, Block: b})
	if err != nil {
		return err
	}
	n.write("block", raw)
	n.write("block_results", appendResults(nil, r))
	return nil
}

func (n *node) write(method string, result []byte) {
	n.answers[answer{method, n.height}] = fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%s}`, result)
}

func TestResultsAreWrittenAsANodeWritesThem(t *testing.T) {
	c := indexertest.New(indexertest.Config{Subnets: 2, Neurons: 8, Tempo: 2, Blocks: 5})
	for height := int64(1); height <= 5; height++ {
		r, err := c.Block(t.Context(), height)
		require.NoError(t, err)
		want, err := cmtjson.Marshal(&ctypes.ResultBlockResults{Height: r.Height, TxsResults: r.Results, FinalizeBlockEvents: r.Events, AppHash: []byte{}})
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(appendResults(nil, r)))
	}
}

// appendResults writes results as cmtjson does, at a hundredth of its time.
func appendResults(b []byte, r *client.Record) []byte {
	b = fmt.Appendf(b, `{"height":"%d","txs_results":[`, r.Height)
	for i, t := range r.Results {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"code":%d,"data":null,"log":%q,"info":"","gas_wanted":"%d","gas_used":"%d","events":`, t.Code, t.Log, t.GasWanted, t.GasUsed)
		b = appendEvents(b, t.Events)
		b = fmt.Appendf(b, `,"codespace":%q}`, t.Codespace)
	}
	b = append(b, `],"finalize_block_events":`...)
	b = appendEvents(b, r.Events)
	return append(b, `,"validator_updates":null,"consensus_param_updates":null,"app_hash":""}`...)
}

func appendEvents(b []byte, events []abci.Event) []byte {
	b = append(b, '[')
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, `{"type":`...), quoted(e.Type)...)
		b = append(b, `,"attributes":[`...)
		for k, a := range e.Attributes {
			if k > 0 {
				b = append(b, ',')
			}
			b = append(append(b, `{"key":`...), quoted(a.Key)...)
			b = append(append(b, `,"value":`...), quoted(a.Value)...)
			b = append(strconv.AppendBool(append(b, `,"index":`...), a.Index), '}')
		}
		b = append(b, "]}"...)
	}
	return append(b, ']')
}

func quoted(s string) []byte {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always marshals
	}
	return raw
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params struct {
			Height int64 `json:"height,string"`
		} `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var result any
	switch q.Method {
	case "block", "block_results":
		if _, err := w.Write(n.answers[answer{q.Method, q.Params.Height}]); err != nil {
			panic(err) // the benchmark is over
		}
		return
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
// CometBFT's own code: catching up can't be faster than the node that it asks.
func BenchmarkNodeAnswers(b *testing.B) {
	c := indexertest.New(busy)
	r, err := c.Block(b.Context(), 400)
	require.NoError(b, err)
	res := &ctypes.ResultBlockResults{Height: r.Height, TxsResults: r.Results, FinalizeBlockEvents: r.Events}
	size := 0
	for b.Loop() {
		raw, err := json.Marshal(rpctypes.NewRPCSuccessResponse(rpctypes.JSONRPCIntID(1), res))
		require.NoError(b, err)
		size = len(raw)
	}
	b.ReportMetric(float64(size), "bytes")
}
