package keeper_test

import (
	"fmt"
	"testing"

	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets/types"
)

// busy is a state with something of everything.
func busy(t *testing.T) *env {
	p := withRule(local(), "max_uids", func(r *types.HyperparameterRule) { r.Default = 16 })
	p.CreationInterval = 10
	e := newEnv(t, p)
	e.started("ann")
	e.fill(1, 16)
	e.pass(70)
	e.register(1, "replaces one")
	require.NoError(t, e.set("ann", 1, "bonds_penalty", 3))
	e.create("bob")
	require.NoError(t, e.k.SetEmissions(e.ctx, firstID, make([]uint64, 16)))
	e.pass(3)
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

	other := newEnv(t, local())
	other.alpha.coldkeys, other.alpha.started = e.alpha.coldkeys, e.alpha.started
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
