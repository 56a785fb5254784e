package inference_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/minertest"
)

// price is what a million units cost in these tests: a unit is 1,000 rao.
const price = 1_000_000_000

func ask(text string) inference.Generate {
	return inference.Generate{Request: engine.Request{
		Prompt: engine.Prompt{Text: text}, Sampling: engine.Sampling{Temperature: 1, Seed: 7}, MaxTokens: 64,
	}}
}

// gather is what came of a call.
type gather struct {
	events []inference.Event
	text   string
}

func (g *gather) take(ev inference.Event) error {
	g.events = append(g.events, ev)
	g.text += ev.Text
	return nil
}

// direct is what an engine says when nothing lies between.
func direct(t *testing.T, e engine.Engine, r engine.Request) (string, engine.Result) {
	t.Helper()
	var text strings.Builder
	result, err := e.Generate(t.Context(), r, func(c engine.Chunk) error { text.WriteString(c.Text); return nil })
	require.NoError(t, err)
	return text.String(), result
}

func ids(tokens []inference.Token) []int32 {
	var out []int32
	for _, t := range tokens {
		out = append(out, t.ID)
	}
	return out
}

func TestAnAnswerComesAsTheEngineGivesItAndIsPaidFor(t *testing.T) {
	for name, rao := range map[string]uint64{"free": 0, "sold": price} {
		t.Run(name, func(t *testing.T) {
			e := memory.New(memory.Options{})
			chain := sellertest.NewChain()
			m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e, Price: rao})
			c := minertest.NewCustomer(t, chain, "customer", m)
			to := m.Remote(t, c.Caller)
			require.Equal(t, rao, to.Card.Price)
			require.Equal(t, e.Info(), to.Card.Engine)

			for _, stop := range [][]string{nil, {"e"}} {
				r := ask("Tell me a story.")
				r.Stop, r.TopLogProbs, r.Bytes = stop, 3, true
				text, result := direct(t, e, r.Request)
				var got gather
				a, err := c.Generate(t.Context(), to, r, got.take)
				require.NoError(t, err)
				require.Equal(t, text, got.text)
				require.Equal(t, result.Answer, ids(a.Tokens))
				require.Equal(t, result.Finish, a.Finish)
				require.Equal(t, result.StopString, a.StopString)
				require.Equal(t, result.Usage.Prompt, a.Prompt)
				require.Equal(t, result.Usage.Completion, a.Completion)
				require.Equal(t, len("Tell me a story."), got.events[0].Prompt)
				require.True(t, a.Started)
				require.Len(t, got.events[0].Tokens[0].Top, 3)
				require.NotEmpty(t, got.events[0].Tokens[0].Bytes)
				if stop != nil {
					require.Equal(t, "e", a.StopString)
				}
				if rao > 0 {
					paid := c.Ledger(t)
					require.Equal(t, 1000*inference.Units(a.Prompt, a.Completion), paid[len(paid)-1].Charged)
				}
			}
			n, err := c.Count(t.Context(), to, engine.Prompt{Text: "seven b"})
			require.NoError(t, err)
			require.Equal(t, 7, n)
			place, err := c.Embed(t.Context(), to, inference.Embed{Prompt: engine.Prompt{Text: "seven b"}})
			require.NoError(t, err)
			want, err := e.Embed(t.Context(), engine.Prompt{Text: "seven b"})
			require.NoError(t, err)
			require.Equal(t, want, place)
			if rao > 0 {
				paid := c.Ledger(t)
				require.Len(t, paid, 3)
				require.Equal(t, 1000*inference.Units(7, 0), paid[2].Charged)
				for _, p := range paid {
					require.EqualValues(t, "paid", p.State)
				}
			}
			s := m.Stats()
			require.Equal(t, uint64(4-1), s.Answered)
			require.Zero(t, s.Failed+s.Refused+s.Left)
			require.Zero(t, s.Open)
		})
	}
}

func TestALongAnswerIsPaidOnWhileItComes(t *testing.T) {
	e := memory.New(memory.Options{Context: 1 << 16, Answer: func(string) string { return strings.Repeat("word ", 400) }})
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e, Price: price})
	c := minertest.NewCustomer(t, chain, "customer", m)
	to := m.Remote(t, c.Caller)
	r := ask("x")
	r.MaxTokens = 0
	var got gather
	a, err := c.Generate(t.Context(), to, r, got.take)
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("word ", 400), got.text)
	require.Equal(t, 2001, a.Completion)
	paid := c.Ledger(t)
	require.Len(t, paid, 1)
	require.Equal(t, uint64(1000*(1+2001)), paid[0].Charged)

	// A prompt that is more than was reserved is asked for in the stream, before anything
	// is done for it: a byte is a token here, and most are four.
	long := ask(strings.Repeat("y", 20_000))
	long.MaxTokens = 1
	a, err = c.Generate(t.Context(), to, long, nil)
	require.NoError(t, err)
	require.Equal(t, 20_000, a.Prompt)
	paid = c.Ledger(t)
	require.Equal(t, uint64(1000*(5000+1)), paid[1].Charged)
}

func TestManyCallersGetTheirOwnAnswers(t *testing.T) {
	e := memory.New(memory.Options{Answer: func(prompt string) string { return "you said " + prompt }, Wait: memory.Every(50 * time.Microsecond)})
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e, Price: price})
	const customers, calls = 3, 12
	done := make(chan error, customers*calls)
	wrong := make(chan string, customers*calls)
	for i := range customers {
		c := minertest.NewCustomer(t, chain, strings.Repeat("c", i+1), m)
		to := m.Remote(t, c.Caller)
		for j := range calls {
			go func() {
				said := strings.Repeat(string(rune('a'+i)), 10*j+1)
				r := ask(said)
				r.MaxTokens = 0
				var got gather
				_, err := c.Generate(context.WithoutCancel(t.Context()), to, r, got.take)
				if err == nil && got.text != "you said "+said {
					wrong <- got.text
				}
				done <- err
			}()
		}
	}
	for range customers * calls {
		require.NoError(t, <-done)
	}
	require.Empty(t, wrong)
	require.Equal(t, uint64(customers*calls), m.Stats().Answered)
}
