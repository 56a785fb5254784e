package inference

import (
	"context"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/fidelity"
)

// another is a model that is nearly the claimed one: its logits are off by up to a few
// hundredths, as those of weights at fewer bits are.
func another() engine.Engine {
	return memory.New(memory.Options{Wait: memory.Every(time.Millisecond), Noise: func(place int, logits []float32) {
		for i := range logits {
			if x := uint32(place*257+i) * 2654435761; !math.IsInf(float64(logits[i]), 0) {
				logits[i] += (float32(x>>16)/(1<<16) - 0.5) * 0.4
			}
		}
	}})
}

// forger answers by another model, and tells the claimed one's log-probabilities.
type forger struct{ engine.Engine }

func (f forger) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	var chunks []engine.Chunk
	result, err := f.Engine.Generate(ctx, r, func(c engine.Chunk) error { chunks = append(chunks, c); return nil })
	if err != nil {
		return result, err
	}
	scores, err := memory.New(memory.Options{}).Score(ctx, engine.ScoreRequest{Prompt: r.Prompt, Answer: result.Answer, Sampling: r.Sampling})
	if err != nil {
		return result, err
	}
	at := 0
	for _, c := range chunks {
		for i := range c.Tokens {
			c.Tokens[i].LogProb = scores[at].LogProb
			at++
		}
		if err := emit(c); err != nil {
			return result, err
		}
	}
	return result, nil
}

// miscounter counts more tokens in a prompt than there are.
type miscounter struct{ engine.Engine }

func (m miscounter) Tokens(ctx context.Context, p engine.Prompt) ([]int32, error) {
	tokens, err := m.Engine.Tokens(ctx, p)
	return append(tokens, 'x'), err
}

// unsure is an engine that some server by URL is.
type unsure struct{ engine.Engine }

func (u unsure) Info() engine.Info {
	i := u.Engine.Info()
	i.Verifiable = false
	return i
}

func TestCheatsGetNothing(t *testing.T) {
	claim := memory.New(memory.Options{}).Info()
	elsewhere := claim
	elsewhere.Digest = strings.Repeat("ab", 32)
	narrow := claim
	narrow.Context = 10
	cheats := []struct {
		name, why string
		miner     judgedMiner
	}{
		{"a cheaper model", "are not what the model picks", serve(another())},
		{"a cheaper model, with forged log-probabilities", "are not what the model picks", serve(forger{another()})},
		{"another seed", "are not what the model picks", serve(cheat{Engine: honest(), ask: func(r *engine.Request) { r.Seed++ }})},
		{"an answer that was kept", "are not what the model picks", serve(cheat{Engine: honest(), ask: func(r *engine.Request) { r.Seed = 1 }})},
		{"another temperature", "are not what the model picks", serve(cheat{Engine: honest(), ask: func(r *engine.Request) { r.Temperature = 0.6 + r.Temperature }})},
		{"half of the prompt", "are not what the model picks", serve(cheat{Engine: honest(), ask: func(r *engine.Request) { r.Prompt.Tokens = r.Prompt.Tokens[len(r.Prompt.Tokens)/2:] }})},
		{"a word before the prompt", "are not what the model picks", serve(cheat{Engine: honest(), ask: func(r *engine.Request) { r.Prompt.Tokens = append([]int32{'a', 'd', ' '}, r.Prompt.Tokens...) }})},
		{"log-probabilities that are made up", "log-probabilities are off", serve(cheat{Engine: honest(), tell: func(c *engine.Chunk) {
			for i := range c.Tokens {
				c.Tokens[i].LogProb = -0.1
			}
		}})},
		{"an early stop", "breaks off", serve(cheat{Engine: honest(), emit: 9, end: func(r *engine.Result) { r.Finish = engine.FinishStop }})},
		{"a short answer that is said to be long", "breaks off", serve(cheat{Engine: honest(), emit: 9})},
		{"another text than its tokens'", "its text is not that of its tokens", serve(cheat{Engine: honest(), tell: func(c *engine.Chunk) { c.Text = strings.ToUpper(c.Text) }})},
		{"a prompt that is charged for more", "tokens of the prompt are charged", serve(miscounter{honest()})},
		{"an engine of which nobody can tell", "not verifiable", serve(unsure{honest()})},
		{"another model, honestly", "not the subnet's model", judgedMiner{MinerConfig: MinerConfig{Engine: honest(), Claim: &elsewhere}}},
		{"no room for an answer", "it holds 10 tokens", judgedMiner{MinerConfig: MinerConfig{Engine: honest(), Claim: &narrow}}},
	}
	miners := []judgedMiner{serve(honest())}
	for _, c := range cheats {
		miners = append(miners, c.miner)
	}
	j := newJudged(t, ValidatorConfig{AtOnce: 16, MaxTokens: 128}, "", miners...)
	var found []RoundMiner
	for range 4 { // as much as is needed for the least of them
		found, _ = j.round(t)
		require.NotNil(t, found[0].Score, found[0].Error)
		require.Positive(t, *found[0].Score, "honest: %s", found[0].Error)
		require.True(t, found[0].Fidelity.Pass)
		require.Zero(t, found[0].Fidelity.MaxMargin)
	}
	for i, c := range cheats {
		m := found[i+1]
		require.NotNil(t, m.Score, c.name)
		require.Zero(t, *m.Score, "%s: %+v", c.name, m)
		require.Contains(t, m.Error, c.why, c.name)
	}
}

func TestWhoIsSlowOrAwayGetsLess(t *testing.T) {
	every := func(n int, h http.Handler) http.Handler { // answers every nth call, but for cards
		calls := 0
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				if calls++; calls%n != 0 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
			}
			h.ServeHTTP(w, r)
		})
	}
	hangs := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	slow := memory.New(memory.Options{Wait: memory.Every(15 * time.Millisecond)})
	late := memory.New(memory.Options{Wait: func(ctx context.Context, place int) error {
		if place == 0 {
			return memory.Every(300*time.Millisecond)(ctx, 0)
		}
		return memory.Every(time.Millisecond)(ctx, 0)
	}})
	j := newJudged(t, ValidatorConfig{Load: 2, MaxTokens: 96}, `{"reference_speed":500}`,
		serve(honest()), serve(slow), serve(late), judgedMiner{MinerConfig: MinerConfig{Engine: honest()}, wrap: func(h http.Handler) http.Handler { return every(3, h) }},
		judgedMiner{MinerConfig: MinerConfig{Engine: honest()}, wrap: hangs}, serve(honest()))
	j.mesh.servers["m5"].Close()
	began := time.Now()
	found, scores := j.round(t)
	require.Less(t, time.Since(began), 15*time.Second, "one that hangs holds nobody up for long")
	for range 2 {
		found, scores = j.round(t)
	}
	require.Positive(t, scores[0])
	require.Less(t, scores[1], 0.6*scores[0], "slow")
	require.Less(t, scores[2], 0.8*scores[0], "late to begin")
	require.Positive(t, scores[2])
	require.InDelta(t, 1.0/3, found[3].Availability, 0.01)
	require.Less(t, scores[3], 0.6*scores[0], "it answers a third")
	require.Zero(t, scores[4], "it never answers")
	require.Equal(t, 0, found[4].Answered)
	require.Contains(t, found[4].Error, "no token came in time")
	require.Zero(t, scores[5], "it is not there")
	require.Zero(t, found[5].Availability)
}

func TestSpeedAndPriceAreCapped(t *testing.T) {
	p := DefaultParams()
	good := func(change func(*Measured)) float64 {
		m := Measured{Verdict: fidelity.Verdict{Tokens: 1000, Pass: true}, Verifiable: true, Model: true, Availability: 1, Tokens: 1000, Took: 50 * time.Second, Price: p.ReferencePrice}
		if change != nil {
			change(&m)
		}
		s, ok := Score(m, p)
		require.True(t, ok)
		return s
	}
	one := good(nil)
	require.InDelta(t, 1, one, 1e-6)
	require.InDelta(t, 2*one, good(func(m *Measured) { m.Took /= 2 }), 1e-6, "twice as fast is worth twice as much: to split a machine in two gains nothing")
	require.InDelta(t, 2*one, good(func(m *Measured) { m.Price /= 2 }), 1e-6)
	require.InDelta(t, one/2, good(func(m *Measured) { m.Availability = 0.5 }), 1e-6)
	require.Less(t, good(func(m *Measured) { m.Took += 5 * time.Second; m.Price *= 2 }), one/2, "a relay pays the miner that it asks, and comes later")
	free := good(func(m *Measured) { m.Price = 0 })
	require.InDelta(t, p.PriceCap*one, free, 1e-6)
	require.Equal(t, free, good(func(m *Measured) { m.Price = 1 }), "below a quarter of the reference nothing is gained")
	require.InDelta(t, p.SpeedCap, good(func(m *Measured) { m.Took = 1 }), 1e-6, "a burst is not worth the subnet")
	require.Zero(t, good(func(m *Measured) { m.Price = p.MaxPrice() + 1 }))
	require.Positive(t, good(func(m *Measured) { m.Price = p.MaxPrice() }))
	require.Zero(t, good(func(m *Measured) { m.Verdict.Pass = false }))
	require.Zero(t, good(func(m *Measured) { m.Verifiable = false }))
	require.Zero(t, good(func(m *Measured) { m.Model = false }))
	require.Zero(t, good(func(m *Measured) { m.Tokens, m.Took = 0, 0 }))
	_, ok := Score(Measured{Verdict: fidelity.Verdict{Tokens: fidelity.Enough - 1, Pass: true}, Verifiable: true, Model: true, Availability: 1, Tokens: 1, Took: 1}, p)
	require.False(t, ok, "nobody is paid by a handful of tokens, nor punished")
}
