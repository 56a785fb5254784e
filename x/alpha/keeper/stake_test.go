package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

func TestAStakeBuysAlphaForItsColdkey(t *testing.T) {
	e := newEnv(t)
	r := e.stake("bob", "miner", 1, 10*whole)
	// 9.995 TAO of 10 trade: 1000 · 9.995/1009.995
	require.Equal(t, &types.MsgStakeResponse{TaoSpent: 10 * whole, AlphaStaked: 9_896_088_594, Fee: 5_000_000}, r)
	require.Equal(t, uint64(100_000-10)*whole, e.rao("bob"))
	require.Equal(t, r.AlphaStaked, e.staked("bob", "miner", 1))
	on, err := e.k.StakeOn(e.ctx, e.at(1).SubnetId, addr("miner"))
	require.NoError(t, err)
	require.Equal(t, r.AlphaStaked, on)
	p := e.at(1)
	require.Equal(t, uint64(1_010*whole), p.TaoReserve)
	require.Equal(t, r.AlphaStaked, p.AlphaStaked)
	require.Equal(t, 1_000*whole-r.AlphaStaked, p.AlphaReserve)
	require.Zero(t, e.staked("alice", "miner", 1), "the hotkey's owner has none of it")
}

func TestABadStakeIsRefused(t *testing.T) {
	e := newEnv(t)
	good := types.MsgStake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Tao: whole, LimitPrice: dear}
	for _, c := range []struct {
		name  string
		spoil func(*types.MsgStake)
		want  error
		words []string
	}{
		{"nothing", func(m *types.MsgStake) { m.Tao = 0 }, types.ErrInvalidAmount, nil},
		{"under the least", func(m *types.MsgStake) { m.Tao = 1_999_999 }, types.ErrInvalidAmount, []string{"1999999", "2000000"}},
		{"more than the balance", func(m *types.MsgStake) { m.Tao = 100_001 * whole }, sdkerrors.ErrInsufficientFunds, nil},
		{"the largest amount", func(m *types.MsgStake) { m.Tao = dear }, types.ErrReserve, nil},
		{"an unknown subnet", func(m *types.MsgStake) { m.Netuid = 9 }, types.ErrNoSubnet, []string{"netuid 9", "1–3"}},
		{"a subnet that has not started", func(m *types.MsgStake) { m.Netuid = 3 }, types.ErrNotStarted, []string{"subnet 3", "MsgStartSubnet"}},
		{"an unbound hotkey", func(m *types.MsgStake) { m.Hotkey = str("nobody") }, types.ErrNotBound, []string{"MsgBindHotkey"}},
		{"no limit price", func(m *types.MsgStake) { m.LimitPrice = 0 }, types.ErrLimitPrice, []string{"rao per whole alpha"}},
		{"a limit that the price is above", func(m *types.MsgStake) { m.LimitPrice = 999_999_999 }, types.ErrLimitPrice, []string{"999999999"}},
		{"a limit that it would pass", func(m *types.MsgStake) { m.LimitPrice = 1_000_000_001 }, types.ErrLimitPrice, []string{"allow part"}},
		{"in part, of which nothing fits", func(m *types.MsgStake) { m.LimitPrice, m.AllowPartial = 999_999_999, true }, types.ErrLimitPrice, []string{"not even a part"}},
		{"in part, of which too little fits", func(m *types.MsgStake) { m.LimitPrice, m.AllowPartial = 1_000_000_001, true }, types.ErrInvalidAmount, nil},
		{"somebody's address without sense", func(m *types.MsgStake) { m.Coldkey = "alice" }, sdkerrors.ErrInvalidAddress, nil},
		{"on a hotkey without sense", func(m *types.MsgStake) { m.Hotkey = "" }, sdkerrors.ErrInvalidAddress, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := good
			c.spoil(&m)
			refuse(t, e, e.msgs.Stake, &m, c.want, c.words...)
		})
	}
	_, err := send(e, e.msgs.Stake, &good)
	require.NoError(t, err)
}

func TestAPartialStakeStopsAtItsLimitAndKeepsTheRest(t *testing.T) {
	e := newEnv(t)
	m := &types.MsgStake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Tao: 500 * whole, LimitPrice: 1_100_000_000}
	refuse(t, e, e.msgs.Stake, m, types.ErrLimitPrice)
	before := e.at(1).Reserves()
	m.AllowPartial = true
	r, err := send(e, e.msgs.Stake, m)
	require.NoError(t, err)
	require.Equal(t, 100_000*whole-r.TaoSpent, e.rao("alice"))
	require.LessOrEqual(t, e.at(1).Reserves().CmpLimit(m.LimitPrice), 0)
	// It is the most that the limit allows: 1 rao more passes it.
	more, err := before.Buy(r.TaoSpent+1, pool.Rules{Fee: types.DefaultParams().TradeFee})
	require.NoError(t, err)
	require.Positive(t, more.After.CmpLimit(m.LimitPrice))
}

func TestAStakeBeforeAnyTradeAndAfterADividend(t *testing.T) {
	e := newEnv(t)
	e.stake("alice", "miner", 1, 10*whole)
	id, first := e.at(1).SubnetId, e.staked("alice", "miner", 1)
	require.NoError(t, e.do(func(ctx context.Context) error {
		if err := e.k.MintPending(ctx, id, 5*whole); err != nil {
			return err
		}
		return e.k.RewardPending(ctx, id, addr("miner"), 5*whole)
	}))
	require.Equal(t, first+5*whole, e.staked("alice", "miner", 1), "one owner gets all of it")
	r := e.stake("bob", "miner", 1, 10*whole)
	require.InDelta(t, r.AlphaStaked, e.staked("bob", "miner", 1), 1, "a later stake has no part in it")
	require.InDelta(t, first+5*whole, e.staked("alice", "miner", 1), 1)
}

// dearShare is a state that messages alone can't reach: the stake pool of the
// miner in subnet 1 is one share, alice's, worth 999 alpha.
func dearShare(t *testing.T) *env {
	usual := newEnv(t)
	g, err := usual.k.ExportGenesis(usual.ctx)
	require.NoError(t, err)
	g.Pools[0].AlphaReserve -= 999 * whole
	g.Pools[0].AlphaStaked = 999 * whole
	g.StakePools = []types.StakePool{{SubnetId: 1, Hotkey: str("miner"), Alpha: 999 * whole, Shares: sdkmath.OneInt()}}
	g.Positions = []types.Position{{SubnetId: 1, Hotkey: str("miner"), Coldkey: str("alice"), Shares: sdkmath.OneInt()}}
	e := bareEnv(t)
	e.fundReserves(3_000 * whole)
	require.NoError(t, e.k.InitGenesis(e.ctx, *g))
	return e
}

func TestADearShareSwallowsNobodysStake(t *testing.T) {
	e := dearShare(t)
	coins := e.rao("bob")
	refuse(t, e, e.msgs.Stake, &types.MsgStake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Tao: 100 * whole, LimitPrice: dear},
		types.ErrRounding, "deposit more")
	require.Equal(t, coins, e.rao("bob"))
	refuse(t, e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: whole, LimitPrice: cheap},
		types.ErrRounding, "take all of it")
	_, err := send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: e.staked("alice", "miner", 1), LimitPrice: cheap})
	require.NoError(t, err)
}
