package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// busy is a state with something of everything.
func busy(t *testing.T) *env {
	e := hidden(t)
	_, err := e.commit(someRow)
	require.NoError(t, err)
	e.to(23)
	require.NoError(t, e.k.LaneConsume(e.ctx, someRow.reveal()))
	require.NoError(t, e.inLane(func() error { return e.reveal(someRow) }))
	next := someRow
	next.salt = "next"
	_, err = e.commit(next)
	require.NoError(t, err)
	require.NoError(t, e.k.LaneConsume(e.ctx, &types.MsgCommitWeights{Hotkey: hotkey(0), Netuid: 1}))
	e.to(33)
	require.NoError(t, e.k.LaneConsume(e.ctx, &types.MsgCommitWeights{Hotkey: hotkey(0), Netuid: 1}))
	return e
}

func TestGenesisRoundTripsExactly(t *testing.T) {
	e := busy(t)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.NoError(t, g.Validate())
	for _, n := range []int{len(g.Rows), len(g.Bonds), len(g.Commits), len(g.Epochs), len(g.Results), len(g.Permits), len(g.LastAttempts)} {
		require.NotZero(t, n)
	}
	s, err := e.subnets.ExportGenesis(e.ctx)
	require.NoError(t, err)

	other := newEnv(t)
	other.ctx = other.ctx.WithBlockHeight(e.ctx.BlockHeight()).WithBlockTime(e.ctx.BlockTime())
	require.NoError(t, other.subnets.InitGenesis(other.ctx, *s))
	require.NoError(t, other.k.InitGenesis(other.ctx, *g))
	again, err := other.k.ExportGenesis(other.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	require.NoError(t, other.k.CheckInvariants(other.ctx))

	// It goes on as it would have.
	other.alpha.stake = e.alpha.stake
	e.ran = nil
	next := someRow
	next.salt = "next"
	for _, x := range []*env{e, other} {
		require.NoError(t, x.reveal(next))
		x.to(45)
	}
	require.Equal(t, e.ran, other.ran)
	a, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	b, err := other.k.ExportGenesis(other.ctx)
	require.NoError(t, err)
	require.Equal(t, a, b)
}

func TestGenesisOfAnEpochWithoutItsSubnetIsRefused(t *testing.T) {
	e := newEnv(t)
	err := e.k.InitGenesis(e.ctx, types.GenesisState{Params: types.LocalParams(), Epochs: []types.EpochState{{SubnetId: 9, DueHeight: 5}}})
	require.ErrorIs(t, err, subnetstypes.ErrNoSubnet)
}

func TestGenesisRefuses(t *testing.T) {
	e := busy(t)
	for name, change := range map[string]func(*types.GenesisState){
		"a row twice":               func(g *types.GenesisState) { g.Rows = append(g.Rows, g.Rows[0]) },
		"a row in disorder":         func(g *types.GenesisState) { g.Rows[0].Uids = []uint32{3, 2} },
		"a row of unequal lengths":  func(g *types.GenesisState) { g.Rows[0].Values = nil },
		"a row beyond all uids":     func(g *types.GenesisState) { g.Rows[0].Uids[1] = types.MaxRow },
		"bonds twice":               func(g *types.GenesisState) { g.Bonds = append(g.Bonds, g.Bonds[0]) },
		"bonds beyond u16":          func(g *types.GenesisState) { g.Bonds[0].Values[0] = 65_536 },
		"commits twice":             func(g *types.GenesisState) { g.Commits = append(g.Commits, g.Commits[0]) },
		"a commit without a hash":   func(g *types.GenesisState) { g.Commits[0].Commits[0].Hash = nil },
		"a commit never revealed":   func(g *types.GenesisState) { g.Commits[0].Commits[0].RevealEpoch = 0 },
		"a permit twice":            func(g *types.GenesisState) { g.Permits = append(g.Permits, g.Permits[0]) },
		"an epoch twice":            func(g *types.GenesisState) { g.Epochs = append(g.Epochs, g.Epochs[0]) },
		"an epoch that is not due":  func(g *types.GenesisState) { g.Epochs[0].DueHeight = 0 },
		"a result twice":            func(g *types.GenesisState) { g.Results = append(g.Results, g.Results[0]) },
		"a result with a short row": func(g *types.GenesisState) { g.Results[0].Rank = g.Results[0].Rank[1:] },
		"an attempt twice":          func(g *types.GenesisState) { g.LastAttempts = append(g.LastAttempts, g.LastAttempts[0]) },
		"an attempt of no kind":     func(g *types.GenesisState) { g.LastAttempts[0].Kind = "x" },
		"no parameters":             func(g *types.GenesisState) { g.Params = types.Params{} },
	} {
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		change(g)
		require.Error(t, g.Validate(), name)
	}
}

func TestInvariantsFindWhatIsBroken(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*types.GenesisState)
		says  string
	}{
		"too many permits":   {func(g *types.GenesisState) { g.Results[0].MaxValidators = 0 }, "has 2 permits, at most max_validators 0"},
		"too many commits":   {func(g *types.GenesisState) { g.Params.MaxOpenCommits = 0 }, "has 1 open commits, at most 0"},
		"a commit of old":    {func(g *types.GenesisState) { g.Epochs[0].Number = 4 }, "keeps a commit of epoch 3 after epoch 4"},
		"a row of no uid":    {func(g *types.GenesisState) { g.Rows[0].Uid = 5 }, "has a row of uid 5, which nobody holds"},
		"bonds of no uid":    {func(g *types.GenesisState) { g.Bonds[0].Uid = 6 }, "has bonds of uid 6, which nobody holds"},
		"a permit of no uid": {func(g *types.GenesisState) { g.Permits[0].Uid = 7 }, "has a permit of uid 7, which nobody holds"},
	} {
		t.Run(name, func(t *testing.T) {
			e := busy(t)
			g, err := e.k.ExportGenesis(e.ctx)
			require.NoError(t, err)
			s, err := e.subnets.ExportGenesis(e.ctx)
			require.NoError(t, err)
			c.spoil(g)
			other := newEnv(t)
			require.NoError(t, other.subnets.InitGenesis(other.ctx, *s))
			require.NoError(t, other.k.InitGenesis(other.ctx, *g))
			err = other.k.CheckInvariants(other.ctx)
			require.ErrorIs(t, err, types.ErrInvariantBroken)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestGovernanceReplacesTheParameters(t *testing.T) {
	e := newEnv(t)
	p := types.DefaultParams()
	p.MaxEpochsPerBlock = 1
	_, err := send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: hotkey(1), Params: p})
	require.ErrorContains(t, err, "may not set parameters, only governance ("+governance+")")
	for _, bad := range []types.Params{{}, {MaxOpenCommits: 1_001, MaxEpochsPerBlock: 4}, {MaxOpenCommits: 1, MaxEpochsPerBlock: 129}, {MaxOpenCommits: 1, MaxEpochsPerBlock: 1, TaoWeight: 1_000_001}} {
		_, err = send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: governance, Params: bad})
		require.ErrorIs(t, err, types.ErrInvalidParams)
	}
	_, err = send(e, e.msgs.UpdateParams, &types.MsgUpdateParams{Authority: governance, Params: p})
	require.NoError(t, err)
	got, err := e.query.Params(e.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, p, got.Params)
	e.add(11, 2)
	e.add(21, 2)
	e.to(14)
	require.Equal(t, []string{"11@12", "21@13"}, e.ran)
}

func TestQueriesNameWhatIsNotThere(t *testing.T) {
	e := hidden(t)
	_, err := e.query.Weights(e.ctx, &types.QueryWeightsRequest{Netuid: 3})
	require.ErrorContains(t, err, "netuid 3: the subnets are 1")
	_, err = e.query.Bonds(e.ctx, &types.QueryBondsRequest{Netuid: 3})
	require.ErrorIs(t, err, subnetstypes.ErrNoSubnet)
	_, err = e.query.Epoch(e.ctx, &types.QueryEpochRequest{Netuid: 3})
	require.ErrorIs(t, err, subnetstypes.ErrNoSubnet)
	_, err = e.query.Commits(e.ctx, &types.QueryCommitsRequest{Netuid: 1, Hotkey: addr("x").String()})
	require.ErrorIs(t, err, subnetstypes.ErrNotRegistered)

	got, err := e.query.Commits(e.ctx, &types.QueryCommitsRequest{Netuid: 1, Hotkey: hotkey(1)})
	require.NoError(t, err)
	require.EqualValues(t, 14, got.NextCommitHeight, "the next block")
	_, err = e.commit(someRow)
	require.NoError(t, err)
	got, err = e.query.Commits(e.ctx, &types.QueryCommitsRequest{Netuid: 1, Hotkey: hotkey(1)})
	require.NoError(t, err)
	require.EqualValues(t, 18, got.NextCommitHeight)
	require.EqualValues(t, 3, got.Commits[0].RevealEpoch)
}
