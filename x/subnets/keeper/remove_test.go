package keeper_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/subnets/types"
)

// house is a network of three slots, all taken by subnets past their immunity of
// 100 blocks, at these prices: subnet 1 at 3, 2 at 1, 3 at 2.
func house(t testing.TB) *env {
	p := local()
	p.MaxSubnets, p.NetworkImmunity = 3, 100
	e := newEnv(t, p)
	for i, price := range []uint64{3, 1, 2} {
		s := e.started(fmt.Sprint("owner ", i+1))
		e.net.prices[s.Id] = fixed.Q64FromUint64(price)
		e.pass(1)
	}
	e.pass(100)
	return e
}

func (e *env) removalOrder() *types.QueryRemovalOrderResponse {
	e.t.Helper()
	r, err := e.query.RemovalOrder(e.ctx, &types.QueryRemovalOrderRequest{})
	require.NoError(e.t, err)
	return r
}

// netuids are those of an order of removal.
func netuids(order []types.RemovalPlace) (out []uint32) {
	for _, p := range order {
		out = append(out, p.Netuid)
	}
	return out
}

func TestSection3FullHouseRemovesTheLowestMovingPrice(t *testing.T) {
	e := house(t)
	require.Equal(t, []uint32{2, 3, 1}, netuids(e.removalOrder().Order))
	require.Zero(t, e.removalOrder().FreeSlots)
	old := e.subnet(2)
	s := e.create("new")
	require.EqualValues(t, 2, s.Netuid, "it takes the slot that became free")
	require.NotEqual(t, old.Id, s.Id)
	require.True(t, e.alpha.retired[old.Id])
	require.Contains(t, e.hooks.heard, fmt.Sprintf("removed %d of 2", old.Id))
	event := lastEvent(t, e.ctx, "lode.subnets.v1.EventSubnetRemoved")
	for _, part := range []string{fmt.Sprintf(`subnet_id="%d"`, old.Id), `netuid=2`, `name="owner 2"`, `moving_price="1`} {
		require.Contains(t, event, part)
	}
	e.holds()
	require.EqualValues(t, 3, e.create("newer").Netuid, "the new one is immune, the next lowest goes")
	require.EqualValues(t, 1, e.create("newest").Netuid)
	e.holds()
}

func TestSection3NothingIsRemovedWhileASlotIsFree(t *testing.T) {
	e := house(t)
	p, err := e.k.Params(e.ctx)
	require.NoError(t, err)
	p.MaxSubnets = 5
	_, err = send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.NoError(t, err)
	require.EqualValues(t, 2, e.removalOrder().FreeSlots)
	require.EqualValues(t, 4, e.create("four").Netuid)
	require.EqualValues(t, 5, e.create("five").Netuid)
	require.Empty(t, e.alpha.retired)
	e.create("six")
	require.Len(t, e.alpha.retired, 1)
	// A lower cap puts nobody out; one goes for each that comes.
	p.MaxSubnets = 2
	_, err = send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.NoError(t, err)
	require.Zero(t, e.removalOrder().FreeSlots)
	e.create("seven")
	subnets, err := e.k.Subnets(e.ctx)
	require.NoError(t, err)
	require.Len(t, subnets, 5)
	e.holds()
}

func TestSection3AmongEqualPricesTheOldestIsRemoved(t *testing.T) {
	e := house(t)
	for id := range e.net.prices {
		e.net.prices[id] = fixed.Q64Ratio(1, 3)
	}
	require.Equal(t, []uint32{1, 2, 3}, netuids(e.removalOrder().Order))
	e.net.prices[e.subnet(1).Id] = e.net.prices[e.subnet(1).Id].Add(fixed.Q64FromRaw(0, 1))
	require.Equal(t, []uint32{2, 3, 1}, netuids(e.removalOrder().Order), "by the smallest difference that a price can have")

	p := local()
	p.MaxSubnets, p.NetworkImmunity = 2, 0
	e = newEnv(t, p) // of one block
	a, b := e.create("ann"), e.create("bob")
	require.Less(t, a.Id, b.Id)
	require.EqualValues(t, a.Netuid, e.create("cid").Netuid, "of one block the lower id")
}

func TestSection3ASubnetThatNeverStartedIsRemovedLikeAnyOther(t *testing.T) {
	p := local()
	p.MaxSubnets, p.NetworkImmunity = 2, 100
	e := newEnv(t, p)
	s := e.started("ann")
	e.net.prices[s.Id] = fixed.Q64FromRaw(0, 1)
	e.create("idle") // its moving price is 0
	e.pass(100)
	require.EqualValues(t, 2, e.create("new").Netuid)
}

func TestSection3WhereAllAreImmuneTheCreationFailsAndTellsTheFirstBlock(t *testing.T) {
	p := local()
	p.MaxSubnets, p.NetworkImmunity = 2, 100
	e := newEnv(t, p)
	e.create("ann") // block 1, second 1,000,000
	e.pass(9)
	s := e.create("bob")
	_, err := e.tryCreate("cid")
	require.ErrorIs(t, err, types.ErrFull)
	require.ErrorContains(t, err, "all 2 slots of subnets are taken (max_subnets) and every subnet is immune: the first that could be removed is subnet 1, from block 101 and from 1970-01-12 13:48:20 UTC on (network_immunity: 100 blocks and their time)")
	require.Empty(t, e.alpha.retired)
	order := e.removalOrder().Order
	require.Equal(t, types.RemovalPlace{SubnetId: s.Id, Netuid: 2, MovingPrice: order[1].MovingPrice, ImmuneUntilHeight: 110, ImmuneUntilTime: 1_000_109}, order[1])
	e.holds()
}

func TestSection2NetworkImmunityMustPassInBlocksAndInTime(t *testing.T) {
	p := local()
	p.MaxSubnets, p.NetworkImmunity = 1, 100
	e := newEnv(t, p)
	e.create("ann") // block 1, second 1,000,000
	try := func(height, second int64) error {
		c := *e
		c.ctx = e.ctx.WithBlockHeight(height).WithBlockTime(time.Unix(second, 0))
		c.ctx, _ = c.ctx.CacheContext()
		e.alpha.retired = map[uint64]bool{}
		_, err := c.tryCreate("bob")
		return err
	}
	require.ErrorIs(t, try(100, 1_000_100), types.ErrFull, "the time has passed, the blocks have not: validators hurry")
	require.ErrorIs(t, try(101, 1_000_099), types.ErrFull, "the blocks have passed, the time has not")
	require.NoError(t, try(101, 1_000_100))
	require.ErrorIs(t, try(5_000, 1_000_099), types.ErrFull)
	require.ErrorIs(t, try(100, 2_000_000), types.ErrFull)
}

func TestANetworkImmunityBeyondAllTimeOverflowsNothing(t *testing.T) {
	p := local()
	p.MaxSubnets, p.NetworkImmunity = 1, math.MaxInt64/4
	require.NoError(t, p.Validate())
	e := newEnv(t, p)
	e.create("ann")
	_, err := e.tryCreate("bob")
	require.ErrorIs(t, err, types.ErrFull)
	order := e.removalOrder().Order
	require.Greater(t, order[0].ImmuneUntilHeight, int64(1)<<60)
	require.Greater(t, order[0].ImmuneUntilTime, int64(1)<<60)
}

func TestSection3AFailedCreationRemovesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(*env)
		change func(*types.MsgCreateSubnet)
	}{
		"a lock above the limit":       {func(*env) {}, func(m *types.MsgCreateSubnet) { m.MaxLock = 1 }},
		"a creator without coins":      {func(e *env) { _, e.alpha.poor = e.bind("new") }, func(*types.MsgCreateSubnet) {}},
		"a hotkey that is another's":   {func(*env) {}, func(m *types.MsgCreateSubnet) { m.Coldkey = addr("thief").String() }},
		"an upper module that refuses": {func(e *env) { e.hooks.fails = true }, func(*types.MsgCreateSubnet) {}},
	} {
		t.Run(name, func(t *testing.T) {
			e := house(t)
			c.spoil(e)
			_, err := e.tryCreate("new", c.change)
			require.Error(t, err)
			require.Equal(t, []uint32{2, 3, 1}, netuids(e.removalOrder().Order))
			require.Equal(t, "owner 2", e.subnet(2).Name)
			e.holds()
		})
	}
}

func TestSection3ASuccessorInTheSlotInheritsNothing(t *testing.T) {
	e := house(t)
	old := e.subnet(2)
	for i := range 5 {
		e.register(2, fmt.Sprint("miner ", i))
	}
	require.NoError(t, e.publish("miner 1", 2, "data"))
	require.NoError(t, e.seal("miner 2", 2, "secret"))
	require.NoError(t, e.set("owner 2", 2, "bonds_penalty", 7))
	require.NoError(t, e.set("owner 2", 2, "min_collateral", 9))
	require.Greater(t, e.burn(old), uint64(tao/10))

	s := e.create("new")
	require.EqualValues(t, 2, s.Netuid)
	defaults, err := local().Defaults()
	require.NoError(t, err)
	require.Equal(t, defaults, s.Hyperparameters)
	require.EqualValues(t, tao/10, e.burn(s), "the first price of a registration")
	require.EqualValues(t, 1, s.Neurons)
	require.Equal(t, addr("new").String(), s.OwnerHotkey)
	kept, err := e.query.AllPublished(e.ctx, &types.QueryAllPublishedRequest{Netuid: 2})
	require.NoError(t, err)
	require.Empty(t, kept.Published)
	require.Zero(t, e.info(2, "bonds_penalty").SetHeight)
	require.Nil(t, e.info(2, "min_collateral").Scheduled)
	require.NoError(t, e.set("new", 2, "bonds_penalty", 8), "the former owner's setting limits nobody")
	require.ErrorIs(t, e.set("owner 2", 2, "min_burn", tao), types.ErrNotOwner)
	_, cold := e.bind("new")
	_, err = send(e, e.msgs.StartSubnet, &types.MsgStartSubnet{Coldkey: cold, Netuid: 2})
	require.NoError(t, err)
	require.EqualValues(t, 1, e.register(2, "miner 1"), "former neurons register like anybody")
	require.ErrorIs(t, e.reveal("miner 1", 2, "data", salt), types.ErrNotSealed)
	e.pass(100) // what waited for the former one is never set in the new one
	require.Zero(t, e.subnet(2).Hyperparameters.MinCollateral)
	e.holds()
}

func TestSection3ARemovedSubnetIsFoundByNothing(t *testing.T) {
	e := house(t)
	s := e.subnet(2)
	e.register(2, "miner")
	e.alpha.unpaid[s.Id] = 1_000
	p, err := e.k.Params(e.ctx)
	require.NoError(t, err)
	e.create("new")
	require.Equal(t, uint32(1_000), p.SweepKeysPerBlock)
	_, err = e.k.Subnet(e.ctx, s.Id)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	_, err = e.k.Neuron(e.ctx, s.Id, 1)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	_, err = e.k.NeuronByHotkey(e.ctx, s.Id, addr("miner"))
	require.ErrorIs(t, err, types.ErrNoSubnet)
	_, err = e.k.Neurons(e.ctx, s.Id)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	_, err = e.k.BurnCost(e.ctx, s.Id)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	_, err = e.k.PruningOrder(e.ctx, s.Id)
	require.ErrorIs(t, err, types.ErrNoSubnet)
	e.own("miner 2", "miner")
	r, err := e.swapHotkey("miner", "miner", "miner 2")
	require.NoError(t, err)
	require.Empty(t, r.Netuids, "a neuron that waits for the sweep is nobody's")
	e.holds()
}

func TestSection3RemovalCostsTheSameHoweverManyNeuronsThereAre(t *testing.T) {
	cost := func(neurons int, text string) uint64 {
		p := local()
		p.MaxSubnets, p.NetworkImmunity = 1, 0
		e := newEnv(t, p)
		e.started("ann")
		e.fill(1, neurons)
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		g.Subnets[0].Description = text
		require.NoError(t, e.k.InitGenesis(e.ctx, *g))
		e.ctx = e.ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
		_, err = e.tryCreate("new")
		require.NoError(t, err)
		return e.ctx.GasMeter().GasConsumed()
	}
	require.Equal(t, cost(2, ""), cost(250, ""))
	require.Equal(t, cost(2, ""), cost(2, string(make([]byte, 1_000))), "nor does what its owner writes make it dearer")
}

// naiveRemoval is the order by the words of protocol.md §3, one after the other.
func naiveRemoval(subnets []types.Subnet, price func(types.Subnet) uint64, immune func(types.Subnet) bool) (order []uint64) {
	left := slices.Clone(subnets)
	for len(left) > 0 {
		from := slices.DeleteFunc(slices.Clone(left), immune)
		if len(from) == 0 {
			from = left
		}
		out := slices.MinFunc(from, func(a, b types.Subnet) int {
			return cmp.Or(cmp.Compare(price(a), price(b)), cmp.Compare(a.CreatedHeight, b.CreatedHeight), cmp.Compare(a.Id, b.Id))
		})
		order = append(order, out.Id)
		left = slices.DeleteFunc(left, func(s types.Subnet) bool { return s.Id == out.Id })
	}
	return order
}

func TestSection3RemovalOrderIsThatOfANaiveModel(t *testing.T) {
	e := newEnv(t, local())
	h, err := local().Defaults()
	require.NoError(t, err)
	base := e.ctx
	rapid.Check(t, func(rt *rapid.T) {
		e.ctx, _ = base.CacheContext()
		defer func() { e.ctx = base }()
		p := local()
		p.NetworkImmunity = rapid.Int64Range(0, 60).Draw(rt, "network_immunity")
		p.MaxSubnets = 30
		g := types.GenesisState{Params: p}
		clear(e.net.prices)
		for i := range rapid.Uint32Range(1, 30).Draw(rt, "subnets") {
			hot := addr(fmt.Sprint("owner ", i)).String()
			s := types.Subnet{Id: 900 - uint64(i), Netuid: i + 1, OwnerHotkey: hot, Name: "n", Parameters: "{}", Neurons: 1, Hyperparameters: h}
			s.CreatedHeight = rapid.Int64Range(1, 40).Draw(rt, "created")
			s.CreatedTime = rapid.Int64Range(1_000_000, 1_000_040).Draw(rt, "time")
			e.net.prices[s.Id] = fixed.Q64FromUint64(rapid.Uint64Range(0, 3).Draw(rt, "price"))
			g.Subnets = append(g.Subnets, s)
			g.Neurons = append(g.Neurons, types.Neuron{SubnetId: s.Id, Hotkey: hot})
			g.BurnPrices = append(g.BurnPrices, types.BurnPrice{SubnetId: s.Id, Burn: h.MinBurn})
		}
		require.NoError(rt, e.k.InitGenesis(e.ctx, g))
		now := rapid.Int64Range(40, 100).Draw(rt, "now")
		seconds := rapid.Int64Range(1_000_040, 1_000_100).Draw(rt, "seconds")
		e.ctx = e.ctx.WithBlockHeight(now).WithBlockTime(time.Unix(seconds, 0))
		immune := func(s types.Subnet) bool {
			return now < s.CreatedHeight+p.NetworkImmunity || seconds < s.CreatedTime+p.NetworkImmunity
		}
		want := naiveRemoval(g.Subnets, func(s types.Subnet) uint64 { return e.net.prices[s.Id].MulUint64(1) }, immune)
		var got []uint64
		for _, place := range e.removalOrder().Order {
			got = append(got, place.SubnetId)
		}
		require.Equal(rt, want, got)
		free := slices.ContainsFunc(g.Subnets, func(s types.Subnet) bool { return !immune(s) })
		e.alpha.retired = map[uint64]bool{}
		if len(g.Subnets) == 30 && free {
			_, err := e.tryCreate("new")
			require.NoError(rt, err)
			require.True(rt, e.alpha.retired[want[0]])
		}
	})
}
