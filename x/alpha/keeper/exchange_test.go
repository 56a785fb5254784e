package keeper_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

func (e *env) exchange(hotkey, newHotkey string) error {
	return e.do(func(ctx context.Context) error { return e.k.ExchangeHotkeys(ctx, addr(hotkey), addr(newHotkey)) })
}

// estate is newEnv with everything on alice's miner, her "fresh" hotkey with
// nothing, and her "side" hotkey, whose incentive goes to the miner.
func estate(t require.TestingT) *env {
	e := newEnv(t)
	e.bind("alice", "fresh")
	e.bind("alice", "side")
	e.bind("alice", "safe")
	e.stake("alice", "miner", 1, 10*whole)
	e.stake("bob", "miner", 1, 5*whole)
	e.stake("bob", "miner", 2, 3*whole)
	require.NoError(t, e.setTake(1_000))
	require.NoError(t, e.setTake(2_000))
	require.NoError(t, e.lock("alice", "miner", 1, 2*whole))
	e.lends("alice", "miner", 1, lend("validator", 300_000))
	e.lends("bob", "validator", 1, lend("miner", 700_000))
	e.end(dayBlocks, dayTime)
	e.lends("alice", "miner", 1, lend("validator", 1))
	e.lends("bob", "validator", 1, lend("miner", 2))
	for _, m := range []types.MsgSetDestination{{Hotkey: str("side"), Destination: str("miner")}, {Hotkey: str("miner"), Destination: str("safe")}} {
		m.Coldkey = str("alice")
		_, err := send(e, e.msgs.SetDestination, &m)
		require.NoError(t, err)
	}
	_, err := send(e, e.msgs.SetChildkeyTake, &types.MsgSetChildkeyTake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Take: 77})
	require.NoError(t, err)
	return e
}

// requireEstate checks that all of it is on a hotkey.
func (e *env) requireEstate(t *testing.T, hotkey string) {
	t.Helper()
	require.Equal(t, uint64(2*whole), e.locked("alice", hotkey, 1))
	require.NotZero(t, e.staked("alice", hotkey, 1))
	require.NotZero(t, e.staked("bob", hotkey, 2))
	on, err := e.k.StakeOn(e.ctx, 1, addr(hotkey))
	require.NoError(t, err)
	require.Equal(t, e.at(1).AlphaStaked, on)
	h, err := e.k.Hotkey(e.ctx, addr(hotkey))
	require.NoError(t, err)
	require.Equal(t, uint32(2_000), h.Take)
	require.Equal(t, int64(10), h.TakeRaisedHeight, "nobody raises a take sooner by a swap")
	take, err := e.k.ChildkeyTake(e.ctx, 1, addr(hotkey))
	require.NoError(t, err)
	require.Equal(t, uint32(77), take)
	got := e.childrenOf(hotkey, 1)
	require.Equal(t, []types.Child{lend("validator", 300_000)}, got.Children)
	require.Equal(t, str(hotkey), got.Pending.Children.Parent)
	require.Equal(t, []types.Child{lend(hotkey, 700_000)}, e.childrenOf("validator", 1).Children)
	require.Equal(t, []types.Child{lend(hotkey, 2)}, e.childrenOf("validator", 1).Pending.Children.Children)
	parents, err := e.k.ParentsOf(e.ctx, 1, addr(hotkey))
	require.NoError(t, err)
	require.Equal(t, []types.Child{lend("validator", 700_000)}, parents)
	for from, want := range map[string]string{"side": hotkey, hotkey: "safe"} {
		to, err := e.k.Destination(e.ctx, addr(from))
		require.NoError(t, err)
		require.Equal(t, addr(want), to)
	}
	stakes, err := e.query.Stakes(e.ctx, &types.QueryStakesRequest{Coldkey: str("alice")})
	require.NoError(t, err)
	require.Len(t, stakes.Stakes, 1)
	require.Equal(t, str(hotkey), stakes.Stakes[0].Hotkey)
	nominators, err := e.query.Nominators(e.ctx, &types.QueryNominatorsRequest{Netuid: 1, Hotkey: str(hotkey)})
	require.NoError(t, err)
	require.Len(t, nominators.Stakes, 2)
	require.Equal(t, str(hotkey), nominators.Stakes[1].Hotkey)
	account, err := e.k.Account(e.ctx, addr(hotkey))
	require.NoError(t, err)
	require.Equal(t, addr("miner"), account, "the account stays")
	back, err := e.k.HotkeyOf(e.ctx, account)
	require.NoError(t, err)
	require.Equal(t, addr(hotkey), back)
}

// requireNothing checks that a hotkey is bound, and that nothing is on it.
func (e *env) requireNothing(t *testing.T, hotkey string) {
	t.Helper()
	for id := range uint64(2) {
		on, err := e.k.StakeOn(e.ctx, id+1, addr(hotkey))
		require.NoError(t, err)
		require.Zero(t, on)
	}
	require.Zero(t, e.locked("alice", hotkey, 1))
	require.Empty(t, e.childrenOf(hotkey, 1).Children)
	require.Nil(t, e.childrenOf(hotkey, 1).Pending)
	parents, err := e.k.ParentsOf(e.ctx, 1, addr(hotkey))
	require.NoError(t, err)
	require.Empty(t, parents)
	h, err := e.k.Hotkey(e.ctx, addr(hotkey))
	require.NoError(t, err)
	require.Equal(t, str("alice"), h.Coldkey)
	require.Equal(t, uint32(180_000), h.Take)
	require.Empty(t, h.Destination)
}

func TestSection4ASwappedHotkeyBringsAllThatIsOnIt(t *testing.T) {
	e := estate(t)
	e.bind("alice", "third")
	e.requireEstate(t, "miner")
	for _, to := range [][2]string{{"miner", "fresh"}, {"fresh", "third"}, {"third", "miner"}, {"miner", "third"}} {
		require.NoError(t, e.exchange(to[0], to[1]))
		e.requireEstate(t, to[1])
		e.requireNothing(t, to[0])
	}
	e.requireReplay()
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	again, err := reload(t, g)
	require.NoError(t, err)
	again.requireEstate(t, "third")
}

func TestSection4AfterASwapEverythingGoesOn(t *testing.T) {
	e := estate(t)
	require.NoError(t, e.exchange("miner", "fresh"))
	refuse(t, e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1, Alpha: whole, LimitPrice: cheap}, types.ErrNoStake, str("miner"))
	_, err := send(e, e.msgs.Unstake, &types.MsgUnstake{Coldkey: str("bob"), Hotkey: str("fresh"), Netuid: 1, Alpha: whole, LimitPrice: cheap})
	require.NoError(t, err)
	_, err = send(e, e.msgs.MoveStake, &types.MsgMoveStake{Coldkey: str("bob"), FromHotkey: str("fresh"), ToHotkey: str("miner"), Netuid: 1, Alpha: whole})
	require.NoError(t, err)
	e.stake("bob", "fresh", 1, whole)
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 9*whole) })
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("fresh"), whole) })
	e.ok(func(ctx context.Context) error {
		return e.k.StakePending(ctx, 1, addr("fresh"), addr("alice"), whole, types.ReasonIncentive)
	})
	e.bind("alice", "empty")
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("empty"), whole) })
	require.Equal(t, uint64(whole), e.staked("alice", "empty", 1))
	require.NoError(t, e.slash("alice", "fresh", 1, whole))
	e.end(dayBlocks, dayTime)
	require.Equal(t, []types.Child{lend("validator", 1)}, e.childrenOf("fresh", 1).Children)
	require.Equal(t, []types.Child{lend("fresh", 2)}, e.childrenOf("validator", 1).Children)
	e.requireReplay()
}

func TestSection4OnlyAnUnusedHotkeyOfTheSameColdkeyIsSwappedInto(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(e *env)
		to   string
		want error
		word string
	}{
		{"itself", func(*env) {}, "miner", types.ErrInvalidRequest, "with itself"},
		{"an unbound one", func(*env) {}, "nobody", types.ErrNotBound, "MsgBindHotkey"},
		{"another coldkey's", func(e *env) { e.bind("bob", "bobs") }, "bobs", types.ErrNotOwner, "one coldkey"},
		{"one with stake", func(e *env) { e.stake("bob", "fresh", 2, whole) }, "fresh", types.ErrUsed, "stake in subnet 2"},
		{"one with parents", func(e *env) {
			e.lends("bob", "validator", 2, lend("fresh", 1))
			e.end(dayBlocks, dayTime)
		}, "fresh", types.ErrUsed, "parents in subnet 2"},
		{"one that waits for a parent", func(e *env) { e.lends("bob", "validator", 3, lend("fresh", 1)) }, "fresh", types.ErrUsed, "parents that wait"},
		{"one with children", func(e *env) {
			e.lends("alice", "fresh", 2, lend("validator", 1))
			e.end(dayBlocks, dayTime)
		}, "fresh", types.ErrUsed, "children in subnet 2"},
		{"one that waits for children", func(e *env) { e.lends("alice", "fresh", 1, lend("validator", 1)) }, "fresh", types.ErrUsed, "children that wait"},
		{"a child of its own", func(e *env) {
			e.lends("alice", "miner", 1, lend("fresh", 1))
			e.end(dayBlocks, dayTime)
		}, "fresh", types.ErrUsed, "parents in subnet 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := estate(t)
			c.do(e)
			before, err := e.k.ExportGenesis(e.ctx)
			require.NoError(t, err)
			err = e.exchange("miner", c.to)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.word)
			after, err := e.k.ExportGenesis(e.ctx)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
	e := estate(t)
	require.ErrorIs(t, e.exchange("nobody", "fresh"), types.ErrNotBound)
	// What is left in a removed subnet is paid to coldkeys, so it is in nobody's way.
	e.stake("bob", "fresh", 2, whole)
	e.ok(func(ctx context.Context) error { return e.k.RetirePool(ctx, 2) })
	require.NoError(t, e.exchange("miner", "fresh"))
}

func TestSection4ASwapCostsTheSameHoweverManyNominators(t *testing.T) {
	cost := func(nominators int) storetypes.Gas {
		e := newEnv(t)
		e.bind("alice", "fresh")
		e.stake("bob", "miner", 1, 2_000*whole)
		for i := range nominators {
			_, err := e.msgs.TransferStake(e.ctx, &types.MsgTransferStake{Coldkey: str("bob"), ToColdkey: str(fmt.Sprintf("nominator %d", i)), Hotkey: str("miner"), Netuid: 1, Alpha: whole})
			require.NoError(t, err)
		}
		ctx := e.ctx.WithGasMeter(storetypes.NewInfiniteGasMeter()).WithEventManager(sdk.NewEventManager())
		require.NoError(t, e.k.ExchangeHotkeys(ctx, addr("miner"), addr("fresh")))
		require.NoError(t, e.k.CheckInvariants(e.ctx))
		return ctx.GasMeter().GasConsumed()
	}
	require.Equal(t, cost(1), cost(300))
}
