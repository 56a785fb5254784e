package mesh_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/lodenet/lode/mesh"
)

// only lets a host call one address.
func only(addr string) func(*mesh.Config) {
	return func(c *mesh.Config) {
		c.Dials = func(a netip.Addr) bool { return a == netip.MustParseAddr(addr) }
	}
}

func TestAHostCallsOnlyAddressesThatItMay(t *testing.T) {
	home := newHost(t, "home", func(c *mesh.Config) { c.Listen = []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"} })
	mount(t, home, "/", open, answer("home"))
	asks := func(from *mesh.Host) error {
		if err := from.AddPeer(home.Hotkey(), home.Endpoints()...); err != nil {
			t.Fatal(err)
		}
		_, _, err := call(ctxOf(t), from, home, "/", nil)
		return err
	}
	if err := asks(newHost(t, "may", only("127.0.0.1"))); err != nil {
		t.Error(err)
	}
	if err := asks(newHost(t, "may not", only("127.0.0.2"))); !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

func TestAHostIsNotLedToAnAddressByARelay(t *testing.T) {
	relay := newHost(t, "relay", func(c *mesh.Config) { c.Relay = &mesh.Relay{} })
	home := newHost(t, "home", func(c *mesh.Config) { c.NAT, c.Relays = true, relay.Endpoints() })
	mount(t, home, "/", open, answer("home"))
	waitFor(t, "the relay to take it in", func() bool { return len(throughRelays(home)) > 0 })
	asks := func(from *mesh.Host) error {
		if err := from.AddPeer(home.Hotkey(), throughRelays(home)...); err != nil {
			t.Fatal(err)
		}
		_, _, err := call(ctxOf(t), from, home, "/", nil)
		return err
	}
	may := newHost(t, "may", only("127.0.0.1"))
	waitFor(t, "an answer", func() bool { return asks(may) == nil })
	if err := asks(newHost(t, "may not", only("127.0.0.2"))); !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("the relay itself is at an address that it may not call: got %v", err)
	}
}
