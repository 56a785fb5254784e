package indexer_test

import (
	"math/rand/v2"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
)

// responses are what a chain's blocks came to, as nodes store it.
func responses(t testing.TB) (out []*abci.ResponseFinalizeBlock) {
	c := indexertest.New(small)
	for height := int64(1); height <= 12; height++ {
		r, err := c.Block(t.Context(), height)
		require.NoError(t, err)
		out = append(out, &abci.ResponseFinalizeBlock{Events: r.Events, TxResults: r.Results, AppHash: r.Hash})
	}
	long := indexertest.Plain("long", "key", string(make([]byte, 300)), string(make([]byte, 200)), "value")
	long.Attributes[0].Index = true
	return append(out, &abci.ResponseFinalizeBlock{
		Events:    []abci.Event{long, {}, {Type: "none"}},
		TxResults: []*abci.ExecTxResult{{Code: 7, Data: []byte{1}, Log: "l", Info: "i", GasWanted: -1, GasUsed: 5, Events: []abci.Event{long}, Codespace: "c"}, {}},
	})
}

func TestDecodeReadsWhatTheGeneratedCodeReads(t *testing.T) {
	for _, want := range responses(t) {
		raw, err := want.Marshal()
		require.NoError(t, err)
		var same abci.ResponseFinalizeBlock
		require.NoError(t, same.Unmarshal(raw))
		events, results, err := indexer.Decode(raw)
		require.NoError(t, err)
		require.Equal(t, len(same.Events), len(events))
		for i := range events {
			require.Equal(t, same.Events[i].String(), events[i].String())
		}
		require.Equal(t, len(same.TxResults), len(results))
		for i := range results {
			require.Equal(t, same.TxResults[i].String(), results[i].String())
		}
	}
}

func TestDecodeOfDamagedBytesEndsAsTheGeneratedCodeDoes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	list := responses(t)
	refused := 0
	for range 3_000 {
		raw, err := list[rnd.IntN(len(list))].Marshal()
		require.NoError(t, err)
		raw = raw[:min(len(raw), 1+rnd.IntN(3_000))]
		for range 1 + rnd.IntN(4) {
			raw[rnd.IntN(len(raw))] = byte(rnd.Uint32())
		}
		var same abci.ResponseFinalizeBlock
		want := same.Unmarshal(raw)
		events, results, err := indexer.Decode(raw)
		if err != nil {
			refused++
			continue // it may refuse what is odd, groups for instance
		}
		if want != nil {
			continue // of fields that it passes over
		}
		require.Equal(t, len(same.Events), len(events))
		require.Equal(t, len(same.TxResults), len(results))
	}
	require.Positive(t, refused)
}
