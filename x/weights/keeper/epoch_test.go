package keeper_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/fixed"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/keeper"
	"github.com/lodenet/lode/x/weights/types"
	"github.com/lodenet/lode/yuma"
)

func TestSection7AnEpochJudgesByTheRowsInForce(t *testing.T) {
	e := validators(t)
	require.NoError(t, e.setWeights(0, []uint32{2, 3}, []uint32{1, 3}))
	require.NoError(t, e.setWeights(1, []uint32{2, 3}, []uint32{1, 3}))
	e.to(22)
	e.end()
	r := e.results[firstID]
	require.Equal(t, yuma.Weighted, r.Outcome)
	require.EqualValues(t, 2, r.Number)
	require.Len(t, r.Neurons, 5)
	require.Equal(t, addr("hotkey 4"), r.Stakes[4].Hotkey)
	require.Equal(t, []uint64{1_000, 2_000, 0, 0, 0}, r.StakeWeight)
	const one = uint64(1) << 32
	require.InDelta(t, one/4, uint64(r.Output.Incentive[2]), 4)
	require.InDelta(t, 3*one/4, uint64(r.Output.Incentive[3]), 4)
	require.InDelta(t, one/3, uint64(r.Output.Dividends[0]), 4)

	kept, ok, err := e.k.EpochResult(e.ctx, firstID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, []bool{true, true, false, false, false}, kept.Active)
	require.Equal(t, raw(r.Output.Incentive), kept.Incentive)
	require.Equal(t, raw(r.Output.Dividends), kept.Dividends)
	require.EqualValues(t, 64, kept.MaxValidators)
	bonds := mustBonds(t, e)
	require.Len(t, bonds, 2)
	require.Equal(t, []uint32{2, 3}, bonds[0].Uids)
	event := e.events("EventEpoch")
	require.Len(t, event, 1)
	require.Contains(t, event[0], `outcome="weighted"`)
	require.Contains(t, event[0], `next_due="32"`)
	for _, told := range []string{`stake=["1000","2000","0","0","0"]`, `active=[0,1]`, `permits=[0,1]`} {
		require.Contains(t, event[0], told)
	}
	require.Contains(t, event[0], fmt.Sprintf("consensus=%s ", quoted(kept.Consensus)))
	require.Contains(t, event[0], fmt.Sprintf("validator_trust=%s ", quoted(kept.ValidatorTrust)))
	q, err := e.query.Epoch(e.ctx, &types.QueryEpochRequest{Netuid: 1})
	require.NoError(t, err)
	require.Equal(t, types.EpochState{SubnetId: firstID, Number: 2, LastHeight: 22, DueHeight: 32}, q.Epoch)
	require.Equal(t, kept, q.Result)
}

// quoted are numbers as events have them.
func quoted(in []uint64) string {
	texts := make([]string, len(in))
	for i, v := range in {
		texts[i] = fmt.Sprintf("%q", strconv.FormatUint(v, 10))
	}
	return "[" + strings.Join(texts, ",") + "]"
}

func raw(in []fixed.Q32) []uint64 {
	out := make([]uint64, len(in))
	for i, q := range in {
		out[i] = uint64(q)
	}
	return out
}

func TestSection7OutcomesWithoutWeightsOrStake(t *testing.T) {
	e := network(t, 3)
	e.to(firstDue)
	e.end()
	require.Equal(t, yuma.NoStake, e.results[firstID].Outcome)
	require.Contains(t, e.events("EventEpoch")[0], `outcome="no_stake"`)
	e.stake(1, 2)
	e.to(22)
	e.end()
	require.Equal(t, yuma.NoWeights, e.results[firstID].Outcome)
	require.Contains(t, e.events("EventEpoch")[0], `outcome="no_weights"`)
}

func TestSection7PermitsGoToTheLargestStakesAndTheOwner(t *testing.T) {
	e := network(t, 6, func(h *subnetstypes.Hyperparameters) { h.MaxValidators = 2 })
	permits := func() (out []uint32) {
		for uid := range uint32(6) {
			ok, err := e.k.Permitted(e.ctx, firstID, uid)
			require.NoError(t, err)
			if ok {
				out = append(out, uid)
			}
		}
		return out
	}
	e.stake(1, 5, 9, 9, 0, 7)
	e.to(13)
	require.Equal(t, []uint32{0, 2, 3}, permits())
	e.stake(1, 5, 9, 1, 0, 7)
	require.Equal(t, []uint32{0, 2, 3}, permits(), "until the next epoch")
	e.to(23)
	require.Equal(t, []uint32{0, 2, 5}, permits())
	e.set("max_validators", 1)
	e.end() // the invariant knows the number that was in force
	e.to(33)
	require.Equal(t, []uint32{0, 2}, permits())
}

func TestSection5StakeWeightAddsAPartOfRootStake(t *testing.T) {
	e := network(t, 5)
	e.stake(1_000, 2_000, 0, math.MaxUint64-1)
	e.staking.add(hotkey(1), 1_000_000, stakingtypes.Bonded)
	e.staking.add(hotkey(2), 500, stakingtypes.Unbonding)
	e.staking.add(hotkey(3), 1_000_000, stakingtypes.Bonded)
	e.staking.add(addr("no neuron").String(), 7, stakingtypes.Bonded)
	for uid, want := range [][3]uint64{
		{1_000, 1_000, 0},
		{182_000, 2_000, 1_000_000},
		{0, 0, 0},
		{math.MaxUint64, math.MaxUint64 - 1, 1_000_000},
		{0, 0, 0},
	} {
		at, err := sdk.AccAddressFromBech32(hotkey(uint32(uid)))
		require.NoError(t, err)
		weight, alpha, root, err := e.k.StakeWeight(e.ctx, firstID, at)
		require.NoError(t, err)
		require.Equal(t, want, [3]uint64{weight, alpha, root}, "uid %d", uid)
	}
	e.to(firstDue)
	e.end()
	r := e.results[firstID]
	require.Equal(t, []uint64{1_000, 182_000, 0, math.MaxUint64, 0}, r.StakeWeight)
	for uid, want := range [][]keeper.Contribution{
		{{Hotkey: addr("hotkey 0"), Alpha: 1_000}},
		{{Hotkey: addr("hotkey 1"), Alpha: 2_000, Root: 180_000}},
		nil,
		{{Hotkey: addr("hotkey 3"), Alpha: math.MaxUint64 - 1, Root: 180_000}},
		nil,
	} {
		require.Equal(t, want, r.Stakes[uid].Contributors)
	}
}

func TestSection7ARowOlderThanTheActivityCutoffHasNoSay(t *testing.T) {
	e := validators(t, func(h *subnetstypes.Hyperparameters) { h.ActivityCutoff = 30 })
	require.NoError(t, e.setWeights(1, []uint32{2}, []uint32{1}))
	e.to(42)
	e.end()
	require.Equal(t, yuma.Weighted, e.results[firstID].Outcome, "29 blocks old")
	e.to(52)
	e.end()
	require.Equal(t, yuma.NoWeights, e.results[firstID].Outcome)
}

// replaceable is a full subnet whose uid 2 is the next to be pruned. Its uids 0
// to 2 have stake and permits.
func replaceable(t *testing.T, commitReveal bool) (e *env, replace func() uint32) {
	e = network(t, 16, func(h *subnetstypes.Hyperparameters) {
		h.MaxUids, h.CommitReveal, h.ImmunityPeriod, h.ActivityCutoff = 16, commitReveal, 21, 5_000
	})
	e.stake(1_000, 2_000, 500)
	e.to(firstDue + 1)
	return e, func() uint32 {
		emissions := make([]uint64, 16)
		for uid := range emissions {
			emissions[uid] = 10
		}
		emissions[2] = 1
		neurons, err := e.subnets.Neurons(e.ctx, firstID)
		require.NoError(t, err)
		require.NoError(t, e.subnets.SetEmissions(e.ctx, neurons, emissions))
		r, err := send(e, subnetskeeper.NewMsgServer(e.subnets.Keeper).Register,
			&subnetstypes.MsgRegister{Coldkey: addr(cold).String(), Hotkey: addr("successor").String(), Netuid: 1, MaxBurn: 1e12})
		require.NoError(t, err)
		return r.Uid
	}
}

func TestSection4AReplacedUidLeavesItsSuccessorNothing(t *testing.T) {
	e, replace := replaceable(t, true)
	mine := row{uid: 2, uids: []uint32{3, 4}, values: []uint32{1, 1}, salt: "mine"}
	theirs := row{uid: 1, uids: []uint32{2, 3}, values: []uint32{3, 1}, salt: "theirs"}
	for _, r := range []row{mine, theirs} {
		_, err := e.commit(r)
		require.NoError(t, err)
	}
	e.to(23)
	require.NoError(t, e.reveal(mine))
	require.NoError(t, e.reveal(theirs))
	next := mine
	next.salt = "next"
	_, err := e.commit(next)
	require.NoError(t, err)
	e.to(33)
	require.NotZero(t, e.results[firstID].Output.Incentive[2])
	require.Len(t, mustBonds(t, e), 2)

	require.EqualValues(t, 2, replace())
	_, ok := e.row(2)
	require.False(t, ok, "no row")
	permitted, err := e.k.Permitted(e.ctx, firstID, 2)
	require.NoError(t, err)
	require.False(t, permitted, "no permit")
	bonds := mustBonds(t, e)
	require.Len(t, bonds, 1, "no bonds")
	require.EqualValues(t, 1, bonds[0].Uid)
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Commits, "no commits")
	for _, a := range g.LastAttempts {
		require.NotEqualValues(t, 2, a.Uid, "no limits")
	}
	r, _, err := e.k.EpochResult(e.ctx, firstID)
	require.NoError(t, err)
	for _, column := range [][]uint64{r.Stake, r.Incentive, r.Dividends, r.Consensus, r.ValidatorTrust, r.Rank} {
		require.Zero(t, column[2], "no scores")
	}
	require.False(t, r.Active[2])
	require.NotZero(t, r.Incentive[3], "others keep theirs")
	require.ErrorIs(t, e.reveal(next), subnetstypes.ErrNotRegistered, "the predecessor's commit is gone with it")

	e.to(42)
	e.end()
	require.Zero(t, e.results[firstID].Output.Incentive[2], "weights that were for the predecessor are dropped")
	require.NotZero(t, e.results[firstID].Output.Incentive[3])
	for _, b := range mustBonds(t, e) {
		require.NotContains(t, b.Uids, uint32(2), "and so are bonds")
	}
}

func mustBonds(t *testing.T, e *env) []types.Bonds {
	t.Helper()
	b, err := e.query.Bonds(e.ctx, &types.QueryBondsRequest{Netuid: 1})
	require.NoError(t, err)
	return b.Bonds
}

func TestSection7AWeightCommittedBeforeANeuronRegisteredIsNotForIt(t *testing.T) {
	e, replace := replaceable(t, true)
	e.to(23)
	theirs := row{uid: 1, uids: []uint32{2, 3}, values: []uint32{3, 1}, salt: "theirs"}
	_, err := e.commit(theirs)
	require.NoError(t, err)
	require.EqualValues(t, 2, replace(), "in the block of the commit")
	e.to(33)
	require.NoError(t, e.reveal(theirs), "revealed after the registration")
	e.to(42)
	e.end()
	require.Zero(t, e.results[firstID].Output.Incentive[2])
	require.NotZero(t, e.results[firstID].Output.Incentive[3])
}

func TestANewUidFindsNothingToClear(t *testing.T) {
	e := validators(t)
	r, err := send(e, subnetskeeper.NewMsgServer(e.subnets.Keeper).Register,
		&subnetstypes.MsgRegister{Coldkey: addr(cold).String(), Hotkey: addr("new").String(), Netuid: 1, MaxBurn: 1e12})
	require.NoError(t, err)
	require.EqualValues(t, 5, r.Uid)
	e.to(25)
	require.Len(t, e.results[firstID].Neurons, 6)
}

func TestARowOfAllNeuronsRunsThroughAnEpoch(t *testing.T) {
	e := network(t, 300, func(h *subnetstypes.Hyperparameters) { h.MaxUids = 300 })
	e.stake(1, 1, 1)
	e.to(13)
	var uids, values []uint32
	for i := range uint32(300) {
		uids, values = append(uids, 299-i), append(values, i%7)
	}
	require.NoError(t, e.setWeights(1, uids, values))
	e.to(23)
	require.Equal(t, yuma.Weighted, e.results[firstID].Outcome)
}

func TestSection7IdlePermitHoldersDoNotDragConsensus(t *testing.T) {
	e := network(t, 6)
	e.stake(10, 20, 10_000, 10_000) // uids 2 and 3 are rich, hold permits and never set a row
	e.to(13)
	for _, uid := range []uint32{2, 3} {
		ok, err := e.k.Permitted(e.ctx, firstID, uid)
		require.NoError(t, err)
		require.True(t, ok)
	}
	require.NoError(t, e.setWeights(0, []uint32{4, 5}, []uint32{1, 1}))
	require.NoError(t, e.setWeights(1, []uint32{4, 5}, []uint32{1, 1}))
	e.to(22)
	e.end()
	r := e.results[firstID]
	require.Equal(t, yuma.Weighted, r.Outcome)
	require.InDelta(t, 0.5, r.Output.Consensus[4].Float64(), 1e-6, "those who judge agree")
	require.InDelta(t, 0.5, r.Output.Incentive[5].Float64(), 1e-6)
	require.Zero(t, r.Output.Dividends[2]+r.Output.Dividends[3])
	require.Zero(t, r.Output.Active[2])
}
