package api

import (
	"encoding/json"
	"fmt"
	"slices"
)

type responseRequest struct {
	sampling
	Input        json.RawMessage `json:"input"`
	Instructions *string         `json:"instructions"`
	MaxTokens    *int            `json:"max_output_tokens"`
	Top          *int            `json:"top_logprobs"`
	Include      []string        `json:"include"`
	Text         struct {
		Format json.RawMessage `json:"format"`
	} `json:"text"`
	Tools        []json.RawMessage `json:"tools"`
	ToolChoice   json.RawMessage   `json:"tool_choice"`
	Parallel     *bool             `json:"parallel_tool_calls"`
	Previous     *string           `json:"previous_response_id"`
	Conversation json.RawMessage   `json:"conversation"`
	Prompt       json.RawMessage   `json:"prompt"`
	Background   bool              `json:"background"`
	Metadata     json.RawMessage   `json:"metadata"`
}

// item is one of a response's input.
type item struct {
	Type      string          `json:"type"`
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    json.RawMessage `json:"output"`
}

// request reads what is asked.
func (c *responseRequest) request(x *exchange) (*Request, toolset, error) {
	r, err := c.sampling.request(x, 2)
	if err != nil {
		return nil, toolset{}, err
	}
	const stateless = "is not supported: nothing is kept here, send the whole conversation as input"
	switch {
	case c.Previous != nil:
		return nil, toolset{}, bad("previous_response_id", stateless)
	case !none(c.Conversation):
		return nil, toolset{}, bad("conversation", stateless)
	case !none(c.Prompt):
		return nil, toolset{}, bad("prompt", stateless)
	case c.Background:
		return nil, toolset{}, bad("background", stateless)
	}
	t, err := c.toolset()
	if err != nil {
		return nil, t, err
	}
	if r.Messages, err = c.messages(); err != nil {
		return nil, t, err
	}
	if r.MaxTokens, err = limit(c.MaxTokens, "max_output_tokens"); err != nil {
		return nil, t, err
	}
	r.Logprobs = slices.Contains(c.Include, "message.output_text.logprobs")
	if c.Top != nil {
		if *c.Top < 0 || *c.Top > maxTop {
			return nil, t, bad("top_logprobs", "must be from 0 to %d", maxTop)
		}
		r.TopLogprobs = *c.Top
	}
	if r.Logprobs && t.any() {
		return nil, t, bad("include", "logprobs can't be had together with tools")
	}
	if !none(c.Text.Format) {
		var f format
		if err := unmarshal(c.Text.Format, &f, "text.format"); err != nil {
			return nil, t, err
		}
		if r.Schema, err = f.schema("text.format"); err != nil {
			return nil, t, err
		}
	}
	return r, t, t.offer(r)
}

// toolset keeps the functions; tools of other kinds are skipped.
func (c *responseRequest) toolset() (toolset, error) {
	var t toolset
	for i, raw := range c.Tools {
		var f struct {
			Type string `json:"type"`
			tool
		}
		if err := unmarshal(raw, &f, fmt.Sprintf("tools[%d]", i)); err != nil {
			var kind struct {
				Type string `json:"type"`
			}
			if json.Unmarshal(raw, &kind) == nil && kind.Type != "function" {
				continue // whose fields mean something else
			}
			return t, err
		}
		if f.Type == "function" {
			t.tools = append(t.tools, f.tool)
		}
	}
	t.single = c.Parallel != nil && !*c.Parallel
	var named struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if err := t.choose(c.ToolChoice, &named); err != nil {
		return t, err
	}
	if named.Type == "function" {
		if t.only, t.must = named.Name, true; t.only == "" {
			return t, bad("tool_choice.name", "is missing")
		}
	}
	return t, t.check("tools", "name")
}

func (c *responseRequest) messages() ([]Message, error) {
	var out []Message
	if c.Instructions != nil && *c.Instructions != "" {
		out = append(out, Message{System, *c.Instructions})
	}
	if none(c.Input) {
		return nil, bad("input", "is missing")
	}
	if c.Input[0] != '[' {
		text, err := textOf(c.Input, "input")
		return append(out, Message{User, text}), err
	}
	var items []item
	if err := unmarshal(c.Input, &items, "input"); err != nil {
		return nil, err
	}
	switch {
	case len(items) == 0:
		return nil, bad("input", "is empty")
	case len(items) > maxMessages:
		return nil, bad("input", "has more than %d items", maxMessages)
	}
	for i, it := range items {
		at := fmt.Sprintf("input[%d]", i)
		switch it.Type {
		case "", "message":
			text, err := textOf(it.Content, at+".content")
			if err != nil {
				return nil, err
			}
			switch it.Role {
			case "system", "developer":
				out = append(out, Message{System, text})
			case "user":
				out = append(out, Message{User, text})
			case "assistant":
				out = append(out, Message{Assistant, text})
			default:
				return nil, bad(at+".role", "must be system, developer, user or assistant")
			}
		case "function_call":
			if it.Name == "" {
				return nil, bad(at+".name", "is missing")
			}
			made := []call{{Name: it.Name, Arguments: it.Arguments}}
			if n := len(out); n > 0 && out[n-1].Role == Assistant {
				out[n-1].Content = said(out[n-1].Content, made)
			} else {
				out = append(out, Message{Assistant, said("", made)})
			}
		case "function_call_output":
			text, err := textOf(it.Output, at+".output")
			if err != nil {
				return nil, err
			}
			out = answered(out, text)
		case "item_reference":
			return nil, bad(at, "refers to what is not kept here: send the whole conversation as input")
		}
		// What tools of other kinds said is skipped, and so is reasoning.
	}
	if len(out) == 0 {
		return nil, bad("input", "has no message")
	}
	return out, nil
}

// respond serves /v1/responses.
func (x *exchange) respond() error {
	x.prompt, x.schema = "input", "text.format"
	var c responseRequest
	if err := decode(x.body, &c); err != nil {
		return err
	}
	r, t, err := c.request(x)
	if err != nil {
		return err
	}
	x.body = nil
	a := &response{x: x, shape: c.shape(x, r), logprobs: r.Logprobs}
	if c.Stream {
		a.sse = x.sse()
	}
	return x.generate(t, a, r)
}

// responseShape is a response as clients see it.
type responseShape struct {
	ID           string            `json:"id"`
	Object       string            `json:"object"`
	CreatedAt    int64             `json:"created_at"`
	Status       string            `json:"status"`
	Error        *responseError    `json:"error"`
	Incomplete   *incomplete       `json:"incomplete_details"`
	Instructions *string           `json:"instructions"`
	MaxTokens    *int              `json:"max_output_tokens"`
	Model        string            `json:"model"`
	Output       []any             `json:"output"`
	Parallel     bool              `json:"parallel_tool_calls"`
	Previous     *string           `json:"previous_response_id"`
	Store        bool              `json:"store"`
	Temperature  float64           `json:"temperature"`
	Text         json.RawMessage   `json:"text"`
	ToolChoice   json.RawMessage   `json:"tool_choice"`
	Tools        []json.RawMessage `json:"tools"`
	TopP         float64           `json:"top_p"`
	Truncation   string            `json:"truncation"`
	Usage        *responseUsage    `json:"usage"`
	Metadata     json.RawMessage   `json:"metadata"`
}

type responseError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type incomplete struct {
	Reason string `json:"reason"`
}

type responseUsage struct {
	Input        int `json:"input_tokens"`
	InputDetails struct {
		Cached int `json:"cached_tokens"`
	} `json:"input_tokens_details"`
	Output        int `json:"output_tokens"`
	OutputDetails struct {
		Reasoning int `json:"reasoning_tokens"`
	} `json:"output_tokens_details"`
	Total int `json:"total_tokens"`
}

func (c *responseRequest) shape(x *exchange, r *Request) responseShape {
	s := responseShape{
		ID: x.id, Object: "response", CreatedAt: x.Now().Unix(), Status: "in_progress",
		Instructions: c.Instructions, MaxTokens: c.MaxTokens, Model: r.Model, Output: []any{},
		Parallel: c.Parallel == nil || *c.Parallel, Temperature: r.Temperature, TopP: r.TopP,
		Text: json.RawMessage(`{"format":{"type":"text"}}`), ToolChoice: json.RawMessage(`"auto"`),
		Tools: c.Tools, Truncation: "disabled", Metadata: json.RawMessage("{}"),
	}
	if !none(c.Text.Format) {
		s.Text = json.RawMessage(`{"format":` + string(c.Text.Format) + `}`)
	}
	if !none(c.ToolChoice) {
		s.ToolChoice = c.ToolChoice
	}
	if s.Tools == nil {
		s.Tools = []json.RawMessage{}
	}
	if object(c.Metadata) {
		s.Metadata = c.Metadata
	}
	return s
}

// outputMessage is what the model said.
type outputMessage struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	Role    string `json:"role"`
	Content []any  `json:"content"`
}

type outputText struct {
	Type        string    `json:"type"`
	Text        string    `json:"text"`
	Annotations []any     `json:"annotations"`
	Logprobs    []logprob `json:"logprobs"`
}

// outputCall is a function call that the model made.
type outputCall struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}
