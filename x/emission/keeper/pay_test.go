package keeper

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/fixed"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// scene is a subnet with two validators (uids 1, 2) and two miners (3, 4), past
// its first epoch, so that the validators hold permits.
func scene(h *harness) subnetstypes.Subnet {
	h.t.Helper()
	s := h.subnet("owner")
	for _, name := range []string{"v1", "v2", "m1", "m2"} {
		h.register(s, name)
	}
	h.stake(s, "v1", coldkeyOf("v1"), 300*tao)
	h.stake(s, "v2", coldkeyOf("v2"), 100*tao)
	h.untilEpoch(s)
	return s
}

// paid are an epoch's payments by hotkey's name.
func (h *harness) paid(events sdk.Events) map[string]types.EventNeuronPaid {
	names := map[string]string{}
	for _, n := range []string{"owner", "owner's other", "v1", "v2", "m1", "m2"} {
		names[addr(n).String()] = n
	}
	out := map[string]types.EventNeuronPaid{}
	for _, e := range typed[*types.EventNeuronPaid](h, events) {
		out[names[e.Hotkey]] = *e
	}
	return out
}

func TestSection7AnEpochPaysMinersValidatorsAndTheOwner(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.judge(s, "v1", 3, 2, 4, 1)
	h.judge(s, "v2", 3, 2, 4, 1)
	before := map[string]uint64{}
	for _, n := range []string{"owner", "v1", "v2", "m1", "m2"} {
		before[n] = h.stakeOn(s, n)
	}
	events := h.untilEpoch(s)
	e, paid := one[*types.EventEpochPaid](h, events), h.paid(events)

	require.Zero(t, e.Burned+e.Recycled+e.Carried+e.Withheld)
	require.Equal(t, e.Pending, e.Paid)
	require.EqualValues(t, 10*tao*18/100, e.Owner, "ten blocks' cut")
	require.InEpsilon(t, 2, float64(paid["m1"].Incentive)/float64(paid["m2"].Incentive), 1e-6)
	require.Greater(t, paid["v1"].Dividends, paid["v2"].Dividends, "more stake, more dividends")
	miners, validators := paid["m1"].Incentive+paid["m2"].Incentive, paid["v1"].Dividends+paid["v2"].Dividends
	require.InEpsilon(t, float64(miners), float64(validators), 1e-6)
	require.Equal(t, e.Paid, miners+validators+e.Owner)
	for name, p := range paid {
		require.Equal(t, p.Incentive+p.Dividends, h.stakeOn(s, name)-before[name], name)
		n, err := h.subnets.Neuron(h.ctx, s.Id, p.Uid)
		require.NoError(t, err)
		require.Equal(t, p.Incentive+p.Dividends, n.Emission, "x/subnets prunes by it")
	}
	require.Equal(t, e.Owner, h.stakeOn(s, "owner")-before["owner"])
	require.Zero(t, h.emission(s).PendingMiners+h.emission(s).PendingValidators+h.emission(s).PendingOwner)
	reasons := map[string]int{}
	for _, a := range typed[*alphatypes.EventStakeAdded](h, events) {
		reasons[a.Reason]++
	}
	require.Equal(t, map[string]int{"incentive": 2, "take": 2, "owner_cut": 1}, reasons)
	require.Len(t, typed[*alphatypes.EventStakeRewarded](h, events), 2)
}

func TestSection5ATakeIsOfWhatTheHotkeyEarns(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.stake(s, "v1", addr("nominator"), 300*tao)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	worth := func(coldkey sdk.AccAddress) uint64 {
		v, err := h.alpha.StakeOf(h.ctx, s.Id, addr("v1"), coldkey)
		require.NoError(t, err)
		return v
	}
	own, other := worth(coldkeyOf("v1")), worth(addr("nominator"))
	events := h.untilEpoch(s)
	dividends := h.paid(events)["v1"].Dividends
	take := dividends * 18 / 100
	rest := dividends - take

	nominators := worth(addr("nominator")) - other
	require.InEpsilon(t, float64(rest)*float64(other)/float64(own+other), float64(nominators), 1e-6)
	require.InEpsilon(t, float64(dividends-nominators), float64(worth(coldkeyOf("v1"))-own), 1e-6)
}

// What falls to the owner's hotkeys as miners is burned, whichever of them mines,
// and lowers the subnet's share afterwards.
func TestSection7TheOwnersMinersAreWithheld(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	other := h.registerFor(s, "owner's other", coldkeyOf("owner"))
	h.blocks(1)
	h.judge(s, "v1", 0, 1, 3, 2, other, 1)
	h.judge(s, "v2", 0, 1, 3, 2, other, 1)
	burned, stake := h.pool(s).AlphaBurned, h.stakeOn(s, "owner's other")
	events := h.untilEpoch(s)
	e, paid := one[*types.EventEpochPaid](h, events), h.paid(events)

	require.InEpsilon(t, float64(paid["m1"].Incentive), float64(e.Burned), 1e-6, "half of the miners' emission")
	require.Equal(t, e.Burned, h.pool(s).AlphaBurned-burned)
	require.Equal(t, e.Pending, e.Paid+e.Burned)
	require.NotContains(t, paid, "owner's other")
	require.Equal(t, stake, h.stakeOn(s, "owner's other"))
	require.InDelta(t, 0.5, fixed.Q32(e.Withheld).Float64(), 1e-6)
	require.Equal(t, e.Withheld, h.emission(s).Withheld)
	n, err := h.subnets.Neuron(h.ctx, s.Id, other)
	require.NoError(t, err)
	require.Zero(t, n.Emission, "pruning finds that it earned nothing")

	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	h.untilEpoch(s)
	require.Zero(t, h.emission(s).Withheld, "the next epoch begins anew")
}

func TestSection7WithoutWeightsTheMinersHalfIsBurnedAndCountsAsWithheld(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	v1, v2, burned := h.stakeOn(s, "v1"), h.stakeOn(s, "v2"), h.pool(s).AlphaBurned
	owner := h.stakeOn(s, "owner")
	events := h.untilEpoch(s)
	e, paid := one[*types.EventEpochPaid](h, events), h.paid(events)

	require.Equal(t, (e.Pending-e.Owner)/2, e.Burned)
	require.Equal(t, e.Burned, h.pool(s).AlphaBurned-burned)
	require.EqualValues(t, fixed.One, e.Withheld)
	require.Equal(t, e.Pending, e.Paid+e.Burned)
	require.InEpsilon(t, float64(v1)/float64(v2), float64(paid["v1"].Dividends)/float64(paid["v2"].Dividends), 1e-6, "by stake")
	require.InEpsilon(t, float64(owner)/float64(v2), float64(paid["owner"].Dividends)/float64(paid["v2"].Dividends), 1e-6, "the owner's cut is stake too")
	require.Zero(t, paid["m1"].Incentive)
}

func TestSection7WithoutStakeBothHalvesAreRecycled(t *testing.T) {
	h := newHarness(t)
	s := h.subnet("owner")
	h.register(s, "m1")
	events := h.untilEpoch(s)
	e := one[*types.EventEpochPaid](h, events)
	require.Equal(t, e.Pending-e.Owner, e.Recycled)
	require.Equal(t, e.Owner, e.Paid)
	require.Zero(t, e.Burned+e.Carried+e.Withheld)
	require.Empty(t, typed[*types.EventNeuronPaid](h, events))
	require.Equal(t, e.Owner, h.stakeOn(s, "owner"))
}

// rich makes Σe exceed 1, so that root's alpha is sold in every block.
func rich(h *harness, s subnetstypes.Subnet) {
	h.setEmission(s, func(e *types.SubnetEmission) { e.MovingPrice = q64("0.75") })
	other := h.subnet("rich")
	h.setEmission(other, func(e *types.SubnetEmission) { e.MovingPrice = q64("0.75") })
}

func TestSection7TheRootPotGoesToTheDelegatorsOfTheValidatorsThatEarnedIt(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { noMoving(p); p.SecurityShare = 0 }))
	h.validator("v1", 1_000*tao, "0.1")
	h.validator("v2", 3_000*tao, "0")
	h.validator("elsewhere", 10_000*tao, "0")
	s := scene(h)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	rich(h, s)
	outstanding := func(name string) uint64 {
		r, err := h.distribution.GetValidatorOutstandingRewards(h.ctx, sdk.ValAddress(addr(name)))
		require.NoError(t, err)
		return r.Rewards.AmountOf(types.Denom).TruncateInt().Uint64()
	}
	v1, v2 := outstanding("v1"), outstanding("v2") // of the first epoch's pot
	pot := h.emission(s).RootPot
	events := h.untilEpoch(s)
	var e *types.EventEpochPaid
	for _, each := range typed[*types.EventEpochPaid](h, events) {
		if each.SubnetId == s.Id {
			e = each
		}
	}
	paid := h.paid(events)
	require.Greater(t, e.RootPot, pot)
	require.Equal(t, e.RootPot, e.RootPaid)
	require.Equal(t, e.RootPot, paid["v1"].RootTao+paid["v2"].RootTao)
	require.NotZero(t, paid["v1"].RootTao)
	require.Equal(t, paid["v1"].RootTao, outstanding("v1")-v1)
	require.Equal(t, paid["v2"].RootTao, outstanding("v2")-v2)
	require.Zero(t, outstanding("elsewhere"), "it does not validate here")
	require.Zero(t, h.emission(s).RootPot)

	// r = D·tw·root/(alpha + tw·root), by what x/weights told of the epoch.
	weight := func(r *weightstypes.EpochResult, uid int, root uint64) float64 {
		return float64(r.Dividends[uid]) * float64(root) * 0.18 / float64(r.Stake[uid])
	}
	r, _, err := h.weights.EpochResult(h.ctx, s.Id)
	require.NoError(t, err)
	r1, r2 := weight(&r, 1, 1_000*tao), weight(&r, 2, 3_000*tao)
	require.InEpsilon(t, r1/(r1+r2), float64(paid["v1"].RootTao)/float64(e.RootPot), 1e-6)
}

func TestSection7ARootPotWithoutClaimantsIsRecycled(t *testing.T) {
	h := newHarness(t, withParams(noMoving))
	h.validator("elsewhere", 10_000*tao, "0")
	s := scene(h)
	h.judge(s, "v1", 3, 1)
	rich(h, s)
	h.blocks(3)
	before := h.totals()
	var minted uint64
	pending := h.emission(s).RootPot
	require.NotZero(t, pending)
	events := h.untilEpoch(s)
	for _, e := range typed[*types.EventEpochPaid](h, events) {
		require.Equal(t, e.RootPot, e.RootRecycled)
		require.Zero(t, e.RootPaid)
	}
	var recycled uint64
	for _, e := range typed[*types.EventRecycled](h, events) {
		require.Equal(t, types.ReasonRootUnclaimed, e.Reason)
		recycled += e.Tao
	}
	require.Greater(t, recycled, pending)
	after := h.totals()
	require.Equal(t, recycled, after.Recycled-before.Recycled)
	require.Equal(t, before.Burned, after.Burned, "recycled is not burned")
	for range 3 {
		events := h.block(time.Second)
		minted += one[*types.EventBlockReward](h, events).Minted
		for _, e := range typed[*types.EventRecycled](h, events) {
			minted -= e.Tao
		}
	}
	require.Equal(t, after.Issued+minted, h.totals().Issued, "issued is what it was less the pots, and grows again")
}

// Validators whose dividends come from root stake alone leave the alpha pot
// without a claim: it waits for the next epoch, to the unit.
func TestSection7AnAlphaPotWithoutAClaimIsCarried(t *testing.T) {
	h := newHarness(t, withRule("owner_cut_enabled", 0))
	h.validator("v1", 1_000*tao, "0.1")
	s := h.subnet("owner")
	h.register(s, "v1")
	miner := h.register(s, "m1")
	events := h.untilEpoch(s) // no weights: v1's root stake is all there is
	e := one[*types.EventEpochPaid](h, events)
	require.Zero(t, e.Paid)
	require.Equal(t, e.Pending, e.Burned+e.Carried)
	require.NotZero(t, e.Carried)
	require.Equal(t, e.Carried, h.emission(s).PendingValidators)
	require.Equal(t, e.Carried, h.pool(s).AlphaPending)

	h.judge(s, "v1", miner, 1)
	e = one[*types.EventEpochPaid](h, h.untilEpoch(s))
	require.Equal(t, e.Pending, e.Paid+e.Carried)
	require.NotZero(t, e.Paid, "the miner's half")
}

func TestSection7OfOneUnitNothingIsLost(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { p.InitialReward = 1 }))
	s := scene(h)
	h.judge(s, "v1", 3, 1, 4, 1)
	h.judge(s, "v2", 3, 1, 4, 1)
	for range 5 {
		e := one[*types.EventEpochPaid](h, h.untilEpoch(s))
		require.EqualValues(t, 10, e.Pending)
		require.Equal(t, e.Pending, e.Paid+e.Burned+e.Recycled+e.Carried)
	}
}

func TestSection7ASlashedValidatorsRootPotIsStillPaidToTheRao(t *testing.T) {
	h := newHarness(t, withParams(func(p *types.Params) { noMoving(p); p.SecurityShare = 0 }))
	h.validator("v1", 1_000*tao, "0.1")
	h.validator("v2", 1_000*tao, "0.1")
	s := scene(h)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	rich(h, s)
	h.blocks(3)
	v, err := h.staking.GetValidator(h.ctx, sdk.ValAddress(addr("v1")))
	require.NoError(t, err)
	cons, err := v.GetConsAddr()
	require.NoError(t, err)
	_, err = h.staking.Slash(h.ctx, cons, h.ctx.BlockHeight(), 1_000_000, sdkmath.LegacyOneDec())
	require.NoError(t, err)
	require.NoError(t, h.staking.Jail(h.ctx, cons))
	events := h.untilEpoch(s)
	paid := h.paid(events)
	require.Zero(t, paid["v1"].RootTao)
	require.NotZero(t, paid["v2"].RootTao)
}
