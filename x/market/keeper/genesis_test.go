package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/voucher"
	"github.com/lodenet/lode/x/market/types"
)

// busy is a state with something of everything: channels that are open, that close and
// that an agent opened, subscriptions, a service and a plan that go on without being
// offered, a split to come, revenue that waits.
func busy(t *testing.T) *env {
	e := newEnv(t, splits)
	e.list("rival", "chat")
	id, plan := e.open("payer", 500*whole), e.offer()
	e.subscribe("payer", 35*whole, plan)
	e.subscribe("other", 15*whole, e.offer())
	e.allow(&types.SpendAuthorization{Limit: 10 * whole}, nil)
	r, err := exec(e, agentMsg(3*whole))
	require.NoError(t, err)
	other := openMsg("other", 2*whole)
	other.ServiceId = 2
	_, err = send(e, e.msgs.Deposit, other)
	require.NoError(t, err)
	_, err = send(e, e.msgs.UnlistService, &types.MsgUnlistService{Signer: str("rival"), ServiceId: 2})
	require.NoError(t, err)
	_, err = send(e, e.msgs.RetirePlan, &types.MsgRetirePlan{Signer: str("provider"), PlanId: plan})
	require.NoError(t, err)
	for range 2 {
		_, err = send(e, e.msgs.SetRevenueSplit, &types.MsgSetRevenueSplit{Coldkey: str("owner"), Netuid: 1, Split: fair})
		require.NoError(t, err)
		e.blocks(21)
	}
	_, err = send(e, e.msgs.SetRevenueSplit, &types.MsgSetRevenueSplit{Coldkey: str("owner"), Netuid: 1, Split: types.RevenueSplit{Provider: 700_000, Burn: 300_000}})
	require.NoError(t, err)
	e.close("payer", r.ChannelId)
	e.redeem("provider", signed("payer", id, 400*whole))
	e.blocks(5)
	return e
}

func TestGenesisRoundTripsExactlyAndGoesOn(t *testing.T) {
	e := busy(t)
	g := e.exported()
	require.NoError(t, g.Validate())
	for _, n := range []int{len(g.Services), len(g.Plans), len(g.Channels), len(g.Splits), len(g.Revenues)} {
		require.NotZero(t, n)
	}
	require.NotZero(t, g.Revenues[0].Pending())
	require.NotNil(t, g.Splits[0].Split)
	other := e.imported()
	require.Equal(t, g, other.exported())
	other.holds()

	for _, x := range []*env{e, other} {
		x.blocks(130) // the agent's channel closes, periods end
		x.list("provider", "more")
		x.offer()
		x.blocks(10)
	}
	require.Equal(t, e.exported(), other.exported())
	require.Equal(t, e.left(), other.left())
	require.Equal(t, e.supply(), other.supply())
	require.Equal(t, e.rao("payer"), other.rao("payer"))
}

// imported is a chain that begins with an export of this one.
func (e *env) imported() *env {
	alpha, err := e.alpha.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	subnets, err := e.subnets.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	next := bare(e.t)
	next.ctx = next.ctx.WithBlockHeight(e.ctx.BlockHeight()).WithBlockTime(e.ctx.BlockTime())
	next.ctx = next.ctx.WithBlockHeader(headerAt(next.ctx))
	next.bank.InitGenesis(next.ctx, e.bank.ExportGenesis(e.ctx))
	require.NoError(e.t, next.alpha.InitGenesis(next.ctx, *alpha))
	require.NoError(e.t, next.subnets.InitGenesis(next.ctx, *subnets))
	next.authz.InitGenesis(next.ctx, e.authz.ExportGenesis(e.ctx))
	require.NoError(e.t, next.k.InitGenesis(next.ctx, *e.exported()))
	for id, alpha := range e.economy.revenue {
		next.economy.revenue[id] = alpha
	}
	return next
}

// byUse and subscribed are a channel of either kind.
func byUse(g *types.GenesisState) *types.Channel {
	return kind(g, func(c types.Channel) bool { return c.Subscription == nil && !c.Closing() })
}

func subscribed(g *types.GenesisState) *types.Channel {
	return kind(g, func(c types.Channel) bool { return c.Subscription != nil })
}

func kind(g *types.GenesisState, is func(types.Channel) bool) *types.Channel {
	for i := range g.Channels {
		if is(g.Channels[i]) {
			return &g.Channels[i]
		}
	}
	panic("there is none")
}

func TestGenesisThatContradictsItselfIsRefused(t *testing.T) {
	e := busy(t)
	for name, change := range map[string]func(*types.GenesisState){
		"parameters":              func(g *types.GenesisState) { g.Params.MaxItems = 0 },
		"a default split":         func(g *types.GenesisState) { g.Params.DefaultSplit.Burn++ },
		"a service twice":         func(g *types.GenesisState) { g.Services = append(g.Services, g.Services[0]) },
		"a service of the future": func(g *types.GenesisState) { g.NextServiceId = 2 },
		"service 0":               func(g *types.GenesisState) { g.Services[0].Id = 0 },
		"two services of a name": func(g *types.GenesisState) {
			s := g.Services[0]
			s.Id = 9
			g.NextServiceId = 10
			g.Services = append(g.Services, s)
		},
		"a service kept for nothing":     func(g *types.GenesisState) { g.Services[1].Channels = 0 },
		"a service without a unit":       func(g *types.GenesisState) { g.Services[0].Unit = 0 },
		"too many channels":              func(g *types.GenesisState) { g.Services[0].Channels++ },
		"too many plans":                 func(g *types.GenesisState) { g.Services[0].Plans++ },
		"a plan twice":                   func(g *types.GenesisState) { g.Plans = append(g.Plans, g.Plans[0]) },
		"a plan of the future":           func(g *types.GenesisState) { g.NextPlanId = 1 },
		"a plan of no service":           func(g *types.GenesisState) { g.Plans[0].ServiceId = 7 },
		"a plan for nothing":             func(g *types.GenesisState) { g.Plans[0].Price = 0 },
		"a plan that nobody has":         func(g *types.GenesisState) { g.Plans[0].Subscriptions = 0 },
		"too many subscriptions":         func(g *types.GenesisState) { g.Plans[0].Subscriptions++ },
		"an offered plan of no listing":  func(g *types.GenesisState) { g.Services[0].Listed = false },
		"a channel twice":                func(g *types.GenesisState) { g.Channels = append(g.Channels, g.Channels[0]) },
		"a channel of a short id":        func(g *types.GenesisState) { g.Channels[0].Id = g.Channels[0].Id[:31] },
		"a channel of a weak key":        func(g *types.GenesisState) { g.Channels[0].SessionKey = make([]byte, voucher.KeySize) },
		"a channel of no service":        func(g *types.GenesisState) { byUse(g).ServiceId = 77 },
		"a channel of somebody else":     func(g *types.GenesisState) { byUse(g).Provider = str("owner") },
		"a channel of another subnet":    func(g *types.GenesisState) { byUse(g).SubnetId++ },
		"more claimed than there was":    func(g *types.GenesisState) { byUse(g).Claimed = byUse(g).Deposit + 1 },
		"spent by nobody":                func(g *types.GenesisState) { byUse(g).Spent = 1 },
		"no delay":                       func(g *types.GenesisState) { byUse(g).CloseDelay = 0 },
		"half a closing":                 func(g *types.GenesisState) { byUse(g).ClosingHeight = 1 },
		"a look for nothing":             func(g *types.GenesisState) { byUse(g).LookTime = 1 },
		"a subscription nobody looks at": func(g *types.GenesisState) { subscribed(g).LookTime = 0 },
		"a subscription of another plan": func(g *types.GenesisState) { subscribed(g).Subscription.PlanId = 7 },
		"an odd period":                  func(g *types.GenesisState) { subscribed(g).Subscription.PeriodEnd++ },
		"a price that is not there":      func(g *types.GenesisState) { subscribed(g).Subscription.Price = 1 << 60 },
		"units before the period":        func(g *types.GenesisState) { subscribed(g).Subscription.UsedBefore = 1 },
		"units over the quota":           func(g *types.GenesisState) { subscribed(g).Subscription.Used = 1_001 },
		"units past 64 bits":             func(g *types.GenesisState) { s := subscribed(g).Subscription; s.UsedBefore, s.Used = 1<<64-1, 1<<64-1 },
		"a split twice":                  func(g *types.GenesisState) { g.Splits = append(g.Splits, g.Splits[0]) },
		"a split that was never set":     func(g *types.GenesisState) { g.Splits[0].Scheduled = nil },
		"a split that does not add up":   func(g *types.GenesisState) { g.Splits[0].Split.Burn++ },
		"one to come that doesn't":       func(g *types.GenesisState) { g.Splits[0].Scheduled.Split.Burn++ },
		"a revenue twice":                func(g *types.GenesisState) { g.Revenues = append(g.Revenues, g.Revenues[0]) },
		"a revenue of other parts":       func(g *types.GenesisState) { g.Revenues[0].Total++ },
	} {
		t.Run(name, func(t *testing.T) {
			g := e.exported()
			change(g)
			require.Error(t, g.Validate())
		})
	}
	require.NoError(t, types.DefaultGenesis().Validate())
	require.NoError(t, types.LocalParams().Validate())
}

func TestParametersOutOfBoundsAreRefused(t *testing.T) {
	e := newEnv(t)
	for name, change := range map[string]func(*types.Params){
		"no deposit":        func(p *types.Params) { p.MinDeposit = 0 },
		"a huge deposit":    func(p *types.Params) { p.MinDeposit = 1 << 62 },
		"no delay":          func(p *types.Params) { p.MinCloseDelay = 0 },
		"delays crossed":    func(p *types.Params) { p.MaxCloseDelay = 1 },
		"an endless delay":  func(p *types.Params) { p.MaxCloseDelay = 1 << 40 },
		"many items":        func(p *types.Params) { p.MaxItems = 1 << 20 },
		"no services":       func(p *types.Params) { p.MaxServices = 0 },
		"many services":     func(p *types.Params) { p.MaxServices = 33 },
		"many plans":        func(p *types.Params) { p.MaxPlans = 33 },
		"no period":         func(p *types.Params) { p.MinPeriod = 0 },
		"an endless period": func(p *types.Params) { p.MaxPeriod = 1 << 40 },
		"over a million":    func(p *types.Params) { p.MinProviderShare = types.Million + 1 },
		"an owner's":        func(p *types.Params) { p.MaxOwnerShare = types.Million + 1 },
		"a default beyond":  func(p *types.Params) { p.MinProviderShare = types.Million },
		"negative notice":   func(p *types.Params) { p.SplitNotice = -1 },
		"endless notice":    func(p *types.Params) { p.SplitNotice = 1 << 62 },
		"nothing to buy":    func(p *types.Params) { p.MaxBuy = 0 },
		"all to buy":        func(p *types.Params) { p.MaxBuy = types.Million + 1 },
		"no work":           func(p *types.Params) { p.WorkPerBlock = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			p := types.LocalParams()
			change(&p)
			refused(t, e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: p}, types.ErrInvalidParams)
		})
	}
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("owner"), Params: types.LocalParams()})
	require.ErrorContains(t, err, "only governance")
	p := types.LocalParams()
	p.MaxItems = 7
	_, err = send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	r, err := e.query.Params(e.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, p, r.Params)
}

func TestInvariantsSeeWhatIsWrong(t *testing.T) {
	load := func(change func(*types.GenesisState)) func(*env) {
		return func(e *env) {
			g := e.exported()
			change(g)
			require.NoError(e.t, e.k.InitGenesis(e.ctx, *g))
		}
	}
	for name, spoil := range map[string]func(e *env){
		"a deposit that is gone": func(e *env) {
			require.NoError(e.t, e.bank.SendCoinsFromModuleToModule(e.ctx, types.ModuleName, source, coins(1)))
		},
		"coins of nobody": func(e *env) {
			require.NoError(e.t, e.bank.SendCoinsFromAccountToModule(e.ctx, addr("payer"), types.ModuleName, coins(1)))
		},
		"a claim of nobody's":             load(func(g *types.GenesisState) { byUse(g).Claimed++ }),
		"a channel without a look":        load(func(g *types.GenesisState) { subscribed(g).LookTime++ }),
		"a revenue of other parts":        load(func(g *types.GenesisState) { g.Revenues[0].Total++ }),
		"a revenue of no subnet":          load(func(g *types.GenesisState) { g.Revenues[0].SubnetId = 7 }),
		"a split of no subnet":            load(func(g *types.GenesisState) { g.Splits[0].SubnetId = 7 }),
		"a service with too few channels": load(func(g *types.GenesisState) { g.Services[0].Channels-- }),
		"a service with too many plans":   load(func(g *types.GenesisState) { g.Services[0].Plans++ }),
		"a plan with too many":            load(func(g *types.GenesisState) { g.Plans[0].Subscriptions++ }),
		"a plan of no service":            load(func(g *types.GenesisState) { p := g.Plans[0]; p.Id = 9; p.ServiceId = 9; g.Plans = append(g.Plans, p) }),
		"a service of another's uid":      load(func(g *types.GenesisState) { g.Services[0].Uid = 2 }),
		"two services of a name": load(func(g *types.GenesisState) {
			s := g.Services[0]
			s.Id = 9
			s.Channels, s.Plans = 0, 0
			g.Services = append(g.Services, s)
		}),
		"a channel of another payer": load(func(g *types.GenesisState) { byUse(g).Payer = str("rival") }),
	} {
		t.Run(name, func(t *testing.T) {
			e := busy(t)
			e.holds()
			spoil(e)
			require.ErrorIs(t, e.k.CheckInvariants(e.ctx), types.ErrInvariantBroken)
		})
	}
}

func TestQueriesOfChannels(t *testing.T) {
	e := busy(t)
	r, err := e.query.Channels(e.ctx, &types.QueryChannelsRequest{Payer: str("payer")})
	require.NoError(t, err)
	require.Len(t, r.Channels, 3)
	r, err = e.query.Channels(e.ctx, &types.QueryChannelsRequest{Hotkey: hotText("provider")})
	require.NoError(t, err)
	require.Len(t, r.Channels, 4)
	r, err = e.query.Channels(e.ctx, &types.QueryChannelsRequest{Hotkey: hotText("owner")})
	require.NoError(t, err)
	require.Empty(t, r.Channels)
	for _, q := range []*types.QueryChannelsRequest{{}, {Payer: "x"}, {Hotkey: "x"}, {Payer: str("payer"), Hotkey: hotText("provider")}} {
		_, err = e.query.Channels(e.ctx, q)
		require.Error(t, err)
	}
	for _, id := range []string{"", "zz", "00", "0x00", "ab"} {
		_, err = e.query.Channel(e.ctx, &types.QueryChannelRequest{ChannelId: id})
		require.ErrorIs(t, err, types.ErrNoChannel)
	}
	_, err = e.query.Service(e.ctx, &types.QueryServiceRequest{ServiceId: 99})
	require.ErrorIs(t, err, types.ErrNoService)
}
