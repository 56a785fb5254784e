package keeper_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

func TestSection2TheFirstSeedIsOfTheChainIdOrGenesis(t *testing.T) {
	e := newEnv(t)
	seed, err := e.k.Seed(e.ctx)
	require.NoError(t, err)
	require.Equal(t, vrf.Genesis(chainID), seed)

	other := emptyEnv(t)
	given := vrf.Genesis("another chain")
	require.NoError(t, other.k.InitGenesis(other.ctx, types.GenesisState{Params: types.LocalParams(), Seed: given}))
	seed, err = other.k.Seed(other.ctx)
	require.NoError(t, err)
	require.Equal(t, given, seed)
}

func TestSection2ASeedFollowsFromTheOneBeforeAndTheProofAlone(t *testing.T) {
	e := newEnv(t)
	key := vrfKey("alice")
	previous := vrf.Genesis(chainID)
	for h := int64(1); h <= 5; h++ {
		s := e.block("alice's consensus", &key)
		beta, ok := vrf.Verify(key.Public(), vrf.Alpha(chainID, h, previous), s.Proof)
		require.True(t, ok)
		require.Equal(t, vrf.Next(previous, beta), s.Seed)
		require.Equal(t, types.Seed{
			Height: h, Seed: s.Seed, Previous: previous, Proposer: addr("alice's consensus"), Operator: addr("alice").String(), Key: key.Public(), Proof: s.Proof,
		}, s)
		require.NoError(t, s.Verify(chainID))
		previous = s.Seed
	}
}

func TestSection2AProposerWithoutAKeyInForceProvesNothing(t *testing.T) {
	e := newEnv(t)
	e.staking.validators[string(addr("bob's consensus"))] = "bob"
	bob := vrfKey("bob")
	for _, who := range []string{"bob's consensus", "a stranger's consensus"} {
		require.NoError(t, e.k.CheckProposal(e.ctx, addr(who), 1, [][]byte{e.frame(nil)}))
		require.ErrorContains(t, e.k.CheckProposal(e.ctx, addr(who), 1, [][]byte{e.frame(&bob)}), "has no VRF key in force")
	}
	s := e.block("bob's consensus", nil)
	require.Equal(t, vrf.Next(vrf.Genesis(chainID), make([]byte, 32)), s.Seed)
	require.Equal(t, addr("bob").String(), s.Operator)
	require.NoError(t, s.Verify(chainID))

	require.Empty(t, e.block("a stranger's consensus", nil).Operator)
	// One that waits is not in force.
	res, err := e.register(registration("bob", "bob"))
	require.NoError(t, err)
	require.EqualValues(t, 22, res.ActiveHeight)
	require.False(t, e.block("bob's consensus", &bob).Proved())
}

func TestSection2TheKeyIsFoundThroughARotationOfTheConsensusKey(t *testing.T) {
	e := newEnv(t)
	key := vrfKey("alice")
	e.staking.rotated[string(addr("alice's next consensus"))] = "alice"
	task, err := e.k.Task(e.ctx, addr("alice's next consensus"), 1)
	require.NoError(t, err)
	require.Equal(t, key.Public(), task.Key)
	require.True(t, e.block("alice's next consensus", &key).Proved())
}

func TestSection2ADecidedBlockWithoutAValidProofCountsAsEmpty(t *testing.T) {
	alice, bob := vrfKey("alice"), vrfKey("bob")
	for name, begin := range map[string]func(e *env) [][]byte{
		"nothing":            func(*env) [][]byte { return nil },
		"a transaction":      func(*env) [][]byte { return [][]byte{[]byte("hello")} },
		"an empty one":       func(*env) [][]byte { return [][]byte{{}} },
		"an empty proof":     func(*env) [][]byte { return [][]byte{vrf.Frame(nil)} },
		"another's proof":    func(e *env) [][]byte { return [][]byte{e.frame(&bob)} },
		"its proof, second":  func(e *env) [][]byte { return [][]byte{[]byte("hello"), e.frame(&alice)} },
		"a proof of zeros":   func(*env) [][]byte { return [][]byte{vrf.Frame(make([]byte, 80))} },
		"a proof of nothing": func(*env) [][]byte { return [][]byte{vrf.Frame(alice.Prove(nil))} },
		"the last proof": func(e *env) [][]byte {
			s, err := e.k.SeedAt(e.ctx, e.ctx.BlockHeight())
			require.NoError(t, err)
			return [][]byte{vrf.Frame(s.Proof)}
		},
		"a proof for another chain": func(e *env) [][]byte {
			seed, err := e.k.Seed(e.ctx)
			require.NoError(t, err)
			return [][]byte{vrf.Frame(alice.Prove(vrf.Alpha("lode-1", 2, seed)))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			first := e.block("alice's consensus", &alice)
			txs := begin(e)
			require.ErrorIs(t, e.k.CheckProposal(e.ctx, addr("alice's consensus"), 2, txs), types.ErrInvalidProof)
			s := e.decided("alice's consensus", txs...)
			require.False(t, s.Proved())
			require.Equal(t, vrf.Next(first.Seed, nil), s.Seed)
			e.alice(1) // and the chain goes on
		})
	}
}

func TestSection2OldSeedsGoAfterTheHistory(t *testing.T) {
	e := newEnv(t)
	set := func(history int64) {
		t.Helper()
		p := types.LocalParams()
		p.History = history
		_, err := e.msgs.UpdateParams(e.ctx, &types.MsgUpdateParams{Authority: governance, Params: p})
		require.NoError(t, err)
	}
	set(130)
	e.alice(140)
	_, err := e.k.SeedAt(e.ctx, 10)
	require.ErrorIs(t, err, types.ErrNoSeed)
	require.ErrorContains(t, err, "block 10: the chain keeps those of blocks 11 to 140")
	_, err = e.query.Seed(e.ctx, &types.QuerySeedRequest{Height: 141})
	require.ErrorContains(t, err, "block 141: the chain keeps those of blocks 11 to 140")

	// A shorter history is reached bit by bit.
	set(5)
	e.alice(1)
	_, err = e.k.SeedAt(e.ctx, 110)
	require.ErrorContains(t, err, "of blocks 111 to 141")
	e.alice(1)
	_, err = e.k.SeedAt(e.ctx, 0)
	require.ErrorContains(t, err, "of blocks 138 to 142")
}

func TestSection2QueriesTellASeedWithAllThatVerifiesIt(t *testing.T) {
	e := newEnv(t)
	_, err := e.query.LatestSeed(e.ctx, &types.QueryLatestSeedRequest{})
	require.ErrorContains(t, err, "no block has a seed yet")
	e.alice(2)
	e.block("a stranger's consensus", nil)

	latest, err := e.query.LatestSeed(e.ctx, &types.QueryLatestSeedRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 3, latest.Seed.Height)
	require.False(t, latest.Proved)
	require.Equal(t, make([]byte, 32), latest.Beta)
	second, err := e.query.Seed(e.ctx, &types.QuerySeedRequest{Height: 2})
	require.NoError(t, err)
	require.True(t, second.Proved)
	require.Len(t, second.Beta, 64)
	require.Equal(t, latest.Seed.Previous, second.Seed.Seed)
	require.Equal(t, vrf.Next(second.Seed.Previous, second.Beta), second.Seed.Seed)

	params, err := e.query.Params(e.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, types.LocalParams(), params.Params)
}

func TestSection2AForgedSeedDoesNotVerify(t *testing.T) {
	e := newEnv(t)
	e.alice(2)
	good, err := e.k.SeedAt(e.ctx, 2)
	require.NoError(t, err)
	require.NoError(t, good.Verify(chainID))
	for name, forge := range map[string]func(s *types.Seed){
		"another seed":       func(s *types.Seed) { s.Seed = vrf.Genesis("x") },
		"another before":     func(s *types.Seed) { s.Previous = vrf.Genesis("x") },
		"another height":     func(s *types.Seed) { s.Height++ },
		"another key":        func(s *types.Seed) { s.Key = vrfKey("bob").Public() },
		"no key":             func(s *types.Seed) { s.Key = nil },
		"no proof":           func(s *types.Seed) { s.Proof = nil },
		"a short proof":      func(s *types.Seed) { s.Proof = s.Proof[:79] },
		"a short seed":       func(s *types.Seed) { s.Seed = s.Seed[:31] },
		"nothing before it":  func(s *types.Seed) { s.Previous = nil },
		"a proof of nothing": func(s *types.Seed) { s.Proof = vrf.Frame(nil) },
	} {
		s := good
		forge(&s)
		require.Error(t, s.Verify(chainID), name)
	}
	require.Error(t, good.Verify("lode-1"), "another chain")
}
