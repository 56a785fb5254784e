package video

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnets/video/media"
)

var findTools = sync.OnceValues(func() (*media.Tools, error) { return media.Find(context.Background()) })

func tools(t testing.TB) *media.Tools {
	t.Helper()
	tl, err := findTools()
	if err != nil {
		t.Fatal(err)
	}
	return tl
}

// fakeMesh carries requests to handlers by hotkey, as the mesh does, in memory.
type fakeMesh struct {
	mu       sync.Mutex
	handlers map[string]http.Handler
	log      []string // "caller METHOD /path?query", without ids
}

// as returns the client of a hotkey.
func (m *fakeMesh) as(hotkey string) *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		m.mu.Lock()
		h := m.handlers[r.URL.Host]
		m.log = append(m.log, hotkey+" "+r.Method+" "+r.URL.Path)
		m.mu.Unlock()
		if h == nil {
			return nil, fmt.Errorf("nobody at %s", r.URL.Host)
		}
		in := r.Clone(mesh.WithCaller(r.Context(), hotkey))
		if in.Body == nil {
			in.Body = http.NoBody
		}
		// The subnet's mount point is cut off as the SDK does.
		in.URL.Path = "/" + strings.TrimPrefix(in.URL.Path, "/subnet/1/")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, in)
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return w.Result(), nil
	})}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// network is a subnet with handlers as miners m0, m1, …, seen by the validator v0.
func network(t testing.TB, params string, miners ...http.Handler) (*subnet.Network, *fakeMesh) {
	t.Helper()
	fm := &fakeMesh{handlers: map[string]http.Handler{}}
	meta := &subnet.Metagraph{Netuid: 1, Name: Name, Started: true, Parameters: []byte(params)}
	for i, h := range miners {
		hotkey := fmt.Sprintf("m%d", i)
		fm.handlers[hotkey] = h
		meta.Neurons = append(meta.Neurons, subnet.Neuron{
			UID: uint16(i), Hotkey: hotkey, Endpoints: []string{"/test"}, Protocol: Name + "/miner", Incentive: float64(i) / 10,
		})
	}
	meta.Neurons = append(meta.Neurons, subnet.Neuron{UID: uint16(len(miners)), Hotkey: "v0", Permit: true})
	return subnet.NewNetwork(Name, meta, "v0", fm.as("v0"), rand.Reader, slog.New(slog.DiscardHandler)), fm
}

func miner(t testing.TB, s Strategy) *Miner {
	t.Helper()
	m, err := NewMiner(MinerConfig{Tools: tools(t), Strategy: s, Logger: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func validator(t testing.TB, cfg ValidatorConfig) *Validator {
	t.Helper()
	cfg.Tools = tools(t)
	cfg.Logger = testLog(t)
	v, err := NewValidator(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

var _ io.Writer = logWriter{}

// lines is a log that tests read.
type lines struct {
	mu   sync.Mutex
	text []string
	more chan struct{} // closed and replaced with each line
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, string(p))
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return len(p), nil
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *lines) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = nil
}

// await waits for a line with some words.
func (l *lines) await(t testing.TB, words string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		l.mu.Lock()
		all := strings.Join(l.text, "")
		if l.more == nil {
			l.more = make(chan struct{})
		}
		more := l.more
		l.mu.Unlock()
		if strings.Contains(all, words) {
			return
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("nobody says %q:\n%s", words, all)
		}
	}
}
