package keeper

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/emission/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// An epoch that fails leaves nothing but its event; the pot waits and is paid
// with the next one's.
func TestSection7AnEpochThatFailsIsDroppedAndItsPotWaits(t *testing.T) {
	for name, fault := range map[string]func() error{
		"by an error": func() error { return errors.New("no luck") },
		"by a panic":  func() error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			s := scene(h)
			h.judge(s, "v1", 3, 1)
			state, _, err := h.weights.EpochState(h.ctx, s.Id)
			require.NoError(t, err)
			stake := h.stakeOn(s, "v1")
			h.sabotage.fault = func(method string, _ uint64) error {
				if method == "PayPending" {
					return fault()
				}
				return nil
			}
			events := h.untilEpoch(s)
			h.sabotage.fault = nil
			failed := one[*weightstypes.EventEpochFailed](h, events)
			require.Equal(t, state.DueHeight+10, failed.NextDue, "a tempo later")
			require.Empty(t, typed[*types.EventEpochPaid](h, events))
			require.Empty(t, typed[*weightstypes.EventEpoch](h, events))
			require.Empty(t, typed[*alphatypes.EventStakeRewarded](h, events))
			require.Equal(t, stake, h.stakeOn(s, "v1"))
			again, _, err := h.weights.EpochState(h.ctx, s.Id)
			require.NoError(t, err)
			require.Equal(t, state.Number, again.Number, "the run is not counted")

			e := one[*types.EventEpochPaid](h, h.untilEpoch(s))
			require.InEpsilon(t, 20*tao, float64(e.Pending), 0.01, "two tempos' pot")
			require.Equal(t, e.Pending, e.Paid)
		})
	}
}

// brokenWeights fails where its neighbour can't be trusted to.
type brokenWeights struct {
	WeightsKeeper
	due, fail bool
}

func (w brokenWeights) Due(ctx context.Context) ([]uint64, error) {
	if w.due {
		panic("no schedule")
	}
	return []uint64{1}, nil
}

func (w brokenWeights) FailEpoch(context.Context, uint64, string) error {
	if w.fail {
		panic("can't even fail")
	}
	return nil
}

func TestSection7WhereFailingFailsTooTheChainGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		broken brokenWeights
		reason string
	}{
		"the schedule can't be read": {brokenWeights{due: true}, "no schedule"},
		"an epoch can't be put off":  {brokenWeights{fail: true}, "can't even fail"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.subnet("owner")
			c.broken.WeightsKeeper = h.weights
			h.k.weights = c.broken
			h.sabotage.fault = func(string, uint64) error { return nil }
			if c.broken.fail { // the epoch itself must fail: there is no subnet 1 any more
				h.k.weights = gone{c.broken}
			}
			events := h.block(time.Second)
			require.Contains(t, one[*types.EventSubnetFailed](h, events).Reason, c.reason)
			require.Len(t, typed[*types.EventSubnetEmission](h, events), 1)
		})
	}
}

type gone struct{ brokenWeights }

func (gone) Due(context.Context) ([]uint64, error) { return []uint64{99}, nil }

// panicking runs no epoch.
type panicking struct{ WeightsKeeper }

func (panicking) RunEpoch(context.Context, uint64, weightskeeper.RootStakes) (weightskeeper.Result, error) {
	panic("the consensus has a hole")
}

func TestSection7AnEpochThatPanicsStopsNoBlock(t *testing.T) {
	h := newHarness(t)
	s, other := scene(h), h.subnet("other")
	h.judge(s, "v1", 3, 1)
	before, state := h.emission(other).TaoTotal, h.emission(s).TaoTotal
	h.k.weights = panicking{h.weights}
	events := h.untilEpoch(s)
	failed := one[*weightstypes.EventEpochFailed](h, events)
	require.Equal(t, s.Id, failed.SubnetId)
	require.Contains(t, failed.Reason, "panic: the consensus has a hole")
	require.Len(t, typed[*types.EventBlockReward](h, events), 1)
	require.Len(t, typed[*types.EventSubnetEmission](h, events), 2, "its own block step and the other's")
	require.Greater(t, h.emission(other).TaoTotal, before)
	require.Greater(t, h.emission(s).TaoTotal, state)
	h.k.weights = h.weights
	e := epochOf(h, h.untilEpoch(s), s)
	require.Equal(t, e.Pending, e.Paid)
}
