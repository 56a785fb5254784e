package keeper_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/types"
)

func (e *env) pass(blocks int64, d time.Duration) {
	e.ctx = e.ctx.WithBlockHeight(e.ctx.BlockHeight() + blocks).WithBlockTime(e.ctx.BlockTime().Add(d))
}

func (e *env) setTake(take uint32) error {
	_, err := send(e, e.msgs.SetTake, &types.MsgSetTake{Coldkey: str("alice"), Hotkey: str("miner"), Take: take})
	return err
}

func TestATakeIsLoweredFreelyAndRaisedOnceInThirtyDays(t *testing.T) {
	e := newEnv(t)
	const days, blocks = 30 * 24 * time.Hour, 864_000
	require.NoError(t, e.setTake(100_000))
	require.NoError(t, e.setTake(0))
	require.NoError(t, e.setTake(1), "the first raise is free")
	for name, wait := range map[string]func(){
		"at once":               func() {},
		"after the blocks":      func() { e.pass(blocks, days-time.Second) },
		"after the time":        func() { e.pass(blocks-1, days) },
		"a block and second on": func() { e.pass(1, time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			now := e.ctx
			defer func() { e.ctx = now }()
			wait()
			refuse(t, e, e.msgs.SetTake, &types.MsgSetTake{Coldkey: str("alice"), Hotkey: str("miner"), Take: 2},
				types.ErrTooSoon, "block 10", "864010", "2023-12-14T22:13:20Z", "lowering is free")
		})
	}
	require.NoError(t, e.setTake(0), "lowering is free in between")
	require.NoError(t, e.setTake(0), "what it is already changes nothing")
	e.pass(blocks, days)
	require.NoError(t, e.setTake(180_000))
	h, err := e.k.Hotkey(e.ctx, addr("miner"))
	require.NoError(t, err)
	require.Equal(t, uint32(180_000), h.Take)
	require.Equal(t, e.ctx.BlockHeight(), h.TakeRaisedHeight)
}

func TestABadTakeIsRefused(t *testing.T) {
	e := newEnv(t)
	refuse(t, e, e.msgs.SetTake, &types.MsgSetTake{Coldkey: str("alice"), Hotkey: str("miner"), Take: 180_001}, types.ErrTake, "180001", "180000")
	refuse(t, e, e.msgs.SetTake, &types.MsgSetTake{Coldkey: str("bob"), Hotkey: str("miner"), Take: 0}, types.ErrNotOwner, str("alice"))
	refuse(t, e, e.msgs.SetTake, &types.MsgSetTake{Coldkey: str("miner"), Hotkey: str("miner"), Take: 0}, types.ErrNotOwner)
	refuse(t, e, e.msgs.SetTake, &types.MsgSetTake{Coldkey: str("alice"), Hotkey: str("nobody"), Take: 0}, types.ErrNotBound)
}

func TestALoweredMaximumHoldsForTakesAboveIt(t *testing.T) {
	e := newEnv(t)
	p := types.DefaultParams()
	p.MaxTake, p.DefaultTake = 50_000, 50_000
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	h, err := e.k.Hotkey(e.ctx, addr("miner"))
	require.NoError(t, err)
	require.Equal(t, uint32(50_000), h.Take)
}
