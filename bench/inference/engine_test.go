package inference_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/bench/randommodel"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
)

// BenchmarkEngine makes answers of 100 tokens with the embedded engine, so many at once,
// and scores such answers as a validator does.
func BenchmarkEngine(b *testing.B) {
	benchmarkEngine(b, llama.Options{Model: "../../subnets/inference/testdata/models/lode-mini-Q8_0.gguf", Threads: 1, Slots: 64, Context: 256}, engine.Prompt{Text: "<|user|>Tell me a story.<|end|><|assistant|>"}, 100, 100)
}

// BenchmarkRandomModel does the same with models of half a billion random weights, which
// are for speed only: answers of 12 tokens to next to nothing, and scores such of 160. With one
// thread, and with as many as are fastest. On a machine that is shared the tokens of a second
// of the processor's time tell more.
func BenchmarkRandomModel(b *testing.B) {
	for _, kind := range randommodel.Types {
		path := filepath.Join(b.TempDir(), fmt.Sprintf("random-%v.gguf", kind))
		require.NoError(b, randommodel.Write(path, randommodel.Half(kind)))
		for _, threads := range []int{1, 0} {
			b.Run(fmt.Sprintf("%v/threads=%d", kind, threads), func(b *testing.B) {
				benchmarkEngine(b, llama.Options{Model: path, Threads: threads, Slots: 64, Context: 256}, engine.Prompt{Tokens: []int32{1}}, 12, 160)
			})
		}
	}
}

// BenchmarkGPU does the same on a GPU, with half a billion and with seven billion random
// weights: answers of 128 tokens, and scores such of 1,024. It needs the libraries of
// `make engine-cuda`, and LODE_GPU=1 to say that there is one.
func BenchmarkGPU(b *testing.B) {
	if os.Getenv("LODE_GPU") == "" {
		b.Skip("LODE_GPU=1 says that there is a GPU")
	}
	for _, shape := range []randommodel.Shape{randommodel.Half(randommodel.Q80), randommodel.Seven(randommodel.Q80), randommodel.Seven(randommodel.Q4K)} {
		b.Run(fmt.Sprintf("%v/%dM", shape.Type, shape.Weights()/1_000_000), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "random.gguf")
			require.NoError(b, randommodel.Write(path, shape))
			benchmarkEngine(b, llama.Options{Model: path, Threads: 4, Slots: 64, Context: 2048, GPULayers: -1}, engine.Prompt{Tokens: []int32{1}}, 128, 1024)
		})
	}
}

func benchmarkEngine(b *testing.B, o llama.Options, prompt engine.Prompt, length, scored int) {
	e, err := llama.Load(o)
	require.NoError(b, err)
	defer func() { require.NoError(b, e.Close()) }()
	request := func(seed, length int) engine.Request {
		return engine.Request{Prompt: prompt, MaxTokens: length,
			Sampling: engine.Sampling{Temperature: 1.5, Seed: uint64(seed)}}
	}
	for _, n := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("generate/%d", n), func(b *testing.B) {
			tokens, used := 0, processTime()
			for b.Loop() {
				results := make([]engine.Result, n)
				errs := make([]error, n)
				var wg sync.WaitGroup
				for i := range n {
					wg.Go(func() { results[i], errs[i] = e.Generate(b.Context(), request(i, length), nil) })
				}
				wg.Wait()
				for i := range n {
					require.NoError(b, errs[i])
					tokens += results[i].Usage.Completion
				}
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(float64(tokens)/(processTime()-used).Seconds(), "tokens/cpu-s")
		})
	}
	b.Run("score", func(b *testing.B) {
		r := request(1, scored)
		result, err := e.Generate(b.Context(), r, nil)
		require.NoError(b, err)
		tokens, used := 0, processTime()
		for b.Loop() {
			_, err := e.Score(b.Context(), engine.ScoreRequest{Prompt: r.Prompt, Answer: result.Answer, Sampling: r.Sampling})
			require.NoError(b, err)
			tokens += len(result.Answer)
		}
		b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		b.ReportMetric(float64(tokens)/(processTime()-used).Seconds(), "tokens/cpu-s")
	})
}
