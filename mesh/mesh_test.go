package mesh_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	cosmoskey "github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	"github.com/cosmos/cosmos-sdk/types/bech32"

	"github.com/lodenet/lode/mesh"
)

// patience bounds what a test waits for: never reached where all is well.
const patience = 30 * time.Second

// keyOf is a hotkey's private key, a different one for each name.
func keyOf(name string) []byte { return cosmoskey.GenPrivKeyFromSecret([]byte(name)).Key }

// newHost starts a host on loopback that ends with the test.
func newHost(t testing.TB, name string, set ...func(*mesh.Config)) *mesh.Host {
	t.Helper()
	cfg := mesh.Config{PrivKey: keyOf(name)}
	for _, s := range set {
		s(&cfg)
	}
	h, err := mesh.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("close %s: %v", name, err)
		}
	})
	return h
}

func introduce(t testing.TB, to *mesh.Host, who ...*mesh.Host) {
	t.Helper()
	for _, h := range who {
		if err := to.AddPeer(h.Hotkey(), h.Endpoints()...); err != nil {
			t.Fatal(err)
		}
	}
}

// pair is a client and a server, introduced.
func pair(t testing.TB, set ...func(*mesh.Config)) (client, server *mesh.Host) {
	t.Helper()
	client, server = newHost(t, "client", set...), newHost(t, "server")
	introduce(t, client, server)
	return client, server
}

func mount(t testing.TB, h *mesh.Host, path string, opts mesh.HandlerOptions, f http.HandlerFunc) {
	t.Helper()
	if err := h.Handle(path, f, opts); err != nil {
		t.Fatal(err)
	}
}

var open = mesh.HandlerOptions{Open: true}

func ctxOf(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// call makes a request and returns the status and the body.
func call(ctx context.Context, from, to *mesh.Host, path string, body io.Reader) (int, string, error) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+to.Hotkey()+path, body)
	if err != nil {
		return 0, "", err
	}
	resp, err := from.Client().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

// mustCall wants an answer of a status, and returns its body.
func mustCall(t testing.TB, from, to *mesh.Host, path string, body io.Reader, status int) string {
	t.Helper()
	got, text, err := call(ctxOf(t), from, to, path, body)
	if err != nil || got != status {
		t.Fatalf("status %d, %v, want %d; %s", got, err, status, text)
	}
	return text
}

func echo(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }

func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func TestAHandlerLearnsTheCallersHotkey(t *testing.T) {
	server := newHost(t, "server")
	mount(t, server, "/who", open, func(w http.ResponseWriter, r *http.Request) {
		caller, ok := mesh.Caller(r.Context())
		fmt.Fprintf(w, "%s %v", caller, ok)
	})
	for _, name := range []string{"alice", "bob", "carol"} {
		h := newHost(t, name)
		introduce(t, h, server)
		if got, want := mustCall(t, h, server, "/who", nil, 200), h.Hotkey()+" true"; got != want {
			t.Errorf("the handler saw %q, want %q", got, want)
		}
	}
	if caller, ok := mesh.Caller(t.Context()); ok {
		t.Errorf("outside of a handler %q calls", caller)
	}
	if caller, ok := mesh.Caller(mesh.WithCaller(t.Context(), "x")); !ok || caller != "x" {
		t.Errorf("WithCaller gave %q, %v", caller, ok)
	}
}

func TestAHotkeyIsTheChainsAddressOfItsKey(t *testing.T) {
	for i := range 20 {
		name := fmt.Sprint("key ", i)
		want, err := bech32.ConvertAndEncode("lode", cosmoskey.GenPrivKeyFromSecret([]byte(name)).PubKey().Address())
		if err != nil {
			t.Fatal(err)
		}
		h, err := mesh.New(t.Context(), mesh.Config{PrivKey: keyOf(name)})
		if err != nil {
			t.Fatal(err)
		}
		ofID, err := mesh.HotkeyOf(h.PeerID())
		if err != nil || h.Hotkey() != want || ofID != want {
			t.Errorf("hotkey %s, of the peer ID %s (%v), want %s", h.Hotkey(), ofID, err, want)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStrangersAreRefusedUnlessTheHandlerIsOpen(t *testing.T) {
	server, friend, stranger := newHost(t, "server"), newHost(t, "friend"), newHost(t, "stranger")
	introduce(t, friend, server)
	introduce(t, stranger, server)
	called := make(chan string, 10)
	note := func(w http.ResponseWriter, r *http.Request) {
		caller, _ := mesh.Caller(r.Context())
		called <- caller
	}
	mount(t, server, "/members/", mesh.HandlerOptions{Allow: func(_ context.Context, hotkey string) error {
		if hotkey != friend.Hotkey() {
			return errors.New("never heard of it")
		}
		return nil
	}}, note)
	mount(t, server, "/all", open, note)

	mustCall(t, friend, server, "/members/x", nil, 200)
	mustCall(t, friend, server, "/all", nil, 200)
	mustCall(t, stranger, server, "/all", nil, 200)
	for _, body := range []io.Reader{nil, strings.NewReader("x"), bytes.NewReader(make([]byte, 8<<20))} {
		text := mustCall(t, stranger, server, "/members/x", body, 403)
		if !strings.Contains(text, `"code":"stranger"`) || !strings.Contains(text, stranger.Hotkey()) || !strings.Contains(text, "never heard of it") {
			t.Errorf("refused with %s", text)
		}
	}
	close(called)
	var order []string
	for c := range called {
		order = append(order, c)
	}
	if fmt.Sprint(order) != fmt.Sprint([]string{friend.Hotkey(), friend.Hotkey(), stranger.Hotkey()}) {
		t.Errorf("the handlers saw %v", order)
	}
	if in := server.PeerCounters(stranger.Hotkey()).BytesIn; in > 2<<20 {
		t.Errorf("%d bytes of the stranger's body were read", in)
	}
}

func TestAHandlerSaysWhoMayCall(t *testing.T) {
	h := newHost(t, "server")
	allow := func(context.Context, string) error { return nil }
	for name, c := range map[string]struct {
		path string
		opts mesh.HandlerOptions
	}{
		"neither Allow nor Open":  {"/x", mesh.HandlerOptions{}},
		"both":                    {"/x", mesh.HandlerOptions{Open: true, Allow: allow}},
		"a path without its root": {"x", open},
		"no path":                 {"", open},
	} {
		if err := h.Handle(c.path, http.HandlerFunc(echo), c.opts); err == nil {
			t.Errorf("%s: mounted", name)
		}
	}
	mount(t, h, "/x", open, echo)
	if err := h.Handle("/x", http.HandlerFunc(echo), open); err == nil {
		t.Error("a path was mounted twice")
	}
	h.Unhandle("/x")
	mount(t, h, "/x", open, echo)
}

func TestTheLongestPathAnswers(t *testing.T) {
	client, server := pair(t)
	for _, path := range []string{"/a", "/a/", "/a/b/", "/a/b/c"} {
		mount(t, server, path, open, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, path, " got ", r.URL.Path) })
	}
	for path, want := range map[string]string{
		"/a": "/a", "/a/": "/a/", "/a/x": "/a/", "/a/b": "/a/", "/a/b/": "/a/b/", "/a/b/x/y": "/a/b/", "/a/b/c": "/a/b/c", "/a/b/c/d": "/a/b/",
	} {
		if got := mustCall(t, client, server, path, nil, 200); got != want+" got "+path {
			t.Errorf("%s: answered by %s", path, got)
		}
	}
	for _, path := range []string{"/", "/ab", "/b/a/"} {
		if text := mustCall(t, client, server, path, nil, 404); !strings.Contains(text, `"code":"not_found"`) || !strings.Contains(text, path) {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestManyHostsCallEachOtherAtOnce(t *testing.T) {
	const hosts, calls = 5, 20
	var all []*mesh.Host
	for i := range hosts {
		h := newHost(t, fmt.Sprint("host ", i))
		mount(t, h, "/echo", mesh.HandlerOptions{Open: true, PerPeer: calls}, echo)
		all = append(all, h)
	}
	body := strings.Repeat("0123456789abcdef", 1<<10)
	var wg sync.WaitGroup
	for _, from := range all {
		for _, to := range all {
			if from == to {
				continue
			}
			introduce(t, from, to)
			for range calls {
				wg.Go(func() {
					status, text, err := call(ctxOf(t), from, to, "/echo", strings.NewReader(body))
					if err != nil || status != 200 || text != body {
						t.Errorf("status %d, %d bytes, %v", status, len(text), err)
					}
				})
			}
		}
	}
	wg.Wait()
	var opened, accepted uint64
	for _, h := range all {
		c := h.Counters()
		if most := uint64((hosts - 1) * calls); c.StreamsOpened < hosts-1 || c.StreamsOpened > most {
			t.Errorf("counters %+v, want %d to %d streams", c, hosts-1, most)
		}
		opened += c.StreamsOpened
		accepted += c.StreamsAccepted
		if c.BytesIn < uint64(2*(hosts-1)*calls*len(body)) {
			t.Errorf("counted %d bytes in", c.BytesIn)
		}
	}
	if opened != accepted {
		t.Errorf("%d streams opened, %d accepted", opened, accepted)
	}
}

func TestAnAnswerCanBeReadWhileItIsWritten(t *testing.T) {
	client, server := pair(t)
	next := make(chan struct{})
	mount(t, server, "/count", open, func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprint(w, i)
			w.(http.Flusher).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	})
	req, err := http.NewRequestWithContext(ctxOf(t), http.MethodGet, "http://"+server.Hotkey()+"/count", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for i := range 3 {
		var b [1]byte
		if _, err := io.ReadFull(resp.Body, b[:]); err != nil || string(b[:]) != fmt.Sprint(i) {
			t.Fatalf("read %q, %v", b, err)
		}
		next <- struct{}{} // only now it writes on
	}
	if n, err := io.Copy(io.Discard, resp.Body); n != 0 || err != nil {
		t.Errorf("%d bytes more, %v", n, err)
	}
}

func TestARequestCanBeReadWhileItIsWritten(t *testing.T) {
	client, server := pair(t)
	got := make(chan string)
	mount(t, server, "/feed", open, func(w http.ResponseWriter, r *http.Request) {
		var b [1]byte
		for {
			if _, err := io.ReadFull(r.Body, b[:]); err != nil {
				return
			}
			got <- string(b[:])
		}
	})
	body, feed := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, _, err := call(ctxOf(t), client, server, "/feed", body)
		done <- err
	}()
	for _, c := range "abc" {
		if _, err := io.WriteString(feed, string(c)); err != nil {
			t.Fatal(err)
		}
		if s := <-got; s != string(c) {
			t.Fatalf("the handler read %q, want %q", s, c)
		}
	}
	_ = feed.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestCountersCountBytes(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/echo", open, echo)
	if c := client.PeerCounters(server.Hotkey()); c != (mesh.Counters{}) {
		t.Errorf("before they met: %+v", c)
	}
	body := strings.Repeat("x", 1<<20)
	mustCall(t, client, server, "/echo", strings.NewReader(body), 200)
	client.Client().CloseIdleConnections()
	waitFor(t, "streams to close", func() bool {
		return client.Counters().StreamsOpen == 0 && server.Counters().StreamsOpen == 0
	})
	c, s := client.Counters(), server.PeerCounters(client.Hotkey())
	for name, n := range map[string]uint64{"client in": c.BytesIn, "client out": c.BytesOut, "server in": s.BytesIn, "server out": s.BytesOut} {
		if n < 1<<20 || n > 1<<20+64<<10 {
			t.Errorf("%s: %d bytes, want 1 MiB and a little", name, n)
		}
	}
	if c.BytesOut != s.BytesIn || c.BytesIn != s.BytesOut {
		t.Errorf("client %+v, server %+v: what one sent the other received", c, s)
	}
	if c.StreamsOpened != 1 || c.StreamsAccepted != 0 || s.StreamsAccepted != 1 || s.StreamsOpened != 0 || c.Connections != 1 || s.Connections != 1 {
		t.Errorf("client %+v, server %+v: want one stream in one connection", c, s)
	}
	if got := client.PeerCounters(server.Hotkey()); got != c {
		t.Errorf("of the only peer %+v, in all %+v", got, c)
	}
}

// waitFor looks until something that happens in the background has happened.
func waitFor(t testing.TB, what string, f func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); !f(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}
