package keeper_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestSection7FirstEpochIsDueATempoAndTheNetuidAfterTheStart(t *testing.T) {
	e := newEnv(t)
	for _, c := range []struct {
		netuid uint32
		due    int64
	}{{1, 12}, {9, 20}, {10, 11}, {23, 14}} {
		s := e.add(c.netuid, 2)
		due, ok, err := e.k.NextEpoch(e.ctx, s.Id)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, c.due, due, "netuid %d", c.netuid)
	}
	_, ok, err := e.k.NextEpoch(e.ctx, 9_999)
	require.NoError(t, err)
	require.False(t, ok)
}

func TestSection7EpochsComeATempoApart(t *testing.T) {
	e := network(t, 2)
	e.to(45)
	require.Equal(t, []string{"1@12", "1@22", "1@32", "1@42"}, e.ran)
	require.EqualValues(t, 4, e.state().Number)
	require.EqualValues(t, 42, e.state().LastHeight)
}

func TestSection7AChangeOfTempoNeverMovesTheCurrentDue(t *testing.T) {
	e := network(t, 2)
	e.to(13)
	e.set("tempo", 20)
	require.EqualValues(t, 22, e.state().DueHeight)
	e.to(50)
	require.Equal(t, []string{"1@12", "1@22", "1@42"}, e.ran)
	e.set("tempo", 10)
	e.to(83)
	require.Equal(t, []string{"1@12", "1@22", "1@42", "1@62", "1@72", "1@82"}, e.ran)
}

func TestSection7AtMostSoManyEpochsRunInABlockAndTheRestGoFirstInTheNext(t *testing.T) {
	e := newEnv(t)
	for _, netuid := range []uint32{61, 51, 41, 31, 21, 11} { // all due in block 12
		e.add(netuid, 2)
	}
	e.add(2, 2) // in block 13
	e.add(3, 2) // in block 14
	e.to(15)
	require.Equal(t, []string{"11@12", "21@12", "31@12", "41@12", "51@13", "61@13", "2@13", "3@14"}, e.ran)
	e.to(25)
	require.Equal(t, []string{"11@22", "21@22", "31@22", "41@22", "2@23", "51@23", "61@23", "3@24"}, e.ran[8:])
}

func TestSection7AFailedEpochComesATempoLaterAndIsNotCounted(t *testing.T) {
	e := network(t, 2)
	e.failing[firstID] = true
	e.to(firstDue)
	e.end()
	require.Empty(t, e.ran)
	require.EqualValues(t, 0, e.state().Number)
	require.EqualValues(t, firstDue+tempo, e.state().DueHeight)
	events := e.events("EventEpochFailed")
	require.Len(t, events, 1)
	require.Contains(t, events[0], "the payout of subnet id 701 fails")
	require.Contains(t, events[0], `next_due="22"`)
	e.failing = nil
	e.to(23)
	require.Equal(t, []string{"1@22"}, e.ran)
	require.EqualValues(t, 1, e.state().Number)
}

func TestASubnetWhoseRecordIsDamagedDelaysNobody(t *testing.T) {
	e := newEnv(t)
	e.add(11, 2)
	e.add(21, 2)
	e.to(firstDue)
	e.subnets.broken = firstID + 10
	due, err := e.k.Due(e.ctx)
	require.NoError(t, err)
	require.Equal(t, []uint64{firstID + 10, firstID + 20}, due)
	_, err = e.k.RunEpoch(e.ctx, due[0], e.roots())
	require.ErrorContains(t, err, "is damaged")
	require.NoError(t, e.k.FailEpoch(e.ctx, due[0], err.Error()))
	due, err = e.k.Due(e.ctx)
	require.NoError(t, err)
	require.Equal(t, []uint64{firstID + 20}, due)
	e.subnets.broken = 0
	next, _, err := e.k.NextEpoch(e.ctx, firstID+10)
	require.NoError(t, err)
	require.EqualValues(t, firstDue+360, next)
	require.NoError(t, e.k.CheckInvariants(e.ctx))
}

func TestABlockWithoutADueEpochCostsTheSameHoweverManySubnetsThereAre(t *testing.T) {
	cost := func(subnets uint32) uint64 {
		e := newEnv(t)
		for netuid := range subnets {
			e.add(netuid+1, 2)
		}
		ctx := e.ctx.WithGasMeter(storetypes.NewInfiniteGasMeter())
		due, err := e.k.Due(ctx)
		require.NoError(t, err)
		require.Empty(t, due)
		return ctx.GasMeter().GasConsumed()
	}
	require.Equal(t, cost(1), cost(100))
}

func TestASubnetThatHasNotStartedHasNoEpochs(t *testing.T) {
	e := network(t, 2)
	g, err := e.subnets.ExportGenesis(e.ctx)
	require.NoError(t, err)
	s := g.Subnets[0]
	s.Id, s.Netuid, s.StartedHeight = 800, 2, 0
	g.Subnets = append(g.Subnets, s)
	for uid := range uint32(2) {
		g.Neurons = append(g.Neurons, subnetstypes.Neuron{SubnetId: 800, Uid: uid, Hotkey: hotkey(uid), RegisteredHeight: 1})
	}
	g.BurnPrices = append(g.BurnPrices, subnetstypes.BurnPrice{SubnetId: 800, Burn: s.Hyperparameters.MinBurn})
	require.NoError(t, g.Validate())
	require.NoError(t, e.subnets.InitGenesis(e.ctx, *g))
	_, err = e.k.RunEpoch(e.ctx, 800, e.roots())
	require.ErrorContains(t, err, "subnet 2 has no epochs yet: its owner starts it with MsgStartSubnet")
	require.NoError(t, e.k.FailEpoch(e.ctx, 800, "nothing to put off"))
	require.NoError(t, e.k.Hooks().AfterSubnetCreated(e.ctx, s))
	e.to(40)
	require.NotContains(t, strings.Join(e.ran, " "), "2@")
}
