package keeper_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// swapEnv has delays of 60 blocks, of 3 s each, and a bar of 120. Alice has stakes
// and a hotkey.
func swapEnv(t require.TestingT) *env {
	e := newEnv(t)
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: types.LocalParams()})
	require.NoError(t, err)
	e.stake("alice", "miner", 1, 10*whole)
	e.stake("alice", "validator", 2, 5*whole)
	return e
}

// wait lets so many blocks and their time pass, and runs the last one's end.
func (e *env) wait(blocks int64) {
	e.pass(blocks, time.Duration(blocks)*3*time.Second)
	e.endBlock()
}

// swapFee is what an announcement costs.
var swapFee = types.DefaultParams().ColdkeySwapFee

// announce announces a swap, and brings the fee along: what the coldkey has stays.
func (e *env) announce(from, to string) *types.MsgAnnounceColdkeySwapResponse {
	e.mint(from, swapFee)
	r, err := send(e, e.msgs.AnnounceColdkeySwap, &types.MsgAnnounceColdkeySwap{Coldkey: str(from), NewColdkey: str(to)})
	require.NoError(e.t, err)
	return r
}

func (e *env) setRecovery(coldkey, key string) *types.MsgSetRecoveryKeyResponse {
	m := &types.MsgSetRecoveryKey{Coldkey: str(coldkey)}
	if key != "" {
		m.Recovery = str(key)
	}
	r, err := send(e, e.msgs.SetRecoveryKey, m)
	require.NoError(e.t, err)
	return r
}

// decision is the recovery key's message; to is "" to cancel.
func decision(key, coldkey, to string) *types.MsgDecideColdkeySwap {
	m := &types.MsgDecideColdkeySwap{Recovery: str(key), Coldkey: str(coldkey)}
	if to != "" {
		m.NewColdkey = str(to)
	}
	return m
}

func (e *env) decide(key, coldkey, to string) {
	_, err := send(e, e.msgs.DecideColdkeySwap, decision(key, coldkey, to))
	require.NoError(e.t, err)
}

func (e *env) dispute(coldkey string) {
	_, err := send(e, e.msgs.DisputeColdkeySwap, &types.MsgDisputeColdkeySwap{Coldkey: str(coldkey)})
	require.NoError(e.t, err)
}

// swap is what is known of a coldkey's swap.
func (e *env) swap(coldkey string) *types.QueryColdkeySwapResponse {
	r, err := e.query.ColdkeySwap(e.ctx, &types.QueryColdkeySwapRequest{Coldkey: str(coldkey)})
	require.NoError(e.t, err)
	return r
}

// owner is a hotkey's coldkey.
func (e *env) owner(hotkey string) string {
	a, err := e.k.Coldkey(e.ctx, addr(hotkey))
	require.NoError(e.t, err)
	return a.String()
}

func (e *env) requireSwapped(from, to string) {
	require.Equal(e.t, str(to), e.owner("miner"))
	require.Zero(e.t, e.staked(from, "miner", 1))
	require.Positive(e.t, e.staked(to, "miner", 1))
	require.Zero(e.t, e.rao(from))
	require.Equal(e.t, &types.QueryColdkeySwapResponse{}, e.swap(from))
	require.NoError(e.t, e.k.Unlocked(e.ctx, addr(from)))
	e.requireReplay()
}

func TestSection4TheDelaysOfSwapsAreThoseOfTheProfiles(t *testing.T) {
	const day = 86_400 / 3 // in blocks of 3 s
	p := types.DefaultParams()
	require.Equal(t, []int64{5 * day, 5 * day, 30 * day}, []int64{p.ColdkeySwapDelay, p.RecoveryDelay, p.DisputeBar})
	p = types.LocalParams()
	require.Equal(t, []int64{60, 60, 120}, []int64{p.ColdkeySwapDelay, p.RecoveryDelay, p.DisputeBar})
	for name, delay := range map[string]*int64{"coldkey_swap_delay": &p.ColdkeySwapDelay, "recovery_delay": &p.RecoveryDelay, "dispute_bar": &p.DisputeBar} {
		was := *delay
		for _, bad := range []int64{-1, 0, 1 << 40} {
			*delay = bad
			require.ErrorIs(t, p.Validate(), types.ErrInvalidParams)
			require.ErrorContains(t, p.Validate(), name)
		}
		*delay = was
	}
}

func TestSection4AnAnnouncedColdkeySwapMovesEverythingAfterItsDelay(t *testing.T) {
	e := swapEnv(t)
	at1, at2, rao := e.staked("alice", "miner", 1), e.staked("alice", "validator", 2), e.rao("alice")
	r := e.announce("alice", "new")
	require.Equal(t, e.ctx.BlockHeight()+60, r.DueHeight)
	require.Equal(t, e.ctx.BlockTime().Unix()+180, r.DueTime)
	e.endBlock()
	e.wait(59)
	require.Equal(t, str("alice"), e.owner("miner"))
	require.Equal(t, rao, e.rao("alice"))
	require.False(t, e.swap("alice").Swap.Executing)
	e.wait(1)
	e.requireSwapped("alice", "new")
	require.Equal(t, []uint64{at1, at2, rao}, []uint64{e.staked("new", "miner", 1), e.staked("new", "validator", 2), e.rao("new")})
	require.Equal(t, str("bob"), e.owner("validator"), "others' hotkeys stay theirs")
	hotkeys, err := e.query.Hotkeys(e.ctx, &types.QueryHotkeysRequest{Coldkey: str("new")})
	require.NoError(t, err)
	require.Len(t, hotkeys.Hotkeys, 1)
}

func TestSection2ASwapsDelayMustPassInBlocksAndInTime(t *testing.T) {
	e := swapEnv(t)
	e.announce("alice", "new")
	e.pass(60, 179*time.Second) // blocks were quicker than their target
	e.endBlock()
	require.Equal(t, str("alice"), e.owner("miner"))
	e.pass(5, 0)
	e.endBlock()
	require.Equal(t, str("alice"), e.owner("miner"))
	e.pass(1, time.Second)
	e.endBlock()
	e.requireSwapped("alice", "new")

	e = swapEnv(t)
	e.announce("alice", "new")
	e.pass(59, time.Hour) // and slower
	e.endBlock()
	require.Equal(t, str("alice"), e.owner("miner"))
	e.wait(1)
	e.requireSwapped("alice", "new")
}

func TestSection4AColdkeyIsSwappedOnlyForOneThatCanTakeOver(t *testing.T) {
	e := swapEnv(t)
	announce := func(to string) *types.MsgAnnounceColdkeySwap {
		return &types.MsgAnnounceColdkeySwap{Coldkey: str("alice"), NewColdkey: to}
	}
	refuse(t, e, e.msgs.AnnounceColdkeySwap, announce(str("alice")), types.ErrInvalidRequest, "can't be swapped for itself")
	refuse(t, e, e.msgs.AnnounceColdkeySwap, announce(str("validator")), types.ErrColdkeySwap, "is a hotkey")
	refuse(t, e, e.msgs.AnnounceColdkeySwap, announce(authtypes.NewModuleAddress(types.ModuleName).String()), sdkerrors.ErrUnauthorized, "module's account")
	refuse(t, e, e.msgs.AnnounceColdkeySwap, announce("nobody"), sdkerrors.ErrInvalidAddress, "new_coldkey")
	e.announce("bob", "other")
	refuse(t, e, e.msgs.AnnounceColdkeySwap, announce(str("bob")), types.ErrColdkeySwap, "about to be swapped itself, for "+str("other"))
	e.announce("alice", "new")
	refuse(t, e, e.msgs.AnnounceColdkeySwap, announce(str("third")), types.ErrColdkeyLocked, "MsgDisputeColdkeySwap")
	refuse(t, e, e.msgs.AnnounceColdkeySwap, &types.MsgAnnounceColdkeySwap{Coldkey: str("new"), NewColdkey: str("alice")}, types.ErrColdkeySwap, "about to be swapped itself") // there is no circle
}

func TestSection4WithoutARecoveryKeyADisputeCancelsAndBarsNewAnnouncements(t *testing.T) {
	e := swapEnv(t)
	dispute := &types.MsgDisputeColdkeySwap{Coldkey: str("alice")}
	refuse(t, e, e.msgs.DisputeColdkeySwap, dispute, types.ErrColdkeySwap, "nothing to dispute")
	e.announce("alice", "thief")
	e.wait(59)
	e.dispute("alice")
	e.wait(10)
	require.Equal(t, str("alice"), e.owner("miner"))
	require.NoError(t, e.k.Unlocked(e.ctx, addr("alice")), "she can bring everything to safety")
	require.NotNil(t, e.swap("alice").Bar)

	announce := &types.MsgAnnounceColdkeySwap{Coldkey: str("alice"), NewColdkey: str("thief")}
	refuse(t, e, e.msgs.AnnounceColdkeySwap, announce, types.ErrColdkeySwap, "disputed", "block 189")
	e.pass(110, 0)
	refuse(t, e, e.msgs.AnnounceColdkeySwap, announce, types.ErrColdkeySwap, "disputed") // in blocks, not in time
	e.pass(0, 10*time.Minute)
	require.Nil(t, e.swap("alice").Bar)
	e.announce("alice", "thief")
	e.dispute("alice")
	require.NotNil(t, e.swap("alice").Bar)
	e.requireReplay()
}

func TestSection4WhatExecutesCanNeitherBeDisputedNorDecided(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("alice", "safe")
	e.wait(60)
	e.manyStakes("alice", 300)
	e.announce("alice", "new")
	e.wait(60)
	require.True(t, e.swap("alice").Swap.Executing)
	refuse(t, e, e.msgs.DisputeColdkeySwap, &types.MsgDisputeColdkeySwap{Coldkey: str("alice")}, types.ErrColdkeySwap, "moving to "+str("new"))
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "alice", ""), types.ErrColdkeySwap, "can't be cancelled or redirected")
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "alice", "other"), types.ErrColdkeySwap, "can't be cancelled or redirected")
	require.ErrorContains(t, e.k.Unlocked(e.ctx, addr("alice")), "is being swapped for "+str("new"))
	e.wait(1)
	e.requireSwapped("alice", "new")
}

func TestSection4TheRecoveryKeyCancelsAThiefsSwap(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("alice", "safe")
	e.wait(60)
	e.announce("alice", "thief")
	refuse(t, e, e.msgs.DisputeColdkeySwap, &types.MsgDisputeColdkeySwap{Coldkey: str("alice")}, types.ErrRecovery, "only that one decides")
	require.ErrorContains(t, e.k.Unlocked(e.ctx, addr("alice")), "only its recovery key "+str("safe"))
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("thief", "alice", ""), sdkerrors.ErrUnauthorized, "that is "+str("safe"))
	e.wait(30)
	e.decide("safe", "alice", "")
	require.NoError(t, e.k.Unlocked(e.ctx, addr("alice")))
	e.wait(60)
	require.Equal(t, str("alice"), e.owner("miner"))
	require.Nil(t, e.swap("alice").Bar, "what the recovery key decides bars nothing")
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "alice", ""), types.ErrColdkeySwap, "nothing to cancel")
	e.requireReplay()
}

func TestSection4TheRecoveryKeyRedirectsAThiefsSwapAtOnce(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("alice", "safe")
	e.wait(60)
	e.announce("alice", "thief")
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "alice", "validator"), types.ErrColdkeySwap, "is a hotkey")
	e.decide("safe", "alice", "new")
	require.ErrorIs(t, e.k.Unlocked(e.ctx, addr("alice")), types.ErrColdkeyLocked)
	e.endBlock()
	e.requireSwapped("alice", "new")
	require.Zero(t, e.rao("thief"))
	// The record went with the swap: the key has no say over what comes to alice later.
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("safe", "alice", "other"), sdkerrors.ErrUnauthorized, "no recovery key in force")
}

func TestSection4TheRecoveryKeySwapsWithoutAnAnnouncement(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("alice", "safe")
	e.wait(60)
	e.decide("safe", "alice", "safe") // to itself, if it likes
	e.endBlock()
	e.requireSwapped("alice", "safe")
}

// The attack: who has stolen the coldkey names a recovery key of their own, and
// announces before it is in force, so that it would be by the time of the swap.
func TestSection4AThiefsRecoveryKeyDoesNotDecideAboutASwapAnnouncedBeforeIt(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("alice", "accomplice")
	e.wait(1)
	e.announce("alice", "thief")
	require.Nil(t, e.swap("alice").Recovery, "the announcement drops a change that waits")
	refuse(t, e, e.msgs.SetRecoveryKey, &types.MsgSetRecoveryKey{Coldkey: str("alice"), Recovery: str("accomplice")}, types.ErrColdkeyLocked)
	e.wait(59) // the key would be in force now
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("accomplice", "alice", "thief"), sdkerrors.ErrUnauthorized, "no recovery key in force")
	e.dispute("alice")

	// Nor does one that is set after the dispute give them a swap before the bar ends.
	bar := e.swap("alice").Bar
	r := e.setRecovery("alice", "accomplice")
	require.Equal(t, []int64{bar.UntilHeight, bar.UntilTime}, []int64{r.DueHeight, r.DueTime})
	e.wait(119)
	refuse(t, e, e.msgs.DecideColdkeySwap, decision("accomplice", "alice", "thief"), sdkerrors.ErrUnauthorized, "becomes the recovery key")
	e.requireReplay()
}

func TestSection4ADisputeIsLateOnceEverythingHasMoved(t *testing.T) {
	e := swapEnv(t)
	e.announce("alice", "new")
	e.wait(60)
	refuse(t, e, e.msgs.DisputeColdkeySwap, &types.MsgDisputeColdkeySwap{Coldkey: str("alice")}, types.ErrColdkeySwap, "nothing to dispute")
	// What others send to the old coldkey later is whose key it is.
	e.mint("alice", whole)
	e.stake("alice", "validator", 1, whole)
}

func TestSection4SwapsOfSeveralColdkeysDoNotWaitForOneWhoseTimeIsStillToCome(t *testing.T) {
	e := swapEnv(t)
	e.setRecovery("bob", "safe")
	e.wait(60)
	e.announce("alice", "new")
	e.pass(60, 0) // quick blocks: alice's is due in blocks, not in time
	e.endBlock()
	require.Equal(t, str("alice"), e.owner("miner"))
	e.decide("safe", "bob", "robert")
	e.ok(func(ctx context.Context) error { return e.k.EndBlocker(ctx) })
	require.Equal(t, str("robert"), e.owner("validator"))
	e.pass(30, 3*time.Minute) // where blocks are slow again it may be half of the time late
	e.endBlock()
	e.requireSwapped("alice", "new")
}
