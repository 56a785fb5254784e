package inference_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/subnets/inference"
)

func TestOnlyProgramsOfThisMachineAreServed(t *testing.T) {
	h := inference.Local(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "")
	for name, tc := range map[string]struct {
		host   string
		header http.Header
		status int
	}{
		"by address":              {"127.0.0.1:8000", nil, 200},
		"by another address":      {"127.9.9.9", nil, 200},
		"by IPv6":                 {"[::1]:8000", nil, 200},
		"by name":                 {"LocalHost:8000", nil, 200},
		"a page of its own":       {"localhost:8000", http.Header{"Origin": {"http://localhost:8000"}}, 200},
		"a name that was rebound": {"evil.example:8000", nil, 403},
		"a name like localhost":   {"localhost.evil.example", nil, 403},
		"an address outside":      {"192.0.2.1:8000", nil, 403},
		"no name":                 {"", nil, 403},
		"another page":            {"127.0.0.1:8000", http.Header{"Origin": {"http://evil.example"}}, 403},
		"a page of no origin":     {"127.0.0.1:8000", http.Header{"Origin": {"null"}}, 403},
		"a page of another port":  {"127.0.0.1:8000", http.Header{"Origin": {"http://127.0.0.1:9000"}}, 403},
		"a browser says so":       {"127.0.0.1:8000", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", nil)
		r.Host = tc.host
		for k, v := range tc.header {
			r.Header[k] = v
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, tc.status, w.Code, name)
	}
}

func TestAKeyIsAskedForWhereThereIsOne(t *testing.T) {
	h := inference.Local(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), "secret")
	for _, tc := range []struct {
		name, value string
		status      int
	}{
		{"Authorization", "Bearer secret", 200}, {"authorization", "bearer  secret ", 200}, {"X-Api-Key", "secret", 200},
		{"Authorization", "Bearer wrong", 401}, {"Authorization", "secret", 401}, {"Authorization", "Basic secret", 401},
		{"X-Api-Key", "", 401}, {"X-Api-Key", "secre", 401},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/messages", nil)
		r.Host = "127.0.0.1"
		r.Header.Set(tc.name, tc.value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, tc.status, w.Code, tc.value)
		if tc.status != 200 {
			require.JSONEq(t, `{"type":"error","error":{"type":"authentication_error","message":"set the API key to the one that `+"`lode inference serve`"+` was started with"}}`, w.Body.String())
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", nil)
	r.Host = "127.0.0.1"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Contains(t, w.Body.String(), `"code":"invalid_api_key"`)
}
