package inference_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

func TestABenchmarkShowsWhatMinersAreWorth(t *testing.T) {
	cheat := memory.Options{Noise: func(place int, logits []float32) {
		for i := range logits {
			logits[i] += float32(math.Sin(float64(place*31+i))) / 2
		}
	}}
	honest := memory.New(memory.Options{})
	miners := []inference.Remote{
		served(t, "honest<&>", inference.MinerConfig{Engine: honest}),
		served(t, "cheat", inference.MinerConfig{Engine: memory.New(cheat)}),
		acting(t, "dead", func(_ http.ResponseWriter, _ *http.Request, send func(any)) {
			send(inference.Event{Error: engine.NewFailure(engine.ErrGone)})
		}),
		behind(t, "mute", http.NotFoundHandler()),
	}
	for i := range miners {
		miners[i].UID = uint16(i)
	}
	c := unpaid(t, inference.GatewayConfig{}, miners...)
	steps, last := 0, 0
	b, err := c.RunBench(t.Context(), inference.BenchOptions{Requests: 10, Concurrency: 3, MaxTokens: 60, Engine: honest,
		Thresholds: fidelity.Default(honest.Info().Digest), Progress: func(done, of int) {
			require.Equal(t, 40, of)
			require.GreaterOrEqual(t, done, last)
			steps, last = steps+1, done
		}})
	require.NoError(t, err)
	require.Equal(t, 40, last)
	require.Greater(t, steps, 20)
	require.Len(t, b.Miners, 4)

	good, bad, dead, mute := b.Miners[0], b.Miners[1], b.Miners[2], b.Miners[3]
	require.Equal(t, 10, good.Answered)
	require.Zero(t, good.Failed)
	require.Positive(t, good.First)
	require.GreaterOrEqual(t, good.First90, good.First)
	require.Positive(t, good.Total)
	require.True(t, good.Fidelity.Pass, good.Fidelity.Reason)
	require.Equal(t, good.Tokens, good.Fidelity.Tokens)
	require.False(t, bad.Fidelity.Pass)
	require.Equal(t, []any{0, 1}, []any{dead.Answered, dead.Failed})
	require.Contains(t, dead.Error, "failed")
	require.Contains(t, mute.Out, "404")

	var svg bytes.Buffer
	require.NoError(t, b.Plot(&svg, func(hotkey string) string { return hotkey }))
	require.Contains(t, svg.String(), "1 cheat (another model)")
	require.Contains(t, svg.String(), "2 dead (fails)")
	require.Contains(t, svg.String(), "3 mute (not asked)")
	require.Contains(t, svg.String(), "honest&lt;&amp;&gt;")
	for d := xml.NewDecoder(&svg); ; {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}

	_, err = c.RunBench(t.Context(), inference.BenchOptions{Requests: -1})
	require.Error(t, err)
	_, err = c.RunBench(t.Context(), inference.BenchOptions{Model: "another"})
	require.ErrorContains(t, err, "no miner serves this model")
	_, err = unpaid(t, inference.GatewayConfig{}).RunBench(t.Context(), inference.BenchOptions{})
	require.ErrorContains(t, err, "has no miners")
}
