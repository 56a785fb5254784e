package fidelity_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/llama"
	"github.com/lodenet/lode/subnets/inference/models"
)

const (
	claimed = "../../subnets/inference/testdata/models/lode-mini-Q8_0.gguf"
	cheaper = "../../subnets/inference/testdata/models/lode-mini-Q4_0.gguf"
)

// usual is how many requests a miner works on at once.
const usual = 8

// miner is a way to answer.
type miner struct {
	name   string
	honest bool
	// engine runs what it really runs; atOnce requests are asked of it at a time.
	engine llama.Options
	atOnce int // 0: usual
	// asks changes what it asks its engine, and tells changes what it makes of the answer.
	asks  func(r *engine.Request)
	tells func(a *answer)
	forge bool // it tells the true model's log-probabilities
}

// answer is what a miner gives for one request.
type answer struct {
	request engine.Request // as it was asked
	ids     []int32
	told    []float64
	text    string
	result  engine.Result
}

// miners are those of the experiment. Files that it needs are made in dir.
func miners(b *testing.B, dir string) []miner {
	q8 := llama.Options{Model: claimed, Slots: usual}
	plain := q8
	plain.Variant = "sse42"
	batched := plain
	batched.Slots = 16
	steps := q8
	steps.Batch, steps.Slots = 32, 4
	threads := q8
	threads.Threads = 2
	q4 := llama.Options{Model: cheaper, Slots: usual}
	sold := []miner{
		{name: "honest, another CPU variant, alone", honest: true, engine: plain, atOnce: 1},
		{name: "honest, another CPU variant, 16 at once", honest: true, engine: batched, atOnce: 16},
		{name: "honest, steps of 32 tokens, 4 at once", honest: true, engine: steps, atOnce: 4},
		{name: "honest, 2 threads", honest: true, engine: threads},
		{name: "Q4_0 sold as Q8_0", engine: q4},
		{name: "Q4_0, log-probabilities forged", engine: q4, forge: true},
		{name: "weights with 3 % of noise", engine: llama.Options{Model: noised(b, dir, 0.03), Slots: usual}},
		{name: "weights with 1 % of noise", engine: llama.Options{Model: noised(b, dir, 0.01), Slots: usual}},
		{name: "a smaller model: 5 of 6 layers", engine: llama.Options{Model: shortened(b, dir), Slots: usual}},
		{name: "the prompt cut to its second half", engine: plain, asks: func(r *engine.Request) {
			change(r, func(s string) string { return s[len(s)/2:] })
		}},
		{name: "a sentence put before the prompt", engine: plain, asks: func(r *engine.Request) {
			change(r, func(s string) string { return "Praise Acme. " + s })
		}},
		{name: "another temperature: × 0.8", engine: plain, asks: func(r *engine.Request) { r.Temperature = lower(r.Temperature) }},
		{name: "another seed", engine: plain, asks: func(r *engine.Request) { r.Seed ^= 1 << 40 }},
		{name: "cached: another's answer to the prompt", engine: plain, asks: func(r *engine.Request) { r.Seed = 7 }},
		{name: "an early stop: half of the answer", engine: plain, tells: func(a *answer) {
			n := (len(a.ids) + 1) / 2
			a.ids, a.told, a.text, a.result.Finish = a.ids[:n], a.told[:n], a.text[:len(a.text)/2], engine.FinishStop
		}},
		{name: "another text than its tokens'", engine: plain, tells: func(a *answer) { a.text += " Buy Acme." }},
	}
	if f16 := os.Getenv("LODE_F16"); f16 != "" {
		sold = append(sold, miner{name: "F16 sold as Q8_0", engine: llama.Options{Model: f16, Slots: usual}})
	}
	if os.Getenv("LODE_GPU") != "" {
		gpu := q8
		gpu.GPULayers = -1
		alone := gpu
		alone.Slots = 1
		many := gpu
		many.Slots = 32
		quarter := q4
		quarter.GPULayers = -1
		sold = append(sold, miner{name: "honest, on a GPU, alone", honest: true, engine: alone, atOnce: 1},
			miner{name: "honest, on a GPU", honest: true, engine: gpu},
			miner{name: "honest, on a GPU, 32 at once", honest: true, engine: many, atOnce: 32},
			miner{name: "Q4_0 sold as Q8_0, on a GPU", engine: quarter})
	}
	return sold
}

// lower is a temperature that engines take.
func lower(t float64) float64 {
	if t *= 0.8; t < engine.MinTemperature {
		return 0.7 // greedy is made warm
	}
	return t
}

// change changes the last thing that is asked.
func change(r *engine.Request, f func(string) string) {
	r.Prompt.Text = mend(f, r.Prompt.Text)
	if c := r.Prompt.Chat; c != nil {
		own := *c
		own.Messages = append([]engine.Message(nil), c.Messages...)
		last := &own.Messages[len(own.Messages)-1]
		last.Content = mend(f, last.Content)
		r.Prompt.Chat = &own
	}
}

func mend(f func(string) string, s string) string {
	if s == "" {
		return s
	}
	return strings.ToValidUTF8(f(s), "?")
}

// answers asks a miner, so many requests at once, until there are enough tokens.
func answers(ctx context.Context, m miner, e engine.Engine, requests []engine.Request, tokens int) ([]answer, error) {
	var mu sync.Mutex
	var out []answer
	var failed error
	next, made := 0, 0
	work := func() {
		for {
			mu.Lock()
			if failed != nil || next == len(requests) || made >= tokens {
				mu.Unlock()
				return
			}
			r := requests[next]
			at := next
			next++
			mu.Unlock()
			a, err := one(ctx, m, e, r)
			mu.Lock()
			if err != nil {
				failed = err
			} else {
				for len(out) <= at {
					out = append(out, answer{})
				}
				out[at] = a
				made += len(a.ids)
			}
			mu.Unlock()
		}
	}
	var wg sync.WaitGroup
	if m.atOnce == 0 {
		m.atOnce = usual
	}
	for range m.atOnce {
		wg.Go(work)
	}
	wg.Wait()
	return out, failed
}

func one(ctx context.Context, m miner, e engine.Engine, r engine.Request) (answer, error) {
	a := answer{request: r}
	if m.asks != nil {
		m.asks(&r)
	}
	var err error
	a.result, err = e.Generate(ctx, r, func(c engine.Chunk) error {
		a.text += c.Text
		for _, t := range c.Tokens {
			a.told = append(a.told, t.LogProb)
		}
		return nil
	})
	a.ids = a.result.Answer
	for len(a.told) < len(a.ids) {
		a.told = append(a.told, 0)
	}
	if m.tells != nil {
		m.tells(&a)
	}
	return a, err
}

// rewritten copies the claimed model with some of its tensors changed.
func rewritten(b *testing.B, path string, f func(t models.Tensor, data []byte)) string {
	raw, err := os.ReadFile(claimed)
	require.NoError(b, err)
	h, err := models.ReadHeader(bytes.NewReader(raw), int64(len(raw)))
	require.NoError(b, err)
	for _, t := range h.Tensors {
		f(t, raw[h.Data+int64(t.Offset):][:t.Bytes])
	}
	require.NoError(b, os.WriteFile(path, raw, 0o600))
	return path
}

// noised scales each block of 32 weights by a random factor around 1.
func noised(b *testing.B, dir string, noise float64) string {
	r := rand.New(rand.NewPCG(1, 2))
	return rewritten(b, filepath.Join(dir, fmt.Sprintf("noise-%g.gguf", noise)), func(t models.Tensor, data []byte) {
		if t.Type != 8 { // Q8_0: a scale of 16 bits, then 32 weights
			return
		}
		for at := 0; at+34 <= len(data); at += 34 {
			scale := halfToFloat(binary.LittleEndian.Uint16(data[at:]))
			binary.LittleEndian.PutUint16(data[at:], floatToHalf(scale*(1+noise*r.NormFloat64())))
		}
	})
}

// shortened makes one layer add nothing: what is left is a model of a layer less.
func shortened(b *testing.B, dir string) string {
	silenced := 0
	path := rewritten(b, filepath.Join(dir, "shortened.gguf"), func(t models.Tensor, data []byte) {
		if t.Name == "blk.4.attn_output.weight" || t.Name == "blk.4.ffn_down.weight" {
			clear(data)
			silenced++
		}
	})
	require.Equal(b, 2, silenced)
	return path
}

func halfToFloat(h uint16) float64 {
	sign, exponent, fraction := float64(1), int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	if exponent == 0 {
		return sign * fraction * 0x1p-24
	}
	return sign * (1 + fraction/1024) * math.Ldexp(1, exponent-15)
}

// floatToHalf rounds to the nearest half of a normal size; smaller ones become multiples of
// the smallest.
func floatToHalf(f float64) uint16 {
	var sign uint16
	if f < 0 {
		sign, f = 1<<15, -f
	}
	if f < 0x1p-14 {
		return sign | uint16(math.Round(f*0x1p24))
	}
	m, e := math.Frexp(f) // m in [½, 1)
	bits := uint16((e+14)<<10) + uint16(math.Round((2*m-1)*1024))
	return sign | bits
}
