// Package remote answers with a server that speaks OpenAI's protocol: vLLM, SGLang,
// llama-server, Ollama or a provider, by URL.
//
// # Use
//
//	e, err := remote.New(remote.Options{URL: "http://127.0.0.1:8000/v1", Model: "qwen3-8b"})
//
// # What it can't do
//
// The server picks tokens by its own sampler and does not say which: nothing can be
// scored, [engine.Info] says that it is not verifiable, and a [engine.Result] has no
// tokens. Prompts in tokens and grammars in GBNF are not passed on; schemas only where
// the server is said to enforce them ([Options.Schemas]), embeddings where their size is
// known ([Options.Dimensions]).
//
// # Guarantees
//
// A server is not believed: lines, answers and errors have bounds, redirects are not
// followed, stop strings are cut off here, too, and no more than max_tokens pieces are
// passed on. Of a server's errors only codes are told, as their words may repeat a prompt.
package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/lodenet/lode/subnets/inference/engine"
)

const (
	maxAnswer = 64 << 20
	maxError  = 64 << 10
)

// Options says which server is asked.
type Options struct {
	URL     string // up to and with /v1
	Model   string // its name there
	Key     string // sent as a bearer token; empty: none
	Schemas bool   // the server enforces response_format
	Context int    // tokens of prompt and answer together, as the server is set up; 0: unknown
	// Dimensions are those of the server's embeddings; 0: it is not asked for any.
	Dimensions int
	Client     *http.Client // nil: one without a time limit, as answers take what they take
}

// Engine asks a server.
type Engine struct {
	options Options
	base    string
	client  *http.Client
	closed  context.Context
	close   context.CancelCauseFunc
	running sync.WaitGroup
	mu      sync.Mutex
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine; the server is first asked when the engine is.
func New(o Options) (*Engine, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q is not the URL of a server: give one like http://127.0.0.1:8000/v1", o.URL)
	case u.User != nil:
		return nil, errors.New("the URL has a password: give it as the key")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the URL has a query: end it with /v1")
	case o.Model == "":
		return nil, errors.New("no model: give its name on the server")
	case o.Context < 0 || o.Dimensions < 0 || o.Dimensions > maxDimensions:
		return nil, fmt.Errorf("a context of %d tokens and %d dimensions: neither is below 0, nor are dimensions above %d", o.Context, o.Dimensions, maxDimensions)
	}
	e := &Engine{options: o, base: strings.TrimSuffix(u.String(), "/"), client: o.Client}
	if e.client == nil {
		e.client = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}}
	}
	client := *e.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	e.client = &client
	e.closed, e.close = context.WithCancelCause(context.Background())
	return e, nil
}

// Info is described at [engine.Engine].
func (e *Engine) Info() engine.Info {
	return engine.Info{Model: e.options.Model, Backend: "a server at " + e.base, Context: e.options.Context, Dimensions: e.options.Dimensions, Chat: true, Grammar: e.options.Schemas}
}

// Close is described at [engine.Engine].
func (e *Engine) Close() error {
	e.mu.Lock()
	e.close(engine.ErrClosed)
	e.mu.Unlock()
	e.running.Wait()
	return nil
}

// Tokens is described at [engine.Engine]; a server does not tell.
func (e *Engine) Tokens(_ context.Context, p engine.Prompt) ([]int32, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: the server does not tell its tokens", engine.ErrUnsupported)
}

// Score is described at [engine.Engine]; a server can't.
func (e *Engine) Score(_ context.Context, r engine.ScoreRequest) ([]engine.TokenScore, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: the server's sampler is its own", engine.ErrUnsupported)
}

type request struct {
	Model          string           `json:"model"`
	Messages       []engine.Message `json:"messages,omitempty"`
	Prompt         string           `json:"prompt,omitempty"`
	Tools          json.RawMessage  `json:"tools,omitempty"`
	Stream         bool             `json:"stream"`
	StreamOptions  map[string]bool  `json:"stream_options"`
	MaxTokens      int              `json:"max_tokens,omitempty"`
	Temperature    float64          `json:"temperature"`
	TopP           float64          `json:"top_p,omitempty"`
	Seed           int64            `json:"seed"`
	Stop           []string         `json:"stop,omitempty"`
	Logprobs       bool             `json:"logprobs,omitempty"`
	TopLogprobs    int              `json:"top_logprobs,omitempty"`
	ResponseFormat json.RawMessage  `json:"response_format,omitempty"`
}

// Generate is described at [engine.Engine].
func (e *Engine) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	result := engine.Result{Finish: engine.FinishCancelled}
	if err := r.Check(); err != nil {
		return result, err
	}
	path, body, err := e.request(r)
	if err != nil {
		return result, err
	}
	ctx, done, err := e.begin(ctx)
	if err != nil {
		return result, err
	}
	defer done()
	resp, err := e.post(ctx, path, "text/event-stream", body)
	if err != nil {
		return result, orCause(ctx, err)
	}
	defer resp.Body.Close()
	s := &stream{r: bufio.NewReaderSize(io.LimitReader(resp.Body, maxAnswer), 64<<10), text: engine.NewText(r.Stop), emit: emit, most: r.MaxTokens}
	err = s.read(ctx)
	result.Usage, result.StopString = s.usage, s.stop
	if err != nil {
		return result, orCause(ctx, err)
	}
	result.Finish = s.finish
	return result, nil
}

// begin makes a request one that Close ends and waits for, until done.
func (e *Engine) begin(ctx context.Context) (_ context.Context, done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed.Err() != nil {
		return nil, nil, engine.ErrClosed
	}
	e.running.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.closed, func() { cancel(engine.ErrClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
		e.running.Done()
	}, nil
}

// orCause is why ctx ended, where it did, and err where it did not.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// request writes what the server is asked.
func (e *Engine) request(r engine.Request) (path string, body []byte, err error) {
	q := request{Model: e.options.Model, Stream: true, StreamOptions: map[string]bool{"include_usage": true}, MaxTokens: r.MaxTokens,
		Temperature: r.Temperature, TopP: r.TopP, Seed: int64(r.Seed >> 1), Stop: r.Stop, Logprobs: r.TopLogProbs > 0, TopLogprobs: r.TopLogProbs}
	switch {
	case len(r.Prompt.Tokens) > 0:
		return "", nil, fmt.Errorf("%w: a server takes texts and chats, not tokens", engine.ErrUnsupported)
	case r.Grammar.GBNF != "" || len(r.Grammar.Schema) > 0 && !e.options.Schemas:
		return "", nil, fmt.Errorf("%w: the server is not known to keep to it", engine.ErrGrammar)
	}
	if len(r.Grammar.Schema) > 0 {
		if q.ResponseFormat, err = json.Marshal(map[string]any{"type": "json_schema",
			"json_schema": map[string]any{"name": "answer", "strict": true, "schema": r.Grammar.Schema}}); err != nil {
			return "", nil, err
		}
	}
	path = "/completions"
	if r.Prompt.Chat != nil {
		path = "/chat/completions"
		q.Messages, q.Tools = r.Prompt.Chat.Messages, r.Prompt.Chat.Tools
	} else {
		q.Prompt = r.Prompt.Text
		q.Logprobs, q.TopLogprobs = false, 0 // they have another form there
	}
	body, err = json.Marshal(q)
	return path, body, err
}

// post asks for an answer of a kind.
func (e *Engine) post(ctx context.Context, path, want string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", want)
	if e.options.Key != "" {
		req.Header.Set("Authorization", "Bearer "+e.options.Key)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", engine.ErrGone, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, refused(resp)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != want {
		resp.Body.Close()
		return nil, fmt.Errorf("%w (the server sends %.40q where %s was asked for)", engine.ErrGone, kind, want)
	}
	return resp, nil
}

// code matches what may be told of a server's error.
var code = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// refused reads an error of a server.
func refused(resp *http.Response) error {
	var said struct {
		Error struct {
			Code, Type json.RawMessage
			Tokens     int `json:"n_prompt_tokens"`
			Context    int `json:"n_ctx"`
		}
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	if err == nil {
		_ = json.Unmarshal(raw, &said) // many errors of servers have no form: then the status must do
	}
	why := fmt.Sprintf("the server says %d", resp.StatusCode)
	for _, field := range []json.RawMessage{said.Error.Code, said.Error.Type} {
		var s string
		if json.Unmarshal(field, &s) == nil && code.MatchString(s) {
			why += " " + s
			if strings.Contains(s, "context") && (resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusRequestEntityTooLarge) {
				return &engine.TooLongError{Tokens: max(said.Error.Tokens, 0), Context: max(said.Error.Context, 0)}
			}
		}
	}
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable:
		return fmt.Errorf("%w (%s)", engine.ErrBusy, why)
	case s == http.StatusBadRequest || s == http.StatusUnprocessableEntity || s == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: %s", engine.ErrInvalid, why)
	case s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusNotFound || s < 400:
		return fmt.Errorf("%s: check its URL, the model's name and the key", why)
	}
	return fmt.Errorf("%w (%s)", engine.ErrGone, why)
}
