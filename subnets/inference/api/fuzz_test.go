package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lodenet/lode/subnets/inference/api"
)

// strict is a backend that answers at once, and says what of a request it should not
// have been asked.
type strict struct{ wrong error }

func (s *strict) Models(context.Context) ([]api.Model, error) { return nil, nil }

func (s *strict) check(r *api.Request) {
	switch {
	case r.Model == "" || r.ID == "":
		s.wrong = errors.New("no model or id")
	case r.N < 1 || r.N > 16 || len(r.Stop) > 4 || r.MaxTokens < 0 || r.TopLogprobs < 0 || r.TopLogprobs > 20:
		s.wrong = errors.New("a number out of bounds")
	case !(r.Temperature >= 0 && r.Temperature <= 2) || !(r.TopP >= 0 && r.TopP <= 1):
		s.wrong = errors.New("sampling out of bounds")
	case r.Schema != nil && (!json.Valid(r.Schema) || r.Schema[0] != '{'):
		s.wrong = errors.New("a schema that is none")
	}
	for _, m := range r.Messages {
		if m.Role != api.System && m.Role != api.User && m.Role != api.Assistant {
			s.wrong = errors.New("an unknown role")
		}
	}
	for _, stop := range r.Stop {
		if stop == "" {
			s.wrong = errors.New("an empty stop string")
		}
	}
}

func (s *strict) Generate(_ context.Context, r *api.Request, emit func(api.Event) error) (api.Usage, error) {
	s.check(r)
	for i := range r.N {
		text := `{"name":"f","arguments":{"a":1}} ` + r.Prompt
		if err := emit(api.Event{Choice: i, Text: text, Tokens: []api.Token{{Text: text}}, Finish: api.Length}); err != nil {
			return api.Usage{}, err
		}
	}
	return api.Usage{Prompt: 1, Completion: 1}, nil
}

func (s *strict) Count(_ context.Context, r *api.Request) (int, error) {
	s.check(r)
	return 1, nil
}

func (s *strict) Embed(_ context.Context, _ string, inputs []string) (*api.Embeddings, error) {
	if len(inputs) == 0 || len(inputs) > 2048 {
		s.wrong = errors.New("too many inputs or none")
	}
	return &api.Embeddings{Vectors: make([][]float32, len(inputs))}, nil
}

// fuzz sends bodies to an endpoint, beginning with those of a folder of testdata. It
// answers each, or says in JSON what is wrong with it.
func fuzz(f *testing.F, path, folder string) {
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, p := range paths {
		body, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := &strict{}
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.Handler(b, api.Config{}).ServeHTTP(w, r)
		if b.wrong != nil {
			t.Fatal(b.wrong)
		}
		stream := strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream")
		switch {
		case w.Code == http.StatusOK && stream:
			framed(t, w.Body.String())
		case w.Code == http.StatusOK || w.Code == http.StatusBadRequest:
			if !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%q", w.Body.String())
			}
		default:
			t.Fatalf("%d %q", w.Code, w.Body.String())
		}
	})
}

func FuzzChat(f *testing.F)        { fuzz(f, "/v1/chat/completions", "chat") }
func FuzzCompletions(f *testing.F) { fuzz(f, "/v1/completions", "completions") }
func FuzzResponses(f *testing.F)   { fuzz(f, "/v1/responses", "responses") }
func FuzzMessages(f *testing.F)    { fuzz(f, "/v1/messages", "messages") }
func FuzzCount(f *testing.F)       { fuzz(f, "/v1/messages/count_tokens", "count") }
func FuzzEmbeddings(f *testing.F)  { fuzz(f, "/v1/embeddings", "embeddings") }
