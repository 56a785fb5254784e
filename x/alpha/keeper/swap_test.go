package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestASwapSellsInOneSubnetAndBuysInTheOther(t *testing.T) {
	e := newEnv(t)
	in := e.stake("bob", "miner", 1, 20*whole)
	coins, one, two := e.rao("bob"), e.at(1), e.at(2)
	r, err := send(e, e.msgs.SwapStake, &types.MsgSwapStake{
		Coldkey: str("bob"), FromHotkey: str("miner"), FromNetuid: 1, ToHotkey: str("validator"), ToNetuid: 2,
		Alpha: 5 * whole, SellLimitPrice: cheap, BuyLimitPrice: dear,
	})
	require.NoError(t, err)
	require.Equal(t, uint64(5*whole), r.AlphaSold)
	require.Equal(t, in.AlphaStaked-5*whole, e.staked("bob", "miner", 1))
	require.Equal(t, r.AlphaStaked, e.staked("bob", "validator", 2))
	require.Equal(t, one.TaoReserve-r.Tao, e.at(1).TaoReserve)
	require.Equal(t, two.TaoReserve+r.Tao, e.at(2).TaoReserve)
	require.Equal(t, coins, e.rao("bob"), "no coin passes through the coldkey")
}

func TestABadSwapIsRefused(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 20*whole)
	good := types.MsgSwapStake{
		Coldkey: str("bob"), FromHotkey: str("miner"), FromNetuid: 1, ToHotkey: str("validator"), ToNetuid: 2,
		Alpha: whole, SellLimitPrice: cheap, BuyLimitPrice: dear,
	}
	for _, c := range []struct {
		name  string
		spoil func(*types.MsgSwapStake)
		want  error
		words []string
	}{
		{"somebody else's", func(m *types.MsgSwapStake) { m.Coldkey = str("alice") }, types.ErrNoStake, nil},
		{"nothing", func(m *types.MsgSwapStake) { m.Alpha = 0 }, types.ErrInvalidAmount, nil},
		{"more than there is", func(m *types.MsgSwapStake) { m.Alpha = dear }, types.ErrNoStake, []string{"is worth"}},
		{"dust", func(m *types.MsgSwapStake) { m.Alpha = 1_000 }, types.ErrInvalidAmount, nil},
		{"within a subnet", func(m *types.MsgSwapStake) { m.ToNetuid = 1 }, types.ErrInvalidRequest, []string{"MsgMoveStake"}},
		{"from an unknown subnet", func(m *types.MsgSwapStake) { m.FromNetuid = 8 }, types.ErrNoSubnet, nil},
		{"to an unknown subnet", func(m *types.MsgSwapStake) { m.ToNetuid = 8 }, types.ErrNoSubnet, nil},
		{"to a subnet that has not started", func(m *types.MsgSwapStake) { m.ToNetuid = 3 }, types.ErrNotStarted, nil},
		{"to an unbound hotkey", func(m *types.MsgSwapStake) { m.ToHotkey = str("nobody") }, types.ErrNotBound, nil},
		{"no limit to sell", func(m *types.MsgSwapStake) { m.SellLimitPrice = 0 }, types.ErrLimitPrice, []string{"sell_limit_price"}},
		{"no limit to buy", func(m *types.MsgSwapStake) { m.BuyLimitPrice = 0 }, types.ErrLimitPrice, []string{"buy_limit_price"}},
		{"a sale under its limit", func(m *types.MsgSwapStake) { m.SellLimitPrice = 2 * whole }, types.ErrLimitPrice, []string{"the sale", "subnet 1 to subnet 2"}},
		{"a purchase above its limit", func(m *types.MsgSwapStake) { m.BuyLimitPrice = whole / 4 }, types.ErrLimitPrice, []string{"the purchase"}},
		{"in part, of which nothing fits", func(m *types.MsgSwapStake) { m.BuyLimitPrice, m.AllowPartial = whole/4, true }, types.ErrLimitPrice, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := good
			c.spoil(&m)
			refuse(t, e, e.msgs.SwapStake, &m, c.want, c.words...)
		})
	}
	_, err := send(e, e.msgs.SwapStake, &good)
	require.NoError(t, err)
}

func TestAPartialSwapSellsOnlyWhatThePurchaseCanSpend(t *testing.T) {
	e := newEnv(t)
	in := e.stake("bob", "miner", 1, 200*whole)
	limit := uint64(520_000_000) // subnet 2 is at 0.5
	m := &types.MsgSwapStake{
		Coldkey: str("bob"), FromHotkey: str("miner"), FromNetuid: 1, ToHotkey: str("miner"), ToNetuid: 2,
		Alpha: in.AlphaStaked, SellLimitPrice: cheap, BuyLimitPrice: limit,
	}
	refuse(t, e, e.msgs.SwapStake, m, types.ErrLimitPrice, "the purchase")
	m.AllowPartial = true
	one, two := e.at(1), e.at(2)
	r, err := send(e, e.msgs.SwapStake, m)
	require.NoError(t, err)
	require.Equal(t, in.AlphaStaked-r.AlphaSold, e.staked("bob", "miner", 1))
	require.LessOrEqual(t, e.at(2).Reserves().CmpLimit(limit), 0)
	require.Equal(t, one.TaoReserve+two.TaoReserve, e.at(1).TaoReserve+e.at(2).TaoReserve)
}
