package mesh_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lodenet/lode/mesh"
)

// whole reads all before it answers; echo may begin with a part.
func whole(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(raw)
}

func TestTheNextCallHasTheSameStream(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/", open, whole)
	mount(t, server, "/deaf", open, answer("before it was asked"))
	for i := range 5 {
		body := strings.Repeat("x", 1+i*1000)
		if text := mustCall(t, client, server, "/", strings.NewReader(body), 200); text != body {
			t.Errorf("%d: %d bytes came back", i, len(text))
		}
	}
	if n := client.Counters().StreamsOpened; n != 1 {
		t.Errorf("5 calls, one after the other, had %d streams", n)
	}
	// What is answered before it is read to the end has the stream's last answer.
	for range 20 {
		mustCall(t, client, server, "/deaf", strings.NewReader("hello"), 200)
		mustCall(t, client, server, "/nowhere", strings.NewReader("hello"), 200)
	}
	if n := client.Counters().StreamsOpened; n < 20 {
		t.Errorf("%d streams", n)
	}
}

func TestAStreamThatWaitsDoesNotLeadToAPeerThatWasRemoved(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/", open, whole)
	mustCall(t, client, server, "/", strings.NewReader("x"), 200)
	if err := client.RemovePeer(server.Hotkey()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := call(ctxOf(t), client, server, "/", strings.NewReader("x")); !errors.Is(err, mesh.ErrUnknownPeer) {
		t.Errorf("got %v", err)
	}
}

// The body of what is passed on can be sent once: net/http can't try again.
func TestACallAfterAnotherAddressHasAStreamOfItsOwn(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/", open, whole)
	endpoints := server.Endpoints()
	for i := range 50 {
		if err := client.AddPeer(server.Hotkey(), endpoints[i%len(endpoints):]...); err != nil {
			t.Fatal(err)
		}
		mustCall(t, client, server, "/", io.NopCloser(strings.NewReader("x")), 200)
	}
}

// A call has a stream of its own while it lasts, whoever else calls.
func TestCallsAtOnceDoNotMeetOnAStream(t *testing.T) {
	client, server := pair(t)
	mount(t, server, "/", mesh.HandlerOptions{Open: true, PerPeer: 64}, whole)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for k := range 20 {
				body := strings.Repeat(string(rune('a'+i)), 100+k)
				status, text, err := call(ctxOf(t), client, server, "/", strings.NewReader(body))
				if err != nil || status != 200 || text != body {
					t.Errorf("status %d, %d bytes, %v", status, len(text), err)
				}
			}
		})
	}
	wg.Wait()
	if n := client.Counters().StreamsOpened; n >= 32*20 {
		t.Errorf("%d streams: none was used again", n)
	}
	waitFor(t, "all but few to close", func() bool { return client.Counters().StreamsOpen <= 16 })
}

func TestThroughARelayACallLeavesNoStream(t *testing.T) {
	relay := newHost(t, "relay", func(c *mesh.Config) { c.Relay = &mesh.Relay{} })
	home := newHost(t, "home", func(c *mesh.Config) { c.NAT, c.Relays = true, relay.Endpoints() })
	away := newHost(t, "away")
	mount(t, home, "/", open, whole)
	waitFor(t, "the relay to take it in", func() bool { return len(throughRelays(home)) > 0 })
	if err := away.AddPeer(home.Hotkey(), throughRelays(home)...); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "an answer", func() bool {
		status, text, err := call(ctxOf(t), away, home, "/", strings.NewReader("x"))
		return err == nil && status == 200 && text == "x"
	})
	waitFor(t, "the stream to end", func() bool { return away.Counters().StreamsOpen == 0 })
}

// Those that wait are asked nothing when a host closes, and can't keep it.
func TestStreamsThatWaitDoNotKeepAHostOpen(t *testing.T) {
	server := newHost(t, "server")
	mount(t, server, "/", open, answer("fine"))
	for _, name := range []string{"mallory", "eve", "oscar"} {
		first := stream(t, server, hotkey(t, name))
		for _, s := range []io.ReadWriter{first, first} {
			if _, err := io.WriteString(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(s), nil)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "fine" {
				t.Fatalf("%q, %v", text, err)
			}
		}
	}
	if n := server.Counters().StreamsOpen; n != 3 {
		t.Fatalf("%d streams wait", n)
	}
	began := time.Now()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("closed after %s: one waits for the other", took)
	}
	if n := server.Counters().StreamsOpen; n != 0 {
		t.Errorf("%d streams are left", n)
	}
}

func TestAStreamWaitsForItsNextRequestOnlySoLong(t *testing.T) {
	t.Parallel() // it waits for the 15 s that one may wait, and the 2 s of its end
	server := newHost(t, "server")
	mount(t, server, "/", open, answer("fine"))
	s := stream(t, server, hotkey(t, "mallory"))
	if _, err := io.WriteString(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(s); err != nil || !strings.HasSuffix(string(raw), "fine") {
		t.Errorf("%q, %v", raw, err)
	}
	waitFor(t, "the stream to be given up", func() bool { return server.Counters().StreamsOpen == 0 })
}
