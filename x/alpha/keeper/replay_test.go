package keeper_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
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
}

func replay(t require.TestingT, events []sdk.Event) replayed {
	r := replayed{
		map[uint64]*types.Pool{}, map[string]uint64{}, map[string]*big.Int{}, map[string]*big.Int{}, map[string]types.Hotkey{},
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
			r.hotkeys[m.Hotkey] = types.Hotkey{Hotkey: m.Hotkey, Coldkey: m.Coldkey}
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
			r.alpha[pool] -= m.Alpha
			change(r.total, pool, new(big.Int).Neg(m.Shares.BigInt()))
			change(r.shares, pool+"/"+m.Coldkey, new(big.Int).Neg(m.Shares.BigInt()))
		case *types.EventStakeRewarded:
			r.alpha[fmt.Sprintf("%d/%s", m.SubnetId, m.Hotkey)] += m.Alpha
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
	require.Len(e.t, r.total, len(g.StakePools))
	for _, s := range g.StakePools {
		at := fmt.Sprintf("%d/%s", s.SubnetId, s.Hotkey)
		require.Equal(e.t, s.Alpha, r.alpha[at])
		require.Equal(e.t, s.Shares.String(), r.total[at].String())
	}
	require.Len(e.t, r.shares, len(g.Positions))
	for _, p := range g.Positions {
		require.Equal(e.t, p.Shares.String(), r.shares[fmt.Sprintf("%d/%s/%s", p.SubnetId, p.Hotkey, p.Coldkey)].String())
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

// anyAmount draws dust and fortunes alike.
func anyAmount(t *rapid.T) uint64 {
	return rapid.Uint64().Draw(t, "amount") >> rapid.UintRange(10, 63).Draw(t, "shift")
}

// anyMessage runs some message of a coldkey; it may well fail.
func (e *env) anyMessage(t *rapid.T) {
	c := rapid.SampledFrom(coldkeys).Draw(t, "coldkey")
	h, h2 := rapid.SampledFrom(hotkeys).Draw(t, "hotkey"), rapid.SampledFrom(hotkeys).Draw(t, "hotkey 2")
	n := rapid.Uint32Range(1, 3).Draw(t, "netuid")
	n2 := rapid.Uint32Range(1, 2).Draw(t, "netuid 2")
	amount, partial := anyAmount(t), rapid.Bool().Draw(t, "partial")
	high := rapid.SampledFrom([]uint64{dear, 2 * whole, whole, whole / 2}).Draw(t, "high")
	low := rapid.SampledFrom([]uint64{cheap, whole / 3, whole, 2 * whole}).Draw(t, "low")
	switch rapid.IntRange(0, 6).Draw(t, "message") {
	case 0, 1:
		_, _ = send(e, e.msgs.Stake, &types.MsgStake{Coldkey: str(c), Hotkey: str(h), Netuid: n, Tao: amount, LimitPrice: high, AllowPartial: partial})
	case 2:
		_, _ = send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str(c), Hotkey: str(h), Netuid: n, Alpha: amount, LimitPrice: low, AllowPartial: partial})
	case 3:
		_, _ = send(e, e.msgs.UnstakeAll, &types.MsgUnstakeAll{Coldkey: str(c), Hotkey: str(h), AllowPartial: partial,
			Subnets: []types.SubnetLimit{{Netuid: n, LimitPrice: low}, {Netuid: n2, LimitPrice: low}}})
	case 4:
		_, _ = send(e, e.msgs.MoveStake, &types.MsgMoveStake{Coldkey: str(c), Netuid: n, FromHotkey: str(h), ToHotkey: str(h2), Alpha: amount})
	case 5:
		_, _ = send(e, e.msgs.SwapStake, &types.MsgSwapStake{Coldkey: str(c), FromHotkey: str(h), FromNetuid: n, ToHotkey: str(h2), ToNetuid: n2,
			Alpha: amount, SellLimitPrice: low, BuyLimitPrice: high, AllowPartial: partial})
	case 6:
		c2 := rapid.SampledFrom(coldkeys).Draw(t, "coldkey 2")
		_, _ = send(e, e.msgs.TransferStake, &types.MsgTransferStake{Coldkey: str(c), ToColdkey: str(c2), Hotkey: str(h), Netuid: n, Alpha: amount})
	}
}

// anyEmission does what the modules above may do in a block; it may well fail.
func (e *env) anyEmission(t *rapid.T) {
	id := rapid.Uint64Range(1, 2).Draw(t, "subnet id")
	hotkey, coldkey := addr(rapid.SampledFrom(hotkeys).Draw(t, "hotkey")), addr(rapid.SampledFrom(coldkeys).Draw(t, "coldkey"))
	amount, alpha := anyAmount(t)>>20, anyAmount(t)>>20
	do := []func(ctx context.Context) error{
		func(ctx context.Context) error { return e.k.MintPending(ctx, id, alpha) },
		func(ctx context.Context) error { return e.k.AddLiquidity(ctx, id, source, amount, alpha) },
		func(ctx context.Context) error { _, err := e.k.BuyForProtocol(ctx, id, source, amount); return err },
		func(ctx context.Context) error { _, err := e.k.SellMinted(ctx, id, source, alpha); return err },
		func(ctx context.Context) error { return e.k.BurnPending(ctx, id, alpha) },
		func(ctx context.Context) error { return e.k.RecyclePending(ctx, id, alpha) },
		func(ctx context.Context) error {
			return e.k.StakePending(ctx, id, hotkey, coldkey, alpha, types.ReasonTake)
		},
		func(ctx context.Context) error { return e.k.RewardPending(ctx, id, hotkey, alpha) },
		func(ctx context.Context) error {
			_, err := e.k.BuyAndBurn(ctx, id, coldkey, amount, types.ReasonRegistration)
			return err
		},
	}
	_ = e.do(do[rapid.IntRange(0, len(do)-1).Draw(t, "emission")])
}

func TestEventsRebuildPoolsAndStakesWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := newEnv(t)
		e.bind("carol", "third")
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "emission") {
				e.anyEmission(t)
			} else {
				e.anyMessage(t)
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
}

// Without emission the coldkeys together can't get richer, whatever they send:
// neither by trades nor by the rounding of shares.
func TestNoSequenceOfMessagesProfits(t *testing.T) {
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
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			e.anyMessage(t)
		}
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		slices.Reverse(g.Positions)
		for _, p := range g.Positions {
			_, err := send(e, e.msgs.Unstake, &types.MsgUnstake{
				Coldkey: p.Coldkey, Hotkey: p.Hotkey, Netuid: uint32(p.SubnetId), Alpha: math.MaxUint64, LimitPrice: cheap,
			})
			require.NoError(t, err)
		}
		require.LessOrEqual(t, purse(), before)
		g, err = e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		require.Empty(t, g.Positions)
		require.Empty(t, g.StakePools)
	})
}
