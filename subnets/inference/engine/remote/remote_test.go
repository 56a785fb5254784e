package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/enginetest"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/engine/remote"
)

// server speaks OpenAI's protocol for an engine in memory.
func server(t *testing.T) *httptest.Server {
	e := memory.New(memory.Options{Slots: 64})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Model       string
			Messages    []engine.Message
			MaxTokens   int `json:"max_tokens"`
			Temperature float64
			Seed        uint64
			Stop        []string
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Model != "m" {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		send := func(format string, args ...any) error {
			_, err := fmt.Fprintf(w, "data: "+format+"\n\n", args...)
			return errors.Join(err, http.NewResponseController(w).Flush())
		}
		result, err := e.Generate(r.Context(), engine.Request{
			Prompt: engine.Prompt{Chat: &engine.Chat{Messages: q.Messages}}, MaxTokens: q.MaxTokens, Stop: q.Stop,
			Sampling: engine.Sampling{Temperature: q.Temperature, Seed: q.Seed},
		}, func(c engine.Chunk) error {
			text, err := json.Marshal(c.Text)
			return errors.Join(err, send(`{"choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}]}`, text))
		})
		if err != nil {
			return // the caller has left
		}
		_ = send(`{"choices":[{"index":0,"delta":{},"finish_reason":%q}]}`, result.Finish) // the caller may have left
		_ = send(`{"choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}`, result.Usage.Prompt, result.Usage.Completion)
		_ = send(`[DONE]`)
	})
	mux.HandleFunc("POST /v1/embeddings", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Model, Input string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Model != "m" {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		v, err := e.Embed(r.Context(), engine.Prompt{Text: q.Input})
		if err != nil {
			http.Error(w, "{}", http.StatusInternalServerError)
			return
		}
		for i := range v.Vector {
			v.Vector[i] *= 3 // servers send what length they like
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{ // the caller may have left
			"data": []any{map[string]any{"embedding": v.Vector}}, "usage": map[string]int{"prompt_tokens": v.Tokens},
		})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Close()
		require.NoError(t, e.Close())
	})
	return s
}

func TestEngine(t *testing.T) {
	dimensions := memory.New(memory.Options{}).Info().Dimensions
	require.Positive(t, dimensions)
	e, err := remote.New(remote.Options{URL: server(t).URL + "/v1/", Model: "m", Dimensions: dimensions})
	require.NoError(t, err)
	enginetest.Run(t, e)
	require.NoError(t, e.Close())
	_, err = e.Generate(t.Context(), question, nil)
	require.ErrorIs(t, err, engine.ErrClosed)
}

var question = engine.Request{Prompt: engine.Prompt{Chat: &engine.Chat{Messages: []engine.Message{{Role: "user", Content: "hello"}}}}}

// says returns an engine on a server that sends this.
func says(t *testing.T, status int, kind, body string) *remote.Engine {
	t.Helper()
	return handled(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the caller may have heard enough
	})
}

func handled(t *testing.T, h http.HandlerFunc) *remote.Engine {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	e, err := remote.New(remote.Options{URL: s.URL, Model: "m", Key: "secret-key", Schemas: true})
	require.NoError(t, err)
	return e
}

const sse = "text/event-stream"

func delta(text string) string {
	return fmt.Sprintf("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", text)
}

const stop = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

func TestErrorsOfServersKeepTheirMeaning(t *testing.T) {
	for _, c := range []struct {
		name      string
		status    int
		kind      string
		body      string
		is        error
		retryable bool
	}{
		{"busy", 429, "application/json", `{"error":{"message":"hello"}}`, engine.ErrBusy, true},
		{"starting", 503, "text/html", "<html>hello", engine.ErrBusy, true},
		{"broken", 500, "application/json", `{"error":{"code":500,"message":"hello"}}`, engine.ErrGone, true},
		{"a bad request", 400, "application/json", `{"error":{"message":"hello","code":"hello you"}}`, engine.ErrInvalid, false},
		{"too long by OpenAI", 400, "application/json", `{"error":{"message":"hello","code":"context_length_exceeded"}}`, engine.ErrTooLong, false},
		{"too long by llama-server", 400, "application/json", `{"error":{"code":400,"type":"exceed_context_size_error","n_prompt_tokens":900,"n_ctx":512}}`, engine.ErrTooLong, false},
		{"no key", 401, "application/json", `{"error":"hello"}`, nil, false},
		{"no such model", 404, "application/json", ``, nil, false},
		{"elsewhere", 302, "text/plain", ``, nil, false},
		{"no stream", 200, "application/json", `{"choices":[]}`, engine.ErrGone, true},
		{"an endless error", 500, "text/plain", strings.Repeat("hello", 1<<20), engine.ErrGone, true},
	} {
		result, err := says(t, c.status, c.kind, c.body).Generate(t.Context(), question, nil)
		require.Error(t, err, c.name)
		if c.is != nil {
			require.ErrorIs(t, err, c.is, c.name)
		}
		require.Equal(t, c.retryable, engine.Retryable(err), c.name)
		require.NotContains(t, err.Error(), "hello", c.name)
		require.NotContains(t, err.Error(), "secret-key", c.name)
		require.Equal(t, engine.FinishCancelled, result.Finish)
	}
}

func TestAnswersThatBreakOffAreSaidToAndCounted(t *testing.T) {
	for name, rest := range map[string]string{
		"cut off":               "",
		"no end":                "data: [DONE]\n\n",
		"not JSON":              "data: {\n\n",
		"an error inside":       "data: {\"error\":{\"message\":\"hello\"}}\n\n",
		"a line without an end": "data: " + strings.Repeat("x", 2<<20),
		"half a line":           `data: {"choices":[{"index":0,"delta":{"content":"c`,
	} {
		var text string
		result, err := says(t, 200, sse, delta("a")+delta("b")+rest).Generate(t.Context(), question, func(c engine.Chunk) error {
			text += c.Text
			return nil
		})
		require.ErrorIs(t, err, engine.ErrGone, name)
		require.Equal(t, "ab", text, name)
		require.Equal(t, 2, result.Usage.Completion, name)
		require.NotContains(t, err.Error(), "hello", name)
	}
}

func TestAServerThatDoesNotEndIsLeft(t *testing.T) {
	var left atomic.Bool
	done := make(chan struct{})
	e := handled(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		w.Header().Set("Content-Type", sse)
		for {
			if _, err := io.WriteString(w, ": a comment\n\n"+delta("x")); err != nil {
				left.Store(true)
				return
			}
		}
	})
	r := question
	r.MaxTokens = 5
	var text string
	result, err := e.Generate(t.Context(), r, func(c engine.Chunk) error { text += c.Text; return nil })
	require.NoError(t, err)
	require.Equal(t, "xxxxx", text)
	require.Equal(t, engine.FinishLength, result.Finish)
	require.Equal(t, 5, result.Usage.Completion)
	<-done
	require.True(t, left.Load())
}

func TestStopStringsAreCutEvenIfTheServerDoesNot(t *testing.T) {
	r := question
	r.Stop = []string{"END"}
	var text string
	result, err := says(t, 200, sse, delta("abE")+delta("NDc")+stop).Generate(t.Context(), r, func(c engine.Chunk) error {
		text += c.Text
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, "ab", text)
	require.Equal(t, "END", result.StopString)
}

func TestLogProbabilitiesAreThoseThatTheServerTells(t *testing.T) {
	r := question
	r.TopLogProbs = 2
	body := `data: {"choices":[{"index":0,"delta":{"content":"hé"},"logprobs":{"content":[{"token":"h","bytes":[104],"logprob":-0.5,"top_logprobs":[{"token":"h","bytes":[104],"logprob":-0.5},{"token":"x","bytes":null,"logprob":-2}]},{"token":"é","bytes":[195,169],"logprob":-1,"top_logprobs":[]}]}}]}` + "\n\n"
	var tokens []engine.Token
	_, err := says(t, 200, sse, body+stop).Generate(t.Context(), r, func(c engine.Chunk) error {
		tokens = append(tokens, c.Tokens...)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []engine.Token{
		{ID: -1, Bytes: []byte("h"), LogProb: -0.5, Top: []engine.Alternative{{ID: -1, Bytes: []byte("h"), LogProb: -0.5}, {ID: -1, Bytes: []byte("x"), LogProb: -2}}},
		{ID: -1, Bytes: []byte("é"), LogProb: -1},
	}, tokens)
}

func TestWhatIsAskedIsWhatTheRequestSays(t *testing.T) {
	var got map[string]any
	var key string
	e := handled(t, func(w http.ResponseWriter, r *http.Request) {
		key = r.Header.Get("Authorization")
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			http.Error(w, "", http.StatusBadRequest)
			return
		}
		got["path"] = r.URL.Path
		w.Header().Set("Content-Type", sse)
		_, _ = io.WriteString(w, delta("x")+stop) // a test of what came
	})
	r := engine.Request{Prompt: question.Prompt, MaxTokens: 7, Stop: []string{"a"}, TopLogProbs: 3,
		Sampling: engine.Sampling{Temperature: 0.5, TopP: 0.9, Seed: 1 << 63, Grammar: engine.Grammar{Schema: json.RawMessage(`{"type":"object"}`)}}}
	_, err := e.Generate(t.Context(), r, nil)
	require.NoError(t, err)
	require.Equal(t, "Bearer secret-key", key)
	require.Equal(t, map[string]any{
		"path": "/chat/completions", "model": "m", "stream": true, "stream_options": map[string]any{"include_usage": true},
		"messages":   []any{map[string]any{"role": "user", "content": "hello"}},
		"max_tokens": 7.0, "stop": []any{"a"}, "temperature": 0.5, "top_p": 0.9, "seed": float64(1 << 62), "logprobs": true, "top_logprobs": 3.0,
		"response_format": map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "answer", "strict": true, "schema": map[string]any{"type": "object"}}},
	}, got)
	_, err = e.Generate(t.Context(), engine.Request{Prompt: engine.Prompt{Text: "once"}}, nil)
	require.NoError(t, err)
	require.Equal(t, "/completions", got["path"])
	require.Equal(t, "once", got["prompt"])
	_, err = e.Generate(t.Context(), engine.Request{Prompt: engine.Prompt{Tokens: []int32{1}}}, nil)
	require.ErrorIs(t, err, engine.ErrUnsupported)
}

func TestCloseLeavesTheServer(t *testing.T) {
	asked := make(chan struct{})
	e := handled(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees who leaves
		close(asked)
		<-r.Context().Done()
	})
	done := make(chan error, 1)
	go func() {
		_, err := e.Generate(context.WithoutCancel(t.Context()), question, nil)
		done <- err
	}()
	<-asked
	require.NoError(t, e.Close())
	require.ErrorIs(t, <-done, engine.ErrClosed)
}

func TestOnlyURLsOfServersAreTaken(t *testing.T) {
	for _, u := range []string{"", "127.0.0.1:8000", "ftp://x/v1", "http://", "http://u:p@x/v1", "http://x/v1?key=1", "http://x/v1#a", "\x00"} {
		_, err := remote.New(remote.Options{URL: u, Model: "m"})
		require.Error(t, err, u)
	}
	_, err := remote.New(remote.Options{URL: "http://x/v1"})
	require.ErrorContains(t, err, "no model")
	e, err := remote.New(remote.Options{URL: "http://127.0.0.1:1/v1", Model: "m"})
	require.NoError(t, err)
	_, err = e.Generate(t.Context(), question, nil)
	require.ErrorIs(t, err, engine.ErrGone, "nobody there")
}

func TestEmbeddingsOfServersAreChecked(t *testing.T) {
	for body, is := range map[string]error{
		`{"data":[{"embedding":[3,4]}],"usage":{"prompt_tokens":2}}`:  nil,
		`{"data":[{"embedding":[3,4]}],"usage":{"prompt_tokens":-2}}`: engine.ErrGone,
		`{"data":[{"embedding":[0,0]}]}`:                              engine.ErrGone,
		`{"data":[{"embedding":[1e300,1e300]}]}`:                      engine.ErrGone,
		`{"data":[{"embedding":["3","4"]}]}`:                          engine.ErrGone,
		`{"data":[]}`:                                                 engine.ErrGone,
		`{"data":[{"embedding":[3,4]},{"embedding":[3,4]}]}`:          engine.ErrGone,
		``: engine.ErrGone,
		`{"data":[{"embedding":[` + strings.Repeat("1,", 3<<20) + `1]}]}`: engine.ErrGone,
	} {
		asked := make(chan string, 1)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			asked <- r.URL.Path + " " + string(raw)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body) // the caller may have heard enough
		}))
		e, err := remote.New(remote.Options{URL: s.URL + "/v1", Model: "m", Dimensions: 2})
		require.NoError(t, err)
		v, err := e.Embed(t.Context(), engine.Prompt{Text: "hello"})
		name := body[:min(len(body), 60)]
		require.Equal(t, `/v1/embeddings {"encoding_format":"float","input":"hello","model":"m"}`, <-asked, name)
		s.Close()
		if is != nil {
			require.ErrorIs(t, err, is, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, engine.Embedding{Vector: []float32{0.6, 0.8}, Tokens: 2}, v)
	}
	e := says(t, http.StatusOK, "application/json", `{}`)
	_, err := e.Embed(t.Context(), engine.Prompt{Text: "hello"})
	require.ErrorIs(t, err, engine.ErrUnsupported, "one whose size nobody has told")

	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[{"embedding":[1,2,3]}]}`)
	}))
	t.Cleanup(s.Close)
	e, err = remote.New(remote.Options{URL: s.URL, Model: "m", Dimensions: 2})
	require.NoError(t, err)
	_, err = e.Embed(t.Context(), engine.Prompt{Text: "hello"})
	require.ErrorContains(t, err, "3 dimensions, it is set up for 2")
	require.False(t, engine.Retryable(err), "asking again would not help")
	_, err = e.Embed(t.Context(), engine.Prompt{Chat: question.Prompt.Chat})
	require.ErrorIs(t, err, engine.ErrUnsupported)

	for _, o := range []remote.Options{{Context: -1}, {Dimensions: -1}, {Dimensions: 1 << 20}} {
		o.URL, o.Model = s.URL, "m"
		_, err := remote.New(o)
		require.Error(t, err)
	}
}
