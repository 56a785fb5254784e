package mesh

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Counters are totals since the host started, of streams that carry HTTP (libp2p's
// own protocols are not counted).
type Counters struct {
	BytesIn         uint64 `json:"bytes_in"`
	BytesOut        uint64 `json:"bytes_out"`
	StreamsOpened   uint64 `json:"streams_opened"`   // by this host
	StreamsAccepted uint64 `json:"streams_accepted"` // from others
	StreamsOpen     int    `json:"streams_open"`     // now
	Connections     int    `json:"connections"`      // now, to all peers
}

// Counters returns the totals over all peers.
func (h *Host) Counters() Counters {
	c := h.counters.total.read()
	c.Connections = len(h.p2p.Network().Conns())
	return c
}

// PeerCounters returns the totals of one hotkey, zero for one that was never met.
func (h *Host) PeerCounters(hotkey string) Counters {
	h.counters.mu.Lock()
	defer h.counters.mu.Unlock()
	for id, t := range h.counters.peers {
		if addr, err := HotkeyOf(id); err == nil && addr == hotkey {
			c := t.read()
			c.Connections = len(h.p2p.Network().ConnsToPeer(id))
			return c
		}
	}
	return Counters{}
}

// maxCountedPeers bounds the memory that strangers can take by showing up.
const maxCountedPeers = 8192

// protectTag keeps the connection manager from trimming a connection in use.
const protectTag = "lode-request"

type tally struct {
	in, out, opened, accepted atomic.Uint64
	open                      atomic.Int64
}

func (t *tally) read() Counters {
	return Counters{
		BytesIn: t.in.Load(), BytesOut: t.out.Load(),
		StreamsOpened: t.opened.Load(), StreamsAccepted: t.accepted.Load(),
		StreamsOpen: int(t.open.Load()),
	}
}

type counters struct {
	conns connmgr.ConnManager
	total tally
	mu    sync.Mutex
	peers map[peer.ID]*tally
}

func (c *counters) init(conns connmgr.ConnManager) {
	c.conns = conns
	c.peers = map[peer.ID]*tally{}
}

// open counts a stream in and returns it as a net.Conn.
func (c *counters) open(s network.Stream, dialed bool) *conn {
	id := s.Conn().RemotePeer()
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.peers[id]
	if t == nil {
		if len(c.peers) >= maxCountedPeers {
			c.forgetIdle()
		}
		t = &tally{}
		c.peers[id] = t
	}
	for _, t := range []*tally{&c.total, t} {
		if dialed {
			t.opened.Add(1)
		} else {
			t.accepted.Add(1)
		}
		t.open.Add(1)
	}
	if t.open.Load() == 1 {
		c.conns.Protect(id, protectTag)
	}
	return &conn{Stream: s, id: id, peer: t, counters: c, dialed: dialed, hurry: context.Background()}
}

// forgetIdle drops the counters of peers without an open stream; the totals stay.
func (c *counters) forgetIdle() {
	for id, t := range c.peers {
		if t.open.Load() == 0 {
			delete(c.peers, id)
		}
	}
}

func (c *counters) close(s *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.open.Add(-1)
	if s.peer.open.Add(-1) == 0 {
		c.conns.Unprotect(s.id, protectTag)
	}
}

// conn is a libp2p stream as a net.Conn that counts what passes.
type conn struct {
	network.Stream
	id       peer.ID
	peer     *tally
	counters *counters
	dialed   bool
	deaf     atomic.Bool // the other side has stopped reading
	idle     atomic.Bool // accepted, and answered what it was asked
	ending   atomic.Bool // it was idle when it was closed
	// hurry ends when a stream that was accepted must not linger any longer; lingering is
	// read-locked while one lingers without anybody who waits for it.
	hurry     context.Context
	lingering *sync.RWMutex
	once      sync.Once
	closeErr  error
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Stream.Read(b)
	c.peer.in.Add(uint64(n))
	c.counters.total.in.Add(uint64(n))
	if c.ending.Load() {
		return 0, net.ErrClosed // a request that comes now can't be answered
	}
	return n, err
}

// Write sends b. On a stream that this host opened it swallows what the server no
// longer wants to read: a server that refuses a request in the middle of its body
// stops reading and answers, and net/http's client would report the broken write
// instead of the answer. If there is no answer either, the read says so.
func (c *conn) Write(b []byte) (int, error) {
	if c.deaf.Load() {
		return len(b), nil
	}
	n, err := c.Stream.Write(b)
	c.peer.out.Add(uint64(n))
	c.counters.total.out.Add(uint64(n))
	var reset *network.StreamError
	if err != nil && c.dialed && errors.As(err, &reset) && reset.Remote {
		c.deaf.Store(true)
		return len(b), nil
	}
	return n, err
}

// Close ends the stream. A server's waits until the caller has read the answer: what
// is sent last would be lost if the host closed its connections now.
// The server closes those that are idle one after the other, so they wait by themselves.
func (c *conn) Close() error {
	c.once.Do(func() {
		switch {
		case c.dialed:
			c.closeErr = c.end()
		case c.idle.Load():
			c.ending.Store(true)
			c.lingering.RLock()
			go func() {
				defer c.lingering.RUnlock()
				c.linger()
				_ = c.end() // its request was answered: nobody is left to be told
			}()
		default:
			c.linger()
			c.closeErr = c.end()
		}
	})
	return c.closeErr
}

func (c *conn) end() error {
	defer c.counters.close(c)
	return c.Stream.Close()
}

const (
	// lingerTime and lingerBytes bound how long a caller is waited for, and what it
	// still sends meanwhile.
	lingerTime  = 2 * time.Second
	lingerBytes = 64 << 10
)

// linger says that nothing more comes, and waits for the caller to close its side.
func (c *conn) linger() {
	if c.Stream.CloseWrite() != nil || c.Stream.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return // the stream was reset
	}
	stop := context.AfterFunc(c.hurry, func() { _ = c.Stream.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, _ = io.Copy(io.Discard, io.LimitReader(c.Stream, lingerBytes)) // how it ends does not matter
}

func (c *conn) LocalAddr() net.Addr  { return addr(c.Stream.Conn().LocalPeer()) }
func (c *conn) RemoteAddr() net.Addr { return addr(c.id) }

// addr is a peer ID as a net.Addr.
type addr peer.ID

func (a addr) Network() string { return "libp2p" }
func (a addr) String() string  { return peer.ID(a).String() }

// listener hands the streams of [Protocol] to an http.Server.
type listener struct {
	self    peer.ID
	streams chan net.Conn
	once    sync.Once
	closed  chan struct{}

	// requests is the base of every request's context.
	requests       context.Context
	cancelRequests context.CancelFunc
}

func newListener(self peer.ID) *listener {
	l := &listener{self: self, streams: make(chan net.Conn), closed: make(chan struct{})}
	l.requests, l.cancelRequests = context.WithCancel(context.Background())
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.streams:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return addr(l.self) }
