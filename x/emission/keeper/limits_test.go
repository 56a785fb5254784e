package keeper

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/fixed"
	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// setAlpha changes the whole state of x/alpha.
func (h *harness) setAlpha(change func(*alphatypes.GenesisState)) {
	h.t.Helper()
	g, err := h.alpha.ExportGenesis(h.ctx)
	require.NoError(h.t, err)
	change(g)
	require.NoError(h.t, g.Validate())
	require.NoError(h.t, h.alpha.InitGenesis(h.ctx, *g))
}

// reserves puts a pool at reserves that no trade would lead to within a test. TAO
// that it loses goes back to the treasury.
func (h *harness) reserves(s subnetstypes.Subnet, taoReserve, alphaReserve uint64) {
	h.t.Helper()
	before := h.pool(s).TaoReserve
	require.LessOrEqual(h.t, taoReserve, before)
	require.NoError(h.t, h.bank.SendCoinsFromModuleToAccount(h.ctx, alphatypes.ModuleName, addr(treasury), coins(before-taoReserve)))
	h.setAlpha(func(g *alphatypes.GenesisState) {
		for i := range g.Pools {
			if p := &g.Pools[i]; p.SubnetId == s.Id {
				p.TaoReserve = taoReserve
				p.AlphaIssued = p.AlphaIssued - p.AlphaReserve + alphaReserve
				p.AlphaReserve = alphaReserve
			}
		}
	})
}

func TestSection6APoolNearEmptyStopsNoBlock(t *testing.T) {
	const floor = 1_000_000
	for _, c := range []struct {
		name       string
		tao, alpha uint64
	}{
		{"hardly any alpha", 1_000 * tao, floor},
		{"hardly any TAO", floor, 1_000 * tao},
		{"hardly anything", floor, floor},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, withParams(noMoving))
			h.validator("v1", 50_000*tao, "0.1")
			s := scene(h)
			h.judge(s, "v1", 3, 1)
			rich(h, s) // root's alpha is sold in every block, as far as the floor lets it
			h.reserves(s, c.tao, c.alpha)
			for range 25 {
				events := h.block(time.Second)
				require.Empty(t, typed[*types.EventSubnetFailed](h, events))
				require.Empty(t, typed[*weightstypes.EventEpochFailed](h, events))
				p := h.pool(s)
				require.GreaterOrEqual(t, p.TaoReserve, uint64(floor))
				require.GreaterOrEqual(t, p.AlphaReserve, uint64(floor))
				for _, e := range typed[*types.EventSubnetEmission](h, events) {
					require.Equal(t, e.Tao, e.TaoIn+e.Excess)
				}
			}
		})
	}
}

func TestSection6APriceAboveOneCountsAsOne(t *testing.T) {
	h := newHarness(t)
	dear, fair := h.subnet("dear"), h.subnet("fair")
	h.reserves(dear, 1_000*tao, tao) // 1,000 TAO an alpha; the other's price is 1
	h.blocks(400)
	e, other := h.emission(dear).MovingPrice, h.emission(fair).MovingPrice
	require.LessOrEqual(t, e.Cmp(fixed.OneQ64()), 0, "%s", e)
	require.Positive(t, e.Cmp(q64("0.99")))
	require.InEpsilon(t, float64(h.emission(dear).TaoTotal), float64(h.emission(fair).TaoTotal), 0.02, "moving prices %s and %s", e, other)
}

// The attack of §2: whoever proposes hurries the blocks or slows them.
func TestSection6ValidatorsWhoHurryOrSlowBlocksMintTheSame(t *testing.T) {
	const seconds = 60
	for _, c := range []struct {
		name string
		cut  []time.Duration // repeated
		part float64         // of what is minted on time
	}{
		{"on time", []time.Duration{time.Second}, 1},
		{"four times as fast", []time.Duration{250 * time.Millisecond}, 1},
		{"twice as slow", []time.Duration{2 * time.Second}, 1},
		{"now slow, now fast", []time.Duration{1_900 * time.Millisecond, 100 * time.Millisecond}, 1},
		{"one validator of four hurries, another delays", []time.Duration{time.Second, 10 * time.Millisecond, 1_990 * time.Millisecond, time.Second}, 1},
		{"a burst without any time", []time.Duration{0, 0, 0, 2 * time.Second}, 1},
		{"four times as slow: they lose by it", []time.Duration{4 * time.Second}, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, withParams(func(p *types.Params) { p.InitialReward = tao - 1 }))
			h.validator("elsewhere", 10_000*tao, "0")
			a, b := h.subnet("a"), h.subnet("b")
			h.block(0) // the first counts one target, whatever its time
			start := h.ctx.BlockTime()
			var events sdk.Events
			blocks := 0
			for passed := time.Duration(0); passed < seconds*time.Second; blocks++ {
				d := c.cut[blocks%len(c.cut)]
				events = append(events, h.block(d)...)
				passed += d
			}
			events = append(events, h.block(0)...) // the last block's reward is for the time up to it
			require.Equal(t, seconds*time.Second, h.ctx.BlockTime().Sub(start))
			var minted uint64
			for _, e := range typed[*types.EventBlockReward](h, events) {
				minted += e.Minted
			}
			want := c.part * seconds * (tao - 1)
			require.InDelta(t, want, float64(minted), float64(3*(blocks+1)), "what a block's divisions leave is not minted")
			for _, s := range []subnetstypes.Subnet{a, b} {
				var got uint64
				for _, e := range typed[*types.EventSubnetEmission](h, events) {
					if e.SubnetId == s.Id {
						got += e.Tao
					}
				}
				// Nobody judges: the first epoch of each withholds, one block apart.
				require.InEpsilon(t, want*0.45, float64(got), 0.07, "subnet %d has half of nine tenths", s.Netuid)
			}
		})
	}
}

func TestSection6AlphaIsMintedByTimeToTheUnit(t *testing.T) {
	issued := func(cut ...time.Duration) (minted uint64) {
		h := newHarness(t, withParams(func(p *types.Params) { p.InitialReward = 7_000_001 })) // nobody is bonded: all alpha is minted out
		s := h.subnet("owner")
		h.block(0)
		var events sdk.Events
		for i, passed := 0, time.Duration(0); passed < 8*time.Second; i++ {
			events = append(events, h.block(cut[i%len(cut)])...)
			passed += cut[i%len(cut)]
		}
		events = append(events, h.block(0)...)
		for _, e := range typed[*types.EventSubnetEmission](h, events) {
			require.Equal(t, s.Id, e.SubnetId)
			minted += e.AlphaOut + e.AlphaIn
		}
		return minted
	}
	want := issued(time.Second)
	require.EqualValues(t, 8*7_000_001, want)
	require.Equal(t, want, issued(250*time.Millisecond))
	require.Equal(t, want, issued(2*time.Second))
	require.Equal(t, want, issued(1_999*time.Millisecond, time.Millisecond))
}

// oneShare makes a hotkey's stake pool one of a single share, all its coldkey's.
func (h *harness) oneShare(s subnetstypes.Subnet, hotkey string) {
	h.t.Helper()
	h.setAlpha(func(g *alphatypes.GenesisState) {
		for i := range g.StakePools {
			if p := &g.StakePools[i]; p.SubnetId == s.Id && p.Hotkey == addr(hotkey).String() {
				p.Shares = sdkmath.OneInt()
			}
		}
		for i := range g.Positions {
			if p := &g.Positions[i]; p.SubnetId == s.Id && p.Hotkey == addr(hotkey).String() {
				p.Shares = sdkmath.OneInt()
			}
		}
	})
}

// The attack: a stake pool of a single share, made dear by a dividend, so that a
// nominator's deposit buys a share less than it paid for.
func TestSection5ADividendToAOneSharePoolStealsNoDeposit(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.judge(s, "v1", 3, 1)
	h.judge(s, "v2", 3, 1)
	h.oneShare(s, "v2")
	before := h.stakeOn(s, "v2")
	events := h.untilEpoch(s)
	e, dividends := one[*types.EventEpochPaid](h, events), h.paid(events)["v2"].Dividends
	require.Equal(t, e.Pending, e.Paid, "the take, too little for a share, is the pool's: nothing is lost")
	require.Equal(t, before+dividends, h.stakeOn(s, "v2"))

	share := h.stakeOn(s, "v2") // what the one share is worth
	price := h.pool(s).Price().Float64()
	for _, part := range []float64{0.5, 1.5, 1.999, 2.5} {
		rao := uint64(part * float64(share) * price)
		h.fund(addr("victim"), rao)
		_, err := send(h, alphakeeper.NewMsgServer(h.alpha).Stake, &alphatypes.MsgStake{
			Coldkey: addr("victim").String(), Hotkey: addr("v2").String(), Netuid: s.Netuid, Tao: rao, LimitPrice: 1 << 62,
		})
		require.ErrorIs(t, err, alphatypes.ErrRounding, "%v shares' worth", part)
	}
	v2, err := h.alpha.StakeOf(h.ctx, s.Id, addr("v2"), coldkeyOf("v2"))
	require.NoError(t, err)
	require.Equal(t, share, v2, "the attacker has what it had")
}

func TestSection5ADividendToAnEmptyPoolMintsSharesToTheHotkeysColdkey(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.bind("fresh", coldkeyOf("fresh"))
	h.mintPending(s, 100)
	require.NoError(t, h.alpha.PayPending(h.ctx, s.Id, []alphatypes.Payment{{To: alphatypes.Staked, Alpha: 100, Hotkey: addr("fresh")}}))
	worth, err := h.alpha.StakeOf(h.ctx, s.Id, addr("fresh"), coldkeyOf("fresh"))
	require.NoError(t, err)
	require.EqualValues(t, 100, worth)
	g, err := h.alpha.ExportGenesis(h.ctx)
	require.NoError(t, err)
	for _, p := range g.StakePools {
		if p.Hotkey == addr("fresh").String() {
			require.Equal(t, sdkmath.NewInt(100).Mul(sdkmath.NewInt(1e18)), p.Shares, "10^18 a unit: a single share can't be made")
		}
	}
}

func TestSection7PendingBeyond64BitsFailsTheEpochAlone(t *testing.T) {
	h := newHarness(t)
	s := scene(h)
	h.uncheckedBlocks = true // the pool does not know of what is made up here
	h.setEmission(s, func(e *types.SubnetEmission) { e.PendingMiners, e.PendingOwner = 1<<63, 1<<63 })
	other := h.subnet("other")
	events := h.untilEpoch(s)
	failed := one[*weightstypes.EventEpochFailed](h, events)
	require.Equal(t, s.Id, failed.SubnetId)
	require.Contains(t, failed.Reason, "exceeds 64 bits")
	require.Len(t, typed[*types.EventBlockReward](h, events), 1, "the block goes on")
	require.NotZero(t, h.emission(other).TaoTotal)
}

// metropolis is a subnet of 4,096 neurons: 64 validators, whose rows judge all
// others, and 32 hotkeys without a uid that lend to five validators each.
func metropolis(h *harness) subnetstypes.Subnet {
	h.t.Helper()
	const neurons, validators, families = 4_096, 64, 32
	s := h.subnet("owner")
	name := func(uid int) string { return fmt.Sprint("n", uid) }
	h.setAlpha(func(g *alphatypes.GenesisState) {
		for uid := 1; uid < neurons; uid++ {
			g.Hotkeys = append(g.Hotkeys, alphatypes.Hotkey{Hotkey: addr(name(uid)).String(), Coldkey: addr(fmt.Sprint("c", uid%1_000)).String(), Take: 180_000, BoundHeight: 1})
		}
	})
	subnets, err := h.subnets.ExportGenesis(h.ctx)
	require.NoError(h.t, err)
	subnets.Subnets[0].Neurons, subnets.Subnets[0].Hyperparameters.MaxUids = neurons, neurons
	for uid := 1; uid < neurons; uid++ {
		subnets.Neurons = append(subnets.Neurons, subnetstypes.Neuron{SubnetId: s.Id, Uid: uint32(uid), Hotkey: addr(name(uid)).String(), RegisteredHeight: 1})
	}
	require.NoError(h.t, subnets.Validate())
	require.NoError(h.t, h.subnets.InitGenesis(h.ctx, *subnets))
	for uid := 1; uid <= validators; uid++ {
		h.stake(s, name(uid), addr("nominator"), uint64(uid)*tao)
	}
	for i := range families {
		parent := fmt.Sprint("p", i)
		h.bind(parent, coldkeyOf(parent))
		h.stake(s, parent, addr("nominator"), uint64(i+1)*tao/7)
		var pairs []any
		for c := range 5 {
			pairs = append(pairs, name(1+(i*5+c)%validators), 200_000)
		}
		h.lend(s, parent, pairs...)
		h.childkeyTake(s, name(1+i), 50_000)
	}
	h.blocks(2)
	weights, err := h.weights.ExportGenesis(h.ctx)
	require.NoError(h.t, err)
	for v := 1; v <= validators; v++ {
		row := weightstypes.Row{SubnetId: s.Id, Uid: uint32(v), Height: 2, SetHeight: 2}
		for uid := validators + 1; uid < neurons; uid++ {
			row.Uids, row.Values = append(row.Uids, uint32(uid)), append(row.Values, uint32(1+uid*v%65_535))
		}
		weights.Rows = append(weights.Rows, row)
		weights.Permits = append(weights.Permits, weightstypes.Permit{SubnetId: s.Id, Uid: uint32(v)})
	}
	require.NoError(h.t, weights.Validate())
	require.NoError(h.t, h.weights.InitGenesis(h.ctx, *weights))
	return s
}

func TestSection7FourThousandNeuronsArePaidToTheUnit(t *testing.T) {
	h := newHarness(t)
	h.uncheckedBlocks = true
	s := metropolis(h)
	staked, burned := h.pool(s).AlphaStaked, h.pool(s).AlphaBurned
	events := h.untilEpoch(s)
	require.NoError(t, h.k.CheckInvariants(h.ctx)) // x/alpha's walks are slow over what is not committed

	e := one[*types.EventEpochPaid](h, events)
	require.Equal(t, e.Pending, e.Paid+e.Burned+e.Recycled+e.Carried)
	require.Zero(t, e.Burned+e.Recycled+e.Carried)
	require.Equal(t, e.Paid, h.pool(s).AlphaStaked-staked)
	require.Equal(t, burned, h.pool(s).AlphaBurned)
	paid := typed[*types.EventNeuronPaid](h, events)
	require.Len(t, paid, 4_095, "everybody but the owner, who has no dividends")
	var neurons, returned uint64
	for _, p := range paid {
		neurons += p.Incentive + p.Dividends
	}
	require.Equal(t, e.Paid, neurons+e.Owner)
	for _, p := range typed[*types.EventParentPaid](h, events) {
		returned += p.Dividends
	}
	require.NotZero(t, returned)
	require.Less(t, returned, e.Pending/2)
}
