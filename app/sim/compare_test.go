package sim

import (
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/stretchr/testify/require"
)

func results() *abci.ResponseFinalizeBlock {
	event := func() []abci.Event {
		return []abci.Event{{Type: "a", Attributes: []abci.EventAttribute{{Key: "k", Value: "v"}}}}
	}
	return &abci.ResponseFinalizeBlock{
		AppHash: []byte{1}, Events: event(),
		TxResults:             []*abci.ExecTxResult{{Code: 1, Codespace: "x", GasUsed: 5, GasWanted: 9, Data: []byte{2}, Events: event(), Log: "any"}},
		ValidatorUpdates:      []abci.ValidatorUpdate{{Power: 3}},
		ConsensusParamUpdates: &cmtproto.ConsensusParams{Block: &cmtproto.BlockParams{MaxGas: 7}},
	}
}

func TestWhateverDiffersBetweenNodesIsFound(t *testing.T) {
	require.NotPanics(t, func() { same("node", results(), results(), false) })
	for name, change := range map[string]func(*abci.ResponseFinalizeBlock){
		"app hash":           func(r *abci.ResponseFinalizeBlock) { r.AppHash[0]++ },
		"code":               func(r *abci.ResponseFinalizeBlock) { r.TxResults[0].Code++ },
		"codespace":          func(r *abci.ResponseFinalizeBlock) { r.TxResults[0].Codespace = "y" },
		"gas used":           func(r *abci.ResponseFinalizeBlock) { r.TxResults[0].GasUsed++ },
		"gas wanted":         func(r *abci.ResponseFinalizeBlock) { r.TxResults[0].GasWanted++ },
		"data":               func(r *abci.ResponseFinalizeBlock) { r.TxResults[0].Data = nil },
		"number of results":  func(r *abci.ResponseFinalizeBlock) { r.TxResults = nil },
		"transaction events": func(r *abci.ResponseFinalizeBlock) { r.TxResults[0].Events[0].Attributes[0].Value = "w" },
		"block events":       func(r *abci.ResponseFinalizeBlock) { r.Events[0].Type = "b" },
		"number of events":   func(r *abci.ResponseFinalizeBlock) { r.Events = nil },
		"validators":         func(r *abci.ResponseFinalizeBlock) { r.ValidatorUpdates[0].Power++ },
		"parameters":         func(r *abci.ResponseFinalizeBlock) { r.ConsensusParamUpdates.Block.MaxGas++ },
	} {
		t.Run(name, func(t *testing.T) {
			other := results()
			change(other)
			require.Panics(t, func() { same("node", results(), other, false) })
		})
	}
}

func TestWhateverDiffersBetweenExportsIsFound(t *testing.T) {
	type state map[string]any
	a := state{"x": []any{state{"n": "1"}, "two"}, "unbonding_id": 5}
	require.Empty(t, difference(a, state{"x": []any{state{"n": "1"}, "two"}, "unbonding_id": 6}))
	for want, b := range map[string]state{
		"/x/0/n: 1, then 2":        {"x": []any{state{"n": "2"}, "two"}},
		"/x: 2 entries, then 1":    {"x": []any{state{"n": "1"}}},
		"/y: nothing, then 0":      {"x": []any{state{"n": "1"}, "two"}, "y": 0},
		"/x: [map[n:1] two], then": {"x": "text"},
		"/x/1: two, then <nil>":    {"x": []any{state{"n": "1"}, nil}},
	} {
		require.Contains(t, difference(a, b), want)
	}
}
