package keeper_test

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/subnets/types"
)

func TestSection4RegisterBurnsThePriceAndRaisesIt(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	e.pass(1)
	price := e.burn(s)
	hot, cold := e.bind("bob")
	r, err := send(e, e.msgs.Register, &types.MsgRegister{Coldkey: cold, Hotkey: hot, Netuid: 1, MaxBurn: price})
	require.NoError(t, err)
	require.Equal(t, types.MsgRegisterResponse{Uid: 1, Burn: price}, *r)
	require.Equal(t, []fakeBurn{{s.Id, cold, price, "registration"}}, e.alpha.burned)
	require.Equal(t, price*126/100, e.burn(s))
	n, err := e.k.NeuronByHotkey(e.ctx, s.Id, addr("bob"))
	require.NoError(t, err)
	require.Equal(t, types.Neuron{SubnetId: s.Id, Uid: 1, Hotkey: hot, RegisteredHeight: 2, RegisteredTime: 1_000_001}, n)
	require.Contains(t, e.hooks.heard, "uid 1 of 701, replaced false")
	event := lastEvent(t, e.ctx, "lode.subnets.v1.EventNeuronRegistered")
	for _, part := range []string{hot, cold, fmt.Sprintf(`burn="%d"`, price), fmt.Sprintf(`alpha_burned="%d"`, 3*price), `replaced_hotkey=""`} {
		require.Contains(t, event, part)
	}
	e.holds()
}

func TestSection4RegisterRefuses(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	e.create("not started")
	_, e.alpha.poor = e.bind("poor")
	price := e.burn(s)
	hot, cold := e.bind("bob")
	for name, c := range map[string]struct {
		m    types.MsgRegister
		is   error
		says string
	}{
		"a subnet that is not there":      {types.MsgRegister{Coldkey: cold, Hotkey: hot, Netuid: 3, MaxBurn: price}, types.ErrNoSubnet, "netuid 3: the subnets are 1, 2"},
		"netuid 0":                        {types.MsgRegister{Coldkey: cold, Hotkey: hot, MaxBurn: price}, types.ErrNoSubnet, "netuid 0: the subnets are 1, 2"},
		"a subnet that has not started":   {types.MsgRegister{Coldkey: cold, Hotkey: hot, Netuid: 2, MaxBurn: price}, types.ErrNotStarted, "its owner starts it with MsgStartSubnet"},
		"a price above the limit":         {types.MsgRegister{Coldkey: cold, Hotkey: hot, Netuid: 1, MaxBurn: price - 1}, types.ErrTooExpensive, fmt.Sprintf("costs %d rao in this block, your max_burn is %d", price, price-1)},
		"another's hotkey":                {types.MsgRegister{Coldkey: addr("thief").String(), Hotkey: hot, Netuid: 1, MaxBurn: price}, types.ErrWrongColdkey, "not to " + addr("thief").String()},
		"a hotkey that is not bound":      {types.MsgRegister{Coldkey: cold, Hotkey: addr("x").String(), Netuid: 1, MaxBurn: price}, nil, "is not bound"},
		"no hotkey":                       {types.MsgRegister{Coldkey: cold, Netuid: 1, MaxBurn: price}, nil, "empty address"},
		"a hotkey that is registered":     {types.MsgRegister{Coldkey: addr("ann's coldkey").String(), Hotkey: addr("ann").String(), Netuid: 1, MaxBurn: price}, types.ErrRegistered, "holds uid 0 in subnet 1"},
		"an account without enough coins": {types.MsgRegister{Coldkey: e.alpha.poor, Hotkey: addr("poor").String(), Netuid: 1, MaxBurn: price}, nil, "has no coins"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := send(e, e.msgs.Register, &c.m)
			require.ErrorContains(t, err, c.says)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
	require.Equal(t, price, e.burn(s), "who failed moved no price")
	require.NoError(t, e.set("ann", 1, "registration_allowed", 0))
	_, err := e.tryRegister(1, "bob")
	require.ErrorIs(t, err, types.ErrRegistrationClosed)
	e.holds()
}

func TestSection4BurnFallsByHalfInAHalfLifeAndStaysInItsBounds(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	h := s.Hyperparameters
	require.EqualValues(t, tao/10, e.burn(s))
	e.pass(int64(h.BurnHalfLife))
	require.InDelta(t, tao/20, e.burn(s), 500) // floored 360 times
	e.pass(4_000)
	require.Equal(t, h.MinBurn, e.burn(s))
	for i := range 60 {
		e.register(1, fmt.Sprint("miner ", i))
		require.LessOrEqual(t, e.burn(s), h.MaxBurn)
	}
	require.Equal(t, h.MaxBurn, e.burn(s))
	e.register(1, "one more at the highest price")
	require.Equal(t, h.MaxBurn, e.burn(s))
	e.holds()
}

func TestSection4BurnFollowsItsFormula(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	base := e.ctx
	rapid.Check(t, func(rt *rapid.T) {
		e.ctx, _ = base.CacheContext()
		defer func() { e.ctx = base }()
		half := rapid.Uint32Range(10, 50_400).Draw(rt, "half life")
		rise := rapid.Uint32Range(101, 300).Draw(rt, "increase")
		least := rapid.Uint64Range(tao/2_000, tao).Draw(rt, "min_burn")
		most := rapid.Uint64Range(least, 1_000*tao).Draw(rt, "max_burn")
		for _, p := range []struct {
			name  string
			value uint64
		}{{"burn_half_life", uint64(half)}, {"burn_increase", uint64(rise)}, {"min_burn", least}, {"max_burn", most}} {
			require.NoError(rt, e.setAs(governance, 1, p.name, p.value))
		}
		clamp := func(v *big.Int) uint64 {
			if v.Cmp(new(big.Int).SetUint64(least)) < 0 {
				return least
			}
			if v.Cmp(new(big.Int).SetUint64(most)) > 0 {
				return most
			}
			return v.Uint64()
		}
		want := clamp(big.NewInt(tao / 10))
		f := new(big.Int).SetUint64(uint64(fixed.Pow2Neg(half)))
		for i, op := range rapid.SliceOfN(rapid.Bool(), 1, 60).Draw(rt, "registrations") {
			price := new(big.Int).SetUint64(want)
			if op {
				e.register(1, fmt.Sprint("hotkey ", i))
				want = clamp(price.Div(price.Mul(price, big.NewInt(int64(rise))), big.NewInt(100)))
			} else {
				e.pass(1)
				want = clamp(price.Rsh(price.Mul(price, f), 32))
			}
			if got := e.burn(s); got != want {
				rt.Fatalf("step %d: %d, want %d", i, got, want)
			}
		}
	})
}

func TestSection4AFullSubnetReplacesWhoEarnedLeast(t *testing.T) {
	e := newEnv(t, withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default = 16 }))
	s := e.started("ann")
	e.fill(1, 16)
	e.pass(61) // all immunity is over
	emissions := []uint64{0, 9, 9, 3, 9, 3, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}
	require.NoError(t, e.setEmissions(s.Id, emissions))
	require.EqualValues(t, 3, e.register(1, "new"), "the lower uid of equals goes first, the owner never")
	require.Contains(t, e.hooks.heard, "uid 3 of 701, replaced true")
	require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventNeuronRegistered"), addr("miner 3").String())
	_, err := e.k.NeuronByHotkey(e.ctx, s.Id, addr("miner 3"))
	require.ErrorIs(t, err, types.ErrNotRegistered)
	n, err := e.k.NeuronByHotkey(e.ctx, s.Id, addr("new"))
	require.NoError(t, err)
	require.Zero(t, n.Emission, "it earned nothing yet")
	require.EqualValues(t, 5, e.register(1, "newer"), "who is immune is spared")
	require.EqualValues(t, 16, e.subnet(1).Neurons)
	require.EqualValues(t, 1, e.register(1, "miner 3"), "who was pruned may come back; among equals the oldest goes")
	e.holds()
}

func TestWhatNeuronsServeMakesNoRegistrationDearer(t *testing.T) {
	cost := func(endpoints int) uint64 {
		e := newEnv(t, withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default = 16 }))
		e.started("ann")
		e.fill(1, 16)
		e.pass(61)
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		for i := range g.Neurons {
			if i != 1 { // who is replaced is read and paid for
				g.Neurons[i].Endpoints = slices.Repeat([]string{strings.Repeat("e", types.MaxEndpointLen)}, endpoints)
			}
		}
		require.NoError(t, e.k.InitGenesis(e.ctx, *g))
		e.ctx = e.ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
		require.EqualValues(t, 1, e.register(1, "new"))
		return e.ctx.GasMeter().GasConsumed()
	}
	require.Equal(t, cost(0), cost(types.MaxEndpoints))
}

func TestSection4ImmunityMustPassInBlocksAndInTime(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	e.pass(9)
	e.register(1, "bob") // block 10, second 1,000,009; immune for 60 blocks of a second
	order := func(height, second int64) types.PruningPlace {
		o, err := e.k.PruningOrder(e.ctx.WithBlockHeight(height).WithBlockTime(time.Unix(second, 0)), s.Id)
		require.NoError(t, err)
		require.Len(t, o, 1, "the owner is not in it")
		return o[0]
	}
	immune := types.PruningPlace{Uid: 1, ImmuneUntilHeight: 70, ImmuneUntilTime: 1_000_069}
	require.Equal(t, immune, order(10, 1_000_009))
	require.Equal(t, immune, order(69, 1_000_069), "the time has passed, the blocks have not")
	require.Equal(t, immune, order(70, 1_000_068), "the blocks have passed, the time has not")
	require.Equal(t, types.PruningPlace{Uid: 1}, order(70, 1_000_069))
}

func TestSection4OnlyTheOwnerLeftMeansNoRoom(t *testing.T) {
	e := newEnv(t, withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default, r.Min = 1, 1 }))
	e.started("ann")
	_, err := e.tryRegister(1, "bob")
	require.ErrorIs(t, err, types.ErrFull)
	require.ErrorContains(t, err, "has room for 1 neurons and none but its owner's")
}

// naiveOrder removes one neuron after the other by the words of protocol.md §4.
func naiveOrder(neurons []types.Neuron, owner string, spare int, immune func(types.Neuron) bool) (order []uint32) {
	left := slices.DeleteFunc(slices.Clone(neurons), func(n types.Neuron) bool { return n.Hotkey == owner })
	worst := func(of []types.Neuron) types.Neuron {
		return slices.MinFunc(of, func(a, b types.Neuron) int {
			return cmp.Or(cmp.Compare(a.Emission, b.Emission), cmp.Compare(a.RegisteredHeight, b.RegisteredHeight), cmp.Compare(a.Uid, b.Uid))
		})
	}
	for len(left) > 0 {
		var free, safe []types.Neuron
		for _, n := range left {
			if immune(n) {
				safe = append(safe, n)
			} else {
				free = append(free, n)
			}
		}
		from := safe
		if len(free) > spare || len(safe) == 0 {
			from = free
		}
		out := worst(from)
		order = append(order, out.Uid)
		left = slices.DeleteFunc(left, func(n types.Neuron) bool { return n.Uid == out.Uid })
	}
	return order
}

func TestSection4PruningOrderIsThatOfANaiveModel(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	base := e.ctx
	rapid.Check(t, func(rt *rapid.T) {
		e.ctx, _ = base.CacheContext()
		defer func() { e.ctx = base }()
		p := local()
		p.MinNonImmune = rapid.Int64Range(0, 15).Draw(rt, "min_non_immune")
		period := rapid.Uint32Range(0, 60).Draw(rt, "immunity_period")
		s.Hyperparameters.ImmunityPeriod = period
		s.Neurons = rapid.Uint32Range(1, 40).Draw(rt, "neurons")
		g := types.GenesisState{Params: p, Subnets: []types.Subnet{s}}
		for uid := range s.Neurons {
			n := types.Neuron{SubnetId: s.Id, Uid: uid, Hotkey: addr(fmt.Sprint("hotkey ", uid)).String()}
			n.Emission = rapid.Uint64Range(0, 3).Draw(rt, "emission")
			n.RegisteredHeight = rapid.Int64Range(1, 60).Draw(rt, "height")
			n.RegisteredTime = rapid.Int64Range(1_000_000, 1_000_060).Draw(rt, "time")
			g.Neurons = append(g.Neurons, n)
		}
		g.Subnets[0].OwnerHotkey = g.Neurons[rapid.IntRange(0, len(g.Neurons)-1).Draw(rt, "owner")].Hotkey
		require.NoError(rt, e.k.InitGenesis(e.ctx, g))
		now := rapid.Int64Range(60, 120).Draw(rt, "now")
		seconds := rapid.Int64Range(1_000_060, 1_000_120).Draw(rt, "seconds")
		got, err := e.k.PruningOrder(e.ctx.WithBlockHeight(now).WithBlockTime(time.Unix(seconds, 0)), s.Id)
		require.NoError(rt, err)
		want := naiveOrder(g.Neurons, g.Subnets[0].OwnerHotkey, int(p.MinNonImmune), func(n types.Neuron) bool {
			return now < n.RegisteredHeight+int64(period) || seconds < n.RegisteredTime+int64(period)
		})
		if !slices.Equal(uids(got), want) {
			rt.Fatalf("%v, want %v", uids(got), want)
		}
	})
}

func TestSection9UidsStayDenseAndUniqueWhateverHappens(t *testing.T) {
	e := newEnv(t, withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default = 16 }))
	e.started("ann")
	e.started("bob")
	base := e.ctx
	rapid.Check(t, func(rt *rapid.T) {
		e.ctx, _ = base.CacheContext()
		defer func() { e.ctx = base }()
		rt.Repeat(map[string]func(*rapid.T){
			"register": func(rt *rapid.T) {
				netuid := rapid.Uint32Range(1, 2).Draw(rt, "netuid")
				before := e.subnet(netuid)
				r, err := e.tryRegister(netuid, fmt.Sprint("hotkey ", rapid.IntRange(0, 30).Draw(rt, "hotkey")))
				if err != nil {
					require.ErrorIs(rt, err, types.ErrRegistered)
				} else if before.Neurons < before.Hyperparameters.MaxUids {
					require.Equal(rt, before.Neurons, r.Uid)
				} else {
					require.NotZero(rt, r.Uid, "the owner's is never taken")
				}
			},
			"earn": func(rt *rapid.T) {
				s := e.subnet(rapid.Uint32Range(1, 2).Draw(rt, "netuid"))
				by := rapid.SliceOfN(rapid.Uint64Range(0, 5), int(s.Neurons), int(s.Neurons)).Draw(rt, "emissions")
				require.NoError(rt, e.setEmissions(s.Id, by))
			},
			"resize": func(rt *rapid.T) {
				_ = e.setAs(governance, rapid.Uint32Range(1, 2).Draw(rt, "netuid"), "max_uids", rapid.Uint64Range(16, 24).Draw(rt, "max_uids"))
			},
			"wait": func(rt *rapid.T) { e.pass(rapid.Int64Range(1, 40).Draw(rt, "blocks")) },
			"":     func(rt *rapid.T) { require.NoError(rt, e.k.CheckInvariants(e.ctx)) },
		})
	})
}

func TestEmissionsMustBeAsManyAsNeurons(t *testing.T) {
	e := newEnv(t, local())
	s := e.started("ann")
	require.ErrorContains(t, e.setEmissions(s.Id, []uint64{1, 2}), "2 emissions for 1 neurons")
	require.NoError(t, e.setEmissions(s.Id, []uint64{7}))
	n, err := e.k.Neuron(e.ctx, s.Id, 0)
	require.NoError(t, err)
	require.EqualValues(t, 7, n.Emission)
	_, err = e.k.Neuron(e.ctx, s.Id, 1)
	require.ErrorIs(t, err, types.ErrNotRegistered)
}
