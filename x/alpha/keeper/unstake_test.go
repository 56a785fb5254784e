package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

func TestAnUnstakePaysItsColdkey(t *testing.T) {
	e := newEnv(t)
	in := e.stake("bob", "miner", 1, 10*whole)
	r, err := send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: whole, LimitPrice: cheap})
	require.NoError(t, err)
	require.Equal(t, uint64(whole), r.AlphaSold)
	require.Equal(t, uint64(500_000), r.Fee)
	require.Equal(t, (100_000-10)*whole+r.TaoReceived, e.rao("bob"))
	require.Equal(t, in.AlphaStaked-whole, e.staked("bob", "miner", 1))
}

func TestUnstakingAllOfAStakeLeavesNothing(t *testing.T) {
	e := newEnv(t)
	in := e.stake("bob", "miner", 1, 10*whole)
	all := &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: in.AlphaStaked, LimitPrice: cheap}
	more := *all
	more.Alpha++
	refuse(t, e, e.msgs.Unstake, &more, types.ErrNoStake, "is worth")
	r, err := send(e, e.msgs.Unstake, all)
	require.NoError(t, err)
	require.Equal(t, in.AlphaStaked, r.AlphaSold)
	require.Less(t, r.TaoReceived, uint64(10*whole), "a round trip never profits")
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Positions, "a position without shares is gone")
	require.Empty(t, g.StakePools, "and a stake pool without alpha")
	require.Zero(t, g.Pools[0].AlphaStaked)
}

func TestABadUnstakeIsRefused(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	e.stake("bob", "miner", 2, 10*whole)
	good := types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: whole, LimitPrice: cheap}
	for _, c := range []struct {
		name  string
		spoil func(*types.MsgUnstake)
		want  error
		words []string
	}{
		{"somebody else's", func(m *types.MsgUnstake) { m.Coldkey = str("alice") }, types.ErrNoStake, []string{str("alice"), str("miner"), "subnet 1"}},
		{"where there is none", func(m *types.MsgUnstake) { m.Hotkey = str("validator") }, types.ErrNoStake, nil},
		{"an unbound hotkey's", func(m *types.MsgUnstake) { m.Hotkey = str("nobody") }, types.ErrNoStake, nil},
		{"nothing", func(m *types.MsgUnstake) { m.Alpha = 0 }, types.ErrInvalidAmount, nil},
		{"more than there is", func(m *types.MsgUnstake) { m.Alpha = dear }, types.ErrNoStake, []string{"is worth"}},
		{"under the least", func(m *types.MsgUnstake) { m.Alpha = 1_000_000 }, types.ErrInvalidAmount, []string{"2000000", "all of a stake"}},
		{"an unknown subnet", func(m *types.MsgUnstake) { m.Netuid = 0 }, types.ErrNoSubnet, nil},
		{"a subnet that has not started", func(m *types.MsgUnstake) { m.Netuid = 3 }, types.ErrNotStarted, nil},
		{"no limit price", func(m *types.MsgUnstake) { m.LimitPrice = 0 }, types.ErrLimitPrice, nil},
		{"a limit above the price", func(m *types.MsgUnstake) { m.LimitPrice = 2 * whole }, types.ErrLimitPrice, nil},
		{"a limit above the price, in part", func(m *types.MsgUnstake) { m.LimitPrice, m.AllowPartial = 2*whole, true }, types.ErrLimitPrice, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := good
			c.spoil(&m)
			refuse(t, e, e.msgs.Unstake, &m, c.want, c.words...)
		})
	}
	_, err := send(e, e.msgs.Unstake, &good)
	require.NoError(t, err)
}

func TestAPartialUnstakeKeepsTheRestStaked(t *testing.T) {
	e := newEnv(t)
	in := e.stake("bob", "miner", 1, 200*whole)
	limit := e.at(1).Reserves().LimitPrice() / 10 * 9
	m := &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: in.AlphaStaked, LimitPrice: limit}
	refuse(t, e, e.msgs.Unstake, m, types.ErrLimitPrice, "below")
	m.AllowPartial = true
	r, err := send(e, e.msgs.Unstake, m)
	require.NoError(t, err)
	require.Less(t, r.AlphaSold, in.AlphaStaked)
	require.Equal(t, in.AlphaStaked-r.AlphaSold, e.staked("bob", "miner", 1))
	require.GreaterOrEqual(t, e.at(1).Reserves().CmpLimit(limit), 0)
}

func TestAStakeUnderTheLeastCanLeaveAsAWhole(t *testing.T) {
	e := newEnv(t)
	id := e.at(1).SubnetId
	require.NoError(t, e.do(func(ctx context.Context) error {
		if err := e.k.MintPending(ctx, id, 1_000); err != nil {
			return err
		}
		return e.k.StakePending(ctx, id, addr("miner"), addr("alice"), 1_000, types.ReasonIncentive)
	}))
	require.Equal(t, uint64(1_000), e.staked("alice", "miner", 1))
	refuse(t, e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: 999, LimitPrice: cheap}, types.ErrInvalidAmount)
	r, err := send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Alpha: 1_000, LimitPrice: cheap})
	require.NoError(t, err)
	require.Equal(t, uint64(998), r.TaoReceived)
	require.Zero(t, e.staked("alice", "miner", 1))
}

func all(limits ...types.SubnetLimit) *types.MsgUnstakeAll {
	return &types.MsgUnstakeAll{Coldkey: str("bob"), Hotkey: str("miner"), Subnets: limits}
}

func TestUnstakeAllEmptiesTheListedSubnets(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	e.stake("bob", "miner", 2, 10*whole)
	r, err := send(e, e.msgs.UnstakeAll, all(types.SubnetLimit{Netuid: 2, LimitPrice: cheap}, types.SubnetLimit{Netuid: 1, LimitPrice: cheap}))
	require.NoError(t, err)
	require.Equal(t, (100_000-20)*whole+r.TaoReceived, e.rao("bob"))
	require.Zero(t, e.staked("bob", "miner", 1))
	require.Zero(t, e.staked("bob", "miner", 2))
}

func TestABadUnstakeAllIsRefused(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	one, high := types.SubnetLimit{Netuid: 1, LimitPrice: cheap}, types.SubnetLimit{Netuid: 1, LimitPrice: 2 * whole}
	for _, c := range []struct {
		name string
		m    *types.MsgUnstakeAll
		want error
	}{
		{"an empty list", all(), types.ErrInvalidRequest},
		{"a subnet twice", all(one, one), types.ErrInvalidRequest},
		{"a subnet without stake", all(one, types.SubnetLimit{Netuid: 2, LimitPrice: cheap}), types.ErrNoStake},
		{"a subnet that has not started", all(one, types.SubnetLimit{Netuid: 3, LimitPrice: cheap}), types.ErrNotStarted},
		{"an unknown subnet", all(one, types.SubnetLimit{Netuid: 4, LimitPrice: cheap}), types.ErrNoSubnet},
		{"no limit", all(types.SubnetLimit{Netuid: 1}), types.ErrLimitPrice},
		{"a limit above the price", all(high), types.ErrLimitPrice},
		{"somebody else's", &types.MsgUnstakeAll{Coldkey: str("alice"), Hotkey: str("miner"), Subnets: []types.SubnetLimit{one}}, types.ErrNoStake},
	} {
		t.Run(c.name, func(t *testing.T) { refuse(t, e, e.msgs.UnstakeAll, c.m, c.want) })
	}
	t.Run("in part where nothing sells", func(t *testing.T) {
		m := all(high)
		m.AllowPartial = true
		refuse(t, e, e.msgs.UnstakeAll, m, types.ErrLimitPrice)
	})
}

func TestUnstakeAllInPartSkipsSubnetsWhoseLimitForbidsIt(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	e.stake("bob", "miner", 2, 10*whole)
	kept := e.staked("bob", "miner", 1)
	limits := []types.SubnetLimit{{Netuid: 1, LimitPrice: 2 * whole}, {Netuid: 2, LimitPrice: cheap}}
	refuse(t, e, e.msgs.UnstakeAll, all(limits...), types.ErrLimitPrice)
	m := all(limits...)
	m.AllowPartial = true
	_, err := send(e, e.msgs.UnstakeAll, m)
	require.NoError(t, err)
	require.Equal(t, kept, e.staked("bob", "miner", 1))
	require.Zero(t, e.staked("bob", "miner", 2))
}

func TestUnstakeAllKnowsNoLeast(t *testing.T) {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	// As low as a sale of a thousandth of the least one takes the price.
	after, err := e.at(1).Reserves().Sell(2_000, pool.Rules{Fee: types.DefaultParams().TradeFee})
	require.NoError(t, err)
	m := all(types.SubnetLimit{Netuid: 1, LimitPrice: after.After.LimitPrice()})
	m.AllowPartial = true
	r, err := send(e, e.msgs.UnstakeAll, m)
	require.NoError(t, err)
	require.Positive(t, r.TaoReceived)
	require.Less(t, r.TaoReceived, types.DefaultParams().MinTrade)
}
