package pay_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	errorsmod "cosmossdk.io/errors"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

func TestLimitsBindAndAreKeptOverRestarts(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
		s.ccfg.Limits = pay.Limits{PerRequest: 200, PerDay: 700, PerProvider: 450, Deposit: 10_000}
	})
	limit := func() string {
		t.Helper()
		_, err := s.http.Get(s.server.URL + "/")
		var l *pay.LimitError
		require.ErrorAs(t, err, &l)
		require.ErrorIs(t, err, pay.ErrLimit)
		return l.Limit
	}
	s.get("/")
	s.get("/?n=10") // 220 are spent
	s.get("/?n=10") // 240
	require.NoError(t, s.client.Close())
	s.openClient()
	spent, by := s.client.Spent()
	require.Equal(t, uint64(240), spent)
	require.Equal(t, map[string]uint64{hotkey: 240}, by)
	s.get("/") // 440
	require.Equal(t, "provider", limit())
	require.NoError(t, s.client.Close())
	s.ccfg.Limits.PerProvider, s.ccfg.Limits.PerDay = 0, 500
	s.openClient()
	require.Equal(t, "day", limit())
	s.clock.move(12 * time.Hour) // the next day
	s.get("/")
	spent, _ = s.client.Spent()
	require.Equal(t, uint64(200), spent)
	require.NoError(t, s.client.Close())
	s.ccfg.Limits.PerRequest = 199
	s.openClient()
	require.Equal(t, "request", limit())
	require.Equal(t, uint64(640), s.gateway.Channels()[0].Charged)
}

func TestLimitsThatChangeBindTheNextPayment(t *testing.T) {
	var now pay.Limits
	var unreadable error
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
		s.ccfg.CurrentLimits = func() (pay.Limits, error) { return now, unreadable } // tests ask one after the other
	})
	refused := func(is error, text string) {
		t.Helper()
		_, err := s.http.Get(s.server.URL + "/")
		require.ErrorIs(t, err, is)
		require.ErrorContains(t, err, text)
	}
	refused(pay.ErrNoDeposit, "or allow a deposit")
	now.Deposit = 500
	s.get("/")
	now.PerRequest = 199
	refused(pay.ErrLimit, "the limit for a request")
	now = pay.Limits{PerDay: 399, Deposit: 500}
	refused(pay.ErrLimit, "for a day")
	now.PerDay = 600
	s.get("/")
	now = pay.Limits{Deposit: 100, MaxDeposit: 150}
	refused(pay.ErrLimit, "without asking")
	unreadable = errors.New("the file is damaged")
	refused(pay.ErrLimit, "the file is damaged")
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(400), spent)
}

func TestParallelRequestsDoNotOverrunALimit(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.ccfg.Limits.PerDay = 1000 })
	var wg sync.WaitGroup
	var mu sync.Mutex
	paid, refused := 0, 0
	for range 20 {
		wg.Go(func() {
			resp, err := s.http.Get(s.server.URL + "/")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, pay.ErrLimit):
				refused++
			case err != nil:
				t.Error(err)
			default:
				paid++
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	require.Equal(t, []int{5, 15}, []int{paid, refused})
	require.Equal(t, uint64(1000), s.gateway.Channels()[0].Charged)
}

func TestAClientRunsAheadOnlySoFar(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	var four sync.WaitGroup
	four.Add(4)
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			mu.Lock()
			now++
			most = max(most, now)
			first := now <= 4 && most <= 4
			mu.Unlock()
			if first {
				four.Done()
			}
			four.Wait()
			defer func() { mu.Lock(); now--; mu.Unlock() }()
		}
		charge(w, r)
	}), func(s *shop) { s.ccfg.Limits.Ahead = 800 })
	s.get("/?n=1")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { s.get("/wait?n=1") })
	}
	wg.Wait()
	for range 12 {
		wg.Go(func() { s.get("/?n=1") })
	}
	wg.Wait()
	require.Equal(t, 4, most)
	ch := s.client.Channels()[0]
	require.LessOrEqual(t, ch.Signed, ch.Charged+800)
	require.Equal(t, uint64(34), ch.Charged)
}

func TestChannelsAreOpenedAndToppedUpWithinTheLimits(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.ccfg.Limits.Deposit = 500; s.ccfg.Limits.MaxDeposit = 700 })
	for range 10 {
		status, _ := s.get("/")
		require.Equal(t, 200, status)
	}
	require.Len(t, s.client.Channels(), 1)
	require.Equal(t, uint64(2000), s.gateway.Channels()[0].Charged)
	deposits := uint64(0)
	require.NoError(t, s.client.Ledger(time.Time{}, func(p pay.Payment) bool {
		if p.Kind == "deposit" {
			require.Equal(t, "TX", p.Note)
			deposits += p.Charged
		}
		return true
	}))
	require.Equal(t, deposits, s.client.Channels()[0].Limit)
	require.LessOrEqual(t, deposits, uint64(2000+700), "never more than MaxDeposit lies unspent")

	// Without leave it deposits nothing; by hand it does.
	require.NoError(t, s.client.Close())
	s.ccfg.Dir, s.ccfg.Limits.Deposit = t.TempDir(), 0
	s.openClient()
	_, err := s.http.Get(s.server.URL + "/")
	require.ErrorIs(t, err, pay.ErrNoDeposit)
	got, err := s.client.Open(t.Context(), pay.OpenOptions{ServiceID: 7, Deposit: 300})
	require.NoError(t, err)
	status, _ := s.get("/")
	require.Equal(t, 200, status)
	_, err = s.http.Get(s.server.URL + "/")
	require.ErrorIs(t, err, pay.ErrNoDeposit)
	_, err = s.client.TopUp(t.Context(), got.ChannelID, 100)
	require.NoError(t, err)
	status, _ = s.get("/")
	require.Equal(t, 200, status)
	// A deposit that the service asks for and the limits do not reach is not made.
	require.NoError(t, s.client.Close())
	s.ccfg.Dir, s.ccfg.Limits.Deposit, s.ccfg.Limits.MaxDeposit = t.TempDir(), 100, 150
	s.openClient()
	_, err = s.http.Get(s.server.URL + "/")
	var limit *pay.LimitError
	require.ErrorAs(t, err, &limit)
	require.Equal(t, pay.LimitError{Limit: "deposit", Amount: 200, Max: 150}, *limit)
}

func TestAClosedChannelIsReplaced(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	s.get("/?n=10")
	first := s.client.Channels()[0].ID
	_, err := s.client.CloseChannel(t.Context(), unhex(t, first))
	require.NoError(t, err)
	status, _ := s.get("/?n=10")
	require.Equal(t, 200, status)
	all := s.client.Channels()
	require.Len(t, all, 2)
	// One that the chain closes without a word is noticed by the gateway's refusal.
	for _, c := range all {
		if c.Stopped == "" {
			s.chain.set(func() { delete(s.chain.channels, string(unhex(t, c.ID))) })
		}
	}
	s.clock.move(time.Hour)
	status, _ = s.get("/?n=10")
	require.Equal(t, 200, status)
	require.Len(t, s.client.Channels(), 3)
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	var b []byte
	_, err := fmt.Sscanf(s, "%x", &b)
	require.NoError(t, err)
	return b
}

// flaky is a network that loses what a test says.
type flaky struct {
	base http.RoundTripper
	lose func(n int, req *http.Request) (before, after bool)
	mu   sync.Mutex
	sent []string // payments
}

func (f *flaky) RoundTrip(req *http.Request) (*http.Response, error) {
	h := req.Header.Get(x402.HeaderSignature)
	if h == "" {
		return f.base.RoundTrip(req)
	}
	f.mu.Lock()
	f.sent = append(f.sent, h)
	n := len(f.sent)
	f.mu.Unlock()
	before, after := f.lose(n, req)
	if before {
		return nil, io.ErrUnexpectedEOF
	}
	resp, err := f.base.RoundTrip(req)
	if err == nil && after {
		_ = resp.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return resp, err
}

func TestALostAnswerIsAskedForWithTheIdenticalPayment(t *testing.T) {
	h := count(charge)
	f := &flaky{base: http.DefaultTransport, lose: func(n int, _ *http.Request) (bool, bool) { return n == 1, n == 2 || n == 3 }}
	s := newShop(t, h, func(s *shop) { s.ccfg.Base = f; s.ccfg.After = soon })
	status, body := s.get("/?n=10")
	require.Equal(t, 200, status)
	require.Equal(t, "hello", body)
	require.Len(t, f.sent, 4)
	for _, sent := range f.sent {
		require.Equal(t, f.sent[0], sent)
	}
	require.Equal(t, 1, h.n())
	require.Equal(t, uint64(20), s.gateway.Channels()[0].Charged)
	require.Equal(t, uint64(20), s.ledger()[0].Charged)
}

func TestAChannelThatClosesIsLeftForAnother(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.ccfg.Limits.Deposit = 0; s.ccfg.After = soon })
	large, err := s.client.Open(t.Context(), pay.OpenOptions{ServiceID: 7, Deposit: 5000})
	require.NoError(t, err)
	small, err := s.client.Open(t.Context(), pay.OpenOptions{ServiceID: 7, Deposit: 1000})
	require.NoError(t, err)
	s.get("/")
	// Somebody else has closed it, say the payer that an agent pays for.
	s.chain.change(large.ChannelID, func(c *markettypes.Channel) { c.ClosingTime = s.clock.Now().Unix() + 3600; c.ClosingHeight = 1000 })
	require.NoError(t, s.gateway.Tick(t.Context()))
	status, body := s.get("/")
	require.Equal(t, 200, status, body)
	of := func(id []byte) (n int) {
		for _, p := range s.ledger() {
			if p.State == pay.Paid && p.Channel == hex.EncodeToString(id) {
				n++
			}
		}
		return n
	}
	require.Equal(t, []int{1, 1}, []int{of(large.ChannelID), of(small.ChannelID)})
}

func TestWhatReachedNobodyCostsNothing(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	s.get("/")
	s.server.CloseClientConnections()
	s.server.Close()
	_, err := s.http.Get(s.server.URL + "/") // its terms are known: it is paid at once
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NotErrorIs(t, err, pay.ErrUnknownOutcome)
	last := s.ledger()[1]
	require.Equal(t, []any{pay.Unpaid, uint64(0)}, []any{last.State, last.Charged})
	require.Contains(t, last.Note, "not sent: ")
	require.Zero(t, s.client.Channels()[0].UnderWay)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(200), spent)
}

func TestARequestThatArrivedBeforeItsServerDiedHasAnUnknownOutcome(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.ccfg.After = soon })
	sell := s.server.Config.Handler
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(x402.HeaderSignature) == "" || r.URL.Query().Has("live") {
			sell.ServeHTTP(w, r)
			return
		}
		require.NoError(t, s.server.Listener.Close()) // no other connection is taken
		conn, _, err := w.(http.Hijacker).Hijack()
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	})
	s.get("/?live")
	_, err := s.http.Get(s.server.URL + "/") // on a connection that is there
	require.ErrorIs(t, err, pay.ErrUnknownOutcome)
	require.Equal(t, pay.Unknown, s.ledger()[1].State)
}

func TestAnOutcomeThatStaysUnknownCountsInFullAndIsClearedUpLater(t *testing.T) {
	lost := true
	f := &flaky{base: http.DefaultTransport, lose: func(int, *http.Request) (bool, bool) { return false, lost }}
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.ccfg.Base = f; s.ccfg.After = soon })
	_, err := s.http.Get(s.server.URL + "/?n=10")
	require.ErrorIs(t, err, pay.ErrUnknownOutcome)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(200), spent)
	require.Equal(t, pay.Unknown, s.ledger()[0].State)
	require.NoError(t, s.client.Close())
	s.openClient()
	spent, _ = s.client.Spent()
	require.Equal(t, uint64(200), spent, "over a restart too")
	lost = false
	status, _ := s.get("/?n=15")
	require.Equal(t, 200, status)
	all := s.ledger()
	require.Equal(t, []any{pay.Paid, uint64(20)}, []any{all[0].State, all[0].Charged})
	require.Equal(t, []any{pay.Paid, uint64(30)}, []any{all[1].State, all[1].Charged})
	spent, _ = s.client.Spent()
	require.Equal(t, uint64(50), spent)
}

func TestAnAnswerThatBreaksOffIsAskedForAgain(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	breaking := true
	cut := &flaky{base: roundTrip(func(req *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil && breaking && req.Header.Get(x402.HeaderSignature) != "" {
			breaking = false
			resp.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(io.LimitReader(resp.Body, 2), errReader{}), resp.Body}
		}
		return resp, err
	}), lose: func(int, *http.Request) (bool, bool) { return false, false }}
	require.NoError(t, s.client.Close())
	s.ccfg.Base, s.ccfg.After = cut, soon
	s.openClient()
	_, body := s.get("/?n=10")
	require.Equal(t, "hello", body)
	require.Equal(t, uint64(20), s.gateway.Channels()[0].Charged)
	require.Len(t, cut.sent, 2)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBodiesAreSentAgainHoweverTheyCome(t *testing.T) {
	sizes := make(chan int64, 10)
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		sizes <- n
		_ = pay.MeterFrom(r.Context()).Charge(1)
	}), func(s *shop) {
		s.ccfg.MaxBody = 100_000
		s.ccfg.Base = &http.Transport{ExpectContinueTimeout: 5 * time.Second}
	})
	post := func(path string, body io.Reader) error {
		resp, err := s.http.Post(s.server.URL+path, "text/plain", body)
		if err == nil {
			err = resp.Body.Close()
			require.Equal(t, 200, resp.StatusCode)
		}
		return err
	}
	require.NoError(t, post("/a", strings.NewReader(strings.Repeat("x", 500_000))), "it can be read again")
	require.Equal(t, int64(500_000), <-sizes)
	require.NoError(t, post("/b", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 50_000))}), "it is kept")
	require.Equal(t, int64(50_000), <-sizes)
	// A body that is too large to be kept waits for leave to be sent: the 402 comes before.
	require.NoError(t, post("/c", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 300_000))}))
	require.Equal(t, int64(300_000), <-sizes)
	require.Equal(t, uint64(6), s.gateway.Channels()[0].Charged)
	// A transport that does not wait has sent too much of it when the 402 comes.
	require.NoError(t, s.client.Close())
	s.ccfg.Base = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get(x402.HeaderSignature) == "" {
			if _, err := io.ReadAll(r.Body); err != nil {
				return nil, err
			}
			r.Body = http.NoBody
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	s.openClient()
	require.ErrorContains(t, post("/d", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 300_000))}), "set GetBody")
	require.Len(t, s.ledger(), 3, "and nothing is paid for it")
}

func TestSessionKeysAreTheirOwnersAlone(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	s.get("/?n=1")
	keys, err := filepath.Glob(filepath.Join(s.ccfg.Dir, "keys", "*.key"))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	info, err := os.Stat(keys[0])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	good, err := os.ReadFile(keys[0])
	require.NoError(t, err)
	for name, spoil := range map[string]func() error{
		"readable by others": func() error { return os.Chmod(keys[0], 0o644) },
		"damaged":            func() error { return os.WriteFile(keys[0], []byte("zz"), 0o600) },
		"of another channel": func() error { return os.WriteFile(keys[0], bytes.Repeat([]byte("00"), 32), 0o600) },
		"lost":               func() error { return os.Remove(keys[0]) },
	} {
		require.NoError(t, s.client.Close())
		require.NoError(t, os.WriteFile(keys[0], good, 0o600))
		require.NoError(t, os.Chmod(keys[0], 0o600))
		require.NoError(t, spoil())
		s.openClient()
		_, err := s.http.Get(s.server.URL + "/?n=1")
		require.ErrorContains(t, err, "session key", name)
	}
	require.NoError(t, os.WriteFile(keys[0], good, 0o600))
	require.NoError(t, os.Chmod(keys[0], 0o600))
	status, _ := s.get("/?n=1")
	require.Equal(t, 200, status)
}

func TestALostStoreIsRecoveredFromKeysAndChain(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	s.get("/?n=10")
	s.get("/?n=20")
	id := s.client.Channels()[0].ID
	require.NoError(t, s.client.Close())
	require.NoError(t, os.RemoveAll(filepath.Join(s.ccfg.Dir, "payments.db")))
	s.openClient()
	n, err := s.client.Recover(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	status, _ := s.get("/?n=5") // corrected by the gateway, proved by our own signature
	require.Equal(t, 200, status)
	ch := s.client.Channels()
	require.Len(t, ch, 1)
	require.Equal(t, []any{id, uint64(70)}, []any{ch[0].ID, ch[0].Charged})
	require.Equal(t, 1, s.chain.deposits)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(70), spent)
}

func TestAStoreHasOneProcess(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	_, err := pay.OpenClient(s.ccfg)
	require.ErrorIs(t, err, pay.ErrInUse)
	require.ErrorContains(t, err, s.ccfg.Dir+" is in use by process "+strconv.Itoa(os.Getpid())+", `pay.test`")
	var inUse *pay.InUseError
	require.ErrorAs(t, err, &inUse)
	require.Equal(t, os.Getpid(), inUse.PID)

	// Whose it is may be written by anybody who can write there, or by nobody.
	file := filepath.Join(s.ccfg.Dir, "holder.json")
	for _, text := range []string{"", "{", `{"pid":-1}`, `{"pid":"x"}`, `{"pid":2147483646,"command":"dead"}`} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := pay.OpenClient(s.ccfg)
		require.ErrorContains(t, err, "by another process", text)
	}
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `{"pid":%d,"command":"a\u001b[2Jb"}`, os.Getpid()), 0o600))
	_, err = pay.OpenClient(s.ccfg)
	require.ErrorContains(t, err, "`a[2Jb`")
	require.NoError(t, s.client.Close())
	require.NoFileExists(t, file)
	s.client, err = pay.OpenClient(s.ccfg)
	require.NoError(t, err)
}

func TestWhatCostsNothingOrIsNotOursPassesThrough(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	foreign, err := x402.Encode(x402.Required{X402Version: 2, Accepts: []x402.Requirements{{Scheme: "exact", Network: "eip155:8453", Amount: "1"}}})
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/foreign":
			w.Header().Set(x402.HeaderRequired, foreign)
			w.WriteHeader(http.StatusPaymentRequired)
			_, _ = io.WriteString(w, "other money")
		case "/plain402":
			w.WriteHeader(http.StatusPaymentRequired)
		default:
			_, _ = io.WriteString(w, "free")
		}
	}))
	defer server.Close()
	for path, want := range map[string]string{"/foreign": "402 other money", "/plain402": "402 ", "/": "200 free"} {
		resp, err := s.http.Get(server.URL + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, fmt.Sprintf("%d %s", resp.StatusCode, body))
	}
	require.Zero(t, s.chain.deposits)
}

func TestThePriceIsShownBeforeItIsPaid(t *testing.T) {
	var seen []pay.Quote
	no := errors.New("no")
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
		s.ccfg.Approve = func(q pay.Quote) error {
			if seen = append(seen, q); len(seen) > 1 {
				return no
			}
			return nil
		}
	})
	s.get("/?n=10")
	_, err := s.http.Get(s.server.URL + "/?n=10")
	require.ErrorIs(t, err, no)
	require.Equal(t, pay.Quote{Method: "GET", URL: s.server.URL + "/?n=10", Provider: hotkey, ServiceID: 7, Amount: 200, Unit: "token", Price: 2, Per: 1, Description: "tokens"}, seen[0])
	require.Equal(t, uint64(20), s.gateway.Channels()[0].Charged)
}

// byQuery is a route on which a request says how many tokens it may use.
func (s *shop) byQuery() string {
	units := func(r *http.Request) (uint64, error) { return strconv.ParseUint(r.URL.Query().Get("most"), 10, 64) }
	server := httptest.NewServer(s.via(pay.Route{Units: units}, http.HandlerFunc(charge)))
	s.t.Cleanup(server.Close)
	return server.URL
}

func TestRequestsOfOnePriceArePaidAtOnceWhereItIsAgreedTo(t *testing.T) {
	var seen []uint64
	refuse := false
	var asked atomic.Int64
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
		s.ccfg.SameTerms = true
		s.ccfg.Approve = func(q pay.Quote) error {
			seen = append(seen, q.Amount) // tests ask one after the other
			if refuse {
				return errors.New("too dear")
			}
			return nil
		}
		s.ccfg.Base = counting{http.DefaultTransport, &asked}
	})
	s.get("/?n=1")
	require.Equal(t, int64(2), asked.Load(), "it asks for the price")
	s.get("/?n=1")
	require.Equal(t, int64(3), asked.Load(), "it is known")
	require.Equal(t, []uint64{200, 200}, seen, "both were agreed to")
	refuse = true
	_, err := s.http.Get(s.server.URL + "/?n=1")
	require.ErrorContains(t, err, "too dear")
	require.Equal(t, int64(4), asked.Load(), "what it costs now is looked at before it is refused")
	require.Equal(t, uint64(4), s.gateway.Channels()[0].Charged)
}

// counting counts requests.
type counting struct {
	base http.RoundTripper
	n    *atomic.Int64
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.base.RoundTrip(r)
}

func TestARequestIsToldWhatItHasCost(t *testing.T) {
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stream" {
			charge(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for range 150 { // more than was agreed to at first
			if err := pay.MeterFrom(r.Context()).Charge(1); err != nil {
				return
			}
			_, _ = io.WriteString(w, "data: hello\n\n")
		}
	}))
	paid := func(path string, read bool) (all []pay.Payment) {
		ctx := pay.OnPaid(t.Context(), func(p pay.Payment) { all = append(all, p) })
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+path, nil)
		require.NoError(t, err)
		resp, err := s.http.Do(req)
		require.NoError(t, err)
		if read {
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
		}
		require.NoError(t, resp.Body.Close())
		return all
	}
	all := paid("/?n=30", true)
	require.Len(t, all, 1)
	require.Equal(t, pay.Paid, all[0].State)
	require.Equal(t, uint64(60), all[0].Charged)

	all = paid("/stream", true)
	require.Len(t, all, 1)
	require.Equal(t, uint64(300), all[0].Charged)

	all = paid("/stream", false)
	require.Len(t, all, 1)
	require.Equal(t, pay.Unknown, all[0].State, "it was left")
	require.Equal(t, all[0].Ceiling, all[0].Charged)
	s.get("/?n=1")
}

func TestEachRequestIsApprovedAtItsOwnPrice(t *testing.T) {
	var seen []uint64
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
		s.ccfg.Approve = func(q pay.Quote) error { seen = append(seen, q.Amount); return nil }
	})
	url := s.byQuery()
	for _, most := range []string{"100", "10", "50"} {
		resp, err := s.http.Get(url + "/?n=1&most=" + most)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 200, resp.StatusCode)
	}
	require.Equal(t, []uint64{200, 20, 100}, seen)
	require.Len(t, s.ledger(), 3)
}

func TestAnEarlierRequestsPriceHindersNoneThatCostsLess(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
		s.ccfg.Limits = pay.Limits{PerRequest: 250, PerDay: 250, Deposit: 210, MaxDeposit: 210}
	})
	url := s.byQuery()
	ask := func(most, n string) error {
		resp, err := s.http.Get(url + "/?n=" + n + "&most=" + most)
		if err == nil {
			require.Equal(t, 200, resp.StatusCode)
			err = resp.Body.Close()
		}
		return err
	}
	require.ErrorIs(t, ask("200", "1"), pay.ErrLimit)
	require.NoError(t, ask("100", "60"), "it costs less than what was refused before")
	require.NoError(t, ask("10", "10"), "the day leaves 130 of 250: 200 would be over it")
	require.Equal(t, 1, s.chain.deposits, "nothing is put in for what another request would have cost")
	require.ErrorIs(t, ask("100", "1"), pay.ErrLimit)
	require.Equal(t, uint64(140), s.gateway.Channels()[0].Charged)
}

func TestTheLedgerIsWrittenAsCSV(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	s.get("/=1+1?n=10")
	var b bytes.Buffer
	require.NoError(t, s.client.WriteCSV(&b, time.Time{}))
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, []string{"n", "time", "kind", "state", "charged", "ceiling", "unit", "provider", "service", "plan", "channel", "method", "url", "identifier", "status", "note"}, rows[0])
	require.Equal(t, []string{"1", "2026-11-26T12:00:00Z", "deposit", "paid", "10000", "10000", "rao", hotkey, "7"}, rows[1][:9])
	require.Equal(t, []string{"2", "2026-11-26T12:00:00Z", "request", "paid", "20", "200", "rao", hotkey, "7"}, rows[2][:9])
	b.Reset()
	require.NoError(t, s.client.WriteCSV(&b, s.clock.Now().Add(time.Second)))
	require.Equal(t, 1, strings.Count(b.String(), "\n"))
}

func TestAStreamIsToppedUpWhileItRuns(t *testing.T) {
	s := newShop(t, http.HandlerFunc(streamTokens), func(s *shop) { s.ccfg.Limits.Deposit = 300 })
	status, body := s.get("/")
	require.Equal(t, 200, status)
	require.Equal(t, 25, strings.Count(body, "data: "))
	require.Equal(t, uint64(1000), s.ledger()[0].Charged)
	require.Greater(t, s.chain.deposits, 2)
}

func TestAStreamThatIsNotReadToItsEndIsClearedUp(t *testing.T) {
	gone := make(chan struct{})
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			w.Header().Set("Content-Type", "text/event-stream")
			_ = pay.MeterFrom(r.Context()).Charge(30)
			_, _ = io.WriteString(w, "data: a\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done() // the customer is gone, and a stream ends with it
			close(gone)
			return
		}
		charge(w, r)
	}))
	resp, err := s.http.Get(s.server.URL + "/stream")
	require.NoError(t, err)
	b := make([]byte, 9)
	_, err = io.ReadFull(resp.Body, b)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	<-gone
	require.Equal(t, []any{pay.Unknown, uint64(200)}, []any{s.ledger()[0].State, s.ledger()[0].Charged})
	for s.gateway.Channels()[0].Reserved != 0 { // the handler has just ended
		s.get("/?n=0")
	}
	s.get("/?n=1")
	require.Equal(t, []any{pay.Paid, uint64(60)}, []any{s.ledger()[0].State, s.ledger()[0].Charged})
}

func TestAProviderThatClaimsTooMuchOnChainIsNoticed(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	s.get("/?n=10")
	id := unhex(t, s.client.Channels()[0].ID)
	s.chain.change(id, func(c *markettypes.Channel) { c.Claimed = 200; c.ClosingTime = 0 })
	s.clock.move(time.Hour)
	_, err := s.http.Get(s.server.URL + "/?n=10") // its own gateway calls that contested
	require.ErrorIs(t, err, pay.ErrRefused)
	require.NotEmpty(t, s.client.Channels()[0].Stopped)
}

func TestFacilitatorRoutesVerifyAndSettle(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	f := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.gateway.Facilitator().ServeHTTP(w, r) }))
	defer f.Close()
	post := func(path string, v any) (int, []byte) {
		t.Helper()
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		resp, err := http.Post(f.URL+path, "application/json", bytes.NewReader(raw))
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode, body
	}
	p := s.raw(1, 1000)
	payment := p.payment("/", 200)
	req := x402.VerifyRequest{X402Version: 2, PaymentPayload: payment, PaymentRequirements: payment.Accepted}
	status, body := post("/verify", req)
	require.Equal(t, 200, status)
	var verified x402.VerifyResponse
	require.NoError(t, json.Unmarshal(body, &verified))
	require.True(t, verified.IsValid, "%s", body)
	require.Equal(t, customer, verified.Payer)

	// It is settled for what it was in the end, once.
	req.PaymentRequirements.Amount = "60"
	for range 3 {
		status, body = post("/settle", req)
		require.Equal(t, 200, status)
		var settled x402.Settlement
		require.NoError(t, json.Unmarshal(body, &settled))
		require.True(t, settled.Success, "%s", body)
		require.Equal(t, "60", settled.Extra.ChargedAmount)
		require.Equal(t, "60", settled.Extra.ChannelState.ChargedCumulativeAmount)
	}
	require.Equal(t, uint64(60), s.gateway.Channels()[0].Charged)
	require.Len(t, s.history(pay.EntryCharge), 1)

	for name, change := range map[string]func(*x402.VerifyRequest){
		"more than was agreed": func(r *x402.VerifyRequest) { r.PaymentRequirements.Amount = "201" },
		"another receiver":     func(r *x402.VerifyRequest) { r.PaymentRequirements.PayTo = "lode1x" },
		"another network":      func(r *x402.VerifyRequest) { r.PaymentRequirements.Network = "cosmos:x-1" },
		"another scheme":       func(r *x402.VerifyRequest) { r.PaymentRequirements.Scheme = "exact" },
		"a spent voucher":      func(r *x402.VerifyRequest) {},
	} {
		again := p.payment("/", 200)
		r := x402.VerifyRequest{X402Version: 2, PaymentPayload: again, PaymentRequirements: again.Accepted}
		change(&r)
		status, body := post("/verify", r)
		require.Equal(t, 200, status, name)
		require.NoError(t, json.Unmarshal(body, &verified))
		require.False(t, verified.IsValid, name)
		status, body = post("/settle", r)
		require.Equal(t, 200, status, name)
		var settled x402.Settlement
		require.NoError(t, json.Unmarshal(body, &settled))
		require.False(t, settled.Success, name)
		require.NotEmpty(t, settled.ErrorReason, name)
	}
	require.Equal(t, uint64(60), s.gateway.Channels()[0].Charged)
	for _, path := range []string{"/verify", "/settle"} {
		resp, err := http.Post(f.URL+path, "application/json", strings.NewReader("{"))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 400, resp.StatusCode)
	}

	var supported x402.Supported
	get(t, f.URL+"/supported", 200, &supported)
	require.Equal(t, "cosmos:"+chainID, supported.Kinds[0].Network)
	require.Equal(t, []string{hotkey}, supported.Signers["cosmos:*"])
	other := tokens()
	other.Service.Id, other.Service.Endpoint, other.Service.UpdatedHeight = 9, "https://other.example", 41
	s.chain.set(func() { s.chain.services[9] = other })
	var found x402.Discovery
	get(t, f.URL+"/discovery/resources?limit=1&offset=1", 200, &found)
	require.Equal(t, x402.Pagination{Limit: 1, Offset: 1, Total: 2}, found.Pagination)
	require.Equal(t, "https://other.example", found.Items[0].Resource)
	require.Equal(t, "2", found.Items[0].Accepts[0].Amount)
	require.Equal(t, "41", found.Items[0].Metadata["updatedHeight"])
	get(t, f.URL+"/discovery/resources?type=mcp", 200, &found)
	require.Empty(t, found.Items)
	for _, q := range []string{"limit=0", "limit=101", "limit=x", "offset=-1", "offset=99999999999"} {
		get(t, f.URL+"/discovery/resources?"+q, 400, nil)
	}
	s.chain.set(func() { s.chain.down = true })
	get(t, f.URL+"/discovery/resources", 503, nil)
}

func get(t *testing.T, url string, status int, into any) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, status, resp.StatusCode, "%s", body)
	if into != nil {
		require.NoError(t, json.Unmarshal(body, into))
	}
}

func TestAProxyPaysForProgramsThatKnowNothingOfPayment(t *testing.T) {
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			streamTokens(w, r)
			return
		}
		charge(w, r)
	}))
	var proxy *pay.Proxy
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { proxy.ServeHTTP(w, r) }))
	defer p.Close()
	proxy = pay.NewProxy(s.client, nil)
	plain := func(url string) (int, string) {
		t.Helper()
		resp, err := http.Get(url)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode, string(body)
	}
	for _, url := range []string{p.URL + "/" + s.server.URL + "/a?n=10", p.URL + "/" + strings.Replace(s.server.URL, "//", "/", 1) + "/a?n=10"} {
		status, body := plain(url)
		require.Equal(t, 200, status, "%s", body)
		require.Equal(t, "hello", body)
	}
	status, body := plain(p.URL + "/" + s.server.URL + "/stream")
	require.Equal(t, 200, status)
	require.Equal(t, 25, strings.Count(body, "data: "))
	require.NotContains(t, body, "payment")
	upstream := mustURL(t, s.server.URL+"/base/")
	proxy = pay.NewProxy(s.client, upstream)
	status, _ = plain(p.URL + "/x?n=5")
	require.Equal(t, 200, status)
	all := s.ledger()
	require.Equal(t, s.server.URL+"/base/x?n=5", all[3].URL)
	// And as an HTTP proxy.
	proxy = pay.NewProxy(s.client, nil)
	by := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(mustURL(t, p.URL))}}
	name := strings.Replace(s.server.URL, "127.0.0.1", "provider.test", 1)
	via := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.server.Listener.Addr().String())
	}}
	require.NoError(t, s.client.Close())
	s.ccfg.Base = via
	s.openClient()
	proxy = pay.NewProxy(s.client, nil)
	resp, err := by.Get(name + "/?n=5")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode)

	var payments []pay.Payment
	get(t, p.URL+"/.lode/payments", 200, &payments)
	require.Len(t, payments, 6)
	get(t, p.URL+"/.lode/payments?from=2030-01-01T00:00:00Z", 200, &payments)
	require.Empty(t, payments)
	get(t, p.URL+"/.lode/payments?from=yesterday", 400, nil)
	var channels []pay.ClientChannel
	get(t, p.URL+"/.lode/channels", 200, &channels)
	require.Len(t, channels, 1)
	status, body = plain(p.URL + "/.lode/payments.csv")
	require.Equal(t, 200, status)
	require.Contains(t, body, "deposit")
	get(t, p.URL+"/.lode/keys", 404, nil)
}

func TestAProxySaysWhyItDidNotPay(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.ccfg.Limits.PerRequest = 10 })
	p := httptest.NewServer(pay.NewProxy(s.client, nil))
	defer p.Close()
	get(t, p.URL+"/"+s.server.URL+"/", 402, nil)
	get(t, p.URL+"/", 400, nil)
	get(t, p.URL+"/ftp://x", 400, nil)
	get(t, p.URL+"/http:///x", 400, nil)
	get(t, p.URL+"/http://127.0.0.1:1/", 502, nil)
}

func TestAProxySaysThatTheChainDoesNotLetItDeposit(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p := httptest.NewServer(pay.NewProxy(s.client, nil))
	defer p.Close()
	for code, by := range map[string]*errorsmod.Error{"over_allowance": markettypes.ErrLimit, "no_deposit": sdkerrors.ErrInsufficientFunds} {
		s.chain.set(func() {
			s.chain.refuses = &client.TxError{Codespace: by.Codespace(), Code: by.ABCICode(), Log: "3 are left"}
		})
		var said struct{ Error, Message string }
		get(t, p.URL+"/"+s.server.URL+"/", 402, &said)
		require.Equal(t, code, said.Error)
		require.Contains(t, said.Message, "3 are left")
	}
	require.Zero(t, s.chain.deposits)
}

func TestAProxyDoesNotSpendForWebPages(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p := httptest.NewServer(pay.NewProxy(s.client, nil))
	defer p.Close()
	for name, change := range map[string]func(*http.Request){
		"another origin":       func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"an opaque origin":     func(r *http.Request) { r.Header.Set("Origin", "null") },
		"a cross-site fetch":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"a rebound name":       func(r *http.Request) { r.Host = "evil.example" },
		"a name that pretends": func(r *http.Request) { r.Host = "127.0.0.1.evil.example" },
		"an address outside":   func(r *http.Request) { r.Host = "10.0.0.1:80" },
	} {
		for _, path := range []string{"/" + s.server.URL + "/", "/.lode/payments"} {
			req, err := http.NewRequest(http.MethodGet, p.URL+path, nil)
			require.NoError(t, err)
			change(req)
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, 403, resp.StatusCode, name)
		}
	}
	require.Zero(t, s.chain.deposits)
}

// A voucher that one stream hands in covers whatever the gateway serves next on the
// channel, another stream of the same customer too.
func TestStreamsOfOneChannelShareWhatIsPromised(t *testing.T) {
	s := newShop(t, http.HandlerFunc(streamTokens), func(s *shop) { s.ccfg.Limits.Deposit = 100_000 })
	s.get("/") // the channel is there
	var streams sync.WaitGroup
	for range 16 {
		streams.Go(func() {
			resp, err := s.http.Get(s.server.URL + "/")
			if !assert.NoError(t, err) {
				return
			}
			body, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.Equal(t, 25, strings.Count(string(body), "data: "))
			assert.NoError(t, resp.Body.Close())
		})
	}
	streams.Wait()
	require.Empty(t, s.client.Channels()[0].Stopped)
	paid := 0
	for _, p := range s.ledger() {
		if p.State == pay.Unpaid { // it came later than what was promised after it, and asked again
			require.Zero(t, p.Charged)
			continue
		}
		require.Equal(t, []any{pay.Paid, uint64(1000)}, []any{p.State, p.Charged}, p.Note)
		paid++
	}
	require.Equal(t, 17, paid)
	require.Equal(t, uint64(17_000), s.gateway.Channels()[0].Charged)
	require.Equal(t, uint64(17_000), s.client.Channels()[0].Charged)
}
