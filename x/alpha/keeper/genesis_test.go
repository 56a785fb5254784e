package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/x/alpha/types"
)

// busy is a state with everything in it.
func busy(t require.TestingT) *env {
	e := newEnv(t)
	e.stake("bob", "miner", 1, 10*whole)
	e.stake("alice", "miner", 1, 7*whole)
	e.stake("bob", "validator", 2, 3*whole)
	require.NoError(t, e.setTake(0))
	require.NoError(t, e.setTake(5))
	e.ok(func(ctx context.Context) error { return e.k.MintPending(ctx, 1, 5*whole+7) })
	e.ok(func(ctx context.Context) error { return e.k.RewardPending(ctx, 1, addr("miner"), whole) })
	e.ok(func(ctx context.Context) error { return e.k.BurnPending(ctx, 1, 3) })
	e.ok(func(ctx context.Context) error {
		_, err := e.k.BuyForProtocol(ctx, 2, source, 11)
		return err
	})
	return e
}

// reload is a chain that begins with an exported genesis.
func reload(t require.TestingT, g *types.GenesisState) (*env, error) {
	e := bareEnv(t)
	reserves := uint64(0)
	for _, p := range g.Pools {
		reserves += p.TaoReserve
	}
	e.mint("founder", reserves)
	e.fundReserves(reserves)
	return e, e.k.InitGenesis(e.ctx, *g)
}

func TestAGenesisExportsToItself(t *testing.T) {
	e := busy(t)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	require.Len(t, g.Positions, 3)
	raw, err := e.cdc.MarshalJSON(g)
	require.NoError(t, err)
	var read types.GenesisState
	require.NoError(t, e.cdc.UnmarshalJSON(raw, &read))

	again, err := reload(t, &read)
	require.NoError(t, err)
	exported, err := again.k.ExportGenesis(again.ctx)
	require.NoError(t, err)
	require.Equal(t, g, exported)
	// It goes on as the first chain does: the indexes are there, ids go on.
	require.Equal(t, e.staked("bob", "miner", 1), again.staked("bob", "miner", 1))
	stakes, err := again.query.Stakes(again.ctx, &types.QueryStakesRequest{Coldkey: str("bob")})
	require.NoError(t, err)
	require.Len(t, stakes.Stakes, 2)
	require.Equal(t, uint64(4), again.pool(4, whole, whole, false))
}

func TestABadGenesisIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*types.GenesisState)
	}{
		{"parameters out of bounds", func(g *types.GenesisState) { g.Params.MinReserve = 0 }},
		{"no next id", func(g *types.GenesisState) { g.NextSubnetId = 0 }},
		{"an id that is still to come", func(g *types.GenesisState) { g.NextSubnetId = 3 }},
		{"a netuid twice", func(g *types.GenesisState) { g.Pools[1].Netuid = 1 }},
		{"a subnet twice", func(g *types.GenesisState) { g.Pools[1].SubnetId = 1 }},
		{"netuid 0", func(g *types.GenesisState) { g.Pools[0].Netuid = 0 }},
		{"an empty reserve", func(g *types.GenesisState) { g.Pools[2].TaoReserve = 0 }},
		{"issued alpha that is nowhere", func(g *types.GenesisState) { g.Pools[0].AlphaIssued++ }},
		{"alpha that was never issued", func(g *types.GenesisState) { g.Pools[0].AlphaPending++ }},
		{"alpha past its cap", func(g *types.GenesisState) {
			g.Pools[0].AlphaBurned += types.AlphaCap
			g.Pools[0].AlphaIssued += types.AlphaCap
		}},
		{"sums that wrap around", func(g *types.GenesisState) {
			g.Pools[0].AlphaBurned -= 4
			g.Pools[0].AlphaProtocol++
		}},
		{"a hotkey twice", func(g *types.GenesisState) { g.Hotkeys = append(g.Hotkeys, g.Hotkeys[0]) }},
		{"a hotkey of nobody", func(g *types.GenesisState) { g.Hotkeys[0].Coldkey = "" }},
		{"a hotkey of itself", func(g *types.GenesisState) { g.Hotkeys[0].Coldkey = g.Hotkeys[0].Hotkey }},
		{"a take above all", func(g *types.GenesisState) { g.Hotkeys[0].Take = 1_000_001 }},
		{"a hotkey that is no address", func(g *types.GenesisState) {
			g.Hotkeys = append(g.Hotkeys, types.Hotkey{Hotkey: "x", Coldkey: str("alice")})
		}},
		{"stake on an unbound hotkey", func(g *types.GenesisState) { g.StakePools[0].Hotkey = str("nobody") }},
		{"stake in no subnet", func(g *types.GenesisState) { g.StakePools[0].SubnetId = 99 }},
		{"a stake pool twice", func(g *types.GenesisState) { g.StakePools = append(g.StakePools, g.StakePools[0]) }},
		{"a stake pool without alpha", func(g *types.GenesisState) { g.StakePools[0].Alpha = 0 }},
		{"a stake pool without shares", func(g *types.GenesisState) { g.StakePools[0].Shares = sdkmath.ZeroInt() }},
		{"more staked than the pool says", func(g *types.GenesisState) { g.StakePools[0].Alpha++ }},
		{"less staked than the pool says", func(g *types.GenesisState) { g.StakePools[0].Alpha-- }},
		{"more shares than positions", func(g *types.GenesisState) { g.StakePools[0].Shares = g.StakePools[0].Shares.AddRaw(1) }},
		{"a position twice", func(g *types.GenesisState) { g.Positions = append(g.Positions, g.Positions[0]) }},
		{"a position without shares", func(g *types.GenesisState) { g.Positions[0].Shares = sdkmath.ZeroInt() }},
		{"a position of nobody", func(g *types.GenesisState) { g.Positions[0].Coldkey = "" }},
		{"a position on no stake pool", func(g *types.GenesisState) { g.Positions[0].SubnetId = 3 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := busy(t)
			g, err := e.k.ExportGenesis(e.ctx)
			require.NoError(t, err)
			c.spoil(g)
			_, err = reload(t, g)
			require.Error(t, err)
		})
	}
}

func TestAGenesisNeedsTheCoinsOfItsReserves(t *testing.T) {
	g, err := func() (*types.GenesisState, error) { e := busy(t); return e.k.ExportGenesis(e.ctx) }()
	require.NoError(t, err)
	e := bareEnv(t)
	require.ErrorIs(t, e.k.InitGenesis(e.ctx, *g), types.ErrInvariantBroken)
}

func TestProfilesAreValid(t *testing.T) {
	require.NoError(t, types.DefaultGenesis().Validate())
	require.NoError(t, types.LocalParams().Validate())
	for name, spoil := range map[string]func(*types.Params){
		"fee":     func(p *types.Params) { p.TradeFee = 100_001 },
		"trade":   func(p *types.Params) { p.MinTrade = 0 },
		"reserve": func(p *types.Params) { p.MinReserve = 0 },
		"most":    func(p *types.Params) { p.MaxTake = 1_000_001 },
		"default": func(p *types.Params) { p.DefaultTake = p.MaxTake + 1 },
		"blocks":  func(p *types.Params) { p.TakeRaiseBlocks = -1 },
		"seconds": func(p *types.Params) { p.TakeRaiseSeconds = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			p := types.DefaultParams()
			spoil(&p)
			require.ErrorIs(t, p.Validate(), types.ErrInvalidParams)
		})
	}
}
