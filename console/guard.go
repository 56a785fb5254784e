package console

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// policy is what the page may do: load what this server has, run its scripts and its
// WebAssembly, and nothing else. Text never becomes code: what builds markup must go by a
// policy of its own name.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'"

// dataPolicy is that of everything that is no page: it can do nothing at all.
const dataPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

// secure sets the headers that every answer has.
func secure(h http.Header, csp string) {
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("Origin-Agent-Cluster", "?1")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "+
		"serial=(), usb=(), browsing-topics=()")
}

// guard lets a request through that is for this server and, if it writes, comes from
// this server's page.
func (s *Server) guard(r *http.Request) *failure {
	h, err := parseHost(r.Host)
	if err != nil || !s.own(r, h) {
		return fail(http.StatusMisdirectedRequest, "bad_host", "call it by the address that it listens on, or start it with --host NAME",
			"this server is not %.100q", r.Host)
	}
	if r.URL.IsAbs() || r.Method == http.MethodConnect {
		return fail(http.StatusBadRequest, "bad_value", "ask for a path", "this server is no proxy")
	}
	foreign := func(what string) *failure {
		return fail(http.StatusForbidden, "bad_origin", "open the console itself; programs send the header Origin: "+scheme(r)+"://"+r.Host, "%s", what)
	}
	origins, site := r.Header.Values("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case len(origins) > 1:
		return foreign("there is more than one Origin")
	case len(origins) == 1 && !sameOrigin(origins[0], r, h):
		return foreign("it comes from a page of another site")
	case len(origins) == 0 && !reads(r.Method):
		return foreign("what writes must say by Origin where it comes from")
	case site == "cross-site" || site == "same-site":
		// A link from elsewhere may open the page; nothing else may be asked from there.
		if r.Header.Get("Sec-Fetch-Mode") != "navigate" || !reads(r.Method) || isAPI(r.URL.Path) {
			return foreign("it comes from a page of another site")
		}
	}
	return nil
}

func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// isAPI says whether a path is one of programs, not of the page.
func isAPI(path string) bool {
	return strings.HasPrefix(path, "/v1/") || path == "/v1" || strings.HasPrefix(path, "/buy/") || path == "/buy"
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// sameOrigin says whether an Origin header is that of the page which the request's host
// serves. Behind a proxy that speaks TLS the scheme is not known here: both will do for
// the names of Config.Hosts, which are only a proxy's.
func sameOrigin(origin string, r *http.Request, h host) bool {
	u, err := url.Parse(origin)
	if err != nil || origin != u.Scheme+"://"+u.Host { // there is more in it than a browser writes
		return false
	}
	o, err := parseHost(u.Host)
	if err != nil || o.name != h.name || o.addr != h.addr {
		return false
	}
	if u.Scheme != scheme(r) && (u.Scheme != "https" || h.name == "" || h.name == "localhost") {
		return false
	}
	port := func(p, scheme string) string {
		if p != "" {
			return p
		}
		return map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return port(o.port, u.Scheme) == port(h.port, u.Scheme)
}

// own says whether a request's host is this server: the address that the request came
// to, localhost where that is loopback, or a name that the server was given.
func (s *Server) own(r *http.Request, h host) bool {
	for _, o := range s.hosts {
		if o.name == h.name && o.addr == h.addr && (o.port == "" || o.port == h.port) {
			return true
		}
	}
	local, ok := localAddr(r)
	if !ok {
		return false
	}
	port := h.port
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme(r)]
	}
	if port != strconv.Itoa(int(local.Port())) {
		return false
	}
	if h.name == "localhost" {
		return local.Addr().IsLoopback()
	}
	return h.name == "" && h.addr == local.Addr()
}

// localAddr is the address that a request came to.
func localAddr(r *http.Request) (netip.AddrPort, bool) {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port()), true
}
