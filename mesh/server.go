package mesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

const (
	// headerTimeout bounds how long a stream may take to send its request's header.
	headerTimeout = 10 * time.Second
	// maxHeader bounds that header in bytes (net/http adds 4 KiB of slack).
	maxHeader = 32 << 10
	// writeGrace is what a handler's timeout leaves for sending the answer. Reading ends
	// readGrace after it: the timer has the better answer.
	writeGrace = 5 * time.Second
	readGrace  = writeGrace / 10
	// idleTimeout bounds how long a stream waits for its next request.
	idleTimeout = 15 * time.Second
	// refuseTimeout bounds how long a refused caller may keep its stream.
	refuseTimeout = 5 * time.Second
)

// HandlerOptions are the bounds of one handler. Zero values mean the defaults.
type HandlerOptions struct {
	// Allow says whether a hotkey may call, before anything of the body is read. Its
	// error is told to the caller. It is required unless Open.
	Allow func(ctx context.Context, hotkey string) error
	// Open lets every hotkey call; the handler decides by [Caller].
	Open bool
	// MaxBody bounds a request's body in bytes; default 64 MiB. More is 413.
	MaxBody int64
	// Timeout bounds a request from its header to the end of the answer; default
	// 60 s. It ends the request's context; who has not been answered by then gets 503.
	Timeout time.Duration
	// PerPeer bounds the requests of one hotkey at once; default 8. More is 429.
	PerPeer int
	// Total bounds the requests of all hotkeys at once; default 256. More is 503.
	Total int
}

func (o *HandlerOptions) defaults() {
	if o.MaxBody <= 0 {
		o.MaxBody = 64 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 60 * time.Second
	}
	if o.PerPeer <= 0 {
		o.PerPeer = 8
	}
	if o.Total <= 0 {
		o.Total = 256
	}
}

type (
	callerKey  struct{}
	relayedKey struct{} // in the context of requests that came through a relay
)

// Caller returns the hotkey that sent a request, proven by the connection's
// handshake. ok is false outside of a handler of this package.
func Caller(ctx context.Context) (hotkey string, ok bool) {
	hotkey, ok = ctx.Value(callerKey{}).(string)
	return hotkey, ok
}

// WithCaller returns ctx as a handler would see it when hotkey calls. It is for tests
// of handlers without a network.
func WithCaller(ctx context.Context, hotkey string) context.Context {
	return context.WithValue(ctx, callerKey{}, hotkey)
}

// Handle mounts handler at a path: "/x" answers that path alone, "/x/" everything
// under it; the longest match wins. The handler sees the whole path. A path can be
// mounted once; [Host.Unhandle] frees it.
func (h *Host) Handle(path string, handler http.Handler, opts HandlerOptions) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("handler path %q must begin with /", path)
	}
	if opts.Allow == nil && !opts.Open {
		return fmt.Errorf("handler %s has neither Allow nor Open: say who may call it", path)
	}
	if opts.Allow != nil && opts.Open {
		return fmt.Errorf("handler %s has both Allow and Open: choose one", path)
	}
	opts.defaults()
	return h.mux.add(path, &guarded{next: handler, opts: opts, log: h.log.With("path", path), peers: map[string]int{}})
}

// Unhandle removes what was mounted at path. Requests in flight go on.
func (h *Host) Unhandle(path string) { h.mux.remove(path) }

// serve starts the HTTP server on the host's streams.
func (h *Host) serve() {
	h.mux = &mux{handlers: map[string]*guarded{}}
	h.listener = newListener(h.p2p.ID())
	h.served = make(chan struct{})
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	h.server = &http.Server{
		Handler:           h.mux,
		Protocols:         &protocols,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return h.listener.requests },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			own := c.(*conn)
			if hotkey, err := HotkeyOf(own.id); err == nil {
				ctx = WithCaller(ctx, hotkey)
			}
			if own.Stream.Conn().Stat().Limited {
				ctx = context.WithValue(ctx, relayedKey{}, true)
			}
			return ctx
		},
		ConnState: func(c net.Conn, state http.ConnState) { c.(*conn).idle.Store(state == http.StateIdle) },
	}
	h.p2p.SetStreamHandler(Protocol, func(s network.Stream) {
		c := h.counters.open(s, false)
		c.hurry, c.lingering = h.listener.requests, &h.lingering
		select {
		case h.listener.streams <- c:
		case <-h.listener.closed:
			_ = s.Reset() // the host is closing; the caller sees the reset
			_ = c.Close()
		}
	})
	go func() {
		defer close(h.served)
		if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
			h.log.Error("mesh server ended", "err", err)
		}
	}()
}

// mux finds the handler of the longest path that matches.
type mux struct {
	mu       sync.RWMutex
	handlers map[string]*guarded
}

func (m *mux) add(path string, g *guarded) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.handlers[path] != nil {
		return fmt.Errorf("a handler is already mounted at %s", path)
	}
	m.handlers[path] = g
	return nil
}

func (m *mux) remove(path string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.handlers, path)
}

func (m *mux) find(path string) *guarded {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if g := m.handlers[path]; g != nil {
		return g
	}
	for i := strings.LastIndexByte(path, '/'); i >= 0; i = strings.LastIndexByte(path[:i], '/') {
		if g := m.handlers[path[:i+1]]; g != nil {
			return g
		}
	}
	return nil
}

func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Context().Value(relayedKey{}) != nil {
		w.Header().Set("Connection", "close") // the next call may find a way without a relay
	}
	g := m.find(r.URL.Path)
	if g == nil {
		refuse(w, &Error{Status: http.StatusNotFound, Code: "not_found", Message: "nothing is served at " + r.URL.Path})
		return
	}
	g.ServeHTTP(w, r)
}

// refuse answers without reading a body and bounds how long the caller may go on
// sending it. A stream without deadlines does not exist, so setting one can't fail.
func refuse(w http.ResponseWriter, e *Error) {
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex()
	_ = rc.SetReadDeadline(time.Now().Add(refuseTimeout))
	_ = rc.SetWriteDeadline(time.Now().Add(refuseTimeout))
	if e.Status == http.StatusTooManyRequests || e.Code == "busy" {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Connection", "close") // its body was not read
	WriteError(w, e)
}

// guarded puts the bounds of HandlerOptions around a handler.
type guarded struct {
	next http.Handler
	opts HandlerOptions
	log  *slog.Logger

	mu    sync.Mutex
	peers map[string]int // requests in flight
	total int
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, ok := Caller(r.Context())
	if !ok {
		refuse(w, &Error{Status: http.StatusForbidden, Code: "not_a_hotkey", Message: ErrNotHotkey.Error(),
			Hint: "connect with a secp256k1 key"})
		return
	}
	if err := g.allow(r.Context(), caller); err != nil {
		refuse(w, err)
		return
	}
	if r.ContentLength > g.opts.MaxBody {
		refuse(w, tooLarge(g.opts.MaxBody))
		return
	}
	if err := g.enter(caller); err != nil {
		refuse(w, err)
		return
	}
	defer g.leave(caller)
	g.run(w, r)
}

func (g *guarded) allow(ctx context.Context, caller string) *Error {
	if g.opts.Open {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, g.opts.Timeout)
	defer cancel()
	if err := g.opts.Allow(ctx, caller); err != nil {
		return &Error{Status: http.StatusForbidden, Code: "stranger", Message: fmt.Sprintf("%s may not call this: %v", caller, err),
			Hint: "only neurons of the subnet may; register the hotkey first"}
	}
	return nil
}

func tooLarge(limit int64) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Code: "too_large",
		Message: fmt.Sprintf("the request's body is larger than %d bytes", limit)}
}

func (g *guarded) enter(caller string) *Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.peers[caller] >= g.opts.PerPeer {
		return &Error{Status: http.StatusTooManyRequests, Code: "too_many",
			Message: fmt.Sprintf("%d requests of %s are in flight, the limit", g.opts.PerPeer, caller),
			Hint:    "wait until one of them ends"}
	}
	if g.total >= g.opts.Total {
		return &Error{Status: http.StatusServiceUnavailable, Code: "busy",
			Message: fmt.Sprintf("%d requests are in flight, the limit", g.opts.Total), Hint: "try again in a moment"}
	}
	g.peers[caller]++
	g.total++
	return nil
}

func (g *guarded) leave(caller string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.peers[caller]--; g.peers[caller] == 0 {
		delete(g.peers, caller)
	}
}

// run calls the handler with deadlines on everything that it might wait for.
func (g *guarded) run(w http.ResponseWriter, r *http.Request) {
	deadline := time.Now().Add(g.opts.Timeout)
	rc := http.NewResponseController(w)
	// Full duplex: a refusal does not wait for a body that may never come.
	_ = rc.EnableFullDuplex()
	_ = rc.SetReadDeadline(deadline.Add(readGrace))
	_ = rc.SetWriteDeadline(deadline.Add(writeGrace))
	ctx, cancel := context.WithDeadline(r.Context(), deadline)
	defer cancel()

	late := &Error{Status: http.StatusServiceUnavailable, Code: "timeout",
		Message: fmt.Sprintf("the request took longer than %s", g.opts.Timeout)}
	rw := &responder{w: w, rc: rc, deadline: deadline, late: late, read: r.ContentLength == 0}
	body := &boundedBody{body: r.Body, left: g.opts.MaxBody, limit: g.opts.MaxBody, rw: rw}
	r = r.WithContext(ctx)
	r.Body = body
	timer := time.AfterFunc(time.Until(deadline), func() { rw.overrule(late) })
	defer timer.Stop()
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p) // net/http's way to cut a response off
		default:
			g.log.Error("handler panicked", "panic", p, "stack", string(debug.Stack()))
			if !rw.overrule(&Error{Status: http.StatusInternalServerError, Code: "internal", Message: "the handler failed"}) {
				panic(http.ErrAbortHandler) // half an answer must not look like a whole one
			}
		}
	}()
	g.next.ServeHTTP(rw, r)
	rw.WriteHeader(http.StatusOK) // of an answer without a body, unless it has begun
}
