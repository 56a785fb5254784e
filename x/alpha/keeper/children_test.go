package keeper_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// A day of the mainnet profile, in which children wait.
const dayBlocks, dayTime = 28_800, 24 * time.Hour

func lend(hotkey string, proportion uint32) types.Child {
	return types.Child{Hotkey: str(hotkey), Proportion: proportion}
}

func setChildren(coldkey, hotkey string, netuid uint32, children ...types.Child) *types.MsgSetChildren {
	return &types.MsgSetChildren{Coldkey: str(coldkey), Hotkey: str(hotkey), Netuid: netuid, Children: children}
}

// lends sets children; it must succeed.
func (e *env) lends(coldkey, hotkey string, netuid uint32, children ...types.Child) *types.MsgSetChildrenResponse {
	r, err := send(e, e.msgs.SetChildren, setChildren(coldkey, hotkey, netuid, children...))
	require.NoError(e.t, err)
	return r
}

// end ends blocks, the last of them some time on.
func (e *env) end(blocks int64, d time.Duration) {
	e.pass(blocks, d)
	e.ok(func(ctx context.Context) error { return e.k.EndBlocker(ctx) })
}

// childrenOf are a hotkey's, as the query tells.
func (e *env) childrenOf(hotkey string, netuid uint32) *types.QueryChildrenResponse {
	r, err := e.query.Children(e.ctx, &types.QueryChildrenRequest{Netuid: netuid, Hotkey: str(hotkey)})
	require.NoError(e.t, err)
	return r
}

// family is newEnv with bob's hotkeys "child 1" to "child 6".
func family(t require.TestingT) *env {
	e := newEnv(t)
	for i := range 6 {
		e.bind("bob", fmt.Sprintf("child %d", i+1))
	}
	return e
}

func TestSection5ChildHotkeysTakeEffectAfterADayInBlocksAndInTime(t *testing.T) {
	for _, c := range []struct {
		name   string
		blocks int64
		wait   time.Duration
		set    bool
	}{
		{"both have passed", dayBlocks, dayTime, true},
		{"the blocks, but a second of the time is missing", dayBlocks, dayTime - time.Second, false},
		{"the time, but a block is missing", dayBlocks - 1, dayTime, false},
		{"long past", 10 * dayBlocks, 10 * dayTime, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := family(t)
			now := e.ctx.BlockTime().Unix()
			r := e.lends("alice", "miner", 1, lend("child 1", 250_000), lend("child 2", 1))
			require.Equal(t, &types.MsgSetChildrenResponse{DueHeight: 10 + dayBlocks, DueTime: now + 86_400}, r)
			require.Empty(t, e.childrenOf("miner", 1).Children)
			e.end(c.blocks, c.wait)
			got := e.childrenOf("miner", 1)
			if !c.set {
				require.Empty(t, got.Children)
				require.Equal(t, r.DueHeight, got.Pending.DueHeight)
				require.Equal(t, []types.Child{lend("child 1", 250_000), lend("child 2", 1)}, got.Pending.Children.Children)
				e.end(1, time.Second)
				got = e.childrenOf("miner", 1)
			}
			require.Nil(t, got.Pending)
			require.Equal(t, []types.Child{lend("child 1", 250_000), lend("child 2", 1)}, got.Children)
			elsewhere, err := e.k.ChildrenIn(e.ctx, 2)
			require.NoError(t, err)
			require.Empty(t, elsewhere, "each subnet has its own children")
		})
	}
}

func TestSection5ASecondChangeOfChildrenReplacesTheOneThatWaitsAndWaitsADayItself(t *testing.T) {
	e := family(t)
	e.lends("alice", "miner", 1, lend("child 1", 1_000_000))
	e.end(dayBlocks-1, dayTime-time.Second)
	e.lends("alice", "miner", 1, lend("child 2", 500_000))
	e.end(1, time.Second)
	require.Empty(t, e.childrenOf("miner", 1).Children, "the first never takes effect")
	e.end(dayBlocks-2, dayTime-2*time.Second)
	require.Empty(t, e.childrenOf("miner", 1).Children)
	e.end(1, time.Second)
	require.Equal(t, []types.Child{lend("child 2", 500_000)}, e.childrenOf("miner", 1).Children)

	e.lends("alice", "miner", 1)
	e.end(dayBlocks-1, dayTime)
	require.NotEmpty(t, e.childrenOf("miner", 1).Children, "the end of a loan waits as well")
	e.end(1, 0)
	require.Empty(t, e.childrenOf("miner", 1).Children)
	parents, err := e.k.ParentsOf(e.ctx, 1, addr("child 2"))
	require.NoError(t, err)
	require.Empty(t, parents)
}

func TestSection5BadChildrenAreRefused(t *testing.T) {
	e := family(t)
	for _, c := range []struct {
		name string
		m    *types.MsgSetChildren
		want error
		word string
	}{
		{"six", setChildren("alice", "miner", 1, lend("child 1", 1), lend("child 2", 1), lend("child 3", 1), lend("child 4", 1), lend("child 5", 1), lend("child 6", 1)), types.ErrChildren, "6 children, the most are 5"},
		{"a millionth more than all", setChildren("alice", "miner", 1, lend("child 1", 1_000_000), lend("child 2", 1)), types.ErrChildren, "1000001 per million"},
		{"a fraction above all", setChildren("alice", "miner", 1, lend("child 1", 1_000_001)), types.ErrChildren, "1 to 1000000"},
		{"fractions that wrap around", setChildren("alice", "miner", 1, lend("child 1", math.MaxUint32), lend("child 2", 2)), types.ErrChildren, "1 to 1000000"},
		{"nothing lent", setChildren("alice", "miner", 1, lend("child 1", 0)), types.ErrChildren, "1 to 1000000"},
		{"a child twice", setChildren("alice", "miner", 1, lend("child 1", 1), lend("child 2", 1), lend("child 1", 1)), types.ErrChildren, "twice"},
		{"a child twice, in capitals", setChildren("alice", "miner", 1, lend("child 1", 1), types.Child{Hotkey: strings.ToUpper(str("child 1")), Proportion: 1}), types.ErrChildren, "twice"},
		{"itself", setChildren("alice", "miner", 1, lend("miner", 1)), types.ErrChildren, "its own child"},
		{"itself, in capitals", setChildren("alice", "miner", 1, types.Child{Hotkey: strings.ToUpper(str("miner")), Proportion: 1}), types.ErrChildren, "itself"},
		{"an unbound child", setChildren("alice", "miner", 1, lend("nobody", 1)), types.ErrNotBound, "MsgBindHotkey"},
		{"an unbound parent", setChildren("alice", "nobody", 1, lend("child 1", 1)), types.ErrNotBound, "MsgBindHotkey"},
		{"a stranger's hotkey", setChildren("bob", "miner", 1, lend("child 1", 1)), types.ErrNotOwner, "only its coldkey"},
		{"the hotkey's own signature", setChildren("miner", "miner", 1, lend("child 1", 1)), types.ErrNotOwner, "only its coldkey"},
		{"the child's coldkey", setChildren("bob", "miner", 1, lend("validator", 1)), types.ErrNotOwner, "only its coldkey"},
		{"no such subnet", setChildren("alice", "miner", 4, lend("child 1", 1)), types.ErrNoSubnet, "the subnets are 1–3"},
	} {
		t.Run(c.name, func(t *testing.T) { refuse(t, e, e.msgs.SetChildren, c.m, c.want, c.word) })
	}
	_, err := send(e, e.msgs.SetChildren, &types.MsgSetChildren{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Children: []types.Child{{Hotkey: "x", Proportion: 1}}})
	require.Error(t, err)
	e.lends("alice", "miner", 3, lend("child 1", 200_000), lend("child 2", 200_000), lend("child 3", 200_000), lend("child 4", 200_000), lend("child 5", 200_000))
}

func TestSection5ChildAndParentMayLendToEachOtherOneLevelDeep(t *testing.T) {
	e := newEnv(t)
	e.lends("alice", "miner", 1, lend("validator", 400_000))
	e.lends("bob", "validator", 1, lend("miner", 1_000_000))
	e.end(dayBlocks, dayTime)
	all, err := e.k.ChildrenIn(e.ctx, 1)
	require.NoError(t, err)
	require.ElementsMatch(t, []types.Children{
		{SubnetId: 1, Parent: str("miner"), Children: []types.Child{lend("validator", 400_000)}},
		{SubnetId: 1, Parent: str("validator"), Children: []types.Child{lend("miner", 1_000_000)}},
	}, all)
	r, err := e.query.Parents(e.ctx, &types.QueryParentsRequest{Netuid: 1, Hotkey: str("miner")})
	require.NoError(t, err)
	require.Equal(t, []types.Child{lend("validator", 1_000_000)}, r.Parents)
	r, err = e.query.Parents(e.ctx, &types.QueryParentsRequest{Netuid: 1, Hotkey: str("validator")})
	require.NoError(t, err)
	require.Equal(t, []types.Child{lend("miner", 400_000)}, r.Parents)
}

func TestSection5ManyChangesThatComeDueAtOnceAreSpreadOverBlocks(t *testing.T) {
	e := newEnv(t)
	const many = 450
	for i := range many {
		name := fmt.Sprintf("parent %d", i)
		_, err := e.msgs.BindHotkey(e.ctx, &types.MsgBindHotkey{Coldkey: str("alice"), Hotkey: str(name)})
		require.NoError(t, err)
		_, err = e.msgs.SetChildren(e.ctx, setChildren("alice", name, 1, lend("validator", 1)))
		require.NoError(t, err)
	}
	count := func() int {
		all, err := e.k.ChildrenIn(e.ctx, 1)
		require.NoError(t, err)
		return len(all)
	}
	for _, want := range []int{200, 400, 450, 450} {
		e.end(dayBlocks, dayTime)
		require.Equal(t, want, count())
	}
	parents, err := e.k.ParentsOf(e.ctx, 1, addr("validator"))
	require.NoError(t, err)
	require.Len(t, parents, many)
}

func TestSection5AChangeThatComesDueInARemovedSubnetIsDropped(t *testing.T) {
	e := newEnv(t)
	e.lends("alice", "miner", 1, lend("validator", 7))
	e.lends("alice", "miner", 2, lend("validator", 8))
	e.ok(func(ctx context.Context) error { return e.k.RetirePool(ctx, 1) })
	e.end(dayBlocks, dayTime)
	gone, err := e.k.ChildrenIn(e.ctx, 1)
	require.NoError(t, err)
	require.Empty(t, gone)
	require.Equal(t, []types.Child{lend("validator", 8)}, e.childrenOf("miner", 2).Children)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Empty(t, g.PendingChildren)
	_, err = e.query.Children(e.ctx, &types.QueryChildrenRequest{Netuid: 1, Hotkey: str("miner")})
	require.ErrorIs(t, err, types.ErrNoSubnet)
}

func TestQueriesOfChildrenTakeAnyAddress(t *testing.T) {
	e := newEnv(t)
	require.Empty(t, e.childrenOf("nobody", 1).Children)
	r, err := e.query.Parents(e.ctx, &types.QueryParentsRequest{Netuid: 1, Hotkey: str("nobody")})
	require.NoError(t, err)
	require.Equal(t, &types.QueryParentsResponse{}, r)
	for _, bad := range []struct {
		netuid uint32
		hotkey string
	}{{1, "x"}, {1, ""}, {9, str("miner")}} {
		_, err := e.query.Children(e.ctx, &types.QueryChildrenRequest{Netuid: bad.netuid, Hotkey: bad.hotkey})
		require.Error(t, err)
		_, err = e.query.Parents(e.ctx, &types.QueryParentsRequest{Netuid: bad.netuid, Hotkey: bad.hotkey})
		require.Error(t, err)
	}
}

func TestSection5AChildkeyTakeIsLoweredFreelyAndRaisedOnceInThirtyDays(t *testing.T) {
	e := newEnv(t)
	set := func(take uint32) *types.MsgSetChildkeyTake {
		return &types.MsgSetChildkeyTake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 1, Take: take}
	}
	must := func(take uint32) {
		t.Helper()
		_, err := send(e, e.msgs.SetChildkeyTake, set(take))
		require.NoError(t, err)
		got, err := e.k.ChildkeyTake(e.ctx, 1, addr("miner"))
		require.NoError(t, err)
		require.Equal(t, take, got)
	}
	must(0)
	must(90_000)
	const days = 30 * 24 * time.Hour
	refuse(t, e, e.msgs.SetChildkeyTake, set(90_001), types.ErrTooSoon, "864010", "lowering is free")
	must(90_000)
	must(10)
	for _, early := range []struct {
		blocks int64
		d      time.Duration
	}{{864_000, days - time.Second}, {863_999, days}} {
		now := e.ctx
		e.pass(early.blocks, early.d)
		refuse(t, e, e.msgs.SetChildkeyTake, set(11), types.ErrTooSoon)
		e.ctx = now
	}
	e.pass(864_000, days)
	must(180_000)
	elsewhere, err := e.k.ChildkeyTake(e.ctx, 2, addr("miner"))
	require.NoError(t, err)
	require.Zero(t, elsewhere, "each subnet has its own")

	refuse(t, e, e.msgs.SetChildkeyTake, set(180_001), types.ErrTake, "180001", "180000")
	for _, bad := range []struct {
		m    types.MsgSetChildkeyTake
		want error
	}{
		{types.MsgSetChildkeyTake{Coldkey: str("bob"), Hotkey: str("miner"), Netuid: 1}, types.ErrNotOwner},
		{types.MsgSetChildkeyTake{Coldkey: str("miner"), Hotkey: str("miner"), Netuid: 1}, types.ErrNotOwner},
		{types.MsgSetChildkeyTake{Coldkey: str("alice"), Hotkey: str("nobody"), Netuid: 1}, types.ErrNotBound},
		{types.MsgSetChildkeyTake{Coldkey: str("alice"), Hotkey: str("miner"), Netuid: 9}, types.ErrNoSubnet},
	} {
		refuse(t, e, e.msgs.SetChildkeyTake, &bad.m, bad.want)
	}
	p := types.DefaultParams()
	p.MaxTake, p.DefaultTake = 50_000, 50_000
	_, err = send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: str("governance"), Params: p})
	require.NoError(t, err)
	got, err := e.k.ChildkeyTake(e.ctx, 1, addr("miner"))
	require.NoError(t, err)
	require.Equal(t, uint32(50_000), got, "a lowered maximum holds for takes above it")
	r, err := e.query.Parents(e.ctx, &types.QueryParentsRequest{Netuid: 1, Hotkey: str("miner")})
	require.NoError(t, err)
	require.Equal(t, uint32(50_000), r.ChildkeyTake)
}

func TestADestinationIsAnotherHotkeyOfTheSameColdkey(t *testing.T) {
	e := newEnv(t)
	e.bind("alice", "safe")
	set := func(coldkey, hotkey, to string) *types.MsgSetDestination {
		m := &types.MsgSetDestination{Coldkey: str(coldkey), Hotkey: str(hotkey)}
		if to != "" {
			m.Destination = str(to)
		}
		return m
	}
	leadsTo := func(want string) {
		t.Helper()
		got, err := e.k.Destination(e.ctx, addr("miner"))
		require.NoError(t, err)
		require.Equal(t, addr(want), got)
	}
	leadsTo("miner")
	for _, c := range []struct {
		to     string
		events int
		want   string
	}{{"safe", 1, "safe"}, {"safe", 0, "safe"}, {"miner", 1, "miner"}, {"", 0, "miner"}, {"safe", 1, "safe"}, {"", 1, "miner"}} {
		e.ctx = e.ctx.WithEventManager(sdk.NewEventManager())
		_, err := send(e, e.msgs.SetDestination, set("alice", "miner", c.to))
		require.NoError(t, err)
		require.Len(t, e.ctx.EventManager().Events(), c.events, "what it is already is no event")
		leadsTo(c.want)
	}
	refuse(t, e, e.msgs.SetDestination, set("alice", "miner", "validator"), types.ErrNotOwner, str("bob"))
	refuse(t, e, e.msgs.SetDestination, set("bob", "miner", "validator"), types.ErrNotOwner)
	refuse(t, e, e.msgs.SetDestination, set("miner", "miner", "safe"), types.ErrNotOwner)
	refuse(t, e, e.msgs.SetDestination, set("alice", "miner", "nobody"), types.ErrNotBound)
	refuse(t, e, e.msgs.SetDestination, set("alice", "nobody", "safe"), types.ErrNotBound)
	_, err := e.k.Destination(e.ctx, addr("nobody"))
	require.ErrorIs(t, err, types.ErrNotBound)
}

// Each epoch reads every loan of its subnet: who makes thousands of them, with hotkeys
// that have nothing, pays for each.
func TestSection5LendingCostsAFeeThatIsRecycledAndEndingItNothing(t *testing.T) {
	e := family(t)
	fee := types.DefaultParams().ChildrenFee
	has := func() uint64 { return e.bank.GetBalance(e.ctx, addr("alice"), types.Denom).Amount.Uint64() }
	issued := func() uint64 { return e.bank.GetSupply(e.ctx, types.Denom).Amount.Uint64() }
	before, supply := has(), issued()
	e.lends("alice", "miner", 1, lend("child 1", 250_000))
	require.Equal(t, before-fee, has())
	require.Equal(t, supply-fee, issued())
	e.lends("alice", "miner", 1)
	require.Equal(t, before-fee, has(), "ending a loan must cost nothing")

	e.bind("nobody", "pauper")
	_, err := send(e, e.msgs.SetChildren, setChildren("nobody", "pauper", 1, lend("child 1", 250_000)))
	require.ErrorContains(t, err, "insufficient funds")
	require.Nil(t, e.childrenOf("pauper", 1).Pending)
}
