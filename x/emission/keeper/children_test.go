package keeper

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/curve"
	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// parents gives the scene's subnet two hotkeys, p1 and p2, that hold no uid and
// lend to validator v1 (uid 1).
func parents(h *harness, s subnetstypes.Subnet) {
	h.t.Helper()
	for _, p := range []string{"p1", "p2"} {
		h.bind(p, coldkeyOf(p))
	}
	h.stake(s, "p1", coldkeyOf("p1"), 90*tao)
	h.stake(s, "p1", addr("nominator"), 60*tao)
	h.stake(s, "p2", coldkeyOf("p2"), 50*tao)
	h.lend(s, "p1", "v1", 1_000_000)
	h.lend(s, "p2", "v1", 400_000)
	h.blocks(3)
}

// ownOf is a hotkey's stake in a subnet that an epoch of this block would read.
func (h *harness) weightOf(s subnetstypes.Subnet, hotkey string) (weight, alpha uint64) {
	h.t.Helper()
	weight, alpha, _, err := h.weights.StakeWeight(h.ctx, s.Id, addr(hotkey))
	require.NoError(h.t, err)
	return weight, alpha
}

// returned are an epoch's payments to parents, by the parent's name and the
// child's uid.
func (h *harness) returned(events sdk.Events) map[string]map[uint32]types.EventParentPaid {
	names := map[string]string{}
	for _, n := range []string{"p1", "p2", "v1", "v2"} {
		names[addr(n).String()] = n
	}
	out := map[string]map[uint32]types.EventParentPaid{}
	for _, e := range typed[*types.EventParentPaid](h, events) {
		if out[names[e.Parent]] == nil {
			out[names[e.Parent]] = map[uint32]types.EventParentPaid{}
		}
		out[names[e.Parent]][e.Uid] = *e
	}
	return out
}

// rewarded is what a hotkey's share pool was raised by.
func (h *harness) rewarded(events sdk.Events, hotkey string) (sum uint64) {
	for _, e := range typed[*alphatypes.EventStakeRewarded](h, events) {
		if e.Hotkey == addr(hotkey).String() {
			sum += e.Alpha
		}
	}
	return sum
}

// staked is what was newly staked on a hotkey for a reason.
func (h *harness) staked(events sdk.Events, hotkey, reason string) (sum uint64) {
	for _, e := range typed[*alphatypes.EventStakeAdded](h, events) {
		if e.Hotkey == addr(hotkey).String() && e.Reason == reason {
			sum += e.Alpha
		}
	}
	return sum
}

func TestSection5DividendsReturnToParentsInProportion(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	parents(h, s)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	weight, _ := h.weightOf(s, "v1")
	_, p1 := h.weightOf(s, "p1")
	p2Left, p2 := h.weightOf(s, "p2")
	require.EqualValues(t, p2-p2*4/10, p2Left)
	events := h.untilEpoch(s)
	e, paid, back := one[*types.EventEpochPaid](h, events), h.paid(events), h.returned(events)

	dividends := float64(paid["v1"].Dividends)
	require.InEpsilon(t, dividends*float64(p1)/float64(weight), float64(back["p1"][1].Dividends), 1e-6)
	require.InEpsilon(t, dividends*float64(p2-p2Left)/float64(weight), float64(back["p2"][1].Dividends), 1e-6)
	require.Zero(t, back["p1"][1].ChildkeyTake, "0 unless it was set")
	require.Equal(t, addr("v1").String(), back["p1"][1].Child)
	require.Equal(t, e.Pending, e.Paid)
	require.Equal(t, e.Paid, paid["v1"].Dividends+paid["v2"].Dividends+paid["m1"].Incentive+e.Owner, "what went through a neuron is its dividends")
	n, err := h.subnets.Neuron(h.ctx, s.Id, 1)
	require.NoError(t, err)
	require.Equal(t, paid["v1"].Dividends, n.Emission, "pruning goes by what the uid earned")
	require.Greater(t, paid["v1"].Dividends, paid["v2"].Dividends*4, "by the weight that was lent to it")
}

func TestSection5TheChildsTakeComesFirstThenTheHotkeysThenTheNominators(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	parents(h, s)
	h.childkeyTake(s, "v1", 100_000)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	worth := func(hotkey string, coldkey sdk.AccAddress) uint64 {
		v, err := h.alpha.StakeOf(h.ctx, s.Id, addr(hotkey), coldkey)
		require.NoError(t, err)
		return v
	}
	own, nominator, child := worth("p1", coldkeyOf("p1")), worth("p1", addr("nominator")), worth("v1", coldkeyOf("v1"))
	events := h.untilEpoch(s)
	back, paid := h.returned(events), h.paid(events)

	part := back["p1"][1].Dividends
	childTake := part / 10
	take := curve.MulDiv(part-childTake, 180_000, million)
	rest := part - childTake - take
	require.Equal(t, childTake, back["p1"][1].ChildkeyTake)
	require.Equal(t, take, h.staked(events, "p1", alphatypes.ReasonTake))
	require.Equal(t, rest, h.rewarded(events, "p1"))
	all := back["p1"][1].ChildkeyTake + back["p2"][1].ChildkeyTake
	require.Equal(t, all, h.staked(events, "v1", alphatypes.ReasonChildkeyTake))

	require.InEpsilon(t, float64(rest)*float64(nominator)/float64(own+nominator), float64(worth("p1", addr("nominator"))-nominator), 1e-6,
		"the parent's nominators get what their stake earned, less both takes")
	require.InEpsilon(t, float64(part-childTake)-float64(worth("p1", addr("nominator"))-nominator), float64(worth("p1", coldkeyOf("p1"))-own), 1e-6)
	mine := paid["v1"].Dividends - part - back["p2"][1].Dividends
	require.InEpsilon(t, float64(mine+all), float64(worth("v1", coldkeyOf("v1"))-child), 1e-6,
		"the child gets what its own stake earned and its takes")
}

// A child with nominators of its own: they share its own part alone.
func TestSection5TheChildsNominatorsGetNothingOfWhatIsLent(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.stake(s, "v1", addr("nominator"), 300*tao)
	parents(h, s)
	h.childkeyTake(s, "v1", 180_000)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	events := h.untilEpoch(s)
	back, paid := h.returned(events), h.paid(events)
	mine := paid["v1"].Dividends - back["p1"][1].Dividends - back["p2"][1].Dividends
	require.Equal(t, mine-curve.MulDiv(mine, 180_000, million), h.rewarded(events, "v1"))
}

func TestSection5AParentOfTwoChildrenIsPaidThroughBoth(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	parents(h, s)
	h.lend(s, "p1", "v1", 500_000, "v2", 500_000)
	h.blocks(3)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	back := h.returned(h.untilEpoch(s))
	require.InEpsilon(t, float64(back["p1"][1].Dividends), float64(back["p1"][2].Dividends), 1e-6)
	require.NotZero(t, back["p1"][1].Dividends)
}

func TestSection5TwoValidatorsThatLendToEachOtherEarnAsBefore(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.lend(s, "v1", "v2", 1_000_000)
	h.lend(s, "v2", "v1", 1_000_000)
	h.blocks(3)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	v1, v2 := h.stakeOn(s, "v1"), h.stakeOn(s, "v2")
	events := h.untilEpoch(s)
	back, paid := h.returned(events), h.paid(events)
	require.Equal(t, paid["v1"].Dividends, back["v2"][1].Dividends, "all that uid 1 earned is v2's")
	require.Equal(t, paid["v2"].Dividends, back["v1"][2].Dividends)
	grew1, grew2 := h.stakeOn(s, "v1")-v1, h.stakeOn(s, "v2")-v2
	require.InEpsilon(t, float64(v1)/float64(v2), float64(grew1)/float64(grew2), 1e-3, "each hotkey what its own stake earned")
}

func TestSection5WhatIsLentToAnUnregisteredChildEarnsNothing(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.bind("nobody", coldkeyOf("nobody"))
	h.lend(s, "v1", "nobody", 1_000_000)
	h.blocks(3)
	h.judge(s, "v2", 3, 1)
	h.judge(s, "v1", 3, 1)
	before := h.stakeOn(s, "v1")
	events := h.untilEpoch(s)
	require.Empty(t, h.returned(events))
	require.Zero(t, h.paid(events)["v1"].Dividends)
	require.Equal(t, before, h.stakeOn(s, "v1"))
	e := one[*types.EventEpochPaid](h, events)
	require.Equal(t, e.Pending, e.Paid, "v2's stake is all that counts")
}

// A parent's root stake earns root TAO for the delegators of the parent's own
// chain validator, and alpha only where alpha was lent.
func TestSection5AParentsRootPartFollowsItsOwnChainValidator(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { noMoving(p); p.SecurityShare = 0 }))
	h.validator("v1", 1_000*tao, "0")
	h.validator("p1", 4_000*tao, "0.1")
	s := scene(h)
	h.bind("p1", coldkeyOf("p1"))
	h.lend(s, "p1", "v1", 500_000)
	h.childkeyTake(s, "v1", 180_000)
	h.blocks(3)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	rich(h, s)
	outstanding := func(name string) uint64 {
		r, err := h.distribution.GetValidatorOutstandingRewards(h.ctx, sdk.ValAddress(addr(name)))
		require.NoError(t, err)
		return r.Rewards.AmountOf(types.Denom).TruncateInt().Uint64()
	}
	v1, p1 := outstanding("v1"), outstanding("p1")
	events := h.untilEpoch(s)
	e := epochOf(h, events, s)
	back, paid := h.returned(events), h.paid(events)
	require.NotZero(t, e.RootPot)
	require.Equal(t, e.RootPot, e.RootPaid)
	require.Equal(t, e.RootPot, paid["v1"].RootTao+paid["v2"].RootTao, "it went through the child")
	require.Equal(t, back["p1"][1].RootTao, outstanding("p1")-p1, "the child takes nothing of it")
	require.Equal(t, paid["v1"].RootTao-back["p1"][1].RootTao, outstanding("v1")-v1)
	require.InEpsilon(t, 2, float64(back["p1"][1].RootTao)/float64(outstanding("v1")-v1), 1e-6, "half of 4,000 beside all of 1,000")
	require.Zero(t, back["p1"][1].Dividends, "no alpha was lent")
	require.Zero(t, h.stakeOn(s, "p1"))
}

// epochOf is what an epoch of a subnet paid, where others ran too.
func epochOf(h *harness, events sdk.Events, s subnetstypes.Subnet) (found *types.EventEpochPaid) {
	h.t.Helper()
	for _, e := range typed[*types.EventEpochPaid](h, events) {
		if e.SubnetId == s.Id {
			found = e
		}
	}
	require.NotNil(h.t, found)
	return found
}

func TestSection5AChildKeepsItsChildkeyTakeForTheColdkeyThatItIsBoundTo(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.stake(s, "v1", addr("nominator"), 300*tao)
	parents(h, s)
	h.childkeyTake(s, "v1", 180_000)
	h.judge(s, "v1", 3, 1)
	events := h.untilEpoch(s)
	for _, a := range typed[*alphatypes.EventStakeAdded](h, events) {
		if a.Reason == alphatypes.ReasonChildkeyTake {
			require.Equal(t, coldkeyOf("v1").String(), a.Coldkey)
			require.Equal(t, addr("v1").String(), a.Hotkey)
		}
	}
	require.NotZero(t, h.staked(events, "v1", alphatypes.ReasonChildkeyTake))
}
