package api

import (
	"encoding/json"
	"fmt"
)

type chatRequest struct {
	sampling
	penalties
	Messages  []chatMessage   `json:"messages"`
	MaxTokens *int            `json:"max_tokens"`
	MaxNew    *int            `json:"max_completion_tokens"`
	N         *int            `json:"n"`
	Seed      *int64          `json:"seed"`
	Stop      json.RawMessage `json:"stop"`
	Logprobs  bool            `json:"logprobs"`
	Top       *int            `json:"top_logprobs"`
	Format    struct {
		Type   string `json:"type"`
		Schema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	Tools []struct {
		Type     string `json:"type"`
		Function tool   `json:"function"`
	} `json:"tools"`
	ToolChoice    json.RawMessage `json:"tool_choice"`
	Parallel      *bool           `json:"parallel_tool_calls"`
	Functions     json.RawMessage `json:"functions"`
	StreamOptions struct {
		Usage bool `json:"include_usage"`
	} `json:"stream_options"`
	Modalities []string `json:"modalities"`
}

type chatMessage struct {
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	ToolCalls []chatCall      `json:"tool_calls"`
	CallID    string          `json:"tool_call_id"`
}

type chatCall struct {
	Index    *int          `json:"index,omitempty"` // in streams
	ID       string        `json:"id,omitempty"`
	Type     string        `json:"type,omitempty"`
	Function *chatFunction `json:"function"`
}

type chatFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// request reads what is asked.
func (c *chatRequest) request(x *exchange) (*Request, toolset, error) {
	r, err := c.sampling.request(x, 2)
	if err != nil {
		return nil, toolset{}, err
	}
	t, err := c.toolset()
	if err != nil {
		return nil, t, err
	}
	if r.Messages, err = c.messages(); err != nil {
		return nil, t, err
	}
	if r.MaxTokens, err = limit(c.MaxTokens, "max_tokens"); err != nil {
		return nil, t, err
	}
	if c.MaxNew != nil {
		if r.MaxTokens, err = limit(c.MaxNew, "max_completion_tokens"); err != nil {
			return nil, t, err
		}
	}
	if r.N, err = x.choices(c.N, 1); err != nil {
		return nil, t, err
	}
	list, err := oneOrMany(c.Stop, "stop")
	if err != nil {
		return nil, t, err
	}
	if r.Stop, err = stops(list, "stop"); err != nil {
		return nil, t, err
	}
	r.Seed = c.Seed
	if err := c.logprobs(r, t); err != nil {
		return nil, t, err
	}
	if c.Format.Type == "json_schema" && !object(c.Format.Schema.Schema) {
		return nil, t, bad("response_format.json_schema.schema", "must be an object")
	}
	if r.Schema, err = (format{c.Format.Type, c.Format.Schema.Schema}).schema("response_format"); err != nil {
		return nil, t, err
	}
	for _, m := range c.Modalities {
		if m != "text" {
			return nil, t, bad("modalities", "must be text: it is all that models write here")
		}
	}
	if err := c.penalties.check(); err != nil {
		return nil, t, err
	}
	return r, t, t.offer(r)
}

func (c *chatRequest) logprobs(r *Request, t toolset) error {
	r.Logprobs = c.Logprobs
	if c.Top != nil {
		switch {
		case *c.Top < 0 || *c.Top > maxTop:
			return bad("top_logprobs", "must be from 0 to %d", maxTop)
		case *c.Top > 0 && !c.Logprobs:
			return bad("top_logprobs", "needs logprobs to be true")
		}
		r.TopLogprobs = *c.Top
	}
	if c.Logprobs && t.any() {
		return bad("logprobs", "can't be had together with tools")
	}
	return nil
}

func (c *chatRequest) toolset() (toolset, error) {
	var t toolset
	if !none(c.Functions) {
		return t, bad("functions", "is not supported: use tools")
	}
	for _, f := range c.Tools {
		if f.Type == "function" {
			t.tools = append(t.tools, f.Function)
		}
	}
	t.single = c.Parallel != nil && !*c.Parallel
	var named struct {
		Type     string `json:"type"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if err := t.choose(c.ToolChoice, &named); err != nil {
		return t, err
	}
	if named.Type == "function" {
		t.only, t.must = named.Function.Name, true
		if t.only == "" {
			return t, bad("tool_choice.function.name", "is missing")
		}
	}
	return t, t.check("tools", "function.name")
}

// choose reads a choice that is a word, or an object into named.
func (t *toolset) choose(raw json.RawMessage, named any) error {
	if none(raw) {
		return nil
	}
	if object(raw) {
		return unmarshal(raw, named, "tool_choice")
	}
	var word string
	if err := unmarshal(raw, &word, "tool_choice"); err != nil {
		return err
	}
	switch word {
	case "auto":
	case "none":
		t.tools = nil
	case "required":
		t.must = true
	default:
		return bad("tool_choice", "must be auto, none, required or a tool")
	}
	return nil
}

func (c *chatRequest) messages() ([]Message, error) {
	switch {
	case len(c.Messages) == 0:
		return nil, bad("messages", "is empty")
	case len(c.Messages) > maxMessages:
		return nil, bad("messages", "has more than %d messages", maxMessages)
	}
	out := make([]Message, 0, len(c.Messages)+1)
	for i, m := range c.Messages {
		at := fmt.Sprintf("messages[%d]", i)
		if m.Role == "assistant" && none(m.Content) && len(m.ToolCalls) > 0 {
			m.Content = json.RawMessage(`""`)
		}
		text, err := textOf(m.Content, at+".content")
		if err != nil {
			return nil, err
		}
		switch m.Role {
		case "system", "developer":
			out = append(out, Message{System, text})
		case "user":
			out = append(out, Message{User, text})
		case "assistant":
			calls := make([]call, len(m.ToolCalls))
			for j, c := range m.ToolCalls {
				if c.Function == nil || c.Function.Name == "" {
					return nil, bad(fmt.Sprintf("%s.tool_calls[%d].function", at, j), "is missing")
				}
				calls[j] = call{Name: c.Function.Name, Arguments: c.Function.Arguments}
			}
			out = append(out, Message{Assistant, said(text, calls)})
		case "tool":
			if m.CallID == "" {
				return nil, bad(at+".tool_call_id", "is missing")
			}
			out = answered(out, text)
		default:
			return nil, bad(at+".role", "must be system, developer, user, assistant or tool")
		}
	}
	return out, nil
}

// chat serves /v1/chat/completions.
func (x *exchange) chat() error {
	x.prompt, x.schema = "messages", "response_format"
	var c chatRequest
	if err := decode(x.body, &c); err != nil {
		return err
	}
	r, t, err := c.request(x)
	if err != nil {
		return err
	}
	x.body = nil
	head := chatHead{ID: x.id, Created: x.Now().Unix(), Model: r.Model}
	if c.Stream {
		head.Object = "chat.completion.chunk"
		return x.generate(t, &chatStream{sse: x.sse(), head: head, usage: c.StreamOptions.Usage, logprobs: r.Logprobs, told: make([]bool, r.N)}, r)
	}
	head.Object = "chat.completion"
	return x.generate(t, &chatWhole{gathered: gathered{newID: x.NewID}, x: x, head: head, logprobs: r.Logprobs}, r)
}

type chatHead struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
}

type openAIUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

func (u Usage) openAI() *openAIUsage {
	return &openAIUsage{u.Prompt, u.Completion, u.Prompt + u.Completion}
}

func (f finish) openAI() *string {
	s := string(f.Finish)
	if f.calls && f.Finish == Stop {
		s = "tool_calls"
	}
	return &s
}

type chatChoice struct {
	Index    int           `json:"index"`
	Message  chatAnswer    `json:"message"`
	Logprobs *chatLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

type chatAnswer struct {
	Role      string     `json:"role"`
	Content   *string    `json:"content"`
	Refusal   *string    `json:"refusal"`
	ToolCalls []chatCall `json:"tool_calls,omitempty"`
}

// chatWhole writes a chat's answer at once.
type chatWhole struct {
	gathered
	x        *exchange
	head     chatHead
	logprobs bool
}

func (w *chatWhole) end(u Usage) error {
	choices := make([]chatChoice, len(w.choices))
	for i, c := range w.choices {
		m := chatAnswer{Role: "assistant"}
		if text := string(c.text); text != "" || len(c.calls) == 0 {
			m.Content = &text
		}
		for _, call := range c.calls {
			m.ToolCalls = append(m.ToolCalls, chatCall{ID: "call_" + call.ID, Type: "function", Function: &chatFunction{call.Name, call.Arguments}})
		}
		choices[i] = chatChoice{Index: i, Message: m, Finish: c.why.openAI()}
		if w.logprobs {
			choices[i].Logprobs = &chatLogprobs{Content: logprobs(c.tokens)}
		}
	}
	return w.x.json(200, struct {
		chatHead
		Choices []chatChoice `json:"choices"`
		Usage   *openAIUsage `json:"usage"`
	}{w.head, choices, u.openAI()})
}

type chatChunk struct {
	chatHead
	Choices []chunkChoice `json:"choices"`
	Usage   *openAIUsage  `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index    int           `json:"index"`
	Delta    delta         `json:"delta"`
	Logprobs *chatLogprobs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

type delta struct {
	Role      string     `json:"role,omitempty"`
	Content   *string    `json:"content,omitempty"`
	ToolCalls []chatCall `json:"tool_calls,omitempty"`
}

// chatStream writes a chat's answer as it comes.
type chatStream struct {
	*sse
	head     chatHead
	usage    bool
	logprobs bool
	told     []bool // choices whose role was told
}

func (s *chatStream) begin(int) error { return s.say(0) }

// say tells a choice's role, once.
func (s *chatStream) say(choice int) error {
	if s.told[choice] {
		return nil
	}
	s.told[choice] = true
	empty := ""
	return s.chunk(choice, delta{Role: "assistant", Content: &empty}, nil, nil)
}

func (s *chatStream) chunk(choice int, d delta, l *chatLogprobs, finish *string) error {
	return s.send("", chatChunk{chatHead: s.head, Choices: []chunkChoice{{choice, d, l, finish}}})
}

func (s *chatStream) text(choice int, text string, tokens []Token) error {
	if err := s.say(choice); err != nil {
		return err
	}
	var l *chatLogprobs
	if s.logprobs {
		l = &chatLogprobs{Content: logprobs(tokens)}
	}
	return s.chunk(choice, delta{Content: &text}, l, nil)
}

func (s *chatStream) call(choice, index int, name string) error {
	if err := s.say(choice); err != nil {
		return err
	}
	return s.chunk(choice, delta{ToolCalls: []chatCall{{&index, "call_" + s.NewID(), "function", &chatFunction{Name: name}}}}, nil, nil)
}

func (s *chatStream) arguments(choice, index int, piece string) error {
	return s.chunk(choice, delta{ToolCalls: []chatCall{{Index: &index, Function: &chatFunction{Arguments: piece}}}}, nil, nil)
}

func (s *chatStream) finish(choice int, why finish) error {
	if err := s.say(choice); err != nil {
		return err
	}
	return s.chunk(choice, delta{}, nil, why.openAI())
}

func (s *chatStream) end(u Usage) error {
	return s.sse.end(s.usage, chatChunk{chatHead: s.head, Choices: []chunkChoice{}, Usage: u.openAI()})
}
