package pay

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// Prefix of the proxy's own pages.
const proxyPages = "/.lode/"

// Proxy is an http.Handler for a loopback address through which any program pays: it
// uses the proxy as its base URL, and knows nothing of payment. With Upstream,
// http://127.0.0.1:PORT/v1/chat goes to Upstream/v1/chat; without, the URL is the path:
// http://127.0.0.1:PORT/https://HOST/v1/chat. Answers stream.
//
// A refused payment is answered with 402 and why. The pages /.lode/payments (JSON),
// /.lode/payments.csv and /.lode/channels show the client's books while the proxy has
// them open.
//
// It spends its owner's money for who can reach it, so it serves only requests that
// name a loopback host and that no web page of another site has sent.
type Proxy struct {
	client   *Client
	upstream *url.URL
	reverse  *httputil.ReverseProxy
	log      *slog.Logger
}

// NewProxy makes a proxy that pays with a client. upstream may be nil.
func NewProxy(c *Client, upstream *url.URL) *Proxy {
	p := &Proxy{client: c, upstream: upstream, log: c.log}
	p.reverse = &httputil.ReverseProxy{
		Rewrite:       p.rewrite,
		Transport:     c,
		FlushInterval: -1,
		ErrorHandler:  p.failed,
		ErrorLog:      slog.NewLogLogger(c.log.Handler(), slog.LevelWarn),
	}
	return p
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := foreignRequest(r); why != "" {
		writeError(w, http.StatusForbidden, "not_local", why)
		return
	}
	if page, ok := strings.CutPrefix(r.URL.Path, proxyPages); ok && !r.URL.IsAbs() {
		p.page(w, r, page)
		return
	}
	if _, err := p.target(r); err != nil {
		writeError(w, http.StatusBadRequest, "no_upstream", err.Error())
		return
	}
	p.reverse.ServeHTTP(w, r)
}

// foreignRequest says why a request is not of a program on this machine: a web page
// can make a browser ask a loopback address, but not hide whose it is.
func foreignRequest(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	if !r.URL.IsAbs() && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "the proxy serves requests to 127.0.0.1, [::1] or localhost"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
		return "the proxy serves no web pages"
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		if err != nil || u.Host != r.Host {
			return "the proxy serves no web pages"
		}
	}
	return ""
}

// target is the URL that a request asks for.
func (p *Proxy) target(r *http.Request) (*url.URL, error) {
	if p.upstream != nil {
		u := *r.URL
		u.Scheme, u.Host, u.User = p.upstream.Scheme, p.upstream.Host, p.upstream.User
		u.Path = strings.TrimSuffix(p.upstream.Path, "/") + r.URL.Path
		if r.URL.RawPath != "" {
			u.RawPath = strings.TrimSuffix(p.upstream.EscapedPath(), "/") + r.URL.RawPath
		}
		return &u, nil
	}
	if r.URL.IsAbs() {
		u := *r.URL
		return &u, nil
	}
	rest := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	for _, scheme := range []string{"https", "http"} {
		// Many clients clean // to / in a path.
		for _, sep := range []string{"://", ":/"} {
			if after, ok := strings.CutPrefix(rest, scheme+sep); ok && after != "" {
				u, err := url.Parse(scheme + "://" + after)
				if err != nil || u.Host == "" {
					return nil, errors.New("the path is no URL: write /https://HOST/PATH")
				}
				u.RawQuery = r.URL.RawQuery
				return u, nil
			}
		}
	}
	return nil, errors.New("no upstream: write it as the path, /https://HOST/PATH, or start the proxy with one")
}

func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	u, err := p.target(r.In)
	if err != nil {
		return // ServeHTTP has refused it
	}
	r.Out.URL = u
	r.Out.Host = u.Host
	r.Out.Header.Del(x402.HeaderSignature)
}

// failed answers what could not be paid or reached.
func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	status, code := http.StatusBadGateway, "unreachable"
	switch {
	case errors.Is(err, ErrLimit):
		status, code = http.StatusPaymentRequired, "over_limit"
	case errors.Is(err, markettypes.ErrLimit):
		status, code = http.StatusPaymentRequired, "over_allowance"
	case errors.Is(err, ErrNoDeposit), errors.Is(err, client.ErrTxFailed): // the chain does not let it be deposited
		status, code = http.StatusPaymentRequired, "no_deposit"
	case errors.Is(err, ErrRefused):
		status, code = http.StatusPaymentRequired, "refused"
	case errors.Is(err, ErrDishonest):
		code = "dishonest_provider"
	case errors.Is(err, ErrUnknownOutcome):
		code = "unknown_outcome"
	}
	why := err.Error()
	switch code {
	case "unreachable", "refused", "dishonest_provider", "unknown_outcome":
		why = noteOf(err) // the rest may be in the provider's words
	}
	p.log.Warn("a request failed", "url", r.URL.Redacted(), "code", code, "err", why)
	writeError(w, status, code, err.Error())
}

// page shows the client's books.
func (p *Proxy) page(w http.ResponseWriter, r *http.Request, name string) {
	if r.Method != http.MethodGet {
		writeError(w, http.StatusMethodNotAllowed, "method", "GET alone")
		return
	}
	from := time.Time{}
	if s := r.URL.Query().Get("from"); s != "" {
		var err error
		if from, err = time.Parse(time.RFC3339, s); err != nil {
			writeError(w, http.StatusBadRequest, "invalid_request", "from is a time such as 2026-11-26T00:00:00Z")
			return
		}
	}
	switch name {
	case "payments":
		all := []Payment{}
		if err := p.client.Ledger(from, func(x Payment) bool { all = append(all, x); return true }); err != nil {
			writeError(w, http.StatusInternalServerError, "ledger", err.Error())
			return
		}
		writeJSON(w, http.StatusOK, all)
	case "payments.csv":
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		if err := p.client.WriteCSV(w, from); err != nil {
			p.log.Error("the ledger can't be written", "err", err)
			panic(http.ErrAbortHandler) // a file that breaks off must not look whole
		}
	case "channels":
		writeJSON(w, http.StatusOK, p.client.Channels())
	default:
		writeError(w, http.StatusNotFound, "not_found", "there are payments, payments.csv and channels")
	}
	_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<10))
}
