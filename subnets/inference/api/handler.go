package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Config are the bounds of a handler; what is zero has a default.
type Config struct {
	MaxBody    int64 // bytes of a request; 8 MiB
	MaxMemory  int64 // bytes of all requests that are open; 256 MiB
	MaxAnswer  int64 // bytes of an answer, all its choices and tokens; 64 MiB
	MaxChoices int   // n, times prompts; 16

	ReadTimeout  time.Duration // for a body; 30 s
	WriteTimeout time.Duration // for a client to take a piece of an answer; 30 s
	MaxDuration  time.Duration // of a request; an hour

	// IDHeader names a header that tells a generated answer's id before its body begins,
	// beside X-Request-Id; none by default.
	IDHeader string

	Now   func() time.Time // time.Now
	NewID func() string    // random; the answer's name, after chatcmpl- and the like
}

func (c Config) withDefaults() Config {
	or(&c.MaxBody, 8<<20)
	or(&c.MaxMemory, 256<<20)
	or(&c.MaxAnswer, 64<<20)
	or(&c.MaxChoices, 16)
	or(&c.ReadTimeout, 30*time.Second)
	or(&c.WriteTimeout, 30*time.Second)
	or(&c.MaxDuration, time.Hour)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() string { return strings.ToLower(rand.Text()) }
	}
	return c
}

func or[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Handler serves the API with a backend's answers.
func Handler(b Backend, c Config) http.Handler {
	s := &server{b: b, Config: c.withDefaults(), mux: http.NewServeMux()}
	s.post("/v1/chat/completions", openAI, "chatcmpl-", (*exchange).chat)
	s.post("/v1/completions", openAI, "cmpl-", (*exchange).complete)
	s.post("/v1/responses", openAI, "resp_", (*exchange).respond)
	s.post("/v1/messages", anthropic, "msg_", (*exchange).message)
	s.post("/v1/messages/count_tokens", anthropic, "req_", (*exchange).count)
	s.post("/v1/embeddings", openAI, "embd-", (*exchange).embed)
	s.handle("GET /v1/models", openAI, "req_", (*exchange).models)
	s.handle("GET /v1/models/{id...}", openAI, "req_", (*exchange).model)
	s.handle("/", openAI, "req_", func(*exchange) error {
		return &Error{Kind: notFound, Message: "there is no such endpoint: see /v1/models, /v1/chat/completions, /v1/completions, /v1/responses, /v1/messages and /v1/embeddings"}
	})
	return s.mux
}

type server struct {
	Config
	b    Backend
	mux  *http.ServeMux
	held atomic.Int64 // bytes of open requests' bodies
}

// exchange is a request on its way.
type exchange struct {
	*server
	w      http.ResponseWriter
	rc     *http.ResponseController
	ctx    context.Context
	r      *http.Request
	body   []byte
	speaks dialect
	id     string
	begun  bool   // whether the answer is on its way
	prompt string // the field that a prompt came in
	schema string // the field that a schema came in
}

// handle serves a pattern. What do returns is told to the client unless the answer is on
// its way already.
func (s *server) handle(pattern string, speaks dialect, prefix string, do func(*exchange) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), s.MaxDuration)
		defer cancel()
		x := &exchange{server: s, w: w, rc: http.NewResponseController(w), ctx: ctx, r: r, speaks: speaks, id: prefix + s.NewID()}
		if !strings.HasPrefix(pattern, "POST ") && r.Header.Get("Anthropic-Version") != "" {
			x.speaks = anthropic
		}
		h := w.Header()
		h.Set("Request-Id", x.id)
		h.Set("X-Request-Id", x.id)
		h.Set("X-Content-Type-Options", "nosniff")
		if err := do(x); err != nil && !x.begun {
			_ = x.named(told(err)).write(x) // to nobody, if the client left
		}
	})
}

// named names the field that a backend's error is about: only the endpoint knows it.
func (x *exchange) named(e *Error) *Error {
	field := map[Kind]string{UnknownModel: "model", TooLong: x.prompt, BadGrammar: x.schema}[e.Kind]
	if e.Param != "" || field == "" {
		return e
	}
	named := *e
	named.Param = field
	return &named
}

// post serves a path that takes JSON.
func (s *server) post(path string, speaks dialect, prefix string, do func(*exchange) error) {
	s.handle("POST "+path, speaks, prefix, func(x *exchange) error {
		kind, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			return &Error{Kind: notJSONType, Message: `set the header "Content-Type: application/json"`}
		}
		if v := x.r.Header.Get("Anthropic-Version"); x.speaks == anthropic && v != "" {
			if _, err := time.Parse(time.DateOnly, v); err != nil || v < "2023-06-01" {
				return bad("anthropic-version", "must be 2023-06-01, 2026-10-21 or later")
			}
		}
		size := x.r.ContentLength
		if size > x.MaxBody {
			return x.tooLarge()
		}
		if size < 0 {
			size = x.MaxBody
		}
		if x.held.Add(size) > x.MaxMemory {
			x.held.Add(-size)
			return &Error{Kind: Overloaded, Message: "too many requests are open: try again soon", RetryAfter: time.Second}
		}
		defer x.held.Add(-size)
		if err := x.read(); err != nil {
			return err
		}
		return do(x)
	})
}

func (x *exchange) tooLarge() *Error {
	return &Error{Kind: tooLarge, Message: "the body is larger than " + strconv.FormatInt(x.MaxBody, 10) + " bytes"}
}

// read reads the body in its time.
func (x *exchange) read() error {
	_ = x.rc.SetReadDeadline(time.Now().Add(x.ReadTimeout)) // not every server has deadlines
	var buf bytes.Buffer
	if n := x.r.ContentLength; n > 0 {
		buf.Grow(int(n) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(x.w, x.r.Body, x.MaxBody))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return x.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Kind: tooSlow, Message: "the body did not come within " + x.ReadTimeout.String()}
	case err != nil:
		return bad("", "the body is cut off")
	}
	_ = x.rc.SetReadDeadline(time.Time{}) // from here on a read only tells that the client left
	x.body = buf.Bytes()
	return nil
}

// json sends a whole answer.
func (x *exchange) json(status int, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	x.begun = true
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	_ = x.rc.SetWriteDeadline(time.Now().Add(x.WriteTimeout))
	x.w.WriteHeader(status)
	if _, err := x.w.Write(buf.Bytes()); err != nil {
		return err
	}
	return x.flush()
}

func (x *exchange) flush() error {
	if err := x.rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
