package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestSection4AnUnbondingThatComesDueWaitsOnlyAsFarAsNeeded(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.unbond("miner", 60*whole)
	e.blocks(3)
	e.unbond("miner", 40*whole)
	e.blocks(unbond - 7) // the claim is open when both come due
	r := e.claim("v1", minerUID)
	require.EqualValues(t, 10*whole, r.Frozen)
	e.blocks(5)
	require.EqualValues(t, 40*whole, e.locked("miner", hot("miner")), "the rest covers what is frozen")
	e.blocks(3)
	require.EqualValues(t, 10*whole, e.locked("miner", hot("miner")), "only what is frozen is held")
	require.EqualValues(t, 10*whole, e.at("miner").Unbonding)
	released := e.events(&types.EventCollateralReleased{})
	require.Len(t, released, 2)
	require.Contains(t, released[1], `held="10000000000"`)

	// New collateral takes its place.
	e.lock("miner", 4*whole)
	e.blocks(1)
	require.EqualValues(t, 10*whole, e.locked("miner", hot("miner")))
	require.EqualValues(t, 6*whole, e.at("miner").Unbonding)
	require.EqualValues(t, 4*whole, e.at("miner").Collateral.Bonded)

	require.True(t, e.confirm(r.ClaimId, "v1", "v2", "v3"))
	require.Zero(t, e.locked("miner", hot("miner")))
	require.Empty(t, e.exported().Collaterals)
}

func TestSection4WhatAFailedClaimHeldIsReleasedAtItsEnd(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.unbond("miner", 100*whole)
	e.blocks(unbond - 3)
	e.claim("v1", minerUID)
	e.blocks(tempo)
	require.EqualValues(t, 10*whole, e.locked("miner", hot("miner")))
	e.blocks(1)
	require.Zero(t, e.locked("miner", hot("miner")))
	require.Empty(t, e.exported().Collaterals)
}

func TestSection4WhatIsFrozenIsThatOfTheOpeningWhateverIsLockedLater(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 50*whole)
	r := e.claim("v1", minerUID)
	e.lock("miner", 50*whole)
	require.True(t, e.confirm(r.ClaimId, "v1", "v2", "v3"))
	require.EqualValues(t, 95*whole, e.at("miner").Collateral.Bonded)
}

func TestSection4TheAccusedTakesNoStakeOutAndSlashingReachesIt(t *testing.T) {
	e := newEnv(t)
	all := e.staked("miner", hot("miner"))
	e.lock("miner", all)
	r := e.claim("v1", minerUID)
	e.unbond("miner", all)
	for name, leave := range map[string]func() error{
		"unstake all": func() error {
			_, err := send(e, e.alphaMsgs.UnstakeAll, &alphatypes.MsgUnstakeAll{Coldkey: str("miner"), Hotkey: str(hot("miner")), Subnets: []alphatypes.SubnetLimit{{Netuid: 1, LimitPrice: 1}}})
			return err
		},
		"move": func() error {
			_, err := send(e, e.alphaMsgs.MoveStake, &alphatypes.MsgMoveStake{Coldkey: str("miner"), Netuid: 1, FromHotkey: str(hot("miner")), ToHotkey: str(hot("v1")), Alpha: whole})
			return err
		},
		"transfer": func() error {
			_, err := send(e, e.alphaMsgs.TransferStake, &alphatypes.MsgTransferStake{Coldkey: str("miner"), ToColdkey: str("v1"), Hotkey: str(hot("miner")), Netuid: 1, Alpha: whole})
			return err
		},
		"recycle": func() error {
			_, err := send(e, e.alphaMsgs.RecycleAlpha, &alphatypes.MsgRecycleAlpha{Coldkey: str("miner"), Hotkey: str(hot("miner")), Netuid: 1, Alpha: whole})
			return err
		},
	} {
		err := leave()
		require.Equal(t, all, e.staked("miner", hot("miner")), "%s: %v", name, err)
	}
	require.True(t, e.confirm(r.ClaimId, "v1", "v2", "v3"))
	require.Equal(t, all-all/10, e.staked("miner", hot("miner")))
}

func TestSection4AHotkeySwapTakesCollateralAndClaimAlong(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.unbond("miner", 20*whole)
	id := e.claim("v1", minerUID).ClaimId
	e.bind("miner", hot("fresh"))
	_, err := send(e, e.subnetsMsgs.SwapHotkey, &subnetstypes.MsgSwapHotkey{Coldkey: str("miner"), Hotkey: str(hot("miner")), NewHotkey: str(hot("fresh"))})
	require.NoError(t, err)

	require.Zero(t, e.at("miner").Collateral.Bonded)
	info := e.at("fresh")
	require.EqualValues(t, 80*whole, info.Collateral.Bonded)
	require.Equal(t, id, info.ClaimId)
	refused(t, e, e.msgs.OpenClaim, claimMsg("v2", minerUID), types.ErrClaimOpen)
	_, err = send(e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str(hot("miner")), ClaimId: id, Hash: hash, Url: "x"})
	require.ErrorIs(t, err, types.ErrNotAccused, "the old hotkey has nothing to do with it any more")
	_, err = send(e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str(hot("fresh")), ClaimId: id, Hash: hash, Url: "x"})
	require.NoError(t, err)

	staked := e.staked("miner", hot("fresh"))
	require.True(t, e.confirm(id, "v1", "v2", "v3"))
	require.Equal(t, staked-10*whole, e.staked("miner", hot("fresh")))
	e.blocks(unbond + 1)
	require.EqualValues(t, 80*whole, e.locked("miner", hot("fresh")))
	e.holds()
}

func TestSection4APrunedNeuronIsSlashedAndMayRegisterAnew(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.people("crowd")
	for i := e.subnet().Neurons; i < 16; i++ {
		h := fmt.Sprint("crowd ", i)
		e.bind("crowd", h)
		_, err := send(e, e.subnetsMsgs.Register, &subnetstypes.MsgRegister{Coldkey: str("crowd"), Hotkey: str(h), Netuid: 1, MaxBurn: 1_000 * whole})
		require.NoError(t, err)
	}
	e.blocks(61) // nobody is immune any more
	emissions := make([]uint64, 16)
	for uid := range emissions {
		emissions[uid] = 1
	}
	emissions[minerUID] = 0
	neurons, err := e.subnets.Neurons(e.ctx, e.subnet().Id)
	require.NoError(t, err)
	require.NoError(t, e.subnets.SetEmissions(e.ctx, neurons, emissions))
	id := e.claim("v1", minerUID).ClaimId
	e.people("newcomer")
	require.EqualValues(t, minerUID, e.register("newcomer"), "the accused is pruned")
	_, err = e.subnets.NeuronByHotkey(e.ctx, e.subnet().Id, addr(hot("miner")))
	require.ErrorIs(t, err, subnetstypes.ErrNotRegistered)

	// The uid's new holder is not the accused, and can be accused for itself.
	refused(t, e, e.msgs.OpenClaim, claimMsg("v2", minerUID), types.ErrAccused, "0 alpha units")
	require.Zero(t, e.at("newcomer").ClaimId)
	// The accused unbonds, as one may without a uid, and comes back under another.
	e.unbond("miner", 100*whole)
	refused(t, e, e.msgs.LockCollateral, lockMsg("miner", whole), subnetstypes.ErrNotRegistered)
	uid := e.register("miner")
	require.NotEqualValues(t, minerUID, uid)
	refused(t, e, e.msgs.OpenClaim, claimMsg("v2", uid), types.ErrClaimOpen)

	require.True(t, e.confirm(id, "v1", "v2", "v3"))
	require.EqualValues(t, 90*whole, e.locked("miner", hot("miner")))
}

func TestSection4AColdkeySwapTakesCollateralAlong(t *testing.T) {
	e := newEnv(t)
	p, err := e.alpha.Params(e.ctx)
	require.NoError(t, err)
	p.ColdkeySwapDelay = 5
	_, err = send(e, e.alphaMsgs.UpdateParams, &alphatypes.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	e.lock("miner", 100*whole)
	e.unbond("miner", 30*whole)
	_, err = send(e, e.alphaMsgs.AnnounceColdkeySwap, &alphatypes.MsgAnnounceColdkeySwap{Coldkey: str("miner"), NewColdkey: str("heir")})
	require.NoError(t, err)
	_, err = send(e, e.alphaMsgs.AnnounceColdkeySwap, &alphatypes.MsgAnnounceColdkeySwap{Coldkey: str("v1"), NewColdkey: str("v1's heir")})
	require.NoError(t, err)
	id := e.claim("v1", minerUID).ClaimId
	e.blocks(7)
	require.Equal(t, str("heir"), e.at("miner").Coldkey)
	require.EqualValues(t, 100*whole, e.locked("heir", hot("miner")))

	staked, rao := e.staked("heir", hot("miner")), e.rao("v1's heir")
	require.True(t, e.confirm(id, "v1", "v2", "v3"))
	require.Equal(t, staked-10*whole, e.staked("heir", hot("miner")))
	require.Equal(t, rao+deposit, e.rao("v1's heir"), "the deposit goes to whose the author's hotkey is now")
	require.Zero(t, e.rao("v1"))
	e.blocks(unbond)
	require.EqualValues(t, 70*whole, e.locked("heir", hot("miner")))
	refused(t, e, e.msgs.UnbondCollateral, unbondMsg("miner", whole), types.ErrNotOwn)
	e.holds()
}

func TestSection4AChangeOfTheSubnetsOwnerEndsNoClaim(t *testing.T) {
	e := newEnv(t)
	e.lock("owner", 10*whole)
	id := e.claim("v1", 0).ClaimId
	_, err := send(e, e.subnetsMsgs.TransferOwnership, &subnetstypes.MsgTransferOwnership{Coldkey: str("owner"), Netuid: 1, Hotkey: str(hot("other"))})
	require.NoError(t, err)
	require.True(t, e.confirm(id, "v1", "v2", "v3"))
	require.EqualValues(t, 9*whole, e.at("owner").Collateral.Bonded)
}
