// Package enginetest is the test suite of every [engine.Engine].
package enginetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// Flag is the margin over which a token is not what an honest engine picks.
const Flag = 0.05

// Run tests an engine. What it can't do by its Info must fail with [engine.ErrUnsupported]
// or [engine.ErrGrammar]; all else must work. The engine is not closed.
func Run(t *testing.T, e engine.Engine) {
	t.Run("an answer comes in pieces and is accounted for", func(t *testing.T) { answers(t, e) })
	t.Run("the same seed gives the same answer and another another", func(t *testing.T) { seeds(t, e) })
	t.Run("sixteen at once are answered as alone", func(t *testing.T) { together(t, e) })
	t.Run("an answer ends at max_tokens", func(t *testing.T) { lengths(t, e) })
	t.Run("an answer ends before a stop string", func(t *testing.T) { stops(t, e) })
	t.Run("log-probabilities are those of the model", func(t *testing.T) { logProbs(t, e) })
	t.Run("a caller who leaves ends the answer", func(t *testing.T) { cancels(t, e) })
	t.Run("too long a prompt is refused before anything is made", func(t *testing.T) { tooLong(t, e) })
	t.Run("hostile requests are refused with what is wrong", func(t *testing.T) { hostile(t, e) })
	t.Run("an honest answer scores as honest and others don't", func(t *testing.T) { scores(t, e) })
	t.Run("a schema is kept to", func(t *testing.T) { schemas(t, e) })
	t.Run("texts have places", func(t *testing.T) { embeds(t, e) })
}

func ask(text string) engine.Prompt {
	return engine.Prompt{Chat: &engine.Chat{Messages: []engine.Message{{Role: "user", Content: text}}}}
}

const question = "Tell me a story."

// answer generates and checks what holds for every answer.
func answer(t *testing.T, e engine.Engine, r engine.Request) (string, []engine.Token, engine.Result) {
	t.Helper()
	text, tokens, result, err := try(t.Context(), e, r)
	require.NoError(t, err)
	return text, tokens, result
}

func try(ctx context.Context, e engine.Engine, r engine.Request) (string, []engine.Token, engine.Result, error) {
	var text strings.Builder
	var tokens []engine.Token
	result, err := e.Generate(ctx, r, func(c engine.Chunk) error {
		if !utf8.ValidString(c.Text) {
			return fmt.Errorf("%q is not UTF-8", c.Text)
		}
		text.WriteString(c.Text)
		tokens = append(tokens, c.Tokens...)
		return nil
	})
	return text.String(), tokens, result, err
}

func answers(t *testing.T, e engine.Engine) {
	pieces := 0
	var text string
	result, err := e.Generate(t.Context(), engine.Request{Prompt: ask(question), MaxTokens: 40}, func(c engine.Chunk) error {
		pieces++
		text += c.Text
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, text)
	require.Greater(t, pieces, 1)
	require.Contains(t, []engine.Finish{engine.FinishStop, engine.FinishLength}, result.Finish)
	require.Positive(t, result.Usage.Prompt)
	require.Positive(t, result.Usage.Completion)

	silent, err := e.Generate(t.Context(), engine.Request{Prompt: ask(question), MaxTokens: 40}, nil)
	require.NoError(t, err, "without anyone who listens")
	require.Equal(t, result, silent)
	if !e.Info().Verifiable {
		return
	}
	require.Len(t, result.Answer, result.Usage.Completion)
	tokens, err := e.Tokens(t.Context(), ask(question))
	require.NoError(t, err)
	require.Len(t, tokens, result.Usage.Prompt)
	same, _, byTokens := answer(t, e, engine.Request{Prompt: engine.Prompt{Tokens: tokens}, MaxTokens: 40})
	require.Equal(t, text, same, "a prompt in tokens is the same prompt")
	require.Equal(t, result, byTokens)
}

func seeds(t *testing.T, e engine.Engine) {
	if !e.Info().Verifiable {
		t.Log("its sampler is its own")
		return
	}
	texts := map[string]bool{}
	for seed := range uint64(4) {
		r := engine.Request{Prompt: ask(question), Sampling: engine.Sampling{Temperature: 1.5, Seed: seed}, MaxTokens: 30}
		one, _, _ := answer(t, e, r)
		two, _, _ := answer(t, e, r)
		require.Equal(t, one, two)
		texts[one] = true
	}
	require.Greater(t, len(texts), 2)
}

func together(t *testing.T, e engine.Engine) {
	const n = 16
	request := func(i int) engine.Request {
		return engine.Request{Prompt: ask(question + strings.Repeat(" Please.", i)),
			Sampling: engine.Sampling{Temperature: 1, Seed: uint64(i)}, MaxTokens: 24 + i}
	}
	var texts [n]string
	var results [n]engine.Result
	var errs [n]error
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { texts[i], _, results[i], errs[i] = try(t.Context(), e, request(i)) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs[:]...))
	if !e.Info().Verifiable {
		return
	}
	// The shape of a batch moves logits in their last bits: a pick that was a near tie may
	// fall the other way. It must be rare, and a validator must not see it.
	same := 0
	for i := range n {
		alone, _, _ := answer(t, e, request(i))
		if alone == texts[i] {
			same++
		}
		honest(t, e, request(i), results[i].Answer)
	}
	require.GreaterOrEqual(t, same, n-2, "answers that are the same together and alone")
}

// honest scores an answer and requires that no token is flagged.
func honest(t *testing.T, e engine.Engine, r engine.Request, tokens []int32) []engine.TokenScore {
	t.Helper()
	scores, err := e.Score(t.Context(), engine.ScoreRequest{Prompt: r.Prompt, Answer: tokens, Sampling: r.Sampling})
	require.NoError(t, err)
	require.Len(t, scores, len(tokens))
	for i, s := range scores {
		require.LessOrEqual(t, s.Margin, Flag, "token %d of %d", i, len(tokens))
	}
	return scores
}

func lengths(t *testing.T, e engine.Engine) {
	_, _, result := answer(t, e, engine.Request{Prompt: ask(question), MaxTokens: 3})
	require.Equal(t, engine.FinishLength, result.Finish)
	require.Equal(t, 3, result.Usage.Completion)
	if e.Info().Context > 0 && e.Info().Context <= 8192 {
		_, _, result := answer(t, e, engine.Request{Prompt: ask(question), MaxTokens: math.MaxInt})
		require.LessOrEqual(t, result.Usage.Prompt+result.Usage.Completion, e.Info().Context, "as much as the context holds")
	}
}

func stops(t *testing.T, e engine.Engine) {
	whole, _, _ := answer(t, e, engine.Request{Prompt: ask(question), MaxTokens: 40})
	runes := []rune(whole)
	require.Greater(t, len(runes), 12)
	stop := string(runes[6:11]) // of several tokens
	before, _, _ := strings.Cut(whole, stop)
	text, tokens, result := answer(t, e, engine.Request{Prompt: ask(question), MaxTokens: 40, Stop: []string{"\x01never", stop}})
	require.Equal(t, before, text)
	require.Equal(t, engine.FinishStop, result.Finish)
	if e.Info().Verifiable {
		require.Equal(t, stop, result.StopString)
		require.LessOrEqual(t, len(tokens), len(result.Answer), "what was picked counts")
		var said []byte
		for _, tok := range tokens {
			said = append(said, tok.Bytes...)
		}
		require.True(t, bytes.HasPrefix(said, []byte(before)))
	}
}

func logProbs(t *testing.T, e engine.Engine) {
	if !e.Info().Verifiable {
		t.Log("it may have none")
		return
	}
	r := engine.Request{Prompt: ask(question), MaxTokens: 20, TopLogProbs: 5, Sampling: engine.Sampling{Temperature: 0.5, TopP: 0.9, Seed: 1}}
	text, tokens, result := answer(t, e, r)
	require.NotEmpty(t, tokens)
	var said []byte
	for _, tok := range tokens {
		said = append(said, tok.Bytes...)
		require.LessOrEqual(t, tok.LogProb, 0.0)
		require.Len(t, tok.Top, 5)
		var sum float64
		for i, alt := range tok.Top {
			sum += math.Exp(alt.LogProb)
			require.True(t, i == 0 || alt.LogProb <= tok.Top[i-1].LogProb, "likeliest first")
			if alt.ID == tok.ID {
				require.Equal(t, tok.LogProb, alt.LogProb)
			}
		}
		require.LessOrEqual(t, sum, 1+1e-6)
	}
	require.Equal(t, text, string(said))

	// Temperature and filters leave them as they are.
	greedy := engine.Request{Prompt: ask(question), MaxTokens: 1, TopLogProbs: 1}
	_, first, _ := answer(t, e, greedy)
	greedy.Temperature = 2
	_, second, _ := answer(t, e, greedy)
	require.InDelta(t, first[0].Top[0].LogProb, second[0].Top[0].LogProb, 1e-3)
	require.Equal(t, first[0].LogProb, first[0].Top[0].LogProb)

	_, without, _ := answer(t, e, engine.Request{Prompt: ask(question), MaxTokens: 1})
	require.Empty(t, without[0].Top, "on demand only")

	scores := honest(t, e, r, result.Answer)
	for i, tok := range tokens {
		require.InDelta(t, tok.LogProb, scores[i].LogProb, 0.05, "prefill and decode agree")
		require.Equal(t, string(tok.Bytes), string(scores[i].Bytes))
	}
	for i, s := range scores {
		require.Equal(t, result.Finish == engine.FinishStop && i == len(scores)-1, s.End, "token %d of %d ends the answer", i, len(scores))
	}
}

func cancels(t *testing.T, e engine.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	pieces := 0
	result, err := e.Generate(ctx, engine.Request{Prompt: ask(question), Sampling: engine.Sampling{Temperature: 1}}, func(engine.Chunk) error {
		if pieces++; pieces == 3 {
			cancel()
		}
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, engine.FinishCancelled, result.Finish)
	require.Equal(t, 3, pieces, "nothing is said to who has left")
	require.GreaterOrEqual(t, result.Usage.Completion, 3)

	broken := errors.New("the reader is gone")
	pieces = 0
	result, err = e.Generate(t.Context(), engine.Request{Prompt: ask(question)}, func(engine.Chunk) error {
		pieces++
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.Equal(t, engine.FinishCancelled, result.Finish)
	require.Equal(t, 1, pieces)

	_, _, result, err = try(ctx, e, engine.Request{Prompt: ask(question)})
	require.ErrorIs(t, err, context.Canceled, "who was gone before")
	require.Zero(t, result.Usage.Completion)

	// Those who leave make room: many more than there are slots.
	for range 3 * max(e.Info().Slots, 1) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := e.Generate(ctx, engine.Request{Prompt: ask(question)}, func(engine.Chunk) error { cancel(); return nil })
		cancel()
		require.ErrorIs(t, err, context.Canceled)
	}
	answer(t, e, engine.Request{Prompt: ask(question), MaxTokens: 2})
}

func tooLong(t *testing.T, e engine.Engine) {
	if e.Info().Context == 0 {
		t.Log("it does not tell its context")
		return
	}
	long := ask(strings.Repeat("word ", e.Info().Context+1))
	emitted := false
	result, err := e.Generate(t.Context(), engine.Request{Prompt: long}, func(engine.Chunk) error { emitted = true; return nil })
	require.ErrorIs(t, err, engine.ErrTooLong)
	require.False(t, emitted)
	require.Zero(t, result.Usage.Completion)
	require.False(t, engine.Retryable(err))
	var detail *engine.TooLongError
	require.ErrorAs(t, err, &detail)
	require.Equal(t, e.Info().Context, detail.Context)
	require.Greater(t, detail.Tokens, detail.Context)
	if !e.Info().Verifiable {
		return
	}
	_, err = e.Tokens(t.Context(), long)
	require.ErrorIs(t, err, engine.ErrTooLong)
	_, err = e.Score(t.Context(), engine.ScoreRequest{Prompt: ask("x"), Answer: make([]int32, e.Info().Context)})
	require.ErrorIs(t, err, engine.ErrTooLong)
	_, err = e.Embed(t.Context(), long)
	require.ErrorIs(t, err, engine.ErrTooLong)
}

func hostile(t *testing.T, e engine.Engine) {
	nan := math.NaN()
	for name, r := range map[string]engine.Request{
		"no prompt":            {},
		"two prompts":          {Prompt: engine.Prompt{Text: "a", Tokens: []int32{1}}},
		"no messages":          {Prompt: engine.Prompt{Chat: &engine.Chat{}}},
		"no role":              {Prompt: engine.Prompt{Chat: &engine.Chat{Messages: []engine.Message{{Content: "x"}}}}},
		"invalid UTF-8":        {Prompt: ask("a\xff")},
		"a zero byte":          {Prompt: ask("a\x00b")},
		"a zero byte in tools": {Prompt: engine.Prompt{Chat: &engine.Chat{Messages: []engine.Message{{Role: "user", Content: "x"}}, Tools: json.RawMessage("[\x00]")}}},
		"too many messages":    {Prompt: engine.Prompt{Chat: &engine.Chat{Messages: make([]engine.Message, engine.MaxMessages+1)}}},
		"17 MB of prompt":      {Prompt: ask(strings.Repeat("x", 17<<20))},
		"negative max_tokens":  {Prompt: ask("x"), MaxTokens: -1},
		"five stops":           {Prompt: ask("x"), Stop: []string{"a", "b", "c", "d", "e"}},
		"an empty stop":        {Prompt: ask("x"), Stop: []string{""}},
		"a stop of no UTF-8":   {Prompt: ask("x"), Stop: []string{"\xff"}},
		"a long stop":          {Prompt: ask("x"), Stop: []string{strings.Repeat("x", 1000)}},
		"negative temperature": {Prompt: ask("x"), Sampling: engine.Sampling{Temperature: -1}},
		"temperature NaN":      {Prompt: ask("x"), Sampling: engine.Sampling{Temperature: nan}},
		"temperature Inf":      {Prompt: ask("x"), Sampling: engine.Sampling{Temperature: math.Inf(1)}},
		"a tiny temperature":   {Prompt: ask("x"), Sampling: engine.Sampling{Temperature: 1e-300}},
		"top_p NaN":            {Prompt: ask("x"), Sampling: engine.Sampling{TopP: nan}},
		"top_p 2":              {Prompt: ask("x"), Sampling: engine.Sampling{TopP: 2}},
		"top_p −1":             {Prompt: ask("x"), Sampling: engine.Sampling{TopP: -1}},
		"21 alternatives":      {Prompt: ask("x"), TopLogProbs: 21},
		"a large grammar":      {Prompt: ask("x"), Sampling: engine.Sampling{Grammar: engine.Grammar{GBNF: strings.Repeat("x", 1<<20)}}},
		"grammar and schema":   {Prompt: ask("x"), Sampling: engine.Sampling{Grammar: engine.Grammar{GBNF: "x", Schema: json.RawMessage("{}")}}},
	} {
		result, err := e.Generate(t.Context(), r, func(engine.Chunk) error { return errors.New("something was said") })
		require.ErrorIs(t, err, engine.ErrInvalid, name)
		require.Zero(t, result.Usage.Completion, name)
		require.False(t, engine.Retryable(err), name)
		require.Less(t, len(err.Error()), 300, name)
	}
	for name, g := range map[string]engine.Grammar{
		"no grammar":    {GBNF: "what is this"},
		"no schema":     {Schema: json.RawMessage(`{"type":`)},
		"not a schema":  {Schema: json.RawMessage(`17`)},
		"unknown type":  {Schema: json.RawMessage(`{"type":"poem"}`)},
		"unenforceable": {Schema: json.RawMessage(`{"type":"string","pattern":"^a"}`)},
		"without end":   {Schema: json.RawMessage(`{"anyOf":[{"$ref":"#"}]}`)},
	} {
		_, _, _, err := try(t.Context(), e, engine.Request{Prompt: ask("x"), Sampling: engine.Sampling{Grammar: g}, MaxTokens: 5})
		require.ErrorIs(t, err, engine.ErrGrammar, name)
		require.False(t, engine.Retryable(err), name)
	}
	if !e.Info().Verifiable {
		return
	}
	for name, tokens := range map[string][]int32{"a token below": {-1}, "a token above": {int32(e.Info().Vocabulary)}, "far above": {math.MaxInt32}} {
		_, _, _, err := try(t.Context(), e, engine.Request{Prompt: engine.Prompt{Tokens: tokens}, MaxTokens: 5})
		require.ErrorIs(t, err, engine.ErrInvalid, name)
		_, err = e.Score(t.Context(), engine.ScoreRequest{Prompt: ask("x"), Answer: tokens})
		require.ErrorIs(t, err, engine.ErrInvalid, name)
	}
	_, err := e.Score(t.Context(), engine.ScoreRequest{Prompt: ask("x")})
	require.ErrorIs(t, err, engine.ErrInvalid)
	answer(t, e, engine.Request{Prompt: ask("x"), MaxTokens: 2}) // it has survived
}

func scores(t *testing.T, e engine.Engine) {
	r := engine.Request{Prompt: ask(question), Sampling: engine.Sampling{Temperature: 1.3, Seed: 5}, MaxTokens: 60}
	if !e.Info().Verifiable {
		_, err := e.Score(t.Context(), engine.ScoreRequest{Prompt: r.Prompt, Answer: []int32{1}})
		require.ErrorIs(t, err, engine.ErrUnsupported)
		return
	}
	for _, topP := range []float64{0, 0.7} {
		r.TopP = topP
		_, _, result := answer(t, e, r)
		honest(t, e, r, result.Answer)
		other := r
		other.Seed++
		require.Greater(t, mean(t, e, other, result.Answer), Flag, "another seed")
		changed := append([]int32(nil), result.Answer...)
		changed[len(changed)/2] = 'x'
		require.Greater(t, mean(t, e, r, changed)*float64(len(changed)), Flag, "a token that was exchanged")
	}
	greedy := engine.Request{Prompt: ask(question), MaxTokens: 60}
	_, _, result := answer(t, e, greedy)
	honest(t, e, greedy, result.Answer)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.Score(ctx, engine.ScoreRequest{Prompt: r.Prompt, Answer: result.Answer})
	require.ErrorIs(t, err, context.Canceled)
}

func mean(t *testing.T, e engine.Engine, r engine.Request, tokens []int32) float64 {
	t.Helper()
	scores, err := e.Score(t.Context(), engine.ScoreRequest{Prompt: r.Prompt, Answer: tokens, Sampling: r.Sampling})
	require.NoError(t, err)
	var sum float64
	for _, s := range scores {
		require.False(t, s.Margin < 0 || s.Margin > engine.MaxMargin)
		sum += s.Margin
	}
	return sum / float64(len(scores))
}

func schemas(t *testing.T, e engine.Engine) {
	schema := json.RawMessage(`{"type":"object","properties":{"city":{"type":"string","maxLength":12},"count":{"type":"integer"},"kind":{"enum":["big","small"]}},"required":["city","kind"],"additionalProperties":false}`)
	r := engine.Request{Prompt: ask("Which city?"), MaxTokens: 150, Sampling: engine.Sampling{Temperature: 1, Seed: 2, Grammar: engine.Grammar{Schema: schema}}}
	if !e.Info().Grammar {
		_, _, _, err := try(t.Context(), e, r)
		require.ErrorIs(t, err, engine.ErrGrammar)
		return
	}
	for _, topP := range []float64{0, 0.8} {
		r.TopP = topP
		text, _, result := answer(t, e, r)
		require.Equal(t, engine.FinishStop, result.Finish, text)
		var got struct {
			City  *string
			Count *int64
			Kind  string
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&got), text)
		require.NotNil(t, got.City)
		require.Contains(t, []string{"big", "small"}, got.Kind)
		if e.Info().Verifiable {
			honest(t, e, r, result.Answer)
			free := r
			free.Grammar = engine.Grammar{}
			_, _, other := answer(t, e, free)
			require.Greater(t, mean(t, e, r, other.Answer), Flag, "an answer without the grammar")
		}
	}
}

func embeds(t *testing.T, e engine.Engine) {
	one, err := e.Embed(t.Context(), engine.Prompt{Text: "the sea"})
	if e.Info().Dimensions == 0 {
		require.ErrorIs(t, err, engine.ErrUnsupported)
		return
	}
	require.NoError(t, err)
	require.Len(t, one.Vector, e.Info().Dimensions)
	require.Positive(t, one.Tokens)
	two, err := e.Embed(t.Context(), engine.Prompt{Text: "something else"})
	require.NoError(t, err)
	again, err := e.Embed(t.Context(), engine.Prompt{Text: "the sea"})
	require.NoError(t, err)
	product := func(a, b []float32) (sum float64) {
		for i := range a {
			sum += float64(a[i]) * float64(b[i])
		}
		return sum
	}
	require.InDelta(t, 1, product(one.Vector, one.Vector), 1e-5)
	require.InDelta(t, 1, product(one.Vector, again.Vector), 1e-5)
	require.Less(t, product(one.Vector, two.Vector), 0.999)
}
