package inference

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/inference/api"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
)

func TestAValidatorNeedsTheSubnetsModel(t *testing.T) {
	own := memory.New(memory.Options{})
	digest := own.Info().Digest
	for name, cfg := range map[string]ValidatorConfig{
		"nothing":               {},
		"no prober":             {Engine: own, Thresholds: measuredHere(digest)},
		"other thresholds":      {Engine: own, Thresholds: measuredHere("x"), Prober: &CanaryGateway{}},
		"no thresholds":         {Engine: own, Prober: &CanaryGateway{}},
		"an engine without law": {Engine: unsure{own}, Thresholds: measuredHere(digest), Prober: &CanaryGateway{}},
		"a load of millions":    {Engine: own, Thresholds: measuredHere(digest), Prober: &CanaryGateway{}, Load: 1e6},
	} {
		_, err := NewValidator(cfg)
		require.Error(t, err, name)
	}
	j := newJudged(t, ValidatorConfig{}, `{"model":"`+elsewhereDigest+`","name":"big"}`, serve(honest()))
	_, err := j.v.Round(t.Context(), j.network())
	var other ErrOtherModel
	require.ErrorAs(t, err, &other)
	require.ErrorContains(t, err, "lode model add")
	j.meta.Parameters = []byte("{")
	_, err = j.v.Round(t.Context(), j.network())
	require.ErrorContains(t, err, "the subnet's parameters")
}

const elsewhereDigest = "abababababababababababababababababababababababababababababababab"

// brokenJudge is a validator's own engine that fails.
type brokenJudge struct{ engine.Engine }

func (b brokenJudge) Score(context.Context, engine.ScoreRequest) ([]engine.TokenScore, error) {
	return nil, engine.ErrGone
}

func TestOurOwnFaultsPunishNobody(t *testing.T) {
	j := newJudged(t, ValidatorConfig{Engine: brokenJudge{memory.New(memory.Options{})}}, "", serve(honest()))
	found, scores := j.round(t)
	require.Empty(t, scores)
	require.Nil(t, found[0].Score)
	require.Contains(t, found[0].Error, "the validator's own engine")
	require.Zero(t, j.v.known["m0"].window.Tokens())
	require.Empty(t, j.v.known["m0"].answered)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := j.v.Round(ctx, j.network())
	require.ErrorIs(t, err, context.Canceled)
}

// countingProber counts what it is asked, and answers nothing.
type countingProber struct {
	asked  map[string]int
	models []Known
}

func (p *countingProber) Miners(context.Context, *subnet.Metagraph) ([]Known, error) {
	return p.models, nil
}

func (p *countingProber) Ask(_ context.Context, hotkey string, _ *api.Request, _ func(Event) error) (Call, error) {
	p.asked[hotkey]++
	return Call{}, errors.New("not now")
}

func TestManyMinersTakeTurns(t *testing.T) {
	own := memory.New(memory.Options{})
	p := &countingProber{asked: map[string]int{}}
	j := newJudged(t, ValidatorConfig{Engine: own, Prober: p, RoundGoal: time.Second, AtOnce: 1, Load: 1}, "")
	for i := range 6 {
		n := subnet.Neuron{UID: uint16(i), Hotkey: string(rune('a' + i)), Endpoints: []string{"/x"}, Protocol: Name + "/miner"}
		j.meta.Neurons = append(j.meta.Neurons, n)
		j.meta.Neurons[i].UID, j.meta.Neurons[i+1].UID = uint16(i), uint16(i+1)
		p.models = append(p.models, Known{Remote: Remote{Hotkey: n.Hotkey, Card: Card{Engine: own.Info(), Envelope: "plain", Tier: TierAny}}})
	}
	for i := range j.meta.Neurons {
		j.meta.Neurons[i].UID = uint16(i)
	}
	for round := 1; round <= 6; round++ {
		began := time.Now()
		_, scores := j.round(t)
		require.Less(t, time.Since(began), 3*time.Second)
		require.Len(t, scores, 1, "one a round: the others keep their scores")
	}
	require.Len(t, p.asked, 6)
	for hotkey, n := range p.asked {
		require.Equal(t, 2, n, "%s has had one turn", hotkey)
	}
	for round := 1; round <= 2; round++ { // who leaves is forgotten
		j.meta.Neurons = j.meta.Neurons[:len(j.meta.Neurons)-1]
		j.round(t)
	}
	require.Len(t, j.v.known, 4)
}
