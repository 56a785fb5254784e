package keeper_test

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// spares are second hotkeys of the coldkeys, in their order, for swaps.
var spares = []string{"miner 2", "validator 2", "third 2"}

var lendings = []string{"lock", "unlock", "slash", "exchange", "children", "childkey take", "destination", "due"}

// anyLending does something about hotkeys, locks or lent weight; it may well fail.
func (e *env) anyLending(t *rapid.T, done tally) {
	what := rapid.SampledFrom(append(lendings, "lock", "exchange")).Draw(t, "lending")
	i := rapid.IntRange(0, 2).Draw(t, "whose")
	coldkey, own := str(coldkeys[i]), []string{str(hotkeys[i]), str(spares[i])}
	hotkey, other := own[0], own[1]
	if rapid.Bool().Draw(t, "the spare") {
		hotkey, other = other, hotkey
	}
	j := rapid.IntRange(0, 2).Draw(t, "child")
	children := [][]types.Child{nil, {{Hotkey: str(hotkeys[j]), Proportion: 600_000}}, {{Hotkey: str(spares[j]), Proportion: 1}, {Hotkey: other, Proportion: 999_999}}}
	netuid := rapid.Uint32Range(1, 2).Draw(t, "netuid")
	var err error
	switch what {
	case "lock", "unlock", "slash":
		err = e.anyLock(t, what)
	case "exchange":
		err = e.do(func(ctx context.Context) error {
			return e.k.ExchangeHotkeys(ctx, sdk.MustAccAddressFromBech32(hotkey), sdk.MustAccAddressFromBech32(other))
		})
	case "children":
		list := rapid.SampledFrom(children).Draw(t, "children")
		_, err = send(e, e.msgs.SetChildren, &types.MsgSetChildren{Coldkey: coldkey, Hotkey: hotkey, Netuid: netuid, Children: list})
	case "childkey take":
		_, err = send(e, e.msgs.SetChildkeyTake, &types.MsgSetChildkeyTake{Coldkey: coldkey, Hotkey: hotkey, Netuid: netuid, Take: rapid.Uint32Range(0, 180_000).Draw(t, "take")})
	case "destination":
		_, err = send(e, e.msgs.SetDestination, &types.MsgSetDestination{Coldkey: coldkey, Hotkey: hotkey, Destination: rapid.SampledFrom([]string{"", hotkey, other}).Draw(t, "destination")})
	case "due":
		e.pass(dayBlocks/2, dayTime/2+time.Second)
		err = e.do(func(ctx context.Context) error { return e.k.EndBlocker(ctx) })
		require.NoError(t, err)
	}
	done.count(what, err)
}

// anyLock locks, unlocks or slashes of some stake.
func (e *env) anyLock(t *rapid.T, what string) error {
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	if len(g.Positions) == 0 {
		return types.ErrNoStake
	}
	p := rapid.SampledFrom(g.Positions).Draw(t, "position")
	if len(g.Locks) > 0 && what != "lock" {
		l := rapid.SampledFrom(g.Locks).Draw(t, "lock")
		p.SubnetId, p.Hotkey, p.Coldkey = l.SubnetId, l.Hotkey, l.Coldkey
	}
	hotkey, coldkey := sdk.MustAccAddressFromBech32(e.hot(p.Hotkey)), sdk.MustAccAddressFromBech32(p.Coldkey)
	locked, err := e.k.Locked(e.ctx, p.SubnetId, hotkey, coldkey)
	require.NoError(t, err)
	most := locked
	if what == "lock" {
		most = e.worth(p.Coldkey, hotkey.String(), uint32(p.SubnetId)) - locked
	}
	amount := rapid.OneOf(rapid.Uint64Range(0, most), rapid.Just(most), rapid.Just(most+1)).Draw(t, "units")
	return e.do(func(ctx context.Context) error {
		return map[string]func(context.Context, uint64, sdk.AccAddress, sdk.AccAddress, uint64) error{
			"lock": e.k.LockStake, "unlock": e.k.UnlockStake, "slash": e.k.SlashStake,
		}[what](ctx, p.SubnetId, hotkey, coldkey, amount)
	})
}

// unlockAll frees everybody's collateral.
func (e *env) unlockAll() {
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	for _, l := range g.Locks {
		e.ok(func(ctx context.Context) error {
			return e.k.UnlockStake(ctx, l.SubnetId, sdk.MustAccAddressFromBech32(e.hot(l.Hotkey)), sdk.MustAccAddressFromBech32(l.Coldkey), l.Alpha)
		})
	}
}

// bindSpares binds them.
func (e *env) bindSpares() {
	for i, c := range coldkeys {
		e.bind(c, spares[i])
	}
}
