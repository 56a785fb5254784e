// Package apitest is a backend without a model, for tests of what speaks to one: it does
// what the last message's text says.
//
//	say TEXT           answers TEXT
//	forever            answers until nobody listens any more
//	refuse KIND        fails before the first piece; kinds are those of [Refusals]
//	break N KIND TEXT  answers N pieces of TEXT, then fails
//	anything else      answers "you said: " and the text
//
// Where a request has a schema, and the text does not say or break, the answer is the
// least that follows it. Tokens are 4 bytes long, so that they cut characters; the second
// choice's answer ends with "!", the third's with "!!".
package apitest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lodenet/lode/subnets/inference/api"
)

// Model is the one that is served.
const Model = "lode/mini"

// window is how many tokens it takes.
const window = 1000

// Refusals are the errors that can be asked for.
var Refusals = map[string]error{
	"overloaded": &api.Error{Kind: api.Overloaded, Message: "all miners are busy: try again", RetryAfter: 1500 * time.Millisecond},
	"price":      &api.Error{Kind: api.OverPrice, Message: "no miner serves this model at your --max-price"},
	"gone":       &api.Error{Kind: api.Gone, Message: "the miner has stopped: ask again"},
	"grammar":    &api.Error{Kind: api.BadGrammar, Message: "the schema can't be enforced"},
	"internal":   errors.New("secret canary"),
}

// Backend is an [api.Backend].
type Backend struct {
	mu       sync.Mutex
	requests []*api.Request
	ended    chan error // of answers that go on forever
}

// New makes a backend.
func New() *Backend { return &Backend{ended: make(chan error, 16)} }

// Ended tells why an answer that went on forever has ended.
func (b *Backend) Ended() <-chan error { return b.ended }

// Last is the latest request.
func (b *Backend) Last() *api.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 {
		return nil
	}
	return b.requests[len(b.requests)-1]
}

// Asked is how many requests have come.
func (b *Backend) Asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.requests)
}

// Models implements [api.Backend].
func (b *Backend) Models(context.Context) ([]api.Model, error) {
	return []api.Model{{ID: Model, Created: time.Unix(1_700_000_000, 0), Owner: "lode", Context: window, Tier: "any", Digest: "sha256:00", InputPrice: 20_000, OutputPrice: 60_000}}, nil
}

func tokens(s string) int { return (len(s) + 3) / 4 }

func prompt(r *api.Request) int {
	n := tokens(r.Prompt)
	for _, m := range r.Messages {
		n += tokens(m.Content) + 1
	}
	return n
}

// Count implements [api.Backend].
func (b *Backend) Count(_ context.Context, r *api.Request) (int, error) {
	return prompt(r), b.check(r)
}

func (b *Backend) check(r *api.Request) error {
	if r.Model != Model {
		return &api.Error{Kind: api.UnknownModel, Message: "no miner serves it"}
	}
	if n := prompt(r); n > window {
		return &api.Error{Kind: api.TooLong, Message: fmt.Sprintf("prompt is too long: %d tokens > %d", n, window)}
	}
	return nil
}

// Embed implements [api.Backend].
func (b *Backend) Embed(_ context.Context, model string, inputs []string) (*api.Embeddings, error) {
	if err := b.check(&api.Request{Model: model}); err != nil {
		return nil, err
	}
	e := &api.Embeddings{}
	for _, s := range inputs {
		e.Vectors = append(e.Vectors, []float32{float32(len(s)), 0.5, -0.25})
		e.Tokens += tokens(s)
	}
	return e, nil
}

// Generate implements [api.Backend].
func (b *Backend) Generate(ctx context.Context, r *api.Request, emit func(api.Event) error) (api.Usage, error) {
	b.mu.Lock()
	b.requests = append(b.requests, r)
	b.mu.Unlock()
	used := api.Usage{Prompt: prompt(r)}
	if err := b.check(r); err != nil {
		return api.Usage{}, err
	}
	asked := r.Prompt
	if n := len(r.Messages); n > 0 {
		asked = r.Messages[n-1].Content
	}
	verb, rest, _ := strings.Cut(asked, " ")
	breaks := -1
	var broken error
	text := "you said: " + asked
	switch {
	case verb == "say":
		text = rest
	case verb == "refuse":
		return api.Usage{}, Refusals[rest]
	case verb == "break":
		parts := strings.SplitN(rest, " ", 3)
		n, err := strconv.Atoi(parts[0])
		if err != nil {
			return api.Usage{}, err
		}
		breaks, broken, text = n, Refusals[parts[1]], parts[2]
	case r.Schema != nil:
		var err error
		if text, err = Least(r.Schema); err != nil {
			return api.Usage{}, &api.Error{Kind: api.BadGrammar, Message: "the schema can't be enforced"}
		}
	}
	texts := make([]string, r.N)
	for i := range texts {
		texts[i] = text + strings.Repeat("!", i)
	}
	said := make([]string, r.N)
	ended := make([]bool, r.N)
	open := r.N
	for step := 0; open > 0; step++ {
		for i := range r.N {
			if ended[i] {
				continue
			}
			if step == breaks {
				return used, broken
			}
			if verb == "forever" {
				texts[i] += "again and "
			}
			piece := texts[i][:min(4, len(texts[i]))]
			texts[i] = texts[i][len(piece):]
			e := api.Event{Choice: i, Text: piece, Prompt: used.Prompt}
			if r.Logprobs && piece != "" {
				e.Tokens = []api.Token{token(piece, step, r.TopLogprobs)}
			}
			said[i] += piece
			used.Completion++
			switch {
			case slices.ContainsFunc(r.Stop, func(s string) bool { return strings.Contains(said[i], s) }), texts[i] == "":
				e.Finish = api.Stop
			case step+1 == r.MaxTokens:
				e.Finish = api.Length
			}
			if e.Finish != "" {
				ended[i] = true
				open--
			}
			err := emit(e)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				if verb == "forever" {
					b.ended <- err
				}
				return used, err
			}
		}
	}
	return used, nil
}

func token(text string, n, top int) api.Token {
	t := api.Token{Text: text, Logprob: -0.25 * float64(n%3)}
	for i := range top {
		t.Top = append(t.Top, api.Alternative{Text: strings.Repeat("x", i+1), Logprob: -0.5 * float64(i+1)})
	}
	return t
}

// Least is the least that follows a JSON schema.
func Least(schema json.RawMessage) (string, error) {
	var root map[string]json.RawMessage
	if err := json.Unmarshal(schema, &root); err != nil {
		return "", err
	}
	var defs map[string]json.RawMessage
	if raw := root["$defs"]; raw != nil {
		if err := json.Unmarshal(raw, &defs); err != nil {
			return "", err
		}
	}
	return least(schema, defs)
}

func least(schema json.RawMessage, defs map[string]json.RawMessage) (string, error) {
	var s struct {
		Type       string                     `json:"type"`
		Const      json.RawMessage            `json:"const"`
		Enum       []json.RawMessage          `json:"enum"`
		AnyOf      []json.RawMessage          `json:"anyOf"`
		Ref        string                     `json:"$ref"`
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		return "", err
	}
	switch {
	case s.Const != nil:
		return string(s.Const), nil
	case len(s.Enum) > 0:
		return string(s.Enum[0]), nil
	case len(s.AnyOf) > 0:
		return least(s.AnyOf[0], defs)
	case s.Ref != "":
		def, ok := defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
		if !ok {
			return "", fmt.Errorf("no definition of %s", s.Ref)
		}
		return least(def, defs)
	}
	switch s.Type {
	case "object":
		var fields []string
		for _, name := range s.Required {
			v, err := least(s.Properties[name], defs)
			if err != nil {
				return "", err
			}
			fields = append(fields, strconv.Quote(name)+":"+v)
		}
		return "{" + strings.Join(fields, ",") + "}", nil
	case "array":
		return "[]", nil
	case "string":
		return `"é"`, nil
	case "integer", "number":
		return "1", nil
	case "boolean":
		return "true", nil
	case "null":
		return "null", nil
	}
	return "", fmt.Errorf("no type %q", s.Type)
}
