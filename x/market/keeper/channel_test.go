package keeper_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/voucher"
	"github.com/lodenet/lode/x/market/types"
)

func TestSection10AChannelIsOpenedPaidAndClosedToTheRao(t *testing.T) {
	e := newEnv(t)
	payer, provider := e.rao("payer"), e.rao("provider")
	id := e.open("payer", 10*whole)
	require.Equal(t, payer-10*whole, e.rao("payer"))
	require.EqualValues(t, 10*whole, e.held())

	r := e.redeem(hot("provider"), signedUpTo("payer", id, 5*whole, 3*whole))
	require.Equal(t, []types.RedeemResult{{Status: types.REDEEM_PAID, Paid: 3 * whole}}, r.Results)
	require.EqualValues(t, 3*whole, r.Paid)
	require.EqualValues(t, 3*whole*85/100, r.Provider)
	require.Equal(t, provider+3*whole*85/100, e.rao("provider"))

	closing := e.close("payer", id)
	require.Equal(t, e.ctx.BlockTime().Unix()+delay, closing.ClosingTime)
	require.Equal(t, e.ctx.BlockHeight()+delay, closing.ClosingHeight)
	e.blocks(delay)
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, 4*whole)), "until the refund")
	e.blocks(1)
	_, open := e.channel(id)
	require.False(t, open)
	require.Equal(t, payer-4*whole, e.rao("payer"))
	require.Equal(t, types.REDEEM_NO_CHANNEL, e.status("provider", signed("payer", id, 5*whole)))
	require.Len(t, e.events(&types.EventClosed{}), 1)
}

func TestSection10TheChannelIDIsWhatPackageVoucherSays(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	require.Equal(t, voucher.ChannelID(chain, voucher.Config{
		Payer: addr("payer"), Provider: addr(hot("provider")), SessionKey: public(session("payer")),
		SubnetID: e.subnet().Id, ServiceID: 1, CloseDelay: delay,
	}, e.ctx.BlockHeight()), id)
}

func TestSection10TheProvidersCloseIsAtOnceAndWholeDepositGoesBack(t *testing.T) {
	e := newEnv(t)
	payer := e.rao("payer")
	id := e.open("payer", 10*whole)
	refused(t, e, e.msgs.Close, &types.MsgClose{Signer: str("provider"), ChannelId: id}, types.ErrTooSoon, "in the next")
	e.blocks(1)
	refused(t, e, e.msgs.Close, &types.MsgClose{Signer: str("rival"), ChannelId: id}, types.ErrNotYours)
	r := e.close(hot("provider"), id)
	require.Equal(t, &types.MsgCloseResponse{Refunded: 10 * whole}, r)
	require.Equal(t, payer, e.rao("payer"))
	require.Zero(t, e.held())
}

func TestSection10DepositsThatCantBeAreRefused(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", 10*whole)
	e.blocks(1)
	for name, c := range map[string]struct {
		change func(*types.MsgDeposit)
		want   error
	}{
		"of nothing":             {func(m *types.MsgDeposit) { m.Amount = 0 }, types.ErrAmount},
		"of more than there is":  {func(m *types.MsgDeposit) { m.Amount = 1 << 63 }, sdkerrors.ErrInsufficientFunds},
		"for no service":         {func(m *types.MsgDeposit) { m.ServiceId = 0 }, types.ErrNoService},
		"for an unknown service": {func(m *types.MsgDeposit) { m.ServiceId = 9 }, types.ErrNoService},
		"with no delay":          {func(m *types.MsgDeposit) { m.CloseDelay = 0 }, types.ErrChannel},
		"with a short delay":     {func(m *types.MsgDeposit) { m.CloseDelay = 4 }, types.ErrChannel},
		"with a long delay":      {func(m *types.MsgDeposit) { m.CloseDelay = 31 * 24 * 3_600 }, types.ErrChannel},
		"with an endless delay":  {func(m *types.MsgDeposit) { m.CloseDelay = 1<<63 - 1 }, types.ErrChannel},
		"with a negative delay":  {func(m *types.MsgDeposit) { m.CloseDelay = -delay }, types.ErrChannel},
		"of both kinds":          {func(m *types.MsgDeposit) { m.ChannelId = id }, types.ErrChannel},
		"of a module":            {func(m *types.MsgDeposit) { m.Payer = str("governance") }, types.ErrChannel},
		"of no address":          {func(m *types.MsgDeposit) { m.Payer = "x" }, sdkerrors.ErrInvalidAddress},
	} {
		t.Run(name, func(t *testing.T) {
			m := openMsg("payer", whole)
			c.change(m)
			refused(t, e, e.msgs.Deposit, m, c.want)
		})
	}
	for name, c := range map[string]struct {
		m    types.MsgDeposit
		want error
	}{
		"another's":      {types.MsgDeposit{Payer: str("other"), Amount: 1, ChannelId: id}, types.ErrNotYours},
		"a short id":     {types.MsgDeposit{Payer: str("payer"), Amount: 1, ChannelId: id[:31]}, types.ErrNoChannel},
		"a long id":      {types.MsgDeposit{Payer: str("payer"), Amount: 1, ChannelId: append(id[:32:32], 0)}, types.ErrNoChannel},
		"no such id":     {types.MsgDeposit{Payer: str("payer"), Amount: 1, ChannelId: make([]byte, 32)}, types.ErrNoChannel},
		"past 64 bits":   {types.MsgDeposit{Payer: str("payer"), Amount: 1<<64 - 1, ChannelId: id}, types.ErrAmount},
		"with a new key": {types.MsgDeposit{Payer: str("payer"), Amount: 1, ChannelId: id, SessionKey: public(session("payer"))}, types.ErrChannel},
	} {
		t.Run("more into "+name, func(t *testing.T) { refused(t, e, e.msgs.Deposit, &c.m, c.want) })
	}
	for _, m := range []*types.MsgClose{{Signer: str("payer")}, {Signer: str("payer"), ChannelId: id[:31]}, {Signer: str("payer"), ChannelId: make([]byte, 32)}} {
		refused(t, e, e.msgs.Close, m, types.ErrNoChannel)
	}
}

// TestSection10ManyThatAreDueAtOnceAreClosedInTheirTurn: a block looks at work_per_block
// channels.
func TestSection10ManyThatAreDueAtOnceAreClosedInTheirTurn(t *testing.T) {
	e := newEnv(t, func(p *types.Params) { p.WorkPerBlock = 3 })
	before := e.rao("payer")
	for i := range 10 {
		m := openMsg("payer", whole)
		m.SessionKey = public(session(fmt.Sprint(i)))
		r, err := send(e, e.msgs.Deposit, m)
		require.NoError(t, err)
		e.close("payer", r.ChannelId)
	}
	e.blocks(delay)
	for _, left := range []int{7, 4, 1, 0, 0} {
		e.blocks(1)
		require.Len(t, e.exported().Channels, left)
	}
	require.Equal(t, before, e.rao("payer"))
}

// TestSection10WhatFailsAtABlocksEndIsPutOff: a plan whose provider can't be looked up
// keeps nobody else waiting, and is paid later.
func TestSection10WhatFailsAtABlocksEndIsPutOff(t *testing.T) {
	e := newEnv(t)
	before := e.rao("other")
	plan := e.subscribe("payer", 35*whole, e.offer())
	id := e.open("other", whole)
	e.blocks(40)
	e.close("other", id)
	e.faulty.coldkey = errors.New("x/alpha is broken")
	e.blocks(61)
	require.Equal(t, before, e.rao("other"), "a refund needs no provider")
	require.Len(t, e.events(&types.EventWorkPutOff{}), 1)
	c, open := e.kept(plan)
	require.True(t, open)
	require.Zero(t, c.Claimed)
	require.Equal(t, e.ctx.BlockTime().Unix()-1+100, c.LookTime)
	e.faulty.coldkey = nil
	e.blocks(101)
	c, open = e.channel(plan)
	require.True(t, open)
	require.EqualValues(t, 20*whole, c.Claimed)
	require.EqualValues(t, 1_700_000_300, c.Subscription.PeriodEnd, "periods don't shift")
}

// kept is a channel as it is stored.
func (e *env) kept(id []byte) (types.Channel, bool) {
	for _, c := range e.exported().Channels {
		if bytes.Equal(c.Id, id) {
			return c, true
		}
	}
	return types.Channel{}, false
}
