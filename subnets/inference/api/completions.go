package api

import (
	"encoding/json"
)

type completionRequest struct {
	sampling
	penalties
	Prompt        json.RawMessage `json:"prompt"`
	MaxTokens     *int            `json:"max_tokens"`
	N             *int            `json:"n"`
	BestOf        *int            `json:"best_of"`
	Seed          *int64          `json:"seed"`
	Stop          json.RawMessage `json:"stop"`
	Logprobs      *int            `json:"logprobs"`
	Echo          bool            `json:"echo"`
	Suffix        string          `json:"suffix"`
	StreamOptions struct {
		Usage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// requests reads what is asked: a request for each prompt.
func (c *completionRequest) requests(x *exchange) ([]*Request, error) {
	r, err := c.sampling.request(x, 2)
	if err != nil {
		return nil, err
	}
	prompts, err := texts(c.Prompt, "prompt", x.MaxChoices)
	if err != nil {
		return nil, err
	}
	if r.N, err = x.choices(c.N, len(prompts)); err != nil {
		return nil, err
	}
	if r.MaxTokens, err = limit(c.MaxTokens, "max_tokens"); err != nil {
		return nil, err
	}
	if c.MaxTokens == nil {
		r.MaxTokens = 16 // as OpenAI does
	}
	list, err := oneOrMany(c.Stop, "stop")
	if err != nil {
		return nil, err
	}
	if r.Stop, err = stops(list, "stop"); err != nil {
		return nil, err
	}
	r.Seed = c.Seed
	if n := c.Logprobs; n != nil {
		if *n < 0 || *n > maxTop {
			return nil, bad("logprobs", "must be from 0 to %d", maxTop)
		}
		r.Logprobs, r.TopLogprobs = true, *n
	}
	switch {
	case c.Echo:
		return nil, bad("echo", "is not supported: leave it out")
	case c.Suffix != "":
		return nil, bad("suffix", "is not supported: leave it out")
	case c.BestOf != nil && *c.BestOf != r.N:
		return nil, bad("best_of", "is not supported: leave it out")
	}
	if err := c.penalties.check(); err != nil {
		return nil, err
	}
	reqs := make([]*Request, len(prompts))
	for i, p := range prompts {
		one := *r
		one.Prompt = p
		reqs[i] = &one
	}
	return reqs, nil
}

// texts reads a field that has one text or some.
func texts(raw json.RawMessage, param string, most int) ([]string, error) {
	if none(raw) {
		return nil, bad(param, "is missing")
	}
	list, err := oneOrMany(raw, param)
	switch {
	case err != nil:
		return nil, bad(param, "must be a string or an array of strings; tokens are not taken")
	case len(list) == 0:
		return nil, bad(param, "is empty")
	case len(list) > most:
		return nil, bad(param, "has more than %d texts", most)
	}
	return list, nil
}

// complete serves /v1/completions.
func (x *exchange) complete() error {
	x.prompt, x.schema = "prompt", ""
	var c completionRequest
	if err := decode(x.body, &c); err != nil {
		return err
	}
	reqs, err := c.requests(x)
	if err != nil {
		return err
	}
	x.body = nil
	head := chatHead{ID: x.id, Object: "text_completion", Created: x.Now().Unix(), Model: c.Model}
	if c.Stream {
		return x.generate(toolset{}, &completionStream{
			sse: x.sse(), head: head, usage: c.StreamOptions.Usage, logprobs: c.Logprobs != nil, at: make([]int, len(reqs)*reqs[0].N),
		}, reqs...)
	}
	return x.generate(toolset{}, &completionWhole{x: x, head: head, logprobs: c.Logprobs != nil}, reqs...)
}

type completion struct {
	chatHead
	Choices []completionChoice `json:"choices"`
	Usage   *openAIUsage       `json:"usage,omitempty"`
}

type completionChoice struct {
	Index    int             `json:"index"`
	Text     string          `json:"text"`
	Logprobs *legacyLogprobs `json:"logprobs"`
	Finish   *string         `json:"finish_reason"`
}

// completionWhole writes a completion at once.
type completionWhole struct {
	gathered
	x        *exchange
	head     chatHead
	logprobs bool
}

func (w *completionWhole) end(u Usage) error {
	all := completion{chatHead: w.head, Choices: make([]completionChoice, len(w.choices)), Usage: u.openAI()}
	for i, c := range w.choices {
		all.Choices[i] = completionChoice{Index: i, Text: string(c.text), Finish: c.why.openAI()}
		if w.logprobs {
			all.Choices[i].Logprobs = legacy(c.tokens, 0)
		}
	}
	return w.x.json(200, all)
}

// completionStream writes a completion as it comes. There are no calls in one.
type completionStream struct {
	*sse
	gathered
	head     chatHead
	usage    bool
	logprobs bool
	at       []int // bytes of the tokens that each choice has sent
}

func (s *completionStream) begin(int) error { return nil }

func (s *completionStream) chunk(c completionChoice) error {
	return s.send("", completion{chatHead: s.head, Choices: []completionChoice{c}})
}

func (s *completionStream) text(choice int, text string, tokens []Token) error {
	c := completionChoice{Index: choice, Text: text}
	if s.logprobs {
		c.Logprobs = legacy(tokens, s.at[choice])
		for _, t := range tokens {
			s.at[choice] += len(t.Text)
		}
	}
	return s.chunk(c)
}

func (s *completionStream) finish(choice int, why finish) error {
	return s.chunk(completionChoice{Index: choice, Finish: why.openAI()})
}

func (s *completionStream) fail(err *Error) error { return s.sse.fail(err) }

func (s *completionStream) end(u Usage) error {
	return s.sse.end(s.usage, completion{chatHead: s.head, Choices: []completionChoice{}, Usage: u.openAI()})
}
