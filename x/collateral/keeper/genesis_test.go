package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/collateral/types"
)

// busy is a state with something of everything.
func busy(t *testing.T) *env {
	e := newEnv(t)
	e.lock("miner", 100*whole)
	e.lock("other", 10*whole)
	e.lock("v2", 10*whole)
	e.claim("v2", minerUID)
	e.blocks(tempo + 1)
	e.unbond("miner", 20*whole)
	e.blocks(unbond - 5)
	e.unbond("miner", 75*whole)
	e.unbond("other", whole)
	id := e.claim("v1", minerUID).ClaimId
	require.False(t, e.confirm(id, "v1", "v2"))
	_, err := send(e, e.msgs.AnswerClaim, &types.MsgAnswerClaim{Signer: str("miner"), ClaimId: id, Hash: hash, Url: "ipfs://answer"})
	require.NoError(t, err)
	return e
}

func TestGenesisRoundTripsExactlyAndGoesOn(t *testing.T) {
	e := busy(t)
	g := e.exported()
	require.NoError(t, g.Validate())
	for _, n := range []int{len(g.Collaterals), len(g.Claims), len(g.Voters), len(g.Waits), len(e.at("miner").Collateral.Unbondings)} {
		require.NotZero(t, n)
	}
	bank, alpha := e.bank.ExportGenesis(e.ctx), *must(e.alpha.ExportGenesis(e.ctx))(t)
	subnets, weights := *must(e.subnets.ExportGenesis(e.ctx))(t), *must(e.weights.ExportGenesis(e.ctx))(t)

	other := bare(t)
	other.ctx = other.ctx.WithBlockHeight(e.ctx.BlockHeight()).WithBlockTime(e.ctx.BlockTime())
	other.bank.InitGenesis(other.ctx, bank)
	require.NoError(t, other.alpha.InitGenesis(other.ctx, alpha))
	require.NoError(t, other.subnets.InitGenesis(other.ctx, subnets))
	require.NoError(t, other.weights.InitGenesis(other.ctx, weights))
	require.NoError(t, other.k.InitGenesis(other.ctx, *g))
	require.Equal(t, g, other.exported())
	other.holds()

	for _, x := range []*env{e, other} {
		x.blocks(6)
		require.False(t, x.confirm(2), "still open")
		x.claim("v3", 5)
		x.blocks(unbond)
	}
	require.Equal(t, e.exported(), other.exported())
	require.Equal(t, e.supply(), other.supply())
}

func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

func TestGenesisThatContradictsItselfIsRefused(t *testing.T) {
	e := busy(t)
	for name, change := range map[string]func(*types.GenesisState){
		"parameters":          func(g *types.GenesisState) { g.Params.MaxUrl = 0 },
		"a collateral twice":  func(g *types.GenesisState) { g.Collaterals = append(g.Collaterals, g.Collaterals[0]) },
		"an empty collateral": func(g *types.GenesisState) { g.Collaterals[0].Bonded, g.Collaterals[0].Unbondings = 0, nil },
		"too much collateral": func(g *types.GenesisState) {
			g.Collaterals[1].Bonded = 1<<64 - 1
			g.Collaterals[1].Unbondings = []types.Unbonding{{Alpha: 1}}
		},
		"an empty unbonding": func(g *types.GenesisState) { g.Collaterals[1].Unbondings = []types.Unbonding{{}} },
		"an unbonding before all": func(g *types.GenesisState) {
			g.Collaterals[1].Unbondings = []types.Unbonding{{Alpha: 1, DueHeight: -1}}
		},
		"a look before all":         func(g *types.GenesisState) { g.Collaterals[0].LookHeight = -1 },
		"a claim twice":             func(g *types.GenesisState) { g.Claims = append(g.Claims, g.Claims[0]) },
		"two against one":           func(g *types.GenesisState) { c := g.Claims[0]; c.Id = 1; g.Claims = append(g.Claims, c) },
		"a claim of the future":     func(g *types.GenesisState) { g.NextClaimId = 2 },
		"claim 0":                   func(g *types.GenesisState) { g.Claims[0].Id = 0 },
		"nothing frozen":            func(g *types.GenesisState) { g.Claims[0].Frozen = 0 },
		"more frozen than is there": func(g *types.GenesisState) { g.Claims[0].Frozen, g.Claims[0].Collateral = 1<<60, 1<<60 },
		"no share":                  func(g *types.GenesisState) { g.Claims[0].Share = 0 },
		"no deposit":                func(g *types.GenesisState) { g.Claims[0].Deposit = 0 },
		"an end before the opening": func(g *types.GenesisState) { g.Claims[0].EndHeight = 1 },
		"no evidence":               func(g *types.GenesisState) { g.Claims[0].EvidenceHash = nil },
		"half an answer":            func(g *types.GenesisState) { g.Claims[0].AnswerHash = nil },
		"a voter twice":             func(g *types.GenesisState) { g.Voters = append(g.Voters, g.Voters[0]) },
		"a voter of nothing":        func(g *types.GenesisState) { g.Voters[0].ClaimId = 1 },
		"a voter without weight":    func(g *types.GenesisState) { g.Voters[0].Weight = 0 },
		"voters over 64 bits":       func(g *types.GenesisState) { g.Voters[0].Weight, g.Voters[1].Weight = 1<<63, 1<<63 },
		"more confirmed":            func(g *types.GenesisState) { g.Claims[0].Confirmed = 0 },
		"more than all confirmed":   func(g *types.GenesisState) { g.Claims[0].Confirmed = 4 },
		"a wait twice":              func(g *types.GenesisState) { g.Waits = append(g.Waits, g.Waits[0]) },
		"a wait after no claim":     func(g *types.GenesisState) { g.Waits[0].ClaimId = 0 },
		"a wait until never":        func(g *types.GenesisState) { g.Waits[0].UntilHeight = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			g := e.exported()
			change(g)
			require.Error(t, g.Validate())
		})
	}
	require.NoError(t, types.DefaultGenesis().Validate())
	require.NoError(t, types.LocalParams().Validate())
}

func TestInvariantsSeeWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(e *env){
		"a lock without collateral": func(e *env) {
			require.NoError(e.t, e.alpha.LockStake(e.ctx, e.subnet().Id, addr(hot("v3")), addr("v3"), 1))
		},
		"a lock that is too small": func(e *env) {
			require.NoError(e.t, e.alpha.UnlockStake(e.ctx, e.subnet().Id, addr(hot("miner")), addr("miner"), 1))
		},
		"a lock that is too large": func(e *env) {
			require.NoError(e.t, e.alpha.LockStake(e.ctx, e.subnet().Id, addr(hot("miner")), addr("miner"), 1))
		},
		"a deposit that is gone": func(e *env) {
			require.NoError(e.t, e.bank.BurnCoins(e.ctx, types.ModuleName, coins(1)))
		},
		"coins of nobody": func(e *env) {
			require.NoError(e.t, e.bank.SendCoinsFromAccountToModule(e.ctx, addr("v1"), types.ModuleName, coins(1)))
		},
		"a voter of no claim": func(e *env) {
			g := e.exported()
			g.Voters = append(g.Voters, types.Voter{ClaimId: 77, Hotkey: str("v1"), Weight: 1})
			require.NoError(e.t, e.k.InitGenesis(e.ctx, *g))
		},
		"a confirmation that is not counted": func(e *env) {
			g := e.exported()
			g.Claims[0].Confirmed = 1
			require.NoError(e.t, e.k.InitGenesis(e.ctx, *g))
		},
		"less than what is frozen": func(e *env) {
			g := e.exported()
			g.Claims[0].Frozen = 101 * whole
			require.NoError(e.t, e.k.InitGenesis(e.ctx, *g))
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := busy(t)
			e.holds()
			spoil(e)
			require.ErrorIs(t, e.k.CheckInvariants(e.ctx), types.ErrInvariantBroken)
		})
	}
}

func TestQueriesShowHotkeysAndPages(t *testing.T) {
	e := busy(t)
	r, err := e.query.Collaterals(e.ctx, &types.QueryCollateralsRequest{Netuid: 1})
	require.NoError(t, err)
	require.Len(t, r.Collaterals, 3)
	seen := map[string]uint64{}
	for _, c := range r.Collaterals {
		seen[c.Collateral.Hotkey] = c.Collateral.Bonded + c.Unbonding
		require.NotEmpty(t, c.Coldkey)
	}
	require.EqualValues(t, 100*whole, seen[str(hot("miner"))])
	claims, err := e.query.Claims(e.ctx, &types.QueryClaimsRequest{Netuid: 1})
	require.NoError(t, err)
	require.Len(t, claims.Claims, 1)
	require.Len(t, claims.Waits, 1)
	require.Equal(t, str(hot("v2")), claims.Waits[0].Author)
	e.ctx = e.ctx.WithBlockHeight(claims.Waits[0].UntilHeight - 1)
	claims, err = e.query.Claims(e.ctx, &types.QueryClaimsRequest{Netuid: 1})
	require.NoError(t, err)
	require.Empty(t, claims.Waits, "in the next block it may")
	for _, netuid := range []uint32{0, 2, 1 << 31} {
		_, err = e.query.Claims(e.ctx, &types.QueryClaimsRequest{Netuid: netuid})
		require.Error(t, err)
		_, err = e.query.Collaterals(e.ctx, &types.QueryCollateralsRequest{Netuid: netuid})
		require.Error(t, err)
		_, err = e.query.Collateral(e.ctx, &types.QueryCollateralRequest{Netuid: netuid, Hotkey: str(hot("miner"))})
		require.Error(t, err)
	}
}
