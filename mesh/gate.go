package mesh

import (
	"net/netip"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gate keeps a host from calling addresses that [Config].Dials refuses.
type gate struct{ dials func(netip.Addr) bool }

// InterceptAddrDial looks at every IP address in a multiaddr, that of a relay too; names
// are addresses by now.
func (g gate) InterceptAddrDial(_ peer.ID, to ma.Multiaddr) bool {
	ok := true
	ma.ForEach(to, func(c ma.Component) bool {
		switch c.Protocol().Code {
		case ma.P_IP4, ma.P_IP6:
			a, err := netip.ParseAddr(c.Value())
			ok = err == nil && g.dials(a)
		}
		return ok
	})
	return ok
}

// InterceptPeerDial lets every hotkey be called, where its addresses are.
func (gate) InterceptPeerDial(peer.ID) bool { return true }

// InterceptAccept lets everybody call.
func (gate) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured is of no interest here.
func (gate) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool { return true }

// InterceptUpgraded is of no interest here.
func (gate) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
