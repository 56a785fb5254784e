package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/records"
)

// kept is a block as a node has it.
func kept(height int64) (*cmttypes.Block, *abci.ResponseFinalizeBlock) {
	hash := bytes.Repeat([]byte{byte(height)}, 32)
	b := &cmttypes.Block{Header: cmttypes.Header{
		ChainID: "lode-test-1", Height: height, Time: time.Unix(1_793_000_000+height, 0).UTC(), LastBlockID: cmttypes.BlockID{Hash: hash, PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: hash}},
		LastCommitHash: hash, DataHash: hash, ValidatorsHash: hash, NextValidatorsHash: hash, ConsensusHash: hash, AppHash: hash, LastResultsHash: hash, EvidenceHash: hash, ProposerAddress: hash[:20],
	}, LastCommit: &cmttypes.Commit{Height: height - 1}}
	b.Version.Block = 11
	b.Txs = cmttypes.Txs{[]byte("a transaction")}
	event := abci.Event{Type: "lode.test.v1.EventTest", Attributes: []abci.EventAttribute{{Key: "height", Value: fmt.Sprintf(`"%d"`, height), Index: true}}}
	return b, &abci.ResponseFinalizeBlock{Events: []abci.Event{event, event}, AppHash: hash, TxResults: []*abci.ExecTxResult{{Code: 7, Log: "no", GasUsed: 5, Events: []abci.Event{event}}}}
}

// sent is a block as records.
func sent(t *testing.T, height int64) []byte {
	t.Helper()
	b, res := kept(height)
	results, err := res.Marshal()
	require.NoError(t, err)
	head, err := records.AppendHead(nil, b.Header.ToProto(), b.Txs.ToSliceOfBytes(), len(results))
	require.NoError(t, err)
	return append(head, results...)
}

func requireKept(t *testing.T, height int64, r *Record) {
	t.Helper()
	b, res := kept(height)
	require.Equal(t, height, r.Height)
	require.Equal(t, []byte(b.Hash()), r.Hash)
	require.Equal(t, b.Time, r.Time)
	require.Equal(t, []byte(b.LastBlockID.Hash), r.Last)
	require.Equal(t, []byte(b.ProposerAddress), r.Proposer)
	require.Equal(t, [][]byte{b.Txs[0]}, r.Txs)
	require.Equal(t, res.Events, r.Events)
	require.Len(t, r.Results, 1)
	require.Equal(t, []any{uint32(7), "no", int64(5), res.TxResults[0].Events}, []any{r.Results[0].Code, r.Results[0].Log, r.Results[0].GasUsed, r.Results[0].Events})
}

// rpcOf is what a node answers by CometBFT's RPC: blocks up to 9.
func rpcOf(t *testing.T, change func(*ctypes.ResultBlock, *ctypes.ResultBlockResults)) http.HandlerFunc {
	now, err := cmtjson.Marshal(&ctypes.ResultStatus{SyncInfo: ctypes.SyncInfo{LatestBlockHeight: 9, LatestBlockTime: time.Now()}})
	require.NoError(t, err)
	return func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params struct {
				Height int64 `json:"height,string"`
			} `json:"params"`
		}
		if json.NewDecoder(r.Body).Decode(&q) != nil {
			fmt.Fprint(w, "<html>Available endpoints:</html>") // as CometBFT answers to what is no question
			return
		}
		if q.Method == "status" {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, q.ID, now)
			return
		}
		if q.Params.Height > 9 {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32603,"message":"Internal error","data":"height %d must be less than or equal to 9"}}`, q.ID, q.Params.Height)
			return
		}
		b, res := kept(q.Params.Height)
		block := &ctypes.ResultBlock{BlockID: cmttypes.BlockID{Hash: b.Hash()}, Block: b}
		results := &ctypes.ResultBlockResults{Height: b.Height, TxsResults: res.TxResults, FinalizeBlockEvents: res.Events}
		if change != nil {
			change(block, results)
		}
		var id int
		if json.Unmarshal(q.ID, &id) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var result any = block
		if q.Method == "block_results" {
			result = results
		}
		raw, err := json.Marshal(rpctypes.NewRPCSuccessResponse(rpctypes.JSONRPCIntID(id), result))
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Write(raw)
	}
}

// asking is a client of a node; f answers for its records.
func asking(t *testing.T, f http.HandlerFunc) *Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", rpcOf(t, nil))
	if f != nil {
		mux.HandleFunc(records.Path, f)
	}
	return clientOf(t, mux)
}

func clientOf(t *testing.T, h http.Handler) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(Config{Nodes: []string{srv.URL}, Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// says answers with records that are these bytes.
func says(parts ...[]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", records.ContentType)
		for _, p := range parts {
			w.Write(p)
		}
	}
}

func TestRecordsAreReadFromANodeOfLode(t *testing.T) {
	c := asking(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "from=4&to=9" {
			http.Error(w, r.URL.RawQuery, http.StatusBadRequest)
			return
		}
		says(sent(t, 4), sent(t, 5), sent(t, 6))(w, r)
	})
	list, err := c.Records(t.Context(), 4, 9)
	require.NoError(t, err)
	require.Len(t, list, 3)
	for i, r := range list {
		requireKept(t, int64(4+i), r)
	}
}

// A node far away compresses; nothing else changes.
func TestRecordsAreCompressedUnlessTheNodeIsNear(t *testing.T) {
	var asked string
	c := asking(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Accept-Encoding")
		w.Header().Set("Content-Type", records.ContentType)
		if asked != "zstd" {
			w.Write(sent(t, 4))
			return
		}
		w.Header().Set("Content-Encoding", "zstd")
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err)
		}
		z.Write(sent(t, 4))
		z.Close()
	})
	r, err := c.Record(t.Context(), 4)
	require.NoError(t, err)
	requireKept(t, 4, r)
	require.NotEqual(t, "zstd", asked)
	require.True(t, c.nodes[0].near)
	c.nodes[0].near = false
	r, err = c.Record(t.Context(), 4)
	require.NoError(t, err)
	requireKept(t, 4, r)
	require.Equal(t, "zstd", asked)
}

func TestOfANodeThatHasNoRecordsBlocksAreReadByItsRPC(t *testing.T) {
	c := asking(t, nil)
	list, err := c.Records(t.Context(), 2, 1_000)
	require.NoError(t, err)
	require.Len(t, list, atOnce)
	for i, r := range list {
		requireKept(t, int64(2+i), r)
	}
	_, err = c.Record(t.Context(), 10)
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "must be less than")
}

func TestBlocksThatDoNotFitTogetherAreRefused(t *testing.T) {
	for name, change := range map[string]func(*ctypes.ResultBlock, *ctypes.ResultBlockResults){
		"results of another height":     func(_ *ctypes.ResultBlock, r *ctypes.ResultBlockResults) { r.Height++ },
		"a transaction without results": func(_ *ctypes.ResultBlock, r *ctypes.ResultBlockResults) { r.TxsResults = nil },
		"a hash of another block":       func(b *ctypes.ResultBlock, _ *ctypes.ResultBlockResults) { b.BlockID.Hash = make([]byte, 32) },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := clientOf(t, rpcOf(t, change)).Record(t.Context(), 7)
			require.ErrorIs(t, err, ErrUnavailable)
			require.ErrorContains(t, err, "does not fit together")
		})
	}
	_, err := clientOf(t, rpcOf(t, func(b *ctypes.ResultBlock, _ *ctypes.ResultBlockResults) { b.Block = nil })).Record(t.Context(), 7)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestWhatANodeSendsInPlaceOfRecords(t *testing.T) {
	for name, one := range map[string]struct {
		answer http.HandlerFunc
		is     error
		says   string
	}{
		"nothing: it has not that block": {says(), ErrNotFound, "block 4"},
		"another block":                  {says(sent(t, 5)), ErrUnavailable, "answers with block 5 for 4"},
		"a block twice":                  {says(sent(t, 4), sent(t, 4)), ErrUnavailable, "answers with block 4 for 5"},
		"more than it was asked for":     {says(sent(t, 4), sent(t, 5), sent(t, 6), sent(t, 7)), ErrUnavailable, "answers with block 7 for 7"},
		"noise":                          {says([]byte("hello")), ErrUnavailable, "malformed records"},
		"half of a block":                {says(sent(t, 4)[:50]), ErrUnavailable, "malformed records"},
		"no results": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "it has block 4 and kept no results of it", http.StatusGone)
		}, errNoResults, "role full or archive"},
		"what is not compressed": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "zstd")
			says(sent(t, 4))(w, r)
		}, ErrUnavailable, "magic"},
		"much more, compressed": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", records.ContentType)
			w.Header().Set("Content-Encoding", "zstd")
			z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
			if err != nil {
				panic(err)
			}
			io.CopyN(z, zeros{}, maxAnswer+1)
			z.Close()
		}, ErrUnavailable, "larger than 128 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := asking(t, one.answer).Records(ctx, 4, 6)
			require.ErrorIs(t, err, one.is)
			require.ErrorContains(t, err, one.says)
		})
	}
	t.Run("what breaks off", func(t *testing.T) {
		list, err := asking(t, says(sent(t, 4), sent(t, 5)[:60])).Records(t.Context(), 4, 6)
		require.NoError(t, err, "what is whole can be used")
		require.Len(t, list, 1)
		requireKept(t, 4, list[0])
	})
	t.Run("slowly", func(t *testing.T) {
		release := make(chan struct{})
		c := asking(t, func(w http.ResponseWriter, r *http.Request) {
			says(sent(t, 4), sent(t, 5)[:60])(w, r)
			w.(http.Flusher).Flush()
			<-release
		})
		t.Cleanup(func() { close(release) })
		c.cfg.Timeout = time.Second
		list, err := c.Records(t.Context(), 4, 6)
		require.NoError(t, err, "what came in time can be used")
		require.Len(t, list, 1)
	})
}

// Where one node keeps no results, another is asked.
func TestRecordsComeFromTheNodeThatHasThem(t *testing.T) {
	poor, rich := http.NewServeMux(), http.NewServeMux()
	for _, mux := range []*http.ServeMux{poor, rich} {
		mux.HandleFunc("/", rpcOf(t, nil))
	}
	poor.HandleFunc(records.Path, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "it has block 4 and kept no results of it", http.StatusGone)
	})
	rich.HandleFunc(records.Path, says(sent(t, 4)))
	a, b := httptest.NewServer(poor), httptest.NewServer(rich)
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	c, err := New(Config{Nodes: []string{a.URL, b.URL}, Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	r, err := c.Record(t.Context(), 4)
	require.NoError(t, err)
	requireKept(t, 4, r)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
