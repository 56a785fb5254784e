package keeper_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"

	"github.com/lodenet/lode/x/market/types"
)

// allow lets the agent spend for the payer.
func (e *env) allow(a *types.SpendAuthorization, expires *time.Time) { e.allowBy("payer", a, expires) }

func (e *env) allowBy(payer string, a *types.SpendAuthorization, expires *time.Time) {
	a.Spender = str("agent")
	require.NoError(e.t, a.ValidateBasic())
	require.NoError(e.t, e.authz.SaveGrant(e.ctx, addr("agent"), addr(payer), a, expires))
}

// left is what is left of the agent's authorization.
func (e *env) left() *types.SpendAuthorization { return e.leftOf("payer") }

func (e *env) leftOf(payer string) *types.SpendAuthorization {
	a, _ := e.authz.GetAuthorization(e.ctx, addr("agent"), addr(payer), sdk.MsgTypeURL(&types.MsgDeposit{}))
	if a == nil {
		return nil
	}
	return a.(*types.SpendAuthorization)
}

// exec is a message that the agent sends for the payer.
func exec(e *env, m sdk.Msg) (*types.MsgDepositResponse, error) {
	return send(e, func(ctx context.Context, m sdk.Msg) (*types.MsgDepositResponse, error) {
		raw, err := e.authz.DispatchActions(ctx, addr("agent"), []sdk.Msg{m})
		if err != nil {
			return nil, err
		}
		r := &types.MsgDepositResponse{}
		return r, r.Unmarshal(raw[0])
	}, m)
}

func agentMsg(amount uint64) *types.MsgDeposit {
	m := openMsg("payer", amount)
	m.Spender, m.SessionKey = str("agent"), public(session("agent"))
	return m
}

func TestSection10AnAgentSpendsWithinItsLimit(t *testing.T) {
	e := newEnv(t)
	refusedBy := func(m sdk.Msg, want error, words ...string) {
		t.Helper()
		before := e.exported()
		_, err := exec(e, m)
		require.ErrorIs(t, err, want)
		for _, w := range words {
			require.Contains(t, err.Error(), w)
		}
		require.Equal(t, before, e.exported())
	}
	refusedBy(agentMsg(whole), authz.ErrNoAuthorizationFound)
	e.allow(&types.SpendAuthorization{Limit: 5 * whole, MaxDeposit: 3 * whole}, nil)
	refusedBy(agentMsg(4*whole), types.ErrLimit, "at once")
	m := agentMsg(whole)
	m.Spender = ""
	refusedBy(m, types.ErrSpender)
	m.Spender = str("other")
	refusedBy(m, types.ErrSpender)
	m = agentMsg(whole)
	m.Payer = str("rival")
	refusedBy(m, authz.ErrNoAuthorizationFound)

	payer := e.rao("payer")
	r, err := exec(e, agentMsg(3*whole))
	require.NoError(t, err)
	require.Equal(t, payer-3*whole, e.rao("payer"))
	require.EqualValues(t, 2*whole, e.left().Limit)
	c, _ := e.channel(r.ChannelId)
	require.Equal(t, str("agent"), c.Spender)
	require.EqualValues(t, 3*whole, c.Spent)
	_, err = exec(e, &types.MsgDeposit{Payer: str("payer"), Amount: 2 * whole, ChannelId: r.ChannelId, Spender: str("agent")})
	require.NoError(t, err)
	require.Zero(t, e.left().Limit, "used up, and kept")
	refusedBy(&types.MsgDeposit{Payer: str("payer"), Amount: 1, ChannelId: r.ChannelId, Spender: str("agent")}, types.ErrLimit)
}

func TestSection10AnAgentsPeriodBeginsAnew(t *testing.T) {
	e := newEnv(t)
	e.allow(&types.SpendAuthorization{Limit: 100 * whole, PerPeriod: 2 * whole, Period: 50}, nil)
	r, err := exec(e, agentMsg(2*whole))
	require.NoError(t, err)
	more := &types.MsgDeposit{Payer: str("payer"), Amount: whole, ChannelId: r.ChannelId, Spender: str("agent")}
	_, err = exec(e, more)
	require.ErrorIs(t, err, types.ErrLimit)
	require.ErrorContains(t, err, "for this period")
	e.blocks(49)
	_, err = exec(e, more)
	require.ErrorIs(t, err, types.ErrLimit)
	e.blocks(1)
	_, err = exec(e, more)
	require.NoError(t, err)
	require.EqualValues(t, whole, e.left().PeriodLeft)
	e.ctx = e.ctx.WithBlockTime(e.ctx.BlockTime().Add(1_000 * time.Second))
	more.Amount = 2*whole + 1
	_, err = exec(e, more)
	require.ErrorIs(t, err, types.ErrLimit, "periods that were left out don't add up")
}

func TestSection10AnAgentPaysTheServicesThatItIsAllowedTo(t *testing.T) {
	e := newEnv(t)
	e.list("rival", "chat")
	for name, c := range map[string]struct {
		a  types.SpendAuthorization
		ok bool
	}{
		"any":               {types.SpendAuthorization{}, true},
		"its service":       {types.SpendAuthorization{ServiceIds: []uint64{7, 1}}, true},
		"another service":   {types.SpendAuthorization{ServiceIds: []uint64{2}}, false},
		"its subnet":        {types.SpendAuthorization{Netuids: []uint32{1}}, true},
		"another subnet":    {types.SpendAuthorization{Netuids: []uint32{2, 3}}, false},
		"a service of both": {types.SpendAuthorization{Netuids: []uint32{1}, ServiceIds: []uint64{1}}, true},
		"of one of them":    {types.SpendAuthorization{Netuids: []uint32{1}, ServiceIds: []uint64{2}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.a.Limit = 10 * whole
			e.allow(&c.a, nil)
			m := agentMsg(10 * whole) // the whole limit: what is used up is checked too
			m.CloseDelay += int64(len(name))
			_, err := exec(e, m)
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, types.ErrLimit)
			require.ErrorContains(t, err, "may pay")
		})
	}
	e.allow(&types.SpendAuthorization{Limit: 10 * whole, ServiceIds: []uint64{1}}, nil)
	r, err := exec(e, agentMsg(whole))
	require.NoError(t, err)
	e.allow(&types.SpendAuthorization{Limit: 10 * whole, ServiceIds: []uint64{2}}, nil)
	_, err = exec(e, &types.MsgDeposit{Payer: str("payer"), Amount: whole, ChannelId: r.ChannelId, Spender: str("agent")})
	require.ErrorIs(t, err, types.ErrLimit, "putting more in is paying too")
}

func TestSection10AnAgentPutsMoreIntoItsOwnChannelsAlone(t *testing.T) {
	e := newEnv(t)
	id := e.open("payer", whole)
	e.allow(&types.SpendAuthorization{Limit: 10 * whole}, nil)
	_, err := exec(e, &types.MsgDeposit{Payer: str("payer"), Amount: whole, ChannelId: id, Spender: str("agent")})
	require.ErrorIs(t, err, types.ErrSpender)
	refused(t, e, e.msgs.Close, &types.MsgClose{Signer: str("agent"), ChannelId: id}, types.ErrNotYours)

	r, err := exec(e, agentMsg(whole))
	require.NoError(t, err)
	e.topUp("payer", r.ChannelId, whole) // the payer may
	require.NotZero(t, e.close("agent", r.ChannelId).ClosingTime)
}

func TestSection10WhatIsRefundedIsTheAgentsToSpendAgain(t *testing.T) {
	expires := time.Unix(1_700_100_000, 0)
	for name, c := range map[string]struct {
		claim, topUp, restored uint64
	}{
		"nothing was claimed":         {0, 0, 3 * whole},
		"a part was claimed":          {whole, 0, 2 * whole},
		"all was claimed":             {3 * whole, 0, 0},
		"the payer had put in, too":   {0, 5 * whole, 3 * whole},
		"the payer's part is left of": {4 * whole, 3 * whole, 2 * whole},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.allow(&types.SpendAuthorization{Limit: 10 * whole}, &expires)
			r, err := exec(e, agentMsg(3*whole))
			require.NoError(t, err)
			if c.topUp > 0 {
				e.topUp("payer", r.ChannelId, c.topUp)
			}
			if c.claim > 0 {
				require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("agent", r.ChannelId, c.claim)))
			}
			payer := e.rao("payer")
			e.close("agent", r.ChannelId)
			e.blocks(delay + 1)
			require.Equal(t, payer+3*whole+c.topUp-c.claim, e.rao("payer"))
			require.EqualValues(t, 7*whole+c.restored, e.left().Limit)
			_, kept := e.authz.GetAuthorization(e.ctx, addr("agent"), addr("payer"), sdk.MsgTypeURL(&types.MsgDeposit{}))
			require.Equal(t, expires.UTC(), kept.UTC())
			require.Len(t, e.events(&types.EventAllowanceRestored{}), min(1, int(c.restored)))
		})
	}
}

func TestSection10ARefundIsMadeWithoutAnyAuthorization(t *testing.T) {
	soon := time.Unix(1_700_000_000+delay, 0)
	for name, c := range map[string]struct {
		expires *time.Time
		then    func(e *env)
	}{
		"revoked": {nil, func(e *env) {
			require.NoError(e.t, e.authz.DeleteGrant(e.ctx, addr("agent"), addr("payer"), sdk.MsgTypeURL(&types.MsgDeposit{})))
		}},
		"of another kind": {nil, func(e *env) {
			require.NoError(e.t, e.authz.SaveGrant(e.ctx, addr("agent"), addr("payer"), authz.NewGenericAuthorization(sdk.MsgTypeURL(&types.MsgDeposit{})), nil))
		}},
		"ends with the block": {&soon, func(*env) {}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.allow(&types.SpendAuthorization{Limit: 10 * whole}, c.expires)
			r, err := exec(e, agentMsg(3*whole))
			require.NoError(t, err)
			payer := e.rao("payer")
			e.close("payer", r.ChannelId)
			c.then(e)
			e.blocks(delay + 1)
			require.Equal(t, payer+3*whole, e.rao("payer"))
			events := e.events(&types.EventAllowanceRestored{})
			require.Len(t, events, 1)
			require.Contains(t, events[0], `amount="0"`)
			require.Empty(t, e.events(&types.EventWorkPutOff{}))
		})
	}
}

func TestSection10AuthorizationsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, a := range map[string]types.SpendAuthorization{
		"of nobody":                {Limit: 1},
		"of no address":            {Spender: "x", Limit: 1},
		"a period of no time":      {Spender: str("agent"), PerPeriod: 1},
		"a period of nothing":      {Spender: str("agent"), Period: 1},
		"a negative period":        {Spender: str("agent"), PerPeriod: 1, Period: -1},
		"a period of ages":         {Spender: str("agent"), PerPeriod: 1, Period: 1 << 40},
		"more left than a period":  {Spender: str("agent"), PerPeriod: 1, Period: 1, PeriodLeft: 2},
		"a reset before all":       {Spender: str("agent"), PerPeriod: 1, Period: 1, PeriodReset: -1},
		"more services than pages": {Spender: str("agent"), ServiceIds: make([]uint64, types.MaxAllowed+1)},
		"more subnets than pages":  {Spender: str("agent"), Netuids: make([]uint32, types.MaxAllowed+1)},
	} {
		t.Run(name, func(t *testing.T) { require.Error(t, a.ValidateBasic()) })
	}
	a := &types.SpendAuthorization{Spender: str("agent"), Limit: 1}
	_, err := a.Accept(newEnv(t).ctx, &types.MsgClose{})
	require.ErrorContains(t, err, "for deposits alone")
}

func TestSection10ThePayerNamesNobodyForWhatItDoesItself(t *testing.T) {
	e := newEnv(t)
	m := openMsg("payer", whole)
	m.Spender = str("payer")
	refused(t, e, e.msgs.Deposit, m, types.ErrSpender, "leave spender empty")
	m.Spender = "x"
	_, err := send(e, e.msgs.Deposit, m)
	require.Error(t, err)
}
