package fidelity

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lodenet/lode/subnets/inference/engine"
)

// ErrExact is wrapped by errors about an answer that no honest miner gives, whatever its
// arithmetic.
var ErrExact = errors.New("the answer is not one of the model's")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrExact}, args...)...)
}

// Answer is an answer as it came, and the bounds that it was asked with.
type Answer struct {
	MaxTokens int      // 0: as many as the context holds
	Context   int      // tokens of prompt and answer, as the miner's card promises
	Stop      []string // strings that end it

	Prompt     int // the prompt's tokens, as the miner counts
	Tokens     []int32
	LogProbs   []float64 // as many
	Text       string
	Finish     engine.Finish
	StopString string
}

// Exact checks what chance has no part in: the count of the prompt, the answer's text, and
// that it ends where its tokens do and nowhere else. prompt is the validator's own count,
// scores what its engine made of the answer. The error wraps [ErrExact].
//
// An answer that ends too early must end with a token that ends answers, whose margin is
// among the scores; or with a stop string, at max_tokens, or with the context.
func (a Answer) Exact(prompt int, scores []engine.TokenScore) error {
	switch {
	case a.Prompt != prompt:
		return wrong("%d tokens of the prompt are charged, it has %d", a.Prompt, prompt)
	case len(a.Tokens) == 0:
		return wrong("it has no tokens")
	case len(a.LogProbs) != len(a.Tokens):
		return wrong("it has %d tokens and %d log-probabilities", len(a.Tokens), len(a.LogProbs))
	case len(scores) != len(a.Tokens):
		return fmt.Errorf("%d scores of %d tokens", len(scores), len(a.Tokens))
	}
	limit := a.Context - prompt
	if a.MaxTokens > 0 {
		limit = min(limit, a.MaxTokens)
	}
	if len(a.Tokens) > limit {
		return wrong("%d tokens, at most %d were asked for", len(a.Tokens), limit)
	}
	var text strings.Builder
	pieces := engine.NewText(a.Stop)
	finish, stop := engine.Finish(""), ""
	for i, s := range scores {
		if finish != "" {
			return wrong("it goes on after its end, at token %d of %d", i, len(scores))
		}
		if s.End {
			text.WriteString(pieces.Flush().Text)
			finish = engine.FinishStop
			continue
		}
		c, ended := pieces.Add(engine.Token{ID: a.Tokens[i], Bytes: s.Bytes})
		text.WriteString(c.Text)
		if ended != "" {
			finish, stop = engine.FinishStop, ended
		}
	}
	if finish == "" {
		if len(a.Tokens) < limit {
			return wrong("it breaks off after %d tokens, neither at an end nor at %d", len(a.Tokens), limit)
		}
		text.WriteString(pieces.Flush().Text)
		finish = engine.FinishLength
	}
	switch {
	case a.Finish != finish:
		return wrong("it is said to end by %.20q, its tokens end by %s", a.Finish, finish)
	case a.StopString != stop:
		return wrong("another stop string than its own is said to have ended it")
	case a.Text != text.String():
		return wrong("its text is not that of its tokens")
	}
	return nil
}

// Told returns the log-probabilities with those filled in that no miner tells: those of a
// stop string that ended the answer. They are the validator's own, and so say nothing.
func (a Answer) Told(scores []engine.TokenScore) []float64 {
	out := slices.Clone(a.LogProbs)
	last := min(len(scores), len(out)) - 1
	if last < 0 || a.Finish != engine.FinishStop {
		return out
	}
	for left := len(a.StopString); left > 0 && last >= 0; last-- {
		out[last] = scores[last].LogProb
		left -= max(1, len(scores[last].Bytes))
	}
	return out
}
