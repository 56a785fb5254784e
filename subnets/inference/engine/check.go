package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Bounds of requests.
const (
	MaxStops       = 4
	MaxStopBytes   = 256 // of one stop string
	MaxTemperature = 2.0
	MinTemperature = 0.01 // of what is not greedy: below, honest noise looks like a lie
	MaxTopLogProbs = 20
	MaxPromptBytes = 16 << 20 // of text, over all messages
	MaxMessages    = 4096
	MaxGrammar     = 64 << 10 // bytes of a grammar or a schema
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

// Check reports what no engine can serve. The error wraps [ErrInvalid], or [ErrGrammar]
// where it is about a schema.
func (r *Request) Check() error {
	if err := r.Prompt.Check(); err != nil {
		return err
	}
	if err := r.Sampling.Check(); err != nil {
		return err
	}
	if r.MaxTokens < 0 {
		return invalid("max_tokens is %d: leave it away, or say 1 or more", r.MaxTokens)
	}
	if r.TopLogProbs < 0 || r.TopLogProbs > MaxTopLogProbs {
		return invalid("top_logprobs is %d, the bounds are 0 and %d", r.TopLogProbs, MaxTopLogProbs)
	}
	if len(r.Stop) > MaxStops {
		return invalid("%d stop strings, the most is %d", len(r.Stop), MaxStops)
	}
	for _, s := range r.Stop {
		switch {
		case s == "":
			return invalid("a stop string is empty")
		case len(s) > MaxStopBytes:
			return invalid("a stop string has %d bytes, the most is %d", len(s), MaxStopBytes)
		case !utf8.ValidString(s):
			return invalid("a stop string is not UTF-8")
		}
	}
	return nil
}

// Check reports what no engine can score. The error wraps [ErrInvalid].
func (r *ScoreRequest) Check() error {
	if err := r.Prompt.Check(); err != nil {
		return err
	}
	if len(r.Answer) == 0 {
		return invalid("an answer without tokens can't be scored")
	}
	return r.Sampling.Check()
}

// Check reports what no sampler can follow. The error wraps [ErrInvalid], or [ErrGrammar]
// where it is about a schema.
func (s *Sampling) Check() error {
	switch t := s.Temperature; {
	case math.IsNaN(t) || t < 0 || t > MaxTemperature:
		return invalid("temperature is %g, the bounds are 0 and %g", t, MaxTemperature)
	case t > 0 && t < MinTemperature:
		return invalid("temperature is %g: say 0 for the likeliest token, or %g or more", t, MinTemperature)
	}
	if p := s.TopP; math.IsNaN(p) || p < 0 || p > 1 {
		return invalid("top_p is %g, the bounds are 0 and 1", p)
	}
	switch g := s.Grammar; {
	case len(g.Schema) > 0 && g.GBNF != "":
		return invalid("a schema and a grammar at once: give one of them")
	case len(g.Schema) > MaxGrammar || len(g.GBNF) > MaxGrammar:
		return invalid("the grammar has %d bytes, the most is %d", max(len(g.Schema), len(g.GBNF)), MaxGrammar)
	case strings.ContainsRune(g.GBNF, 0) || !utf8.ValidString(g.GBNF):
		return invalid("the grammar is not text")
	}
	_, err := s.Grammar.Rules()
	return err
}

// Check reports what can't be a prompt. The error wraps [ErrInvalid].
func (p *Prompt) Check() error {
	set := 0
	for _, is := range []bool{p.Text != "", len(p.Tokens) > 0, p.Chat != nil} {
		if is {
			set++
		}
	}
	switch {
	case set == 0:
		return invalid("the prompt is empty")
	case set > 1:
		return invalid("the prompt must be one of text, tokens and chat")
	}
	size := 0
	text := func(s string) error {
		size += len(s)
		switch {
		case size > MaxPromptBytes:
			return invalid("the prompt has more than %d bytes", MaxPromptBytes)
		case !utf8.ValidString(s):
			return invalid("the prompt is not UTF-8")
		case strings.ContainsRune(s, 0):
			return invalid("the prompt has a zero byte")
		}
		return nil
	}
	if err := text(p.Text); err != nil {
		return err
	}
	if len(p.Tokens) > MaxPromptBytes {
		return invalid("the prompt has %d tokens", len(p.Tokens))
	}
	if p.Chat == nil {
		return nil
	}
	if n := len(p.Chat.Messages); n == 0 || n > MaxMessages {
		return invalid("%d messages, the bounds are 1 and %d", n, MaxMessages)
	}
	for _, m := range p.Chat.Messages {
		if m.Role == "" {
			return invalid("a message has no role")
		}
		all := []string{m.Role, m.Content, m.Name, m.ToolCallID}
		for _, c := range m.ToolCalls {
			all = append(all, c.ID, c.Type, c.Function.Name, c.Function.Arguments)
		}
		for _, s := range all {
			if err := text(s); err != nil {
				return err
			}
		}
	}
	if tools := p.Chat.Tools; len(tools) > 0 && !json.Valid(tools) {
		return invalid("the tools are not JSON")
	}
	return text(string(p.Chat.Tools))
}
