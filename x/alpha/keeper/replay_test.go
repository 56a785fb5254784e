package keeper_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

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

var messages = []string{"stake", "unstake", "unstake all", "move", "swap", "transfer", "burn", "recycle"}

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
		c, h, n = p.Coldkey, e.hot(p.Hotkey), uint32(p.SubnetId)
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
	case "burn":
		_, err = send(e, e.msgs.BurnAlpha, &types.MsgBurnAlpha{Coldkey: c, Hotkey: h, Netuid: n, Alpha: amount})
	case "recycle":
		_, err = send(e, e.msgs.RecycleAlpha, &types.MsgRecycleAlpha{Coldkey: c, Hotkey: h, Netuid: n, Alpha: amount})
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
	e.bindSpares()
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
			rapid.SampledFrom([]func(*rapid.T, tally){e.anyEmission, e.anyMessage, e.anyMessage, e.anyLending}).Draw(t, "kind")(t, done)
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
	done.requireAll(t, lendings...)
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
		e.bindSpares()
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
			rapid.SampledFrom([]func(*rapid.T, tally){e.anyMessage, e.anyMessage, e.anyLending}).Draw(t, "kind")(t, done)
		}
		e.unlockAll()
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		slices.Reverse(g.Positions)
		for _, p := range g.Positions {
			_, err := send(e, e.msgs.Unstake, &types.MsgUnstake{
				Coldkey: p.Coldkey, Hotkey: e.hot(p.Hotkey), Netuid: uint32(p.SubnetId), Alpha: e.worth(p.Coldkey, e.hot(p.Hotkey), uint32(p.SubnetId)), LimitPrice: cheap,
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
