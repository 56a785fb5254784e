package inference_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
	"github.com/lodenet/lode/subnets/inference/engine"
	"github.com/lodenet/lode/subnets/inference/engine/memory"
	"github.com/lodenet/lode/subnets/inference/minertest"
)

// patience is how long a test waits for what comes soon.
const patience = 20 * time.Second

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	require.Eventually(t, so, patience, 5*time.Millisecond, what)
}

// broken is an engine that fails after so many tokens, from where it is told to.
type broken struct {
	*memory.Engine
	after int
	err   error
	calls atomic.Int32
}

func (b *broken) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	b.calls.Add(1)
	n := 0
	result, err := b.Engine.Generate(ctx, r, func(c engine.Chunk) error {
		if n == b.after {
			return b.err
		}
		n++
		return emit(c)
	})
	return result, err
}

func sold(t *testing.T, e engine.Engine) (*minertest.Miner, *minertest.Customer, inference.Remote) {
	t.Helper()
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e, Price: price})
	c := minertest.NewCustomer(t, chain, "customer", m)
	return m, c, m.Remote(t, c.Caller)
}

func TestAnEngineThatFailsBeforeTheFirstTokenCostsNothing(t *testing.T) {
	for _, prompt := range []string{"x", strings.Repeat("y", 3000)} { // the other asks for a voucher first
		for name, c := range map[string]struct{ err, want error }{
			"gone":        {engine.ErrGone, engine.ErrGone},
			"closed":      {engine.ErrClosed, engine.ErrGone},
			"busy":        {engine.ErrBusy, engine.ErrBusy},
			"unknown":     {errors.New(canary), engine.ErrGone},
			"unsupported": {engine.ErrUnsupported, engine.ErrUnsupported},
		} {
			t.Run(name, func(t *testing.T) {
				m, customer, to := sold(t, &broken{Engine: memory.New(memory.Options{}), err: c.err})
				a, err := customer.Generate(t.Context(), to, ask(prompt), nil)
				require.ErrorIs(t, err, c.want)
				require.Equal(t, name != "unsupported", engine.Retryable(err))
				require.NotContains(t, err.Error(), canary)
				require.False(t, a.Started)
				paid := customer.Ledger(t)
				require.Equal(t, pay.Unpaid, paid[len(paid)-1].State)
				require.Zero(t, paid[len(paid)-1].Charged)
				require.Equal(t, uint64(1), m.Stats().Failed)
				require.Zero(t, m.Stats().Units)
			})
		}
	}
}

func TestAnEngineThatFailsLaterIsPaidForWhatItGave(t *testing.T) {
	m, c, to := sold(t, &broken{Engine: memory.New(memory.Options{Answer: func(string) string { return "abcdefgh" }}), after: 5, err: engine.ErrGone})
	var got gather
	a, err := c.Generate(t.Context(), to, ask("x"), got.take)
	require.ErrorIs(t, err, engine.ErrGone)
	require.Equal(t, "abcde", got.text)
	require.True(t, a.Started)
	require.Equal(t, 5, a.Completion)
	paid := c.Ledger(t)
	require.Equal(t, uint64(1000*(1+5)), paid[0].Charged)
	require.Equal(t, pay.Paid, paid[0].State)
	require.Equal(t, uint64(1), m.Stats().Failed)
	require.Equal(t, uint64(6), m.Stats().Units)
}

func TestACallerThatLeavesEndsTheAnswer(t *testing.T) {
	for name, leaveAt := range map[string]int{"before the first token": 0, "in the middle": 5} {
		t.Run(name, func(t *testing.T) {
			reached, ended := make(chan struct{}), make(chan int, 1)
			e := memory.New(memory.Options{Answer: func(string) string { return strings.Repeat("a", 1000) },
				Wait: func(ctx context.Context, place int) error {
					if place == leaveAt {
						close(reached)
						<-ctx.Done()
						ended <- place
					}
					return nil
				}})
			m, c, to := sold(t, e)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-reached
				cancel()
			}()
			_, err := c.Generate(ctx, to, ask("x"), nil)
			require.ErrorIs(t, err, context.Canceled)
			select {
			case <-ended:
			case <-time.After(patience):
				t.Fatal("it goes on for nobody")
			}
			eventually(t, "the request ends", func() bool { s := m.Stats(); return s.Open == 0 && s.Left == 1 })
			s := m.Stats()
			require.Zero(t, s.Failed)
			require.LessOrEqual(t, s.TokensOut, uint64(leaveAt))
			if leaveAt == 0 {
				require.Zero(t, s.Units)
			}
		})
	}
	t.Run("by an error of its own", func(t *testing.T) {
		e := memory.New(memory.Options{Answer: func(string) string { return strings.Repeat("a", 4000) }, Wait: memory.Every(time.Millisecond)})
		m, c, to := sold(t, e)
		enough := errors.New("enough")
		r := ask("x")
		r.MaxTokens = 0
		_, err := c.Generate(t.Context(), to, r, func(inference.Event) error { return enough })
		require.Equal(t, enough, err)
		eventually(t, "the request ends", func() bool { return m.Stats().Left == 1 })
		require.Less(t, m.Stats().TokensOut, uint64(1000))
	})
}

func TestAReaderThatIsTooSlowLosesItsPlace(t *testing.T) {
	e := memory.New(memory.Options{Context: 1 << 20, Slots: 1, Answer: func(string) string { return strings.Repeat("a", 1<<19) }})
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e}.WithWriteTime(200*time.Millisecond))
	c := minertest.NewCustomer(t, chain, "customer", m)
	to := m.Remote(t, c.Caller)
	r := ask("x")
	r.MaxTokens, r.TopLogProbs, r.Bytes = 0, engine.MaxTopLogProbs, true
	leave := minertest.NewGate()
	first, done := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		_, err := c.Generate(context.WithoutCancel(t.Context()), to, r, func(inference.Event) error {
			once.Do(func() { close(first) })
			return leave.Wait(t.Context())
		})
		done <- err
	}()
	<-first
	eventually(t, "the miner gives up", func() bool { s := m.Stats(); return s.Left == 1 && s.Open == 0 })
	_, err := c.Generate(t.Context(), to, ask("y"), nil) // the engine's only slot is free
	require.NoError(t, err)
	leave.Open()
	require.ErrorIs(t, <-done, inference.ErrMiner)
}

func TestRequestsBeyondTheBoundsAreRefused(t *testing.T) {
	gate := minertest.NewGate()
	e := memory.New(memory.Options{Wait: func(ctx context.Context, _ int) error { return gate.Wait(ctx) }})
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e, Price: price, PerCaller: 2, Open: 3})
	one, two := minertest.NewCustomer(t, chain, "one", m), minertest.NewCustomer(t, chain, "two", m)
	to := m.Remote(t, one.Caller)
	var wg sync.WaitGroup
	start := func(c *minertest.Customer, open int) {
		wg.Go(func() {
			if _, err := c.Generate(context.WithoutCancel(t.Context()), to, ask("x"), nil); err != nil {
				t.Error(err)
			}
		})
		eventually(t, "it is let in", func() bool { return m.Stats().Open == open })
	}
	start(one, 1)
	start(one, 2)
	refused := func(c *minertest.Customer) {
		t.Helper()
		_, err := c.Generate(t.Context(), to, ask("x"), nil)
		require.ErrorIs(t, err, engine.ErrBusy)
		require.True(t, engine.Retryable(err))
		paid := c.Ledger(t)
		require.Equal(t, pay.Unpaid, paid[len(paid)-1].State)
		_, err = c.Count(t.Context(), to, engine.Prompt{Text: "x"})
		require.ErrorIs(t, err, engine.ErrBusy)
	}
	refused(one)
	start(two, 3)
	refused(two)
	require.Equal(t, 3, m.Remote(t, two.Caller).Card.Open)
	gate.Open()
	wg.Wait()
	s := m.Stats()
	require.Equal(t, []uint64{3, 4, 0}, []uint64{s.Answered, s.Refused, s.Failed})
	require.Zero(t, s.Open)
}

func TestNeverEndingAnswersEnd(t *testing.T) {
	const context = 40
	e := memory.New(memory.Options{Context: context, Answer: func(string) string { return strings.Repeat("a", 1<<19) }})
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e})
	c := minertest.NewCustomer(t, chain, "customer", m)
	for _, most := range []int{0, 9, 1 << 30} {
		r := ask("x")
		r.MaxTokens = most
		a, err := c.Generate(t.Context(), m.Remote(t, c.Caller), r, nil)
		require.NoError(t, err)
		require.Equal(t, engine.FinishLength, a.Finish)
		if most == 9 {
			require.Equal(t, 9, a.Completion)
		} else {
			require.Equal(t, context, a.Prompt+a.Completion, "the context ends it")
		}
	}
}

func TestAMinerThatSellsWaitsForItsTill(t *testing.T) {
	e := &broken{Engine: memory.New(memory.Options{}), after: -1}
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e, Price: price})
	c := minertest.NewCustomer(t, chain, "customer", m)
	to := m.Remote(t, c.Caller)
	_, err := c.Generate(t.Context(), to, ask("x"), nil) // now it knows the terms, and pays at once
	require.NoError(t, err)
	m.Sell(nil)
	began := time.Now()
	_, err = c.Generate(t.Context(), to, ask("x"), nil)
	require.ErrorIs(t, err, engine.ErrBusy)
	require.Less(t, time.Since(began), time.Second, "it is not asked again and again")
	paid := c.Ledger(t)
	require.Equal(t, pay.Unpaid, paid[len(paid)-1].State)
	_, err = c.Card(t.Context(), m.URL)
	require.ErrorIs(t, err, engine.ErrBusy)
	stranger := minertest.NewCustomer(t, chain, "stranger", m)
	_, err = stranger.Generate(t.Context(), to, ask("x"), nil)
	require.ErrorIs(t, err, engine.ErrBusy)
	require.Equal(t, int32(1), e.calls.Load())
	m.Sell(m.Till)
	_, err = c.Generate(t.Context(), to, ask("x"), nil)
	require.NoError(t, err)
}

func TestAPaymentBuysOneAnswer(t *testing.T) {
	e := &broken{Engine: memory.New(memory.Options{}), after: -1}
	m, c, to := sold(t, e)
	var seen http.Header
	c.HTTP.Transport = c.Pay.Over(roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get(x402.HeaderSignature) != "" {
			seen = r.Header.Clone()
		}
		return c.Host.RoundTripper().RoundTrip(r)
	}))
	_, err := c.Generate(t.Context(), to, ask("x"), nil)
	require.NoError(t, err)
	again := func(method, path, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, m.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header = seen.Clone()
		resp, err := c.Host.Client().Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(raw)
	}
	body, err := json.Marshal(ask("x"))
	require.NoError(t, err)
	for range 3 {
		status, text := again(http.MethodPost, "/generate/256", string(body))
		require.Equal(t, http.StatusConflict, status)
		require.Contains(t, text, "already_served")
	}
	status, _ := again(http.MethodPost, "/generate/512", string(body))
	require.Equal(t, http.StatusConflict, status)
	status, _ = again(http.MethodPost, "/embed/256", string(body))
	require.Equal(t, http.StatusConflict, status)
	require.Equal(t, int32(1), e.calls.Load())
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestACallerThatStopsPayingGetsNoMore(t *testing.T) {
	e := memory.New(memory.Options{Context: 1 << 16, Answer: func(string) string { return strings.Repeat("a", 10_000) }})
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e, Price: price})
	c := minertest.NewCustomer(t, chain, "customer", m)
	poor, err := pay.OpenClient(pay.ClientConfig{Dir: t.TempDir(), Chain: chain.Payer("customer"), Base: c.Host.RoundTripper(),
		Limits: pay.Limits{PerRequest: 600_000, PerDay: 1e9, Deposit: 1e8}}) // 600 units
	require.NoError(t, err)
	defer func() { require.NoError(t, poor.Close()) }()
	c.HTTP.Transport = poor
	r := ask("x")
	r.MaxTokens = 0
	var got gather
	a, err := c.Generate(t.Context(), m.Remote(t, c.Caller), r, got.take)
	require.ErrorIs(t, err, pay.ErrLimit)
	require.NotErrorIs(t, err, inference.ErrMiner)
	require.True(t, a.Started)
	require.LessOrEqual(t, a.Completion, 600)
	require.Equal(t, a.Completion, len(got.text))
	eventually(t, "the request ends", func() bool { return m.Stats().Open == 0 })
	require.LessOrEqual(t, m.Stats().Units, uint64(600))
}

func TestHostileCallsAreRefusedWithWhatIsWrong(t *testing.T) {
	e := &broken{Engine: memory.New(memory.Options{Context: 100}), after: -1}
	chain := sellertest.NewChain()
	log := &bytes.Buffer{}
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: e, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	c := minertest.NewCustomer(t, chain, "customer", m)
	good := `{"version":1,"digest":"","prompt":{"text":"` + canary + `"},"temperature":0,"seed":0,"max_tokens":1}`
	for _, call := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"as it should be", "POST", "/generate/256", good, 200, ""},
		{"no JSON", "POST", "/generate/256", canary, 400, "invalid"},
		{"nothing", "POST", "/generate/256", "", 400, "invalid"},
		{"JSON and more", "POST", "/generate/256", good + "{}", 400, "invalid"},
		{"two lines", "POST", "/generate/256", good + "\n", 400, "invalid"},
		{"another type", "POST", "/generate/256", `{"version":1,"prompt":["` + canary + `"]}`, 400, "invalid"},
		{"deep", "POST", "/generate/256", strings.Repeat("[", 1<<20), 400, "invalid"},
		{"no prompt", "POST", "/generate/256", `{"version":1}`, 400, "invalid"},
		{"two prompts", "POST", "/generate/256", `{"version":1,"prompt":{"text":"a","tokens":[1]}}`, 400, "invalid"},
		{"tokens that there aren't", "POST", "/generate/256", `{"version":1,"prompt":{"tokens":[999]}}`, 400, "invalid"},
		{"a temperature of its own", "POST", "/generate/256", strings.Replace(good, `"temperature":0`, `"temperature":99`, 1), 400, "invalid"},
		{"another version", "POST", "/generate/256", strings.Replace(good, `"version":1`, `"version":2`, 1), 400, "invalid"},
		{"another model", "POST", "/generate/256", strings.Replace(good, `"digest":""`, `"digest":"abc"`, 1), 503, "gone"},
		{"too long", "POST", "/generate/256", strings.Replace(good, canary, strings.Repeat("x", 100), 1), 400, "too_long"},
		{"a grammar", "POST", "/generate/256", strings.Replace(good, `"seed":0`, `"seed":0,"grammar":{"gbnf":"root ::= \"`+canary+`\""}`, 1), 422, "grammar"},
		{"too large", "POST", "/generate/256", strings.Repeat("x", 8<<20+1), 413, "too_large"},
		{"no units", "POST", "/generate/", good, 404, "not_found"},
		{"odd units", "POST", "/generate/255", good, 400, "invalid"},
		{"too many units", "POST", "/generate/2097152", good, 400, "invalid"},
		{"units that are no number", "POST", "/generate/x", good, 400, "invalid"},
		{"another method", "PUT", "/generate/256", good, 405, "invalid"},
		{"the head", "HEAD", "/generate/256", "", 405, ""},
		{"another call", "POST", "/score", good, 404, "not_found"},
		{"a card that is posted", "POST", "/card", good, 404, "not_found"},
		{"counting nothing", "POST", "/count", "{}", 400, "invalid"},
		{"counting what is no JSON", "POST", "/count", canary, 400, "invalid"},
		{"a place of nothing", "POST", "/embed/256", `{"version":1}`, 400, "invalid"},
		{"a place of another version", "POST", "/embed/256", `{"version":0,"prompt":{"text":"x"}}`, 400, "invalid"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), call.method, m.URL+call.path, strings.NewReader(call.body))
		require.NoError(t, err)
		resp, err := c.Host.Client().Do(req)
		require.NoError(t, err, call.name)
		raw, err := io.ReadAll(resp.Body)
		require.NoError(t, err, call.name)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, call.status, resp.StatusCode, "%s: %s", call.name, raw)
		if call.code != "" {
			require.Contains(t, string(raw), `"code":"`+call.code+`"`, call.name)
		}
		require.NotContains(t, string(raw), canary, call.name)
	}
	require.NotContains(t, log.String(), canary)
	require.Zero(t, m.Stats().Open)
	w := recorder{header: http.Header{}}
	m.ServeHTTP(&w, &http.Request{Method: "GET", Header: http.Header{}})
	require.Equal(t, http.StatusForbidden, w.status)
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }

// TestNothingOfPromptsAndAnswersIsKept greps all that miner, till and customer write.
func TestNothingOfPromptsAndAnswersIsKept(t *testing.T) {
	const said = "plugh-canary"
	log := &lockedBuffer{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	failing := &broken{Engine: memory.New(memory.Options{Answer: func(string) string { return said }}), after: -1, err: errors.New(said)}
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: failing, Price: price, Logger: logger})
	c := minertest.NewCustomer(t, chain, "customer", m)
	to := m.Remote(t, c.Caller)
	var got gather
	_, err := c.Generate(t.Context(), to, ask(canary), got.take)
	require.NoError(t, err)
	require.Equal(t, said, got.text)
	place, err := c.Embed(t.Context(), to, inference.Embed{Prompt: engine.Prompt{Text: canary}})
	require.NoError(t, err)
	_, err = c.Count(t.Context(), to, engine.Prompt{Text: canary})
	require.NoError(t, err)
	for _, after := range []int{0, 3} {
		failing.after = after
		_, err = c.Generate(t.Context(), to, ask(canary), nil)
		require.ErrorIs(t, err, engine.ErrGone)
		require.NotContains(t, err.Error(), said)
	}
	vector, err := json.Marshal(place.Vector)
	require.NoError(t, err)
	files := 0
	for _, dir := range []string{m.Books, c.Folder} {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			for _, secret := range []string{canary, said, string(vector), "logprob", "data: "} {
				require.NotContains(t, string(raw), secret, path)
			}
			return nil
		}))
	}
	require.Positive(t, files)
	require.NotContains(t, log.String(), canary)
	require.NotContains(t, log.String(), said)
	require.Contains(t, log.String(), "a request failed")
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// server is an engine as one by URL is: its tokens are its own.
type server struct{ *memory.Engine }

func (s server) Info() engine.Info {
	i := s.Engine.Info()
	i.Verifiable, i.Digest, i.Vocabulary, i.Context = false, "", 0, 0
	return i
}

func (server) Tokens(context.Context, engine.Prompt) ([]int32, error) {
	return nil, engine.ErrUnsupported
}

func (s server) Generate(ctx context.Context, r engine.Request, emit func(engine.Chunk) error) (engine.Result, error) {
	result, err := s.Engine.Generate(ctx, r, func(c engine.Chunk) error { c.Tokens = nil; return emit(c) })
	result.Answer = nil
	return result, err
}

func TestAnEngineThatCantCountIsPaidByThePieceAndByFourBytes(t *testing.T) {
	m, c, to := sold(t, server{memory.New(memory.Options{Answer: func(string) string { return "hello" }})})
	require.False(t, to.Card.Engine.Verifiable)
	var got gather
	a, err := c.Generate(t.Context(), to, ask("ninebytes"), got.take)
	require.NoError(t, err)
	require.Equal(t, "hello", got.text)
	require.Empty(t, a.Tokens)
	require.Equal(t, []int{3, 5}, []int{a.Prompt, a.Completion})
	require.Equal(t, uint64(1000*(1+5)), c.Ledger(t)[0].Charged)
	require.Equal(t, uint64(6), m.Stats().Units)
	_, err = c.Count(t.Context(), to, engine.Prompt{Text: "x"})
	require.ErrorIs(t, err, engine.ErrUnsupported)
}

func TestACheatLooksLikeWhatItClaims(t *testing.T) {
	claim := memory.New(memory.Options{Model: "better"}).Info()
	claim.Digest = strings.Repeat("ab", 32)
	chain := sellertest.NewChain()
	m := minertest.New(t, chain, "miner", inference.MinerConfig{Engine: memory.New(memory.Options{}), Claim: &claim})
	c := minertest.NewCustomer(t, chain, "customer", m)
	to := m.Remote(t, c.Caller)
	require.Equal(t, claim, to.Card.Engine)
	r := ask("x")
	r.Digest = claim.Digest
	_, err := c.Generate(t.Context(), to, r, nil)
	require.NoError(t, err)
	r.Digest = memory.New(memory.Options{}).Info().Digest
	_, err = c.Generate(t.Context(), to, r, nil)
	require.ErrorIs(t, err, engine.ErrGone)
}

func TestMetricsAreNumbersOfTheMiner(t *testing.T) {
	m, c, to := sold(t, memory.New(memory.Options{Answer: func(string) string { return "hello" }}))
	_, err := c.Generate(t.Context(), to, ask("x"), nil)
	require.NoError(t, err)
	r := prometheus.NewPedanticRegistry()
	require.NoError(t, r.Register(m.Metrics(prometheus.Labels{"hotkey": m.Host.Hotkey()})))
	all, err := r.Gather()
	require.NoError(t, err)
	found := map[string]float64{}
	for _, f := range all {
		x := f.Metric[0]
		require.Len(t, x.Label, 1)
		found[f.GetName()] = x.GetCounter().GetValue() + x.GetGauge().GetValue()
	}
	require.Equal(t, map[string]float64{
		"lode_inference_miner_answered_total": 1, "lode_inference_miner_failed_total": 0, "lode_inference_miner_left_total": 0,
		"lode_inference_miner_refused_total": 0, "lode_inference_miner_open": 0, "lode_inference_miner_tokens_in_total": 1,
		"lode_inference_miner_tokens_out_total": 6, "lode_inference_miner_units_total": 7,
	}, found)
}

func TestMinersThatCantBeAreRefused(t *testing.T) {
	e := memory.New(memory.Options{})
	for name, cfg := range map[string]inference.MinerConfig{
		"no engine":         {},
		"another tier":      {Engine: e, Tier: "best"},
		"bounds below zero": {Engine: e, Open: -1},
		"a claim too long":  {Engine: e, Claim: &engine.Info{Model: strings.Repeat("x", 201)}},
	} {
		_, err := inference.NewMiner(cfg)
		require.Error(t, err, name)
	}
}
