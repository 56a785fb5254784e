package keeper_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/alpha/types"
)

// manyStakes stakes a coldkey on so many hotkeys of bob's, in subnet 1, each a whole alpha.
func (e *env) manyStakes(coldkey string, n int) {
	require.NoError(e.t, e.k.MintPending(e.ctx, 1, uint64(n)*whole))
	for i := range n {
		hot := fmt.Sprint("bobs", i)
		_, err := e.msgs.BindHotkey(e.ctx, &types.MsgBindHotkey{Coldkey: str("bob"), Hotkey: str(hot)})
		require.NoError(e.t, err)
		require.NoError(e.t, e.k.StakePending(e.ctx, 1, addr(hot), addr(coldkey), whole, types.ReasonIncentive))
	}
	e.commit()
}

func TestSection4ASwapJoinsStakesThatTheNewColdkeyHas(t *testing.T) {
	e := swapEnv(t)
	e.mint("new", 100*whole)
	e.stake("new", "miner", 1, 7*whole)
	e.stake("new", "validator", 1, 7*whole)
	e.ok(func(ctx context.Context) error { return e.k.LockStake(ctx, 1, addr("miner"), addr("alice"), 4*whole) })
	e.ok(func(ctx context.Context) error { return e.k.LockStake(ctx, 1, addr("miner"), addr("new"), whole) })
	hers, theirs, rao := e.staked("alice", "miner", 1), e.staked("new", "miner", 1), e.rao("alice")+e.rao("new")
	untouched := e.staked("new", "validator", 1)
	e.announce("alice", "new")
	e.wait(60)
	e.requireSwapped("alice", "new")
	require.InDelta(t, hers+theirs, e.staked("new", "miner", 1), 1, "the joined shares' value rounds once")
	require.Equal(t, untouched, e.staked("new", "validator", 1))
	require.Equal(t, rao, e.rao("new"))
	locked, err := e.k.Locked(e.ctx, 1, addr("miner"), addr("new"))
	require.NoError(t, err)
	require.Equal(t, uint64(5*whole), locked)
	refuse(t, e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("new"), Hotkey: str("miner"), Netuid: 1, Alpha: e.staked("new", "miner", 1), LimitPrice: cheap},
		types.ErrLocked)
}

func TestSection4ASwapMovesClaimsOnRemovedSubnets(t *testing.T) {
	e := swapEnv(t)
	e.ok(func(ctx context.Context) error { return e.k.LockStake(ctx, 1, addr("miner"), addr("alice"), 4*whole) })
	e.stake("bob", "miner", 1, whole)
	owed := e.owed(1)[str("alice")]
	e.setRecovery("alice", "safe")
	e.wait(60)
	e.retire(1)
	e.decide("safe", "alice", "new")
	// In a block the holders are paid first; here the swap is.
	e.ok(e.k.MoveColdkeys)
	require.Empty(t, e.claims("alice"))
	before := e.rao("new")
	e.endBlock()
	require.Equal(t, before+owed, e.rao("new"))
	require.Equal(t, str("new"), e.owner("miner"))
}

func TestSection4AThousandStakesMoveOverSeveralBlocksInWhichDividendsFlow(t *testing.T) {
	const stakes = 1_000
	e := swapEnv(t)
	e.manyStakes("alice", stakes)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 1_000*whole) })
	sum := func() (total uint64) {
		for i := range stakes {
			hot := fmt.Sprint("bobs", i)
			total += e.staked("alice", hot, 1) + e.staked("new", hot, 1)
		}
		return total + e.staked("alice", "miner", 1) + e.staked("new", "miner", 1)
	}
	before, paid := sum(), uint64(0)
	e.announce("alice", "new")
	e.pass(60, 1_000_000_000_000)
	blocks, moved := 0, 0
	for ; e.swap("alice").Swap != nil; blocks++ {
		require.ErrorIs(t, e.k.Unlocked(e.ctx, addr("alice")), types.ErrColdkeyLocked)
		// An epoch: dividends to all nominators of a hotkey, and alice's hotkey earns.
		for i := range 20 {
			require.NoError(t, e.k.RewardPending(e.ctx, 1, addr(fmt.Sprint("bobs", i*50)), whole))
			paid += whole
		}
		e.ok(func(ctx context.Context) error {
			coldkey, err := e.k.Coldkey(ctx, addr("miner"))
			require.NoError(t, err)
			return e.k.StakePending(ctx, 1, addr("miner"), coldkey, whole, types.ReasonIncentive)
		})
		paid += whole
		n := count[*types.EventStakeMoved](e.endBlock())
		require.LessOrEqual(t, n, 200)
		moved += n
		e.commit()
		e.pass(1, 3_000_000_000)

		// A chain that begins with an export in the middle goes on alike.
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		if blocks == 2 {
			require.True(t, g.ColdkeySwaps[0].Executing)
			e = e.imported(g)
		}
	}
	require.Equal(t, 6, blocks, "1,002 stakes and a hotkey, with what each block looks at, do not fit into 5")
	require.Equal(t, stakes+2, moved-e.again("alice"))
	require.InDelta(t, before+paid, sum(), stakes, "each stake's value rounds down once")
	require.Zero(t, e.rao("alice"))
	require.Equal(t, str("new"), e.owner("miner"))
	positions, err := e.query.Stakes(e.ctx, &types.QueryStakesRequest{Coldkey: str("alice")})
	require.NoError(t, err)
	require.Empty(t, positions.Stakes)
}

// again counts stakes that moved a second time, since more came to the old coldkey.
func (e *env) again(coldkey string) (n int) {
	seen := map[string]bool{}
	for _, m := range told(e.t, e.ctx.EventManager().Events()) {
		if s, ok := m.(*types.EventStakeMoved); ok && s.Coldkey == str(coldkey) {
			at := fmt.Sprint(s.SubnetId, s.Hotkey)
			if seen[at] {
				n++
			}
			seen[at] = true
		}
	}
	return n
}

// imported is a chain that begins with an export of this one, at its block and with
// its coins.
func (e *env) imported(g *types.GenesisState) *env {
	raw, err := e.cdc.MarshalJSON(g)
	require.NoError(e.t, err)
	var read types.GenesisState
	require.NoError(e.t, e.cdc.UnmarshalJSON(raw, &read))
	require.NoError(e.t, read.Validate())
	next := bareEnv(e.t)
	next.ctx = next.ctx.WithBlockHeight(e.ctx.BlockHeight()).WithBlockTime(e.ctx.BlockTime()).WithEventManager(e.ctx.EventManager())
	coins := e.bank.ExportGenesis(e.ctx)
	next.bank.InitGenesis(next.ctx, coins)
	require.NoError(e.t, next.k.InitGenesis(next.ctx, read))
	next.commit()
	again, err := next.k.ExportGenesis(next.ctx)
	require.NoError(e.t, err)
	require.Equal(e.t, g, again)
	return next
}

// Collateral is looked up by a hotkey's coldkey, also while a swap executes.
func TestSection4LocksAndTheirHotkeysNeverHaveDifferentColdkeys(t *testing.T) {
	e := swapEnv(t)
	e.manyStakes("alice", 250)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 500*whole) })
	for i := range 60 { // own hotkeys, every other one with collateral
		hot := fmt.Sprint("hers", i)
		_, err := e.msgs.BindHotkey(e.ctx, &types.MsgBindHotkey{Coldkey: str("alice"), Hotkey: str(hot)})
		require.NoError(t, err)
		require.NoError(t, e.k.StakePending(e.ctx, 1, addr(hot), addr("alice"), 2*whole, types.ReasonIncentive))
		if i%2 == 0 {
			require.NoError(t, e.k.LockStake(e.ctx, 1, addr(hot), addr("alice"), whole))
		}
	}
	require.NoError(t, e.k.StakePending(e.ctx, 1, addr("hers0"), addr("bob"), whole, types.ReasonIncentive))
	_, err := send(e, e.msgs.Stake, &types.MsgStake{Coldkey: str("alice"), Hotkey: str("hers0"), Netuid: 2, Tao: whole, LimitPrice: dear})
	require.NoError(t, err)
	require.NoError(t, e.k.LockStake(e.ctx, 2, addr("hers0"), addr("alice"), whole/2))
	e.announce("alice", "new")
	e.pass(60, 1_000_000_000_000)
	blocks := 0
	for ; e.swap("alice").Swap != nil; blocks++ {
		events := e.endBlock()
		require.LessOrEqual(t, count[*types.EventStakeMoved](events)+count[*types.EventHotkeyBound](events), 200)
		e.pass(1, 3_000_000_000)
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		require.Len(t, g.Locks, 31)
		for _, l := range g.Locks {
			require.Equal(t, accAddress(t, l.Coldkey).String(), e.ownerOf(l.Hotkey))
		}
		e.requireReplay()
	}
	require.Equal(t, 2, blocks)
	require.Equal(t, str("new"), e.owner("hers0"))
	require.Equal(t, str("new"), e.owner("hers59"))
}

func TestSection4ASwapBindsManyHotkeysOverSeveralBlocks(t *testing.T) {
	e := swapEnv(t)
	for i := range 500 {
		_, err := e.msgs.BindHotkey(e.ctx, &types.MsgBindHotkey{Coldkey: str("alice"), Hotkey: str(fmt.Sprint("hers", i))})
		require.NoError(t, err)
	}
	e.announce("alice", "new")
	e.pass(60, 1_000_000_000_000)
	rao := e.rao("alice")
	for e.swap("alice").Swap != nil {
		require.Equal(t, rao, e.rao("alice"), "the balance comes last")
		require.LessOrEqual(t, count[*types.EventHotkeyBound](e.endBlock()), 200)
		e.pass(1, 3_000_000_000)
	}
	require.Equal(t, str("new"), e.owner("hers499"))
	e.requireSwapped("alice", "new")
}

func TestEventsRebuildRemovalsAndColdkeySwapsWhateverHappens(t *testing.T) {
	done := tally{}
	names := []string{"alice", "alice", "bob", "carol", "dave", "erin"}
	rapid.Check(t, func(t *rapid.T) {
		e := settled(t)
		_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: types.LocalParams()})
		require.NoError(t, err)
		e.setRecovery("alice", "safe")
		e.wait(60)
		for range rapid.IntRange(10, 30).Draw(t, "steps") {
			from, to := rapid.SampledFrom(names).Draw(t, "from"), rapid.SampledFrom(names).Draw(t, "to")
			var err error
			what := rapid.SampledFrom([]string{"message", "announce", "dispute", "recovery", "decide", "cancel", "wait", "wait", "retire", "claim", "claim", "sweep"}).Draw(t, "what")
			switch what {
			case "message":
				e.anyMessage(t, done)
			case "announce":
				e.mint(from, swapFee)
				_, err = send(e, e.msgs.AnnounceColdkeySwap, &types.MsgAnnounceColdkeySwap{Coldkey: str(from), NewColdkey: str(to)})
			case "dispute":
				_, err = send(e, e.msgs.DisputeColdkeySwap, &types.MsgDisputeColdkeySwap{Coldkey: str(from)})
			case "recovery":
				_, err = send(e, e.msgs.SetRecoveryKey, &types.MsgSetRecoveryKey{Coldkey: str(from), Recovery: str("safe")})
			case "decide":
				_, err = send(e, e.msgs.DecideColdkeySwap, decision("safe", from, to))
			case "cancel":
				_, err = send(e, e.msgs.DecideColdkeySwap, decision("safe", from, ""))
			case "wait":
				e.wait(rapid.Int64Range(1, 70).Draw(t, "blocks"))
			case "retire":
				err = e.do(func(ctx context.Context) error { return e.k.RetirePool(ctx, rapid.Uint64Range(1, 3).Draw(t, "subnet")) })
			case "claim":
				id := rapid.Uint64Range(1, 3).Draw(t, "subnet")
				if owed := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return len(e.claims(n)) == 0 }); len(owed) > 0 && rapid.IntRange(0, 3).Draw(t, "at random") < 3 {
					from = rapid.SampledFrom(owed).Draw(t, "owed")
					id = rapid.SampledFrom(e.claims(from)).Draw(t, "claim").SubnetId
				}
				_, err = e.claim(to, from, id)
			case "sweep":
				err = e.do(func(ctx context.Context) error {
					_, _, err := e.k.Sweep(ctx, rapid.Uint64Range(1, 3).Draw(t, "subnet"), 2)
					return err
				})
			}
			done.count(what, err)
		}
		e.requireReplay()
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		e.imported(g)
	})
	done.requireAll(t, "announce", "dispute", "recovery", "decide", "cancel", "retire", "claim", "sweep")
}
