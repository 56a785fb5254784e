package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/x/alpha/types"
)

func TestTheInvariantsSeeWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(e *env, g *types.GenesisState) error
		word  string
	}{
		{"a rao that no pool knows of", func(e *env, _ *types.GenesisState) error {
			e.fundReserves(1)
			return nil
		}, "the pools' reserves sum to"},
		{"alpha that was never issued", func(e *env, g *types.GenesisState) error {
			g.Pools[0].AlphaPending++
			return e.k.ForcePool(e.ctx, g.Pools[0])
		}, "are held"},
		{"stake that is in no stake pool", func(e *env, g *types.GenesisState) error {
			g.Pools[0].AlphaStaked++
			g.Pools[0].AlphaIssued++
			return e.k.ForcePool(e.ctx, g.Pools[0])
		}, "the stake pools of subnet 1 hold"},
		{"shares that nobody holds", func(e *env, g *types.GenesisState) error {
			s := g.StakePools[0]
			s.Shares = s.Shares.AddRaw(1)
			return e.k.ForceStakePool(e.ctx, addr("miner"), s)
		}, "the stake pool says"},
		{"stake on an unbound hotkey", func(e *env, g *types.GenesisState) error {
			s := g.StakePools[0]
			s.Hotkey = str("nobody")
			return e.k.ForceStakePool(e.ctx, addr("nobody"), s)
		}, "bound: false"},
		{"a position without stake pool", func(e *env, _ *types.GenesisState) error {
			return e.k.ForcePosition(e.ctx, addr("miner"), addr("carol"), types.Position{SubnetId: 3, Hotkey: str("miner"), Coldkey: str("carol"), Shares: sdkmath.OneInt()})
		}, "no index entry for a stake pool"},
		{"a netuid that leads elsewhere", func(e *env, _ *types.GenesisState) error { return e.k.ForceNetuid(e.ctx, 9, 1) }, "netuid 9 leads to subnet id 1"},
		{"a position that its coldkey can't find", func(e *env, _ *types.GenesisState) error {
			return e.k.DropIndexes(e.ctx, 1, addr("miner"), addr("bob"))
		}, "no index entry for a position"},
		{"a hotkey that its coldkey can't find", func(e *env, _ *types.GenesisState) error {
			return e.k.DropIndexes(e.ctx, 3, addr("miner"), addr("alice"))
		}, "no index entry for a hotkey"},
		{"an entry of an index too many", func(e *env, _ *types.GenesisState) error {
			return e.k.AddIndex(e.ctx, addr("carol"), addr("miner"))
		}, "1 entries too many"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := busy(t)
			require.NoError(t, e.k.CheckInvariants(e.ctx))
			g, err := e.k.ExportGenesis(e.ctx)
			require.NoError(t, err)
			require.Equal(t, str("miner"), g.StakePools[0].Hotkey)
			require.NoError(t, c.spoil(e, g))
			err = e.k.CheckInvariants(e.ctx)
			require.ErrorIs(t, err, types.ErrInvariantBroken)
			require.ErrorContains(t, err, c.word)
		})
	}
}
