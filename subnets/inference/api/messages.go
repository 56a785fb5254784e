package api

import (
	"encoding/json"
	"fmt"
	"strings"
)

type messageRequest struct {
	sampling
	TopK       *int            `json:"top_k"`
	System     json.RawMessage `json:"system"`
	Messages   []anthropicTurn `json:"messages"`
	MaxTokens  *int            `json:"max_tokens"`
	Stop       []string        `json:"stop_sequences"`
	Tools      []anthropicTool `json:"tools"`
	ToolChoice anthropicChoice `json:"tool_choice"`
	Output     struct {
		Format format `json:"format"`
	} `json:"output_config"`
	Format format `json:"output_format"` // the same, as clients first had it
}

type anthropicTurn struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type anthropicTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"input_schema"`
}

type anthropicChoice struct {
	Type   string `json:"type"`
	Name   string `json:"name"`
	Single bool   `json:"disable_parallel_tool_use"`
}

// block is one of a turn's content.
type block struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	Name    string          `json:"name"`
	Input   json.RawMessage `json:"input"`
	UseID   string          `json:"tool_use_id"`
	Content json.RawMessage `json:"content"`
	IsError bool            `json:"is_error"`
}

// request reads what is asked, or what is only to be counted.
func (m *messageRequest) request(x *exchange, count bool) (*Request, toolset, error) {
	r, err := m.sampling.request(x, 1)
	if err != nil {
		return nil, toolset{}, err
	}
	t, err := m.toolset()
	if err != nil {
		return nil, t, err
	}
	if r.Messages, err = m.messages(); err != nil {
		return nil, t, err
	}
	if m.MaxTokens == nil && !count {
		return nil, t, bad("max_tokens", "is missing")
	}
	if r.MaxTokens, err = limit(m.MaxTokens, "max_tokens"); err != nil {
		return nil, t, err
	}
	if r.Stop, err = stops(m.Stop, "stop_sequences"); err != nil {
		return nil, t, err
	}
	if m.TopK != nil {
		return nil, t, bad("top_k", "is not supported: leave it out")
	}
	at, form := "output_config.format", m.Output.Format
	if form.Type == "" {
		at, form = "output_format", m.Format
	}
	if r.Schema, err = form.schema(at); err != nil {
		return nil, t, err
	}
	return r, t, t.offer(r)
}

func (m *messageRequest) toolset() (toolset, error) {
	t := toolset{single: m.ToolChoice.Single}
	for _, f := range m.Tools {
		if f.Type == "" || f.Type == "custom" {
			t.tools = append(t.tools, tool{Name: f.Name, Description: f.Description, Parameters: f.Schema})
		}
	}
	switch m.ToolChoice.Type {
	case "", "auto":
	case "none":
		t.tools = nil
	case "any":
		t.must = true
	case "tool":
		if t.only, t.must = m.ToolChoice.Name, true; t.only == "" {
			return t, bad("tool_choice.name", "is missing")
		}
	default:
		return t, bad("tool_choice.type", "must be auto, any, tool or none")
	}
	return t, t.check("tools", "name")
}

func (m *messageRequest) messages() ([]Message, error) {
	switch {
	case len(m.Messages) == 0:
		return nil, bad("messages", "is empty")
	case len(m.Messages) > maxMessages:
		return nil, bad("messages", "has more than %d messages", maxMessages)
	}
	out := make([]Message, 0, len(m.Messages)+1)
	if !none(m.System) {
		text, err := textOf(m.System, "system")
		if err != nil {
			return nil, err
		}
		out = append(out, Message{System, text})
	}
	for i, turn := range m.Messages {
		at := fmt.Sprintf("messages[%d]", i)
		var err error
		switch turn.Role {
		case "user", "assistant":
			out, err = turn.add(out, at+".content")
		case "system":
			var text string
			text, err = textOf(turn.Content, at+".content")
			out = append(out, Message{System, text})
		default:
			err = bad(at+".role", "must be user or assistant")
		}
		if err != nil {
			return nil, err
		}
	}
	if m.Messages[len(m.Messages)-1].Role == "assistant" {
		return nil, bad("messages", "must not end with an assistant's: an answer can't be begun for the model")
	}
	return out, nil
}

// add adds a turn's blocks to messages.
func (m anthropicTurn) add(out []Message, param string) ([]Message, error) {
	role := Role(m.Role)
	if len(m.Content) > 0 && m.Content[0] != '[' {
		text, err := textOf(m.Content, param)
		return append(out, Message{role, text}), err
	}
	if none(m.Content) {
		return nil, bad(param, "is missing")
	}
	var blocks []block
	if err := unmarshal(m.Content, &blocks, param); err != nil {
		return nil, err
	}
	var text strings.Builder
	var calls []call
	for i, b := range blocks {
		at := fmt.Sprintf("%s[%d]", param, i)
		switch {
		case b.Type == "text":
			text.WriteString(b.Text)
		case b.Type == "thinking", b.Type == "redacted_thinking":
		case b.Type == "tool_use" && role == Assistant:
			if b.Name == "" {
				return nil, bad(at+".name", "is missing")
			}
			if !none(b.Input) && !object(b.Input) {
				return nil, bad(at+".input", "must be an object")
			}
			calls = append(calls, call{Name: b.Name, Arguments: string(b.Input)})
		case b.Type == "tool_result" && role == User:
			if b.UseID == "" {
				return nil, bad(at+".tool_use_id", "is missing")
			}
			var result string
			if !none(b.Content) {
				var err error
				if result, err = textOf(b.Content, at+".content"); err != nil {
					return nil, err
				}
			}
			if b.IsError {
				result = "Error: " + result
			}
			out = answered(out, result)
		default:
			return nil, bad(at, "is not text, nor a tool's use or result: these are all that models read here")
		}
	}
	if text.Len() > 0 || len(calls) > 0 {
		out = append(out, Message{role, said(text.String(), calls)})
	}
	return out, nil
}

// message serves /v1/messages.
func (x *exchange) message() error {
	x.prompt, x.schema = "messages", "output_config.format"
	var m messageRequest
	if err := decode(x.body, &m); err != nil {
		return err
	}
	r, t, err := m.request(x, false)
	if err != nil {
		return err
	}
	x.body = nil
	head := messageHead{ID: x.id, Type: "message", Role: "assistant", Model: r.Model, Content: []any{}}
	if m.Stream {
		return x.generate(t, &messageStream{sse: x.sse(), head: head}, r)
	}
	return x.generate(t, &messageWhole{gathered: gathered{newID: x.NewID}, x: x, head: head}, r)
}

// count serves /v1/messages/count_tokens.
func (x *exchange) count() error {
	x.prompt, x.schema = "messages", "output_config.format"
	var m messageRequest
	if err := decode(x.body, &m); err != nil {
		return err
	}
	r, _, err := m.request(x, true)
	if err != nil {
		return err
	}
	n, err := x.b.Count(x.ctx, r)
	if err != nil {
		return err
	}
	return x.json(200, struct {
		Tokens int `json:"input_tokens"`
	}{n})
}

type messageHead struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Role    string         `json:"role"`
	Model   string         `json:"model"`
	Content []any          `json:"content"`
	Reason  *string        `json:"stop_reason"`
	Stop    *string        `json:"stop_sequence"`
	Usage   anthropicUsage `json:"usage"`
}

type anthropicUsage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

func (f finish) anthropic() (reason, stop *string) {
	s := "end_turn"
	switch {
	case f.Finish == Length:
		s = "max_tokens"
	case f.calls:
		s = "tool_use"
	case f.stop != "":
		s, stop = "stop_sequence", &f.stop
	}
	return &s, stop
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type useBlock struct {
	Type  string          `json:"type"`
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

// messageWhole writes a message at once.
type messageWhole struct {
	gathered
	x    *exchange
	head messageHead
}

func (w *messageWhole) end(u Usage) error {
	c := w.at(0)
	if len(c.text) > 0 {
		w.head.Content = append(w.head.Content, textBlock{"text", string(c.text)})
	}
	for _, made := range c.calls {
		if !json.Valid([]byte(made.Arguments)) { // cut off, or the model's mistake: nothing that a tool should see
			w.head.Content = append(w.head.Content, textBlock{"text", said("", []call{made})})
			continue
		}
		w.head.Content = append(w.head.Content, useBlock{"tool_use", "toolu_" + made.ID, made.Name, json.RawMessage(made.Arguments)})
	}
	w.head.Reason, w.head.Stop = c.why.anthropic()
	w.head.Usage = anthropicUsage{u.Prompt, u.Completion}
	return w.x.json(200, w.head)
}

// messageStream writes a message as it comes: blocks, one after another.
type messageStream struct {
	*sse
	head   messageHead
	why    finish
	blocks int    // that have begun
	open   string // the type of the last, while it is open
}

func (s *messageStream) begin(prompt int) error {
	s.head.Usage.Input = prompt
	return s.send("message_start", struct {
		Type    string      `json:"type"`
		Message messageHead `json:"message"`
	}{"message_start", s.head})
}

type blockEvent struct {
	Type  string `json:"type"`
	Index int    `json:"index"`
	Block any    `json:"content_block,omitempty"`
	Delta any    `json:"delta,omitempty"`
}

// start opens a block, after closing the last.
func (s *messageStream) start(kind string, b any) error {
	if err := s.stop(); err != nil {
		return err
	}
	s.open = kind
	s.blocks++
	return s.send("content_block_start", blockEvent{Type: "content_block_start", Index: s.blocks - 1, Block: b})
}

func (s *messageStream) stop() error {
	if s.open == "" {
		return nil
	}
	s.open = ""
	return s.send("content_block_stop", blockEvent{Type: "content_block_stop", Index: s.blocks - 1})
}

func (s *messageStream) delta(d any) error {
	return s.send("content_block_delta", blockEvent{Type: "content_block_delta", Index: s.blocks - 1, Delta: d})
}

func (s *messageStream) text(_ int, text string, _ []Token) error {
	if s.open != "text" {
		if err := s.start("text", textBlock{"text", ""}); err != nil {
			return err
		}
	}
	return s.delta(textBlock{"text_delta", text})
}

func (s *messageStream) call(_, _ int, name string) error {
	return s.start("tool_use", useBlock{"tool_use", "toolu_" + s.NewID(), name, json.RawMessage("{}")})
}

func (s *messageStream) arguments(_, _ int, piece string) error {
	return s.delta(struct {
		Type string `json:"type"`
		JSON string `json:"partial_json"`
	}{"input_json_delta", piece})
}

func (s *messageStream) finish(_ int, why finish) error {
	s.why = why
	return s.stop()
}

func (s *messageStream) end(u Usage) error {
	type last struct {
		Reason *string `json:"stop_reason"`
		Stop   *string `json:"stop_sequence"`
	}
	var l last
	l.Reason, l.Stop = s.why.anthropic()
	if err := s.send("message_delta", struct {
		Type  string         `json:"type"`
		Delta last           `json:"delta"`
		Usage anthropicUsage `json:"usage"`
	}{"message_delta", l, anthropicUsage{u.Prompt, u.Completion}}); err != nil {
		return err
	}
	return s.send("message_stop", struct {
		Type string `json:"type"`
	}{"message_stop"})
}

func (s *messageStream) fail(err *Error) error {
	if !s.begun {
		return err
	}
	return s.send("error", err.anthropic(s.id))
}
