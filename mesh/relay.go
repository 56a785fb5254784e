package mesh

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	ma "github.com/multiformats/go-multiaddr"
)

// Relay is what a host does for hotkeys that can't be reached themselves: they hold a
// connection to it, and calls come through that. It sees who calls whom and how much, and
// nothing of what is said: the two ends authenticate each other and encrypt. What is 0
// has its default.
type Relay struct {
	Hotkeys  int           // that may be reached through it at once; default 128
	Each     int           // connections to each of them at once; default 64
	Data     int64         // bytes that a connection may carry each way; default 4 GiB
	Duration time.Duration // that it may last; default 2 h
	// Allow says who may be reached through it; nil: anybody.
	Allow func(hotkey string) bool
}

const relayBuffer = 16 << 10 // bytes, each way

// sameAddress is how many hotkeys may come from one address: a house has several machines.
const sameAddress = 64

// filled is the relay with its defaults.
func (r Relay) filled() Relay {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&r.Hotkeys, 128)
	def(&r.Each, 64)
	if r.Data <= 0 {
		r.Data = 4 << 30
	}
	if r.Duration <= 0 {
		r.Duration = 2 * time.Hour
	}
	return r
}

func (r Relay) option() libp2p.Option {
	return libp2p.EnableRelayService(
		relay.WithResources(relay.Resources{
			Limit: &relay.RelayLimit{Duration: r.Duration, Data: r.Data}, ReservationTTL: time.Hour,
			MaxReservations: r.Hotkeys, MaxCircuits: r.Each, BufferSize: relayBuffer, MaxReservationsPerIP: sameAddress, MaxReservationsPerASN: r.Hotkeys,
		}),
		relay.WithACL(relayACL{r.Allow}),
		relay.WithReservationAddressFilter(func(ma.Multiaddr) bool { return true }), // it may serve one house
	)
}

// relayACL lets those be reached that Allow names.
type relayACL struct{ allow func(hotkey string) bool }

func (a relayACL) AllowReserve(id peer.ID, _ ma.Multiaddr) bool {
	if a.allow == nil {
		return true
	}
	hotkey, err := HotkeyOf(id)
	return err == nil && a.allow(hotkey)
}

func (relayACL) AllowConnect(peer.ID, ma.Multiaddr, peer.ID) bool { return true }

// limit makes room for what is relayed: each connection takes a stream on either side.
func (r Relay) limit(l *rcmgr.ScalingLimitConfig) {
	streams := func(each int) rcmgr.BaseLimit {
		return rcmgr.BaseLimit{StreamsInbound: each, StreamsOutbound: each, Streams: 2 * each, Memory: int64(each) * 4 * relayBuffer}
	}
	all, one := streams(min(r.Hotkeys*r.Each, hostStreams)), streams(r.Each+peerStreams)
	l.AddServiceLimit(relay.ServiceName, all, rcmgr.BaseLimitIncrease{})
	l.AddServicePeerLimit(relay.ServiceName, one, rcmgr.BaseLimitIncrease{})
	for _, id := range []protocol.ID{proto.ProtoIDv2Hop, proto.ProtoIDv2Stop} {
		l.AddProtocolLimit(id, all, rcmgr.BaseLimitIncrease{})
		l.AddProtocolPeerLimit(id, one, rcmgr.BaseLimitIncrease{})
	}
}

// takenIn are the relays that a host was told to use. libp2p announces those that are on
// the internet; of one that serves a house or a test, nobody would hear.
type takenIn struct {
	relays []peer.AddrInfo
	by     atomic.Pointer[host.Host]
}

// announce adds the relays that the host is connected to.
func (t *takenIn) announce(addrs []ma.Multiaddr) []ma.Multiaddr {
	by := t.by.Load()
	if by == nil {
		return addrs // it is being made
	}
	for _, r := range t.relays {
		if (*by).Network().Connectedness(r.ID) != network.Connected {
			continue
		}
		for _, a := range r.Addrs {
			at := a.Encapsulate(ma.StringCast("/p2p/" + r.ID.String() + "/p2p-circuit"))
			if !slices.ContainsFunc(addrs, at.Equal) {
				addrs = append(addrs, at)
			}
		}
	}
	return addrs
}
