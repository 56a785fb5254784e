package keeper

import (
	"context"
	"errors"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

type brokenDistribution struct{}

func (brokenDistribution) AllocateTokensToValidator(context.Context, stakingtypes.ValidatorI, sdk.DecCoins) error {
	return errors.New("out of order")
}

// noMoving keeps moving prices where a test puts them.
func noMoving(p *types.Params) { p.MovingPriceBase = 0 }

func TestSection6ASubnetsBlockByTheFormulas(t *testing.T) {
	h := newHarness(t)
	h.validator("v", 50_000*tao, "0.1")
	s := h.subnet("owner")
	h.blocks(2)

	before, pool, supply := h.emission(s), h.pool(s), h.supply()
	events := h.block(time.Second)
	after, grown := h.emission(s), h.pool(s)
	e := one[*types.EventSubnetEmission](h, events)

	// Everything by itself, in integers without bounds.
	n := func(v uint64) *big.Int { return new(big.Int).SetUint64(v) }
	mulDiv := func(a, b, c uint64) uint64 {
		x := n(a)
		return x.Mul(x, n(b)).Quo(x, n(c)).Uint64()
	}
	const reward, alpha = uint64(tao), uint64(tao)
	share := reward - reward/10
	w := mulDiv(50_000*tao, 180_000, million)
	rootAlpha := mulDiv(alpha, w, w+pool.AlphaIssued)
	in := min(mulDiv(share, pool.AlphaReserve, pool.TaoReserve), rootAlpha)
	owner := alpha * 18 / 100
	miners := (alpha - owner) / 2
	validators := alpha - owner - miners
	validators -= mulDiv(validators, w, w+pool.AlphaIssued) // root's, recycled: Σe is not above 1

	require.Equal(t, share, e.Tao)
	require.Equal(t, in, e.AlphaIn)
	require.InDelta(t, float64(mulDiv(in, pool.TaoReserve, pool.AlphaReserve)), float64(e.TaoIn), 1)
	require.Equal(t, share, e.TaoIn+e.Excess)
	require.Equal(t, owner+miners+validators, e.AlphaOut)
	require.Zero(t, e.RootAlpha)
	require.Equal(t, owner, after.PendingOwner-before.PendingOwner)
	require.Equal(t, miners, after.PendingMiners-before.PendingMiners)
	require.Equal(t, validators, after.PendingValidators-before.PendingValidators)
	require.Equal(t, share, after.TaoTotal-before.TaoTotal)
	require.Equal(t, after.MovingPrice.String(), e.MovingPrice)
	require.Equal(t, reward, h.supply()-supply)

	require.Equal(t, pool.TaoReserve+share, grown.TaoReserve, "all of its TAO is in the pool")
	require.Equal(t, pool.AlphaIssued+in+e.AlphaOut, grown.AlphaIssued)
	require.Greater(t, grown.AlphaProtocol, pool.AlphaProtocol, "the excess bought alpha")
}

func TestSection6WithoutAnExcessThePriceStays(t *testing.T) {
	// So much root stake that alpha_in is bound by TAO alone.
	h := newHarness(t, withParams(func(p *types.Params) { p.SecurityShare = million * 9 / 10 }))
	h.validator("v", 800_000*tao, "0.1")
	s := h.subnet("owner")
	before := h.pool(s)
	e := one[*types.EventSubnetEmission](h, h.block(time.Second))
	after := h.pool(s)
	require.LessOrEqual(t, e.Excess, uint64(1))
	require.NotZero(t, e.AlphaIn)
	up := after.Price().Sub(before.Price())
	require.LessOrEqual(t, after.Price().Cmp(before.Price().Add(q64("0.000000000001"))), 0, "up by %s", up)
	require.GreaterOrEqual(t, after.Price().Cmp(before.Price()), 0, "rounding favours the pool")
}

func TestSection6OnlyStartedSubnetsEmit(t *testing.T) {
	h := newHarness(t)
	a, b := h.subnet("a"), h.unstarted("b")
	events := h.blocks(3)
	for _, e := range typed[*types.EventSubnetEmission](h, events) {
		require.Equal(t, a.Id, e.SubnetId)
	}
	require.Zero(t, h.emission(b).TaoTotal)
}

func TestSection6SharesOfSubnets(t *testing.T) {
	type subnet struct {
		moving   string
		withheld fixed.Q32
	}
	for _, c := range []struct {
		name    string
		subnets []subnet
		want    []uint64 // of 900 rao
	}{
		{"all moving prices zero: equally", []subnet{{"0", 0}, {"0", fixed.One}, {"0", 0}}, []uint64{300, 300, 300}},
		{"by moving price", []subnet{{"0.125", 0}, {"0.25", 0}, {"0.75", 0}}, []uint64{100, 200, 600}},
		{"what withheld half counts half", []subnet{{"0.2", fixed.One / 2}, {"0.2", 0}}, []uint64{300, 600}},
		{"what withheld all gets nothing", []subnet{{"0.9", fixed.One}, {"0.1", 0}}, []uint64{0, 900}},
		{"where all withheld all: by moving price", []subnet{{"0.3", fixed.One}, {"0.6", fixed.One}}, []uint64{300, 600}},
		{"what rounding leaves is not minted", []subnet{{"0.1", 0}, {"0.1", 0}, {"0.1", 0}, {"0.1", 0}, {"0.1", 0}, {"0.1", 0}, {"0.1", 0}}, []uint64{128, 128, 128, 128, 128, 128, 128}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, withParams(func(p *types.Params) { noMoving(p); p.InitialReward = 1000 }))
			var subnets []subnetstypes.Subnet
			for i, s := range c.subnets {
				subnets = append(subnets, h.subnet(string(rune('a'+i))))
				h.setEmission(subnets[i], func(e *types.SubnetEmission) {
					e.MovingPrice, e.Withheld = q64(s.moving), uint64(s.withheld)
				})
			}
			before := h.supply()
			h.block(time.Second)
			var sum uint64
			for i, s := range subnets {
				require.Equal(t, c.want[i], h.emission(s).TaoTotal, "subnet %d", s.Netuid)
				sum += c.want[i]
			}
			require.Equal(t, sum, h.supply()-before)
		})
	}
}

func TestSection6RootsAlphaIsSoldOnlyWhereMovingPricesExceedOne(t *testing.T) {
	for _, c := range []struct {
		name   string
		moving string
		sold   bool
	}{
		{"Σe just below 1: recycled", "0.49999999999", false},
		{"Σe = 1: recycled", "0.5", false},
		{"Σe just above 1: sold", "0.50000000001", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, withParams(noMoving))
			h.validator("v", 50_000*tao, "0.1")
			a, b := h.subnet("a"), h.subnet("b")
			h.setEmission(a, func(e *types.SubnetEmission) { e.MovingPrice = q64("0.5") })
			h.setEmission(b, func(e *types.SubnetEmission) { e.MovingPrice = q64(c.moving) })
			before := h.supply()
			events := h.block(time.Second)
			var minted uint64
			for _, e := range typed[*types.EventSubnetEmission](h, events) {
				require.Equal(t, c.sold, e.RootAlpha > 0)
				require.Equal(t, c.sold, e.RootTao > 0)
				require.Equal(t, e.RootTao, h.emission(subnetstypes.Subnet{Id: e.SubnetId}).RootPot)
				minted += e.Tao
			}
			require.Equal(t, minted+tao/10, h.supply()-before, "a sale mints no TAO")
			require.Equal(t, h.emission(a).RootPot+h.emission(b).RootPot, h.balance(types.ModuleName))
		})
	}
}

func TestSection6TheMovingPriceFollowsThePriceWithinMinutesLocally(t *testing.T) {
	h := newHarness(t)
	s := h.subnet("owner")
	h.block(time.Second)
	require.True(t, h.emission(s).MovingPrice.IsZero(), "no block has passed since its start")
	h.blocks(60)
	e := h.emission(s).MovingPrice
	require.Positive(t, e.Cmp(q64("0.2")), "a third after a minute: %s", e)
	h.blocks(120)
	e = h.emission(s).MovingPrice
	require.Positive(t, e.Cmp(q64("0.8")), "nearly all after three: %s", e)
	require.Negative(t, e.Cmp(fixed.OneQ64()))
}

func TestSection6WithoutAnOwnersCutMinersAndValidatorsShareAll(t *testing.T) {
	h := newHarness(t, withRule("owner_cut_enabled", 0))
	s := h.subnet("owner")
	h.block(time.Second)
	e := h.emission(s)
	require.Zero(t, e.PendingOwner)
	require.EqualValues(t, tao/2, e.PendingMiners)
	require.EqualValues(t, tao/2, e.PendingValidators, "nobody is bonded: root has no part")
}

// A subnet whose part of a block fails leaves an event and nothing else; the
// others are paid as if nothing were.
func TestSection6ABadSubnetLeavesNoTraceButAnEvent(t *testing.T) {
	for _, c := range []struct {
		name   string
		method string
		fault  func() error
		reason string
	}{
		{"an error late in its step", "Emit", func() error { return errors.New("no luck") }, "no luck"},
		{"a panic late in its step", "Emit", func() error { panic("boom") }, "panic: boom"},
		{"a panic of the runtime", "Emit", func() error { return []error{}[len(os.Args)] }, "index out of range"},
		{"a pool that can't be read", "Pool", func() error { panic("boom") }, "panic: boom"},
		{"bytes that are no text", "Emit", func() error { panic("\xff\xfe") }, "panic: ?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, withParams(noMoving))
			bad, good := h.subnet("bad"), h.subnet("good")
			h.blocks(2)
			emission, pool, supply, others := h.emission(bad), h.pool(bad), h.supply(), h.emission(good)

			h.sabotage.fault = func(method string, id uint64) error {
				if method == c.method && id == bad.Id {
					return c.fault()
				}
				return nil
			}
			events := h.block(time.Second)
			h.sabotage.fault = nil

			failed := one[*types.EventSubnetFailed](h, events)
			require.Equal(t, bad.Id, failed.SubnetId)
			require.Equal(t, bad.Netuid, failed.Netuid)
			require.Contains(t, failed.Reason, c.reason)
			require.Equal(t, emission, h.emission(bad))
			require.Equal(t, pool, h.pool(bad))
			require.Equal(t, good.Id, one[*types.EventSubnetEmission](h, events).SubnetId)
			minted := h.emission(good).TaoTotal - others.TaoTotal
			require.Equal(t, minted, h.supply()-supply, "its share is not minted")
			require.EqualValues(t, tao*9/20, minted, "nor given to others")
			h.blocks(2)
			require.Greater(t, h.emission(bad).TaoTotal, emission.TaoTotal, "the next block it is well")
		})
	}
}

func TestSection3TheMedianMovingPrice(t *testing.T) {
	h := newHarness(t, withParams(noMoving))
	median := func() string {
		p, err := h.k.MedianMovingPrice(h.ctx)
		require.NoError(t, err)
		return p.String()
	}
	require.Equal(t, "1", median(), "without a subnet")
	a := h.subnet("a")
	require.Equal(t, "1", median(), "without a price")
	h.setEmission(a, func(e *types.SubnetEmission) { e.MovingPrice = q64("0.5") })
	require.Equal(t, "0.5", median())
	b := h.subnet("b")
	require.Equal(t, "0.5", median(), "zeros don't count")
	h.setEmission(b, func(e *types.SubnetEmission) { e.MovingPrice = q64("0.25") })
	require.Equal(t, "0.25", median(), "of two the lower")
	c := h.unstarted("c")
	h.setEmission(c, func(e *types.SubnetEmission) { e.MovingPrice = q64("0.125") })
	require.Equal(t, "0.25", median(), "only started subnets count")
}
