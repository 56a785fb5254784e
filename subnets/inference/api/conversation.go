package api

import (
	"encoding/json"
	"fmt"
	"math"
)

// Conversation is what a client sent and what it got, with which it can be shown later
// that an answer was the model's.
type Conversation struct {
	Endpoint string          `json:"endpoint"` // its path, for example /v1/chat/completions
	Request  json.RawMessage `json:"request"`  // as it was sent
	Response json.RawMessage `json:"response"` // as it came, whole: not the pieces of a stream
}

// Said is a choice of an answer as the client got it.
type Said struct {
	Text  string
	Calls []SaidCall // of tools
}

// SaidCall is a call of a tool.
type SaidCall struct {
	Name      string
	Arguments string // JSON
}

// Requests reads what was asked as a [Backend] was: a request for each prompt.
func (c Conversation) Requests() ([]*Request, error) {
	s := &server{Config: Config{MaxChoices: math.MaxInt32}.withDefaults()}
	x := &exchange{server: s, id: c.ID()}
	var r *Request
	var err error
	switch c.Endpoint {
	case "/v1/chat/completions":
		var in chatRequest
		if err = decode(c.Request, &in); err == nil {
			r, _, err = in.request(x)
		}
	case "/v1/completions":
		var in completionRequest
		if err := decode(c.Request, &in); err != nil {
			return nil, err
		}
		return in.requests(x)
	case "/v1/responses":
		var in responseRequest
		if err = decode(c.Request, &in); err == nil {
			r, _, err = in.request(x)
		}
	case "/v1/messages":
		var in messageRequest
		if err = decode(c.Request, &in); err == nil {
			r, _, err = in.request(x, false)
		}
	default:
		return nil, fmt.Errorf("endpoint %.60q generates no text: it is /v1/chat/completions, /v1/completions, /v1/responses or /v1/messages", c.Endpoint)
	}
	if err != nil {
		return nil, err
	}
	return []*Request{r}, nil
}

// ID is the answer's, empty where it has none.
func (c Conversation) ID() string {
	var head struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(c.Response, &head); err != nil {
		return ""
	}
	return head.ID
}

// Answers reads the choices of what was answered, in their order: those of the first
// prompt, then those of the next.
func (c Conversation) Answers() ([]Said, error) {
	var in struct {
		Choices []struct {
			Index   int    `json:"index"`
			Text    string `json:"text"`
			Message struct {
				Content   string     `json:"content"`
				ToolCalls []chatCall `json:"tool_calls"`
			} `json:"message"`
		} `json:"choices"`
		Output []struct {
			Type      string `json:"type"`
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
			Content   []part `json:"content"`
		} `json:"output"`
		Content []block `json:"content"`
	}
	if err := unmarshal(c.Response, &in, "response"); err != nil {
		return nil, err
	}
	var one Said
	switch c.Endpoint {
	case "/v1/responses":
		for _, item := range in.Output {
			if item.Type == "function_call" {
				one.Calls = append(one.Calls, SaidCall{item.Name, item.Arguments})
			}
			for _, p := range item.Content {
				one.Text += p.Text
			}
		}
		return []Said{one}, nil
	case "/v1/messages":
		for _, b := range in.Content {
			if b.Type == "tool_use" {
				one.Calls = append(one.Calls, SaidCall{b.Name, string(b.Input)})
			}
			one.Text += b.Text
		}
		return []Said{one}, nil
	}
	out := make([]Said, len(in.Choices))
	for i, choice := range in.Choices {
		if choice.Index != i {
			return nil, bad(fmt.Sprintf("response.choices[%d].index", i), "is another")
		}
		out[i].Text = choice.Text + choice.Message.Content
		for _, call := range choice.Message.ToolCalls {
			if call.Function != nil {
				out[i].Calls = append(out[i].Calls, SaidCall{call.Function.Name, call.Function.Arguments})
			}
		}
	}
	return out, nil
}
