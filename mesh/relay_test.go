package mesh_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/lodenet/lode/mesh"
)

// throughRelays are a host's addresses that lead through relays.
func throughRelays(h *mesh.Host) (out []string) {
	for _, e := range h.Endpoints() {
		if strings.Contains(e, "/p2p-circuit/") {
			out = append(out, e)
		}
	}
	return out
}

// Whoever calls needs to set nothing for it.
func TestAHostBehindARelayIsReachedThroughIt(t *testing.T) {
	relay := newHost(t, "relay", func(c *mesh.Config) { c.Relay = &mesh.Relay{} })
	large := strings.Repeat("a clip ", 1<<18)
	home := newHost(t, "home", func(c *mesh.Config) { c.NAT, c.Relays = true, relay.Endpoints() })
	away := newHost(t, "away")
	mount(t, home, "/", open, answer(large))
	waitFor(t, "the relay to take it in", func() bool { return len(throughRelays(home)) > 0 })
	if err := away.AddPeer(home.Hotkey(), throughRelays(home)...); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "an answer", func() bool {
		status, text, err := call(ctxOf(t), away, home, "/", nil)
		if err != nil && !errors.Is(err, mesh.ErrUnreachable) {
			t.Fatal(err)
		}
		return status == 200 && text == large
	})
}

func TestARelayTakesInWhomItIsToldTo(t *testing.T) {
	id, err := peer.IDFromPrivateKey(hotkey(t, "home"))
	if err != nil {
		t.Fatal(err)
	}
	mine, err := mesh.HotkeyOf(id)
	if err != nil {
		t.Fatal(err)
	}
	relay := newHost(t, "relay", func(c *mesh.Config) {
		c.Relay = &mesh.Relay{Allow: func(hotkey string) bool { return hotkey == mine }}
	})
	at := func(name string) *mesh.Host {
		h := newHost(t, name, func(c *mesh.Config) { c.NAT, c.Relays = true, relay.Endpoints() })
		mount(t, h, "/", open, answer("from "+name))
		return h
	}
	home, stranger, away := at("home"), at("stranger"), newHost(t, "away")
	asks := func(h *mesh.Host) (string, error) {
		if err := away.AddPeer(h.Hotkey(), relay.Endpoints()[0]+"/p2p-circuit/p2p/"+h.PeerID().String()); err != nil {
			t.Fatal(err)
		}
		_, text, err := call(ctxOf(t), away, h, "/", nil)
		return text, err
	}
	waitFor(t, "both to be connected", func() bool { return len(throughRelays(home)) > 0 && len(throughRelays(stranger)) > 0 })
	waitFor(t, "an answer", func() bool {
		text, err := asks(home)
		return err == nil && text == "from home"
	})
	if _, err := asks(stranger); !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// What a relayed connection may carry is bounded, and its calls end with an error.
func TestARelayedConnectionEndsWithWhatItMayCarry(t *testing.T) {
	relay := newHost(t, "relay", func(c *mesh.Config) { c.Relay = &mesh.Relay{Data: 64 << 10} })
	home := newHost(t, "home", func(c *mesh.Config) { c.NAT, c.Relays = true, relay.Endpoints() })
	away := newHost(t, "away")
	large := strings.Repeat("x", 256<<10)
	mount(t, home, "/large", open, answer(large))
	mount(t, home, "/", open, answer("small"))
	waitFor(t, "the relay to take it in", func() bool { return len(throughRelays(home)) > 0 })
	if err := away.AddPeer(home.Hotkey(), throughRelays(home)...); err != nil {
		t.Fatal(err)
	}
	small := func() bool {
		_, text, err := call(ctxOf(t), away, home, "/", nil)
		return err == nil && text == "small"
	}
	waitFor(t, "an answer", small)
	if _, text, err := call(ctxOf(t), away, home, "/large", nil); err == nil {
		t.Errorf("%d bytes came", len(text))
	}
	waitFor(t, "an answer over the next connection", small)
}
