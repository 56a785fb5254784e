package keeper_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/pool"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// fair is a split with something for everybody.
var fair = types.RevenueSplit{Provider: 600_000, Burn: 200_000, Miners: 150_000, Owner: 50_000}

func splits(p *types.Params) { p.DefaultSplit = fair }

func TestSection10APaymentIsDividedBySplit(t *testing.T) {
	e := newEnv(t, splits)
	before, owner, provider := e.pool(), e.rao("owner"), e.rao("provider")
	id := e.open("payer", 10*whole)
	r := e.redeem("provider", signed("payer", id, whole/10))
	require.EqualValues(t, whole/10*6/10, r.Provider)
	require.Equal(t, provider+r.Provider, e.rao("provider"))
	require.Equal(t, types.Revenue{
		SubnetId: 1, Netuid: 1, Total: whole / 10, Provider: whole / 10 * 6 / 10, Claims: 1,
		PendingBurn: whole / 10 / 5, PendingMiners: whole / 10 * 15 / 100, PendingOwner: whole / 10 / 20,
	}, e.revenue())
	require.Equal(t, owner, e.rao("owner"))
	e.blocks(1)
	require.Equal(t, owner+whole/10/20, e.rao("owner"))
	require.Equal(t, before.TaoReserve, e.revenue().Reserve, "measured")
	e.blocks(1)
	after, done := e.pool(), e.revenue()
	require.Zero(t, done.Pending())
	require.EqualValues(t, whole/10/5, done.BurnTao)
	require.EqualValues(t, whole/10*15/100, done.MinersTao)
	require.Equal(t, before.TaoReserve+done.BurnTao+done.MinersTao, after.TaoReserve)
	require.Equal(t, before.AlphaBurned+done.Burned, after.AlphaBurned)
	require.Equal(t, before.AlphaPending+done.Miners, after.AlphaPending)
	require.Equal(t, e.economy.revenue[1], done.Miners)
	trade, err := before.Reserves().Buy(done.BurnTao, pool.Rules{Fee: alphatypes.DefaultParams().TradeFee})
	require.NoError(t, err)
	require.Equal(t, trade.Out, done.Burned, "for the fee that all pay")
	require.Equal(t, e.held(), 10*uint64(whole)-whole/10)
	require.Len(t, e.events(&types.EventRevenueSpent{}), 1)
	require.Len(t, e.events(&types.EventOwnerPaid{}), 1)
}

func TestSection10PartsAreRoundedDownAndSumToThePayment(t *testing.T) {
	for _, amount := range []uint64{0, 1, 2, 3, 19, 20, 999_999, 1_000_001, 1<<64 - 1} {
		for _, s := range []types.RevenueSplit{fair, {Provider: types.Million}, {Provider: 333_333, Burn: 333_333, Miners: 333_333, Owner: 1}} {
			p := s.Divide(amount)
			require.Equal(t, amount, p.Provider+p.Burn+p.Miners+p.Owner)
			require.GreaterOrEqual(t, p.Provider, types.RevenueSplit{Provider: types.Million - s.Provider, Burn: s.Provider}.Divide(amount).Burn)
		}
	}
}

func TestSection10PurchasesOfABlockAreBoundedAndNothingIsLost(t *testing.T) {
	e := newEnv(t, splits)
	id := e.open("payer", 1_000*whole)
	e.redeem("provider", signed("payer", id, 1_000*whole))
	total := e.revenue()
	for e.revenue().Pending() > 0 {
		before := e.pool()
		most := before.TaoReserve * 400 / types.Million // it grows by these purchases alone
		e.blocks(1)
		spent := e.pool().TaoReserve - before.TaoReserve
		require.LessOrEqual(t, spent, most)
		require.Less(t, float64(e.pool().TaoReserve)/float64(before.TaoReserve), 1.0005, "a trade there and back costs twice 0.05 %")
	}
	done := e.revenue()
	require.Equal(t, total.PendingBurn, done.BurnTao)
	require.Equal(t, total.PendingMiners, done.MinersTao)
	require.Equal(t, total.PendingOwner, done.Owner)
	require.Greater(t, len(e.events(&types.EventRevenueSpent{})), 10)
}

// TestASandwichOfAPurchaseLoses: whoever buys before the purchase that all can foresee
// and sells after it pays more in fees than the price moves.
func TestSection10ASandwichOfAPurchaseLoses(t *testing.T) {
	for _, stake := range []uint64{whole, 100 * whole, 1_000 * whole, 5_000 * whole, 19_000 * whole} {
		e := newEnv(t, splits)
		id := e.open("payer", 1_000*whole)
		e.redeem("provider", signed("payer", id, 1_000*whole))
		e.blocks(1)
		before := e.rao("other")
		_, err := send(e, e.alphaMsgs.Stake, &alphatypes.MsgStake{Coldkey: str("other"), Hotkey: hotText("other"), Netuid: 1, Tao: stake, LimitPrice: dear})
		require.NoError(t, err)
		alpha, err := e.alpha.StakeOf(e.ctx, 1, addr(hot("other")), addr("other"))
		require.NoError(t, err)
		e.blocks(1)
		_, err = send(e, e.alphaMsgs.Unstake, &alphatypes.MsgUnstake{Coldkey: str("other"), Hotkey: hotText("other"), Netuid: 1, Alpha: alpha, LimitPrice: 1})
		require.NoError(t, err)
		require.Less(t, e.rao("other"), before, "with %d rao", stake)
	}
}

func TestSection10TheOwnerSetsTheSplitWithNotice(t *testing.T) {
	e := newEnv(t)
	m := &types.MsgSetRevenueSplit{Coldkey: str("owner"), Netuid: 1, Split: fair}
	r, err := send(e, e.msgs.SetRevenueSplit, m)
	require.NoError(t, err)
	require.Equal(t, e.ctx.BlockHeight()+20, r.Height)
	q := func() *types.QueryRevenueResponse {
		r, err := e.query.Revenue(e.ctx, &types.QueryRevenueRequest{Netuid: 1})
		require.NoError(t, err)
		return r
	}
	require.Equal(t, types.LocalParams().DefaultSplit, q().Split)
	require.Equal(t, &types.ScheduledSplit{Split: fair, Height: r.Height}, q().Scheduled)
	e.blocks(19)
	require.Equal(t, types.LocalParams().DefaultSplit, q().Split)
	e.blocks(1)
	require.Equal(t, fair, q().Split)
	require.Nil(t, q().Scheduled)

	all := types.RevenueSplit{Provider: types.Million}
	m.Split = all
	_, err = send(e, e.msgs.SetRevenueSplit, m)
	require.NoError(t, err)
	require.Equal(t, fair, q().Split, "until then the one before")
	m.Split = fair
	_, err = send(e, e.msgs.SetRevenueSplit, m)
	require.NoError(t, err)
	e.blocks(30)
	require.Equal(t, fair, q().Split, "the second replaced the first")

	for name, c := range map[string]struct {
		change func(*types.MsgSetRevenueSplit)
		want   error
	}{
		"by somebody else":         {func(m *types.MsgSetRevenueSplit) { m.Coldkey = str("provider") }, types.ErrNotYours},
		"by the hotkey":            {func(m *types.MsgSetRevenueSplit) { m.Coldkey = hotText("owner") }, types.ErrNotYours},
		"of no subnet":             {func(m *types.MsgSetRevenueSplit) { m.Netuid = 5 }, subnetstypes.ErrNoSubnet},
		"that does not add up":     {func(m *types.MsgSetRevenueSplit) { m.Split.Burn++ }, types.ErrSplit},
		"that overflows":           {func(m *types.MsgSetRevenueSplit) { m.Split = types.RevenueSplit{Provider: 1<<32 - 1, Burn: 1_000_001} }, types.ErrSplit},
		"too little for providers": {func(m *types.MsgSetRevenueSplit) { m.Split = types.RevenueSplit{Provider: 400_000, Burn: 600_000} }, types.ErrSplit},
		"too much for the owner":   {func(m *types.MsgSetRevenueSplit) { m.Split = types.RevenueSplit{Provider: 500_000, Owner: 500_000} }, types.ErrSplit},
	} {
		t.Run(name, func(t *testing.T) {
			m := &types.MsgSetRevenueSplit{Coldkey: str("owner"), Netuid: 1, Split: fair}
			c.change(m)
			refused(t, e, e.msgs.SetRevenueSplit, m, c.want)
		})
	}
}

func TestSection10ThePriceWithoutRevenue(t *testing.T) {
	e := newEnv(t, splits)
	q := func() *types.QueryRevenueResponse {
		r, err := e.query.Revenue(e.ctx, &types.QueryRevenueRequest{Netuid: 1})
		require.NoError(t, err)
		return r
	}
	require.Equal(t, q().Price, q().PriceWithout)
	before := q().Price
	id := e.open("payer", 10*whole)
	e.redeem("provider", signed("payer", id, whole))
	e.blocks(5)
	require.Equal(t, before, q().PriceWithout, "all else is the same")
	require.NotEqual(t, before, q().Price)

	g := e.exported()
	g.Revenues[0].BurnTao, g.Revenues[0].Total = 1<<62, g.Revenues[0].Total+1<<62-g.Revenues[0].BurnTao
	require.NoError(t, e.k.InitGenesis(e.ctx, types.GenesisState{Params: g.Params, NextServiceId: g.NextServiceId, NextPlanId: g.NextPlanId, Revenues: g.Revenues}))
	require.Equal(t, "0", q().PriceWithout, "more than the pool has")
}

func TestSection10APoolThatCantBeBoughtFromKeepsNobodyWaiting(t *testing.T) {
	e := newEnv(t, splits)
	e.people("second")
	require.EqualValues(t, 2, e.create("second"))
	m := listMsg("second", "chat")
	m.Netuid = 2
	_, err := send(e, e.msgs.ListService, m)
	require.NoError(t, err)
	id := e.open("payer", 10*whole)
	other := openMsg("payer", 10*whole)
	other.ServiceId = 2
	r, err := send(e, e.msgs.Deposit, other)
	require.NoError(t, err)
	e.redeem("provider", signed("payer", id, whole))
	e.redeem("second", signed("payer", r.ChannelId, whole))
	owner := e.rao("owner")

	e.faulty.buy = errors.New("the pool is broken")
	e.blocks(2)
	require.Equal(t, owner+whole/20, e.rao("owner"), "the owner is paid all the same")
	require.Len(t, e.events(&types.EventWorkPutOff{}), 2)
	require.EqualValues(t, whole*35/100, e.revenue().Pending())
	e.faulty.buy = nil
	e.economy.add = errors.New("x/emission is broken")
	before := e.pool()
	e.blocks(1)
	require.Equal(t, before, e.pool(), "half of it would be alpha of nobody")
	e.economy.add = nil
	e.blocks(20)
	require.Zero(t, e.revenue().Pending())
}

func TestSection10RevenueThatBuysNothingWaits(t *testing.T) {
	e := newEnv(t, splits)
	id := e.open("payer", 10*whole)
	e.redeem("provider", signed("payer", id, 7)) // a rao for burning, one for miners
	e.blocks(3)
	require.EqualValues(t, 2, e.revenue().Pending())
	require.Empty(t, e.events(&types.EventWorkPutOff{}))
	e.redeem("provider", signed("payer", id, whole))
	e.blocks(20)
	require.Zero(t, e.revenue().Pending())
}

// TestARemovedSubnetsRevenueIsRecycledAndItsProvidersGetAll: a new subnet takes the
// slot of one, and inherits nothing.
func TestSection10ARemovedSubnetsRevenueIsRecycledAndItsProvidersGetAll(t *testing.T) {
	e := newEnv(t, splits)
	id, plan := e.open("payer", 10*whole), e.offer()
	subscribed := e.subscribe("other", 20*whole, plan)
	_, err := send(e, e.msgs.SetRevenueSplit, &types.MsgSetRevenueSplit{Coldkey: str("owner"), Netuid: 1, Split: fair})
	require.NoError(t, err)
	e.redeem("provider", signed("payer", id, whole))
	waits := e.revenue().Pending()
	require.NotZero(t, waits)
	supply, held := e.supply(), e.held()

	p, err := e.subnets.Params(e.ctx)
	require.NoError(t, err)
	p.MaxSubnets, p.NetworkImmunity = 1, 0
	_, err = send(e, e.subnetsMsgs.UpdateParams, &subnetstypes.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	e.people("second")
	supply += 20_000 * whole
	require.EqualValues(t, 1, e.create("second"), "in the same slot")
	require.LessOrEqual(t, e.supply(), supply-waits)
	require.Equal(t, held-waits, e.held())
	require.Len(t, e.events(&types.EventRevenueRecycled{}), 1)
	require.Equal(t, types.Revenue{SubnetId: 2, Netuid: 1}, e.revenue())
	require.Empty(t, e.exported().Splits)
	listed, err := e.query.Services(e.ctx, &types.QueryServicesRequest{})
	require.NoError(t, err)
	require.Empty(t, listed.Services, "before the sweep already")
	refused(t, e, e.msgs.Deposit, openMsg("other", whole), subnetstypes.ErrNoSubnet)

	r := e.redeem("provider", signed("payer", id, 2*whole))
	require.EqualValues(t, whole, r.Provider)
	require.Zero(t, e.revenue().Total)
	e.blocks(150) // swept, and a period of the subscription
	require.Contains(t, e.events(&types.EventServiceUnlisted{})[0], `reason="subnet_removed"`)
	c, open := e.channel(subscribed)
	require.True(t, open)
	require.EqualValues(t, 10*whole, c.Claimed)
	require.Zero(t, e.held()-8*whole-10*whole)
	e.close("provider", id)
	e.close("provider", subscribed)
	require.Empty(t, e.exported().Services)
	require.Zero(t, e.held())
}

func TestSection10TotalsThatDontFitStayAtTheMost(t *testing.T) {
	r := types.Revenue{Total: 1<<64 - 3, Provider: 1<<64 - 3}
	r.Add(types.Parts{Provider: 6, Burn: 2, Owner: 1})
	require.EqualValues(t, uint64(1<<64-1), r.Total)
	require.Equal(t, r.Total, r.Parted())
	r.PendingOwner, r.Owner = 0, 1
	require.Equal(t, r.Total, r.Parted())
}
