package keeper_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestSection4AClaimThatPassesBurnsItsShareAndReturnsTheDeposit(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.unbond("miner", 40*whole)
	staked, pool, rao, supply := e.staked("miner", hot("miner")), e.pool(), e.rao("v1"), e.supply()

	r := e.claim("v1", minerUID)
	require.EqualValues(t, 1, r.ClaimId)
	require.EqualValues(t, 10*whole, r.Frozen, "a tenth of all, unbonding included")
	require.Equal(t, e.ctx.BlockHeight()+tempo, r.LastHeight)
	require.Equal(t, rao-deposit, e.rao("v1"))
	info := e.at("miner")
	require.Equal(t, r.ClaimId, info.ClaimId)
	require.Equal(t, r.Frozen, info.Frozen)

	_, err := send(e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str(hot("miner")), ClaimId: 1, Hash: hash, Url: "ipfs://answer"})
	require.NoError(t, err)
	require.False(t, e.confirm(1, "v1"))
	e.blocks(tempo - 1)
	require.False(t, e.confirm(1, "v2"))
	e.blocks(1)
	require.Equal(t, r.LastHeight, e.ctx.BlockHeight())
	require.True(t, e.confirm(1, "v3"), "in the last block")

	require.Equal(t, rao, e.rao("v1"))
	require.Equal(t, supply, e.supply())
	require.Equal(t, staked-10*whole, e.staked("miner", hot("miner")))
	after := e.pool()
	require.Equal(t, pool.AlphaBurned+10*whole, after.AlphaBurned)
	require.Equal(t, pool.AlphaStaked-10*whole, after.AlphaStaked)
	require.Equal(t, pool.TaoReserve, after.TaoReserve)
	info = e.at("miner")
	require.EqualValues(t, 60*whole, info.Collateral.Bonded, "what leaves is slashed first")
	require.EqualValues(t, 30*whole, info.Unbonding)
	require.Zero(t, info.ClaimId)
	require.Empty(t, e.exported().Claims)
	require.Empty(t, e.exported().Voters)
	require.Empty(t, e.exported().Waits)

	opened, passed := e.events(&types.EventClaimOpened{}), e.events(&types.EventClaimPassed{})
	require.Len(t, opened, 1)
	require.Contains(t, opened[0], `frozen="10000000000"`)
	require.Contains(t, opened[0], `deposit="10000000000"`)
	require.Len(t, e.events(&types.EventClaimConfirmed{}), 3)
	require.Len(t, e.events(&types.EventClaimAnswered{}), 1)
	require.Len(t, passed, 1)
	require.Contains(t, passed[0], `slashed="10000000000"`)

	e.blocks(unbond + 1)
	require.EqualValues(t, 60*whole, e.locked("miner", hot("miner")), "the rest leaves in its time")
	_, err = e.tryConfirm(hot("v1"), 1)
	require.ErrorIs(t, err, types.ErrNoClaim)
}

func TestSection4ExactlyTwoThirdsIsNotEnough(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.judge("v1", 4, "v2", 1, "v3", 1)
	id := e.claim("v1", minerUID).ClaimId
	require.False(t, e.confirm(id, "v1"), "4 of 6")
	require.True(t, e.confirm(id, "v3"), "5 of 6")

	e.judge("v1", 2_000_001, "v2", 1_000_000, "v3", 0)
	id = e.claim("v1", minerUID).ClaimId
	require.True(t, e.confirm(id, "v1"), "a unit more than 2/3")
}

func TestSection4TooFewConfirmAndTheDepositIsBurned(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	rao, supply, staked := e.rao("v1"), e.supply(), e.staked("miner", hot("miner"))
	r := e.claim("v1", minerUID)
	require.False(t, e.confirm(r.ClaimId, "v1", "v2"))
	e.blocks(tempo)
	require.Len(t, e.exported().Claims, 1)
	e.blocks(1)
	require.Empty(t, e.exported().Claims)
	require.Empty(t, e.exported().Voters)
	require.Equal(t, rao-deposit, e.rao("v1"))
	require.Equal(t, supply-deposit, e.supply())
	require.Equal(t, staked, e.staked("miner", hot("miner")))
	require.EqualValues(t, 100*whole, e.at("miner").Collateral.Bonded)
	failed := e.events(&types.EventClaimFailed{})
	require.Len(t, failed, 1)
	require.Contains(t, failed[0], `burned="10000000000"`)
	require.Contains(t, failed[0], `confirmed="2"`)

	_, err := e.tryConfirm(hot("v3"), r.ClaimId)
	require.ErrorIs(t, err, types.ErrNoClaim)
}

func TestSection4AClaimIsConfirmedAndAnsweredInItsTempoAlone(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	r := e.claim("v1", minerUID)
	// A backlog keeps claims open past their time; they can't be confirmed all the same.
	e.ctx = e.ctx.WithBlockHeight(r.LastHeight + 1)
	_, err := e.tryConfirm(hot("v1"), r.ClaimId)
	require.ErrorIs(t, err, types.ErrTooLate)
	require.ErrorContains(t, err, "block 11")
	_, err = send(e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str("miner"), ClaimId: r.ClaimId, Hash: hash, Url: "x"})
	require.ErrorIs(t, err, types.ErrTooLate)
}

func TestSection4TheTempoIsThatOfTheOpening(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	r := e.claim("v1", minerUID)
	s := e.subnet()
	s.Hyperparameters.Tempo = 20
	g, err := e.subnets.ExportGenesis(e.ctx)
	require.NoError(t, err)
	g.Subnets[0] = s
	require.NoError(t, e.subnets.InitGenesis(e.ctx, *g))
	e.blocks(tempo + 1)
	require.Empty(t, e.exported().Claims)
	require.Equal(t, r.LastHeight+10*tempo, e.exported().Waits[0].UntilHeight)
}

func TestSection4EachConfirmsOnceWithItsStakeAtTheOpening(t *testing.T) {
	e := newEnv(t)
	e.people("late")
	e.register("late")
	e.lock("miner", 100*whole)
	e.judge("v1", 2, "v2", 1, "v3", 2, "late", 0)
	id := e.claim("v1", minerUID).ClaimId
	require.False(t, e.confirm(id, "v1"))
	_, err := e.tryConfirm(hot("v1"), id)
	require.ErrorIs(t, err, types.ErrConfirmed)

	// Who gains stake after the opening has no more to say by it.
	e.judge("v1", 2, "v2", 1_000, "v3", 2, "late", 1_000)
	e.stake("late", 100*whole)
	require.False(t, e.confirm(id, "v2"), "3 of 5")
	for _, name := range []string{hot("late"), hot("miner"), hot("owner"), "nobody"} {
		_, err = e.tryConfirm(name, id)
		require.Error(t, err, name)
	}
	_, err = e.tryConfirm(hot("late"), id)
	require.ErrorIs(t, err, types.ErrNotVoter)
	// Who has lost its stake and its permit since still counts with what it had.
	e.judge("v1", 2)
	require.True(t, e.confirm(id, "v3"))
}

func TestSection4OnlyAPermittedValidatorAccusesAndItsColdkeyPays(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	refused(t, e, e.msgs.OpenClaim, claimMsg("other", minerUID), types.ErrNoPermit)
	e.people("stranger")
	refused(t, e, e.msgs.OpenClaim, claimMsg("stranger", minerUID), subnetstypes.ErrNotRegistered)

	foreign := claimMsg("v1", minerUID)
	foreign.Coldkey = str("stranger")
	refused(t, e, e.msgs.OpenClaim, foreign, types.ErrNotOwn)

	require.NoError(t, e.bank.SendCoins(e.ctx, addr("v1"), addr("v2"), coins(e.rao("v1")-deposit+1)))
	refused(t, e, e.msgs.OpenClaim, claimMsg("v1", minerUID), sdkerrors.ErrInsufficientFunds)
}

func TestSection4NobodyAccusesItselfNorJudgesItself(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	// The miner's coldkey runs a validator beside it, with most of the stake.
	e.bind("miner", hot("twin"))
	_, err := send(e, e.subnetsMsgs.Register, &subnetstypes.MsgRegister{Coldkey: str("miner"), Hotkey: str(hot("twin")), Netuid: 1, MaxBurn: 1_000 * whole})
	require.NoError(t, err)
	e.judge("v1", 1, "v2", 1, "v3", 1, "miner", 10, "twin", 50)
	for _, author := range []string{hot("miner"), hot("twin")} {
		own := claimMsg("miner", minerUID)
		own.Hotkey = str(author)
		refused(t, e, e.msgs.OpenClaim, own, types.ErrAccused, "itself")
	}
	id := e.claim("v1", minerUID).ClaimId
	r, err := e.query.Claim(e.ctx, &types.QueryClaimRequest{ClaimId: id})
	require.NoError(t, err)
	require.EqualValues(t, 3, r.Claim.Active, "neither the neuron nor another hotkey of its coldkey is in A")
	require.Len(t, r.Voters, 3)
	for _, name := range []string{"miner", "twin"} {
		_, err = e.tryConfirm(hot(name), id)
		require.ErrorIs(t, err, types.ErrNotVoter)
	}
	require.True(t, e.confirm(id, "v1", "v2", "v3"))

	e.judge("miner", 10, "twin", 50, "v1", 0)
	refused(t, e, e.msgs.OpenClaim, claimMsg("v1", minerUID), types.ErrNoVoters)
}

func TestSection4AShareOfAtMostMaxSlashOfWhatIsThere(t *testing.T) {
	e := newEnv(t)
	refused(t, e, e.msgs.OpenClaim, claimMsg("v1", minerUID), types.ErrAccused, "0 alpha units")
	e.lock("miner", 9)
	refused(t, e, e.msgs.OpenClaim, claimMsg("v1", minerUID), types.ErrAccused, "9 alpha units")
	e.lock("miner", 100*whole)
	for _, share := range []uint32{0, 200_001, 1_000_000, 1_000_001, math.MaxUint32} {
		m := claimMsg("v1", minerUID)
		m.Share = share
		refused(t, e, e.msgs.OpenClaim, m, types.ErrShare)
	}
	m := claimMsg("v1", minerUID)
	m.Share = 200_000
	r, err := send(e, e.msgs.OpenClaim, m)
	require.NoError(t, err)
	require.EqualValues(t, 20*whole+1, r.Frozen)
}

func TestSection4MaxSlashIsThatOfTheOpening(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	id := e.claim("v1", minerUID).ClaimId
	_, err := send(e, e.subnetsMsgs.SetHyperparameter, &subnetstypes.MsgSetHyperparameter{Signer: str("governance"), Netuid: 1, Name: "max_slash", Value: 0})
	require.NoError(t, err)
	require.True(t, e.confirm(id, "v1", "v2", "v3"))
	require.EqualValues(t, 90*whole, e.at("miner").Collateral.Bonded)
	refused(t, e, e.msgs.OpenClaim, claimMsg("v2", minerUID), types.ErrShare)
}

func TestSection4OneClaimAgainstANeuronAtATime(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.lock("other", 10*whole)
	e.claim("v1", minerUID)
	refused(t, e, e.msgs.OpenClaim, claimMsg("v2", minerUID), types.ErrClaimOpen, "claim 1", "block 11")
	e.claim("v1", 5) // another neuron's is another matter
	require.Len(t, e.exported().Claims, 2)
}

func TestSection4TheAuthorOfAFailedClaimWaitsTenTempos(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.lock("other", 10*whole)
	r := e.claim("v1", minerUID)
	e.blocks(tempo + 1)
	first := r.LastHeight + 10*tempo
	refused(t, e, e.msgs.OpenClaim, claimMsg("v1", 5), types.ErrTooSoon, "claim 1", "111")
	e.claim("v2", minerUID) // others don't wait
	e.ctx = e.ctx.WithBlockHeight(first - 1)
	refused(t, e, e.msgs.OpenClaim, claimMsg("v1", 5), types.ErrTooSoon)
	e.blocks(1)
	require.EqualValues(t, first, e.ctx.BlockHeight())
	id := e.claim("v1", 5).ClaimId
	require.True(t, e.confirm(id, "v1", "v2", "v3"))
	e.claim("v1", 5) // after one that passed nobody waits
}

func TestSection4AnAuthorSwapsItsHotkeyAndWaitsAllTheSame(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.claim("v1", minerUID)
	e.blocks(tempo + 1)
	e.bind("v1", "v1-new")
	_, err := send(e, e.subnetsMsgs.SwapHotkey, &subnetstypes.MsgSwapHotkey{Coldkey: str("v1"), Hotkey: str(hot("v1")), NewHotkey: str("v1-new")})
	require.NoError(t, err)
	m := claimMsg("v1", minerUID)
	m.Hotkey = str("v1-new")
	refused(t, e, e.msgs.OpenClaim, m, types.ErrTooSoon)
}

func TestSection4AValidatorConfirmsOnceOverSwaps(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	id := e.claim("v1", minerUID).ClaimId
	e.confirm(id, "v2")
	e.bind("v2", "v2-new")
	_, err := send(e, e.subnetsMsgs.SwapHotkey, &subnetstypes.MsgSwapHotkey{Coldkey: str("v2"), Hotkey: str(hot("v2")), NewHotkey: str("v2-new")})
	require.NoError(t, err)
	_, err = e.tryConfirm("v2-new", id)
	require.ErrorIs(t, err, types.ErrConfirmed)
	_, err = e.tryConfirm(hot("v2"), id)
	require.ErrorIs(t, err, types.ErrNotVoter)

	// One that swapped before it confirmed does so by its new hotkey.
	e.bind("v3", "v3-new")
	_, err = send(e, e.subnetsMsgs.SwapHotkey, &subnetstypes.MsgSwapHotkey{Coldkey: str("v3"), Hotkey: str(hot("v3")), NewHotkey: str("v3-new")})
	require.NoError(t, err)
	_, err = e.tryConfirm("v3-new", id)
	require.NoError(t, err)
	require.True(t, e.confirm(id, "v1"))
}

func TestSection4AClaimMeansTheHotkeyThatItNames(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	m := claimMsg("v1", minerUID)
	m.Accused = str(hot("other"))
	refused(t, e, e.msgs.OpenClaim, m, types.ErrAccused, str(hot("miner")))
	m.Accused = "nonsense"
	refused(t, e, e.msgs.OpenClaim, m, sdkerrors.ErrInvalidAddress)
	m.Accused, m.Uid = "", 77
	refused(t, e, e.msgs.OpenClaim, m, subnetstypes.ErrNotRegistered)
	m.Accused, m.Uid = str(hot("miner")), minerUID
	_, err := send(e, e.msgs.OpenClaim, m)
	require.NoError(t, err)
}

func TestSection4OnlyTheAccusedAnswers(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	id := e.claim("v1", minerUID).ClaimId
	answer := func(signer string) error {
		_, err := send(e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str(signer), ClaimId: id, Hash: hash, Url: signer})
		return err
	}
	require.ErrorIs(t, answer("v1"), types.ErrNotAccused)
	require.NoError(t, answer("miner"))
	require.NoError(t, answer(hot("miner")))
	r, err := e.query.Claims(e.ctx, &types.QueryClaimsRequest{Netuid: 1})
	require.NoError(t, err)
	require.Equal(t, hot("miner"), r.Claims[0].AnswerUrl, "the last one stands")
	require.Equal(t, str(hot("miner")), r.Claims[0].Accused)
	require.Equal(t, str(hot("v1")), r.Claims[0].Author)
}

func TestSection4ClaimsInSequenceNeverSlashMoreThanThereIs(t *testing.T) {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.unbond("miner", 90*whole)
	left, burned := uint64(100*whole), e.pool().AlphaBurned
	for range 12 {
		m := claimMsg("v1", minerUID)
		m.Share = 200_000
		r, err := send(e, e.msgs.OpenClaim, m)
		require.NoError(t, err)
		require.Equal(t, left/5, r.Frozen)
		require.True(t, e.confirm(r.ClaimId, "v1", "v2", "v3"))
		left -= left / 5
		require.Equal(t, left, e.locked("miner", hot("miner")))
		require.Equal(t, left, e.at("miner").Collateral.Bonded+e.at("miner").Unbonding)
		e.holds()
	}
	require.Equal(t, burned+100*whole-left, e.pool().AlphaBurned)
}
