package console_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/console"
)

// relay is the end of a relay's address.
const relay = "/p2p/16Uiu2HAmCM4APo3cdWaDEgrKLRRi3eAuzYbWv5ScYFFrgkC1wiuX"

func TestPrivateAndLocalEndpointsAreNotAsked(t *testing.T) {
	for endpoint, public := range map[string]bool{
		"https://example.org/v1":                  true,
		"http://example.org:8080":                 true,
		"http://93.184.216.34/":                   true,
		"https://[2606:2800:220:1::1]:8443":       true,
		"http://10.0.0.1/":                        false,
		"http://172.16.0.1/":                      false,
		"http://192.168.1.1/":                     false,
		"http://169.254.169.254/latest/meta-data": false,
		"http://100.64.0.1/":                      false,
		"http://0.0.0.0:26657/":                   false,
		"http://0/":                               false,
		"http://2130706433/":                      false,
		"http://0x7f000001/":                      false,
		"http://127.1/":                           false,
		"http://[::]/":                            false,
		"http://[fe80::1%25eth0]/":                false,
		"http://[fc00::1]/":                       false,
		"http://[::ffff:10.0.0.1]/":               false,
		"http://[64:ff9b::a00:1]/":                false,
		"http://[2002:a00:1::]/":                  false,
		"http://[::10.0.0.1]/":                    false, // IPv4 inside IPv6, by each way that there was
		"http://[::ffff:0:10.0.0.1]/":             false,
		"http://[64:ff9b:1::a00:1]/":              false,
		"http://[4000::1]/":                       false, // given out to nobody
		"http://224.0.0.1/":                       false,
		"http://255.255.255.255/":                 false,
		"http://192.0.2.1/":                       false,
		"http://router/":                          false,
		"ftp://example.org/":                      false,
		"file:///etc/passwd":                      false,
		"http://user:secret@example.org/":         false,
		"http:example.org":                        false,
		"":                                        false,
		"/ip4/93.184.216.34/udp/4001/quic-v1":     true,
		"/ip6/2606:2800:220:1::1/tcp/4001":        true,
		"/dns4/example.org/tcp/4001":              true,
		"/ip4/10.0.0.1/tcp/4001":                  false,
		"/ip4/169.254.169.254/tcp/80":             false,
		"/dnsaddr/example.org":                    false,
		"/unix/tmp/socket":                        false,
		"/ip4/93.184.216.34/tcp/1/p2p-circuit":    false, // of which relay?
		"/ip4/93.184.216.34/udp/4001/quic-v1" + relay + "/p2p-circuit":               true,
		"/dns4/relay.example/tcp/4001" + relay + "/p2p-circuit":                      true,
		"/ip4/93.184.216.34/tcp/1" + relay + "/p2p-circuit" + relay:                  true,
		"/ip4/10.0.0.1/tcp/1" + relay + "/p2p-circuit":                               false,
		"/ip4/127.0.0.1/tcp/1" + relay + "/p2p-circuit":                              false,
		"/ip4/93.184.216.34/tcp/1" + relay + "/p2p-circuit/ip4/10.0.0.1/tcp/1":       false,
		"/ip4/93.184.216.34/tcp/1" + relay + "/p2p-circuit/dns4/router/tcp/1":        false,
		"/ip4/93.184.216.34/tcp/1" + relay + "/p2p-circuit" + relay + "/p2p-circuit": false,
		"/ip4/93.184.216.34/tcp/1" + relay + "/p2p-circuit/p2p-circuit":              false,
		"/p2p-circuit" + relay:                          false,
		relay + "/p2p-circuit/ip4/10.0.0.1/tcp/1":       false,
		"/ip4/93.184.216.34/tcp/1/dns4/localhost/tcp/1": false,
		"/nonsense": false,
	} {
		require.Equal(t, public, console.Reachable(endpoint, false), endpoint)
	}
	// Where the chain and the console are both of this machine, so may be its services.
	for endpoint, local := range map[string]bool{
		"http://127.0.0.1:8000":                              true,
		"http://localhost:8000":                              true,
		"http://[::1]:8000":                                  true,
		"/ip4/127.0.0.1/tcp/4001":                            true,
		"http://192.168.1.1/":                                false,
		"http://169.254.169.254/":                            false,
		"/ip4/192.168.1.1/tcp/4001":                          false,
		"/ip4/127.0.0.1/tcp/4001" + relay + "/p2p-circuit":   true,
		"/ip4/192.168.1.1/tcp/4001" + relay + "/p2p-circuit": false,
		"https://example.org":                                true,
	} {
		require.Equal(t, local, console.Reachable(endpoint, true), endpoint)
	}
	for _, endpoint := range []string{"http://127.0.0.1:8000", "http://localhost:8000", "http://a.localhost/", "http://[::1]:8000", "/ip4/127.0.0.1/tcp/4001"} {
		require.False(t, console.Reachable(endpoint, false), endpoint)
	}
}

// A name may resolve to anything, also to something else the second time: what counts is
// the address that the connection is made to.
func TestWhatANameResolvesToIsLookedAtWhenItIsCalled(t *testing.T) {
	for address, public := range map[string]bool{
		"93.184.216.34:443": true, "[2606:2800:220:1::1]:443": true,
		"127.0.0.1:80": false, "[::1]:80": false, "10.1.2.3:80": false, "169.254.169.254:80": false, "[::ffff:127.0.0.1]:80": false,
		"[fe80::1%eth0]:80": false, "0.0.0.0:80": false, "nonsense": false,
	} {
		require.Equal(t, public, console.Dialable(address, false), address)
	}
	require.True(t, console.Dialable("127.0.0.1:80", true))
	require.False(t, console.Dialable("10.1.2.3:80", true))
}

func TestWhatProvidersAnswerRunsNowhere(t *testing.T) {
	for said, passed := range map[string]string{
		"application/json":                "application/json",
		"application/json; charset=utf-8": "application/json",
		"text/event-stream":               "text/event-stream",
		"Text/Plain":                      "text/plain",
		"video/mp4":                       "video/mp4",
		"image/png":                       "image/png",
		"image/svg+xml":                   "application/octet-stream",
		"text/html":                       "application/octet-stream",
		"text/html; charset=utf-8":        "application/octet-stream",
		"text/javascript":                 "application/octet-stream",
		"application/javascript":          "application/octet-stream",
		"application/wasm":                "application/octet-stream",
		"text/css":                        "application/octet-stream",
		"application/xhtml+xml":           "application/octet-stream",
		"text/xml":                        "application/octet-stream",
		"application/pdf":                 "application/octet-stream",
		"video/mp4, text/html":            "application/octet-stream",
		"video/<script>":                  "application/octet-stream",
		"multipart/x-mixed-replace":       "application/octet-stream",
		"":                                "application/octet-stream",
	} {
		require.Equal(t, passed, console.PassedType(said), said)
	}
}

func TestPathsStayBelowAnEndpoint(t *testing.T) {
	for _, c := range []struct{ endpoint, rest, query, want string }{
		{"http://h.example/v1", "chat/completions", "", "http://h.example/v1/chat/completions"},
		{"http://h.example/v1/", "chat", "a=1&b=%2f", "http://h.example/v1/chat?a=1&b=%2f"},
		{"http://h.example", "", "", "http://h.example/"},
		{"http://h.example/v1", "", "", "http://h.example/v1"},
		{"http://h.example/v1", "a%2Fb//c", "", "http://h.example/v1/a%2Fb//c"},
		{"http://h.example/v1", "@evil.example/", "", "http://h.example/v1/@evil.example/"},
		{"http://h.example/v1", "http://evil.example/", "", "http://h.example/v1/http://evil.example/"},
	} {
		got, err := console.JoinURL(c.endpoint, c.rest, c.query)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	for _, rest := range []string{"..", "../x", "a/../../x", "%2e%2e/x", "a/%2E./x", ".", "a/./b"} {
		_, err := console.JoinURL("http://h.example/v1", rest, "")
		require.Error(t, err, rest)
	}
}

func TestFiguresAreReckonedAsTheChainDoes(t *testing.T) {
	const cap = 21_000_000_000_000_000
	for _, c := range []struct {
		issued uint64
		n      int
		next   uint64
	}{
		{0, 0, cap / 2}, {cap/2 - 1, 0, cap / 2}, {cap / 2, 1, cap / 4 * 3}, {cap/4*3 - 1, 1, cap / 4 * 3}, {cap / 4 * 3, 2, cap / 8 * 7},
		{cap - 1, 54, 0}, {cap, 64, 0}, {cap + 1, 64, 0},
	} {
		n, next := console.Halvings(cap, c.issued)
		require.Equal(t, c.n, n, c.issued)
		require.Equal(t, c.next, next, c.issued)
	}
	require.Equal(t, "0.525000000", console.PriceOfRao(525_000_000))
	require.Equal(t, "0.000000001", console.PriceOfRao(1))
	require.Equal(t, "18446744073.709551615", console.PriceOfRao(1<<64-1))
	require.Equal(t, "0.500000000000000000", console.PerAlpha(1, 2))
	require.Equal(t, "0.333333333333333333", console.PerAlpha(1, 3))
	require.Equal(t, "18446744073709551615.000000000000000000", console.PerAlpha(1<<64-1, 1))
	require.Equal(t, "0.0", console.PerAlpha(5, 0))
	for gas, fee := range map[uint64]uint64{0: 0, 1: 1, 100: 1, 101: 2, 200_000: 2000} {
		got, err := console.FeeOf("0.01", gas)
		require.NoError(t, err)
		require.Equal(t, fee, got, "fees are rounded up")
	}
}
