package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/market/types"
)

func TestSection10APlanIsRenewedUntilTheDepositDoesNotReach(t *testing.T) {
	e := newEnv(t)
	payer, provider := e.rao("payer"), e.rao("provider")
	id := e.subscribe("payer", 25*whole, e.offer())
	c, _ := e.channel(id)
	require.Equal(t, c.Subscription.PeriodStart+100, c.Subscription.PeriodEnd)
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, 400)))
	require.Equal(t, types.REDEEM_OVER_DEPOSIT, e.status("provider", signed("payer", id, 1_001)), "over the quota")
	require.Equal(t, provider, e.rao("provider"), "units pay nothing")
	e.blocks(100)
	require.Equal(t, provider, e.rao("provider"))
	e.blocks(1)
	require.Equal(t, provider+10*whole*85/100, e.rao("provider"))

	c, _ = e.channel(id)
	require.Equal(t, &types.Subscription{
		PlanId: 1, Price: 10 * whole, Period: 100, Quota: 1_000, UsedBefore: 1_000, Used: 1_000,
		PeriodStart: 1_700_000_100, PeriodEnd: 1_700_000_200,
	}, c.Subscription)
	require.Equal(t, types.REDEEM_STALE, e.status("provider", signed("payer", id, 900)), "of the period before")
	require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, 2_000)))
	e.blocks(100)
	_, open := e.channel(id)
	require.False(t, open, "5 TAO are left, and a period costs 10")
	require.Equal(t, payer-20*whole, e.rao("payer"))
	require.Contains(t, e.events(&types.EventClosed{})[0], `reason="unpaid"`)
	require.Len(t, e.events(&types.EventPeriodBegun{}), 2)
	plan, err := e.query.Service(e.ctx, &types.QueryServiceRequest{ServiceId: 1})
	require.NoError(t, err)
	require.Zero(t, plan.Service.Plans[0].Subscriptions)
}

func TestSection10AToppedUpPlanGoesOn(t *testing.T) {
	e := newEnv(t)
	id := e.subscribe("payer", 10*whole, e.offer())
	e.topUp("payer", id, 10*whole)
	e.blocks(150)
	_, open := e.channel(id)
	require.True(t, open)
}

func TestSection10ACancelledPlanEndsWithItsPeriod(t *testing.T) {
	e := newEnv(t)
	payer := e.rao("payer")
	id := e.subscribe("payer", 30*whole, e.offer())
	c, _ := e.channel(id)
	refused(t, e, e.msgs.CancelPlan, &types.MsgCancelPlan{Signer: str("provider"), ChannelId: id}, types.ErrNotYours)
	require.Equal(t, c.Subscription.PeriodEnd, e.cancel("payer", id, false))
	require.Equal(t, c.Subscription.PeriodEnd, e.cancel("payer", id, false), "again: the same")
	require.Len(t, e.events(&types.EventPlanCancelled{}), 1)
	refused(t, e, e.msgs.Deposit, &types.MsgDeposit{Payer: str("payer"), Amount: 1, ChannelId: id}, types.ErrClosing)
	e.blocks(101)
	_, open := e.channel(id)
	require.False(t, open)
	require.Equal(t, payer-10*whole, e.rao("payer"))
}

func TestSection10WhatOfAPeriodIsNeitherPastNorUsedGoesBack(t *testing.T) {
	for name, c := range map[string]struct {
		after int    // blocks until it is cancelled; the close delay comes on top
		used  uint64 // redeemed in the delay
		paid  uint64
	}{
		"by time":                        {10, 0, 7 * whole},   // 70 of 100 seconds
		"by use":                         {10, 900, 9 * whole}, // 900 of 1,000 units
		"at once, unused":                {0, 0, 6 * whole},
		"all used":                       {0, 1_000, 10 * whole},
		"the delay reaches the end":      {39, 0, 99 * whole / 10},
		"the delay goes beyond the end":  {40, 0, 10 * whole},
		"the delay goes far over it":     {90, 0, 10 * whole},
		"use that is less than the time": {20, 799, 8 * whole},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			payer := e.rao("payer")
			id := e.subscribe("payer", 15*whole, e.offer())
			e.blocks(c.after)
			ends := e.cancel("payer", id, true)
			require.LessOrEqual(t, ends, int64(1_700_000_100))
			if c.used > 0 {
				e.blocks(5)
				require.Equal(t, types.REDEEM_PAID, e.status("provider", signed("payer", id, c.used)))
			}
			e.blocks(120)
			_, open := e.channel(id)
			require.False(t, open)
			require.Equal(t, payer-c.paid, e.rao("payer"))
		})
	}
}

func TestSection10ThePayersCloseOfAPlanIsACancellation(t *testing.T) {
	e := newEnv(t)
	payer := e.rao("payer")
	id := e.subscribe("payer", 15*whole, e.offer())
	e.close("payer", id)
	refused(t, e, e.msgs.CancelPlan, &types.MsgCancelPlan{Signer: str("payer"), ChannelId: id, Now: true}, types.ErrClosing)
	e.blocks(delay + 1)
	require.Equal(t, payer-6*whole, e.rao("payer"))
}

func TestSection10TheProviderEndsAPlanAndKeepsWhatIsPast(t *testing.T) {
	e := newEnv(t)
	payer := e.rao("payer")
	id := e.subscribe("payer", 15*whole, e.offer())
	e.blocks(25)
	require.EqualValues(t, 125*whole/10, e.close("provider", id).Refunded)
	require.Equal(t, payer-25*whole/10, e.rao("payer"))
}

func TestSection10WhatIsOwedIsRoundedUpOnce(t *testing.T) {
	s := types.Subscription{Price: 10, Period: 3, Quota: 7}
	for elapsed, want := range map[int64]uint64{-5: 0, 0: 0, 1: 4, 2: 7, 3: 10, 1 << 60: 10} {
		require.Equal(t, want, s.Owed(elapsed), "after %d seconds", elapsed)
	}
	s.UsedBefore, s.Used = 7, 8
	require.EqualValues(t, 2, s.Owed(0))
	s = types.Subscription{Price: 1<<64 - 1, Period: 1<<28 - 1, Quota: 1<<64 - 1, Used: 1<<64 - 2}
	require.EqualValues(t, uint64(1<<64-2), s.Owed(0))
	require.EqualValues(t, uint64(1<<64-1), s.Owed(1<<28))
}

func TestSection10APlanEndsWhereItsUnitsCantBeCounted(t *testing.T) {
	e := newEnv(t)
	r, err := send(e, e.msgs.OfferPlan, &types.MsgOfferPlan{Signer: str("provider"), ServiceId: 1, Name: "huge", Price: whole, Period: 100, Quota: 1 << 63})
	require.NoError(t, err)
	id := e.subscribe("payer", 10*whole, r.PlanId)
	e.blocks(101)
	_, open := e.channel(id)
	require.False(t, open)
	require.Contains(t, e.events(&types.EventClosed{})[0], `reason="plan_ended"`)
}

func TestSection10ARetiredPlansSubscriptionsGoOnAsAgreed(t *testing.T) {
	e := newEnv(t)
	plan := e.offer()
	id := e.subscribe("payer", 30*whole, plan)
	refused(t, e, e.msgs.RetirePlan, &types.MsgRetirePlan{Signer: str("rival"), PlanId: plan}, types.ErrNotYours)
	_, err := send(e, e.msgs.RetirePlan, &types.MsgRetirePlan{Signer: str("provider"), PlanId: plan})
	require.NoError(t, err)
	refused(t, e, e.msgs.RetirePlan, &types.MsgRetirePlan{Signer: str("provider"), PlanId: plan}, types.ErrPlan)
	m := openMsg("other", 10*whole)
	m.PlanId, m.MaxPrice = plan, 10*whole
	refused(t, e, e.msgs.Deposit, m, types.ErrPlan, "not offered")
	e.blocks(150)
	_, open := e.channel(id)
	require.True(t, open)
	e.close("provider", id)
	require.Empty(t, e.exported().Plans)
}

func TestSection10SubscriptionsThatCantBeAreRefused(t *testing.T) {
	e := newEnv(t)
	e.list("rival", "chat")
	plan := e.offer()
	for name, c := range map[string]struct {
		change func(*types.MsgDeposit)
		want   error
	}{
		"of another service":      {func(m *types.MsgDeposit) { m.ServiceId = 2 }, types.ErrNoPlan},
		"of no plan":              {func(m *types.MsgDeposit) { m.PlanId = 9 }, types.ErrNoPlan},
		"dearer than quoted":      {func(m *types.MsgDeposit) { m.MaxPrice-- }, types.ErrPrice},
		"without a highest price": {func(m *types.MsgDeposit) { m.MaxPrice = 0 }, types.ErrPlan},
		"a price without a plan":  {func(m *types.MsgDeposit) { m.PlanId = 0 }, types.ErrPlan},
		"for too little":          {func(m *types.MsgDeposit) { m.Amount = 10*whole - 1 }, types.ErrAmount},
	} {
		t.Run(name, func(t *testing.T) {
			m := openMsg("payer", 10*whole)
			m.PlanId, m.MaxPrice = plan, 10*whole
			c.change(m)
			refused(t, e, e.msgs.Deposit, m, c.want)
		})
	}
	for name, change := range map[string]func(*types.MsgOfferPlan){
		"for nothing":      func(m *types.MsgOfferPlan) { m.Price = 0 },
		"of nothing":       func(m *types.MsgOfferPlan) { m.Quota = 0 },
		"of no time":       func(m *types.MsgOfferPlan) { m.Period = 0 },
		"of a moment":      func(m *types.MsgOfferPlan) { m.Period = 1 },
		"of ages":          func(m *types.MsgOfferPlan) { m.Period = 1 << 62 },
		"of negative time": func(m *types.MsgOfferPlan) { m.Period = -100 },
	} {
		t.Run("a plan "+name, func(t *testing.T) {
			m := &types.MsgOfferPlan{Signer: str("provider"), ServiceId: 1, Name: "x", Price: 1, Period: 100, Quota: 1}
			change(m)
			refused(t, e, e.msgs.OfferPlan, m, types.ErrPlan)
		})
	}
	id := e.open("payer", whole)
	refused(t, e, e.msgs.CancelPlan, &types.MsgCancelPlan{Signer: str("payer"), ChannelId: id}, types.ErrPlan, "by use")
}
