package bench_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
)

// BenchmarkEngine makes answers of 100 tokens with the embedded engine, so many at once,
// and scores such answers as a validator does.
func BenchmarkEngine(b *testing.B) {
	const length = 100
	e, err := llama.Load(llama.Options{Model: "../subnets/inference/testdata/models/lode-mini-Q8_0.gguf", Threads: 1, Slots: 64, Context: 256})
	require.NoError(b, err)
	defer func() { require.NoError(b, e.Close()) }()
	request := func(seed int) engine.Request {
		return engine.Request{Prompt: engine.Prompt{Text: "<|user|>Tell me a story.<|end|><|assistant|>"}, MaxTokens: length,
			Sampling: engine.Sampling{Temperature: 1.5, Seed: uint64(seed)}}
	}
	for _, n := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("generate/%d", n), func(b *testing.B) {
			tokens := 0
			for b.Loop() {
				results := make([]engine.Result, n)
				errs := make([]error, n)
				var wg sync.WaitGroup
				for i := range n {
					wg.Go(func() { results[i], errs[i] = e.Generate(b.Context(), request(i), nil) })
				}
				wg.Wait()
				for i := range n {
					require.NoError(b, errs[i])
					tokens += results[i].Usage.Completion
				}
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
	b.Run("score", func(b *testing.B) {
		r := request(1)
		result, err := e.Generate(b.Context(), r, nil)
		require.NoError(b, err)
		tokens := 0
		for b.Loop() {
			_, err := e.Score(b.Context(), engine.ScoreRequest{Prompt: r.Prompt, Answer: result.Answer, Sampling: r.Sampling})
			require.NoError(b, err)
			tokens += len(result.Answer)
		}
		b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
	})
}
