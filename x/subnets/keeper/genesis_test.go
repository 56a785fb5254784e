package keeper_test

import (
	"fmt"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/subnets/types"
)

// busy is a state with something of everything.
func busy(t testing.TB) *env {
	p := withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default = 16 })
	p.CreationInterval = 10
	e := newEnv(t, p)
	e.started("ann")
	e.fill(1, 16)
	gone := e.create("gone") // removed below, with records that wait for the sweep
	require.NoError(t, e.set("gone", gone.Netuid, "min_collateral", 5))
	require.NoError(t, e.publish("gone", gone.Netuid, "data of a subnet that is removed"))
	e.pass(70)
	e.register(1, "replaces one")
	require.NoError(t, e.set("ann", 1, "bonds_penalty", 3))
	require.NoError(t, e.set("ann", 1, "min_collateral", 7))
	require.NoError(t, e.publish("ann", 1, "plain"))
	require.NoError(t, e.seal("replaces one", 1, "secret"))
	p.MaxSubnets, p.NetworkImmunity = 2, 0
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.NoError(t, err)
	e.net.prices[firstID] = fixed.OneQ64()
	e.alpha.unpaid[gone.Id] = 1_000
	e.create("bob")
	e.alpha.left[gone.Id] = 7
	require.NoError(t, e.setEmissions(firstID, make([]uint64, 16)))
	e.ctx = e.ctx.WithEventManager(sdk.NewEventManager())
	return e
}

func TestGenesisRoundTripsExactly(t *testing.T) {
	e := busy(t)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	require.NotEmpty(t, g.Creations)
	require.NotEmpty(t, g.HyperparameterSets)
	require.NotZero(t, g.Lock)
	require.NotEmpty(t, g.Scheduled)
	require.Len(t, g.Published, 3)
	require.Len(t, g.PublishUses, 3)
	require.Len(t, g.Removals, 1)
	require.Len(t, g.Neurons, 16+1+1)

	other := newEnv(t, local())
	other.alpha.coldkeys, other.alpha.started, other.alpha.retired = e.alpha.coldkeys, e.alpha.started, e.alpha.retired
	require.NoError(t, other.k.InitGenesis(other.ctx, *g))
	again, err := other.k.ExportGenesis(other.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	other.ctx = other.ctx.WithBlockHeight(e.ctx.BlockHeight()).WithBlockTime(e.ctx.BlockTime())
	other.holds()
	require.Equal(t, e.register(1, "next"), other.register(1, "next"), "it goes on as it would have")
}

func TestGenesisOfDefaultsHoldsNoSubnet(t *testing.T) {
	g := types.DefaultGenesis()
	require.NoError(t, g.Validate())
	e := newEnv(t, g.Params)
	out, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Equal(t, g, out)
	e.holds()
}

func TestInvariantsFindWhatIsBroken(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*types.GenesisState)
		says  string
	}{
		"a uid that is missing":  {func(g *types.GenesisState) { g.Neurons = g.Neurons[1:] }, "15 neurons, should be 16"},
		"a hotkey with two uids": {func(g *types.GenesisState) { g.Neurons[2].Hotkey = g.Neurons[3].Hotkey }, "has uid 3"},
		"an owner without a uid": {func(g *types.GenesisState) { g.Subnets[0].OwnerHotkey = addr("x").String() }, "holds no uid"},
		"a neuron of no subnet":  {func(g *types.GenesisState) { g.Neurons[2].SubnetId = 999 }, "15 neurons, should be 16"},
		"a price above max_burn": {func(g *types.GenesisState) { g.BurnPrices[0].Burn = 101 * tao }, "not within min_burn"},
		"a price of no subnet": {func(g *types.GenesisState) {
			g.BurnPrices = append(g.BurnPrices, types.BurnPrice{SubnetId: 9, Burn: tao})
		}, "3 prices"},
		"leftovers of a subnet that nobody sweeps": {func(g *types.GenesisState) { g.Removals = nil }, "subnet id 702 (there or to be swept: false) has 1 uids"},
		"a subnet that is swept":                   {func(g *types.GenesisState) { g.Removals[0].SubnetId = firstID }, "subnet id 701 is in the queue of the sweep"},
		"a subnet that is swept twice": {func(g *types.GenesisState) {
			g.Removals = append(g.Removals, types.Removal{SubnetId: 702, Netuid: 2, Height: 1})
		}, "or is in the queue again"},
		"data of nobody":                {func(g *types.GenesisState) { g.Published[0].Uid = 16 }, "published by uid 16 of subnet id 701"},
		"data that nobody can have":     {func(g *types.GenesisState) { g.Published[0].Height = 0 }, "neither plain nor sealed"},
		"data without a hotkey":         {func(g *types.GenesisState) { g.Published[0].Hotkey = "" }, "of no hotkey"},
		"data that are too long":        {func(g *types.GenesisState) { g.Published[0].Data = make([]byte, 513) }, "513 bytes of data"},
		"data that are not revealed":    {func(g *types.GenesisState) { g.Published[1].Data = []byte("x") }, "not revealed"},
		"a count of nobody":             {func(g *types.GenesisState) { g.PublishUses[0].SubnetId = 999 }, "is counted: there is no such neuron"},
		"a change that raises nothing":  {func(g *types.GenesisState) { g.Scheduled[0].Value = 0 }, "waits to become 0, but is 0"},
		"a change of no subnet":         {func(g *types.GenesisState) { g.Scheduled[0].SubnetId = 702 }, "waits for no subnet, id 702"},
		"a change that never waits":     {func(g *types.GenesisState) { g.Scheduled[0].Name = "tempo" }, "tempo waits to become 7"},
		"a setting of no subnet":        {func(g *types.GenesisState) { g.HyperparameterSets[0].SubnetId = 999 }, "is of no subnet, id 999"},
		"two subnets in one slot":       {func(g *types.GenesisState) { g.Subnets[1].Netuid = 1 }, "1 slots but 2 subnets"},
		"an immunity that is too short": {func(g *types.GenesisState) { g.Subnets[0].Hyperparameters.ImmunityPeriod = 1 }, "immunity_period 1 must be above"},
	} {
		t.Run(name, func(t *testing.T) {
			b := busy(t)
			g, err := b.k.ExportGenesis(b.ctx)
			require.NoError(t, err)
			c.spoil(g)
			require.Error(t, g.Validate(), "a genesis file is refused before")
			e := newEnv(t, local())
			require.NoError(t, e.k.InitGenesis(e.ctx, *g))
			err = e.k.CheckInvariants(e.ctx)
			require.ErrorIs(t, err, types.ErrInvariantBroken)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestQueriesAnswer(t *testing.T) {
	e := busy(t)
	ctx := e.ctx
	s, err := e.query.Subnet(ctx, &types.QuerySubnetRequest{Netuid: 1})
	require.NoError(t, err)
	require.Equal(t, addr("ann's coldkey").String(), s.OwnerColdkey)
	_, err = e.query.Subnet(ctx, &types.QuerySubnetRequest{Netuid: 9})
	require.ErrorContains(t, err, "netuid 9: the subnets are 1, 2")
	all, err := e.query.Subnets(ctx, &types.QuerySubnetsRequest{})
	require.NoError(t, err)
	require.Len(t, all.Subnets, 2)

	n, err := e.query.Neuron(ctx, &types.QueryNeuronRequest{Netuid: 1, Hotkey: addr("ann").String()})
	require.NoError(t, err)
	require.Zero(t, n.Neuron.Uid)
	for _, hotkey := range []string{"", "lode1", addr("nobody").String()} {
		_, err = e.query.Neuron(ctx, &types.QueryNeuronRequest{Netuid: 1, Hotkey: hotkey})
		require.Error(t, err)
	}

	var seen []uint32
	page := &query.PageRequest{Limit: 5}
	for {
		r, err := e.query.Neurons(ctx, &types.QueryNeuronsRequest{Netuid: 1, Pagination: page})
		require.NoError(t, err)
		for _, n := range r.Neurons {
			seen = append(seen, n.Uid)
		}
		if r.Pagination.NextKey == nil {
			break
		}
		page = &query.PageRequest{Limit: 5, Key: r.Pagination.NextKey}
	}
	require.Equal(t, "[0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15]", fmt.Sprint(seen))

	kept, err := e.query.AllPublished(ctx, &types.QueryAllPublishedRequest{Netuid: 1, Pagination: &query.PageRequest{Limit: 1}})
	require.NoError(t, err)
	require.Len(t, kept.Published, 1)
	require.NotEmpty(t, kept.Pagination.NextKey)
	kept, err = e.query.AllPublished(ctx, &types.QueryAllPublishedRequest{Netuid: 1, Pagination: &query.PageRequest{Key: kept.Pagination.NextKey}})
	require.NoError(t, err)
	require.Len(t, kept.Published, 1)
	one, err := e.query.Published(ctx, &types.QueryPublishedRequest{Netuid: 1, Hotkey: kept.Published[0].Hotkey})
	require.NoError(t, err)
	require.Equal(t, kept.Published[0], one.Published)
	_, err = e.query.Published(ctx, &types.QueryPublishedRequest{Netuid: 1, Hotkey: addr("miner 5").String()})
	require.ErrorIs(t, err, types.ErrNotPublished)
	kept, err = e.query.AllPublished(ctx, &types.QueryAllPublishedRequest{Netuid: 2})
	require.NoError(t, err)
	require.Empty(t, kept.Published, "a successor has none of what its slot's former subnet had")

	order, err := e.query.PruningOrder(ctx, &types.QueryPruningOrderRequest{Netuid: 1})
	require.NoError(t, err)
	require.Len(t, order.Order, 15)
	lock, err := e.query.LockCost(ctx, &types.QueryLockCostRequest{})
	require.NoError(t, err)
	require.Equal(t, ctx.BlockHeight(), lock.Height)
	want, err := e.k.LockCost(ctx)
	require.NoError(t, err)
	require.Equal(t, want, lock.Lock)
	burn, err := e.query.BurnCost(ctx, &types.QueryBurnCostRequest{Netuid: 2})
	require.NoError(t, err)
	require.Equal(t, types.QueryBurnCostResponse{Burn: e.burn(e.subnet(2)), Height: ctx.BlockHeight()}, *burn)
}
