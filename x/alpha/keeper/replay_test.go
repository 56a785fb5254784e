package keeper_test

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// replayed is what events alone tell, by the rules of the module's package
// comment.
type replayed struct {
	pools   map[uint64]*types.Pool
	alpha   map[string]uint64   // stake pools, "subnet id/hotkey"
	total   map[string]*big.Int // their shares
	shares  map[string]*big.Int // positions, "subnet id/hotkey/coldkey"
	hotkeys map[string]types.Hotkey
	retired map[uint64]types.RetiredPool
	swaps   map[string]types.ColdkeySwap
}

func replay(t require.TestingT, events []sdk.Event) replayed {
	r := replayed{
		map[uint64]*types.Pool{}, map[string]uint64{}, map[string]*big.Int{}, map[string]*big.Int{}, map[string]types.Hotkey{},
		map[uint64]types.RetiredPool{}, map[string]types.ColdkeySwap{},
	}
	change := func(m map[string]*big.Int, at string, by *big.Int) {
		if m[at] == nil {
			m[at] = new(big.Int)
		}
		if m[at].Add(m[at], by).Sign() == 0 {
			delete(m, at)
		}
	}
	for _, e := range events {
		if len(e.Type) < 5 || e.Type[:5] != "lode." {
			continue // bank's
		}
		parsed, err := sdk.ParseTypedEvent(abci.Event(e))
		require.NoError(t, err)
		switch m := parsed.(type) {
		case *types.EventPoolCreated:
			r.pools[m.SubnetId] = &types.Pool{SubnetId: m.SubnetId, Netuid: m.Netuid, TaoReserve: m.Tao}
		case *types.EventTradingStarted:
			r.pools[m.SubnetId].Trading = true
		case *types.EventLiquidityAdded:
			r.pools[m.SubnetId].TaoReserve += m.Tao
		case *types.EventAlphaMoved:
			require.NoError(t, r.pools[m.SubnetId].MoveAlpha(types.Account(m.From), types.Account(m.To), m.Alpha))
		case *types.EventTrade:
			p := r.pools[m.SubnetId]
			if m.Purchase {
				p.TaoReserve += m.Tao
			} else {
				p.TaoReserve -= m.Tao
			}
			require.Equal(t, []uint64{m.TaoReserve, m.AlphaReserve}, []uint64{p.TaoReserve, p.AlphaReserve})
		case *types.EventHotkeyBound:
			r.hotkeys[m.Hotkey] = types.Hotkey{Hotkey: m.Hotkey, Coldkey: m.Coldkey, Take: r.hotkeys[m.Hotkey].Take}
		case *types.EventTakeSet:
			h := r.hotkeys[m.Hotkey]
			h.Take = m.Take
			r.hotkeys[m.Hotkey] = h
		case *types.EventStakeAdded:
			pool := fmt.Sprintf("%d/%s", m.SubnetId, m.Hotkey)
			r.alpha[pool] += m.Alpha
			change(r.total, pool, m.Shares.BigInt())
			change(r.shares, pool+"/"+m.Coldkey, m.Shares.BigInt())
		case *types.EventStakeRemoved:
			pool := fmt.Sprintf("%d/%s", m.SubnetId, m.Hotkey)
			if m.Reason == types.ReasonRemoval { // a removed subnet's stake pools stay as they were, until they are swept
				change(r.shares, pool+"/"+m.Coldkey, new(big.Int).Neg(m.Shares.BigInt()))
				continue
			}
			r.alpha[pool] -= m.Alpha
			change(r.total, pool, new(big.Int).Neg(m.Shares.BigInt()))
			change(r.shares, pool+"/"+m.Coldkey, new(big.Int).Neg(m.Shares.BigInt()))
		case *types.EventStakeRewarded:
			r.alpha[fmt.Sprintf("%d/%s", m.SubnetId, m.Hotkey)] += m.Alpha
		case *types.EventPoolRetired:
			delete(r.pools, m.SubnetId)
			for at := range r.total {
				if strings.HasPrefix(at, fmt.Sprintf("%d/", m.SubnetId)) {
					delete(r.total, at)
				}
			}
			r.retired[m.SubnetId] = types.RetiredPool{Pot: m.Pot, Total: m.Total, Recycled: m.Recycled}
		case *types.EventHolderPaid:
			p := r.retired[m.SubnetId]
			p.Paid += m.Tao
			r.retired[m.SubnetId] = p
		case *types.EventPoolSettled:
			p := r.retired[m.SubnetId]
			require.Equal(t, m.Paid, p.Paid)
			p.Recycled, p.Settled = m.Recycled, true
			r.retired[m.SubnetId] = p
		case *types.EventStakeMoved:
			at := fmt.Sprintf("%d/%s/", m.SubnetId, m.Hotkey)
			change(r.shares, at+m.Coldkey, new(big.Int).Neg(m.Shares.BigInt()))
			change(r.shares, at+m.NewColdkey, m.Shares.BigInt())
		case *types.EventColdkeySwapAnnounced:
			r.swaps[m.Coldkey] = types.ColdkeySwap{NewColdkey: m.NewColdkey, DueHeight: m.DueHeight, DueTime: m.DueTime}
		case *types.EventColdkeySwapCancelled:
			delete(r.swaps, m.Coldkey)
		case *types.EventColdkeySwapped:
			delete(r.swaps, m.Coldkey)
		case *types.EventRecoveryKeySet: // the tests of recovery keys read it
		default:
			require.Fail(t, "an event that replay does not know", "%T", m)
		}
	}
	return r
}

func (e *env) requireReplay() {
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	r := replay(e.t, e.ctx.EventManager().Events())
	require.Len(e.t, r.pools, len(g.Pools))
	for _, p := range g.Pools {
		require.Equal(e.t, p, *r.pools[p.SubnetId])
	}
	live := slices.DeleteFunc(g.StakePools, func(s types.StakePool) bool { return r.pools[s.SubnetId] == nil })
	require.Len(e.t, r.total, len(live))
	for _, s := range live {
		at := fmt.Sprintf("%d/%s", s.SubnetId, s.Hotkey)
		require.Equal(e.t, s.Alpha, r.alpha[at])
		require.Equal(e.t, s.Shares.String(), r.total[at].String())
	}
	require.Len(e.t, r.shares, len(g.Positions))
	for _, p := range g.Positions {
		require.Equal(e.t, p.Shares.String(), r.shares[fmt.Sprintf("%d/%s/%s", p.SubnetId, p.Hotkey, p.Coldkey)].String())
	}
	for _, p := range g.Retired { // they go silently when they are swept
		require.Equal(e.t, types.RetiredPool{Pot: p.Pot, Total: p.Total, Paid: p.Paid, Recycled: p.Recycled, Settled: p.Settled}, r.retired[p.SubnetId])
	}
	require.Len(e.t, r.swaps, len(g.ColdkeySwaps))
	for _, s := range g.ColdkeySwaps {
		require.Equal(e.t, types.ColdkeySwap{NewColdkey: s.NewColdkey, DueHeight: s.DueHeight, DueTime: s.DueTime}, r.swaps[s.Coldkey])
	}
	require.Len(e.t, r.hotkeys, len(g.Hotkeys))
	for _, h := range g.Hotkeys {
		require.Equal(e.t, types.Hotkey{Hotkey: h.Hotkey, Coldkey: h.Coldkey, Take: h.Take}, r.hotkeys[h.Hotkey])
	}
}

var (
	coldkeys = []string{"alice", "bob", "carol"}
	hotkeys  = []string{"miner", "validator", "third"}
)

// anyAmount draws what people trade, dust, fortunes and everything.
func anyAmount(t *rapid.T) uint64 {
	return rapid.OneOf(
		rapid.Uint64Range(2_500_000, 300*whole), rapid.Uint64Range(whole, 50*whole), rapid.Uint64Range(0, 2_500_000),
		rapid.Just(uint64(dear)), rapid.Uint64(),
	).Draw(t, "amount")
}

// tally counts what succeeded, so that a test knows that it tested something.
type tally map[string]int

func (c tally) count(what string, err error) {
	if err == nil {
		c[what]++
	}
}

// requireAll fails where something never succeeded.
func (c tally) requireAll(t require.TestingT, what ...string) {
	for _, w := range what {
		require.NotZero(t, c[w], "%s never succeeded: the test draws too unkindly", w)
	}
}

var messages = []string{"stake", "unstake", "unstake all", "move", "swap", "transfer"}

// anyMessage runs some message of a coldkey; it may well fail.
func (e *env) anyMessage(t *rapid.T, done tally) {
	what := rapid.SampledFrom(append(messages, "stake", "swap")).Draw(t, "message")
	c, h := str(rapid.SampledFrom(coldkeys).Draw(t, "coldkey")), str(rapid.SampledFrom(hotkeys).Draw(t, "hotkey"))
	h2 := str(rapid.SampledFrom(hotkeys).Draw(t, "hotkey 2"))
	n, n2 := rapid.Uint32Range(1, 3).Draw(t, "netuid"), rapid.Uint32Range(1, 3).Draw(t, "netuid 2")
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	if len(g.Positions) > 0 && rapid.IntRange(0, 3).Draw(t, "at random") < 3 {
		p := rapid.SampledFrom(g.Positions).Draw(t, "position")
		c, h, n = p.Coldkey, p.Hotkey, uint32(p.SubnetId)
	}
	if n2 == n && n < 3 && rapid.IntRange(0, 3).Draw(t, "the same") < 3 {
		n2 = 3 - n // a swap needs two subnets
	}
	amount := anyAmount(t)
	if what != "stake" && amount == dear { // everything
		amount = e.worth(c, h, n)
	}
	partial := rapid.Bool().Draw(t, "partial")
	high := rapid.SampledFrom([]uint64{dear, dear, dear, dear, 2 * whole, whole / 2}).Draw(t, "high")
	low := rapid.SampledFrom([]uint64{cheap, cheap, cheap, cheap, whole / 3, whole}).Draw(t, "low")
	switch what {
	case "stake":
		_, err = send(e, e.msgs.Stake, &types.MsgStake{Coldkey: c, Hotkey: h, Netuid: n, Tao: amount, LimitPrice: high, AllowPartial: partial})
	case "unstake":
		_, err = send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: c, Hotkey: h, Netuid: n, Alpha: amount, LimitPrice: low, AllowPartial: partial})
	case "unstake all":
		subnets := []types.SubnetLimit{{Netuid: n, LimitPrice: low}}
		if n2 != n && rapid.Bool().Draw(t, "two subnets") {
			subnets = append(subnets, types.SubnetLimit{Netuid: n2, LimitPrice: cheap})
		}
		_, err = send(e, e.msgs.UnstakeAll, &types.MsgUnstakeAll{Coldkey: c, Hotkey: h, AllowPartial: partial, Subnets: subnets})
	case "move":
		_, err = send(e, e.msgs.MoveStake, &types.MsgMoveStake{Coldkey: c, Netuid: n, FromHotkey: h, ToHotkey: h2, Alpha: amount})
	case "swap":
		_, err = send(e, e.msgs.SwapStake, &types.MsgSwapStake{Coldkey: c, FromHotkey: h, FromNetuid: n, ToHotkey: h2, ToNetuid: n2,
			Alpha: amount, SellLimitPrice: low, BuyLimitPrice: high, AllowPartial: partial})
	case "transfer":
		c2 := rapid.SampledFrom(coldkeys).Draw(t, "coldkey 2")
		_, err = send(e, e.msgs.TransferStake, &types.MsgTransferStake{Coldkey: c, ToColdkey: str(c2), Hotkey: h, Netuid: n, Alpha: amount})
	}
	done.count(what, err)
}

// worth is what a stake is worth in alpha units, 0 where there is none.
func (e *env) worth(coldkey, hotkey string, netuid uint32) uint64 {
	p, err := e.k.PoolByNetuid(e.ctx, netuid)
	if err != nil {
		return 0
	}
	units, err := e.k.StakeOf(e.ctx, p.SubnetId, sdk.MustAccAddressFromBech32(hotkey), sdk.MustAccAddressFromBech32(coldkey))
	if err != nil {
		return 0
	}
	return units
}

// emission is what the modules above do in a block.
var emission = []struct {
	name string
	do   func(e *env, ctx context.Context, id uint64, hotkey, coldkey sdk.AccAddress, amount uint64) error
}{
	{"mint", func(e *env, ctx context.Context, id uint64, _, _ sdk.AccAddress, n uint64) error {
		return e.k.MintPending(ctx, id, n)
	}},
	{"liquidity", func(e *env, ctx context.Context, id uint64, _, _ sdk.AccAddress, n uint64) error {
		return e.k.AddLiquidity(ctx, id, source, n/2, n)
	}},
	{"protocol", func(e *env, ctx context.Context, id uint64, _, _ sdk.AccAddress, n uint64) error {
		_, err := e.k.BuyForProtocol(ctx, id, source, n)
		return err
	}},
	{"root", func(e *env, ctx context.Context, id uint64, _, _ sdk.AccAddress, n uint64) error {
		_, err := e.k.SellMinted(ctx, id, source, n)
		return err
	}},
	{"burn", func(e *env, ctx context.Context, id uint64, _, _ sdk.AccAddress, n uint64) error {
		return e.k.BurnPending(ctx, id, n)
	}},
	{"recycle", func(e *env, ctx context.Context, id uint64, _, _ sdk.AccAddress, n uint64) error {
		return e.k.RecyclePending(ctx, id, n)
	}},
	{"pay", func(e *env, ctx context.Context, id uint64, hotkey, coldkey sdk.AccAddress, n uint64) error {
		return e.k.StakePending(ctx, id, hotkey, coldkey, n, types.ReasonIncentive)
	}},
	{"reward", func(e *env, ctx context.Context, id uint64, hotkey, _ sdk.AccAddress, n uint64) error {
		return e.k.RewardPending(ctx, id, hotkey, n)
	}},
	{"register", func(e *env, ctx context.Context, id uint64, _, coldkey sdk.AccAddress, n uint64) error {
		_, err := e.k.BuyAndBurn(ctx, id, coldkey, n, types.ReasonRegistration)
		return err
	}},
}

// anyEmission does some of it; it may well fail.
func (e *env) anyEmission(t *rapid.T, done tally) {
	id, what := rapid.Uint64Range(1, 2).Draw(t, "subnet id"), rapid.SampledFrom(emission).Draw(t, "emission")
	hotkey, coldkey := addr(rapid.SampledFrom(hotkeys).Draw(t, "hotkey")), addr(rapid.SampledFrom(coldkeys).Draw(t, "coldkey"))
	amount := anyAmount(t) >> 4
	done.count(what.name, e.do(func(ctx context.Context) error { return what.do(e, ctx, id, hotkey, coldkey, amount) }))
}

// settled has stakes to begin with, and alpha pending.
func settled(t require.TestingT) *env {
	e := newEnv(t)
	e.bind("carol", "third")
	e.mint("carol", 100_000*whole)
	for i, c := range coldkeys {
		e.stake(c, hotkeys[i], 1, 30*whole)
		e.stake(c, hotkeys[(i+1)%3], 2, 20*whole)
	}
	for id := range uint64(2) {
		e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, id+1, 50*whole) })
	}
	return e
}

func TestEventsRebuildPoolsAndStakesWhateverHappens(t *testing.T) {
	done := tally{}
	rapid.Check(t, func(t *rapid.T) {
		e := settled(t)
		for range rapid.IntRange(10, 25).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "of a block") {
				e.anyEmission(t, done)
			} else {
				e.anyMessage(t, done)
			}
		}
		e.requireReplay()
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		again, err := reload(t, g)
		require.NoError(t, err)
		exported, err := again.k.ExportGenesis(again.ctx)
		require.NoError(t, err)
		require.Equal(t, g, exported)
	})
	done.requireAll(t, messages...)
	for _, what := range emission {
		done.requireAll(t, what.name)
	}
}

// Without emission the coldkeys together can't get richer, whatever they send:
// neither by trades nor by the rounding of shares.
func TestNoSequenceOfMessagesProfits(t *testing.T) {
	done := tally{}
	rapid.Check(t, func(t *rapid.T) {
		e := newEnv(t)
		e.bind("carol", "third")
		e.mint("carol", 100_000*whole)
		purse := func() (sum uint64) {
			for _, c := range coldkeys {
				sum += e.rao(c)
			}
			return sum
		}
		before := purse()
		for _, c := range coldkeys {
			e.stake(c, hotkeys[0], 1, 30*whole)
		}
		for range rapid.IntRange(8, 20).Draw(t, "steps") {
			e.anyMessage(t, done)
		}
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		slices.Reverse(g.Positions)
		for _, p := range g.Positions {
			_, err := send(e, e.msgs.Unstake, &types.MsgUnstake{
				Coldkey: p.Coldkey, Hotkey: p.Hotkey, Netuid: uint32(p.SubnetId), Alpha: e.worth(p.Coldkey, p.Hotkey, uint32(p.SubnetId)), LimitPrice: cheap,
			})
			require.NoError(t, err)
		}
		require.LessOrEqual(t, purse(), before)
		g, err = e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		require.Empty(t, g.Positions)
		require.Empty(t, g.StakePools)
	})
	done.requireAll(t, messages...)
}
