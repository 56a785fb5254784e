package pay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// soon is an After for which no time is long.
func soon(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

// shop is a gateway with a customer.
type shop struct {
	t       testing.TB
	chain   *fakeChain
	clock   *clock
	gateway *pay.Gateway
	server  *httptest.Server
	client  *pay.Client
	http    *http.Client
	gcfg    pay.GatewayConfig
	ccfg    pay.ClientConfig
}

type shopOption func(*shop)

// newShop serves what handler sells, at most 100 tokens a request, to a client with
// limits that are wide.
func newShop(t testing.TB, handler http.Handler, options ...shopOption) *shop {
	t.Helper()
	s := &shop{t: t, chain: newFakeChain(), clock: newClock()}
	s.gcfg = pay.GatewayConfig{Dir: t.TempDir(), Chain: s.chain, ServiceID: 7, Now: s.clock.Now}
	s.ccfg = pay.ClientConfig{Dir: t.TempDir(), Chain: s.chain, Now: s.clock.Now,
		Limits: pay.Limits{PerRequest: 100_000, PerDay: 1_000_000, Deposit: 10_000, MaxDeposit: 1_000_000}}
	for _, o := range options {
		o(s)
	}
	s.openGateway()
	s.openClient()
	mux := http.NewServeMux()
	mux.Handle("/", s.via(pay.Route{Units: pay.Flat(100), Description: "tokens", VoucherTimeout: 5 * time.Second}, handler))
	s.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
		require.NoError(t, s.client.Close())
		require.NoError(t, s.gateway.Close())
	})
	return s
}

// via asks the gateway of the moment: tests open it again.
func (s *shop) via(route pay.Route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.gateway.Handler(route, next).ServeHTTP(w, r) })
}

func (s *shop) openGateway() {
	g, err := pay.OpenGateway(context.Background(), s.gcfg)
	require.NoError(s.t, err)
	s.gateway = g
}

func (s *shop) openClient() {
	c, err := pay.OpenClient(s.ccfg)
	require.NoError(s.t, err)
	s.client, s.http = c, &http.Client{Transport: c}
}

func (s *shop) get(path string) (int, string) {
	s.t.Helper()
	resp, err := s.http.Get(s.server.URL + path)
	require.NoError(s.t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	return resp.StatusCode, string(body)
}

func (s *shop) ledger() []pay.Payment {
	s.t.Helper()
	var all []pay.Payment
	require.NoError(s.t, s.client.Ledger(time.Time{}, func(p pay.Payment) bool {
		if p.Kind == "request" {
			all = append(all, p)
		}
		return true
	}))
	return all
}

func (s *shop) history(kind pay.EntryKind) []pay.Entry {
	s.t.Helper()
	var all []pay.Entry
	require.NoError(s.t, s.gateway.History(time.Time{}, func(e pay.Entry) bool {
		if e.Kind == kind {
			all = append(all, e)
		}
		return true
	}))
	return all
}

// charge answers with hello and charges what ?n= says.
func charge(w http.ResponseWriter, r *http.Request) {
	var n uint64
	if _, err := fmt.Sscan(r.URL.Query().Get("n"), &n); err == nil {
		if err := pay.MeterFrom(r.Context()).Charge(n); err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
	}
	_, _ = io.WriteString(w, "hello")
}

func TestARequestIsPaidAndChargedWhatItUsed(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	status, body := s.get("/?n=30")
	require.Equal(t, 200, status)
	require.Equal(t, "hello", body)
	status, _ = s.get("/?n=10")
	require.Equal(t, 200, status)

	channels := s.gateway.Channels()
	require.Len(t, channels, 1)
	require.Equal(t, uint64(80), channels[0].Charged, "40 tokens at 2 rao")
	require.Zero(t, channels[0].Reserved)
	require.Equal(t, uint64(10_000), channels[0].Limit)
	mine := s.client.Channels()
	require.Len(t, mine, 1)
	require.Equal(t, uint64(80), mine[0].Charged)
	require.Zero(t, mine[0].UnderWay)
	all := s.ledger()
	require.Len(t, all, 2)
	require.Equal(t, []any{pay.Paid, uint64(60), uint64(200)}, []any{all[0].State, all[0].Charged, all[0].Ceiling})
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(80), spent)

	got, err := s.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, pay.Redeemed{Channels: 1, Paid: 80, Provider: 80}, got)
	require.Equal(t, uint64(80), s.chain.claimed())
}

func TestAStreamAsksForItsNextVouchersAndTheApplicationSeesItsOwnEventsAlone(t *testing.T) {
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		m := pay.MeterFrom(r.Context())
		for i := range 50 {
			if err := m.Charge(20); err != nil {
				return
			}
			_, _ = fmt.Fprintf(w, "data: token %d\n\n", i)
			w.(http.Flusher).Flush()
		}
	}))
	status, body := s.get("/")
	require.Equal(t, 200, status)
	require.Equal(t, 50, strings.Count(body, "data: token"))
	require.NotContains(t, body, "payment")
	require.Equal(t, uint64(2000), s.gateway.Channels()[0].Charged)
	all := s.ledger()
	require.Len(t, all, 1)
	require.Equal(t, []any{pay.Paid, uint64(2000)}, []any{all[0].State, all[0].Charged})
}

// tidy lets the gateway's loop run once.
func (s *shop) tidy() error { return s.gateway.Tick(context.Background()) }
