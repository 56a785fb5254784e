package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

func TestSection2AStateExportsTheSameAfterItsImportAndGoesOn(t *testing.T) {
	e := newEnv(t)
	e.alice(3)
	_, err := e.register(registration("bob", "bob"))
	require.NoError(t, err)
	_, err = e.register(registration("alice", "alice's next"))
	require.NoError(t, err)
	e.block("a stranger's consensus", nil)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Len(t, g.Seeds, 4)
	require.Len(t, g.Keys, 2)

	other := emptyEnv(t)
	for _, initial := range []int64{0, 4, 6} {
		err := other.k.InitGenesis(other.ctx.WithBlockHeight(initial), *g)
		require.ErrorIs(t, err, types.ErrInvalidGenesis, "seeds of other blocks would be mixed with the chain's own")
		require.ErrorContains(t, err, "the last seed is that of block 4")
	}
	require.NoError(t, other.k.InitGenesis(other.ctx.WithBlockHeight(5), *g)) // the initial height
	other.ctx = other.ctx.WithBlockHeight(4)
	again, err := other.k.ExportGenesis(other.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	e.alice(1)
	other.alice(1)
	first, err := e.k.Seed(e.ctx)
	require.NoError(t, err)
	second, err := other.k.Seed(other.ctx)
	require.NoError(t, err)
	require.Equal(t, first, second)
}

func TestAGenesisThatCannotBeIsRefused(t *testing.T) {
	alice, bob := addr("alice").String(), addr("bob").String()
	a, b := vrfKey("alice").Public(), vrfKey("bob").Public()
	seed := vrf.Genesis("x")
	for name, c := range map[string]struct {
		g    types.GenesisState
		says string
	}{
		"parameters":             {types.GenesisState{}, "activation_delay is 0 blocks, must be 10 to"},
		"no history":             {types.GenesisState{Params: types.Params{ActivationDelay: 10}}, "history is 0 blocks"},
		"a short seed":           {types.GenesisState{Seed: []byte{1}}, "the seed has 1 bytes"},
		"a foreign operator":     {types.GenesisState{Keys: []types.VRFKey{{Operator: "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh", Key: a}}}, "prefix"},
		"an operator twice":      {types.GenesisState{Keys: []types.VRFKey{{Operator: alice, Key: a}, {Operator: alice, Key: b}}}, "there twice"},
		"a key twice":            {types.GenesisState{Keys: []types.VRFKey{{Operator: alice, Key: a}, {Operator: bob, Key: a}}}, "there twice"},
		"a key waits for itself": {types.GenesisState{Keys: []types.VRFKey{{Operator: alice, Key: a, Pending: a, PendingHeight: 5}}}, "there twice"},
		"no key":                 {types.GenesisState{Keys: []types.VRFKey{{Operator: alice}}}, "neither one in force nor one that waits"},
		"a key of low order":     {types.GenesisState{Keys: []types.VRFKey{{Operator: alice, Key: make([]byte, 32)}}}, "low or mixed order"},
		"a short key":            {types.GenesisState{Keys: []types.VRFKey{{Operator: alice, Key: a[:31]}}}, "has 32 bytes, this one has 31"},
		"a key of the past":      {types.GenesisState{Keys: []types.VRFKey{{Operator: alice, Key: a, ActiveHeight: 9, Pending: b, PendingHeight: 9}}}, "in force from block 9"},
		"a gap in the seeds": {types.GenesisState{Seed: seed, Seeds: []types.Seed{
			{Height: 1, Seed: seed, Previous: seed}, {Height: 3, Seed: seed, Previous: seed},
		}}, "does not follow"},
		"another seed before": {types.GenesisState{Seed: seed, Seeds: []types.Seed{
			{Height: 1, Seed: vrf.Genesis("y"), Previous: seed}, {Height: 2, Seed: seed, Previous: seed},
		}}, "does not follow"},
		"another seed at the end": {types.GenesisState{Seed: vrf.Genesis("y"), Seeds: []types.Seed{{Height: 1, Seed: seed, Previous: seed}}}, "the last seed is"},
		"a seed of a byte":        {types.GenesisState{Seed: seed, Seeds: []types.Seed{{Height: 1, Seed: []byte{1}, Previous: seed}}}, "wrong size"},
	} {
		if name != "parameters" && name != "no history" {
			c.g.Params = types.LocalParams()
		}
		require.ErrorContains(t, c.g.Validate(), c.says, name)
		e := emptyEnv(t)
		require.Error(t, e.k.InitGenesis(e.ctx, c.g), name)
	}
	require.NoError(t, types.DefaultGenesis().Validate())
	require.NoError(t, types.LocalParams().Validate())
}

func TestParametersAreGovernancesWithinBounds(t *testing.T) {
	e := newEnv(t)
	_, err := e.msgs.UpdateParams(e.ctx, &types.MsgUpdateParams{Authority: addr("bob").String(), Params: types.DefaultParams()})
	require.ErrorContains(t, err, "only governance")
	for _, p := range []types.Params{{ActivationDelay: 9, History: 1}, {ActivationDelay: 1_000_001, History: 1}, {ActivationDelay: 10}, {ActivationDelay: 10, History: 1_000_001}} {
		_, err = e.msgs.UpdateParams(e.ctx, &types.MsgUpdateParams{Authority: governance, Params: p})
		require.ErrorIs(t, err, types.ErrInvalidParams)
	}
	_, err = e.msgs.UpdateParams(e.ctx, &types.MsgUpdateParams{Authority: governance, Params: types.DefaultParams()})
	require.NoError(t, err)
}

func TestABrokenInvariantIsFound(t *testing.T) {
	e := newEnv(t)
	e.alice(2)
	require.NoError(t, e.k.CheckInvariants(e.ctx))
	require.ErrorContains(t, e.k.CheckInvariants(e.ctx.WithBlockHeight(3)), "the last seed is that of block 2, this is block 3")
	require.ErrorContains(t, e.k.CheckInvariants(e.ctx.WithChainID("lode-1")), "invariant broken")
}
