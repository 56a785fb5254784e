package video

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnet/seller"
	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/video/media"
	"github.com/stretchr/testify/require"
)

// shop is a subnet whose gateway v0 sells, with a customer.
type shop struct {
	t     *testing.T
	chain *sellertest.Chain
	mesh  *fakeMesh
	v     *Validator
	books string // the customer's
	tills string // the seller's books
	close func() // ends the seller, which redeems
}

// in keeps all books in one folder.
func in(dir string) func(uint64) string { return func(uint64) string { return dir } }

const minute = 1_500_000 // rao: a picture costs 1,000

// newShop opens one; the price is in rao a minute.
func newShop(t *testing.T, price uint64, miners ...http.Handler) *shop {
	t.Helper()
	n, fm := network(t, "{}", miners...)
	s := &shop{t: t, chain: sellertest.NewChain(), mesh: fm, books: t.TempDir(), tills: t.TempDir()}
	s.chain.Give("customer", 1e12)
	s.start(n, price)
	return s
}

// start starts the validator, or another one with the same books.
func (s *shop) start(n *subnet.Network, price uint64) {
	s.t.Helper()
	s.v = validator(s.t, ValidatorConfig{Sells: true})
	s.v.gateway.follow(n)
	s.mesh.mu.Lock()
	s.mesh.handlers["v0"] = s.v.Gateway()
	s.mesh.mu.Unlock()
	s.close = s.sell(price)
}

// sell runs the seller until what it returns is called.
func (s *shop) sell(price uint64) func() {
	s.t.Helper()
	shop, err := seller.New(seller.Config{
		Sell: s.v.gateway.Sell, Chain: s.chain, Service: Service("v0", 1, "/ip4/127.0.0.1/tcp/1", price), Dir: in(s.tills), Logger: testLog(s.t),
		Pay: pay.GatewayConfig{CloseDelay: 900},
	})
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- shop.Run(ctx) }()
	require.Eventually(s.t, func() bool {
		s.v.gateway.mu.Lock()
		defer s.v.gateway.mu.Unlock()
		return s.v.gateway.till != nil
	}, 10*time.Second, time.Millisecond)
	var over bool
	end := func() {
		if !over {
			over = true
			cancel()
			require.NoError(s.t, <-ended)
		}
	}
	s.t.Cleanup(end)
	return end
}

// client is the customer's pay.Client.
func (s *shop) config(who string) pay.ClientConfig {
	return pay.ClientConfig{Dir: s.books, Chain: s.chain.Payer(who), Limits: pay.Limits{Deposit: minute}}
}

// paying opens the books that config says.
func paying(config func(context.Context, Bill) (pay.ClientConfig, error)) Payer {
	return func(ctx context.Context, b Bill, base http.RoundTripper, approve func(pay.Quote) error) (Books, error) {
		cfg, err := config(ctx, b)
		if err != nil {
			return nil, err
		}
		cfg.Base, cfg.Approve = base, approve
		return pay.OpenClient(cfg)
	}
}

// options are those of a customer that pays.
func (s *shop) options(in, out string) CompressOptions {
	o := options(in, out)
	o.Pay = paying(func(context.Context, Bill) (pay.ClientConfig, error) { return s.config("customer"), nil })
	return o
}

func (s *shop) compress(o CompressOptions) (*CompressReport, error) {
	return Compress(s.t.Context(), tools(s.t), s.mesh.as("customer"), []string{GatewayURL("v0", 1)}, o, nil)
}

// ledger are the customer's payments that cost something, and what they cost.
func (s *shop) ledger() (n int, rao uint64) {
	s.t.Helper()
	c, err := pay.OpenClient(s.config("customer"))
	require.NoError(s.t, err)
	require.NoError(s.t, c.Ledger(time.Time{}, func(p pay.Payment) bool {
		if p.Kind == "request" && p.Charged > 0 {
			n++
			rao += p.Charged
		}
		return true
	}))
	require.NoError(s.t, c.Close())
	return n, rao
}

func TestAClipIsPaidByItsPicturesAndTheProviderHasTheMoney(t *testing.T) {
	s := newShop(t, minute, quick(t))
	in := makeClip(t, "in.mp4", "2")
	o := s.options(in, filepath.Join(t.TempDir(), "out.mp4"))
	var shown Bill
	o.Pay = paying(func(_ context.Context, b Bill) (pay.ClientConfig, error) {
		shown = b
		return s.config("customer"), nil
	})
	r, err := s.compress(o)
	require.NoError(t, err)
	require.Len(t, r.Segments, 2)
	require.Equal(t, Bill{Frames: 50, Most: 50_000, Offers: []Offer{{Hotkey: "v0", Price: Price{ServiceID: 1, Rao: minute, Per: 60_000}, Most: 50_000}}}, shown)
	require.Equal(t, []Paid{{Hotkey: "v0", ServiceID: 1, Rao: 50_000, Jobs: 2, Deposited: minute, Left: minute - 50_000}}, r.Paid)
	require.Equal(t, uint64(50_000), r.PaidRao)
	n, rao := s.ledger()
	require.Equal(t, []any{2, uint64(50_000)}, []any{n, rao})

	// The next clip is paid from the same channel.
	o.Out = filepath.Join(t.TempDir(), "again.mp4")
	r, err = s.compress(o)
	require.NoError(t, err)
	require.Equal(t, []Paid{{Hotkey: "v0", ServiceID: 1, Rao: 50_000, Jobs: 2, Left: minute - 100_000}}, r.Paid)

	s.close()
	require.Equal(t, uint64(100_000), s.chain.Balance("v0-cold"))
	require.Equal(t, uint64(minute-100_000), s.chain.InChannels())
	require.Equal(t, uint64(1e12-minute), s.chain.Balance("customer"))
}

// TestWhatFailsCostsNothing: a segment is paid once, whoever fails at it before.
func TestWhatFailsCostsNothing(t *testing.T) {
	in := makeClip(t, "in.mp4", "0.4")
	for name, bad := range map[string]*fakeMiner{
		"a miner that refuses":         refuser(errors.New("out of memory")),
		"an answer below its gate":     x264At(t, "gblur=sigma=2", "12").miner(),
		"an answer of another profile": x264At(t, "", "12", "-profile:v", "main").miner(),
		"an answer in another codec":   {answer: func(_ Job, s []byte) (media.Codec, []byte, error) { return media.HEVC, s, nil }},
		"an answer that is no video":   {answer: func(Job, []byte) (media.Codec, []byte, error) { return media.H264, []byte("well"), nil }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, minute, quick(t), bad) // the bad one is m1, better paid, and asked first
			r, err := s.compress(s.options(in, filepath.Join(t.TempDir(), "out.mp4")))
			require.NoError(t, err)
			require.Len(t, r.Segments[0].Refused, 1)
			require.Equal(t, "m0", r.Segments[0].Hotkey)
			n, rao := s.ledger()
			require.Equal(t, []any{1, uint64(10_000)}, []any{n, rao})
			require.Equal(t, []Paid{{Hotkey: "v0", ServiceID: 1, Rao: 10_000, Jobs: 1, Deposited: minute, Left: minute - 10_000}}, r.Paid)
			s.close()
			require.Equal(t, uint64(10_000), s.chain.Balance("v0-cold"))
		})
	}
	t.Run("everybody", func(t *testing.T) {
		s := newShop(t, minute, refuser(errors.New("no disk")), refuser(errors.New("no time")))
		_, err := s.compress(s.options(in, filepath.Join(t.TempDir(), "out.mp4")))
		require.ErrorContains(t, err, "no disk")
		n, _ := s.ledger()
		require.Zero(t, n)
		s.close()
		require.Zero(t, s.chain.Balance("v0-cold"))
	})
}

// order posts a job and waits for its end, as a customer that pays does by hand.
func (s *shop) order(c *http.Client, job Job, source []byte) (caller, string, Status, error) {
	s.t.Helper()
	call := caller{client: c, base: GatewayURL("v0", 1) + "/via/m0"}
	id, err := call.post(s.t.Context(), job, source)
	if err != nil {
		return call, "", Status{}, err
	}
	status, err := call.await(s.t.Context(), id)
	return call, id, status, err
}

// rich is the http.Client of a customer without limits.
func (s *shop) rich() (*http.Client, *pay.Client) {
	s.t.Helper()
	cfg := s.config("customer")
	cfg.Base = s.mesh.as("customer").Transport
	c, err := pay.OpenClient(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, c.Close()) })
	return &http.Client{Transport: c}, c
}

// segmentOf is a job for a clip of so many pictures, and its source.
func segmentOf(t *testing.T, frames int64) (Job, []byte) {
	t.Helper()
	raw, err := os.ReadFile(makeClip(t, "in.mkv", "0.4"))
	require.NoError(t, err)
	job := anyJob()
	job.Shape.Frames = frames
	return job, raw
}

func TestACustomerCannotUnderstateItsVideo(t *testing.T) {
	honest, source := segmentOf(t, 10)
	change := func(f func(*Job)) Job {
		j := honest
		f(&j)
		return j
	}
	for name, c := range map[string]struct {
		job    Job
		source []byte
		words  string
	}{
		"fewer pictures":    {change(func(j *Job) { j.Shape.Frames = 4 }), source, "more than 4 frames"},
		"one picture less":  {change(func(j *Job) { j.Shape.Frames = 9 }), source, "more than 9 frames"},
		"more pictures":     {change(func(j *Job) { j.Shape.Frames = 11 }), source, "10 frames"},
		"smaller pictures":  {change(func(j *Job) { j.Shape.Width, j.Shape.Height = 64, 64 }), source, "not 64x64"},
		"no video":          {honest, []byte("Dear reader"), "not 160x96 yuv420p, 10 frames"},
		"a video cut short": {honest, source[:len(source)*2/3], "not 160x96 yuv420p, 10 frames"},
	} {
		t.Run(name, func(t *testing.T) {
			// The miner is the customer's accomplice, and answers what it is asked for.
			accomplice := &fakeMiner{answer: func(Job, []byte) (media.Codec, []byte, error) {
				return media.H264, x264At(t, "", "12").encode(source), nil
			}}
			s := newShop(t, minute, accomplice)
			client, payer := s.rich()
			call, id, _, err := s.order(client, c.job, c.source)
			require.ErrorIs(t, err, ErrRefused)
			require.ErrorContains(t, err, c.words)
			_, err = call.fetch(t.Context(), id, Status{Bytes: 1, Codec: media.H264}, 1<<20)
			require.ErrorContains(t, err, "not done")
			require.Zero(t, payer.Channels()[0].Charged)
		})
	}
	// And what it says truly is what it pays.
	s := newShop(t, minute, quick(t))
	client, payer := s.rich()
	call, id, status, err := s.order(client, honest, source)
	require.NoError(t, err)
	require.Zero(t, payer.Channels()[0].Charged, "taking a job costs nothing")
	_, err = call.fetch(t.Context(), id, status, 1<<20)
	require.NoError(t, err)
	require.Equal(t, uint64(10_000), payer.Channels()[0].Charged)
}

func TestAnAnswerIsPaidOnceHoweverOftenItIsFetched(t *testing.T) {
	job, source := segmentOf(t, 10)
	s := newShop(t, minute, quick(t))
	client, payer := s.rich()
	call, id, status, err := s.order(client, job, source)
	require.NoError(t, err)
	free := caller{client: s.mesh.as("customer"), base: call.base}
	_, err = free.fetch(t.Context(), id, status, 1<<20)
	require.ErrorContains(t, err, "402")
	thief := caller{client: s.mesh.as("thief"), base: call.base}
	_, err = thief.fetch(t.Context(), id, status, 1<<20)
	require.ErrorContains(t, err, "no such job of yours")

	errs := make(chan error)
	for range 3 { // payments of their own, at once
		go func() {
			_, err := call.fetch(t.Context(), id, status, 1<<20)
			errs <- err
		}()
	}
	for range 3 {
		require.NoError(t, <-errs)
	}
	_, err = free.fetch(t.Context(), id, status, 1<<20)
	require.NoError(t, err, "it is paid, and had again for nothing")
	require.Equal(t, uint64(10_000), payer.Channels()[0].Charged)
	_, err = thief.fetch(t.Context(), id, status, 1<<20)
	require.ErrorContains(t, err, "no such job of yours")

	call.forget(t.Context(), id)
	_, err = call.fetch(t.Context(), id, status, 1<<20)
	require.ErrorContains(t, err, "no such job of yours")
	require.Equal(t, uint64(10_000), payer.Channels()[0].Charged)
	s.close()
	require.Equal(t, uint64(10_000), s.chain.Balance("v0-cold"))
}

func TestAnAnswerThatGotLostIsNotPaidAgain(t *testing.T) {
	s := newShop(t, minute, quick(t))
	real := s.v.Gateway()
	lost := 0
	s.mesh.handlers["v0"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/answer") && r.Header.Get("PAYMENT-SIGNATURE") != "" && lost < 2 {
			lost++
			sink := &responseSink{header: http.Header{}}
			real.ServeHTTP(sink, r) // it is served and charged, and nobody hears of it
			require.Equal(t, http.StatusOK, sink.status)
			refuse(w, http.StatusBadGateway, "gone", "the line is down", "")
			return
		}
		real.ServeHTTP(w, r)
	})
	r, err := s.compress(s.options(makeClip(t, "in.mp4", "0.4"), filepath.Join(t.TempDir(), "out.mp4")))
	require.NoError(t, err)
	require.Equal(t, 2, lost)
	require.Equal(t, uint64(10_000), r.Paid[0].Rao)
	require.Zero(t, r.Paid[0].Unknown)
	s.close()
	require.Equal(t, uint64(10_000), s.chain.Balance("v0-cold"))
}

func TestAnAnswerThatWasPaidIsThereAfterARestart(t *testing.T) {
	job, source := segmentOf(t, 10)
	s := newShop(t, minute, quick(t))
	client, payer := s.rich()
	call, id, status, err := s.order(client, job, source)
	require.NoError(t, err)
	var paid *http.Request
	real := s.v.Gateway()
	s.mesh.handlers["v0"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("PAYMENT-SIGNATURE") != "" {
			paid = r
		}
		real.ServeHTTP(w, r)
	})
	first, err := call.fetch(t.Context(), id, status, 1<<20)
	require.NoError(t, err)
	require.Equal(t, uint64(10_000), payer.Channels()[0].Charged)
	s.close()

	s.chain.Block()
	n, _ := network(t, "{}", quick(t))
	s.start(n, minute)
	w := httptest.NewRecorder()
	s.v.Gateway().ServeHTTP(w, paid)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, first, w.Body.Bytes(), "the same payment gets the same answer")
	_, err = call.fetch(t.Context(), id, status, 1<<20)
	require.ErrorContains(t, err, "no such job of yours")
	require.Equal(t, uint64(10_000), payer.Channels()[0].Charged, "another is paid nothing for a job that nobody knows")
	s.close()
	require.Equal(t, uint64(10_000), s.chain.Balance("v0-cold"))
}

func TestWhoCannotPayGetsNoWork(t *testing.T) {
	idle := quick(t)
	s := newShop(t, minute, idle)
	in := makeClip(t, "in.mp4", "0.4")
	out := filepath.Join(t.TempDir(), "out.mp4")
	o := s.options(in, out)

	o.Pay = nil
	_, err := s.compress(o)
	require.ErrorIs(t, err, ErrNotFree)

	o.Pay = paying(func(context.Context, Bill) (pay.ClientConfig, error) { return s.config("beggar"), nil })
	_, err = s.compress(o)
	require.ErrorIs(t, err, sellertest.ErrNoFunds)

	o.Pay = paying(func(context.Context, Bill) (pay.ClientConfig, error) {
		cfg := s.config("customer")
		cfg.Limits.PerRequest = 9_999
		return cfg, nil
	})
	_, err = s.compress(o)
	require.ErrorIs(t, err, pay.ErrLimit)

	o.Pay = paying(func(context.Context, Bill) (pay.ClientConfig, error) {
		return pay.ClientConfig{}, errors.New("the person said no")
	})
	_, err = s.compress(o)
	require.ErrorContains(t, err, "the person said no")

	o.MaxPrice = 9_999
	o.Pay = paying(func(context.Context, Bill) (pay.ClientConfig, error) {
		t.Error("it is asked to pay what it would not")
		return pay.ClientConfig{}, nil
	})
	_, err = s.compress(o)
	require.ErrorIs(t, err, ErrTooDear)
	require.ErrorContains(t, err, "0.00001 TAO")

	// By hand: nothing, a payment that is none, a channel that does not reach.
	job, source := segmentOf(t, 10)
	url := GatewayURL("v0", 1) + "/via/m0/job"
	status, _ := call(t, s.mesh.as("customer"), http.MethodPost, url, &job, strings.NewReader(string(source)))
	require.Equal(t, http.StatusPaymentRequired, status)
	for _, header := range []string{"e30=", "not base64", strings.Repeat("A", 20_000)} {
		forged := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Set("PAYMENT-SIGNATURE", header)
			return s.mesh.as("customer").Transport.RoundTrip(r)
		})}
		status, _ = call(t, forged, http.MethodPost, url, &job, strings.NewReader(string(source)))
		require.Equal(t, http.StatusBadRequest, status)
	}
	cfg := s.config("customer")
	cfg.Base, cfg.Limits = s.mesh.as("customer").Transport, pay.Limits{}
	poor, err := pay.OpenClient(cfg)
	require.NoError(t, err)
	_, err = poor.Open(t.Context(), pay.OpenOptions{ServiceID: 1, Deposit: 9_999})
	require.NoError(t, err)
	_, _, _, err = s.order(&http.Client{Transport: poor}, job, source)
	require.ErrorIs(t, err, pay.ErrNoDeposit)
	require.NoError(t, poor.Close())

	idle.mu.Lock()
	defer idle.mu.Unlock()
	require.Zero(t, idle.took)
	require.NoFileExists(t, out)
	s.close()
	require.Zero(t, s.chain.Balance("v0-cold"))
}

func TestAFreeGatewayIsPreferredAndNoWalletIsAskedFor(t *testing.T) {
	s := newShop(t, minute, quick(t))
	n, _ := network(t, "{}", quick(t))
	free := validator(t, ValidatorConfig{})
	free.gateway.follow(n)
	s.mesh.mu.Lock()
	s.mesh.handlers["v1"] = free.Gateway()
	s.mesh.mu.Unlock()
	// The free one's own way to m0 is another network's in memory.
	o := s.options(makeClip(t, "in.mp4", "0.4"), filepath.Join(t.TempDir(), "out.mp4"))
	o.Pay = paying(func(context.Context, Bill) (pay.ClientConfig, error) {
		t.Error("it is asked to pay")
		return pay.ClientConfig{}, errors.New("no")
	})
	r, err := Compress(t.Context(), tools(t), s.mesh.as("customer"), []string{GatewayURL("v0", 1), GatewayURL("v1", 1)}, o, nil)
	require.NoError(t, err)
	require.Empty(t, r.Paid)
}

func TestAGatewayThatDoesNotKeepToItsPriceIsPaidNothing(t *testing.T) {
	in := makeClip(t, "in.mp4", "0.4")
	for name, lie := range map[string]string{
		"a lower price":            `{"service_id":"1","rao":"1","per_ms":"60000"}`,
		"another's service":        `{"service_id":"9","rao":"1500000","per_ms":"60000"}`,
		"a price that is none":     `{"service_id":"1","rao":"1","per_ms":"0"}`,
		"a price that is no JSON":  `free!`,
		"a price beyond all coins": `{"service_id":"1","rao":"18446744073709551615","per_ms":"1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			honest := quick(t)
			s := newShop(t, minute, honest)
			real := s.v.Gateway()
			s.mesh.handlers["v0"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/price" {
					w.Write([]byte(lie))
					return
				}
				real.ServeHTTP(w, r)
			})
			_, err := s.compress(s.options(in, filepath.Join(t.TempDir(), "out.mp4")))
			require.Error(t, err)
			require.Zero(t, honest.took)
			n, _ := s.ledger()
			require.Zero(t, n)
		})
	}
	t.Run("pay for taking a job", func(t *testing.T) {
		honest := quick(t)
		s := newShop(t, minute, honest)
		greedy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				s.v.gateway.till.Handler(pay.Route{Units: pay.Flat(Milliseconds(10))}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					writeJSON(w, http.StatusAccepted, Ticket{ID: "x"})
				})).ServeHTTP(w, r)
				return
			}
			s.v.gateway.ServeHTTP(w, r)
		})
		s.mesh.handlers["v0"] = greedy
		_, err := s.compress(s.options(in, filepath.Join(t.TempDir(), "out.mp4")))
		require.ErrorContains(t, err, "charged 10000 for taking a job")
		require.ErrorContains(t, err, "0.00001 TAO were paid to gateway v0")
		n, rao := s.ledger()
		require.Equal(t, []any{1, uint64(10_000)}, []any{n, rao}, "it is caught at the first")
	})
	t.Run("pay for what falls short", func(t *testing.T) {
		s := newShop(t, minute, x264At(t, "gblur=sigma=2", "12").miner(), x264At(t, "gblur=sigma=3", "12").miner())
		blind := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost { // it believes whatever miners send
				job, _ := readJob(r.Header)
				job.Gate = DefaultGate(media.SSIM, 50)
				job.Gate.Gain, job.Gate.Offset = 0.5, 50
				require.NoError(t, job.setHeader(r.Header))
			}
			s.v.gateway.ServeHTTP(w, r)
		})
		s.mesh.handlers["v0"] = blind
		_, err := s.compress(s.options(in, filepath.Join(t.TempDir(), "out.mp4")))
		require.ErrorContains(t, err, "it was paid for an answer that fails")
		n, _ := s.ledger()
		require.Equal(t, 1, n, "it gets no second chance")
	})
}

func TestAPurseSpendsNoMoreThanAClipMayCost(t *testing.T) {
	d := &desk{hotkey: "v0", price: &Price{ServiceID: 1, Rao: minute, Per: 60_000}}
	p := &purse{left: 60, freed: make(chan struct{}), fares: map[string]*fare{}}
	hold := func(url string, rao uint64) error { return p.hold(t.Context(), url, &fare{desk: d, rao: rao, ms: 10}) }
	require.NoError(t, hold("a", 40))
	waited := make(chan error, 1)
	go func() { waited <- hold("b", 30) }()
	select {
	case err := <-waited:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	p.release("a", 0) // it cost nothing
	require.NoError(t, <-waited)
	p.release("b", 30)
	require.ErrorIs(t, hold("c", 31), errSpent)
	var money moneyError
	require.ErrorAs(t, hold("c", 31), &money)
	require.NoError(t, hold("c", 30))

	ask := func(q pay.Quote) error { return p.approve(q) }
	require.NoError(t, ask(pay.Quote{URL: "c", Provider: "v0", ServiceID: 1, Amount: 30}))
	require.NoError(t, ask(pay.Quote{URL: "c", Provider: "v0", ServiceID: 1, PlanID: 2, Amount: 10}), "a plan's units")
	for name, q := range map[string]pay.Quote{
		"more than agreed":    {URL: "c", Provider: "v0", ServiceID: 1, Amount: 31},
		"more units":          {URL: "c", Provider: "v0", ServiceID: 1, PlanID: 2, Amount: 11},
		"another provider":    {URL: "c", Provider: "v1", ServiceID: 1, Amount: 1},
		"another service":     {URL: "c", Provider: "v0", ServiceID: 2, Amount: 1},
		"what nobody asked":   {URL: "d", Provider: "v0", ServiceID: 1, Amount: 1},
		"a call that is over": {URL: "a", Provider: "v0", ServiceID: 1, Amount: 1},
	} {
		require.ErrorIs(t, ask(q), errCheat, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, p.hold(ctx, "e", &fare{desk: d, rao: 1}), context.Canceled)
}

func TestAJobThatNobodyPaysMakesRoom(t *testing.T) {
	job, source := segmentOf(t, 10)
	s := newShop(t, minute, quick(t))
	client, _ := s.rich()
	_, id, _, err := s.order(client, job, source)
	require.NoError(t, err)
	g := s.v.gateway
	g.mu.Lock()
	j := g.jobs["m0/"+id]
	j.sale.ended = j.sale.ended.Add(-2 * gatewayUnpaid)
	g.mu.Unlock()
	_, next, _, err := s.order(client, job, source)
	require.NoError(t, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	require.Contains(t, g.jobs, "m0/"+next)
	require.NotContains(t, g.jobs, "m0/"+id)
}

func TestASellerListsItsServiceAndSellsOnceItIsRegistered(t *testing.T) {
	n, fm := network(t, "{}", quick(t))
	v := validator(t, ValidatorConfig{Sells: true})
	v.gateway.follow(n)
	fm.handlers["v0"] = v.Gateway()
	base, job := GatewayURL("v0", 1), anyJob()
	refused := func() {
		t.Helper()
		for _, c := range []struct{ method, path string }{{http.MethodGet, "/price"}, {http.MethodPost, "/via/m0/job"}, {http.MethodGet, "/via/m0/job/x/answer"}} {
			status, text := call(t, fm.as("customer"), c.method, base+c.path, &job, strings.NewReader("x"))
			require.Equal(t, http.StatusServiceUnavailable, status, c.path)
			require.Contains(t, text, "not_ready")
		}
	}
	refused()
	chain := sellertest.NewChain()
	chain.Register(false)
	chain.SetFunds(1)
	books := t.TempDir()
	cfg := seller.Config{Sell: v.gateway.Sell, Chain: chain, Service: Service("v0", 1, "/ip4/127.0.0.1/tcp/1", minute), Dir: in(books)}
	log := &lines{}
	cfg.Logger = log.logger()
	first, err := seller.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- first.Run(ctx) }()
	chain.Block()
	chain.Register(true)
	chain.Block()
	log.await(t, "lode send v0 0.1")
	refused()
	chain.SetFunds(1e8)
	for range 11 { // it tries again after ten
		chain.Block()
	}
	log.await(t, "selling")
	status, text := call(t, fm.as("customer"), http.MethodGet, base+"/price", nil, nil)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"service_id":"1","rao":"1500000","per_ms":"60000"}`, text)

	// Nobody else sells from the same books.
	_, err = pay.OpenGateway(t.Context(), pay.GatewayConfig{Dir: books, Chain: chain, ServiceID: 1})
	require.ErrorIs(t, err, pay.ErrInUse)
	second, err := seller.New(cfg)
	require.NoError(t, err)
	chain.Block()
	require.ErrorIs(t, second.Run(t.Context()), pay.ErrInUse)
	cancel()
	require.NoError(t, <-ended)
	refused()

	// At the same price nothing is listed anew, at another the price changes.
	again := func(price uint64) {
		t.Helper()
		cfg.Service.Price = price
		s, err := seller.New(cfg)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			chain.Block()
		}
		log.clear()
		go func() { ended <- s.Run(ctx) }()
		log.await(t, "selling")
		cancel()
		require.NoError(t, <-ended)
	}
	again(minute)
	require.Equal(t, 1, chain.Listed())
	again(2 * minute)
	require.Equal(t, 2, chain.Listed())
	services, err := chain.Services(t.Context())
	require.NoError(t, err)
	require.Len(t, services, 1)
	require.Equal(t, uint64(2*minute), services[0].Service.Price)

	for name, change := range map[string]func(*seller.Config){
		"nobody to sell": func(c *seller.Config) { c.Sell = nil },
		"no price":       func(c *seller.Config) { c.Service.Price = 0 },
		"no books":       func(c *seller.Config) { c.Dir = nil },
	} {
		c := cfg
		change(&c)
		_, err := seller.New(c)
		require.Error(t, err, name)
	}
}

func TestFreeGatewaysHaveNoPrice(t *testing.T) {
	client, gateways, _ := market(t, quick(t))
	status, text := call(t, client, http.MethodGet, gateways[0]+"/price", nil, nil)
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, text, "takes no money")
	// One that knows nothing of prices is free, too.
	p, err := findMiners(t.Context(), &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "/price") {
			return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Header: http.Header{}}, nil
		}
		return client.Transport.RoundTrip(r)
	})}, gateways, 4)
	require.NoError(t, err)
	require.Nil(t, p.desks[0].price)
}

func TestAGatewayThatAsksTooMuchIsLeftOutOfTheBill(t *testing.T) {
	at := func(rao uint64) *desk {
		return &desk{hotkey: fmt.Sprint("asks ", rao), price: &Price{ServiceID: 1, Rao: rao, Per: 1}}
	}
	clip := []*segment{{shape: media.Shape{Frames: 10}}, {shape: media.Shape{Frames: 15}}} // 1,000 ms
	fair, dear, mad := at(1), at(2), at(1<<64-1)
	b, err := bill([]*desk{fair, dear, mad}, clip, 0)
	require.NoError(t, err)
	require.Equal(t, Bill{Frames: 25, Most: 2_000, Offers: []Offer{{fair.hotkey, *fair.price, 1_000}, {dear.hotkey, *dear.price, 2_000}}}, b)
	require.ErrorIs(t, mad.err(), ErrTooDear)
	require.NoError(t, dear.err())

	b, err = bill([]*desk{fair, dear, mad}, clip, 1_000)
	require.NoError(t, err)
	require.Equal(t, Bill{Frames: 25, Most: 1_000, Offers: []Offer{{fair.hotkey, *fair.price, 1_000}}}, b)
	require.ErrorIs(t, dear.err(), ErrTooDear)

	_, err = bill([]*desk{fair, mad}, clip, 999)
	require.ErrorIs(t, err, ErrTooDear)
	require.ErrorContains(t, err, fair.hotkey, "the cheapest tells what it would cost")
}

func TestPricesAreCountedInPictures(t *testing.T) {
	require.Equal(t, uint64(60_000), Milliseconds(1_500))
	cheap, dear := &Price{ServiceID: 1, Rao: 10, Per: 60_000}, &Price{ServiceID: 2, Rao: 1 << 63, Per: 1 << 63}
	cost, err := cheap.Cost(1)
	require.NoError(t, err)
	require.Equal(t, uint64(1), cost, "rounded up")
	var free *Price
	require.Negative(t, free.compare(cheap))
	require.Negative(t, cheap.compare(dear))
	require.Positive(t, dear.compare(free))
	require.Zero(t, free.compare(nil))
	cost, err = free.Cost(1e6)
	require.NoError(t, err)
	require.Zero(t, cost)
	_, err = (&Price{ServiceID: 1, Rao: 1 << 63, Per: 1}).Cost(media.MaxFrames)
	require.ErrorIs(t, err, pay.ErrPrice)
}
