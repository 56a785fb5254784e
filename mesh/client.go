package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// expectContinueFrom is the body size from which a client asks before it sends, so
	// that a refusal costs a round trip and not an upload.
	expectContinueFrom = 64 << 10
	continueTimeout    = 2 * time.Second
	// maxResponseHeader bounds the header of a response in bytes.
	maxResponseHeader = 64 << 10
)

type bookEntry struct {
	endpoints []string
	id        peer.ID
}

// AddPeer tells the host where a hotkey listens; any one of the endpoints will do.
// Each must be the hotkey's own, see [ValidateEndpoint]. New endpoints for a known
// hotkey replace the old ones and close the connections to it: it has moved.
func (h *Host) AddPeer(hotkey string, endpoints ...string) error {
	if len(endpoints) == 0 {
		return fmt.Errorf("%w: %s", ErrUnknownPeer, hotkey)
	}
	var id peer.ID
	var addrs []ma.Multiaddr
	for _, endpoint := range endpoints {
		info, err := parseEndpoint(hotkey, endpoint)
		if err != nil {
			return err
		}
		id = info.ID
		addrs = append(addrs, info.Addrs...)
	}
	if hotkey == h.hotkey {
		return errors.New("a host does not call itself: that hotkey is its own")
	}
	h.bookMu.Lock()
	old, known := h.book[hotkey]
	h.book[hotkey] = bookEntry{endpoints: slices.Clone(endpoints), id: id}
	h.bookMu.Unlock()
	if known && slices.Equal(old.endpoints, endpoints) {
		return nil
	}
	h.setAddrs(id, addrs)
	if known {
		return h.hangUp(id)
	}
	return nil
}

// RemovePeer forgets where a hotkey listens and closes the connections to it.
func (h *Host) RemovePeer(hotkey string) error {
	h.bookMu.Lock()
	old, known := h.book[hotkey]
	delete(h.book, hotkey)
	h.bookMu.Unlock()
	if !known {
		return nil
	}
	h.p2p.Peerstore().ClearAddrs(old.id)
	return h.hangUp(old.id)
}

// hangUp closes the connections to a peer. The streams that wait in them must not take a
// next call: what they fail with does not say that nothing was sent.
func (h *Host) hangUp(id peer.ID) error {
	defer h.transport.CloseIdleConnections()
	return h.p2p.Network().ClosePeer(id)
}

func (h *Host) setAddrs(id peer.ID, addrs []ma.Multiaddr) {
	h.p2p.Peerstore().ClearAddrs(id)
	h.p2p.Peerstore().AddAddrs(id, addrs, peerstore.PermanentAddrTTL)
}

// Client returns the client whose URLs are http://HOTKEY/path. It follows no
// redirects. Every call ends by its context's deadline or [Config].CallTimeout, the
// reading of the body included.
func (h *Host) Client() *http.Client { return h.client }

// RoundTripper is what [Host.Client] uses.
func (h *Host) RoundTripper() http.RoundTripper { return h.client.Transport }

// callBuffer is what a call buffers each way, in bytes; larger reads and writes pass by. A
// host may have thousands of calls that wait.
const callBuffer = 2 << 10

// idleStreams is how many streams to a host wait for the next call. A call on one of them
// takes half of the processor time that it takes with one of its own.
const idleStreams = 16

func (h *Host) dialer() {
	h.transport = &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			hotkey, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return h.dial(ctx, hotkey)
		},
		MaxIdleConnsPerHost:    idleStreams,
		MaxIdleConns:           16 * idleStreams,
		IdleConnTimeout:        idleTimeout / 3, // the caller lets go first: no call meets a stream that ends
		DisableCompression:     true,            // nothing that grows while it is read
		MaxResponseHeaderBytes: maxResponseHeader,
		ReadBufferSize:         callBuffer,
		WriteBufferSize:        callBuffer,
		ExpectContinueTimeout:  continueTimeout,
	}
	h.client = &http.Client{
		Transport:     roundTripper{h},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// peer looks a hotkey up in the address book.
func (h *Host) peer(hotkey string) (bookEntry, error) {
	h.bookMu.Lock()
	defer h.bookMu.Unlock()
	entry, known := h.book[hotkey]
	if !known {
		return entry, notDialed(fmt.Errorf("%w: %s", ErrUnknownPeer, hotkey))
	}
	return entry, nil
}

// dial opens a stream to a hotkey in the address book.
func (h *Host) dial(ctx context.Context, hotkey string) (net.Conn, error) {
	entry, err := h.peer(hotkey)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, h.cfg.DialTimeout)
	defer cancel()
	ctx = network.WithAllowLimitedConn(ctx, "its address may be a relay's")
	// A peer that was away a second ago may be back: whoever calls decides how often.
	if s, ok := h.p2p.Network().(interface{ Backoff() *swarm.DialBackoff }); ok {
		s.Backoff().Clear(entry.id)
	}
	s, err := h.p2p.NewStream(ctx, entry.id, Protocol)
	if err != nil {
		at := strings.Join(entry.endpoints, ", ")
		if isMismatch(err) {
			err = fmt.Errorf("%w: %s at %s", ErrWrongPeer, hotkey, at)
		} else {
			err = fmt.Errorf("%w: %s at %s: %w", ErrUnreachable, hotkey, at, err)
		}
		return nil, notDialed(err)
	}
	return h.counters.open(s, true), nil
}

// notDialed is an error as net's dialers have it: by it who pays for calls sees that
// nothing of this one was sent.
func notDialed(err error) error { return &net.OpError{Op: "dial", Net: "mesh", Err: err} }

// isMismatch says whether a handshake met another identity than was called. QUIC
// passes the TLS error on as text only.
func isMismatch(err error) bool {
	var mismatch sec.ErrPeerIDMismatch
	if errors.As(err, &mismatch) {
		return true
	}
	var dial *swarm.DialError
	return errors.As(err, &dial) && slices.ContainsFunc(dial.DialErrors, func(e swarm.TransportError) bool {
		return errors.As(e.Cause, &mismatch) || strings.Contains(e.Cause.Error(), "peer id mismatch")
	})
}

type maxResponseKey struct{}

// WithMaxResponse bounds the response body of calls made with the context, in bytes.
func WithMaxResponse(ctx context.Context, limit int64) context.Context {
	return context.WithValue(ctx, maxResponseKey{}, limit)
}

type roundTripper struct{ h *Host }

// CloseIdleConnections ends the streams that wait for a next call.
func (t roundTripper) CloseIdleConnections() { t.h.transport.CloseIdleConnections() }

func (t roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	h := t.h
	if req.URL.Scheme != "http" || req.URL.Port() != "" {
		closeBody(req)
		return nil, fmt.Errorf("mesh addresses look like http://HOTKEY/path, not %s", req.URL.Redacted())
	}
	if _, err := h.peer(req.URL.Host); err != nil { // also where a stream to it still waits
		closeBody(req)
		return nil, err
	}
	ctx, cancel := req.Context(), context.CancelFunc(func() {})
	if _, ok := ctx.Deadline(); !ok {
		ctx, cancel = context.WithTimeout(ctx, h.cfg.CallTimeout)
	}
	limit, ok := ctx.Value(maxResponseKey{}).(int64)
	if !ok {
		limit = h.cfg.MaxResponse
	}
	req = req.Clone(ctx)
	if req.Body != nil && req.Body != http.NoBody && (req.ContentLength < 0 || req.ContentLength >= expectContinueFrom) {
		req.Header.Set("Expect", "100-continue")
	}
	resp, err := h.transport.RoundTrip(req)
	if err != nil {
		cancel()
		return nil, err
	}
	if resp.ContentLength > limit {
		cancel()
		return nil, errors.Join(fmt.Errorf("%w: %d bytes of %d", ErrResponseTooLarge, resp.ContentLength, limit), resp.Body.Close())
	}
	resp.Body = &boundedResponse{body: resp.Body, left: limit, limit: limit, cancel: cancel}
	return resp, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // RoundTrip must close it; its error is not the caller's
	}
}

// boundedResponse cuts a body off at the caller's limit and ends the call's deadline
// with it.
type boundedResponse struct {
	body   io.ReadCloser
	left   int64
	limit  int64
	cancel context.CancelFunc
}

func (b *boundedResponse) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("%w of %d bytes", ErrResponseTooLarge, b.limit)
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if int64(n) <= b.left {
		b.left -= int64(n)
		if err != nil {
			b.cancel()
		}
		return n, err
	}
	n = int(b.left)
	b.left = -1
	b.cancel()
	return n, fmt.Errorf("%w of %d bytes", ErrResponseTooLarge, b.limit)
}

func (b *boundedResponse) Close() error {
	err := b.body.Close()
	b.cancel()
	return err
}
