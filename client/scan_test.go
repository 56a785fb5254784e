package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"
)

// What encoding/json takes for a string, the same is read; what it refuses is refused.
func FuzzStringsAreReadAsEncodingJSONReadsThem(f *testing.F) {
	for _, s := range []string{
		`""`, `"a"`, `"\"12\""`, `"\\\/\b\f\n\r\t"`, `"\u0041\u00e9\u20ac"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\u0041"`, `"\ude00\ud83d"`,
		`"\x"`, `"\u12"`, `"\u+123"`, `"a`, `"a\`, `a"`, "\"\x01\"", "\"\xff\xfe\"", "\"é\xff\"", `"é"`, `null`, `"a" `, `"a"b`, "\"\x7f\"", `"\u0000"`, ` "a"`, `"\ud83d\u"`, "\"\\u00e9\xff\"",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want string
		err := json.Unmarshal([]byte(text), &want)
		s := &scan{b: []byte(text)}
		got := s.text()
		if end := s.end(); err != nil {
			require.ErrorIs(t, end, errJSON, "%q", text)
			return
		} else {
			require.NoError(t, end, "%q", text)
		}
		require.Equal(t, want, got)
	})
}

// However an attribute is written, what encoding/json reads is read.
func FuzzAttributesAreReadAsEncodingJSONReadsThem(f *testing.F) {
	for _, s := range []string{
		`{"key":"subnet_id","value":"\"12\"","index":true}`, `{"key":"a","value":"12rao","index":false}`, `{"key":"","value":"","index":true}`, `{"value":"b","index":true,"key":"a"}`,
		`{"key":"a","value":"\"x\\y\"","index":true}`, `{"key":"a","value":"\"","index":true}`, `{"key":"a","value":"\"\"","index":true}`, `{"key":"a","value":"\"é\"","index":true}`,
		`{"key":"a","value":"\"b\"}`, `{"key":"a","value":"\\\"","index":true}`, `{"key":"a\"","value":"b","index":true}`, `{"key":"a","value":"b","index":tru}`, `{"key":"a","value":"b"}`,
		`{"key":"a","value":"\"b\" ","index":true}`, `{"key":"a","value":"b\"","index":true}`, `{"key":"a","value":"x", "index":true}`, `{}`, `{"key":"a","value":null,"index":null}`, `{"0":+}`, `{"0":1.}`, `{"0":-0.5e+7}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := events{scan: &scan{b: []byte(text)}}
		e.attribute()
		if e.end() != nil {
			require.ErrorIs(t, e.err, errJSON)
			return
		}
		all := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal([]byte(text), &all), "%q", text)
		var want abci.EventAttribute
		for key, into := range map[string]any{"key": &want.Key, "value": &want.Value, "index": &want.Index} {
			if raw, ok := all[key]; ok {
				require.NoError(t, json.Unmarshal(raw, into), "%q", text)
			}
		}
		require.Equal(t, want, e.attributes[0], "%q", text)
	})
}

// skip takes all that is JSON, and stops within what is none.
func FuzzValuesArePassedOver(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `{"a":1}`, `{"a":[1,2,{"b":null}],"c":true,"d":false,"e":-1.5e+7}`, `[1,]`, `{"a":1,}`, `{"a"}`, `{a:1}`, `[1 2]`, `[`, `{`, `{"a":`, `nul`, `truE`, ``, ` `,
		strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat(`{"a":`, 100000), `"\"`, `1 1`, `[[],{}]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := &scan{b: []byte(text)}
		s.skip()
		if err := s.end(); err != nil {
			require.ErrorIs(t, err, errJSON)
			if json.Valid([]byte(text)) {
				require.ErrorContains(t, err, "nesting", "%q", text)
			}
			return
		}
		require.True(t, json.Valid([]byte(text)), "%q", text)
	})
}

func FuzzAnswersThatAreNoneAreRefused(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":{"height":"1","txs_results":[{"code":4294967296}]}}`))
	f.Add([]byte(`{"result":{"height":1,"finalize_block_events":[{"type":"a","attributes":[{"key":"k","value":"\"1\"","index":true}]}]}}`))
	f.Add([]byte(`{"result":{"block":{"header":{"height":"-1","time":"yesterday"}}}}`))
	f.Add([]byte(`{"error":{"code":-32603,"message":"Internal error","data":"height 9 must be less"},"id":1}`))
	f.Add([]byte(`{"result":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, read := range []func(*scan, *Record){
			func(s *scan, r *Record) { s.block(r) }, func(s *scan, r *Record) { s.results(r, &memory{}) },
		} {
			var r Record
			err := readAnswer(bytes.Clone(raw), func(s *scan) { read(s, &r) }) // must return
			for _, e := range r.Events {
				if err == nil {
					require.LessOrEqual(t, len(e.Type), len(raw)*3)
				}
			}
		}
	})
}

// sample is a block with everything that one can have.
func sample(rnd *rand.Rand, height int64) (*ctypes.ResultBlock, *ctypes.ResultBlockResults) {
	hash := func(n int) []byte {
		out := make([]byte, n)
		for i := range out {
			out[i] = byte(rnd.Uint32())
		}
		return out
	}
	texts := []string{"", `"12"`, `"` + "\u20ac" + `"`, "12rao", `{"a":[1,"<&>"]}`, "\x00\n\t\\\"", "\U0001f600", strings.Repeat("x", 300), `["1","2"]`}
	some := func() string { return texts[rnd.IntN(len(texts))] }
	events := func() (out []abci.Event) {
		for range rnd.IntN(20) {
			e := abci.Event{Type: "lode.test.v1." + some()}
			for range []int{0, 1, 3, 7, 7, 90}[rnd.IntN(6)] {
				e.Attributes = append(e.Attributes, abci.EventAttribute{Key: some(), Value: some(), Index: rnd.IntN(2) == 0})
			}
			out = append(out, e)
		}
		return out
	}
	b := &cmttypes.Block{Header: cmttypes.Header{
		ChainID: "lode-" + some(), Height: height, Time: time.Unix(1_793_000_000, rnd.Int64N(1e9)).UTC(),
		LastBlockID:    cmttypes.BlockID{Hash: hash(32), PartSetHeader: cmttypes.PartSetHeader{Total: rnd.Uint32(), Hash: hash(32)}},
		LastCommitHash: hash(32), DataHash: hash(32), ValidatorsHash: hash(32), NextValidatorsHash: hash(32), ConsensusHash: hash(32), AppHash: hash(32),
		LastResultsHash: hash(32), EvidenceHash: hash(32), ProposerAddress: hash(20),
	}, LastCommit: &cmttypes.Commit{Height: height - 1, Signatures: []cmttypes.CommitSig{{BlockIDFlag: cmttypes.BlockIDFlagCommit, ValidatorAddress: hash(20), Signature: hash(64)}}}}
	b.Version.Block, b.Version.App = 11, rnd.Uint64N(5)
	res := &ctypes.ResultBlockResults{Height: height, FinalizeBlockEvents: events(), AppHash: hash(32), ValidatorUpdates: []abci.ValidatorUpdate{{Power: 7}}}
	for range rnd.IntN(5) {
		b.Txs = append(b.Txs, hash(rnd.IntN(400)))
		res.TxsResults = append(res.TxsResults, &abci.ExecTxResult{Code: rnd.Uint32(), Data: hash(rnd.IntN(9)), Log: some(), Info: some(),
			GasWanted: rnd.Int64(), GasUsed: rnd.Int64(), Events: events(), Codespace: some()})
	}
	return &ctypes.ResultBlock{BlockID: cmttypes.BlockID{Hash: b.Header.Hash()}, Block: b}, res
}

// answer is how a node writes a result.
func answer(t *testing.T, result any) []byte {
	t.Helper()
	raw, err := json.Marshal(rpctypes.NewRPCSuccessResponse(rpctypes.JSONRPCIntID(1), result))
	require.NoError(t, err)
	return raw
}

func TestWhatANodeAnswersIsReadAsCometBFTReadsIt(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for height := int64(1); height <= 12; height++ {
		b, res := sample(rnd, height)
		var wantBlock ctypes.ResultBlock
		var want ctypes.ResultBlockResults
		for _, p := range []struct{ from, to any }{{b, &wantBlock}, {res, &want}} {
			raw, err := cmtjson.Marshal(p.from)
			require.NoError(t, err)
			require.NoError(t, cmtjson.Unmarshal(raw, p.to))
		}
		var r Record
		var hash []byte
		var told int64
		require.NoError(t, readAnswer(answer(t, b), func(s *scan) { hash = s.block(&r) }))
		require.NoError(t, readAnswer(answer(t, res), func(s *scan) { told = s.results(&r, &memory{}) }))
		require.Equal(t, height, told)
		require.Equal(t, []byte(wantBlock.BlockID.Hash), hash)
		require.Equal(t, []byte(wantBlock.Block.Hash()), r.Hash, "the whole header was read")
		require.Equal(t, height, r.Height)
		require.Equal(t, wantBlock.Block.Time, r.Time)
		require.Equal(t, []byte(wantBlock.Block.LastBlockID.Hash), r.Last)
		require.Equal(t, []byte(wantBlock.Block.ProposerAddress), r.Proposer)
		require.Len(t, r.Txs, len(wantBlock.Block.Txs))
		for i, tx := range wantBlock.Block.Txs {
			require.Equal(t, []byte(tx), r.Txs[i])
		}
		sameEvents(t, want.FinalizeBlockEvents, r.Events)
		require.Len(t, r.Results, len(want.TxsResults))
		for i, w := range want.TxsResults {
			g := r.Results[i]
			sameEvents(t, w.Events, g.Events)
			require.True(t, bytes.Equal(w.Data, g.Data))
			g.Events, w.Events, g.Data, w.Data = nil, nil, nil, nil
			require.Equal(t, w, g)
		}
	}
}

func sameEvents(t *testing.T, want, got []abci.Event) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].Type, got[i].Type)
		require.Len(t, got[i].Attributes, len(want[i].Attributes))
		for k := range want[i].Attributes {
			require.Equal(t, want[i].Attributes[k], got[i].Attributes[k])
		}
	}
}

// recording answers for a node: its status, and what a test has for a block.
func recording(t *testing.T, answers map[string][]byte) *Client {
	t.Helper()
	now, err := cmtjson.Marshal(&ctypes.ResultStatus{SyncInfo: ctypes.SyncInfo{LatestBlockHeight: 9, LatestBlockTime: time.Now()}})
	require.NoError(t, err)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
		}
		if json.NewDecoder(r.Body).Decode(&q) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if q.Method == "status" {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, q.ID, now)
			return
		}
		w.Write(answers[q.Method])
	}))
	t.Cleanup(srv.Close)
	c, err := New(Config{Nodes: []string{srv.URL}, Timeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func TestARecordIsAWholeBlock(t *testing.T) {
	b, res := sample(rand.New(rand.NewPCG(3, 4)), 7)
	c := recording(t, map[string][]byte{"block": answer(t, b), "block_results": answer(t, res)})
	r, err := c.Record(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, []byte(b.BlockID.Hash), r.Hash)
	require.Len(t, r.Events, len(res.FinalizeBlockEvents))
	_, err = c.Record(t.Context(), 8)
	require.ErrorIs(t, err, ErrNotFound, "it answers for another block")
}

// A block that is read into a freed one's memory is as one that is read into new.
func TestARecordThatIsFreedHoldsNothing(t *testing.T) {
	b, res := sample(rand.New(rand.NewPCG(3, 4)), 7)
	c := recording(t, map[string][]byte{"block": answer(t, b), "block_results": answer(t, res)})
	for range 5 {
		r, err := c.Record(t.Context(), 7)
		require.NoError(t, err)
		sameEvents(t, res.FinalizeBlockEvents, r.Events)
		require.Len(t, r.Txs, len(b.Block.Txs))
		kept := r.Events[0]
		r.Free()
		r.Free()
		require.Empty(t, r.Events)
		require.Empty(t, r.Results)
		require.Empty(t, strings.Trim(kept.Type, "\x00"), "what is used all the same is no other block's")
	}
}

func TestARecordThatDoesNotFitTogetherIsRefused(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	b, res := sample(rnd, 7)
	for len(res.TxsResults) == 0 {
		b, res = sample(rnd, 7)
	}
	_, later := sample(rnd, 8)
	fewer := *res
	fewer.TxsResults = res.TxsResults[1:]
	forged := *b
	forged.BlockID.Hash = bytes.Repeat([]byte{1}, 32)
	missing := []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error","data":"height 7 is not available, lowest height is 9"}}`)
	for name, one := range map[string]struct {
		block, results []byte
		is             error
		says           string
	}{
		"results of another height":     {answer(t, b), answer(t, later), ErrUnavailable, "does not fit together"},
		"a transaction without results": {answer(t, b), answer(t, &fewer), ErrUnavailable, "does not fit together"},
		"a hash of another block":       {answer(t, &forged), answer(t, res), ErrUnavailable, "does not fit together"},
		"a block that it dropped":       {missing, answer(t, res), ErrNotFound, "lowest height is 9"},
		"results that it dropped":       {answer(t, b), missing, ErrNotFound, "lowest height is 9"},
		"half of an answer":             {answer(t, b), answer(t, res)[:200], ErrUnavailable, "no CometBFT RPC server"},
		"a page":                        {[]byte("<html>"), answer(t, res), ErrUnavailable, "no CometBFT RPC server"},
		"nothing":                       {nil, nil, ErrUnavailable, "no CometBFT RPC server"},
		"two answers":                   {append(answer(t, b), answer(t, b)...), answer(t, res), ErrUnavailable, "no CometBFT RPC server"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := recording(t, map[string][]byte{"block": one.block, "block_results": one.results}).Record(ctx, 7)
			require.ErrorIs(t, err, one.is)
			require.ErrorContains(t, err, one.says)
		})
	}
}
