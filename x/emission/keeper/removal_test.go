package keeper

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// A full house: the weakest subnet goes, with all that it has in the air, while
// its root pot waits, alpha is lent in it and a miner has collateral at stake. All
// modules' invariants hold after every block until nothing of it is left.
func TestSection3WhatARemovedSubnetHasInTheAirIsAccountedFor(t *testing.T) {
	h := newHarness(t, withParams(noMoving), withRule("min_collateral", tao), func(_ *types.GenesisState, p *subnetstypes.Params) {
		p.MaxSubnets, p.NetworkImmunity, p.SweepKeysPerBlock = 2, 1, 10
	})
	h.validator("v1", 1_000*tao, "0.1")
	s := scene(h)
	parents(h, s)
	h.stake(s, "m1", coldkeyOf("m1"), 10*tao)
	h.bond(s, "m1", tao)
	h.judge(s, "v1", 3, 1)
	rich(h, s)
	h.earn(s, tao)
	h.setEmission(s, func(e *types.SubnetEmission) { e.MovingPrice = q64("0.5") }) // the other's is 0.75
	h.blocks(3)
	pot, pool, totals := h.emission(s).RootPot, h.pool(s), h.totals()
	require.NotZero(t, pot)
	require.NotZero(t, pool.AlphaPending)

	h.subnet("newcomer")
	_, err := h.subnets.Subnet(h.ctx, s.Id)
	require.ErrorIs(t, err, subnetstypes.ErrNoSubnet, "the lowest moving price went")
	require.Equal(t, types.SubnetEmission{SubnetId: s.Id}, h.emission(s))
	var recycled uint64
	for _, e := range typed[*types.EventRecycled](h, h.ctx.EventManager().Events()) {
		recycled += e.Tao
	}
	require.GreaterOrEqual(t, recycled, pot, "its root pot has no claimants any more")
	require.Equal(t, recycled, h.totals().Recycled-totals.Recycled)

	events := h.blocks(30)
	for _, e := range typed[*types.EventSubnetEmission](h, events) {
		require.NotEqual(t, s.Id, e.SubnetId)
	}
	for _, e := range typed[*weightstypes.EventEpoch](h, events) {
		require.NotEqual(t, s.Id, e.SubnetId)
	}
	require.Empty(t, typed[*weightstypes.EventEpochFailed](h, events))
	require.Len(t, typed[*subnetstypes.EventSubnetSwept](h, events), 1)
	g, err := h.weights.ExportGenesis(h.ctx)
	require.NoError(t, err)
	for _, r := range g.Rows {
		require.NotEqual(t, s.Id, r.SubnetId)
	}
}
