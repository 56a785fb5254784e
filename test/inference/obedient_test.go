package inference_test

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lodenet/lode/subnets/inference/api/apitest"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
)

// obedient is an engine that does what the last message says, as package apitest's backend
// does, so that the same clients' tests run through miners. It knows nothing of choices,
// and no refusals but an engine's own. Its tokens are four bytes of an answer and three of a
// prompt.
type obedient struct {
	ended chan error // of answers that go on forever
}

const (
	obedientContext = 1000
	vocabulary      = 1 << 24 // of 3 bytes
	between         = "\x00"  // of messages, in a prompt
)

func (obedient) Info() engine.Info {
	return engine.Info{Model: apitest.Model, Digest: fmt.Sprintf("%064x", 0), Backend: "obedient", Context: obedientContext, Slots: 64,
		Vocabulary: vocabulary, Dimensions: 3, Threads: 1, Chat: true, Grammar: true, Verifiable: true}
}

// Tokens are a prompt's bytes, three a token, the first the lowest.
func (obedient) Tokens(_ context.Context, p engine.Prompt) ([]int32, error) {
	if len(p.Tokens) > 0 {
		return p.Tokens, nil
	}
	said := p.Text
	if p.Chat != nil {
		var all []string
		for _, m := range p.Chat.Messages {
			all = append(all, m.Role, m.Content)
		}
		said = strings.Join(all, between)
	}
	var out []int32
	for len(said) > 0 {
		id := int32(0)
		n := min(3, len(said))
		for i := range n {
			id |= int32(said[i]) << (8 * i)
		}
		out, said = append(out, id), said[n:]
	}
	if len(out) >= obedientContext {
		return nil, &engine.TooLongError{Tokens: len(out), Context: obedientContext}
	}
	return out, nil
}

// last is what a prompt ends with. None ends with a zero byte.
func last(tokens []int32) string {
	var said []byte
	for _, id := range tokens {
		said = append(said, byte(id), byte(id>>8), byte(id>>16))
	}
	all := strings.Split(strings.TrimRight(string(said), between), between)
	return all[len(all)-1]
}

func (o obedient) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	result := engine.Result{Finish: engine.FinishCancelled}
	prompt, err := o.Tokens(ctx, r.Prompt)
	if err != nil {
		return result, err
	}
	result.Usage.Prompt = len(prompt)
	asked := last(prompt)
	verb, rest, _ := strings.Cut(asked, " ")
	breaks, text := -1, "you said: "+asked
	switch {
	case verb == "say":
		text = rest
	case verb == "refuse" && rest == "grammar":
		return result, engine.ErrGrammar
	case verb == "refuse":
		return result, engine.ErrBusy
	case verb == "break":
		parts := strings.SplitN(rest, " ", 3)
		if breaks, err = strconv.Atoi(parts[0]); err != nil {
			return result, err
		}
		text = parts[2]
	case verb == "forever":
		err := o.forever(ctx, emit)
		o.ended <- err
		return result, err
	case len(r.Grammar.Schema) > 0:
		if text, err = apitest.Least(r.Grammar.Schema); err != nil {
			return result, engine.ErrGrammar
		}
	}
	pieces := engine.NewText(r.Stop)
	for step := 0; len(text) > 0; step++ {
		if step == breaks {
			return result, engine.ErrGone
		}
		if err := ctx.Err(); err != nil {
			return result, err
		}
		n := min(4, len(text))
		t := engine.Token{ID: int32(step), Bytes: []byte(text[:n]), LogProb: -0.25 * float64(step%3)}
		for i := range r.TopLogProbs {
			t.Top = append(t.Top, engine.Alternative{ID: int32(i), Bytes: []byte(strings.Repeat("x", i+1)), LogProb: -0.5 * float64(i+1)})
		}
		text = text[n:]
		result.Answer = append(result.Answer, t.ID)
		result.Usage.Completion++
		c, stop := pieces.Add(t)
		if err := give(emit, c); err != nil {
			return result, err
		}
		if stop != "" {
			result.Finish, result.StopString = engine.FinishStop, stop
			return result, nil
		}
		if len(text) > 0 && step+1 == r.MaxTokens {
			result.Finish = engine.FinishLength
			return result, give(emit, pieces.Flush())
		}
	}
	result.Finish = engine.FinishStop
	return result, give(emit, pieces.Flush())
}

func give(emit func(engine.Chunk) error, c engine.Chunk) error {
	if c.Text == "" && len(c.Tokens) == 0 {
		return nil
	}
	return emit(c)
}

// forever answers at a model's pace: a token each 5 ms until nobody listens, and at most as
// many as the context holds.
func (obedient) forever(ctx context.Context, emit func(engine.Chunk) error) error {
	pace := memory.Every(5 * time.Millisecond)
	for i := range obedientContext {
		if err := pace(ctx, i); err != nil {
			return err
		}
		if err := emit(engine.Chunk{Text: "on, ", Tokens: []engine.Token{{ID: int32(i), Bytes: []byte("on, "), LogProb: -1}}}); err != nil {
			return err
		}
	}
	return nil
}

func (obedient) Score(context.Context, engine.ScoreRequest) ([]engine.TokenScore, error) {
	return nil, engine.ErrUnsupported
}

// Embed is apitest's vector, at the length of 1 that miners' have.
func (o obedient) Embed(ctx context.Context, p engine.Prompt) (engine.Embedding, error) {
	tokens, err := o.Tokens(ctx, p)
	if err != nil {
		return engine.Embedding{}, err
	}
	n := float64(len(last(tokens)))
	length := math.Sqrt(n*n + 0.5*0.5 + 0.25*0.25)
	return engine.Embedding{Vector: []float32{float32(n / length), float32(0.5 / length), float32(-0.25 / length)}, Tokens: len(tokens)}, nil
}

func (obedient) Close() error { return nil }

// failing is an engine that takes requests and never comes to a first token.
type failing struct{ engine.Engine }

func (failing) Generate(context.Context, engine.Request, func(engine.Chunk) error) (engine.Result, error) {
	return engine.Result{Finish: engine.FinishCancelled}, engine.ErrGone
}

func (failing) Embed(context.Context, engine.Prompt) (engine.Embedding, error) {
	return engine.Embedding{}, engine.ErrGone
}
