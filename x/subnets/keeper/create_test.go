package keeper_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/subnets/types"
)

func TestSection3CreateLocksTheWholeCostIntoThePool(t *testing.T) {
	e := newEnv(t, local())
	r, err := e.tryCreate("ann", func(m *types.MsgCreateSubnet) {
		m.Description, m.Url, m.Parameters = "video", "https://example.org/video", `{"target": 98}`
	})
	require.NoError(t, err)
	require.Equal(t, types.MsgCreateSubnetResponse{Netuid: 1, SubnetId: firstID, Lock: 1_000 * tao}, *r)
	hot, cold := e.bind("ann")
	require.Equal(t, []fakePool{{1, cold, 1_000 * tao, 1_000 * tao}}, e.alpha.pools)

	s := e.subnet(1)
	defaults, err := local().Defaults()
	require.NoError(t, err)
	require.Equal(t, types.Subnet{
		Id: firstID, Netuid: 1, OwnerHotkey: hot, Name: "ann", Description: "video", Url: "https://example.org/video",
		Parameters: `{"target": 98}`, Lock: 1_000 * tao, CreatedHeight: 1, CreatedTime: 1_000_000, Neurons: 1, Hyperparameters: defaults,
	}, s)
	n, err := e.k.NeuronByHotkey(e.ctx, s.Id, addr("ann"))
	require.NoError(t, err)
	require.Equal(t, types.Neuron{SubnetId: firstID, Uid: 0, Hotkey: hot, RegisteredHeight: 1, RegisteredTime: 1_000_000}, n)
	require.Equal(t, []string{"created 1", "uid 0 of 701, replaced false"}, e.hooks.heard)
	e.holds()
}

func TestSection3AlphaReserveIsTheLockAtTheMedianPriceUpToAQuarterOfTheCap(t *testing.T) {
	for name, c := range map[string]struct {
		price fixed.Q64
		alpha uint64
	}{
		"no subnet yet":          {fixed.OneQ64(), 1_000 * tao},
		"half a TAO":             {fixed.Q64Ratio(1, 2), 2_000 * tao},
		"floored":                {fixed.Q64FromUint64(3), 1_000 * tao / 3},
		"a price that is tiny":   {fixed.Q64Ratio(1, 1_000_000), 21_000_000 / 4 * tao},
		"a price of nearly zero": {fixed.Q64FromRaw(0, 1), 21_000_000 / 4 * tao},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, local())
			e.net.price = c.price
			e.create("ann")
			require.Equal(t, c.alpha, e.alpha.pools[0].alpha)
		})
	}
}

func TestSection3NetuidIsTheFirstFreeSlot(t *testing.T) {
	p := local()
	p.MaxSubnets = 3
	e := newEnv(t, p)
	g := types.GenesisState{Params: p}
	h, err := p.Defaults()
	require.NoError(t, err)
	hot, _ := e.bind("ann")
	g.Subnets = []types.Subnet{{Id: 9, Netuid: 2, OwnerHotkey: hot, Name: "ann", Parameters: "{}", CreatedHeight: 1, Neurons: 1, Hyperparameters: h}}
	g.Neurons = []types.Neuron{{SubnetId: 9, Hotkey: hot, RegisteredHeight: 1}}
	g.BurnPrices = []types.BurnPrice{{SubnetId: 9, Burn: h.MinBurn}}
	require.NoError(t, g.Validate())
	require.NoError(t, e.k.InitGenesis(e.ctx, g))
	require.EqualValues(t, 1, e.create("bob").Netuid)
	require.EqualValues(t, 3, e.create("cid").Netuid)

	_, err = e.tryCreate("dan")
	require.ErrorIs(t, err, types.ErrFull)
	require.ErrorContains(t, err, "all 3 slots of subnets are taken (max_subnets)")
	e.holds()
}

func TestSection3CreateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*types.MsgCreateSubnet)
		is     error
		says   string
	}{
		"a lock above the limit":       {func(m *types.MsgCreateSubnet) { m.MaxLock = 1_000*tao - 1 }, types.ErrTooExpensive, "costs 1000000000000 rao in this block, your max_lock is 999999999999"},
		"another's hotkey":             {func(m *types.MsgCreateSubnet) { m.Coldkey = addr("thief").String() }, types.ErrWrongColdkey, "is bound to " + addr("ann's coldkey").String()},
		"a hotkey that is not bound":   {func(m *types.MsgCreateSubnet) { m.Hotkey = addr("nobody").String() }, nil, "is not bound"},
		"a hotkey that is no address":  {func(m *types.MsgCreateSubnet) { m.Hotkey = "lode1" }, nil, "bech32"},
		"a coldkey of another network": {func(m *types.MsgCreateSubnet) { m.Coldkey = sdk.MustBech32ifyAddressBytes("cosmos", addr("ann")) }, nil, "lode"},
		"no name":                      {func(m *types.MsgCreateSubnet) { m.Name = "" }, types.ErrInvalidText, "name has 0 bytes, must have 1 to 64"},
		"parameters that are an array": {func(m *types.MsgCreateSubnet) { m.Parameters = "[1]" }, types.ErrInvalidText, "must be a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, local())
			_, err := e.tryCreate("ann", c.change)
			require.ErrorContains(t, err, c.says)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			require.Empty(t, e.alpha.pools)
			e.holds()
		})
	}
}

func TestSection3AnAccountCreatesOncePerInterval(t *testing.T) {
	p := local()
	p.CreationInterval = 100
	e := newEnv(t, p)
	e.create("ann")
	e.pass(99)
	_, err := e.tryCreate("ann")
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "created in block 1, the first block that will be accepted is 101 (this is for block 100)")
	e.create("bob") // another account may
	e.pass(1)
	require.EqualValues(t, 3, e.create("ann").Netuid)
}

func TestAFailedCreationLeavesNothing(t *testing.T) {
	p := local()
	p.CreationInterval = 100
	e := newEnv(t, p)
	_, e.alpha.poor = e.bind("ann")
	_, err := e.tryCreate("ann")
	require.ErrorContains(t, err, "has no coins")
	e.alpha.poor = ""
	e.hooks.fails = true
	_, err = e.tryCreate("ann")
	require.ErrorContains(t, err, "the listener fails")
	e.hooks.fails = false
	e.holds()
	_, err = e.k.SubnetByNetuid(e.ctx, 1)
	require.ErrorContains(t, err, "netuid 1: there are no subnets yet")
	require.EqualValues(t, 1, e.create("ann").Netuid)
}

func TestAddressesInUpperCaseAreTheSameKey(t *testing.T) {
	e := newEnv(t, local())
	r, err := e.tryCreate("ann", func(m *types.MsgCreateSubnet) {
		m.Hotkey, m.Coldkey = strings.ToUpper(m.Hotkey), strings.ToUpper(m.Coldkey)
	})
	require.NoError(t, err)
	hot, cold := e.bind("ann")
	require.Equal(t, hot, e.subnet(r.Netuid).OwnerHotkey)
	_, err = send(e, e.msgs.StartSubnet, &types.MsgStartSubnet{Coldkey: strings.ToUpper(cold), Netuid: r.Netuid})
	require.NoError(t, err)
	_, err = send(e, e.msgs.Register, &types.MsgRegister{Coldkey: cold, Hotkey: strings.ToUpper(hot), Netuid: r.Netuid, MaxBurn: tao})
	require.ErrorIs(t, err, types.ErrRegistered)
	e.holds()
}

// bigLock is the lock's formula, in numbers of any size.
func bigLock(p types.Params, l types.LockState, height int64) uint64 {
	m := int64(1)
	if l.LastLockHeight > 0 {
		m = int64(p.LockMultiplier)
	}
	last := new(big.Int).SetUint64(l.LastLock)
	fall := new(big.Int).Mul(last, big.NewInt(height-l.LastLockHeight))
	fall.Div(fall, big.NewInt(p.LockInterval))
	cost := new(big.Int).Mul(last, big.NewInt(m))
	cost.Sub(cost, fall)
	if least := new(big.Int).SetUint64(p.MinLock); cost.Cmp(least) < 0 {
		return p.MinLock
	}
	return cost.Uint64()
}

func TestSection3LockCostFollowsItsFormula(t *testing.T) {
	e := newEnv(t, local())
	rapid.Check(t, func(t *rapid.T) {
		p := local()
		p.MinLock = rapid.Uint64Range(tao/1_000, 1_000_000*tao).Draw(t, "min_lock")
		p.LockInterval = rapid.Int64Range(1, 1_000_000).Draw(t, "lock_interval")
		p.LockMultiplier = rapid.Uint32Range(1, 100).Draw(t, "lock_multiplier")
		last := types.LockState{
			LastLock:       rapid.Uint64Range(0, 21_000_000*tao).Draw(t, "last_lock"),
			LastLockHeight: rapid.Int64Range(0, 1_000_000).Draw(t, "last_lock_height"),
		}
		height := last.LastLockHeight + rapid.Int64Range(0, 3_000_000).Draw(t, "passed")
		require.NoError(t, e.k.InitGenesis(e.ctx, types.GenesisState{Params: p, Lock: last}))
		got, err := e.k.LockCost(e.ctx.WithBlockHeight(height))
		require.NoError(t, err)
		if want := bigLock(p, last, height); got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}

func TestSection3LockDoublesAndFallsBackWithinTwoIntervals(t *testing.T) {
	e := newEnv(t, local())
	cost := func() uint64 {
		c, err := e.k.LockCost(e.ctx)
		require.NoError(t, err)
		return c
	}
	require.EqualValues(t, 1_000*tao, cost())
	e.pass(500)
	require.EqualValues(t, 1_000*tao, cost(), "before the first creation the price stands")
	e.create("ann")
	require.EqualValues(t, 2_000*tao, cost())
	e.pass(300) // half an interval takes half of the last lock
	require.EqualValues(t, 1_500*tao, cost())
	require.EqualValues(t, 1_500*tao, e.create("bob").Lock)
	require.EqualValues(t, 3_000*tao, cost())
	e.pass(600)
	require.EqualValues(t, 1_500*tao, cost())
	e.pass(5_000)
	require.EqualValues(t, 1_000*tao, cost(), "never below min_lock")
}

func TestSection3LockPriceCurveDoublesFallsAndNeverGoesBelowItsMinimum(t *testing.T) {
	e := newEnv(t, local())
	rapid.Check(t, func(t *rapid.T) {
		p := local()
		p.MinLock = rapid.Uint64Range(tao/1_000, 10_000*tao).Draw(t, "min_lock")
		p.LockInterval = rapid.Int64Range(1, 1_000_000).Draw(t, "lock_interval")
		at := rapid.Int64Range(1, 1_000_000).Draw(t, "block of the last creation")
		last := types.LockState{LastLock: rapid.Uint64Range(p.MinLock, 1_000_000*tao).Draw(t, "last_lock"), LastLockHeight: at}
		require.NoError(t, e.k.InitGenesis(e.ctx, types.GenesisState{Params: p, Lock: last}))
		cost := func(passed int64) uint64 {
			c, err := e.k.LockCost(e.ctx.WithBlockHeight(at + passed))
			require.NoError(t, err)
			return c
		}
		require.Equal(t, 2*last.LastLock, cost(0), "doubled in the block of a creation")
		require.Equal(t, last.LastLock, cost(p.LockInterval), "an interval later it costs the same again")
		require.Equal(t, p.MinLock, cost(2*p.LockInterval), "after two it is at its minimum")
		a := rapid.Int64Range(0, 3*p.LockInterval).Draw(t, "passed")
		b := a + rapid.Int64Range(0, p.LockInterval).Draw(t, "later")
		require.GreaterOrEqual(t, cost(a), cost(b), "it never rises by itself")
		require.GreaterOrEqual(t, cost(b), p.MinLock)
	})
}

func TestLockCostSurvivesTheLargestNumbers(t *testing.T) {
	e := newEnv(t, local())
	last := types.LockState{LastLock: math.MaxUint64, LastLockHeight: 1}
	require.NoError(t, e.k.InitGenesis(e.ctx, types.GenesisState{Params: local(), Lock: last}))
	c, err := e.k.LockCost(e.ctx)
	require.NoError(t, err)
	require.EqualValues(t, uint64(math.MaxUint64), c)
	c, err = e.k.LockCost(e.ctx.WithBlockHeight(math.MaxInt64))
	require.NoError(t, err)
	require.EqualValues(t, 1_000*tao, c)
}

func TestSection3StartOpensTheMarketAfterTheDelay(t *testing.T) {
	p := local()
	p.StartDelay = 50
	e := newEnv(t, p)
	s := e.create("ann")
	_, cold := e.bind("ann")
	start := func(coldkey string, netuid uint32) error {
		_, err := send(e, e.msgs.StartSubnet, &types.MsgStartSubnet{Coldkey: coldkey, Netuid: netuid})
		return err
	}
	e.pass(49)
	err := start(cold, 1)
	require.ErrorIs(t, err, types.ErrTooSoon)
	require.ErrorContains(t, err, "created in block 1, the first block in which it can start is 51 (this is for block 50)")
	e.pass(1)
	require.ErrorIs(t, start(addr("thief").String(), 1), types.ErrNotOwner)
	require.ErrorContains(t, start(cold, 7), "netuid 7: the subnets are 1")
	e.net.due[s.Id] = 62
	require.NoError(t, start(cold, 1))
	require.True(t, e.alpha.started[s.Id])
	s = e.subnet(1)
	require.EqualValues(t, 51, s.StartedHeight)
	require.EqualValues(t, 1_000_050, s.StartedTime)
	require.Contains(t, e.hooks.heard, "started 1 in 51")
	require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventSubnetStarted"), `"62"`)
	require.ErrorIs(t, start(cold, 1), types.ErrStarted)
	e.holds()
}

func TestTheEventOfACreationTellsAllThatTheSubnetIs(t *testing.T) {
	e := newEnv(t, local())
	e.create("ann")
	s := e.subnet(1)
	var event *types.EventSubnetCreated
	for _, ev := range e.ctx.EventManager().Events() {
		if ev.Type == "lode.subnets.v1.EventSubnetCreated" {
			parsed, err := sdk.ParseTypedEvent(abci.Event(ev))
			require.NoError(t, err)
			event = parsed.(*types.EventSubnetCreated)
		}
	}
	require.NotNil(t, event)
	require.Equal(t, s.Hyperparameters, event.Hyperparameters)
	require.Equal(t, []string{s.Name, s.Description, s.Url, s.Parameters}, []string{event.Name, event.Description, event.Url, event.Parameters})
	burn, err := e.k.BurnCost(e.ctx, s.Id)
	require.NoError(t, err)
	require.Equal(t, burn, event.Burn)
}

func TestAnOwnerUpdatesTheIdentity(t *testing.T) {
	e := newEnv(t, local())
	e.create("ann")
	_, cold := e.bind("ann")
	m := &types.MsgUpdateSubnet{Coldkey: cold, Netuid: 1, Name: "new", Url: "http://a.b"}
	_, err := send(e, e.msgs.UpdateSubnet, m)
	require.NoError(t, err)
	s := e.subnet(1)
	require.Equal(t, []string{"new", "", "http://a.b", "{}"}, []string{s.Name, s.Description, s.Url, s.Parameters})
	told := lastEvent(t, e.ctx, "lode.subnets.v1.EventSubnetUpdated")
	for _, field := range []string{`name="new"`, `description=""`, `url="http://a.b"`, `parameters="{}"`} {
		require.Contains(t, told, field)
	}
	m.Coldkey = addr("thief").String()
	_, err = send(e, e.msgs.UpdateSubnet, m)
	require.ErrorIs(t, err, types.ErrNotOwner)
	m.Coldkey, m.Parameters = cold, strings.Repeat(" ", types.MaxParameters+1)
	_, err = send(e, e.msgs.UpdateSubnet, m)
	require.ErrorContains(t, err, "parameters has 8193 bytes, must have 0 to 8192")
}

// lastEvent is the last event of a type, as text.
func lastEvent(t testing.TB, ctx sdk.Context, kind string) (text string) {
	t.Helper()
	for _, ev := range ctx.EventManager().Events() {
		if ev.Type == kind {
			text = ""
			for _, a := range ev.Attributes {
				text += a.Key + "=" + a.Value + " "
			}
		}
	}
	require.NotEmpty(t, text, "no event %s", kind)
	return text
}
