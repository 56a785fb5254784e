package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/alpha/types"
)

func (e *env) lock(coldkey, hotkey string, id, alpha uint64) error {
	return e.do(func(ctx context.Context) error { return e.k.LockStake(ctx, id, addr(hotkey), addr(coldkey), alpha) })
}

func (e *env) unlock(coldkey, hotkey string, id, alpha uint64) error {
	return e.do(func(ctx context.Context) error { return e.k.UnlockStake(ctx, id, addr(hotkey), addr(coldkey), alpha) })
}

func (e *env) slash(coldkey, hotkey string, id, alpha uint64) error {
	return e.do(func(ctx context.Context) error { return e.k.SlashStake(ctx, id, addr(hotkey), addr(coldkey), alpha) })
}

func (e *env) locked(coldkey, hotkey string, id uint64) uint64 {
	v, err := e.k.Locked(e.ctx, id, addr(hotkey), addr(coldkey))
	require.NoError(e.t, err)
	return v
}

// collateral is alice's stake on her miner with 4 of its alpha locked, beside
// bob's, and a reward since so that shares are no round number.
func collateral(t require.TestingT) *env {
	e := newEnv(t)
	e.bind("alice", "second")
	e.stake("bob", "miner", 1, 7*whole)
	e.stake("alice", "miner", 1, 10*whole)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 3*whole) })
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), 2*whole+7) })
	require.NoError(t, e.lock("alice", "miner", 1, 4*whole))
	return e
}

// waysOut are all messages by which alpha leaves a stake.
var waysOut = []struct {
	name string
	send func(e *env, alpha uint64) error
}{
	{"unstake", func(e *env, alpha uint64) error {
		_, err := send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: alpha, LimitPrice: cheap})
		return err
	}},
	{"unstake in part", func(e *env, alpha uint64) error {
		_, err := send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: alpha, LimitPrice: cheap, AllowPartial: true})
		return err
	}},
	{"move", func(e *env, alpha uint64) error {
		_, err := send(e, e.msgs.MoveStake, &types.MsgMoveStake{Coldkey: str("alice"), FromHotkey: str("miner"), ToHotkey: str("second"), Netuid: 1, Alpha: alpha})
		return err
	}},
	{"swap", func(e *env, alpha uint64) error {
		_, err := send(e, e.msgs.SwapStake, &types.MsgSwapStake{Coldkey: str("alice"), FromHotkey: str("miner"), FromNetuid: 1, ToHotkey: str("miner"), ToNetuid: 2,
			Alpha: alpha, SellLimitPrice: cheap, BuyLimitPrice: dear})
		return err
	}},
	{"transfer", func(e *env, alpha uint64) error {
		_, err := send(e, e.msgs.TransferStake, &types.MsgTransferStake{Coldkey: str("alice"), ToColdkey: str("carol"), Hotkey: str("miner"), Netuid: 1, Alpha: alpha})
		return err
	}},
	{"burn", func(e *env, alpha uint64) error {
		_, err := send(e, e.msgs.BurnAlpha, &types.MsgBurnAlpha{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: alpha})
		return err
	}},
	{"recycle", func(e *env, alpha uint64) error {
		_, err := send(e, e.msgs.RecycleAlpha, &types.MsgRecycleAlpha{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: alpha})
		return err
	}},
}

func TestSection4CollateralStaysWhateverTheWayOut(t *testing.T) {
	for _, way := range waysOut {
		t.Run(way.name, func(t *testing.T) {
			e := collateral(t)
			worth := e.staked("alice", "miner", 1)
			err := way.send(e, worth)
			require.ErrorIs(t, err, types.ErrLocked)
			require.ErrorContains(t, err, "4000000000 are locked as collateral")
			require.ErrorIs(t, way.send(e, worth-4*whole+1), types.ErrLocked, "a unit more than what is free")
			require.ErrorIs(t, way.send(e, worth+1), types.ErrNoStake)
			require.Equal(t, worth, e.staked("alice", "miner", 1))

			require.NoError(t, way.send(e, worth-4*whole-1))
			require.GreaterOrEqual(t, e.staked("alice", "miner", 1), uint64(4*whole))
			require.LessOrEqual(t, e.staked("alice", "miner", 1), uint64(4*whole)+1)
			require.NoError(t, e.unlock("alice", "miner", 1, 4*whole))
			if way.name != "swap" { // where even all of a stake must be worth the least
				require.NoError(t, way.send(e, e.staked("alice", "miner", 1)))
				require.Zero(t, e.staked("alice", "miner", 1))
			}
		})
	}
}

func TestSection4UnstakeAllTakesWhatIsNotCollateral(t *testing.T) {
	e := collateral(t)
	before := e.rao("alice")
	out, err := send(e, e.msgs.UnstakeAll, &types.MsgUnstakeAll{Coldkey: str("alice"), Hotkey: str("miner"), Subnets: []types.SubnetLimit{{Netuid: 1, LimitPrice: cheap}}})
	require.NoError(t, err)
	require.Equal(t, before+out.TaoReceived, e.rao("alice"))
	left := e.staked("alice", "miner", 1)
	require.GreaterOrEqual(t, left, uint64(4*whole))
	require.LessOrEqual(t, left, uint64(4*whole)+1)
	refuse(t, e, e.msgs.UnstakeAll, &types.MsgUnstakeAll{Coldkey: str("alice"), Hotkey: str("miner"), Subnets: []types.SubnetLimit{{Netuid: 1, LimitPrice: cheap}}},
		types.ErrLocked, "can leave")
}

func TestSection4ALockIsNeverMoreThanItsStake(t *testing.T) {
	e := collateral(t)
	worth := e.staked("alice", "miner", 1)
	for _, c := range []struct {
		name string
		err  error
		want error
		word string
	}{
		{"more than is left", e.lock("alice", "miner", 1, worth-4*whole+1), types.ErrLocked, "of which 4000000000 are locked already"},
		{"sums that wrap around", e.lock("alice", "miner", 1, dear), types.ErrLocked, "to lock"},
		{"of no stake", e.lock("carol", "miner", 1, 1), types.ErrNoStake, "has no stake"},
		{"on no hotkey", e.lock("alice", "nobody", 1, 1), types.ErrNoStake, "has no stake"},
		{"in no subnet", e.lock("alice", "miner", 9, 1), types.ErrNoSubnet, "id 9"},
		{"unlock more than locked", e.unlock("alice", "miner", 1, 4*whole+1), types.ErrLocked, "4000000000 are locked"},
		{"unlock a stranger's", e.unlock("bob", "miner", 1, 1), types.ErrLocked, "0 are locked"},
		{"slash more than locked", e.slash("alice", "miner", 1, 4*whole+1), types.ErrLocked, "4000000000 are locked"},
		{"slash what is not locked", e.slash("bob", "miner", 1, 1), types.ErrLocked, "0 are locked"},
		{"slash in no subnet", e.slash("alice", "miner", 9, 1), types.ErrNoSubnet, "id 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.ErrorIs(t, c.err, c.want)
			require.ErrorContains(t, c.err, c.word)
		})
	}
	require.NoError(t, e.lock("alice", "miner", 1, 0))
	require.NoError(t, e.unlock("alice", "miner", 1, 0))
	require.NoError(t, e.slash("alice", "miner", 1, 0))
	require.Equal(t, uint64(4*whole), e.locked("alice", "miner", 1))
	require.NoError(t, e.lock("alice", "miner", 1, worth-4*whole))
	require.Equal(t, worth, e.locked("alice", "miner", 1))
	stakes, err := e.query.Stakes(e.ctx, &types.QueryStakesRequest{Coldkey: str("alice")})
	require.NoError(t, err)
	require.Equal(t, worth, stakes.Stakes[0].Locked)
	require.Equal(t, worth, stakes.Stakes[0].Alpha)
	require.NoError(t, e.unlock("alice", "miner", 1, worth))
	require.Zero(t, e.locked("alice", "miner", 1))
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Locks)
}

func TestSection4CollateralEarnsDividendsLikeOtherStake(t *testing.T) {
	e := collateral(t)
	worth := e.staked("alice", "miner", 1)
	require.NoError(t, e.lock("alice", "miner", 1, worth-4*whole))
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), whole/2) })
	earned := e.staked("alice", "miner", 1) - worth
	require.Greater(t, earned, uint64(whole/4))
	require.ErrorIs(t, waysOut[0].send(e, earned+1), types.ErrLocked)
	require.NoError(t, waysOut[0].send(e, earned-1), "what it earned is free")
}

func TestSection4WhatIsSlashedIsBurned(t *testing.T) {
	e := collateral(t)
	worth, burned := e.staked("alice", "miner", 1), e.at(1).AlphaBurned
	require.NoError(t, e.slash("alice", "miner", 1, whole))
	require.Equal(t, uint64(3*whole), e.locked("alice", "miner", 1))
	require.Equal(t, burned+whole, e.at(1).AlphaBurned)
	require.InDelta(t, worth-whole, e.staked("alice", "miner", 1), 1)
	require.NoError(t, e.slash("alice", "miner", 1, 3*whole))
	require.Zero(t, e.locked("alice", "miner", 1))
	require.Equal(t, burned+4*whole, e.at(1).AlphaBurned)
}

// coarse is a hotkey of which one share is worth an alpha or more, as nobody gets
// it who does not try: all but a unit is taken out, and dividends come in.
func coarse(t require.TestingT) *env {
	e := newEnv(t)
	e.stake("alice", "miner", 1, whole)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 1_000_000*whole) })
	for range 3 {
		e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), 100_000*whole) })
		worth := e.staked("alice", "miner", 1)
		for _, rest := range []uint64{1, 1_000, 1_000_000, 100_000_000} {
			if waysOut[0].send(e, worth-rest) == nil {
				break
			}
		}
	}
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), 100_000*whole) })
	return e
}

func TestSharesTooCoarseToSlashCantBecomeCollateral(t *testing.T) {
	e := coarse(t)
	err := e.lock("alice", "miner", 1, whole)
	require.ErrorIs(t, err, types.ErrRounding)
	require.ErrorContains(t, err, "too coarse")
}

// Whatever others do and however it rounds: nothing of a lock is ever missing, and
// a slash takes what it says to a unit.
func TestSection4LocksHoldUnderAnyRounding(t *testing.T) {
	done := tally{}
	rapid.Check(t, func(t *rapid.T) {
		e := newEnv(t)
		e.bind("alice", "second")
		e.stake("alice", "miner", 1, rapid.Uint64Range(2_100_000, 50*whole).Draw(t, "alice's"))
		e.stake("bob", "miner", 1, rapid.Uint64Range(2_100_000, 50*whole).Draw(t, "bob's"))
		e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 1_000*whole) })
		for range rapid.IntRange(3, 12).Draw(t, "steps") {
			worth, locked := e.staked("alice", "miner", 1), e.locked("alice", "miner", 1)
			amount := rapid.OneOf(rapid.Uint64Range(0, worth), rapid.Just(worth-locked), rapid.Just(locked)).Draw(t, "amount")
			what := rapid.SampledFrom([]string{"lock", "unlock", "slash", "out", "all", "bob", "reward"}).Draw(t, "what")
			var err error
			switch what {
			case "lock":
				err = e.lock("alice", "miner", 1, amount)
			case "unlock":
				err = e.unlock("alice", "miner", 1, amount)
			case "slash":
				burned := e.at(1).AlphaBurned
				if err = e.slash("alice", "miner", 1, amount); err == nil {
					require.Equal(t, locked-amount, e.locked("alice", "miner", 1))
					require.LessOrEqual(t, e.at(1).AlphaBurned-burned, amount)
					require.GreaterOrEqual(t, e.at(1).AlphaBurned-burned+1, amount)
				}
			case "out":
				err = rapid.SampledFrom(waysOut).Draw(t, "way").send(e, amount)
			case "all":
				_, err = send(e, e.msgs.UnstakeAll, &types.MsgUnstakeAll{Coldkey: str("alice"), Hotkey: str("miner"), Subnets: []types.SubnetLimit{{Netuid: 1, LimitPrice: cheap}}})
			case "bob":
				has := e.staked("bob", "miner", 1)
				sells := rapid.OneOf(rapid.Uint64Range(1, has+1), rapid.Just(has/2+1), rapid.Just(has), rapid.Uint64Range(min(has, 2_200_000), has)).Draw(t, "bob sells")
				_, err = send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: sells, LimitPrice: cheap})
				require.GreaterOrEqual(t, e.staked("alice", "miner", 1), worth, "others' ways out cost nobody anything")
			case "reward":
				err = e.do(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), amount/3) })
			}
			done.count(what, err)
			require.GreaterOrEqual(t, e.staked("alice", "miner", 1), e.locked("alice", "miner", 1))
		}
	})
	done.requireAll(t, "lock", "unlock", "slash", "out", "all", "bob", "reward")
}
