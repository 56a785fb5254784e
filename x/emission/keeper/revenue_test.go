package keeper

import (
	"testing"

	"github.com/stretchr/testify/require"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// earn buys alpha for a subnet's miners, as x/market does, and returns how much.
func (h *harness) earn(s subnetstypes.Subnet, rao uint64) uint64 {
	h.t.Helper()
	bought, err := h.alpha.BuyForMiners(h.ctx, s.Id, addr(treasury), rao, alphatypes.ReasonRevenue)
	require.NoError(h.t, err)
	require.NotZero(h.t, bought)
	require.NoError(h.t, h.k.AddRevenue(h.ctx, s.Id, bought))
	return bought
}

func TestRevenueGoesToMinersByIncentiveBesideThePot(t *testing.T) {
	plain, h := newHarness(t), newHarness(t)
	for _, h := range []*harness{plain, h} {
		s := scene(h)
		h.judge(s, "v1", 3, 3, 4, 1)
		h.judge(s, "v2", 3, 3, 4, 1)
	}
	s, err := h.subnets.SubnetByNetuid(h.ctx, 1)
	require.NoError(t, err)
	bought := h.earn(s, tao)
	bought += h.earn(s, tao)
	require.Equal(t, bought, h.emission(s).PendingRevenue)

	without, events := plain.paid(plain.untilEpoch(s)), h.untilEpoch(s)
	with, e := h.paid(events), one[*types.EventEpochPaid](h, events)
	require.Equal(t, bought, e.Revenue)
	require.Equal(t, bought, with["m1"].Revenue+with["m2"].Revenue)
	require.InEpsilon(t, 3*float64(with["m2"].Revenue), float64(with["m1"].Revenue), 1e-6)
	require.Equal(t, without["m1"].Incentive, with["m1"].Incentive, "the pot is as it was")
	require.Equal(t, without["v1"].Dividends, with["v1"].Dividends)
	require.Zero(t, with["v1"].Revenue)
	require.Equal(t, with["m1"].Incentive+with["m1"].Revenue, h.stakeOn(s, "m1"))
	require.Zero(t, h.emission(s).PendingRevenue)
	n, err := h.subnets.Neuron(h.ctx, s.Id, 3)
	require.NoError(t, err)
	require.Equal(t, with["m1"].Incentive+with["m1"].Revenue, n.Emission)
}

func TestRevenueWaitsWhereNobodyHasIncentive(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	bought := h.earn(s, tao)
	e := one[*types.EventEpochPaid](h, h.untilEpoch(s))
	require.Zero(t, e.Revenue)
	require.GreaterOrEqual(t, e.Carried, bought)
	require.Equal(t, bought, h.emission(s).PendingRevenue)

	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	require.Equal(t, bought, h.paid(h.untilEpoch(s))["m1"].Revenue)
}

func TestRevenueOfTheOwnersMinersIsBurnedAndNotCountedAsWithheld(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	uid := h.registerFor(s, "owner's other", coldkeyOf("owner"))
	h.blocks(1)
	h.judge(s, "v1", uid, 1, 3, 1)
	h.judge(s, "v2", uid, 1, 3, 1)
	bought := h.earn(s, tao)
	events := h.untilEpoch(s)
	e := one[*types.EventEpochPaid](h, events)
	paid := h.paid(events)["m1"]
	require.InDelta(t, float64(bought)/2, float64(paid.Revenue), 1)
	require.Equal(t, paid.Revenue, e.Revenue)
	require.InDelta(t, float64(paid.Incentive+paid.Revenue), float64(e.Burned), 2)
	require.EqualValues(t, uint64(1)<<31, e.Withheld, "half of what was minted for miners")
	require.Zero(t, h.stakeOn(s, "owner's other"))
}
