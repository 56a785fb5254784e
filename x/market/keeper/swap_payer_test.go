package keeper_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/x/authz"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/market/types"
)

// swapDelay is after how many blocks, of a second, an announced swap is executed.
const swapDelay = 3

// quickSwaps makes the delay of coldkey swaps short.
func (e *env) quickSwaps() {
	p := alphatypes.LocalParams()
	p.ColdkeySwapDelay = swapDelay
	_, err := e.alphaMsgs.UpdateParams(e.ctx, &alphatypes.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(e.t, err)
}

func (e *env) announce(from, to string) {
	_, err := send(e, e.alphaMsgs.AnnounceColdkeySwap, &alphatypes.MsgAnnounceColdkeySwap{Coldkey: str(from), NewColdkey: str(to)})
	require.NoError(e.t, err)
}

// swap announces a swap and waits until all has moved.
func (e *env) swap(from, to string) {
	e.announce(from, to)
	e.blocks(swapDelay + 1)
	require.Zero(e.t, e.rao(from), "it is executed")
}

// channelsOf are a payer's, as anybody finds them.
func (e *env) channelsOf(payer string) []types.Channel {
	r, err := e.query.Channels(e.ctx, &types.QueryChannelsRequest{Payer: str(payer)})
	require.NoError(e.t, err)
	return r.Channels
}

func swapEnv(t require.TestingT) *env {
	e := newEnv(t)
	e.quickSwaps()
	return e
}

func TestSection10ASwapMovesThePayersChannelsAndPlansAndNothingElseOfThem(t *testing.T) {
	e := swapEnv(t)
	others := e.open("other", 5*whole)
	by, plan := e.open("payer", 10*whole), e.subscribe("payer", 25*whole, e.offer())
	closing := openMsg("payer", 2*whole)
	closing.CloseDelay = 200
	r, err := send(e, e.msgs.Deposit, closing)
	require.NoError(t, err)
	e.blocks(1)
	e.close("payer", r.ChannelId)
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", by, whole)))
	before := e.channelsOf("payer")
	require.Len(t, before, 3)

	e.swap("payer", "fresh")
	require.Empty(t, e.channelsOf("payer"))
	after := e.channelsOf("fresh")
	for i := range before {
		require.Equal(t, str("payer"), before[i].Payer)
		before[i].Payer = str("fresh")
	}
	require.Equal(t, before, after, "ids, session keys, claims, periods and closing times stay")
	require.Len(t, e.channelsOf("other"), 1)
	moved := e.events(&types.EventChannelMoved{})
	require.Len(t, moved, 3)
	require.Contains(t, fmt.Sprint(moved), fmt.Sprintf("channel_id=\"%x\"", by))
	require.Contains(t, moved[0], fmt.Sprintf("new_payer=%q", str("fresh")))
	require.Contains(t, moved[0], fmt.Sprintf(" payer=%q", str("payer")))

	// Vouchers that were signed before are as good as before.
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", by, 3*whole)))
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", plan, 500)))
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("other", others, whole)))

	// The new coldkey does what the old one did, and gets what is left.
	e.topUp("fresh", by, 4*whole)
	require.NotZero(t, e.cancel("fresh", plan, false))
	require.NotZero(t, e.close("fresh", by).ClosingTime)
	has := e.rao("fresh")
	e.blocks(210)
	require.Empty(t, e.channelsOf("fresh"))
	require.EqualValues(t, has+(10+4-3)*whole+(25-10)*whole+2*whole, e.rao("fresh"))
	require.Zero(t, e.rao("payer"))
}

func TestSection10AfterASwapTheOldColdkeyGetsAndDoesNothing(t *testing.T) {
	e := swapEnv(t)
	by, plan := e.open("payer", 10*whole), e.subscribe("payer", 25*whole, e.offer())
	e.swap("payer", "fresh")
	e.people("thief") // has coins, and the old key
	require.NoError(t, e.bank.SendCoins(e.ctx, addr("thief"), addr("payer"), coins(100*whole)))
	refused(t, e, e.msgs.Deposit, &types.MsgDeposit{Payer: str("payer"), Amount: whole, ChannelId: by}, types.ErrNotYours, str("fresh"))
	for _, id := range [][]byte{by, plan} {
		refused(t, e, e.msgs.Close, &types.MsgClose{Signer: str("payer"), ChannelId: id}, types.ErrNotYours)
	}
	for _, now := range []bool{true, false} {
		refused(t, e, e.msgs.CancelPlan, &types.MsgCancelPlan{Signer: str("payer"), ChannelId: plan, Now: now}, types.ErrNotYours)
	}
	// Nor does another swap of it bring anything back, or whatever it opens by itself.
	own := e.open("payer", whole)
	e.swap("payer", "thief-2")
	c, _ := e.channel(own)
	require.Equal(t, str("thief-2"), c.Payer)
	require.Len(t, e.channelsOf("fresh"), 2)
	e.blocks(1)
	has := e.rao("fresh")
	require.EqualValues(t, 10*whole, e.close("provider", by).Refunded)
	require.EqualValues(t, has+10*whole, e.rao("fresh"))
	require.Zero(t, e.rao("payer"))
}

func TestSection10AChainOfSwapsEndsWithTheLastColdkey(t *testing.T) {
	for name, path := range map[string][]string{
		"on and on":                         {"payer", "b", "c", "d"},
		"there and back":                    {"payer", "b", "payer"},
		"there and back again":              {"payer", "b", "payer", "b"},
		"to one that has channels already":  {"payer", "other", "c"},
		"round to one that has some, again": {"payer", "other", "payer", "other"},
	} {
		t.Run(name, func(t *testing.T) {
			e := swapEnv(t)
			e.open("payer", 10*whole)
			own := e.open("other", 5*whole)
			for i := 1; i < len(path); i++ {
				e.swap(path[i-1], path[i])
				if i == 1 {
					m := openMsg(path[1], whole)
					_, err := send(e, e.msgs.Deposit, m)
					require.NoError(t, err)
				}
			}
			last := path[len(path)-1]
			want := 2
			if path[1] == "other" {
				want = 3
			} else {
				require.Len(t, e.channelsOf("other"), 1)
				c, _ := e.channel(own)
				require.Equal(t, str("other"), c.Payer)
			}
			all := e.channelsOf(last)
			require.Len(t, all, want)
			e.blocks(1)
			has := e.rao(last)
			for _, c := range all {
				has += e.close("provider", c.Id).Refunded
			}
			require.Equal(t, has, e.rao(last))
			for _, who := range path[:len(path)-1] {
				if who != last {
					require.Zero(t, e.rao(who))
					require.Empty(t, e.channelsOf(who))
				}
			}
		})
	}
}

// A chain that begins with an export in the middle goes on alike.
func TestSection10ManyChannelsMove200ABlockAndWhatClosesMeanwhileIsNotLost(t *testing.T) {
	const n = 450
	e := swapEnv(t)
	e.unchecked = true
	var ids [][]byte
	for i := range n {
		m := openMsg("payer", whole)
		m.SessionKey = public(session(fmt.Sprint("session ", i)))
		r, err := e.msgs.Deposit(e.ctx, m)
		require.NoError(t, err)
		ids = append(ids, r.ChannelId)
	}
	e.blocks(1)
	e.announce("payer", "fresh")
	had := e.rao("payer")
	e.blocks(swapDelay)
	at := len(e.events(&types.EventChannelMoved{}))
	require.Zero(t, at, "not before its delay")
	blocks, closed := 0, uint64(0)
	for ; len(e.channelsOfAll("payer")) > 0; blocks++ {
		e.blocks(1)
		now := len(e.events(&types.EventChannelMoved{}))
		require.LessOrEqual(t, now-at, 200)
		require.NotEqual(t, at, now, "each block moves some")
		at = now
		e.holds()
		left := e.channelsOfAll("payer")
		if len(left) == 0 {
			break
		}
		require.Equal(t, had+closed, e.rao("payer"), "coins come last")
		require.ErrorIs(t, e.alpha.Unlocked(e.ctx, addr("payer")), alphatypes.ErrColdkeyLocked)
		closed += e.close("provider", left[0].Id).Refunded
		e.close("provider", e.channelsOfAll("fresh")[0].Id)
		if blocks == 0 {
			e = e.imported()
			e.unchecked, at = true, 0
		}
	}
	require.Equal(t, 2, blocks, "450 and a hotkey don't fit into two blocks, and three are enough")
	require.Zero(t, e.rao("payer"))
	require.Len(t, e.channelsOfAll("fresh"), n-4)
	require.EqualValues(t, had+4*whole, e.rao("fresh"))
	open := 0
	for i, id := range ids {
		if _, ok := e.channel(id); !ok {
			continue
		}
		if open++; open%100 == 0 {
			require.Equal(t, types.REDEEM_PAID, e.status("provider", signed(fmt.Sprint("session ", i), id, whole)))
		}
	}
	require.Equal(t, n-4, open)
}

// channelsOfAll are a payer's by the records, however many.
func (e *env) channelsOfAll(payer string) (all []types.Channel) {
	for _, c := range e.exported().Channels {
		if c.Payer == str(payer) {
			all = append(all, c)
		}
	}
	return all
}

func TestSection10WhatComesBackWhileASwapIsAnnouncedMovesWithTheCoins(t *testing.T) {
	e := swapEnv(t)
	e.allow(&types.SpendAuthorization{Limit: 10 * whole}, nil)
	id := e.open("payer", 10*whole)
	m := agentMsg(3 * whole)
	m.CloseDelay = 5
	r, err := exec(e, m)
	require.NoError(t, err)
	p := alphatypes.LocalParams()
	_, err = e.alphaMsgs.UpdateParams(e.ctx, &alphatypes.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	e.blocks(1)
	e.announce("payer", "fresh")
	has := e.rao("payer")
	e.close("provider", id)
	require.NotZero(t, e.close("agent", r.ChannelId).ClosingTime, "an agent may close what it opened")
	e.blocks(10)
	require.Equal(t, has+13*whole, e.rao("payer"))
	e.blocks(60)
	require.Zero(t, e.rao("payer"))
	require.Equal(t, has+13*whole, e.rao("fresh"))
}

func TestSection10AuthorizationsStayWithTheColdkeyThatGaveThem(t *testing.T) {
	for name, anew := range map[string]bool{"the new one allows nothing": false, "the new one allows the agent anew": true} {
		t.Run(name, func(t *testing.T) {
			e := swapEnv(t)
			e.allow(&types.SpendAuthorization{Limit: 10 * whole}, nil)
			r, err := exec(e, agentMsg(3*whole))
			require.NoError(t, err)
			e.swap("payer", "fresh")
			c, _ := e.channel(r.ChannelId)
			require.Equal(t, []any{str("fresh"), str("agent"), uint64(3 * whole)}, []any{c.Payer, c.Spender, c.Spent})

			more := &types.MsgDeposit{Payer: str("payer"), Amount: whole, ChannelId: r.ChannelId, Spender: str("agent")}
			_, err = exec(e, more)
			require.ErrorIs(t, err, types.ErrNotYours)
			_, err = exec(e, agentMsg(whole))
			require.ErrorIs(t, err, sdkerrors.ErrInsufficientFunds, "what the old one has allowed is of an empty account")
			more.Payer = str("fresh")
			_, err = exec(e, more)
			require.ErrorIs(t, err, authz.ErrNoAuthorizationFound)
			want := uint64(3 * whole)
			if anew {
				e.allowBy("fresh", &types.SpendAuthorization{Limit: 2 * whole}, nil)
				_, err = exec(e, more)
				require.NoError(t, err)
				require.EqualValues(t, whole, e.leftOf("fresh").Limit)
				want += whole
			}
			has := e.rao("fresh")
			e.close("agent", r.ChannelId)
			e.blocks(delay + 1)
			require.Equal(t, has+want, e.rao("fresh"))
			require.EqualValues(t, 7*whole, e.left().Limit, "nothing comes back to the old one's")
			restored := e.events(&types.EventAllowanceRestored{})
			require.Len(t, restored, 1)
			require.Contains(t, restored[0], fmt.Sprintf(" payer=%q", str("fresh")))
			if !anew {
				require.Contains(t, restored[0], `amount="0"`)
				require.Nil(t, e.leftOf("fresh"))
				return
			}
			require.EqualValues(t, whole+want, e.leftOf("fresh").Limit)
		})
	}
}

func TestSection10AnAgentThatTheColdkeyIsSwappedForPaysForItself(t *testing.T) {
	e := swapEnv(t)
	e.allow(&types.SpendAuthorization{Limit: 10 * whole}, nil)
	r, err := exec(e, agentMsg(3*whole))
	require.NoError(t, err)
	e.swap("payer", "agent")
	c, _ := e.channel(r.ChannelId)
	require.Equal(t, []any{str("agent"), "", uint64(0)}, []any{c.Payer, c.Spender, c.Spent})
	e.topUp("agent", r.ChannelId, whole)
	has := e.rao("agent")
	e.close("agent", r.ChannelId)
	e.blocks(delay + 1)
	require.Equal(t, has+4*whole, e.rao("agent"))
	require.Empty(t, e.events(&types.EventAllowanceRestored{}))
	require.EqualValues(t, 7*whole, e.left().Limit)
}

// TestSection10AProvidersColdkeySwapMovesWhatItIsPaid: a provider that is a payer too.
func TestSection10AProvidersColdkeySwapMovesWhatItIsPaid(t *testing.T) {
	e := swapEnv(t)
	id := e.open("payer", 10*whole)
	e.list("rival", "chat")
	m := openMsg("provider", 5*whole)
	m.ServiceId = 2
	r, err := send(e, e.msgs.Deposit, m)
	require.NoError(t, err)
	e.swap("provider", "fresh")
	require.Equal(t, types.REDEEM_NOT_YOURS, e.status("provider", signed("payer", id, whole)))
	has := e.rao("fresh")
	got := e.redeem("fresh", signed("payer", id, whole))
	require.Equal(t, has+got.Provider, e.rao("fresh"))
	require.Equal(t, types.REDEEM_PAID, e.status(hot("rival"), signed("provider", r.ChannelId, whole)))
	require.EqualValues(t, 4*whole, e.close("rival", r.ChannelId).Refunded)
	require.Zero(t, e.rao("provider"))
}
