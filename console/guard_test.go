package console_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/andybalholm/brotli"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/console"
	"github.com/lodenet/lode/indexer"
)

// page is a small build.
func page() fstest.MapFS {
	return fstest.MapFS{
		"index.html":                  {Data: []byte("<!doctype html><title>Lode</title>" + strings.Repeat("<p>ore</p>", 200))},
		"assets/main-AbCd1234.js":     {Data: []byte(strings.Repeat("export const lode = 1;\n", 300))},
		"assets/argon2-XyZ_9876.wasm": {Data: []byte{0, 'a', 's', 'm'}},
		"icon.svg":                    {Data: []byte("<svg/>")},
	}
}

// nowhere is a client of a chain that nobody answers for.
func nowhere(t testing.TB) *client.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	c, err := client.New(client.Config{Nodes: []string{"http://" + l.Addr().String()}, Timeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func newServer(t testing.TB, change func(*console.Config)) *console.Server {
	t.Helper()
	cfg := console.Config{Client: nowhere(t), Pages: page(), Version: "test"}
	if change != nil {
		change(&cfg)
	}
	s, err := console.New(cfg)
	require.NoError(t, err)
	return s
}

// listen serves without following a chain.
func listen(t testing.TB, change func(*console.Config)) (*console.Server, *httptest.Server) {
	t.Helper()
	s := newServer(t, change)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h
}

// ask sends a request as it is written.
func ask(t testing.TB, address, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	return resp
}

// code is an error answer's.
func code(t testing.TB, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var v struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	require.NoError(t, json.Unmarshal(body, &v), "%s", body)
	fits(t, "", "", resp.StatusCode, body)
	return v.Error.Code
}

func TestOnlyItsOwnHostIsServed(t *testing.T) {
	_, h := listen(t, func(c *console.Config) { c.Hosts = []string{"console.example.org", "proxied.example.org:8443"} })
	at := h.Listener.Addr().String()
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	for host, served := range map[string]bool{
		at:                                 true,
		"localhost:" + port:                true,
		"LOCALHOST:" + port:                true,
		"console.example.org":              true,
		"console.example.org:9":            true,
		"proxied.example.org:8443":         true,
		"proxied.example.org":              false,
		"127.0.0.1.evil.com:" + port:       false,
		"127.0.0.1.evil.com":               false,
		"127.0.0.1":                        false, // another port
		"127.0.0.1:1" + port:               false,
		"127.0.0.2:" + port:                false, // where the request did not come to
		"127.1:" + port:                    false,
		"0x7f.0.0.1:" + port:               false,
		"2130706433:" + port:               false,
		"0177.0.0.1:" + port:               false,
		"0.0.0.0:" + port:                  false,
		"[::1]:" + port:                    false,
		"[::ffff:127.0.0.1]:" + port:       true, // the same address, written longer
		"[::1%25lo]:" + port:               false,
		"localhost.:" + port:               false,
		"localhost.evil.com:" + port:       false,
		"evil.com":                         false,
		"evil.com:" + port:                 false,
		"evil.com#" + at:                   false,
		"user@" + at:                       false,
		at + "/":                           false,
		"xn--lcalhost-54a:" + port:         false,
		"localhost:" + port + ":" + port:   false,
		"localhost:+" + port:               false,
		strings.Repeat("a.", 200) + ".com": false,
		"":                                 false,
	} {
		for _, path := range []string{"/", "/v1/status", "/assets/main-AbCd1234.js", "/buy/1/x"} {
			resp := ask(t, at, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
			refused := resp.StatusCode == http.StatusMisdirectedRequest || resp.StatusCode == http.StatusBadRequest
			require.Equal(t, served, !refused, "Host %q, %s: %s", host, path, resp.Status)
			require.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
		}
	}
}

func TestWritesMustComeFromItsOwnPage(t *testing.T) {
	_, h := listen(t, func(c *console.Config) { c.Hosts = []string{"console.example.org"} })
	at := h.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(at)
	send := func(method, path, host, headers string) (int, string) {
		resp := ask(t, at, method+" "+path+" HTTP/1.1\r\nHost: "+host+"\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n"+headers+"\r\n{}")
		return resp.StatusCode, code(t, resp)
	}
	for headers, through := range map[string]bool{
		"Origin: http://" + at + "\r\n":  true,
		"":                               false,
		"Origin: null\r\n":               false,
		"Origin: https://" + at + "\r\n": false,
		"Origin: http://localhost:" + port + "\r\n":                    false, // the request names an address
		"Origin: http://evil.com\r\n":                                  false,
		"Origin: http://127.0.0.1.evil.com:" + port + "\r\n":           false,
		"Origin: http://127.0.0.1\r\n":                                 false,
		"Origin: http://" + at + ".evil.com\r\n":                       false,
		"Origin: http://" + at + "/\r\n":                               false,
		"Origin: http://a@" + at + "\r\n":                              false,
		"Origin: http://" + at + "?\r\n":                               false,
		"Origin: http://" + at + "#\r\n":                               false,
		"Origin: HTTP://" + at + "\r\n":                                false, // no browser writes it so
		"Origin: http://" + at + ",http://evil.com\r\n":                false,
		"Origin: http://" + at + "\r\nOrigin: http://evil.com\r\n":     false,
		"Origin: http://" + at + "\r\nSec-Fetch-Site: cross-site\r\n":  false,
		"Origin: http://" + at + "\r\nSec-Fetch-Site: same-site\r\n":   false,
		"Origin: http://" + at + "\r\nSec-Fetch-Site: same-origin\r\n": true,
		"Referer: http://" + at + "/\r\n":                              false,
	} {
		for _, path := range []string{"/v1/chain/broadcast", "/v1/chain/simulate", "/buy/1/x"} {
			status, code := send("POST", path, at, headers)
			require.Equal(t, through, code != "bad_origin", "%q %s: %d %s", headers, path, status, code)
		}
	}
	_, code := send("POST", "/v1/chain/simulate", "console.example.org", "Origin: https://console.example.org\r\n")
	require.NotEqual(t, "bad_origin", code, "a proxy before it speaks TLS")
	_, code = send("DELETE", "/buy/1/x", at, "")
	require.Equal(t, "bad_origin", code)
}

func TestOtherSitesPagesReadNothing(t *testing.T) {
	_, h := listen(t, nil)
	get := func(path string, headers ...string) *http.Response {
		req, err := http.NewRequest(http.MethodGet, h.URL+path, nil)
		require.NoError(t, err)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := h.Client().Do(req)
		require.NoError(t, err)
		t.Cleanup(func() { resp.Body.Close() })
		require.Empty(t, resp.Header.Values("Access-Control-Allow-Origin"))
		return resp
	}
	require.Equal(t, "bad_origin", code(t, get("/v1/status", "Origin", "https://evil.com")))
	require.Equal(t, "bad_origin", code(t, get("/v1/status", "Sec-Fetch-Site", "cross-site")))
	require.Equal(t, "bad_origin", code(t, get("/v1/status", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")))
	require.Equal(t, "bad_origin", code(t, get("/v1/stream", "Sec-Fetch-Site", "same-site")))
	require.Equal(t, "bad_origin", code(t, get("/assets/main-AbCd1234.js", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors")))
	require.Equal(t, http.StatusOK, get("/", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate").StatusCode, "a link opens the page")
	require.Equal(t, http.StatusOK, get("/v1/status", "Sec-Fetch-Site", "same-origin").StatusCode)
	// What a provider answers is never a page, a script or a frame.
	for _, dest := range []string{"document", "script", "iframe", "worker", "serviceworker", "style", "object", "embed"} {
		require.Equal(t, "bad_origin", code(t, get("/buy/1/x", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Dest", dest)), dest)
	}
	req, err := http.NewRequest(http.MethodOptions, h.URL+"/v1/chain/broadcast", nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "https://evil.com")
	req.Header.Set("Access-Control-Request-Method", "POST")
	resp, err := h.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	_, h := listen(t, nil)
	for path, page := range map[string]bool{"/": true, "/subnets/1": true, "/assets/main-AbCd1234.js": true, "/v1/status": false, "/v1/nothing": false, "/v1/home": false, "/buy/1/x": false, "/none.js": false} {
		resp, err := h.Client().Get(h.URL + path)
		require.NoError(t, err)
		resp.Body.Close()
		csp := resp.Header.Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'", path)
		require.Contains(t, csp, "frame-ancestors 'none'", path)
		require.Equal(t, page, strings.Contains(csp, "script-src 'self' 'wasm-unsafe-eval'"), path)
		require.Equal(t, page, strings.Contains(csp, "require-trusted-types-for 'script'"), path)
		require.Equal(t, page, !strings.Contains(csp, "sandbox"), path)
		require.NotContains(t, csp, "unsafe-inline")
		require.NotContains(t, csp, "*")
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"), path)
		require.Equal(t, "same-origin", resp.Header.Get("Cross-Origin-Resource-Policy"), path)
		require.Equal(t, "same-origin", resp.Header.Get("Cross-Origin-Opener-Policy"), path)
	}
}

func TestThePageIsServed(t *testing.T) {
	s, h := listen(t, nil)
	get := func(method, path string, headers ...string) *http.Response {
		req, err := http.NewRequest(method, h.URL+path, nil)
		require.NoError(t, err)
		req.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := h.Client().Do(req)
		require.NoError(t, err)
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	body := func(r io.Reader) string {
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		return string(b)
	}
	html := string(page()["index.html"].Data)
	require.Equal(t, html, body(get("GET", "/").Body))
	require.Equal(t, html, body(get("GET", "/accounts/lode1abc").Body), "the page's own paths")
	at := func(path string) string {
		h.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		defer func() { h.Client().CheckRedirect = nil }()
		resp := get("GET", path)
		require.Equal(t, http.StatusFound, resp.StatusCode, path)
		require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
		return resp.Header.Get("Location")
	}
	require.Equal(t, "/#/subnets/1", at("/subnets/1"), "its files lie beside the index")
	require.Equal(t, "/#/subnets/1?tab=metagraph&by=uid", at("/subnets/1?tab=metagraph&by=uid"))
	require.Equal(t, "/#/search?q=%3Cimg%3E", at("/search?q=%3Cimg%3E"))
	require.Equal(t, "/#/%0d%0aSet-Cookie:%20a=1", at("/%0d%0aSet-Cookie:%20a=1"), "stays one header")
	for _, path := range []string{"/%2f%2fevil", "/%5c%5cevil"} {
		require.True(t, strings.HasPrefix(at(path), "/#"), path)
	}
	require.Equal(t, "no-cache", get("GET", "/").Header.Get("Cache-Control"))

	script := get("GET", "/assets/main-AbCd1234.js")
	require.Equal(t, "text/javascript; charset=utf-8", script.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=31536000, immutable", script.Header.Get("Cache-Control"))
	require.Equal(t, "application/wasm", get("GET", "/assets/argon2-XyZ_9876.wasm").Header.Get("Content-Type"))
	require.Equal(t, "no-cache", get("GET", "/icon.svg").Header.Get("Cache-Control"), "its name stays")

	for encoding, reader := range map[string]func(io.Reader) io.Reader{
		"br":   func(r io.Reader) io.Reader { return brotli.NewReader(r) },
		"gzip": func(r io.Reader) io.Reader { z, err := gzip.NewReader(r); require.NoError(t, err); return z },
	} {
		packed := get("GET", "/", "Accept-Encoding", encoding)
		require.Equal(t, encoding, packed.Header.Get("Content-Encoding"))
		require.Less(t, packed.ContentLength, int64(len(html)/2))
		require.Equal(t, html, body(reader(packed.Body)))
	}
	require.Empty(t, get("GET", "/", "Accept-Encoding", "br;q=0, gzip;q=0").Header.Get("Content-Encoding"))
	require.Empty(t, get("GET", "/assets/argon2-XyZ_9876.wasm", "Accept-Encoding", "br").Header.Get("Content-Encoding"), "it would not get smaller")

	tag := get("GET", "/").Header.Get("ETag")
	require.Equal(t, http.StatusNotModified, get("GET", "/", "If-None-Match", tag).StatusCode)
	require.Equal(t, http.StatusOK, get("GET", "/", "If-None-Match", `"else"`).StatusCode)
	require.Empty(t, body(get("HEAD", "/").Body))
	for _, path := range []string{"/assets/gone-AbCd1234.js", "/favicon.ico", "/../console.go", "/%2e%2e/console.go", "/assets/../../x.go"} {
		require.Equal(t, http.StatusNotFound, get("GET", path).StatusCode, path)
	}
	require.Equal(t, http.StatusMethodNotAllowed, get("POST", "/", "Origin", h.URL).StatusCode)

	files := map[string][]byte{}
	for name, f := range page() {
		files[name] = f.Data
	}
	require.Equal(t, console.BuildOf(files), s.Build())
	files["icon.svg"] = []byte("<svg></svg>")
	require.NotEqual(t, console.BuildOf(files), s.Build())
}

func TestABuildWithoutAPageIsRefused(t *testing.T) {
	_, err := console.New(console.Config{Client: nowhere(t), Pages: fstest.MapFS{"a.js": {Data: []byte("1")}}})
	require.ErrorContains(t, err, "index.html")
	_, err = console.New(console.Config{})
	require.ErrorContains(t, err, "client")
	_, err = console.New(console.Config{Client: nowhere(t), Hosts: []string{"http://x"}})
	require.ErrorContains(t, err, "no host")
	built, err := console.BuiltIn()
	require.NoError(t, err)
	require.Len(t, built.Hash, 64)
}

func TestWhatIsAskedWronglyIsAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	_, h := listen(t, nil)
	long := strings.Repeat("9", 3000)
	address := "lode1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5yng3zn"
	for path, want := range map[string]string{
		"/v1/nothing":                        "not_found",
		"/v1/":                               "not_found",
		"/v1/subnets/0":                      "bad_value",
		"/v1/subnets/65536":                  "bad_value",
		"/v1/subnets/01":                     "bad_value",
		"/v1/subnets/+1":                     "bad_value",
		"/v1/subnets/-1":                     "bad_value",
		"/v1/subnets/1e2":                    "bad_value",
		"/v1/subnets/" + long:                "bad_value",
		"/v1/subnets/x/metagraph":            "bad_value",
		"/v1/subnets/1/metagraph?format=xml": "bad_value",
		"/v1/subnets/1/metagraph?format=csv&format=json":                  "bad_value",
		"/v1/subnets?sort=price":                                          "bad_value",
		"/v1/subnets?%zz":                                                 "bad_value",
		"/v1/validators?limit=0":                                          "bad_value",
		"/v1/validators?limit=501":                                        "bad_value",
		"/v1/validators?limit=" + long:                                    "bad_value",
		"/v1/validators?after=%00":                                        "bad_cursor",
		"/v1/validators?after=AAAA":                                       "bad_cursor",
		"/v1/validators?after=" + long:                                    "bad_cursor",
		"/v1/accounts/" + address:                                         "bad_address", // its checksum is wrong
		"/v1/accounts/cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5lzv7xu":      "bad_address",
		"/v1/accounts/" + strings.ToUpper(address):                        "bad_address",
		"/v1/accounts/" + long:                                            "bad_address",
		"/v1/accounts/%00":                                                "bad_address",
		"/v1/accounts/..%2f..%2fetc":                                      "bad_address",
		"/v1/market/services/0":                                           "bad_value",
		"/v1/market/services/99999999999999999999":                        "bad_value",
		"/v1/market/services?netuid=0":                                    "bad_value",
		"/v1/market/services?hotkey=me":                                   "bad_address",
		"/v1/market/services?after=c2VydmljZQ":                            "bad_cursor",
		"/v1/chain/quote":                                                 "bad_value",
		"/v1/chain/quote?kind=buy&netuid=1&amount=1":                      "bad_value",
		"/v1/chain/quote?kind=stake&netuid=1":                             "bad_value",
		"/v1/chain/quote?kind=stake&amount=1":                             "bad_value",
		"/v1/chain/quote?kind=stake&netuid=1&amount=0":                    "bad_value",
		"/v1/chain/quote?kind=stake&netuid=1&amount=1.5":                  "bad_value",
		"/v1/chain/quote?kind=stake&netuid=1&amount=18446744073709551616": "bad_value",
		"/v1/chain/quote?kind=stake&netuid=1&amount=1&slippage=10000":     "bad_value",
		"/v1/chain/quote?kind=stake&netuid=1&to_netuid=2&amount=1":        "bad_value",
		"/v1/chain/quote?kind=swap&netuid=1&amount=1":                     "bad_value",
		"/v1/chain/quote?kind=swap&netuid=1&to_netuid=1&amount=1":         "bad_value",
		"/v1/search":            "bad_value",
		"/v1/search?q=":         "bad_value",
		"/v1/search?q=" + long:  "bad_value",
		"/v1/stream?after=x":    "bad_value",
		"/v1/blocks":            "no_index",
		"/v1/transactions":      "no_index",
		"/v1/transactions/xyz":  "no_index",
		"/v1/subnets/1/candles": "no_index",
		"/buy/0/x":              "bad_value",
		"/buy/x/x":              "bad_value",
		"/buy/1":                "unavailable", // it is /buy/1/
		"/v1/home":              "unavailable", // nobody answers for the chain
		"/v1/subnets/1":         "unavailable",
		"/buy/1/x":              "unavailable",
	} {
		resp, err := h.Client().Get(h.URL + path)
		require.NoError(t, err)
		got := code(t, resp)
		resp.Body.Close()
		require.Equal(t, want, got, path)
		require.NotEqual(t, http.StatusOK, resp.StatusCode)
		require.Less(t, resp.ContentLength, int64(2000), "what was asked is not sent back at length")
	}
}

func TestBodiesAreBoundedAndRead(t *testing.T) {
	_, h := listen(t, nil)
	post := func(contentType, body string) (*http.Response, string) {
		req, err := http.NewRequest(http.MethodPost, h.URL+"/v1/chain/simulate", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Origin", h.URL)
		req.Header.Set("Content-Type", contentType)
		resp, err := h.Client().Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp, code(t, resp)
	}
	for body, want := range map[string]string{
		"":                             "bad_value",
		"[]":                           "bad_value",
		"{}":                           "bad_value",
		`{"tx_bytes":1}`:               "bad_value",
		`{"tx_bytes":""}`:              "bad_value",
		`{"tx_bytes":null}`:            "bad_value",
		`{"tx_bytes":"!!"}`:            "bad_value",
		`{"tx_bytes":"AAAA","more":1}`: "bad_value",
		`{"tx_bytes":"AAAA"}{}`:        "bad_value",
		`{"tx_bytes":"AAAA"`:           "bad_value",
		strings.Repeat("[", 100_000):   "bad_value",
		`{"tx_bytes":"` + strings.Repeat("A", 1_398_200) + `"}`: "too_large", // a block takes a MiB
		`{"tx_bytes":"` + strings.Repeat("A", 1_500_000) + `"}`: "too_large",
		`{"tx_bytes":"AAAA"}`: "unavailable", // it goes to the node
	} {
		_, got := post("application/json", body)
		require.Equal(t, want, got, "%.60s", body)
	}
	resp, _ := post("text/plain", `{"tx_bytes":"AAAA"}`)
	require.Equal(t, http.StatusUnsupportedMediaType, resp.StatusCode, "a form of another site could send it")
}

func TestAMethodThatAPathDoesNotHaveIsToldWhichItHas(t *testing.T) {
	_, h := listen(t, nil)
	for at, allowed := range map[string]string{
		"GET /v1/chain/simulate": "POST",
		"PUT /v1/status":         "GET, HEAD",
		"PATCH /v1/stream":       "GET, HEAD",
		"PATCH /buy/1/x":         "GET, HEAD, POST, PUT, DELETE",
		"POST /":                 "GET, HEAD",
	} {
		method, path, _ := strings.Cut(at, " ")
		req, err := http.NewRequest(method, h.URL+path, nil)
		require.NoError(t, err)
		req.Header.Set("Origin", h.URL)
		resp, err := h.Client().Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode, at)
		require.Equal(t, allowed, resp.Header.Get("Allow"), at)
	}
}

// lists is an index whose every list goes on after its first page, and which tells what
// it is asked for.
type lists struct {
	console.Index
	after *string
}

func (l lists) Blocks(_ context.Context, p indexer.Page) (indexer.List[indexer.Block], error) {
	*l.after = p.After
	return indexer.List[indexer.Block]{Next: "5", Items: []indexer.Block{}}, nil
}

func (l lists) Transactions(_ context.Context, p indexer.Page) (indexer.List[indexer.Transaction], error) {
	*l.after = p.After
	return indexer.List[indexer.Transaction]{Next: "5.1", Items: []indexer.Transaction{}}, nil
}

func (l lists) AccountTransactions(ctx context.Context, _ string, p indexer.Page) (indexer.List[indexer.Transaction], error) {
	return l.Transactions(ctx, p)
}

func (l lists) AccountRegistrations(_ context.Context, _ string, p indexer.Page) (indexer.List[indexer.Registration], error) {
	*l.after = p.After
	return indexer.List[indexer.Registration]{Next: "5.1", Items: []indexer.Registration{}}, nil
}

func (l lists) Income(_ context.Context, _ string, p indexer.Page) (indexer.List[indexer.Income], error) {
	*l.after = p.After
	return indexer.List[indexer.Income]{Next: "5.1", Items: []indexer.Income{}}, nil
}

func TestACursorLeadsNowhereInAnotherList(t *testing.T) {
	after := ""
	_, h := listen(t, func(c *console.Config) { c.Index = lists{after: &after} })
	get := func(path string) (int, map[string]any) {
		resp, err := h.Client().Get(h.URL + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		var v map[string]any
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&v))
		return resp.StatusCode, v
	}
	account := "/v1/accounts/" + sdk.AccAddress(make([]byte, 20)).String()
	known := []string{"/v1/blocks", "/v1/transactions", account + "/transactions", account + "/registrations", account + "/income"}
	// These ask a chain that is not there, or find before that the cursor is not theirs.
	asking := []string{"/v1/validators", "/v1/market/services", account + "/stakes", account + "/channels", account + "/allowances",
		"/v1/subnets/1/candles", "/v1/subnets/1/emission", "/v1/subnets/1/registrations"}
	for _, path := range known {
		status, v := get(path)
		require.Equal(t, http.StatusOK, status, path)
		next := v["next"].(string)
		require.NotEmpty(t, next)
		status, _ = get(path + "?after=" + next)
		require.Equal(t, http.StatusOK, status, path)
		require.Contains(t, []string{"5", "5.1"}, after, "%s: the index gets its own cursor back", path)
		for _, other := range append(known, asking...) {
			if other == path {
				continue
			}
			status, v := get(other + "?after=" + next)
			require.Equal(t, http.StatusBadRequest, status, "%s takes a cursor of %s", other, path)
			require.Equal(t, "bad_cursor", v["error"].(map[string]any)["code"])
		}
	}
}

func TestASearchHasBounds(t *testing.T) {
	_, h := listen(t, nil)
	for q, want := range map[string]string{strings.Repeat("a", 129): "bad_value", strings.Repeat("翻", 43): "bad_value", strings.Repeat("翻", 42): "unavailable"} {
		resp, err := h.Client().Get(h.URL + "/v1/search?q=" + url.QueryEscape(q))
		require.NoError(t, err)
		require.Equal(t, want, code(t, resp), "%d bytes", len(q))
		resp.Body.Close()
	}
}

func TestHeadersAreBounded(t *testing.T) {
	s := newServer(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln, nil) }()
	at := ln.Addr().String()
	resp := ask(t, at, "GET / HTTP/1.1\r\nHost: "+at+"\r\nX: "+strings.Repeat("a", 100<<10)+"\r\n\r\n")
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, resp.StatusCode)
	resp = ask(t, at, "GET http://"+at+"/ HTTP/1.1\r\nHost: "+at+"\r\nConnection: close\r\n\r\n")
	require.Equal(t, http.StatusBadRequest, resp.StatusCode, "it is no proxy")
	resp = ask(t, at, "OPTIONS * HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n")
	require.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode, "it has a host as every request")
	cancel()
	require.NoError(t, <-done)
}

func TestTheNodesStateIsToldAlsoWhileItIsDown(t *testing.T) {
	_, h := listen(t, nil)
	resp, err := h.Client().Get(h.URL + "/v1/status")
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	fits(t, "GET", "/v1/status", 200, body)
	var v struct {
		NodeOK    bool   `json:"node_ok"`
		NodeError string `json:"node_error"`
	}
	require.NoError(t, json.Unmarshal(body, &v))
	require.False(t, v.NodeOK)
	require.NotEmpty(t, v.NodeError)
}

func TestItIsServedOverTLSWithACertificateOfItsOwn(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	hosts := []string{"127.0.0.1", "localhost"}
	cert, err := console.Certificate(dir, hosts, now)
	require.NoError(t, err)
	again, err := console.Certificate(dir, hosts, now.Add(24*time.Hour))
	require.NoError(t, err)
	require.Equal(t, console.Fingerprint(cert), console.Fingerprint(again), "it is kept")
	later, err := console.Certificate(dir, hosts, now.Add(390*24*time.Hour))
	require.NoError(t, err)
	require.NotEqual(t, console.Fingerprint(cert), console.Fingerprint(later), "before it ends there is another")
	more, err := console.Certificate(dir, append(hosts, "192.168.1.5"), now)
	require.NoError(t, err)
	require.NotEqual(t, console.Fingerprint(later), console.Fingerprint(more), "it must be for the host")

	s := newServer(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln, console.TLS(more)) }()
	fingerprint := ""
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(cs tls.ConnectionState) error {
		fingerprint = console.Fingerprint(tls.Certificate{Certificate: [][]byte{cs.PeerCertificates[0].Raw}})
		return cs.PeerCertificates[0].VerifyHostname("127.0.0.1")
	}}}}
	resp, err := c.Get("https://" + ln.Addr().String() + "/")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Strict-Transport-Security"))
	require.Equal(t, console.Fingerprint(more), fingerprint)
	c.CloseIdleConnections()
	cancel()
	require.NoError(t, <-done)
}

func TestTooManyRequestsAtOnceAreToldToComeBack(t *testing.T) {
	// A node that takes connections and says nothing holds requests up.
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer mute.Close()
	arrived := make(chan struct{}, 16)
	go func() {
		for {
			conn, err := mute.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			arrived <- struct{}{}
		}
	}()
	c, err := client.New(client.Config{Nodes: []string{"http://" + mute.Addr().String()}})
	require.NoError(t, err)
	defer c.Close()
	_, h := listen(t, func(cfg *console.Config) { cfg.Client, cfg.MaxRequests = c, 1 })
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/v1/home", nil)
		if err == nil {
			var resp *http.Response
			if resp, err = h.Client().Do(req); err == nil {
				resp.Body.Close()
				err = fmt.Errorf("answered %s", resp.Status)
			}
		}
		held <- err
	}()
	<-arrived
	resp, err := h.Client().Get(h.URL + "/v1/home")
	require.NoError(t, err)
	require.Equal(t, "too_many", code(t, resp))
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "1", resp.Header.Get("Retry-After"))
	resp.Body.Close()
	cancel()
	require.ErrorIs(t, <-held, context.Canceled)
}
