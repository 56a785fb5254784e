package pay_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
)

// lockedBuffer takes a log of several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// A provider may repeat in a refusal what it was asked.
func TestWhatAProviderSaysInWordsIsNeitherBookedNorLogged(t *testing.T) {
	const secret = "the customer's secret"
	encoded := func(v any) string {
		s, err := x402.Encode(v)
		require.NoError(t, err)
		return s
	}
	answer := func(status int, name, value string) string {
		return fmt.Sprintf("HTTP/1.1 %d %s\r\n%s: %s\r\nContent-Length: 0\r\n\r\n", status, secret, name, value)
	}
	for name, c := range map[string]struct {
		raw  func(required x402.Required) string
		note string
	}{
		"a refusal": {func(r x402.Required) string {
			r.Error = secret
			return answer(402, x402.HeaderRequired, encoded(r))
		}, "refused, in the provider's own words"},
		"a refusal of other terms": {func(r x402.Required) string {
			return answer(402, x402.HeaderRequired, encoded(x402.Required{X402Version: 2, Error: secret}))
		}, "refused, in the provider's own words"},
		"a refusal by the protocol": {func(r x402.Required) string {
			r.Error = x402.ReasonSignature
			return answer(402, x402.HeaderRequired, encoded(r))
		}, x402.ReasonSignature},
		"a settlement that failed": {func(x402.Required) string {
			return answer(200, x402.HeaderResponse, encoded(x402.Settlement{ErrorReason: secret, ErrorMessage: secret}))
		}, "refused, in the provider's own words"},
		"a settlement that can't be read": {func(x402.Required) string {
			return answer(200, x402.HeaderResponse, encoded(x402.Settlement{Success: true, Amount: secret, Extra: x402.SettlementExtra{ChargedAmount: secret}}))
		}, "its settlement can't be read"},
		"a status":           {func(x402.Required) string { return answer(418, "X-A", "b") }, "answer 418 I'm a teapot"},
		"a status of no use": {func(x402.Required) string { return answer(503, "X-A", "b") }, "answer 503 Service Unavailable"},
		"no HTTP":            {func(x402.Required) string { return secret + "\r\n\r\n" }, "no answer: what came can't be read"},
		"no header":          {func(x402.Required) string { return "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n" }, "no answer: what came can't be read"},
		"no length": {func(x402.Required) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n" },
			"no answer: what came can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			var log lockedBuffer
			s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
				s.ccfg.After = soon
				s.ccfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			})
			required := s.raw(9, 1).terms("/")
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get(x402.HeaderSignature) == "" {
					w.Header().Set(x402.HeaderRequired, encoded(required))
					w.WriteHeader(http.StatusPaymentRequired)
					return
				}
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = conn.Write([]byte(c.raw(required))) // the client may have left
				_ = conn.Close()
			}))
			defer server.Close()
			upstream, err := url.Parse(server.URL)
			require.NoError(t, err)
			pay.NewProxy(s.client, upstream).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil))

			all := s.ledger()
			require.NotEmpty(t, all)
			require.Equal(t, c.note, all[0].Note)
			for _, p := range all {
				require.NotContains(t, p.Note, secret)
			}
			for _, ch := range s.client.Channels() {
				require.NotContains(t, ch.Stopped, secret)
			}
			log.mu.Lock()
			defer log.mu.Unlock()
			require.NotContains(t, log.String(), secret)
		})
	}
}
