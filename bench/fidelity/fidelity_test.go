// Package fidelity_test measures how surely a miner's cheats are seen, and that honest ones
// are not taken for them: see bench/README.md.
package fidelity_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/fidelity"
	"github.com/lodenet/lode/subnets/inference/models"
)

// TestMain makes this program able to be an engine's process.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "engine-child" {
		if err := llama.ChildMain(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func long() bool { return os.Getenv("LODE_LONG") != "" }

func start(b *testing.B, o llama.Options) engine.Engine {
	b.Helper()
	if o.Threads == 0 {
		o.Threads = 1
	}
	e, err := llama.Start(b.Context(), o, nil)
	require.NoError(b, err, o.Model)
	return e
}

// requests are drawn as canaries are, with answers of up to 160 tokens.
func requests(b *testing.B, e engine.Engine, n int) []engine.Request {
	canaries := inference.NewCanaries([32]byte([]byte("lode/bench/fidelity/v1//////////")), nil)
	var out []engine.Request
	for number := uint64(1); len(out) < n; number++ {
		r, err := inference.RequestOf(canaries.Draw("lode-mini"))
		require.NoError(b, err)
		r.MaxTokens = min(160, max(32, r.MaxTokens))
		r.Seed = 1<<48 + number
		tokens, err := e.Tokens(b.Context(), r.Prompt)
		if errors.Is(err, engine.ErrTooLong) || len(tokens) > e.Info().Context/2 {
			continue
		}
		require.NoError(b, err)
		out = append(out, r)
	}
	return out
}

// seen is what a validator makes of a miner's answers.
type seen struct {
	tokens         []fidelity.Token
	answers, exact int
	reason         string
}

func judge(b *testing.B, m miner, validator engine.Engine, list []answer) seen {
	var out seen
	context := validator.Info().Context
	prompts, scores := make([]int, len(list)), make([][]engine.TokenScore, len(list))
	var group errgroup.Group
	group.SetLimit(8)
	for i, a := range list {
		group.Go(func() error {
			prompt, err := validator.Tokens(b.Context(), a.request.Prompt)
			if prompts[i] = len(prompt); err != nil || len(a.ids) == 0 || prompts[i]+len(a.ids) > context {
				return err // of an answer to a shorter prompt, which the validator can't hold with its own
			}
			scores[i], err = validator.Score(b.Context(), engine.ScoreRequest{Prompt: a.request.Prompt, Answer: a.ids, Sampling: a.request.Sampling})
			return err
		})
	}
	require.NoError(b, group.Wait())
	for i, a := range list {
		if scores[i] == nil {
			continue
		}
		if m.forge {
			for k := range a.told {
				a.told[k] = scores[i][k].LogProb
			}
		}
		claim := fidelity.Answer{MaxTokens: a.request.MaxTokens, Context: context, Stop: a.request.Stop, Prompt: prompts[i],
			Tokens: a.ids, LogProbs: a.told, Text: a.text, Finish: a.result.Finish, StopString: a.result.StopString}
		out.tokens = append(out.tokens, fidelity.Tokens(a.request.Sampling, scores[i], claim.Told(scores[i]))...)
		out.answers++
		if err := claim.Exact(prompts[i], scores[i]); err != nil {
			out.exact++
			out.reason = err.Error()
		}
	}
	return out
}

// caught is the share of windows that fail, of so many tokens each; a new one begins every
// quarter.
func caught(th fidelity.Thresholds, tokens []fidelity.Token, size int) (share float64, windows int) {
	failed := 0
	for at := 0; at+size <= len(tokens); at += size / 4 {
		windows++
		if !fidelity.Judge(th, tokens[at:at+size]).Pass {
			failed++
		}
	}
	return float64(failed) / float64(max(1, windows)), windows
}

// BenchmarkFidelity lets miners of all kinds answer, and judges them as validators do, by
// windows of tokens. It prints a table, each row as soon as it is known; a part of it can be
// had by the miners' names.
func BenchmarkFidelity(b *testing.B) {
	tokens := 2500
	if long() {
		tokens = 40_000
	}
	validator := start(b, llama.Options{Model: claimed, Slots: 8})
	defer func() { require.NoError(b, validator.Close()) }()
	th := models.Shipped(validator.Info().Digest)
	require.NotNil(b, th.Measured, "lode-mini is calibrated")
	asked := requests(b, validator, tokens/8)
	sizes := []int{160, 640, fidelity.DefaultWindow}
	fmt.Printf("\nthresholds: flagged over %.4f, at most %.2g of tokens; mean margin %.2g; log-probabilities off by %.2g\n\n", th.Flag, th.Flagged, th.MeanMargin, th.LogProb)
	fmt.Print("| miner | tokens | same pick | mean margin | largest | log-prob. off by | answers that contradict themselves |")
	for _, n := range sizes {
		fmt.Printf(" fails in %d |", n)
	}
	fmt.Printf("\n|%s\n", strings.Repeat(" --- |", 7+len(sizes)))
	dir := b.TempDir()
	for _, m := range miners(b, dir) {
		b.Run(strings.Map(word, m.name), func(b *testing.B) {
			for b.Loop() {
				e := start(b, m.engine)
				list, err := answers(b.Context(), m, e, asked, tokens)
				require.NoError(b, errors.Join(err, e.Close()), m.name)
				s := judge(b, m, validator, list)
				v := fidelity.Judge(th, s.tokens)
				var row strings.Builder
				fmt.Fprintf(&row, "| %s | %d | %.4f | %.5f | %.2f | %.4f | %.3f |", m.name, v.Tokens, v.MatchRate, v.MeanMargin, v.MaxMargin, v.MeanAbsLogProb, float64(s.exact)/float64(max(1, s.answers)))
				for _, n := range sizes {
					share, windows := caught(th, s.tokens, n)
					fmt.Fprintf(&row, " %.3f of %d |", share, windows)
					if n == 640 {
						b.ReportMetric(share, "fails")
					}
					if m.honest && share > 0 {
						b.Errorf("%s: %.3f of %d windows of %d tokens fail", m.name, share, windows, n)
					}
				}
				if m.honest && s.exact > 0 {
					b.Errorf("%s: %s", m.name, s.reason)
				}
				fmt.Println(row.String())
			}
		})
	}
}

func word(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

// BenchmarkCost compares what a validator reads a second with what a miner makes: answers of
// 160 tokens, one after another and 16 at once.
func BenchmarkCost(b *testing.B) {
	const length = 160
	e, err := llama.Load(llama.Options{Model: claimed, Threads: 1, Slots: 16})
	require.NoError(b, err)
	defer func() { require.NoError(b, e.Close()) }()
	var list []engine.ScoreRequest
	var generated, scored [2]float64 // tokens a second; one, 16 at once
	ask := func(i int) engine.Request {
		return engine.Request{Prompt: engine.Prompt{Text: "<|user|>Tell me a story.<|end|><|assistant|>"}, MaxTokens: length, Sampling: engine.Sampling{Temperature: 1.5, Seed: uint64(i)}}
	}
	rate := func(atOnce int, f func(i int) int) float64 {
		began, tokens := time.Now(), 0
		done := make(chan int)
		const work = 64
		next := make(chan int, work)
		for i := range work {
			next <- i
		}
		close(next)
		for range atOnce {
			go func() {
				sum := 0
				for i := range next {
					sum += f(i)
				}
				done <- sum
			}()
		}
		for range atOnce {
			tokens += <-done
		}
		return float64(tokens) / time.Since(began).Seconds()
	}
	for i := range 64 {
		r := ask(i)
		result, err := e.Generate(b.Context(), r, nil)
		require.NoError(b, err)
		list = append(list, engine.ScoreRequest{Prompt: r.Prompt, Answer: result.Answer, Sampling: r.Sampling})
	}
	for b.Loop() {
		for k, n := range []int{1, 16} {
			generated[k] = max(generated[k], rate(n, func(i int) int {
				result, err := e.Generate(b.Context(), ask(i), nil)
				if err != nil {
					b.Error(err)
				}
				return len(result.Answer)
			}))
			scored[k] = max(scored[k], rate(n, func(i int) int {
				scores, err := e.Score(b.Context(), list[i])
				if err != nil {
					b.Error(err)
				}
				return len(scores)
			}))
		}
	}
	for k, name := range []string{"1", "16"} {
		b.ReportMetric(generated[k], "generated-tokens/s-"+name)
		b.ReportMetric(scored[k], "scored-tokens/s-"+name)
		b.ReportMetric(scored[k]/generated[k], "times-"+name)
	}
}
