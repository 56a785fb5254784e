package mesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// Protocol is the libp2p protocol of a stream that carries one HTTP/1.1 request.
const Protocol protocol.ID = "/lode/http/1"

// DefaultListen are the listen addresses of a host that is given none: loopback,
// free ports, QUIC before TCP.
var DefaultListen = []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}

// Config is what a host is made of. Only PrivKey is required.
type Config struct {
	// PrivKey is the hotkey: 32 bytes, secp256k1.
	PrivKey []byte
	// Listen are multiaddrs to listen on; empty means [DefaultListen].
	Listen []string
	// Announce are multiaddrs to publish instead of those listened on, for a host
	// whose address looks different from outside. A trailing /p2p/ID may be left out.
	Announce []string
	// Logger defaults to a silent one.
	Logger *slog.Logger

	// CallTimeout bounds a call whose context has no deadline; default 60 s.
	CallTimeout time.Duration
	// DialTimeout bounds making a connection; default 10 s.
	DialTimeout time.Duration
	// MaxResponse bounds the body of a response in bytes; default 64 MiB.
	// [WithMaxResponse] sets it for one call.
	MaxResponse int64

	// Dials, if given, says which IP addresses may be called. Others tell a host more addresses
	// of theirs than it was given, and relays help to call those: who must not be led into its own
	// network asks here.
	Dials func(netip.Addr) bool

	// NAT asks the router to map a port, finds out whether the host can be reached, and
	// lets it be reached through relays.
	NAT bool
	// Relays are full multiaddrs (…/p2p/ID) of relays to be reached through; with NAT. They
	// are used at once: nobody may be there who could tell whether the host can be reached.
	Relays []string
	// Relay, if given, lets others be reached through this host.
	Relay *Relay
}

// Host is one hotkey's presence in the network. All methods are safe for concurrent
// use. It ends with the context that it was made with, or by [Host.Close].
type Host struct {
	cfg    Config
	log    *slog.Logger
	hotkey string
	p2p    host.Host

	server   *http.Server
	listener *listener
	mux      *mux
	served   chan struct{} // closed when the server's accept loop has ended

	client    *http.Client
	transport *http.Transport

	bookMu sync.Mutex
	book   map[string]bookEntry

	counters  counters
	lingering sync.RWMutex

	end       context.CancelFunc // of the context that the host lives in
	closeOnce sync.Once
	closeErr  error
}

// New starts a host that listens. It ends when ctx does.
func New(ctx context.Context, cfg Config) (*Host, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Listen) == 0 {
		cfg.Listen = DefaultListen
	}
	if cfg.CallTimeout <= 0 {
		cfg.CallTimeout = 60 * time.Second
	}
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = 10 * time.Second
	}
	if cfg.MaxResponse <= 0 {
		cfg.MaxResponse = 64 << 20
	}

	if cfg.Relay != nil {
		r := cfg.Relay.filled()
		cfg.Relay = &r
	}

	key, err := crypto.UnmarshalSecp256k1PrivateKey(cfg.PrivKey)
	if err != nil {
		return nil, fmt.Errorf("the hotkey is not a 32-byte secp256k1 key: %w", err)
	}
	hotkey, err := hotkeyOfKey(key.GetPublic())
	if err != nil {
		return nil, err
	}
	cfg.PrivKey = nil // libp2p has it now

	taken := &takenIn{}
	opts, err := options(cfg, key, taken)
	if err != nil {
		return nil, err
	}
	p2p, err := libp2p.New(opts...)
	if err != nil {
		return nil, fmt.Errorf("listen on %v: %w", cfg.Listen, err)
	}
	// libp2p is content when one of several addresses works; we are not.
	own := slices.DeleteFunc(p2p.Network().ListenAddresses(), func(a ma.Multiaddr) bool {
		_, err := a.ValueForProtocol(ma.P_CIRCUIT)
		return err == nil // of calls through relays
	})
	if got, want := len(own), len(cfg.Listen); got < want {
		return nil, errors.Join(fmt.Errorf("only %d of the addresses %v can be listened on; is a port in use?", got, cfg.Listen), p2p.Close())
	}

	taken.by.Store(&p2p)

	h := &Host{cfg: cfg, log: cfg.Logger.With("hotkey", hotkey), hotkey: hotkey, p2p: p2p, book: map[string]bookEntry{}}
	h.counters.init(p2p.ConnManager())
	h.serve()
	h.dialer()
	ctx, h.end = context.WithCancel(ctx)
	context.AfterFunc(ctx, func() { _ = h.Close() }) // Close keeps its error for who calls it
	return h, nil
}

func options(cfg Config, key crypto.PrivKey, taken *takenIn) ([]libp2p.Option, error) {
	announce, err := announced(cfg.Announce, key)
	if err != nil {
		return nil, err
	}
	resources, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits(cfg.Relay)))
	if err != nil {
		return nil, err
	}
	opts := []libp2p.Option{
		libp2p.ResourceManager(resources),
		libp2p.Identity(key),
		libp2p.ListenAddrStrings(cfg.Listen...),
		libp2p.Transport(quic.NewTransport),
		// Without it two hosts could listen on one port, each taking some of the calls.
		libp2p.Transport(tcp.NewTCPTransport, tcp.DisableReuseport()),
		libp2p.Security(noise.ID, noise.New),
		libp2p.UserAgent("lode"),
		libp2p.WithDialTimeout(cfg.DialTimeout),
		libp2p.SwarmOpts(swarm.WithDialRanker(rankDials)),
		libp2p.DisableMetrics(),
	}
	if len(announce) > 0 {
		opts = append(opts, libp2p.AddrsFactory(func([]ma.Multiaddr) []ma.Multiaddr { return announce }))
	} else if cfg.NAT {
		opts = append(opts, libp2p.AddrsFactory(taken.announce))
	}
	// Whoever calls goes through the other side's relay where that is its address, and
	// to it directly where that can be arranged.
	opts = append(opts, libp2p.EnableRelay(), libp2p.EnableHolePunching())
	if cfg.Dials != nil {
		opts = append(opts, libp2p.ConnectionGater(gate{cfg.Dials}))
	}
	if cfg.Relay != nil {
		opts = append(opts, cfg.Relay.option(), libp2p.ForceReachabilityPublic())
	}
	if !cfg.NAT {
		return append(opts, libp2p.DisableIdentifyAddressDiscovery()), nil
	}
	opts = append(opts, libp2p.NATPortMap(), libp2p.EnableAutoNATv2())
	if len(cfg.Relays) > 0 {
		relays, err := relayInfos(cfg.Relays)
		if err != nil {
			return nil, err
		}
		taken.relays = relays
		// Without a delay: else one relay that is down keeps the others waiting for minutes.
		opts = append(opts, libp2p.ForceReachabilityPrivate(), libp2p.EnableAutoRelayWithStaticRelays(relays, autorelay.WithBootDelay(0)))
	}
	return opts, nil
}

// Streams that may be open at once, of calls and of what libp2p says itself. One peer's are
// as many as a connection of QUIC's carries. libp2p's own limits are below that on most
// machines, and what is over them is reset without a word; what a handler bounds
// ([HandlerOptions]) is refused in words.
const (
	peerStreams = 256
	hostStreams = 4096
)

// limits are libp2p's own, but for calls.
func limits(r *Relay) rcmgr.ConcreteLimitConfig {
	l := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&l)
	if r != nil {
		r.limit(&l)
	}
	streams := func(each int) rcmgr.BaseLimit {
		return rcmgr.BaseLimit{StreamsInbound: each, StreamsOutbound: each, Streams: 2 * each, Memory: 256 << 20}
	}
	l.AddProtocolPeerLimit(Protocol, streams(peerStreams), rcmgr.BaseLimitIncrease{})
	l.AddProtocolLimit(Protocol, streams(hostStreams), rcmgr.BaseLimitIncrease{})
	for limit, each := range map[*rcmgr.BaseLimit]int{&l.PeerBaseLimit: 2 * peerStreams, &l.TransientBaseLimit: hostStreams, &l.SystemBaseLimit: 2 * hostStreams} {
		limit.StreamsInbound, limit.StreamsOutbound, limit.Streams = each, each, 2*each
	}
	return l.AutoScale()
}

// quicHeadStart is what QUIC gets before other transports are tried beside it. If it
// fails sooner they are tried at once.
const quicHeadStart = 2 * time.Second

// rankDials is libp2p's ranking with a longer head start. Of two connections that are
// made at once the caller closes the slower, and the other side, which can't know, may
// already have begun a call on it.
func rankDials(addrs []ma.Multiaddr) []network.AddrDelay {
	ranked := swarm.DefaultDialRanker(addrs)
	if slices.ContainsFunc(ranked, func(a network.AddrDelay) bool { return isQUIC(a.Addr) }) {
		for i := range ranked {
			if !isQUIC(ranked[i].Addr) {
				ranked[i].Delay += quicHeadStart
			}
		}
	}
	return ranked
}

func isQUIC(addr ma.Multiaddr) bool {
	_, err := addr.ValueForProtocol(ma.P_QUIC_V1)
	return err == nil
}

// relayInfos parses the addresses of relays, of which one may have several.
func relayInfos(relays []string) ([]peer.AddrInfo, error) {
	addrs := make([]ma.Multiaddr, len(relays))
	for i, s := range relays {
		addr, err := ma.NewMultiaddr(s)
		if err == nil {
			_, err = peer.AddrInfoFromP2pAddr(addr)
		}
		if err != nil {
			return nil, fmt.Errorf("relay %q is not a multiaddr that ends in /p2p/ID: %w", s, err)
		}
		addrs[i] = addr
	}
	return peer.AddrInfosFromP2pAddrs(addrs...)
}

// announced parses addresses to announce, without their /p2p/ID.
func announced(addrs []string, key crypto.PrivKey) ([]ma.Multiaddr, error) {
	self, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, err
	}
	var out []ma.Multiaddr
	for _, s := range addrs {
		addr, err := ma.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("announced address %q is not a multiaddr: %w", s, err)
		}
		transport, id := peer.SplitAddr(addr)
		if id != "" && id != self {
			return nil, fmt.Errorf("announced address %q ends in another peer's ID; this host's is %s", s, self)
		}
		if len(transport) == 0 {
			return nil, fmt.Errorf("announced address %q has no transport, such as /ip4/203.0.113.7/udp/4001/quic-v1", s)
		}
		out = append(out, transport)
	}
	return out, nil
}

// Hotkey returns the host's own address, lode1….
func (h *Host) Hotkey() string { return h.hotkey }

// PeerID returns the libp2p identity of the hotkey.
func (h *Host) PeerID() peer.ID { return h.p2p.ID() }

// Endpoints returns the full multiaddrs (…/p2p/ID) under which others reach the host
// now, best first: what is announced, else what it listens on, QUIC before TCP.
func (h *Host) Endpoints() []string {
	suffix := "/p2p/" + h.p2p.ID().String()
	var quics, others []string
	for _, a := range h.p2p.Addrs() {
		s := a.String() + suffix
		if isQUIC(a) {
			quics = append(quics, s)
		} else {
			others = append(others, s)
		}
	}
	if len(h.cfg.Announce) > 0 { // in the order given
		quics, others = nil, nil
		for _, a := range h.p2p.Addrs() {
			others = append(others, a.String()+suffix)
		}
	}
	return append(quics, others...)
}

// waitForLingering returns when all who have an answer have read it, or lingerTime is over.
func (h *Host) waitForLingering() {
	h.lingering.Lock()
	defer h.lingering.Unlock()
}

// shutdownGrace is how long Close waits for requests in flight.
const shutdownGrace = 2 * time.Second

// Close lets requests in flight end for up to 2 s, then closes every connection.
func (h *Host) Close() error {
	h.closeOnce.Do(func() {
		h.end()
		h.p2p.RemoveStreamHandler(Protocol)
		ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		if err := h.server.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			h.closeErr = err
		}
		h.transport.CloseIdleConnections()
		h.waitForLingering()
		h.listener.cancelRequests()
		h.closeErr = errors.Join(h.closeErr, h.server.Close(), h.p2p.Close())
		<-h.served
	})
	return h.closeErr
}
