package inference

import (
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// ReceiptHeader tells the id of an answer's receipt before the answer begins.
const ReceiptHeader = "Lode-Receipt"

// Local guards a handler that spends its owner's money for whoever can reach it on a
// loopback address: requests must name a loopback host and come from no web page, which
// could have had its name rebound; with a key, they must carry it, as OpenAI's clients or
// as Anthropic's do.
func Local(next http.Handler, key string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := foreign(r); why != "" {
			deny(w, r, http.StatusForbidden, "permission_error", "not_local", why)
			return
		}
		if key != "" && !hasKey(r, key) {
			deny(w, r, http.StatusUnauthorized, "authentication_error", "invalid_api_key", "set the API key to the one that `lode inference serve` was started with")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign says why a request is not of a program on this machine.
func foreign(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	if !strings.EqualFold(host, "localhost") && (ip == nil || !ip.IsLoopback()) {
		return "only requests to 127.0.0.1, [::1] or localhost are served"
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
		return "web pages are not served"
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return "web pages are not served"
		}
	}
	return ""
}

func hasKey(r *http.Request, key string) bool {
	given := r.Header.Get("X-Api-Key")
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(token)
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(key)) == 1
}

// deny answers in the shape that the client reads.
func deny(w http.ResponseWriter, r *http.Request, status int, kind, code, message string) {
	var body any = map[string]any{"error": map[string]any{"message": message, "type": "invalid_request_error", "param": nil, "code": code}}
	if strings.HasPrefix(r.URL.Path, "/v1/messages") || r.Header.Get("Anthropic-Version") != "" {
		body = map[string]any{"type": "error", "error": map[string]string{"type": kind, "message": message}}
	}
	raw, err := json.Marshal(body)
	if err != nil { // strings always marshal
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // an error means that the caller is gone
}
