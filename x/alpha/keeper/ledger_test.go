package keeper_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// replayed is what events alone tell, by the rules of the module's package
// comment.
type replayed struct {
	pools    map[uint64]*types.Pool
	alpha    map[string]uint64   // stake pools, "subnet id/hotkey"
	total    map[string]*big.Int // their shares
	shares   map[string]*big.Int // positions, "subnet id/hotkey/coldkey"
	hotkeys  map[string]types.Hotkey
	locks    map[string]uint64        // "subnet id/hotkey/coldkey"
	children map[string][]types.Child // "subnet id/hotkey"
	pending  map[string]types.EventChildrenScheduled
	takes    map[string]uint32 // of children, "subnet id/hotkey"
	retired  map[uint64]types.RetiredPool
	swaps    map[string]types.ColdkeySwap
}

func replay(t require.TestingT, events []sdk.Event) replayed {
	r := replayed{
		map[uint64]*types.Pool{}, map[string]uint64{}, map[string]*big.Int{}, map[string]*big.Int{}, map[string]types.Hotkey{},
		map[string]uint64{}, map[string][]types.Child{}, map[string]types.EventChildrenScheduled{}, map[string]uint32{},
		map[uint64]types.RetiredPool{}, map[string]types.ColdkeySwap{},
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
		case *types.EventStakeAdded:
			r.stake(m.SubnetId, m.Hotkey, m.Coldkey, m.Alpha, m.Shares.BigInt())
		case *types.EventStakeRemoved:
			if m.Reason == types.ReasonRemoval { // a removed subnet's stake pools stay as they were, until they are swept
				change(r.shares, fmt.Sprintf("%d/%s/%s", m.SubnetId, m.Hotkey, m.Coldkey), new(big.Int).Neg(m.Shares.BigInt()))
				continue
			}
			r.stake(m.SubnetId, m.Hotkey, m.Coldkey, -m.Alpha, new(big.Int).Neg(m.Shares.BigInt()))
		case *types.EventStakeRewarded:
			r.alpha[fmt.Sprintf("%d/%s", m.SubnetId, m.Hotkey)] += m.Alpha
		case *types.EventStakeLocked:
			r.locks[fmt.Sprintf("%d/%s/%s", m.SubnetId, m.Hotkey, m.Coldkey)] = m.Locked
		case *types.EventStakeUnlocked:
			set(r.locks, fmt.Sprintf("%d/%s/%s", m.SubnetId, m.Hotkey, m.Coldkey), m.Locked)
		default:
			require.True(t, r.binding(parsed) || r.lending(parsed) || r.leaving(t, parsed), "an event that replay does not know: %T", m)
		}
	}
	return r
}

// stake changes a stake by alpha, modulo 2^64, and shares.
func (r replayed) stake(id uint64, hotkey, coldkey string, alpha uint64, shares *big.Int) {
	pool := fmt.Sprintf("%d/%s", id, hotkey)
	r.alpha[pool] += alpha
	change(r.total, pool, shares)
	change(r.shares, pool+"/"+coldkey, shares)
}

// binding applies an event of hotkeys.
func (r *replayed) binding(event any) bool {
	update := func(hotkey string, f func(*types.Hotkey)) {
		h := r.hotkeys[hotkey]
		h.Hotkey = hotkey
		f(&h)
		r.hotkeys[hotkey] = h
	}
	switch m := event.(type) {
	case *types.EventHotkeyBound:
		update(m.Hotkey, func(h *types.Hotkey) { h.Coldkey = m.Coldkey })
	case *types.EventTakeSet:
		update(m.Hotkey, func(h *types.Hotkey) { h.Take = m.Take })
	case *types.EventDestinationSet:
		update(m.Hotkey, func(h *types.Hotkey) { h.Destination = m.Destination })
	case *types.EventHotkeysSwapped:
		a, b := r.hotkeys[m.Hotkey], r.hotkeys[m.NewHotkey]
		a.Take, b.Take = b.Take, a.Take
		a.Destination, b.Destination = b.Destination, a.Destination
		for _, h := range []types.Hotkey{a, b} {
			if h.Destination == h.Hotkey {
				h.Destination = ""
			}
			r.hotkeys[h.Hotkey] = h
		}
		for name := range r.hotkeys {
			update(name, func(h *types.Hotkey) {
				if h.Destination == m.Hotkey {
					h.Destination = m.NewHotkey
				}
			})
		}
		r.exchange(m.Hotkey, m.NewHotkey)
	default:
		return false
	}
	return true
}

// lending applies an event of lent stake weight.
func (r replayed) lending(event any) bool {
	switch m := event.(type) {
	case *types.EventChildrenScheduled:
		r.pending[fmt.Sprintf("%d/%s", m.SubnetId, m.Parent)] = *m
	case *types.EventChildrenSet:
		at := fmt.Sprintf("%d/%s", m.SubnetId, m.Parent)
		delete(r.pending, at)
		r.children[at] = m.Children
		if len(m.Children) == 0 {
			delete(r.children, at)
		}
	case *types.EventChildkeyTakeSet:
		r.takes[fmt.Sprintf("%d/%s", m.SubnetId, m.Hotkey)] = m.Take
	default:
		return false
	}
	return true
}

// leaving applies an event of removals and coldkey swaps.
func (r replayed) leaving(t require.TestingT, event any) bool {
	switch m := event.(type) {
	case *types.EventPoolRetired:
		delete(r.pools, m.SubnetId)
		forget(r.total, m.SubnetId)
		forget(r.locks, m.SubnetId)
		forget(r.children, m.SubnetId)
		forget(r.pending, m.SubnetId)
		forget(r.takes, m.SubnetId)
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
		set(r.locks, at+m.NewColdkey, r.locks[at+m.NewColdkey]+r.locks[at+m.Coldkey])
		delete(r.locks, at+m.Coldkey)
	case *types.EventColdkeySwapAnnounced:
		r.swaps[m.Coldkey] = types.ColdkeySwap{NewColdkey: m.NewColdkey, DueHeight: m.DueHeight, DueTime: m.DueTime}
	case *types.EventColdkeySwapCancelled:
		delete(r.swaps, m.Coldkey)
	case *types.EventColdkeySwapped:
		delete(r.swaps, m.Coldkey)
	case *types.EventRecoveryKeySet: // the tests of recovery keys read it
	default:
		return false
	}
	return true
}

// forget drops what is of a removed subnet: it goes silently.
func forget[V any](m map[string]V, id uint64) {
	maps.DeleteFunc(m, func(at string, _ V) bool { return strings.HasPrefix(at, fmt.Sprintf("%d/", id)) })
}

// exchange gives what is on two hotkeys to each other.
func (r *replayed) exchange(a, b string) {
	names := strings.NewReplacer(a, b, b, a)
	r.alpha, r.total, r.shares, r.locks, r.takes = renamed(names, r.alpha), renamed(names, r.total), renamed(names, r.shares), renamed(names, r.locks), renamed(names, r.takes)
	r.children, r.pending = renamed(names, r.children), renamed(names, r.pending)
	for _, list := range r.children {
		rename(names, list)
	}
	for _, m := range r.pending {
		rename(names, m.Children)
	}
}

func rename(names *strings.Replacer, list []types.Child) {
	for i := range list {
		list[i].Hotkey = names.Replace(list[i].Hotkey)
	}
}

func renamed[V any](names *strings.Replacer, m map[string]V) map[string]V {
	out := make(map[string]V, len(m))
	for at, v := range m {
		out[names.Replace(at)] = v
	}
	return out
}

func change(m map[string]*big.Int, at string, by *big.Int) {
	if m[at] == nil {
		m[at] = new(big.Int)
	}
	if m[at].Add(m[at], by).Sign() == 0 {
		delete(m, at)
	}
}

func set(m map[string]uint64, at string, v uint64) {
	if m[at] = v; v == 0 {
		delete(m, at)
	}
}

// hot is the hotkey that has an account, as events name it.
func (e *env) hot(account string) string {
	hotkey, err := e.k.HotkeyOf(e.ctx, sdk.MustAccAddressFromBech32(account))
	require.NoError(e.t, err)
	return hotkey.String()
}

// family is children with hotkeys in place of accounts.
func (e *env) family(children []types.Child) []types.Child {
	out := make([]types.Child, 0, len(children))
	for _, c := range children {
		out = append(out, types.Child{Hotkey: e.hot(c.Hotkey), Proportion: c.Proportion})
	}
	return out
}

func (e *env) requireReplay() {
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	r := replay(e.t, e.ctx.EventManager().Events())
	require.Len(e.t, r.pools, len(g.Pools))
	for _, p := range g.Pools {
		require.Equal(e.t, p, *r.pools[p.SubnetId])
	}
	// What is left of removed subnets waits for the sweep.
	gone := func(id uint64) bool { return r.pools[id] == nil }
	g.StakePools = slices.DeleteFunc(g.StakePools, func(s types.StakePool) bool { return gone(s.SubnetId) })
	g.Locks = slices.DeleteFunc(g.Locks, func(l types.Lock) bool { return gone(l.SubnetId) })
	g.Children = slices.DeleteFunc(g.Children, func(c types.Children) bool { return gone(c.SubnetId) })
	g.PendingChildren = slices.DeleteFunc(g.PendingChildren, func(c types.PendingChildren) bool { return gone(c.Children.SubnetId) })
	g.ChildkeyTakes = slices.DeleteFunc(g.ChildkeyTakes, func(c types.ChildkeyTake) bool { return gone(c.SubnetId) })
	for _, p := range g.Retired { // they go silently when they are swept
		require.Equal(e.t, types.RetiredPool{Pot: p.Pot, Total: p.Total, Paid: p.Paid, Recycled: p.Recycled, Settled: p.Settled}, r.retired[p.SubnetId])
	}
	require.Len(e.t, r.swaps, len(g.ColdkeySwaps))
	for _, s := range g.ColdkeySwaps {
		told := r.swaps[s.Coldkey]
		require.LessOrEqual(e.t, told.DueHeight, s.DueHeight) // it is put off silently, by its place in line
		require.Equal(e.t, types.ColdkeySwap{NewColdkey: s.NewColdkey, DueHeight: told.DueHeight, DueTime: s.DueTime}, told)
	}
	require.Len(e.t, r.total, len(g.StakePools))
	for _, s := range g.StakePools {
		at := fmt.Sprintf("%d/%s", s.SubnetId, e.hot(s.Hotkey))
		require.Equal(e.t, s.Alpha, r.alpha[at])
		require.Equal(e.t, s.Shares.String(), r.total[at].String())
	}
	require.Len(e.t, r.shares, len(g.Positions))
	for _, p := range g.Positions {
		require.Equal(e.t, p.Shares.String(), r.shares[fmt.Sprintf("%d/%s/%s", p.SubnetId, e.hot(p.Hotkey), p.Coldkey)].String())
	}
	require.Len(e.t, r.hotkeys, len(g.Hotkeys))
	for _, h := range g.Hotkeys {
		require.Equal(e.t, types.Hotkey{Hotkey: h.Hotkey, Coldkey: h.Coldkey, Take: h.Take, Destination: h.Destination}, r.hotkeys[h.Hotkey])
	}
	require.Len(e.t, r.locks, len(g.Locks))
	for _, l := range g.Locks {
		require.Equal(e.t, l.Alpha, r.locks[fmt.Sprintf("%d/%s/%s", l.SubnetId, e.hot(l.Hotkey), l.Coldkey)])
	}
	require.Len(e.t, r.children, len(g.Children))
	for _, c := range g.Children {
		require.Equal(e.t, e.family(c.Children), r.children[fmt.Sprintf("%d/%s", c.SubnetId, e.hot(c.Parent))])
	}
	require.Len(e.t, r.pending, len(g.PendingChildren))
	for _, c := range g.PendingChildren {
		at := r.pending[fmt.Sprintf("%d/%s", c.Children.SubnetId, e.hot(c.Children.Parent))]
		require.Equal(e.t, e.family(c.Children.Children), at.Children)
		require.Equal(e.t, []int64{c.DueHeight, c.DueTime}, []int64{at.DueHeight, at.DueTime})
	}
	require.Len(e.t, r.takes, len(g.ChildkeyTakes))
	for _, take := range g.ChildkeyTakes {
		require.Equal(e.t, take.Take, r.takes[fmt.Sprintf("%d/%s", take.SubnetId, e.hot(take.Hotkey))])
	}
}
