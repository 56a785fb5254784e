package mesh_test

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/lodenet/lode/mesh"
)

// stream opens a stream to a host as somebody who keeps to no rules.
func stream(t testing.TB, to *mesh.Host, key crypto.PrivKey) network.Stream {
	t.Helper()
	p2p, err := libp2p.New(libp2p.Identity(key), libp2p.NoListenAddrs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p2p.Close() })
	info, err := peer.AddrInfoFromString(to.Endpoints()[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := p2p.Connect(ctxOf(t), *info); err != nil {
		t.Fatal(err)
	}
	s, err := p2p.NewStream(ctxOf(t), info.ID, mesh.Protocol)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return s
}

func hotkey(t testing.TB, name string) crypto.PrivKey {
	t.Helper()
	key, err := crypto.UnmarshalSecp256k1PrivateKey(keyOf(name))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAPeerWithoutAHotkeyIsRefused(t *testing.T) {
	server := newHost(t, "server")
	mount(t, server, "/", open, answer("secret"))
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := stream(t, server, key)
	if _, err := io.WriteString(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(s), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 403 || !strings.Contains(string(body), `"code":"not_a_hotkey"`) {
		t.Errorf("status %d, %s", resp.StatusCode, body)
	}
}

func TestACallersNameIsNotWhatItsHeaderSays(t *testing.T) {
	server := newHost(t, "server")
	mount(t, server, "/", open, func(w http.ResponseWriter, r *http.Request) {
		caller, _ := mesh.Caller(r.Context())
		fmt.Fprint(w, caller)
	})
	s := stream(t, server, hotkey(t, "mallory"))
	if _, err := fmt.Fprintf(s, "GET / HTTP/1.1\r\nHost: %s\r\nX-Caller: %s\r\nForwarded: for=%[1]s\r\n\r\n", server.Hotkey(), server.Hotkey()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(s), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	id, err := peer.IDFromPrivateKey(hotkey(t, "mallory"))
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := mesh.HotkeyOf(id); string(body) != want {
		t.Errorf("the handler saw %s, want %s", body, want)
	}
}

func TestWhatIsNoRequestEndsTheStreamAlone(t *testing.T) {
	server := newHost(t, "server")
	mount(t, server, "/", open, answer("fine"))
	for name, c := range map[string]struct {
		sends string
		want  string
	}{
		"rubbish":            {"\x00\x01\x02\x03\r\n\r\n", "400"},
		"HTTP/2":             {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "404"},
		"no host":            {"GET / HTTP/1.1\r\n\r\n", "400"},
		"two lengths":        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
		"a length below 0":   {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"},
		"a huge header":      {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431"},
		"a header for ever":  {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: y\r\n", 64<<10), "431"},
		"an absurd path":     {"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "200"}, // the handler's to judge, like any
		"a path with no end": {"GET /" + strings.Repeat("x", 64<<10), "431"},
		"an upgrade":         {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "200"},
	} {
		t.Run(name, func(t *testing.T) {
			s := stream(t, server, hotkey(t, "mallory"))
			go func() {
				_, _ = io.WriteString(s, c.sends) // the server may stop reading at any byte
				_ = s.CloseWrite()
			}()
			resp, err := http.ReadResponse(bufio.NewReader(s), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := fmt.Sprint(resp.StatusCode); got != c.want {
				t.Errorf("status %s, want %s", got, c.want)
			}
		})
	}
	client := newHost(t, "client")
	introduce(t, client, server)
	mustCall(t, client, server, "/", nil, 200)
}

func TestAHeaderThatTricklesIsCutOff(t *testing.T) {
	t.Parallel() // it waits for the 10 s that a header may take
	server := newHost(t, "server")
	mount(t, server, "/", open, answer("fine"))
	s := stream(t, server, hotkey(t, "mallory"))
	begin := time.Now()
	if _, err := io.WriteString(s, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, s); err != nil && time.Since(begin) >= patience {
		t.Errorf("%d bytes, %v: the stream is still open", n, err)
	}
	if took := time.Since(begin); took < 5*time.Second {
		t.Errorf("cut off after %s, a slow line needs more", took)
	}
	waitFor(t, "the stream to be given up", func() bool { return server.Counters().StreamsOpen == 0 })
}

func TestABodyThatIsAnnouncedAndNeverSentEndsWithTheTimeout(t *testing.T) {
	server := newHost(t, "server")
	mount(t, server, "/", mesh.HandlerOptions{Open: true, Timeout: 100 * time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})
	s := stream(t, server, hotkey(t, "mallory"))
	if _, err := io.WriteString(s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(s), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 503 {
		t.Errorf("status %d, want 503", resp.StatusCode)
	}
	waitFor(t, "the stream to be given up", func() bool { return server.Counters().StreamsOpen == 0 })
}

func TestAnAnswerThatIsNoneIsAnError(t *testing.T) {
	client := newHost(t, "client")
	for name, reply := range map[string]string{
		"nothing":       "",
		"rubbish":       "\x00\x01\r\n\r\n",
		"a huge header": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"half a body":   "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
	} {
		t.Run(name, func(t *testing.T) {
			key := hotkey(t, "liar "+name)
			p2p, err := libp2p.New(libp2p.Identity(key), libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
			if err != nil {
				t.Fatal(err)
			}
			defer p2p.Close()
			p2p.SetStreamHandler(mesh.Protocol, func(s network.Stream) {
				_, _ = io.WriteString(s, reply)
				_ = s.CloseWrite()
				_, _ = io.Copy(io.Discard, s)
				_ = s.Close()
			})
			liar, err := mesh.HotkeyOf(p2p.ID())
			if err != nil {
				t.Fatal(err)
			}
			if err := client.AddPeer(liar, p2p.Addrs()[0].String()+"/p2p/"+p2p.ID().String()); err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(ctxOf(t), http.MethodGet, "http://"+liar+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Client().Do(req)
			if err == nil {
				defer resp.Body.Close()
				if body, err := io.ReadAll(resp.Body); err == nil {
					t.Errorf("status %d, %q", resp.StatusCode, body)
				}
			}
		})
	}
}

func FuzzValidateEndpoint(f *testing.F) {
	id, err := peer.IDFromPrivateKey(hotkey(f, "a"))
	if err != nil {
		f.Fatal(err)
	}
	own, err := mesh.HotkeyOf(id)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/ip4/203.0.113.7/udp/4001/quic-v1/p2p/" + id.String())
	f.Add("/ip4/1.2.3.4/tcp/1/p2p/" + id.String() + "/p2p-circuit/p2p/" + id.String())
	f.Add("/p2p/" + id.String())
	f.Add("///")
	f.Fuzz(func(t *testing.T, endpoint string) {
		if err := mesh.ValidateEndpoint(own, endpoint); err == nil && !strings.HasSuffix(strings.TrimRight(endpoint, "/"), id.String()) {
			// Another writing of the same ID would be fine, another ID would not.
			info, err := peer.AddrInfoFromString(endpoint)
			if err != nil || info.ID != id {
				t.Fatalf("%q is valid for %s", endpoint, own)
			}
		}
	})
}
