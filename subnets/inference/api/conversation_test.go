package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/api"
)

func TestAConversationIsReadAsTheBackendWasAsked(t *testing.T) {
	for endpoint, request := range map[string]string{
		"/v1/chat/completions": `{"model":"lode/mini","n":2,"seed":7,"stop":"x","messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"say hello"}]}]}`,
		"/v1/completions":      `{"model":"lode/mini","prompt":"say hello","max_tokens":5}`,
		"/v1/responses":        `{"model":"lode/mini","input":"say hello","instructions":"be brief"}`,
		"/v1/messages":         `{"model":"lode/mini","max_tokens":9,"system":"be brief","messages":[{"role":"user","content":"say hello"}]}`,
	} {
		s, b := served(t, api.Config{IDHeader: "Lode-Receipt"})
		status, header, response := post(t, s, endpoint, request)
		require.Equal(t, http.StatusOK, status, response)
		c := api.Conversation{Endpoint: endpoint, Request: json.RawMessage(request), Response: json.RawMessage(response)}
		require.NotEmpty(t, c.ID())
		require.Equal(t, c.ID(), header.Get("Lode-Receipt"))
		asked, err := c.Requests()
		require.NoError(t, err)
		require.Equal(t, []*api.Request{b.Last()}, asked, endpoint)
		said, err := c.Answers()
		require.NoError(t, err)
		require.Len(t, said, asked[0].N)
		require.True(t, strings.HasPrefix("hello", said[0].Text), endpoint)
		require.NotEmpty(t, said[0].Text)
	}
}

func TestAConversationHasItsCalls(t *testing.T) {
	for endpoint, response := range map[string]string{
		"/v1/chat/completions": `{"id":"a","choices":[{"index":0,"message":{"content":"I look","tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{\"x\": 1}"}}]}}]}`,
		"/v1/responses":        `{"id":"a","output":[{"type":"message","content":[{"type":"output_text","text":"I look"}]},{"type":"function_call","name":"look","arguments":"{\"x\": 1}"}]}`,
		"/v1/messages":         `{"id":"a","content":[{"type":"text","text":"I look"},{"type":"tool_use","name":"look","input":{"x": 1}}]}`,
	} {
		said, err := api.Conversation{Endpoint: endpoint, Response: json.RawMessage(response)}.Answers()
		require.NoError(t, err)
		require.Equal(t, []api.Said{{Text: "I look", Calls: []api.SaidCall{{Name: "look", Arguments: `{"x": 1}`}}}}, said)
	}
}

func TestAConversationThatIsNone(t *testing.T) {
	for _, c := range []api.Conversation{
		{},
		{Endpoint: "/v1/models"},
		{Endpoint: "/v1/chat/completions", Request: json.RawMessage(`[]`), Response: json.RawMessage(`[]`)},
		{Endpoint: "/v1/completions", Request: json.RawMessage(`{`), Response: json.RawMessage(`{"choices":[{"index":1}]}`)},
		{Endpoint: "/v1/responses", Request: json.RawMessage(`{"model":"m"}`), Response: json.RawMessage(`{"output":7}`)},
		{Endpoint: "/v1/messages", Request: json.RawMessage(`{"model":"m"}`), Response: json.RawMessage(`null x`)},
	} {
		_, err := c.Requests()
		require.Error(t, err, c.Endpoint)
		_, err = c.Answers()
		require.Error(t, err, c.Endpoint)
	}
}

// Conversations come from files that anybody can have written.
func FuzzConversation(f *testing.F) {
	f.Add("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"x"}]}`, `{"id":"a","choices":[{"index":0,"message":{"content":"y","tool_calls":[{"function":null}]}}]}`)
	f.Add("/v1/completions", `{"model":"m","prompt":["x","y"],"n":1000000}`, `{"choices":[{"index":0,"text":"y"}]}`)
	f.Add("/v1/responses", `{"model":"m","input":[{"type":"message"}]}`, `{"output":[{"content":[{"text":"y"}]}]}`)
	f.Add("/v1/messages", `{"model":"m","max_tokens":1,"messages":[]}`, `{"content":[{"type":"tool_use","input":7}]}`)
	f.Fuzz(func(t *testing.T, endpoint, request, response string) {
		c := api.Conversation{Endpoint: endpoint, Request: json.RawMessage(request), Response: json.RawMessage(response)}
		asked, err := c.Requests()
		if err == nil {
			require.NotEmpty(t, asked)
			for _, r := range asked {
				require.Positive(t, r.N)
			}
		}
		if _, err := c.Answers(); err == nil {
			_ = c.ID()
		}
	})
}
