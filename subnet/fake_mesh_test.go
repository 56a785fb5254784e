package subnet_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/subnet"
)

// fakeNet is a mesh without a network: a call is a function call.
type fakeNet struct {
	mu    sync.Mutex
	hosts map[string]*fakeHost // by hotkey
}

type fakeHost struct {
	net       *fakeNet
	hotkey    string
	endpoints []string
	book      map[string][]string
	handlers  map[string]fakeHandler
	counters  mesh.Counters
}

type fakeHandler struct {
	http.Handler
	opts mesh.HandlerOptions
}

var _ subnet.Mesh = (*fakeHost)(nil)

func newNet() *fakeNet { return &fakeNet{hosts: map[string]*fakeHost{}} }

// host makes a host; one that has the hotkey already is gone.
func (n *fakeNet) host(name string) *fakeHost {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := &fakeHost{net: n, hotkey: address(name), endpoints: []string{"/memory/" + name}, book: map[string][]string{}, handlers: map[string]fakeHandler{}}
	n.hosts[h.hotkey] = h
	return h
}

func (h *fakeHost) Hotkey() string { return h.hotkey }

func (h *fakeHost) Endpoints() []string {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.endpoints
}

func (h *fakeHost) moves(to ...string) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.endpoints = to
}

func (h *fakeHost) Client() *http.Client { return &http.Client{Transport: h} }

func (h *fakeHost) AddPeer(hotkey string, endpoints ...string) error {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if strings.Contains(strings.Join(endpoints, ""), "rubbish") {
		return errors.New("that is no endpoint")
	}
	h.book[hotkey] = endpoints
	return nil
}

func (h *fakeHost) RemovePeer(hotkey string) error {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	delete(h.book, hotkey)
	return nil
}

// knows says where the host would look for somebody.
func (h *fakeHost) knows(name string) []string {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.book[address(name)]
}

func (h *fakeHost) Handle(path string, handler http.Handler, opts mesh.HandlerOptions) error {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if _, taken := h.handlers[path]; taken {
		return errors.New("path taken: " + path)
	}
	h.handlers[path] = fakeHandler{handler, opts}
	return nil
}

func (h *fakeHost) Unhandle(path string) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	delete(h.handlers, path)
}

func (h *fakeHost) mounted() int {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return len(h.handlers)
}

func (h *fakeHost) Counters() mesh.Counters {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.counters
}

// RoundTrip calls the handler of another host.
func (h *fakeHost) RoundTrip(req *http.Request) (*http.Response, error) {
	h.net.mu.Lock()
	to, known := h.net.hosts[req.URL.Host]
	_, called := h.book[req.URL.Host]
	var found *fakeHandler
	longest := ""
	if known {
		for path, handler := range to.handlers {
			if strings.HasPrefix(req.URL.Path, path) && len(path) > len(longest) {
				longest, found = path, &handler
			}
		}
		to.counters.BytesIn += 100
		h.counters.BytesOut += 100
	}
	h.net.mu.Unlock()
	if !called {
		return nil, mesh.ErrUnknownPeer
	}
	if !known {
		return nil, mesh.ErrUnreachable
	}
	w := httptest.NewRecorder()
	switch {
	case found == nil:
		mesh.WriteError(w, &mesh.Error{Status: 404, Code: "not_found", Message: "nothing here"})
	case !found.opts.Open && found.opts.Allow(req.Context(), h.hotkey) != nil:
		mesh.WriteError(w, &mesh.Error{Status: 403, Code: "stranger", Message: found.opts.Allow(req.Context(), h.hotkey).Error()})
	default:
		found.ServeHTTP(w, req.WithContext(mesh.WithCaller(req.Context(), h.hotkey)))
	}
	return w.Result(), context.Cause(req.Context())
}
