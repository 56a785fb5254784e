package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/alpha/types"
)

// swapped is estate after a swap: the account of "fresh" is the miner's address,
// and the other way round.
func swapped(t require.TestingT) *env {
	e := estate(t)
	require.NoError(t, e.exchange("miner", "fresh"))
	return e
}

func TestAGenesisKeepsLoansLocksAndSwappedHotkeys(t *testing.T) {
	e := swapped(t)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	require.Len(t, g.Children, 2)
	require.Len(t, g.PendingChildren, 2)
	require.Len(t, g.ChildkeyTakes, 1)
	require.Len(t, g.Locks, 1)
	raw, err := e.cdc.MarshalJSON(g)
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, e.cdc.UnmarshalJSON(raw, &read))
	again, err := reload(t, &read)
	require.NoError(t, err)
	exported, err := again.k.ExportGenesis(again.ctx)
	require.NoError(t, err)
	require.Equal(t, g, exported)
	// It goes on as the first chain does.
	again.ctx = again.ctx.WithBlockHeight(e.ctx.BlockHeight()).WithBlockTime(e.ctx.BlockTime())
	again.requireEstate(t, "fresh")
	again.end(dayBlocks, dayTime)
	require.Equal(t, []types.Child{lend("validator", 1)}, again.childrenOf("fresh", 1).Children)
	require.ErrorIs(t, again.exchange("fresh", "validator"), types.ErrNotOwner)
	require.NoError(t, again.exchange("fresh", "miner"))
}

func TestSection5ABadGenesisOfLoansOrLocksIsRefused(t *testing.T) {
	hotkey := func(g *types.GenesisState, name string) *types.Hotkey {
		for i := range g.Hotkeys {
			if g.Hotkeys[i].Hotkey == str(name) {
				return &g.Hotkeys[i]
			}
		}
		return nil
	}
	for _, c := range []struct {
		name  string
		spoil func(*types.GenesisState)
	}{
		{"two hotkeys of one account", func(g *types.GenesisState) { hotkey(g, "miner").Account = "" }},
		{"an account of nobody", func(g *types.GenesisState) { hotkey(g, "side").Account = str("nobody") }},
		{"an account that is named needlessly", func(g *types.GenesisState) { hotkey(g, "side").Account = str("side") }},
		{"a destination of nobody", func(g *types.GenesisState) { hotkey(g, "side").Destination = str("nobody") }},
		{"a destination that is itself", func(g *types.GenesisState) { hotkey(g, "side").Destination = str("side") }},
		{"children twice", func(g *types.GenesisState) { g.Children = append(g.Children, g.Children[0]) }},
		{"no children", func(g *types.GenesisState) { g.Children[0].Children = nil }},
		{"children in no subnet", func(g *types.GenesisState) { g.Children[0].SubnetId = 9 }},
		{"children of nobody", func(g *types.GenesisState) { g.Children[0].Parent = str("nobody") }},
		{"a child that nobody bound", func(g *types.GenesisState) { g.Children[0].Children[0].Hotkey = str("nobody") }},
		{"more lent than all", func(g *types.GenesisState) { g.Children[0].Children[0].Proportion = 1_000_001 }},
		{"nothing lent", func(g *types.GenesisState) { g.Children[0].Children[0].Proportion = 0 }},
		{"its own child", func(g *types.GenesisState) { g.Children[0].Children[0].Hotkey = g.Children[0].Parent }},
		{"waiting children twice", func(g *types.GenesisState) { g.PendingChildren = append(g.PendingChildren, g.PendingChildren[0]) }},
		{"waiting children in no subnet", func(g *types.GenesisState) { g.PendingChildren[0].Children.SubnetId = 0 }},
		{"waiting children before time", func(g *types.GenesisState) { g.PendingChildren[0].DueTime = -1 }},
		{"waiting children before the first block", func(g *types.GenesisState) { g.PendingChildren[0].DueHeight = -1 }},
		{"a childkey take above all", func(g *types.GenesisState) { g.ChildkeyTakes[0].Take = 1_000_001 }},
		{"a childkey take twice", func(g *types.GenesisState) { g.ChildkeyTakes = append(g.ChildkeyTakes, g.ChildkeyTakes[0]) }},
		{"a childkey take of nobody", func(g *types.GenesisState) { g.ChildkeyTakes[0].Hotkey = str("nobody") }},
		{"a lock of nothing", func(g *types.GenesisState) { g.Locks[0].Alpha = 0 }},
		{"a lock twice", func(g *types.GenesisState) { g.Locks = append(g.Locks, g.Locks[0]) }},
		{"a lock of no stake", func(g *types.GenesisState) { g.Locks[0].Coldkey = str("carol") }},
		{"a lock over its stake", func(g *types.GenesisState) { g.Locks[0].Alpha = g.Pools[0].AlphaStaked }},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := func() (*types.GenesisState, error) { e := swapped(t); return e.k.ExportGenesis(e.ctx) }()
			require.NoError(t, err)
			c.spoil(g)
			_, err = reload(t, g)
			require.Error(t, err)
		})
	}
}

func TestTheInvariantsSeeWhatIsWrongWithLoansAndLocks(t *testing.T) {
	entry := collections.Join3(uint64(1), addr("side"), addr("safe"))
	lent := collections.Join3(uint64(1), addr("validator"), addr("miner")) // accounts: the miner's is fresh's
	for _, c := range []struct {
		name  string
		spoil func(e *env) error
		word  string
	}{
		{"an account that leads to another hotkey", func(e *env) error {
			return e.k.ForceHotkeyOfAccount(e.ctx, addr("miner"), addr("side"))
		}, "leads to another hotkey"},
		{"an account of nobody", func(e *env) error { return e.k.ForceHotkeyOfAccount(e.ctx, addr("nobody"), addr("side")) }, "1 entries too many"},
		{"two hotkeys of one account", func(e *env) error {
			h, err := e.k.Hotkey(e.ctx, addr("side"))
			require.NoError(e.t, err)
			h.Account = str("miner")
			return e.k.ForceHotkey(e.ctx, addr("side"), h)
		}, "leads to another hotkey"},
		{"a parent that its child can't find", func(e *env) error { return e.k.Parents()[0].Remove(e.ctx, lent) }, "no index entry for a child"},
		{"a waiting parent that its child can't find", func(e *env) error { return e.k.Parents()[1].Remove(e.ctx, lent) }, "no index entry for a child"},
		{"a parent that lends nothing", func(e *env) error { return e.k.Parents()[0].Set(e.ctx, entry) }, "parents has 1 entries too many"},
		{"a waiting parent that waits for nothing", func(e *env) error { return e.k.Parents()[1].Set(e.ctx, entry) }, "waiting parents has 1 entries too many"},
		{"a change that never comes due", func(e *env) error { return e.k.ChildrenDue().Clear(e.ctx, nil) }, "no index entry for a change of children"},
		{"a change that comes due twice", func(e *env) error {
			return e.k.ChildrenDue().Set(e.ctx, collections.Join3(int64(99), uint64(1), addr("miner")))
		}, "due changes of children has 1 entries too many"},
		{"no children", func(e *env) error {
			return e.k.ForceChildren(e.ctx, addr("miner"), types.Children{SubnetId: 1, Parent: str("miner")})
		}, "record of no children"},
		{"more lent than all", func(e *env) error {
			return e.k.ForceChildren(e.ctx, addr("miner"), types.Children{SubnetId: 1, Parent: str("miner"), Children: []types.Child{lend("validator", 1_000_001)}})
		}, "1 to 1000000"},
		{"a lock over its stake", func(e *env) error { return e.k.ForceLock(e.ctx, 1, addr("miner"), addr("alice"), 900*whole) }, "are locked that is worth"},
		{"a lock of no stake", func(e *env) error { return e.k.ForceLock(e.ctx, 1, addr("miner"), addr("carol"), 1) }, "worth 0"},
		{"a lock of nothing", func(e *env) error { return e.k.ForceLock(e.ctx, 1, addr("miner"), addr("bob"), 0) }, "0 alpha units"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := swapped(t)
			require.NoError(t, e.k.CheckInvariants(e.ctx))
			require.NoError(t, c.spoil(e))
			err := e.k.CheckInvariants(e.ctx)
			require.ErrorIs(t, err, types.ErrInvariantBroken)
			require.ErrorContains(t, err, c.word)
		})
	}
}

func TestDelaysHaveBounds(t *testing.T) {
	for name, delay := range map[string]func(*types.Params) *int64{
		"children_cooldown":  func(p *types.Params) *int64 { return &p.ChildrenCooldown },
		"coldkey_swap_delay": func(p *types.Params) *int64 { return &p.ColdkeySwapDelay },
		"recovery_delay":     func(p *types.Params) *int64 { return &p.RecoveryDelay },
		"dispute_bar":        func(p *types.Params) *int64 { return &p.DisputeBar },
	} {
		t.Run(name, func(t *testing.T) {
			for _, bad := range []int64{0, -1, 10_512_001} {
				p := types.DefaultParams()
				*delay(&p) = bad
				require.ErrorContains(t, p.Validate(), name)
			}
			p := types.DefaultParams()
			*delay(&p) = 10_512_000
			require.NoError(t, p.Validate())
		})
	}
	main, local := types.DefaultParams(), types.LocalParams()
	require.Equal(t, []int64{28_800, 144_000, 144_000, 864_000}, []int64{main.ChildrenCooldown, main.ColdkeySwapDelay, main.RecoveryDelay, main.DisputeBar})
	require.Equal(t, []int64{20, 60, 60, 120}, []int64{local.ChildrenCooldown, local.ColdkeySwapDelay, local.RecoveryDelay, local.DisputeBar})
}
