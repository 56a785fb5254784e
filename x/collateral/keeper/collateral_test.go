package keeper_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestSection4CollateralIsOwnStakeThatCantLeave(t *testing.T) {
	e := newEnv(t)
	all := e.staked("miner", hot("miner"))
	e.lock("miner", 40*whole)
	e.lock("miner", 10*whole)
	require.EqualValues(t, 50*whole, e.at("miner").Collateral.Bonded)
	require.EqualValues(t, 50*whole, e.locked("miner", hot("miner")))
	require.Equal(t, all, e.staked("miner", hot("miner")), "collateral is stake like any other")

	for name, leave := range map[string]func() error{
		"unstake": func() error {
			_, err := send(e, e.alphaMsgs.Unstake, &alphatypes.MsgUnstake{Coldkey: str("miner"), Hotkey: str(hot("miner")), Netuid: 1, Alpha: all, LimitPrice: 1})
			return err
		},
		"move": func() error {
			_, err := send(e, e.alphaMsgs.MoveStake, &alphatypes.MsgMoveStake{Coldkey: str("miner"), Netuid: 1, FromHotkey: str(hot("miner")), ToHotkey: str(hot("v1")), Alpha: all})
			return err
		},
		"transfer": func() error {
			_, err := send(e, e.alphaMsgs.TransferStake, &alphatypes.MsgTransferStake{Coldkey: str("miner"), ToColdkey: str("v1"), Hotkey: str(hot("miner")), Netuid: 1, Alpha: all})
			return err
		},
		"burn": func() error {
			_, err := send(e, e.alphaMsgs.BurnAlpha, &alphatypes.MsgBurnAlpha{Coldkey: str("miner"), Hotkey: str(hot("miner")), Netuid: 1, Alpha: all})
			return err
		},
	} {
		require.ErrorIs(t, leave(), alphatypes.ErrLocked, name)
	}
	_, err := send(e, e.alphaMsgs.Unstake, &alphatypes.MsgUnstake{Coldkey: str("miner"), Hotkey: str(hot("miner")), Netuid: 1, Alpha: all - 50*whole, LimitPrice: 1})
	require.NoError(t, err, "what is not locked is free")
	require.EqualValues(t, 50*whole, e.staked("miner", hot("miner")))
}

func TestSection4OnlyANeuronLocksAndOnlyWhatItsColdkeyHasOnIt(t *testing.T) {
	e := newEnv(t)
	e.people("stranger")
	e.stake("stranger", 10*whole)
	refused(t, e, e.msgs.LockCollateral, lockMsg("stranger", whole), subnetstypes.ErrNotRegistered)

	foreign := lockMsg("miner", whole)
	foreign.Coldkey = str("stranger")
	refused(t, e, e.msgs.LockCollateral, foreign, types.ErrNotOwn, str("miner"), str("stranger"))
	unbound := lockMsg("miner", whole)
	unbound.Hotkey = str("nobody")
	refused(t, e, e.msgs.LockCollateral, unbound, alphatypes.ErrNotBound)
	elsewhere := lockMsg("miner", whole)
	elsewhere.Netuid = 2
	refused(t, e, e.msgs.LockCollateral, elsewhere, subnetstypes.ErrNoSubnet)

	refused(t, e, e.msgs.LockCollateral, lockMsg("miner", 0), types.ErrAmount)
	all := e.staked("miner", hot("miner"))
	for _, much := range []uint64{all + 1, math.MaxUint64} {
		refused(t, e, e.msgs.LockCollateral, lockMsg("miner", much), alphatypes.ErrLocked)
	}
	e.lock("miner", all)
	refused(t, e, e.msgs.LockCollateral, lockMsg("miner", 1), alphatypes.ErrLocked)

	// A nominator's stake on the hotkey is no collateral of the neuron's.
	e.bind("stranger", "stranger-2")
	_, err := send(e, e.alphaMsgs.Stake, &alphatypes.MsgStake{Coldkey: str("stranger"), Hotkey: str(hot("miner")), Netuid: 1, Tao: 10 * whole, LimitPrice: dear})
	require.NoError(t, err)
	refused(t, e, e.msgs.LockCollateral, lockMsg("miner", whole), alphatypes.ErrLocked)
}

func TestSection4CoveredIsBondedCollateralOfTheMinimum(t *testing.T) {
	e := newEnv(t, func(p *subnetstypes.Params) { rule(p, "min_collateral", 20*whole) })
	id := e.subnet().Id
	covered := func() bool {
		ok, err := e.k.Covered(e.ctx, id, addr(hot("miner")))
		require.NoError(t, err)
		require.Equal(t, ok, e.at("miner").Covered)
		return ok
	}
	require.False(t, covered())
	e.lock("miner", 20*whole-1)
	require.False(t, covered())
	e.lock("miner", 1)
	require.True(t, covered())
	bonded, err := e.k.Bonded(e.ctx, id, addr(hot("miner")))
	require.NoError(t, err)
	require.EqualValues(t, 20*whole, bonded)
	e.unbond("miner", 1)
	require.False(t, covered(), "what is on its way out covers nothing")

	free := newEnv(t)
	ok, err := free.k.Covered(free.ctx, free.subnet().Id, addr(hot("miner")))
	require.NoError(t, err)
	require.True(t, ok, "without a minimum nobody needs any")
}

func TestSection4UnbondedCollateralIsFreeAfterBlocksAndTime(t *testing.T) {
	for name, c := range map[string]struct {
		blocks int           // that pass
		each   time.Duration // a block
		free   bool
	}{
		"neither":                     {unbond - 1, time.Second, false},
		"both":                        {unbond + 1, time.Second, true},
		"quick blocks, time missing":  {unbond + 1, time.Second / 2, false},
		"quick blocks, enough time":   {2*unbond + 2, time.Second / 2, true},
		"slow blocks, blocks missing": {unbond - 1, time.Minute, false},
		"slow blocks":                 {unbond + 1, time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.lock("miner", 50*whole)
			r := e.unbond("miner", 20*whole)
			require.Equal(t, e.ctx.BlockHeight()+unbond, r.DueHeight)
			require.Equal(t, e.ctx.BlockTime().Unix()+unbond, r.DueTime)
			require.EqualValues(t, 30*whole, r.Bonded)
			for range c.blocks {
				e.block(c.each)
			}
			want := uint64(50 * whole)
			if c.free {
				want = 30 * whole
			}
			require.Equal(t, want, e.locked("miner", hot("miner")))
			require.Equal(t, want-30*whole, e.at("miner").Unbonding)
		})
	}
}

func TestSection4SeveralUnbondingsWaitButNotManyAndEachInItsTime(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 50*whole)
	for range 16 {
		e.unbond("miner", whole)
		e.block(time.Second)
	}
	refused(t, e, e.msgs.UnbondCollateral, unbondMsg("miner", whole), types.ErrTooMany, "16", "block 31")
	e.blocks(unbond - 16 + 1) // block 1's is released at the end of block 31
	require.EqualValues(t, 49*whole, e.locked("miner", hot("miner")))
	require.Len(t, e.at("miner").Collateral.Unbondings, 15)
	e.unbond("miner", whole)
	e.blocks(unbond + 1)
	require.EqualValues(t, 33*whole, e.locked("miner", hot("miner")))
	require.Empty(t, e.at("miner").Collateral.Unbondings)
	e.unbond("miner", 33*whole)
	e.blocks(unbond + 1)
	require.Empty(t, e.exported().Collaterals, "nothing is left, so nothing is kept")
	require.Len(t, e.events(&types.EventCollateralReleased{}), 18)
}

func TestSection4ALowerPeriodMakesALaterUnbondingTheFirst(t *testing.T) {
	e := newEnv(t, func(p *subnetstypes.Params) { rule(p, "collateral_unbond", 60) })
	e.lock("miner", 50*whole)
	e.unbond("miner", whole)
	_, err := send(e, e.subnetsMsgs.SetHyperparameter, &subnetstypes.MsgSetHyperparameter{Signer: str("governance"), Netuid: 1, Name: "collateral_unbond", Value: unbond})
	require.NoError(t, err)
	e.blocks(5)
	e.unbond("miner", 2*whole)
	e.blocks(unbond + 1)
	require.EqualValues(t, 48*whole, e.locked("miner", hot("miner")))
	e.blocks(60 - unbond - 5)
	require.EqualValues(t, 47*whole, e.locked("miner", hot("miner")))
}

func TestSection4UnbondingRefusesWhatIsNotThere(t *testing.T) {
	e := newEnv(t)
	refused(t, e, e.msgs.UnbondCollateral, unbondMsg("miner", 1), types.ErrNoCollateral)
	e.lock("miner", 10*whole)
	refused(t, e, e.msgs.UnbondCollateral, unbondMsg("miner", 0), types.ErrAmount)
	e.unbond("miner", 4*whole)
	for _, much := range []uint64{6*whole + 1, math.MaxUint64} {
		refused(t, e, e.msgs.UnbondCollateral, unbondMsg("miner", much), types.ErrNoCollateral, "6000000000", "4000000000")
	}
	foreign := unbondMsg("miner", whole)
	foreign.Coldkey = str("v1")
	refused(t, e, e.msgs.UnbondCollateral, foreign, types.ErrNotOwn)
}
