package keeper_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestSection3ASweepDeletesSoManyKeysAndNoMore(t *testing.T) {
	e := newEnv(t)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 100*whole) })
	for i := range 100 {
		hot := fmt.Sprint("hot", i)
		_, err := e.msgs.BindHotkey(e.ctx, &types.MsgBindHotkey{Coldkey: str("alice"), Hotkey: str(hot)})
		require.NoError(t, err)
		require.NoError(t, e.k.StakePending(e.ctx, 1, addr(hot), addr("alice"), whole, types.ReasonIncentive))
	}
	for _, child := range []string{"validator", "hot1", "hot2"} { // one in force, one that waits
		_, err := send(e, e.msgs.SetChildren, &types.MsgSetChildren{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1,
			Children: []types.Child{{Hotkey: str(child), Proportion: 1_000}, {Hotkey: str("hot3"), Proportion: 1_000}}})
		require.NoError(t, err)
		p, err := e.k.Params(e.ctx)
		require.NoError(t, err)
		if child == "validator" {
			e.pass(p.ChildrenCooldown, 0)
			e.ctx = e.ctx.WithBlockTime(e.ctx.BlockTime().AddDate(0, 0, 2))
			require.Equal(t, 1, count[*types.EventChildrenSet](e.endBlock()))
		}
	}
	_, err := send(e, e.msgs.SetChildkeyTake, &types.MsgSetChildkeyTake{Coldkey: str("bob"), Hotkey: str("validator"), Netuid: 1, Take: 5})
	require.NoError(t, err)
	e.stake("bob", "validator", 2, whole)

	_, _, err = e.k.Sweep(e.ctx, 1, 10)
	require.ErrorIs(t, err, types.ErrInvalidRequest)
	require.ErrorContains(t, err, "live")
	e.retire(1)
	step := func(most int) (swept int, done bool) {
		e.ok(func(ctx context.Context) (err error) { swept, done, err = e.k.Sweep(ctx, 1, most); return err })
		require.LessOrEqual(t, swept, most)
		return swept, done
	}
	// Before the holders are paid: a record of children with 2 entries, one that
	// waits with 3, a take. The stake pools stay.
	swept, done := step(5)
	require.Equal(t, 3, swept)
	require.False(t, done)
	for range 5 {
		n, done := step(5)
		require.False(t, done)
		swept += n
	}
	require.Equal(t, 3+4+1, swept)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Children)
	require.Empty(t, g.PendingChildren)
	require.Empty(t, g.ChildkeyTakes)
	require.Len(t, g.StakePools, 101)

	e.endBlock() // pays the 100
	require.True(t, e.retired(1).Settled)
	swept, blocks := 0, 0
	for done := false; !done; blocks++ {
		var n int
		n, done = step(30)
		swept += n
	}
	require.Equal(t, 101, swept, "100 stake pools and the record of the pot")
	require.Equal(t, 4, blocks)
	swept, done = step(30)
	require.Zero(t, swept)
	require.True(t, done, "what is swept is swept")

	g, err = e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Retired)
	require.Len(t, g.StakePools, 1, "subnet 2's stays")
}

func TestSection3ASweepGoesOnWithASmallerLimitThanARecordHasKeys(t *testing.T) {
	e := newEnv(t)
	_, err := send(e, e.msgs.SetChildren, &types.MsgSetChildren{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1,
		Children: []types.Child{{Hotkey: str("validator"), Proportion: 1_000}}})
	require.NoError(t, err)
	e.retire(1)
	swept, done, err := e.k.Sweep(e.ctx, 1, 1)
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, 3, swept, "a record goes with its index entries")
	swept, done, err = e.k.Sweep(e.ctx, 1, 1)
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, 1, swept)
	swept, done, err = e.k.Sweep(e.ctx, 2, 0)
	require.ErrorIs(t, err, types.ErrInvalidRequest)
	require.False(t, done)
	require.Zero(t, swept)
}
