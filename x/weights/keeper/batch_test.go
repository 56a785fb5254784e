package keeper_test

import (
	"testing"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	"github.com/stretchr/testify/require"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/keeper"
	"github.com/lodenet/lode/x/weights/types"
)

// three is three subnets with the same validators: plain rows in 1 and 11,
// commits in 21. Block 13, where it stands, follows each one's first epoch.
func three(t *testing.T) *env {
	e := newEnv(t)
	e.stake(1_000, 2_000)
	e.add(1, 5)
	e.add(11, 5)
	e.add(21, 5, func(h *subnetstypes.Hyperparameters) { h.CommitReveal = true })
	e.to(firstDue + 1)
	return e
}

func rowFor(netuid uint32, pairs ...uint32) types.SubnetWeights {
	w := types.SubnetWeights{Netuid: netuid}
	for i := 0; i < len(pairs); i += 2 {
		w.Uids, w.Values = append(w.Uids, pairs[i]), append(w.Values, pairs[i+1])
	}
	return w
}

func (e *env) rowIn(netuid, uid uint32) bool {
	e.t.Helper()
	_, ok, err := e.k.Row(e.ctx, firstID-1+uint64(netuid), uid)
	require.NoError(e.t, err)
	return ok
}

func TestSection8ABatchSetsRowsInSeveralSubnets(t *testing.T) {
	e := three(t)
	r, err := send(e, e.msgs.BatchSetWeights, &types.MsgBatchSetWeights{
		Hotkey: hotkey(1), Weights: []types.SubnetWeights{rowFor(11, 2, 1), rowFor(1, 3, 1, 4, 2)},
	})
	require.NoError(t, err)
	require.Equal(t, []types.BatchResult{{Netuid: 11}, {Netuid: 1}}, r.Results)
	require.True(t, e.rowIn(1, 1))
	require.True(t, e.rowIn(11, 1))
	require.Len(t, e.events("EventWeightsSet"), 2)
	require.ErrorIs(t, e.setWeights(1, []uint32{2}, []uint32{1}), types.ErrTooSoon, "it uses the limit of a single message")
}

func TestSection8AnItemOfABatchFailsAlone(t *testing.T) {
	e := three(t)
	m := &types.MsgBatchSetWeights{Hotkey: hotkey(1), Weights: []types.SubnetWeights{
		rowFor(1, 9, 1), rowFor(7, 2, 1), rowFor(11, 2, 1), rowFor(21, 2, 1), rowFor(65_537, 2, 1), {Netuid: 3},
	}}
	r, err := send(e, e.msgs.BatchSetWeights, m)
	require.NoError(t, err)
	require.Len(t, r.Results, 6)
	failed := e.events("EventBatchItemFailed")
	require.Len(t, failed, 5)
	for i, want := range []struct{ code, says string }{
		{"weights/4", "uid 9: subnet 1 has uids 0 to 4"}, {"subnets/2", "netuid 7"}, {}, {"weights/6", "subnet 21 has it on: use CommitWeights"},
		{"subnets/2", "netuid 65537"}, {"weights/4", "the row is empty"},
	} {
		require.Equal(t, types.BatchResult{Netuid: m.Weights[i].Netuid, Error: want.code}, r.Results[i],
			"words in a result would be consensus: it is hashed into the next header")
		if want.code != "" {
			require.Contains(t, failed[0], want.says)
			failed = failed[1:]
		}
	}
	require.True(t, e.rowIn(11, 1), "the good one was done")
	require.False(t, e.rowIn(1, 1))
	require.Len(t, e.events("EventWeightsSet"), 1)
	require.NoError(t, e.setWeights(1, []uint32{2}, []uint32{1}), "an item that fails leaves nothing, not even a used limit")
}

func TestSection8ABatchCommitsInSeveralSubnets(t *testing.T) {
	e := three(t)
	e.add(31, 5, func(h *subnetstypes.Hyperparameters) { h.CommitReveal, h.RevealPeriod = true, 2 })
	e.to(25) // past the first epoch of subnet 31, due in block 24
	m := &types.MsgBatchCommitWeights{Hotkey: hotkey(1), Commits: []types.SubnetCommit{
		{Netuid: 21, Hash: someRow.hash(chainID, 21)}, {Netuid: 1, Hash: someRow.hash(chainID, 1)},
		{Netuid: 31, Hash: someRow.hash(chainID, 31)}, {Netuid: 11, Hash: []byte("short")},
	}}
	r, err := send(e, e.msgs.BatchCommitWeights, m)
	require.NoError(t, err)
	require.Equal(t, types.BatchResult{Netuid: 21, Epoch: 3, RevealEpoch: 4}, r.Results[0])
	require.Equal(t, "weights/6", r.Results[1].Error)
	failed := e.events("EventBatchItemFailed")
	require.Contains(t, failed[0], "subnet 1 has it off: use SetWeights")
	require.Equal(t, types.BatchResult{Netuid: 31, Epoch: 2, RevealEpoch: 4}, r.Results[2])
	require.Equal(t, "weights/8", r.Results[3].Error)
	require.Contains(t, failed[1], "the hash has 5 bytes, must have 32")
	require.Len(t, e.events("EventWeightsCommitted"), 2)
	require.Len(t, e.events("EventBatchItemFailed"), 2)
	e.to(33)
	reveal := someRow.reveal()
	reveal.Netuid = 21
	_, err = send(e, e.msgs.RevealWeights, reveal)
	require.NoError(t, err, "a commit of a batch is revealed like any other")
	require.True(t, e.rowIn(21, 1))
}

func TestSection8ABatchIsRefusedAsAWhole(t *testing.T) {
	e := three(t)
	many := func(n int) (rows []types.SubnetWeights, commits []types.SubnetCommit) {
		for i := range n {
			rows, commits = append(rows, rowFor(uint32(i+1), 2, 1)), append(commits, types.SubnetCommit{Netuid: uint32(i + 1), Hash: make([]byte, 32)})
		}
		return rows, commits
	}
	for n, says := range map[int]string{0: "0 items, must be 1 to 128", 129: "129 items, must be 1 to 128", 5_000: "5000 items"} {
		rows, commits := many(n)
		_, err := send(e, e.msgs.BatchSetWeights, &types.MsgBatchSetWeights{Hotkey: hotkey(1), Weights: rows})
		require.ErrorIs(t, err, types.ErrInvalidBatch)
		require.ErrorContains(t, err, says)
		_, err = send(e, e.msgs.BatchCommitWeights, &types.MsgBatchCommitWeights{Hotkey: hotkey(1), Commits: commits})
		require.ErrorIs(t, err, types.ErrInvalidBatch)
		require.ErrorContains(t, err, says)
	}
	_, err := send(e, e.msgs.BatchSetWeights, &types.MsgBatchSetWeights{
		Hotkey: hotkey(1), Weights: []types.SubnetWeights{rowFor(1, 2, 1), rowFor(11, 2, 1), rowFor(1, 3, 1)},
	})
	require.ErrorIs(t, err, types.ErrInvalidBatch)
	require.ErrorContains(t, err, "subnet 1 is in the batch twice")
	require.False(t, e.rowIn(1, 1))

	rows, commits := many(128)
	r, err := send(e, e.msgs.BatchSetWeights, &types.MsgBatchSetWeights{Hotkey: hotkey(1), Weights: rows})
	require.NoError(t, err)
	require.Len(t, r.Results, 128)
	require.True(t, e.rowIn(1, 1))
	require.True(t, e.rowIn(11, 1))
	c, err := send(e, e.msgs.BatchCommitWeights, &types.MsgBatchCommitWeights{Hotkey: hotkey(1), Commits: commits})
	require.NoError(t, err)
	require.Empty(t, c.Results[20].Error)
}

func TestSection8ABatchAlwaysPays(t *testing.T) {
	e := three(t)
	for _, m := range []interface {
		Reset()
		String() string
		ProtoMessage()
	}{&types.MsgBatchSetWeights{Hotkey: hotkey(1)}, &types.MsgBatchCommitWeights{Hotkey: hotkey(1)}} {
		require.False(t, keeper.IsLaneMsg(m))
		_, ok := types.LaneGas(m)
		require.False(t, ok)
		require.ErrorIs(t, e.k.LaneCheck(e.ctx, m), types.ErrNotLane)
	}
}

func TestSection8ABatchPaysForItemsThatFailAndEndsWithItsGas(t *testing.T) {
	e := three(t)
	m := &types.MsgBatchSetWeights{Hotkey: hotkey(1), Weights: []types.SubnetWeights{rowFor(1, 9, 1), rowFor(11, 2, 1)}}
	cost := func(m *types.MsgBatchSetWeights) uint64 {
		ctx, _ := e.ctx.CacheContext()
		ctx = ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
		_, err := e.msgs.BatchSetWeights(ctx, m)
		require.NoError(t, err)
		return ctx.GasMeter().GasConsumed()
	}
	both, one := cost(m), cost(&types.MsgBatchSetWeights{Hotkey: hotkey(1), Weights: m.Weights[1:]})
	require.Greater(t, both, one+5_000, "who makes items fail pays for the words that every node keeps")
	ctx, _ := e.ctx.CacheContext()
	require.Panics(t, func() {
		_, _ = e.msgs.BatchSetWeights(ctx.WithGasMeter(storetypes.NewGasMeter(one)), m)
	}, "out of gas is no item's failure: the transaction fails")
}

func TestSection8WhatABatchTellsOfAFailureIsBounded(t *testing.T) {
	e := newEnv(t)
	for netuid := range uint32(128) {
		e.add(800+netuid, 2)
	}
	r, err := send(e, e.msgs.BatchSetWeights, &types.MsgBatchSetWeights{Hotkey: hotkey(1), Weights: []types.SubnetWeights{rowFor(7, 2, 1)}})
	require.NoError(t, err)
	require.Len(t, r.Results, 1)
	told := e.events("EventBatchItemFailed")[0]
	require.Contains(t, told, "netuid 7: the subnets are 800, 801")
	require.Contains(t, told, "…")
	require.Less(t, len(told), 1_000, "it would name all 128")
}
