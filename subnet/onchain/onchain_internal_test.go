package onchain

import (
	"context"
	"errors"
	"fmt"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/subnet"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

func event(t *testing.T, m proto.Message) abci.Event {
	t.Helper()
	e, err := sdk.TypedEventToEvent(m)
	require.NoError(t, err)
	return abci.Event(e)
}

func TestOnlyWhatChangesASubnetCounts(t *testing.T) {
	for _, m := range []proto.Message{
		&subnetstypes.EventSubnetStarted{Netuid: 3}, &subnetstypes.EventSubnetUpdated{Netuid: 3},
		&subnetstypes.EventHyperparameterSet{Netuid: 3, Name: "tempo"}, &subnetstypes.EventNeuronRegistered{Netuid: 3},
		&subnetstypes.EventNeuronServed{Netuid: 3}, &weightstypes.EventEpoch{Netuid: 3}, &weightstypes.EventEpochFailed{Netuid: 3},
	} {
		require.True(t, changes([]abci.Event{{Type: "other"}, event(t, m)}, 3), "%T", m)
		require.False(t, changes([]abci.Event{event(t, m)}, 30), "%T of another subnet", m)
	}
	for _, m := range []proto.Message{
		&weightstypes.EventWeightsCommitted{Netuid: 3}, &emissiontypes.EventSubnetEmission{Netuid: 3}, &alphatypes.EventTrade{Netuid: 3},
	} {
		require.False(t, changes([]abci.Event{event(t, m)}, 3), "%T", m)
	}
	require.False(t, changes(nil, 3))
}

func TestASlowReaderMissesBlocksButNotThatSomethingChanged(t *testing.T) {
	in, out := make(chan client.Block), make(chan subnet.Block)
	go func() {
		defer close(out)
		relay(context.Background(), in, out, 3)
	}()
	in <- client.Block{Height: 1, Missed: true}
	require.Equal(t, subnet.Block{Height: 1, Changed: true}, <-out)
	in <- client.Block{Height: 2}
	require.Equal(t, subnet.Block{Height: 2}, <-out)
	in <- client.Block{Height: 3, Events: []abci.Event{event(t, &weightstypes.EventEpoch{Netuid: 3})}}
	in <- client.Block{Height: 4}
	in <- client.Block{Height: 5, Events: []abci.Event{event(t, &weightstypes.EventEpoch{Netuid: 4})}}
	require.Equal(t, subnet.Block{Height: 5, Changed: true}, <-out)
	in <- client.Block{Height: 6}
	require.Equal(t, subnet.Block{Height: 6}, <-out)
	close(in)
	_, open := <-out
	require.False(t, open)
}

func TestErrorsAreThoseThatTheSDKKnows(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{subnetstypes.ErrNotRegistered.Wrap("lode1x"), subnet.ErrNotRegistered},
		{weightstypes.ErrVersion.Wrap("3 < 4"), subnet.ErrOldVersion},
		{fmt.Errorf("%w: refused", client.ErrUnavailable), subnet.ErrUnavailable},
		{fmt.Errorf("%w: at 3", client.ErrBehind), subnet.ErrUnavailable},
		{client.ErrTxUnknown, subnet.ErrUnavailable},
		{client.ErrTxExpired, subnet.ErrUnavailable},
		{context.DeadlineExceeded, subnet.ErrUnavailable},
		{&client.TxError{Codespace: subnetstypes.ModuleName, Code: subnetstypes.ErrNotRegistered.ABCICode()}, subnet.ErrNotRegistered},
	} {
		got := mapped(c.err)
		require.ErrorIs(t, got, c.want)
		require.ErrorIs(t, got, c.err, "what the client said is kept")
	}
	other := errors.New("other")
	require.Equal(t, other, mapped(other))
	require.NoError(t, mapped(nil))
	tooSoon := mapped(&client.TxError{Codespace: weightstypes.ModuleName, Code: weightstypes.ErrTooSoon.ABCICode(), Log: "block 12"})
	require.NotErrorIs(t, tooSoon, subnet.ErrUnavailable)
	require.ErrorContains(t, tooSoon, "block 12")
}

func TestTheMetagraphIsTheChainsInTheSDKsUnits(t *testing.T) {
	r := &emissiontypes.QueryMetagraphResponse{
		Height: 40,
		Subnet: subnetstypes.Subnet{Id: 7, Netuid: 1, Name: "video", Parameters: `{"a":1}`, StartedHeight: 5,
			Hyperparameters: subnetstypes.Hyperparameters{Tempo: 10, WeightsRateLimit: 5, MinAllowedWeights: 2, MaxWeightLimit: 65_535, CommitReveal: true, RevealPeriod: 1, WeightsVersion: 3}},
		Epoch: weightstypes.EpochState{Number: 2, DueHeight: 46},
		Neurons: []emissiontypes.MetagraphNeuron{
			{Uid: 0, Hotkey: "a"},
			{Uid: 1, Hotkey: "b", Incentive: 1 << 31, Dividends: 1 << 32, Permit: true, StakeWeight: 9, RegisteredHeight: 3, Endpoints: []string{"e"}, Protocol: "video/miner", ProtocolVersion: "1"},
		},
	}
	m, err := metagraph("lode-1", r)
	require.NoError(t, err)
	require.EqualValues(t, 3, m.Epoch, "the next run")
	require.EqualValues(t, 46, m.NextEpoch)
	require.True(t, m.Started)
	require.Equal(t, "lode-1", m.ChainID)
	require.JSONEq(t, `{"a":1}`, string(m.Parameters))
	require.Equal(t, subnet.Hyperparameters{Tempo: 10, WeightsRateLimit: 5, WeightsVersion: 3, MinAllowedWeights: 2, MaxWeightLimit: 65_535, CommitReveal: true, RevealPeriod: 1}, m.Hyperparameters)
	require.Equal(t, subnet.Neuron{UID: 1, Hotkey: "b", Incentive: 0.5, Dividends: 1, Permit: true, Stake: 9, RegisteredAt: 3, Endpoints: []string{"e"}, Protocol: "video/miner", ProtocolVersion: "1"}, m.Neurons[1])

	r.Neurons[1].Uid = 2
	_, err = metagraph("lode-1", r)
	require.ErrorContains(t, err, "dense")
}
