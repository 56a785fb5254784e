package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/types"
)

// The attack: the new coldkey of a thief's own swap gives back what has moved, as
// fast as it moves, so that the swap never ends.
func TestSection4ASwapThatNeverEndsDoesNotKeepOthersWaiting(t *testing.T) {
	e := swapEnv(t)
	e.manyStakes("bob", 250)
	e.announce("bob", "accomplice")
	e.announce("alice", "new")
	e.wait(60)
	for range 5 {
		e.wait(1)
		for i := range 250 {
			hot := fmt.Sprint("bobs", i)
			if held := e.staked("accomplice", hot, 1); held > 0 {
				_, err := e.msgs.TransferStake(e.ctx, &types.MsgTransferStake{
					Coldkey: str("accomplice"), Hotkey: str(hot), Netuid: 1, Alpha: held, ToColdkey: str("bob"),
				})
				require.NoError(t, err)
			}
		}
	}
	require.True(t, e.swap("bob").Swap.Executing)
	e.requireSwapped("alice", "new")
	e.wait(1)
	e.wait(1)
	require.Nil(t, e.swap("bob").Swap, "with nothing more coming in it ends as well")
}

// The attack: announcements cost next to nothing, and where blocks are quicker
// than planned there is a time in which they are due in blocks alone.
func TestSection4TheRecoveryKeysWordDoesNotWaitForSwapsWhoseTimeIsStillToCome(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("alice", "safe")
	e.wait(60)
	for i := range 250 {
		e.announce(fmt.Sprint("sybil", i), fmt.Sprint("next", i))
	}
	e.pass(61, time.Second)
	e.decide("safe", "alice", "new")
	e.endBlock()
	e.pass(1, 0)
	e.endBlock()
	e.requireSwapped("alice", "new")
	due := e.swap("sybil0").Swap
	require.Greater(t, due.DueHeight, e.ctx.BlockHeight())
	for e.ctx.BlockTime().Unix() < due.DueTime { // as slow as planned from here on
		require.NotNil(t, e.swap("sybil0").Swap)
		e.wait(1)
	}
	e.wait(2)
	require.Nil(t, e.swap("sybil0").Swap, "they are late by a block or two")
}

// A transaction's messages run after the ante handler has looked: announce, then
// bind the new coldkey as the old one's hotkey, and the swap made it its own.
func TestSection4AnAnnouncementsTransactionBindsNoHotkey(t *testing.T) {
	e := swapEnv(t)
	e.announce("alice", "new")
	refuse(t, e, e.msgs.BindHotkey, &types.MsgBindHotkey{Coldkey: str("alice"), Hotkey: str("new")}, types.ErrColdkeyLocked)
	e.wait(60)
	e.requireSwapped("alice", "new")
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
}

func TestSection7WhatFailsAtABlocksEndStopsNeitherTheChainNorOthers(t *testing.T) {
	e := swapEnv(t)
	e.announce("alice", "new")
	e.pass(60, 3*time.Minute)
	bad := types.ColdkeySwap{Coldkey: str("broken"), NewColdkey: "nobody", DueHeight: 1}
	require.NoError(t, e.k.ForceColdkeySwap(e.ctx, addr("broken"), bad, true))
	require.NoError(t, e.k.EndBlocker(e.ctx))
	require.Equal(t, str("new"), e.owner("miner"))
	require.Nil(t, e.swap("alice").Swap)
	require.Equal(t, e.ctx.BlockHeight()+100, e.swap("broken").Swap.DueHeight)

	// Nor does a step that can't even begin.
	require.NoError(t, e.k.ForceColdkeySwap(e.ctx, addr("other"), types.ColdkeySwap{Coldkey: "nobody", DueHeight: 1}, true))
	require.NoError(t, e.k.ForceRetired(e.ctx, types.RetiredPool{SubnetId: 9, Pot: 1})) // of coins that nobody has
	require.NoError(t, e.k.EndBlocker(e.ctx))
}

// Ending no loan costs no fee, and would keep others' changes waiting.
func TestSection5NobodyEndsALoanThatIsNot(t *testing.T) {
	e := swapEnv(t)
	none := &types.MsgSetChildren{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1}
	refuse(t, e, e.msgs.SetChildren, none, types.ErrChildren, "lends nothing in subnet 1")
	_, err := send(e, e.msgs.SetChildren, &types.MsgSetChildren{
		Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Children: []types.Child{{Hotkey: str("validator"), Proportion: 1}},
	})
	require.NoError(t, err)
	_, err = send(e, e.msgs.SetChildren, none) // takes back one that waits
	require.NoError(t, err)
	e.wait(20)
	refuse(t, e, e.msgs.SetChildren, none, types.ErrChildren)
}

// Blocks carry out so much of swaps: throwaway coldkeys must not hold up the others for
// next to nothing.
func TestSection4AnAnnouncementCostsAFeeThatIsRecycled(t *testing.T) {
	e := swapEnv(t)
	supply := func() uint64 { return e.bank.GetSupply(e.ctx, types.Denom).Amount.Uint64() }
	_, err := send(e, e.msgs.AnnounceColdkeySwap, &types.MsgAnnounceColdkeySwap{Coldkey: str("sybil"), NewColdkey: str("next")})
	require.ErrorContains(t, err, "insufficient funds")
	require.Nil(t, e.swap("sybil").Swap)

	has, issued := e.rao("alice"), supply()
	_, err = send(e, e.msgs.AnnounceColdkeySwap, &types.MsgAnnounceColdkeySwap{Coldkey: str("alice"), NewColdkey: str("new")})
	require.NoError(t, err)
	require.Equal(t, []uint64{has - swapFee, issued - swapFee}, []uint64{e.rao("alice"), supply()})
}
