package keeper

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/fixed"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// ledger is what events alone tell: a reader who has only them arrives at the
// chain's sums.
type ledger struct {
	issued, burned, pot  uint64            // rao; pot: of all root pots
	pending, alphaBurned map[uint64]uint64 // alpha units by subnet id
}

// open begins with the chain as it is.
func (h *harness) open(subnets []subnetstypes.Subnet) *ledger {
	t := h.totals()
	l := &ledger{issued: t.Issued, burned: t.Burned, pot: h.balance(types.ModuleName), pending: map[uint64]uint64{}, alphaBurned: map[uint64]uint64{}}
	for _, s := range subnets {
		p := h.pool(s)
		l.pending[s.Id], l.alphaBurned[s.Id] = p.AlphaPending, p.AlphaBurned
	}
	return l
}

// read follows one block's events.
func (l *ledger) read(t *rapid.T, h *harness, events sdk.Events) {
	for _, e := range typed[*types.EventBlockReward](h, events) {
		l.issued += e.Minted
	}
	for _, e := range typed[*types.EventBurned](h, events) {
		l.burned += e.Tao
	}
	for _, e := range typed[*types.EventSubnetEmission](h, events) {
		if e.Tao != e.TaoIn+e.Excess {
			t.Fatalf("a subnet got %d rao, %d into the pool and %d that bought alpha", e.Tao, e.TaoIn, e.Excess)
		}
		l.pot += e.RootTao
		l.pending[e.SubnetId] += e.AlphaOut
	}
	neurons, root := map[uint64]uint64{}, map[uint64]uint64{}
	type neuron struct {
		subnet uint64
		uid    uint32
	}
	dividends, rootOf := map[neuron]uint64{}, map[neuron]uint64{}
	for _, e := range typed[*types.EventNeuronPaid](h, events) {
		neurons[e.SubnetId] += e.Incentive + e.Dividends
		root[e.SubnetId] += e.RootTao
		dividends[neuron{e.SubnetId, e.Uid}], rootOf[neuron{e.SubnetId, e.Uid}] = e.Dividends, e.RootTao
	}
	for _, e := range typed[*types.EventParentPaid](h, events) {
		at := neuron{e.SubnetId, e.Uid}
		if e.Dividends > dividends[at] || e.RootTao > rootOf[at] || e.ChildkeyTake > e.Dividends {
			t.Fatalf("%d alpha and %d rao went through uid %d to a parent, of %d and %d left: %+v", e.Dividends, e.RootTao, e.Uid, dividends[at], rootOf[at], e)
		}
		dividends[at] -= e.Dividends
		rootOf[at] -= e.RootTao
	}
	for _, e := range typed[*types.EventEpochPaid](h, events) {
		if e.Pending != l.pending[e.SubnetId] {
			t.Fatalf("epoch %d divided %d alpha, %d had been minted for it", e.Epoch, e.Pending, l.pending[e.SubnetId])
		}
		if e.Pending != e.Paid+e.Burned+e.Recycled+e.Carried || e.Paid != neurons[e.SubnetId]+e.Owner {
			t.Fatalf("the sums of an epoch differ: %+v, neurons got %d", e, neurons[e.SubnetId])
		}
		if got := h.moved(events, e.SubnetId); got != e.Paid || e.Uncovered > e.Burned {
			t.Fatalf("%d alpha came to stakes: %+v", got, e)
		}
		if e.RootPot != e.RootPaid+e.RootRecycled || e.RootPaid != root[e.SubnetId] {
			t.Fatalf("the root pot's sums differ: %+v, neurons got %d", e, root[e.SubnetId])
		}
		l.pending[e.SubnetId] = e.Carried
		l.alphaBurned[e.SubnetId] += e.Burned
		l.pot -= e.RootPot
	}
	for _, e := range typed[*types.EventRecycled](h, events) {
		l.issued -= e.Tao
	}
}

func TestSection7NothingIsLostOrMadeUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		initial := rapid.SampledFrom([]uint64{0, 1, 7, 1_000, tao, 1_000 * tao}).Draw(rt, "initial reward")
		share := rapid.Uint32Range(0, million).Draw(rt, "security share")
		minimum := rapid.SampledFrom([]uint64{0, 0, 1, tao}).Draw(rt, "min_collateral")
		h := newHarness(t, withRule("min_collateral", minimum),
			withParams(func(p *types.Params) { noMoving(p); p.InitialReward, p.SecurityShare = initial, share }))
		world := drawWorld(rt, h)
		l := h.open(world)
		for range 26 { // two epochs of each
			events := h.block(time.Duration(rapid.Int64Range(0, 3_000).Draw(rt, "ms")) * time.Millisecond)
			l.read(rt, h, events)
		}
		totals := h.totals()
		if totals.Issued != l.issued || totals.Burned != l.burned || h.supply() != l.issued-l.burned {
			rt.Fatalf("issued %d, burned %d, supply %d; by the events %d and %d", totals.Issued, totals.Burned, h.supply(), l.issued, l.burned)
		}
		if got := h.balance(types.ModuleName); got != l.pot {
			rt.Fatalf("the account holds %d rao, by the events root pots of %d", got, l.pot)
		}
		for _, s := range world {
			p := h.pool(s)
			if p.AlphaPending != l.pending[s.Id] || p.AlphaBurned != l.alphaBurned[s.Id] {
				rt.Fatalf("the pool has %d pending and %d burned; by the events %d and %d", p.AlphaPending, p.AlphaBurned, l.pending[s.Id], l.alphaBurned[s.Id])
			}
		}
	})
}

// moved is what x/alpha's events of a block add to a subnet's stakes for an epoch.
func (h *harness) moved(events sdk.Events, subnetID uint64) (sum uint64) {
	for _, a := range typed[*alphatypes.EventStakeAdded](h, events) {
		switch a.Reason {
		case alphatypes.ReasonIncentive, alphatypes.ReasonOwnerCut, alphatypes.ReasonTake, alphatypes.ReasonChildkeyTake, alphatypes.ReasonDividends:
			if a.SubnetId == subnetID {
				sum += a.Alpha
			}
		}
	}
	for _, a := range typed[*alphatypes.EventStakeRewarded](h, events) {
		if a.SubnetId == subnetID {
			sum += a.Alpha
		}
	}
	return sum
}

// drawFamily makes hotkeys with and without uids lend to each other, some of them
// chain validators, and draws childkey takes, destinations and collateral.
func drawFamily(t *rapid.T, h *harness, i int, s subnetstypes.Subnet, owner string, validators, miners int) {
	var names, childless []string
	for v := range validators {
		names = append(names, fmt.Sprintf("%dv%d", i, v))
	}
	for p := range rapid.IntRange(0, 3).Draw(t, "parents") {
		name := fmt.Sprintf("%dp%d", i, p)
		h.bind(name, coldkeyOf(name))
		names = append(names, name)
		if rapid.Bool().Draw(t, "parent stakes") {
			h.stake(s, name, addr("nominator"), rapid.Uint64Range(2_500_000, 2_000*tao).Draw(t, "stake"))
		}
		if rapid.IntRange(0, 3).Draw(t, "parent operates") == 0 {
			h.validator(name, rapid.Uint64Range(1, 50_000).Draw(t, "bond")*tao, "0.05")
		}
	}
	for m := range miners {
		childless = append(childless, fmt.Sprintf("%dm%d", i, m))
	}
	children := append(append([]string{owner}, names...), childless...)
	for _, parent := range names {
		left := 1_000_000
		var pairs []any
		for _, child := range children {
			if child == parent || left == 0 || len(pairs) == 10 || !rapid.Bool().Draw(t, "lends") {
				continue
			}
			n := rapid.IntRange(1, left).Draw(t, "fraction")
			pairs, left = append(pairs, child, n), left-n
		}
		if len(pairs) > 0 {
			h.lend(s, parent, pairs...)
		}
		if rapid.Bool().Draw(t, "takes") {
			h.childkeyTake(s, parent, rapid.Uint32Range(0, 180_000).Draw(t, "childkey take"))
		}
	}
	for _, m := range childless {
		if rapid.Bool().Draw(t, "destination") {
			h.bind(m+"'s vault", h.cold(m))
			h.destine(m, m+"'s vault")
		}
		if rapid.Bool().Draw(t, "collateral") {
			h.stake(s, m, h.cold(m), 10*tao)
			// Others may have made alpha dear.
			h.bond(s, m, min(rapid.SampledFrom([]uint64{1, tao - 1, tao}).Draw(t, "bonded"), h.stakeOn(s, m)))
		}
	}
}

// drawWorld makes subnets with random neurons, families, stakes, chain validators,
// moving prices and weights.
func drawWorld(t *rapid.T, h *harness) (subnets []subnetstypes.Subnet) {
	for i := range rapid.IntRange(0, 3).Draw(t, "chain validators") {
		h.validator(fmt.Sprintf("0v%d", i), rapid.Uint64Range(1, 50_000).Draw(t, "bond")*tao, "0.1")
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "subnets") {
		owner := fmt.Sprintf("owner%d", i)
		s := h.subnet(owner)
		moving := fixed.Q64FromRaw(0, rapid.Uint64().Draw(t, "moving price"))
		withheld := rapid.SampledFrom([]fixed.Q32{0, fixed.One / 3, fixed.One}).Draw(t, "withheld")
		h.setEmission(s, func(e *types.SubnetEmission) { e.MovingPrice, e.Withheld = moving, uint64(withheld) })
		validators := rapid.IntRange(0, 3).Draw(t, "validators")
		for v := range validators {
			name := fmt.Sprintf("%dv%d", i, v)
			h.register(s, name)
			if rapid.Bool().Draw(t, "stakes") {
				h.stake(s, name, coldkeyOf(name), rapid.Uint64Range(2_500_000, 2_000*tao).Draw(t, "stake"))
			}
		}
		miners := rapid.IntRange(0, 4).Draw(t, "miners")
		for m := range miners {
			name := fmt.Sprintf("%dm%d", i, m)
			if rapid.Bool().Draw(t, "the owner's") {
				h.registerFor(s, name, coldkeyOf(owner))
			} else {
				h.register(s, name)
			}
		}
		drawFamily(t, h, i, s, owner, validators, miners)
		subnets = append(subnets, s)
	}
	// Permits come with the first epochs; those who hold one judge.
	h.uncheckedBlocks = true // the test's own blocks are checked
	h.blocks(14)
	h.uncheckedBlocks = false
	for i, s := range subnets {
		neurons, err := h.subnets.Neurons(h.ctx, s.Id)
		require.NoError(t, err)
		for v := range 3 {
			name := fmt.Sprintf("%dv%d", i, v)
			n, err := h.subnets.NeuronByHotkey(h.ctx, s.Id, addr(name))
			if err != nil {
				continue
			}
			if ok, err := h.weights.Permitted(h.ctx, s.Id, n.Uid); err != nil || !ok {
				continue
			}
			var pairs []uint32
			for _, other := range neurons {
				if value := rapid.Uint32Range(0, 65_535).Draw(t, "weight"); value > 0 && other.Uid != n.Uid {
					pairs = append(pairs, other.Uid, value)
				}
			}
			if len(pairs) > 0 {
				h.judge(s, name, pairs...)
			}
		}
	}
	return subnets
}

func TestTheSameStateGivesTheSameBlocks(t *testing.T) {
	run := func() (out []string) {
		h := newHarness(t, withParams(noMoving))
		h.validator("v1", 1_000*tao, "0.1")
		h.validator("v2", 3_000*tao, "0.05")
		s := scene(h)
		h.judge(s, "v1", 3, 2, 4, 1)
		rich(h, s)
		for _, e := range h.blocks(12).ToABCIEvents() {
			out = append(out, e.String())
		}
		g, err := h.k.ExportGenesis(h.ctx)
		require.NoError(t, err)
		return append(out, g.String())
	}
	require.Equal(t, run(), run())
}
