package mesh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lodenet/lode/mesh"
)

func TestEndpointsAreTheHotkeysOwn(t *testing.T) {
	a, b := newHost(t, "a"), newHost(t, "b")
	for _, e := range a.Endpoints() {
		if err := mesh.ValidateEndpoint(a.Hotkey(), e); err != nil {
			t.Errorf("its own %s: %v", e, err)
		}
		if err := mesh.ValidateEndpoint(b.Hotkey(), e); !errors.Is(err, mesh.ErrWrongPeer) {
			t.Errorf("another's %s: %v", e, err)
		}
	}
	if e := a.Endpoints(); len(e) != 2 || !strings.Contains(e[0], "/quic-v1/p2p/") || !strings.Contains(e[1], "/tcp/") {
		t.Errorf("endpoints %q: want QUIC, then TCP", e)
	}
	id := "/p2p/" + a.PeerID().String()
	for name, endpoint := range map[string]string{
		"nothing":               "",
		"no multiaddr":          "http://example.com",
		"no peer":               "/ip4/1.2.3.4/tcp/4001",
		"no transport":          id,
		"a broken peer":         "/ip4/1.2.3.4/tcp/4001/p2p/16Uiu2xyz",
		"an Ed25519 peer":       "/ip4/1.2.3.4/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
		"an RSA peer":           "/ip4/1.2.3.4/tcp/4001/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
		"longer than the limit": "/dns4/" + strings.Repeat("a", mesh.MaxEndpointLen) + "/tcp/1" + id,
	} {
		if err := mesh.ValidateEndpoint(a.Hotkey(), endpoint); err == nil {
			t.Errorf("%s: %q is valid", name, endpoint)
		}
	}
	if err := mesh.ValidateEndpoint("lode1nonsense", a.Endpoints()[0]); !errors.Is(err, mesh.ErrWrongPeer) {
		t.Errorf("for what is no hotkey: %v", err)
	}
}

func TestOnlyAKnownHotkeysOwnEndpointsAreCalled(t *testing.T) {
	a, b := newHost(t, "a"), newHost(t, "b")
	if err := a.AddPeer(b.Hotkey()); !errors.Is(err, mesh.ErrUnknownPeer) {
		t.Errorf("without endpoints: %v", err)
	}
	if err := a.AddPeer(b.Hotkey(), a.Endpoints()...); !errors.Is(err, mesh.ErrWrongPeer) {
		t.Errorf("with another's endpoints: %v", err)
	}
	if err := a.AddPeer(b.Hotkey(), b.Endpoints()[0], "rubbish"); err == nil {
		t.Error("with half a list of endpoints: added")
	}
	if err := a.AddPeer(a.Hotkey(), a.Endpoints()...); err == nil {
		t.Error("a host was told to call itself")
	}
	if _, _, err := call(ctxOf(t), a, b, "/", nil); !errors.Is(err, mesh.ErrUnknownPeer) || !strings.Contains(err.Error(), b.Hotkey()) {
		t.Errorf("calling somebody unknown: %v", err)
	}
	introduce(t, a, b)
	for _, url := range []string{"https://" + b.Hotkey() + "/", "http://" + b.Hotkey() + ":80/"} {
		if resp, err := a.Client().Get(url); err == nil || !strings.Contains(err.Error(), "http://HOTKEY/path") {
			t.Errorf("%s: %v, %v", url, resp, err)
		}
	}
}

func TestSomebodyElseAtAHotkeysEndpointIsFoundOut(t *testing.T) {
	client, victim, thief := newHost(t, "client"), newHost(t, "victim"), newHost(t, "thief")
	mount(t, thief, "/", open, answer("trust me"))
	for i, name := range []string{"QUIC", "TCP"} {
		transport, _, _ := strings.Cut(thief.Endpoints()[i], "/p2p/")
		if err := client.AddPeer(victim.Hotkey(), transport+"/p2p/"+victim.PeerID().String()); err != nil {
			t.Fatal(err)
		}
		if _, text, err := call(ctxOf(t), client, victim, "/", nil); !errors.Is(err, mesh.ErrWrongPeer) {
			t.Errorf("over %s: %q, %v", name, text, err)
		}
	}
}

func TestEachTransportWorksByItself(t *testing.T) {
	server := newHost(t, "server")
	mount(t, server, "/", open, answer("hello"))
	for i, name := range []string{"QUIC", "TCP"} {
		client := newHost(t, name)
		if err := client.AddPeer(server.Hotkey(), server.Endpoints()[i]); err != nil {
			t.Fatal(err)
		}
		if got := mustCall(t, client, server, "/", nil, 200); got != "hello" {
			t.Errorf("over %s: %q", name, got)
		}
	}
}

func TestAPeerThatRestartsIsReachedAgain(t *testing.T) {
	client, server := newHost(t, "client"), newHost(t, "server")
	mount(t, server, "/", open, answer("first"))
	introduce(t, client, server)
	mustCall(t, client, server, "/", nil, 200)
	var listen []string
	for _, e := range server.Endpoints() {
		addr, _, _ := strings.Cut(e, "/p2p/")
		listen = append(listen, addr)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the connection to end", func() bool { return client.Counters().Connections == 0 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, _, err := call(ctx, client, server, "/", nil)
	if !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("while it was away: %v", err)
	}
	var op *net.OpError // as programs see that nothing was sent
	if !errors.As(err, &op) || op.Op != "dial" {
		t.Errorf("while it was away: %v is no error of dialing", err)
	}

	// At the same place: at once, whatever failed before.
	again := newHost(t, "server", func(c *mesh.Config) { c.Listen = listen })
	mount(t, again, "/", open, answer("second"))
	if got := mustCall(t, client, again, "/", nil, 200); got != "second" {
		t.Errorf("after the restart %q", got)
	}

	// Elsewhere: as soon as somebody says where.
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	moved := newHost(t, "server")
	mount(t, moved, "/", open, answer("third"))
	introduce(t, client, moved)
	if got := mustCall(t, client, moved, "/", nil, 200); got != "third" {
		t.Errorf("after the move %q", got)
	}
}

func TestAPeerThatIsRemovedIsForgotten(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/", open, answer(""))
	mustCall(t, client, server, "/", nil, 200)
	for range 2 {
		if err := client.RemovePeer(server.Hotkey()); err != nil {
			t.Fatal(err)
		}
	}
	if n := client.Counters().Connections; n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if _, _, err := call(ctxOf(t), client, server, "/", nil); !errors.Is(err, mesh.ErrUnknownPeer) {
		t.Errorf("calling it: %v", err)
	}
	introduce(t, client, server)
	mustCall(t, client, server, "/", nil, 200)
}

func TestACallDoesNotHangOnAHostThatIsGone(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/", open, answer(""))
	mustCall(t, client, server, "/", nil, 200)
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, _, err := call(ctxOf(t), client, server, "/", nil); err == nil {
		t.Error("a closed host called somebody")
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	late := newHost(t, "late", func(c *mesh.Config) { c.DialTimeout = time.Second })
	introduce(t, late, newHost(t, "elsewhere"))
	if err := late.AddPeer(server.Hotkey(), "/ip4/127.0.0.1/tcp/1/p2p/"+server.PeerID().String()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := call(ctxOf(t), late, server, "/", nil); !errors.Is(err, mesh.ErrUnreachable) || !strings.Contains(err.Error(), "/tcp/1/") {
		t.Errorf("calling a closed host: %v", err)
	}
}

func TestCloseLetsRequestsInFlightEnd(t *testing.T) {
	client, server := pair(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	mount(t, server, "/", open, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		_, _ = io.WriteString(w, "done")
	})
	answered, closed := make(chan string, 1), make(chan error, 1)
	go func() {
		_, text, err := call(ctxOf(t), client, server, "/", nil)
		answered <- fmt.Sprint(text, err)
	}()
	<-entered
	go func() { closed <- server.Close() }()
	close(leave)
	if got := <-answered; got != "done<nil>" {
		t.Errorf("the request that was in flight: %s", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestCloseDoesNotWaitForAHandlerThatHangs(t *testing.T) {
	client, server := pair(t)
	entered := make(chan struct{})
	mount(t, server, "/", open, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	answered := make(chan error, 1)
	go func() {
		_, _, err := call(ctxOf(t), client, server, "/", nil)
		answered <- err
	}()
	<-entered
	begin := time.Now()
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > patience/3 {
		t.Errorf("closing took %s", took)
	}
	if err := <-answered; err == nil {
		t.Error("the caller got an answer from a closed host")
	}
}

func TestAHostEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h, err := mesh.New(ctx, mesh.Config{PrivKey: keyOf("server")})
	if err != nil {
		t.Fatal(err)
	}
	client := newHost(t, "client")
	introduce(t, client, h)
	mount(t, h, "/", open, answer(""))
	mustCall(t, client, h, "/", nil, 200)
	cancel()
	if err := h.Close(); err != nil { // waits for the one that the context began
		t.Error(err)
	}
	waitFor(t, "the connection to end", func() bool { return client.Counters().Connections == 0 })
	if _, err := mesh.New(ctx, mesh.Config{PrivKey: keyOf("server")}); !errors.Is(err, context.Canceled) {
		t.Errorf("a host in a context that has ended: %v", err)
	}
	for range 20 { // the context ends while the host is being made
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if h, err := mesh.New(ctx, mesh.Config{PrivKey: keyOf("server"), Listen: []string{"/ip4/127.0.0.1/tcp/0"}}); err == nil {
			_ = h.Close()
		}
	}
}

func TestNothingIsLeftOfClosedHosts(t *testing.T) {
	round := func() {
		a, err := mesh.New(t.Context(), mesh.Config{PrivKey: keyOf("a")})
		if err != nil {
			t.Fatal(err)
		}
		b, err := mesh.New(t.Context(), mesh.Config{PrivKey: keyOf("b")})
		if err != nil {
			t.Fatal(err)
		}
		mount(t, b, "/", open, echo)
		introduce(t, a, b)
		mustCall(t, a, b, "/", strings.NewReader("x"), 200)
		if err := errors.Join(a.Close(), b.Close()); err != nil {
			t.Fatal(err)
		}
	}
	round() // what libraries start once
	before := runtime.NumGoroutine()
	for range 5 {
		round()
	}
	waitFor(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before+1 })
}

func TestNothingIsLeftOfManyCalls(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/", open, echo)
	mount(t, server, "/refuses", mesh.HandlerOptions{Allow: func(context.Context, string) error { return errors.New("no") }}, echo)
	calls := func(n int) {
		defer client.Client().CloseIdleConnections()
		for range n {
			mustCall(t, client, server, "/", strings.NewReader("x"), 200)
			mustCall(t, client, server, "/refuses", strings.NewReader("x"), 403)
		}
	}
	calls(10)
	waitFor(t, "streams to close", func() bool { return server.Counters().StreamsOpen == 0 })
	before := runtime.NumGoroutine()
	calls(100)
	waitFor(t, "streams to close", func() bool {
		return server.Counters().StreamsOpen == 0 && client.Counters().StreamsOpen == 0 && runtime.NumGoroutine() <= before+2
	})
	if c := client.Counters(); c.Connections != 1 {
		t.Errorf("%d connections to one peer", c.Connections)
	}
}

func TestAnAnnouncedAddressIsWhatOthersAreTold(t *testing.T) {
	h := newHost(t, "a", func(c *mesh.Config) {
		c.Announce = []string{"/ip4/203.0.113.7/tcp/4001", "/dns4/miner.example/udp/4001/quic-v1"}
	})
	id := "/p2p/" + h.PeerID().String()
	want := []string{"/ip4/203.0.113.7/tcp/4001" + id, "/dns4/miner.example/udp/4001/quic-v1" + id}
	if got := h.Endpoints(); !slices.Equal(got, want) {
		t.Errorf("endpoints %q, want %q", got, want)
	}
	withID := newHost(t, "a", func(c *mesh.Config) { c.Announce = want })
	if got := withID.Endpoints(); !slices.Equal(got, want) {
		t.Errorf("endpoints %q, want %q", got, want)
	}
}

func TestAHostThatCannotBeMadeSaysWhy(t *testing.T) {
	taken := newHost(t, "taken")
	listens, _, _ := strings.Cut(taken.Endpoints()[1], "/p2p/")
	for name, c := range map[string]struct {
		cfg  mesh.Config
		says string
	}{
		"no key":              {mesh.Config{}, "32-byte secp256k1"},
		"half a key":          {mesh.Config{PrivKey: make([]byte, 16)}, "32-byte secp256k1"},
		"a port in use":       {mesh.Config{Listen: []string{listens}}, listens},
		"one port of two":     {mesh.Config{Listen: []string{"/ip4/127.0.0.1/tcp/0", listens}}, "is a port in use?"},
		"no multiaddr":        {mesh.Config{Listen: []string{"127.0.0.1:4001"}}, "127.0.0.1:4001"},
		"another's address":   {mesh.Config{Announce: taken.Endpoints()}, "another peer's ID"},
		"an announced word":   {mesh.Config{Announce: []string{"miner.example"}}, "not a multiaddr"},
		"an announced nobody": {mesh.Config{Announce: []string{"/p2p/" + taken.PeerID().String()}}, "another peer's ID"},
		"a relay that's none": {mesh.Config{NAT: true, Relays: []string{"/ip4/127.0.0.1/tcp/1"}}, "relay"},
	} {
		if name != "no key" && name != "half a key" {
			c.cfg.PrivKey = keyOf("another")
		}
		h, err := mesh.New(t.Context(), c.cfg)
		if err == nil {
			t.Errorf("%s: made", name)
			_ = h.Close()
		} else if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		}
	}
}
