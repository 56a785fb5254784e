package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/subnet"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// buyMethods are what is forwarded.
var buyMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}

// Bounds of what is forwarded: a video goes one way and comes back.
const (
	maxBuyBody   = 512 << 20
	maxBought    = 1 << 30
	buyTime      = 30 * time.Minute
	buyIdle      = 2 * time.Minute // without a byte either way
	buyDial      = 10 * time.Second
	maxBuyHeader = 64 << 10
)

// buyRequestHeaders pass to a provider, beside those that begin with Lode-; Cookie,
// Authorization, Origin and whatever else a browser tells do not.
var buyRequestHeaders = []string{x402.HeaderSignature, "Content-Type", "Accept", "Range", "If-None-Match", "If-Match", "Idempotency-Key", "Anthropic-Version"}

// buyAnswerHeaders come back.
var buyAnswerHeaders = []string{x402.HeaderRequired, x402.HeaderResponse, "Content-Length", "Content-Encoding", "Content-Range", "Accept-Ranges",
	"Retry-After", "Etag", "Last-Modified", "X-Request-Id"}

// passedTypes are contents that nothing runs. All else comes as bytes.
var passedTypes = []string{"application/json", "application/problem+json", "application/x-ndjson", "text/event-stream", "text/plain",
	"application/octet-stream", "video/", "audio/", "image/png", "image/jpeg", "image/webp", "image/avif", "image/gif"}

// buyer forwards requests to services.
type buyer struct {
	s     *Server
	slots chan struct{}
	http  [2]*http.Transport // by whether local addresses are allowed

	mu     sync.Mutex
	mesh   [2]*mesh.Host // once it was needed; by whether local addresses are allowed
	closed bool
}

func newBuyer(s *Server) *buyer {
	b := &buyer{s: s, slots: make(chan struct{}, s.cfg.MaxBuys)}
	for i := range b.http {
		d := &net.Dialer{Timeout: buyDial, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return dialable(address, i == 1)
		}}
		b.http[i] = &http.Transport{
			Proxy:       nil, // a proxy would resolve names itself
			DialContext: d.DialContext, TLSHandshakeTimeout: buyDial, ResponseHeaderTimeout: buyIdle, ExpectContinueTimeout: time.Second,
			MaxResponseHeaderBytes: maxBuyHeader, DisableCompression: true, MaxIdleConns: 64, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
			ForceAttemptHTTP2: true,
		}
	}
	return b
}

func (b *buyer) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, t := range b.http {
		t.CloseIdleConnections()
	}
	var all error
	for _, h := range b.mesh {
		if h != nil {
			all = errors.Join(all, h.Close())
		}
	}
	return all
}

// serve forwards a request.
func (b *buyer) serve(w http.ResponseWriter, r *http.Request) {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "", "empty", "video", "audio", "image":
	default: // a page, a script, a frame: nothing of a provider may be one
		writeFailure(w, fail(http.StatusForbidden, "bad_origin", "fetch it from the console's page", "what a service answers is no page of the console"))
		return
	}
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	default:
		writeFailure(w, tooMany("purchases under way"))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), buyTime)
	defer cancel()
	if err := b.forward(ctx, w, r); err != nil && r.Context().Err() == nil {
		writeFailure(w, failureOf(err))
	}
}

// target is a listed service.
func (b *buyer) target(ctx context.Context, r *http.Request) (to markettypes.ServiceInfo, local bool, err error) {
	id, err := number("service", r.PathValue("service"), 1, 1<<63-1)
	if err != nil {
		return to, false, err
	}
	asking, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	q, err := b.s.client.Market().Service(asking, &markettypes.QueryServiceRequest{ServiceId: id})
	if err != nil {
		return to, false, err
	}
	if !q.Service.Service.Listed {
		return to, false, fail(http.StatusNotFound, "not_found", "/v1/market/services lists those on offer", "service %d is not offered any more", id)
	}
	if local, err = b.s.local(asking); err != nil {
		return to, false, err
	}
	return q.Service, local && servesLoopback(r), nil
}

// forward has an error only as long as nothing was answered.
func (b *buyer) forward(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	service, local, err := b.target(ctx, r)
	if err != nil {
		return err
	}
	to, trip, err := b.way(ctx, service, local)
	if err != nil {
		return err
	}
	// What is below the endpoint, byte by byte: the service reads what the page wrote.
	_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/buy/"), "/")
	if to, err = join(to, rest, r.URL.RawQuery); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(buyIdle, func() { cancel(context.DeadlineExceeded) })
	defer idle.Stop()
	control := http.NewResponseController(w)
	moved := func() {
		idle.Reset(buyIdle)
		// Recorders of tests know no deadlines.
		_ = control.SetReadDeadline(time.Now().Add(buyIdle))
		_ = control.SetWriteDeadline(time.Now().Add(buyIdle))
	}
	moved()
	var body io.Reader = http.NoBody
	if r.ContentLength != 0 {
		body = &watched{http.MaxBytesReader(w, r.Body, maxBuyBody), moved}
	}
	out, err := http.NewRequestWithContext(mesh.WithMaxResponse(ctx, maxBought), r.Method, to, body)
	if err != nil {
		return badValue("", "%.200s can't be asked for: %v", rest, err)
	}
	out.ContentLength = r.ContentLength
	out.Header.Set("User-Agent", "lode-console")
	for name, values := range r.Header {
		if passes(name, buyRequestHeaders) {
			out.Header[name] = values
		}
	}
	answer, err := trip.RoundTrip(out)
	if err != nil {
		return unreachable(err)
	}
	defer answer.Body.Close()
	status := answer.StatusCode
	switch {
	case status < 200 || status > 599: // no answer, or another protocol
		return fail(http.StatusBadGateway, "unreachable", "try again, or another service", "the service answers with the status %d, which is none", status)
	case status >= 300 && status < 400 && status != http.StatusNotModified:
		return fail(http.StatusBadGateway, "unreachable", "its provider must list the endpoint that answers", "the service sends elsewhere (%d); the console does not follow", status)
	}
	h := w.Header()
	for name, values := range answer.Header {
		if passes(name, buyAnswerHeaders) {
			h[name] = values
		}
	}
	h.Set("Content-Type", passedType(answer.Header.Get("Content-Type")))
	h.Set("Content-Disposition", "attachment")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	part := make([]byte, 32<<10)
	for left := int64(maxBought); ; {
		n, err := answer.Body.Read(part)
		moved()
		if n > 0 {
			if left -= int64(n); left < 0 {
				panic(http.ErrAbortHandler) // who reads must see that it is not whole
			}
			if _, err := w.Write(part[:n]); err != nil {
				return nil // the caller is gone
			}
			if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// watched is a body that tells when something was read of it.
type watched struct {
	io.ReadCloser
	moved func()
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.moved()
	}
	return n, err
}

func passes(name string, list []string) bool {
	if strings.HasPrefix(name, "Lode-") {
		return true
	}
	for _, l := range list {
		if http.CanonicalHeaderKey(l) == name {
			return true
		}
	}
	return false
}

// passedType is what a provider's content is called here: as it calls it where nothing
// runs it, else just bytes.
func passedType(s string) string {
	kind := strings.ToLower(strings.TrimSpace(s))
	kind, _, _ = strings.Cut(kind, ";")
	kind = strings.TrimSpace(kind)
	for _, p := range passedTypes {
		if kind == p || strings.HasSuffix(p, "/") && strings.HasPrefix(kind, p) && strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz0123456789/.+-") == "" {
			return kind
		}
	}
	return "application/octet-stream"
}

// unreachable is a service that could not be asked.
func unreachable(err error) error {
	var f *failure
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &large):
		return fail(http.StatusRequestEntityTooLarge, "too_large", "", "a body may have %d bytes", large.Limit)
	case errors.Is(err, context.DeadlineExceeded):
		return fail(http.StatusGatewayTimeout, "unreachable", "try again, or another service", "the service does not answer in time")
	case isCanceled(err):
		return err
	}
	return fail(http.StatusBadGateway, "unreachable", "try again, or another service", "the service can't be reached: %v", err)
}

// join is a path below an endpoint.
func join(endpoint, rest, query string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fail(http.StatusBadGateway, "unreachable", "", "the service's endpoint %q is no URL", endpoint)
	}
	for _, part := range strings.Split(rest, "/") {
		if plain, err := url.PathUnescape(part); err != nil || plain == "." || plain == ".." {
			return "", badValue("", "a path has no . and .. here")
		}
	}
	base := strings.TrimSuffix(u.EscapedPath(), "/")
	full := u.Scheme + "://" + u.Host + base
	if rest != "" || base == "" {
		full += "/" + rest
	}
	if query != "" {
		full += "?" + query
	}
	return full, nil
}

// way is how a service is asked: the URL of its endpoint, and what carries it. On the
// mesh that is where its subnet's handlers are on the provider's host.
func (b *buyer) way(ctx context.Context, service markettypes.ServiceInfo, local bool) (string, http.RoundTripper, error) {
	hotkey, endpoint := service.Hotkey, service.Service.Endpoint
	if !reachable(endpoint, local) {
		return "", nil, fail(http.StatusForbidden, "not_allowed", "a console on loopback with a local network may", "the service is at %s, an address of this machine or a private network", endpoint)
	}
	if !strings.HasPrefix(endpoint, "/") {
		t := b.http[0]
		if local {
			t = b.http[1]
		}
		return endpoint, t, nil
	}
	at, err := resolve(ctx, endpoint, local)
	if err != nil {
		return "", nil, err
	}
	host, err := b.host(local)
	if err != nil {
		return "", nil, err
	}
	if err := host.AddPeer(hotkey, at...); err != nil {
		return "", nil, unreachable(err)
	}
	mounted := subnet.NewNetwork("", &subnet.Metagraph{Netuid: uint16(service.Service.Netuid)}, "", nil, nil, nil)
	return mounted.URL(subnet.Neuron{Hotkey: hotkey}, "/"), host.RoundTripper(), nil
}

// host is the console's end of the mesh, with a key of its own that nobody else has: who
// pays is told by vouchers.
func (b *buyer) host(local bool) (*mesh.Host, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fail(http.StatusServiceUnavailable, "unavailable", "", "the console is stopping")
	}
	i := 0
	if local {
		i = 1
	}
	if b.mesh[i] != nil {
		return b.mesh[i], nil
	}
	var listen []string // nobody calls the console: on a local network loopback will do
	if !local {
		listen = []string{"/ip4/0.0.0.0/udp/0/quic-v1", "/ip4/0.0.0.0/tcp/0"}
	}
	h, err := mesh.New(context.Background(), mesh.Config{
		PrivKey: secp256k1.GenPrivKey().Bytes(), Listen: listen, CallTimeout: buyTime, DialTimeout: buyDial, MaxResponse: maxBought, Logger: b.s.log,
		Dials: func(a netip.Addr) bool { return allowed(a, local) },
	})
	if err != nil {
		return nil, fmt.Errorf("the mesh can't be joined: %w", err)
	}
	b.mesh[i] = h
	return h, nil
}

// servesLoopback says whether a request came to a loopback address.
func servesLoopback(r *http.Request) bool {
	a, ok := localAddr(r)
	return ok && a.Addr().IsLoopback()
}

// serviceOf is a service's number as text.
func serviceOf(id uint64) string { return strconv.FormatUint(id, 10) }
