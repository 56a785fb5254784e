package console

import (
	"cmp"
	"context"
	"crypto/tls"
	_ "embed"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/lodenet/lode/client"
)

// Document describes the API, in OpenAPI 3.1.
//
//go:embed openapi.yaml
var Document []byte

// Bounds of requests.
const (
	maxHeader   = 64 << 10 // bytes; a payment's header has up to 16 KiB
	maxBody     = 1_400_100
	bodyTime    = 30 * time.Second // for a request's body
	answerTime  = 30 * time.Second // for an answer's figures
	writeTime   = time.Minute      // for the answer to be read
	sendingTime = 90 * time.Second // for a transaction to get into a block
	stopTime    = 5 * time.Second  // for what goes on when the server is stopped
)

// Server serves the console. Make it with [New]; it is an http.Handler. What it knows of
// new blocks it learns while [Server.Run] or [Server.Serve] runs.
type Server struct {
	cfg     Config
	client  *client.Client
	index   Index
	log     *slog.Logger
	hosts   []host
	pages   *pages
	mux     *http.ServeMux
	slots   chan struct{} // of the API's requests
	chain   *chainView
	stream  *stream
	buyer   *buyer
	flights singleflight.Group

	indexErr atomic.Pointer[string] // why the index stands still
	foreign  atomic.Bool            // the index is of another chain
}

// route is a request that the API answers.
type route struct {
	method, path string
	params       []string // that its query may have
	serve        func(s *Server, ctx context.Context, a *ask) (any, error)
}

// raw is an answer that is no JSON.
type raw struct {
	contentType string
	file        string // name to keep it under
	write       func(w io.Writer) error
}

// begun is a writer that knows whether anything was written.
type begun struct {
	http.ResponseWriter
	wrote bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.wrote = true
	return b.ResponseWriter.Write(p)
}

// send writes a raw answer as it is made: it may be long. What fails under way is cut
// off, so that who reads sees that it is not whole.
func (r raw) send(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", r.contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="`+r.file+`"`)
	out := &begun{ResponseWriter: w}
	err := r.write(out)
	if err != nil && out.wrote {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		h.Del("Content-Disposition")
	}
	return err
}

// New makes a server.
func New(cfg Config) (*Server, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, client: cfg.Client, index: cfg.Index, log: cfg.Logger, slots: make(chan struct{}, cfg.MaxRequests)}
	for _, h := range cfg.Hosts {
		parsed, err := parseHost(h)
		if err != nil {
			return nil, err
		}
		s.hosts = append(s.hosts, parsed)
	}
	var err error
	if s.pages, err = newPages(cfg.Pages); err != nil {
		return nil, err
	}
	s.chain = newChainView(cfg.Client, cfg.Logger)
	s.stream = newStream(cfg.MaxStreams)
	s.buyer = newBuyer(s)
	s.mux = s.routes()
	return s, nil
}

// Build is the SHA-256, in hexadecimal, over the page's files: their names and contents.
func (s *Server) Build() string { return s.pages.build }

// routes are those of openapi.yaml.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range api {
		mux.Handle(r.method+" "+r.path, s.answer(r))
	}
	mux.HandleFunc("GET /v1/openapi.yaml", s.document)
	mux.HandleFunc("GET /v1/stream", s.serveStream)
	for _, method := range buyMethods {
		mux.HandleFunc(method+" /buy/{service}/{path...}", s.buyer.serve)
	}
	unknown := func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, other := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
			probe := &http.Request{Method: other, URL: r.URL, Host: r.Host}
			if _, pattern := mux.Handler(probe); pattern != "/v1/" && pattern != "/buy/" && pattern != "/" {
				allowed = append(allowed, other)
			}
		}
		if allowed != nil {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			writeFailure(w, fail(http.StatusMethodNotAllowed, "bad_value", "see /v1/openapi.yaml", "%.20q is not for %.200s", r.Method, r.URL.Path))
			return
		}
		writeFailure(w, fail(http.StatusNotFound, "not_found", "see /v1/openapi.yaml", "%.200s: there is no such path", r.URL.Path))
	}
	mux.HandleFunc("/v1/", unknown)
	mux.HandleFunc("/buy/", unknown)
	mux.HandleFunc("/", s.pages.serve)
	return mux
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	csp := policy
	if isAPI(r.URL.Path) {
		csp = dataPolicy
	}
	secure(w.Header(), csp)
	if r.TLS != nil {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	defer func() {
		p := recover()
		if p == nil || p == http.ErrAbortHandler {
			if p != nil {
				panic(p)
			}
			return
		}
		s.log.Error("a request's answer failed", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
		writeFailure(w, fail(http.StatusInternalServerError, "error", "", "the console failed at this; its log says where"))
	}()
	if f := s.guard(r); f != nil {
		writeFailure(w, f)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Server) document(w http.ResponseWriter, r *http.Request) {
	writeBytes(w, r, http.StatusOK, "application/yaml; charset=utf-8", Document)
}

// answer serves a route.
func (s *Server) answer(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		default:
			writeFailure(w, tooMany("requests at once"))
			return
		}
		control := http.NewResponseController(w)
		limit := answerTime
		if rt.path == "/v1/chain/broadcast" {
			limit = sendingTime
		}
		// Recorders of tests know no deadlines.
		_ = control.SetReadDeadline(time.Now().Add(bodyTime))
		_ = control.SetWriteDeadline(time.Now().Add(limit + writeTime))
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		v, err := s.run(ctx, rt, r)
		if table, ok := v.(raw); ok && err == nil {
			if err = table.send(w); err == nil {
				return
			}
		}
		if err == nil {
			writeJSON(w, r, http.StatusOK, v)
			return
		}
		if r.Context().Err() != nil {
			return // nobody waits for it
		}
		f := failureOf(err)
		if f.status == http.StatusInternalServerError || f.cause != nil {
			s.log.Warn("a request can't be answered", "path", r.URL.Path, "err", cmp.Or(f.cause, err))
		}
		writeFailure(w, f)
	})
}

func (s *Server) run(ctx context.Context, rt route, r *http.Request) (any, error) {
	a, err := newAsk(r, rt.params)
	if err != nil {
		return nil, err
	}
	return rt.serve(s, ctx, a)
}

func tooMany(what string) *failure {
	return fail(http.StatusServiceUnavailable, "too_many", "try again in a moment", "the console has too many %s", what)
}

// Run follows the chain until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.follow(ctx) })
	if s.cfg.Indexing != nil {
		g.Go(func() error { return s.keepIndex(ctx) })
	}
	g.Go(func() error {
		<-ctx.Done()
		s.stream.close()
		return s.buyer.close()
	})
	return g.Wait()
}

// Serve follows the chain and serves ln, over TLS if it is told how, until ctx ends.
func (s *Server) Serve(ctx context.Context, ln net.Listener, secret *tls.Config) error {
	ln = netutil.LimitListener(ln, s.cfg.MaxConns)
	if secret != nil {
		ln = tls.NewListener(ln, secret)
	}
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader,
		DisableGeneralOptionsHandler: true, // OPTIONS * is guarded, too
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Run(ctx) })
	g.Go(func() error {
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		s.stream.close() // else they would hold the server up
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err := server.Shutdown(stop)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		return err
	})
	return g.Wait()
}
