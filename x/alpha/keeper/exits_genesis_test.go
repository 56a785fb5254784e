package keeper_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/x/alpha/types"
)

// leaving is a state with all ways out in it: subnet 2's holders wait, subnet 3 is
// settled, alice's swap is announced, bob's was disputed and has a recovery key
// that waits.
func leaving(t require.TestingT) *env {
	e := swapEnv(t)
	e.stake("bob", "validator", 2, 3*whole)
	e.setRecovery("carol", "safe")
	e.wait(60)
	e.setRecovery("carol", "safer")
	e.announce("bob", "robert")
	e.dispute("bob")
	e.setRecovery("bob", "safe")
	e.announce("alice", "new")
	e.retire(2)
	_, err := e.claim("bob", "bob", 2)
	require.NoError(t, err)
	e.retire(3)
	return e
}

func TestSection4SwapsRecoveryKeysBarsAndClaimsSurviveExportAndImport(t *testing.T) {
	e := leaving(t)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Len(t, g.Retired, 2)
	require.Len(t, g.ColdkeySwaps, 1)
	require.Len(t, g.Recoveries, 2)
	require.Len(t, g.DisputeBars, 1)
	next := e.imported(g)
	for _, name := range []string{"alice", "bob", "carol"} {
		require.Equal(t, e.swap(name), next.swap(name))
	}
	require.Equal(t, e.claims("alice"), next.claims("alice"))
	next.wait(60)
	next.requireSwapped("alice", "new")
	require.True(t, next.retired(2).Settled)
}

func TestAGenesisOfImpossibleWaysOutIsRefused(t *testing.T) {
	retired := func(f func(*types.RetiredPool)) func(*types.GenesisState) {
		return func(g *types.GenesisState) { f(&g.Retired[0]) }
	}
	for _, c := range []struct {
		name  string
		spoil func(*types.GenesisState)
		words string
	}{
		{"a removed subnet twice", func(g *types.GenesisState) { g.Retired = append(g.Retired, g.Retired[0]) }, "there twice"},
		{"a removed subnet that is live", retired(func(r *types.RetiredPool) { r.SubnetId = 1 }), "is live"},
		{"one that is still to come", retired(func(r *types.RetiredPool) { r.SubnetId = 9 }), "below next_subnet_id"},
		{"one without a slot", retired(func(r *types.RetiredPool) { r.Netuid = 0 }), "netuids from 1"},
		{"more paid than the pot", retired(func(r *types.RetiredPool) { r.Paid = r.Pot }), "were paid"},
		{"sums that wrap around", retired(func(r *types.RetiredPool) { r.Paid = -r.Recycled }), "were paid"},
		{"more staked than there was", retired(func(r *types.RetiredPool) { r.Staked = r.Total + 1 }), "of them staked"},
		{"more than can be issued", retired(func(r *types.RetiredPool) { r.Total = types.AlphaCap + 1 }), "the most is"},
		{"settled with a rest", retired(func(r *types.RetiredPool) { r.Settled = true }), "are left"},
		{"settled with a holder", retired(func(r *types.RetiredPool) { r.Settled, r.Paid = true, r.Pot-r.Recycled }), "which is settled"},
		{"nobody to wait for", retired(func(r *types.RetiredPool) { r.Staked = 0 }), "nothing was staked"},
		{"stake of which no pool tells", retired(func(r *types.RetiredPool) { r.Staked++ }), "no stake pool tells"},
		{"less than the stake pools hold", retired(func(r *types.RetiredPool) { r.Staked-- }), "more than its alpha_staked"},
		{"more shares than the stake pool has", func(g *types.GenesisState) {
			p := &g.Positions[len(g.Positions)-1]
			require.Equal(t, uint64(2), p.SubnetId)
			p.Shares = p.Shares.Mul(sdkmath.NewInt(2))
		}, "differ from its shares"},
		{"a swap twice", func(g *types.GenesisState) { g.ColdkeySwaps = append(g.ColdkeySwaps, g.ColdkeySwaps[0]) }, "there twice"},
		{"a swap for itself", func(g *types.GenesisState) { g.ColdkeySwaps[0].NewColdkey = str("alice") }, "two addresses"},
		{"a swap of nobody", func(g *types.GenesisState) { g.ColdkeySwaps[0].Coldkey = "" }, "two addresses"},
		{"a swap for no address", func(g *types.GenesisState) { g.ColdkeySwaps[0].NewColdkey = "lode1" }, "new_coldkey"},
		{"a swap before the first block", func(g *types.GenesisState) { g.ColdkeySwaps[0].DueHeight = -1 }, "due in block -1"},
		{"a recovery key twice", func(g *types.GenesisState) { g.Recoveries = append(g.Recoveries, g.Recoveries[0]) }, "there twice"},
		{"a recovery key of itself", func(g *types.GenesisState) { g.Recoveries[0].Next = g.Recoveries[0].Coldkey }, "must be others"},
		{"a recovery key that is no address", func(g *types.GenesisState) { g.Recoveries[0].Next = "lode1" }, "recovery"},
		{"a change without its block", func(g *types.GenesisState) { g.Recoveries[0].DueHeight = 0 }, "a change with its block"},
		{"a bar twice", func(g *types.GenesisState) { g.DisputeBars = append(g.DisputeBars, g.DisputeBars[0]) }, "there twice"},
		{"a bar of nobody", func(g *types.GenesisState) { g.DisputeBars[0].Coldkey = "" }, "nobody's"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := leaving(t)
			g, err := e.k.ExportGenesis(e.ctx)
			require.NoError(t, err)
			c.spoil(g)
			next := bareEnv(t)
			next.bank.InitGenesis(next.ctx, e.bank.ExportGenesis(e.ctx))
			require.ErrorContains(t, next.k.InitGenesis(next.ctx, *g), c.words)
		})
	}
}

func TestTheInvariantsSeeWhatIsWrongOnTheWaysOut(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(e *env, ctx context.Context) error
		words string
	}{
		{"a pot that is not there", func(e *env, ctx context.Context) error {
			r := e.retired(2)
			r.Paid--
			return e.k.ForceRetired(ctx, r)
		}, "removed subnets' pots"},
		{"more paid than the pot", func(e *env, ctx context.Context) error {
			r := e.retired(2)
			r.Paid = r.Pot
			return e.k.ForceRetired(ctx, r)
		}, "were paid"},
		{"a holder of a settled subnet", func(e *env, ctx context.Context) error {
			r := e.retired(2)
			r.Settled, r.Paid = true, r.Pot-r.Recycled
			return e.k.ForceRetired(ctx, r)
		}, "has a holder: true"},
		{"nobody to wait for", func(e *env, ctx context.Context) error {
			r := e.retired(3)
			r.Settled, r.Staked = false, 1
			return e.k.ForceRetired(ctx, r)
		}, "has a holder: false"},
		{"live and removed", func(e *env, ctx context.Context) error {
			r := e.retired(3)
			r.SubnetId = 1
			return e.k.ForceRetired(ctx, r)
		}, "both live and removed"},
		{"stake that was not there", func(e *env, ctx context.Context) error {
			r := e.retired(2)
			r.Staked--
			return e.k.ForceRetired(ctx, r)
		}, "its record says"},
		{"more shares than there were", func(e *env, ctx context.Context) error {
			g, err := e.k.ExportGenesis(ctx)
			require.NoError(e.t, err)
			p := g.Positions[len(g.Positions)-1]
			p.Shares = p.Shares.Mul(sdkmath.NewInt(2))
			return e.k.ForcePosition(ctx, addr("validator"), addr("alice"), p)
		}, "the stake pool had"},
		{"a swap that never comes due", func(e *env, ctx context.Context) error {
			return e.k.ForceColdkeySwap(ctx, addr("dave"), types.ColdkeySwap{Coldkey: str("dave"), NewColdkey: str("new"), DueHeight: 5}, false)
		}, "comes due: false"},
		{"a swap that comes due twice", func(e *env, ctx context.Context) error {
			s := e.swap("alice").Swap
			s.DueHeight++
			return e.k.ForceColdkeySwap(ctx, addr("alice"), *s, true)
		}, "1 entries too many"},
		{"a recovery key of itself", func(e *env, ctx context.Context) error {
			return e.k.ForceRecovery(ctx, addr("dave"), types.Recovery{Coldkey: str("dave"), Key: str("dave")})
		}, "the recovery key of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := leaving(t)
			require.NoError(t, c.spoil(e, e.ctx))
			err := e.k.CheckInvariants(e.ctx)
			require.ErrorIs(t, err, types.ErrInvariantBroken)
			require.ErrorContains(t, err, c.words)
		})
	}
}
