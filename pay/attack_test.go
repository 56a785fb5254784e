package pay_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/voucher"
	markettypes "github.com/lodenet/lode/x/market/types"
)

func TestADepositThatIsNotCommittedBuysNothing(t *testing.T) {
	h := count(charge)
	s := newShop(t, h)
	p := s.raw(1, 1000)
	var c *markettypes.Channel
	s.chain.set(func() { c = s.chain.channels[string(p.id)]; delete(s.chain.channels, string(p.id)) })

	for _, kind := range []string{x402.TypeVoucher, x402.TypeDeposit} {
		payment := p.payment("/", 200)
		payment.Payload.Type = kind
		payment.Payload.Deposit = &x402.Deposit{Amount: "1000", Transaction: "AB"}
		a := p.send(http.MethodGet, "/", payment)
		require.Equal(t, 402, a.status)
		require.Equal(t, x402.ReasonNoChannel, a.reason())
	}
	require.Zero(t, h.n())

	s.chain.set(func() { s.chain.channels[string(p.id)] = c })
	require.Equal(t, 200, p.buy("/", 200).status)
	// Nor does one that is said to be larger than it is.
	a := p.buy("/", 1001)
	require.Equal(t, x402.ReasonOverBalance, a.reason())
	require.Equal(t, 1, h.n())
}

func TestTheSamePaymentAgainGetsTheSameAnswerAndCostsNothing(t *testing.T) {
	h := count(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Own", "1")
		w.WriteHeader(http.StatusCreated)
		charge(w, r)
	})
	s := newShop(t, h)
	p := s.raw(1, 1000)
	payment := p.payment("/?n=50", 200)
	first := p.send(http.MethodGet, "/?n=50", payment)
	require.Equal(t, 201, first.status)
	require.Equal(t, "100", first.settlement.Extra.ChargedAmount)
	for range 3 {
		again := p.send(http.MethodGet, "/?n=50", payment)
		require.Equal(t, first.status, again.status)
		require.Equal(t, first.body, again.body)
		require.Equal(t, first.settlement, again.settlement)
		require.Equal(t, "1", again.header.Get("X-Own"))
	}
	require.Equal(t, 1, h.n())
	require.Equal(t, uint64(100), s.gateway.Channels()[0].Charged)

	// The identifier is the payment's and the request's.
	require.Equal(t, 409, p.send(http.MethodGet, "/?n=51", payment).status)
	require.Equal(t, 409, p.send(http.MethodPost, "/?n=50", payment).status)
	other := p.payment("/?n=50", 900)
	other.Extensions = payment.Extensions
	require.Equal(t, 409, p.send(http.MethodGet, "/?n=50", other).status)

	// Without an identifier the payment itself is one.
	bare := p.payment("/?n=50", 300)
	bare.Extensions = nil
	require.Equal(t, 201, p.send(http.MethodGet, "/?n=50", bare).status)
	require.Equal(t, 201, p.send(http.MethodGet, "/?n=50", bare).status)
	require.Equal(t, 2, h.n())
	require.Equal(t, uint64(200), s.gateway.Channels()[0].Charged)

	// When the answer is kept no longer, the voucher does not reach any more.
	s.clock.move(time.Hour)
	require.NoError(t, s.tidy())
	a := p.send(http.MethodGet, "/?n=50", payment)
	require.Equal(t, 402, a.status)
	require.Equal(t, x402.ReasonCumulative, a.reason())
	require.Equal(t, 2, h.n())
}

func TestAVoucherPaysOnceWhateverIdentifierItHas(t *testing.T) {
	h := count(charge)
	s := newShop(t, h)
	p := s.raw(1, 1000)
	require.Equal(t, 200, p.buy("/", 200).status)
	for range 3 {
		a := p.buy("/", 200)
		require.Equal(t, 402, a.status)
		require.Equal(t, x402.ReasonCumulative, a.reason())
		terms, err := a.required.Accepts[0].Terms()
		require.NoError(t, err)
		require.Equal(t, &x402.ChannelState{ChannelID: hexOf("0", 15) + "1" + hexOf("0", 48), Balance: "1000", TotalClaimed: "0", ChargedCumulativeAmount: "200"}, terms.ChannelState)
		require.Equal(t, &x402.VoucherState{SignedMaxClaimable: "200", Signature: p.voucher(200).Signature}, terms.VoucherState)
	}
	require.Equal(t, 1, h.n())
}

func TestVouchersOfOtherChainsChannelsAndKeysAreRefused(t *testing.T) {
	h := count(charge)
	s := newShop(t, h)
	p, q := s.raw(1, 1000), s.raw(2, 1000)
	require.Equal(t, 200, p.buy("/", 200).status)
	for name, v := range map[string]x402.Voucher{
		"another channel's": func() x402.Voucher { v := q.voucher(400); v.ChannelID = p.voucher(1).ChannelID; return v }(),
		"another chain's": func() x402.Voucher {
			v := p.voucher(400)
			v.Signature = fmt.Sprintf("%x", voucher.Voucher{ChannelID: p.id, Cumulative: 400}.Sign("lode-1", p.key))
			return v
		}(),
		"raised":  func() x402.Voucher { v := p.voucher(400); v.MaxClaimableAmount = "500"; return v }(),
		"damaged": func() x402.Voucher { v := p.voucher(400); v.Signature = hexOf("00", 64); return v }(),
	} {
		payment := p.payment("/", 400)
		payment.Payload.Voucher = v
		a := p.send(http.MethodGet, "/", payment)
		require.Equal(t, 402, a.status, name)
		require.Equal(t, x402.ReasonSignature, a.reason(), name)
	}
	require.Equal(t, 1, h.n())
	require.Equal(t, uint64(200), s.gateway.Channels()[0].Signed)
}

func TestALowerVoucherDoesNotReplaceAHigherOne(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p := s.raw(1, 10_000)
	require.Equal(t, 200, p.buy("/?n=10", 5000).status)
	for _, lower := range []uint64{0, 1, 199, 219} {
		require.Equal(t, x402.ReasonCumulative, p.buy("/?n=10", lower).reason(), "%d", lower)
	}
	// One that covers its own request beside what is charged is good, the newest stays.
	require.Equal(t, 200, p.buy("/?n=10", 220).status)
	ch := s.gateway.Channels()[0]
	require.Equal(t, uint64(5000), ch.Signed)
	require.Equal(t, uint64(40), ch.Charged)
	got, err := s.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, uint64(40), got.Paid)
}

func TestAPriceThatHasChangedSinceTheQuoteIsAskedForAnew(t *testing.T) {
	h := count(charge)
	s := newShop(t, h)
	p := s.raw(1, 10_000)
	old := p.payment("/", 200)
	s.chain.set(func() { s.chain.services[7].Service.Price = 5 })
	s.clock.move(time.Hour) // the gateway asks the catalogue again
	a := p.send(http.MethodGet, "/", old)
	require.Equal(t, 402, a.status)
	require.Equal(t, x402.ReasonTerms, a.reason())
	require.Equal(t, "500", a.required.Accepts[0].Amount)
	require.Zero(t, h.n())
	// Terms that a client makes up itself are not ours either.
	for _, change := range []func(*x402.Requirements){
		func(r *x402.Requirements) { r.Amount = "1" },
		func(r *x402.Requirements) { r.PayTo = "lode1other" },
		func(r *x402.Requirements) { r.Asset = "uusd" },
		func(r *x402.Requirements) {
			r.Extra = json.RawMessage(strings.Replace(string(r.Extra), `"price":"5"`, `"price":"0"`, 1))
		},
		func(r *x402.Requirements) { r.Extra = nil },
	} {
		made := p.payment("/", 500)
		change(&made.Accepted)
		require.Equal(t, x402.ReasonTerms, p.send(http.MethodGet, "/", made).reason())
	}
	other := p.payment("/", 500)
	other.Accepted.Network = "cosmos:lode-1"
	require.Equal(t, x402.ReasonNetwork, p.send(http.MethodGet, "/", other).reason())
	other.Accepted.Scheme = "exact"
	require.Equal(t, x402.ReasonScheme, p.send(http.MethodGet, "/", other).reason())
	require.Zero(t, h.n())
}

func TestAClientPaysAChangedPriceOnlyWithinItsLimits(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.ccfg.Limits.PerRequest = 300 })
	status, _ := s.get("/?n=10")
	require.Equal(t, 200, status)
	s.chain.set(func() { s.chain.services[7].Service.Price = 3 })
	s.clock.move(time.Hour)
	status, _ = s.get("/?n=10")
	require.Equal(t, 200, status)
	require.Equal(t, uint64(50), s.gateway.Channels()[0].Charged)
	s.chain.set(func() { s.chain.services[7].Service.Price = 4 })
	s.clock.move(time.Hour)
	_, err := s.http.Get(s.server.URL + "/?n=10")
	var limit *pay.LimitError
	require.ErrorAs(t, err, &limit)
	require.Equal(t, pay.LimitError{Limit: "request", Amount: 400, Max: 300}, *limit)
	require.Equal(t, uint64(50), s.gateway.Channels()[0].Charged)
}

func TestOneDepositIsSpentOnceThoughTwoGatewaysTakeIt(t *testing.T) {
	chain := newFakeChain()
	other := tokens()
	other.Service.Id = 8
	chain.services[8] = other
	on := func(s *shop) { s.chain, s.gcfg.Chain, s.ccfg.Chain = chain, chain, chain }
	a := newShop(t, http.HandlerFunc(charge), on)
	b := newShop(t, http.HandlerFunc(charge), on)
	c := newShop(t, http.HandlerFunc(charge), on, func(s *shop) { s.gcfg.ServiceID = 8 })
	p := a.raw(1, 1000)
	at := func(s *shop) *rawPayer { q := *p; q.url = s.server.URL; return &q }

	// Another service's gateway takes nothing from it.
	require.Equal(t, x402.ReasonReceiver, at(c).buy("/", 200).reason())
	// A second gateway on the same store does not start.
	_, err := pay.OpenGateway(t.Context(), pay.GatewayConfig{Dir: a.gcfg.Dir, Chain: chain, ServiceID: 7})
	require.ErrorIs(t, err, pay.ErrInUse)

	// Two of one service with stores of their own both serve, until one redeems: the other
	// notices by its first claim, and serves no more.
	require.Equal(t, 200, at(a).buy("/", 200).status)
	require.Equal(t, 200, at(a).buy("/", 400).status)
	require.Equal(t, 200, at(b).buy("/", 200).status)
	_, err = a.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	got, err := b.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Zero(t, got.Paid)
	require.NotEmpty(t, b.gateway.Channels()[0].Contested)
	require.Equal(t, x402.ReasonContested, at(b).buy("/", 400).reason())
	require.Equal(t, uint64(400), chain.claimed())
	// One that sees more claimed than it has charged knows without a claim of its own.
	require.Equal(t, 200, at(a).buy("/", 600).status)
	chain.change(p.id, func(c *markettypes.Channel) { c.Claimed = 800 })
	a.clock.move(time.Hour)
	require.Equal(t, x402.ReasonContested, at(a).buy("/", 1000).reason())
}

func TestHostileHeadersAreAnsweredWith400AndNeverServed(t *testing.T) {
	h := count(charge)
	s := newShop(t, h)
	p := s.raw(1, 1000)
	good, err := x402.Encode(p.payment("/", 200))
	require.NoError(t, err)
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for name, headers := range map[string][]string{
		"junk":            {"hello"},
		"not base64":      {"===="},
		"an empty object": {b64("{}")},
		"null":            {b64("null")},
		"version 1":       {b64(`{"x402Version":1,"scheme":"exact","network":"base","payload":{}}`)},
		"two payments":    {good, good},
		"cut off":         {good[:len(good)/2]},
		"with a tail":     {good + good},
		"large":           {b64(`{"x402Version":2,"x":"` + strings.Repeat("a", 20_000) + `"}`)},
		"deeply nested":   {b64(strings.Repeat("[", 9000))},
		"huge numbers":    {b64(`{"x402Version":1e400}`)},
	} {
		a := p.sendHeader(http.MethodGet, "/", headers...)
		require.Equal(t, 400, a.status, name)
		require.Empty(t, a.header.Get(x402.HeaderRequired), name)
	}
	for name, change := range map[string]func(*x402.Payment){
		"an unknown type":       func(p *x402.Payment) { p.Payload.Type = "settle" },
		"no channel":            func(p *x402.Payment) { p.Payload.Voucher.ChannelID = "" },
		"an amount above 2^64":  func(p *x402.Payment) { p.Payload.Voucher.MaxClaimableAmount = "99999999999999999999" },
		"a path as identifier":  func(p *x402.Payment) { p.Extensions, _ = p.Extensions.WithIdentifier("../../../../etc/passwd") },
		"a stream of no form":   func(p *x402.Payment) { p.Payload.Stream = "?" },
		"a signature too short": func(p *x402.Payment) { p.Payload.Voucher.Signature = "00" },
	} {
		payment := p.payment("/", 200)
		change(&payment)
		require.Equal(t, 400, p.send(http.MethodGet, "/", payment).status, name)
	}
	require.Zero(t, h.n())
	// The most that can be said is refused, not computed with.
	require.Equal(t, x402.ReasonOverBalance, p.buy("/", 1<<64-1).reason())
	// A stream that is not there takes no voucher.
	payment := p.payment("/", 200)
	payment.Payload.Stream = "pay_0000000000000000"
	require.Equal(t, 404, p.send(http.MethodHead, "/", payment).status)
	require.Zero(t, h.n())
}

func TestUnknownChannelsCostTheChainOnlySoManyQuestions(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p := s.raw(1, 1000)
	payment := p.payment("/", 200)
	s.chain.mu.Lock() // the chain is slow
	results := make(chan int, 40)
	for i := range 40 {
		go func() {
			q := payment
			q.Payload.Voucher.ChannelID = fmt.Sprintf("%064x", 1000+i)
			q.Extensions, _ = q.Extensions.WithIdentifier(fmt.Sprintf("pay_%016d", 1000+i))
			header, _ := x402.Encode(q)
			req, _ := http.NewRequest(http.MethodGet, s.server.URL+"/", nil)
			req.Header.Set(x402.HeaderSignature, header)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				results <- 0
				return
			}
			_ = resp.Body.Close()
			results <- resp.StatusCode
		}()
	}
	for range 32 { // all but the eight that ask
		require.Equal(t, 503, <-results)
	}
	s.chain.mu.Unlock()
	for range 8 {
		require.Equal(t, 402, <-results)
	}
}

func TestAClientThatNeverHandsInTheNextVoucherGetsNoMoreThanItPaidFor(t *testing.T) {
	ended := make(chan error, 1)
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 50 {
			if err := pay.MeterFrom(r.Context()).Charge(20); err != nil {
				ended <- err
				return
			}
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
		}
	}), func(s *shop) {
		s.gcfg.After = func(d time.Duration) <-chan time.Time {
			require.Equal(s.t, 5*time.Second, d)
			return soon(d)
		}
	})
	p := s.raw(1, 10_000)
	a := p.buy("/", 200)
	require.Equal(t, 200, a.status)
	require.ErrorIs(t, <-ended, pay.ErrNoVoucher)
	require.Equal(t, 5, strings.Count(a.body, "data: "+"")-2, "100 tokens were paid; beside the two events about payment")
	require.Contains(t, a.body, `"requiredCumulative":"400"`)
	require.Contains(t, a.body, "event: payment-response")
	require.Empty(t, a.settlement.Extra.ChargedAmount, "the head does not know it")
	ch := s.gateway.Channels()[0]
	require.Equal(t, []uint64{200, 200, 0}, []uint64{ch.Signed, ch.Charged, ch.Reserved})
}

// liar is a provider that answers as a test wants.
type liar struct {
	required x402.Required
	second   func(x402.Payment) (status int, header, value string)
	paid     int
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := r.Header.Get(x402.HeaderSignature)
	if h == "" {
		v, _ := x402.Encode(l.required)
		w.Header().Set(x402.HeaderRequired, v)
		w.WriteHeader(http.StatusPaymentRequired)
		return
	}
	p, err := x402.DecodePayment(h)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.paid++
	status, name, value := l.second(p)
	if name != "" {
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "goods")
}

func TestAProviderThatLiesIsNotBelieved(t *testing.T) {
	state := func(p x402.Payment, charged string) *x402.ChannelState {
		return &x402.ChannelState{ChannelID: p.Payload.Voucher.ChannelID, Balance: "10000", TotalClaimed: "0", ChargedCumulativeAmount: charged}
	}
	corrective := func(p x402.Payment, change func(*x402.Terms)) (int, string, string) {
		terms, err := p.Accepted.Terms()
		require.NoError(t, err)
		terms.ChannelState = state(p, "0")
		terms.VoucherState = &x402.VoucherState{SignedMaxClaimable: p.Payload.Voucher.MaxClaimableAmount, Signature: p.Payload.Voucher.Signature}
		change(&terms)
		r, err := p.Accepted.WithTerms(terms)
		require.NoError(t, err)
		v, err := x402.Encode(x402.Required{X402Version: 2, Error: x402.ReasonCumulative, Accepts: []x402.Requirements{r}})
		require.NoError(t, err)
		return 402, x402.HeaderRequired, v
	}
	settled := func(s x402.Settlement) (int, string, string) {
		v, err := x402.Encode(s)
		require.NoError(t, err)
		return 200, x402.HeaderResponse, v
	}
	for name, second := range map[string]func(x402.Payment) (int, string, string){
		"a voucher that we did not sign": func(p x402.Payment) (int, string, string) {
			return corrective(p, func(t *x402.Terms) {
				t.VoucherState.SignedMaxClaimable = "9000"
				t.ChannelState.ChargedCumulativeAmount = "8000"
			})
		},
		"more charged than its voucher says": func(p x402.Payment) (int, string, string) {
			return corrective(p, func(t *x402.Terms) { t.ChannelState.ChargedCumulativeAmount = "201" })
		},
		"charged what it never told": func(p x402.Payment) (int, string, string) {
			return corrective(p, func(t *x402.Terms) { t.ChannelState.ChargedCumulativeAmount = "150" })
		},
		"another channel": func(p x402.Payment) (int, string, string) {
			return corrective(p, func(t *x402.Terms) { t.ChannelState.ChannelID = hexOf("ab", 32) })
		},
		"no state at all": func(p x402.Payment) (int, string, string) {
			return corrective(p, func(t *x402.Terms) { t.ChannelState, t.VoucherState = nil, nil })
		},
		"charged more than agreed": func(p x402.Payment) (int, string, string) {
			return settled(x402.Settlement{Success: true, Extra: x402.SettlementExtra{ChargedAmount: "201", ChannelState: state(p, "201")}})
		},
		"settled another channel": func(p x402.Payment) (int, string, string) {
			s := state(p, "1")
			s.ChannelID = hexOf("ab", 32)
			return settled(x402.Settlement{Success: true, Extra: x402.SettlementExtra{ChargedAmount: "1", ChannelState: s}})
		},
		"settled without a state": func(x402.Payment) (int, string, string) {
			return settled(x402.Settlement{Success: true, Extra: x402.SettlementExtra{ChargedAmount: "1"}})
		},
		"a settlement that can't be read": func(x402.Payment) (int, string, string) { return 200, x402.HeaderResponse, "???" },
		"terms that can't be read":        func(x402.Payment) (int, string, string) { return 402, x402.HeaderRequired, "???" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, http.HandlerFunc(charge))
			l := &liar{required: s.raw(9, 1).terms("/"), second: second}
			server := httptest.NewServer(l)
			defer server.Close()
			_, err := s.http.Get(server.URL)
			require.ErrorIs(t, err, pay.ErrDishonest)
			require.Equal(t, 1, l.paid)
			ch := s.client.Channels()[0]
			require.NotEmpty(t, ch.Stopped)
			require.Equal(t, uint64(200), ch.Signed, "nothing more is signed")
		})
	}
}

func TestAProviderThatSaysMoreIsChargedInAllThanItToldGetsNoNextVoucher(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	l := &liar{required: s.raw(9, 1).terms("/")}
	l.second = func(p x402.Payment) (int, string, string) {
		v, err := x402.Encode(x402.Settlement{Success: true, Extra: x402.SettlementExtra{ChargedAmount: "10", ChannelState: &x402.ChannelState{
			ChannelID: p.Payload.Voucher.ChannelID, Balance: "10000", TotalClaimed: "0", ChargedCumulativeAmount: "200"}}})
		require.NoError(t, err)
		return 200, x402.HeaderResponse, v
	}
	server := httptest.NewServer(l)
	defer server.Close()
	resp, err := s.http.Get(server.URL)
	require.NoError(t, err, "what was paid for is handed on")
	require.NoError(t, resp.Body.Close())
	require.Contains(t, s.client.Channels()[0].Stopped, "0.0000002 TAO are charged in all")
}

func TestAProviderThatRefusesWithoutEndDoesNotDrainTheWallet(t *testing.T) {
	for _, reason := range []string{x402.ReasonNoChannel, x402.ReasonClosing, x402.ReasonContested, x402.ReasonDelay, x402.ReasonDeposit,
		x402.ReasonPlan, x402.ReasonTerms, x402.ReasonOverBalance, x402.ReasonSignature, "something else"} {
		t.Run(reason, func(t *testing.T) {
			s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.ccfg.After = soon })
			l := &liar{required: s.raw(9, 1).terms("/")}
			l.second = func(p x402.Payment) (int, string, string) {
				v, err := x402.Encode(x402.Required{X402Version: 2, Error: reason, Accepts: l.required.Accepts})
				require.NoError(t, err)
				return 402, x402.HeaderRequired, v
			}
			server := httptest.NewServer(l)
			defer server.Close()
			for range 5 {
				_, err := s.http.Get(server.URL)
				require.Error(t, err)
			}
			require.LessOrEqual(t, l.paid, 5*8)
			locked := uint64(0)
			for _, c := range s.client.Channels() {
				locked += c.Limit - c.Charged
			}
			require.LessOrEqual(t, locked, s.ccfg.Limits.MaxDeposit)
			if reason != x402.ReasonContested && reason != x402.ReasonDelay && reason != x402.ReasonDeposit {
				require.Len(t, s.client.Channels(), 1, "the chain says that the channel is good")
			}
			spent, _ := s.client.Spent()
			require.Zero(t, spent)
		})
	}
}

func TestAProviderThatIsNotTheServicesIsNotPaid(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	l := &liar{required: s.raw(9, 1).terms("/")}
	for i := range l.required.Accepts {
		l.required.Accepts[i].PayTo = "lode1thief"
	}
	server := httptest.NewServer(l)
	defer server.Close()
	_, err := s.http.Get(server.URL)
	require.ErrorIs(t, err, pay.ErrDishonest)
	require.Empty(t, s.client.Channels())
	require.Zero(t, s.chain.deposits)
	// Nor is it where there is a channel: one provider can't count as many.
	s.get("/?n=1")
	_, err = s.http.Get(server.URL)
	require.ErrorIs(t, err, pay.ErrDishonest)
	require.Zero(t, l.paid)
	// A hotkey that was swapped is the provider still.
	s.chain.set(func() { s.chain.services[7].Hotkey = "lode1swapped" })
	s.clock.move(time.Hour)
	status, _ := s.get("/?n=1")
	require.Equal(t, 200, status)
	require.Equal(t, "lode1swapped", s.client.Channels()[0].Provider)
}

func TestAStreamThatAsksForTooMuchIsLeft(t *testing.T) {
	for name, required := range map[string]string{"ahead of all reason": "9000", "over the limit of a request": "3300"} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
				s.ccfg.Limits.PerRequest = 3000
				s.ccfg.Limits.Ahead = 4000
			})
			l := &liar{required: s.raw(9, 1).terms("/")}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get(x402.HeaderSignature) == "" {
					l.ServeHTTP(w, r)
					return
				}
				p, err := x402.DecodePayment(r.Header.Get(x402.HeaderSignature))
				if err != nil || r.Method == http.MethodHead {
					l.paid++
					return
				}
				v, _ := x402.Encode(x402.Settlement{Success: true, Extra: x402.SettlementExtra{ChannelState: &x402.ChannelState{
					ChannelID: p.Payload.Voucher.ChannelID, Balance: "10000", TotalClaimed: "0", ChargedCumulativeAmount: "0"}}})
				w.Header().Set(x402.HeaderResponse, v)
				w.Header().Set("Content-Type", "text/event-stream")
				need, _ := json.Marshal(x402.NeedVoucher{ChannelID: p.Payload.Voucher.ChannelID, RequiredCumulative: required, AcceptedCumulative: "200", Deposit: "10000"})
				_, _ = fmt.Fprintf(w, "data: first\n\nevent: payment-need-voucher\ndata: %s\n\ndata: second\n\n", need)
			}))
			defer server.Close()
			resp, err := s.http.Get(server.URL)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.ErrorIs(t, err, pay.ErrLimit)
			require.Equal(t, "data: first\n\n", string(body))
			require.NoError(t, resp.Body.Close())
			require.Zero(t, l.paid)
			require.Equal(t, uint64(200), s.client.Channels()[0].Signed)
		})
	}
}

func TestHostileStreamsPassOrAreLeft(t *testing.T) {
	other := `{"channelId":"` + hexOf("ab", 32) + `","requiredCumulative":"300","acceptedCumulative":"200","deposit":"10000"}`
	for _, c := range []struct {
		name, stream, want string
		err                error
	}{
		{"an event without end", "data: " + strings.Repeat("x", 3<<20), "data: " + strings.Repeat("x", 3<<20), nil},
		{"a large event", "data: " + strings.Repeat("x", 2<<20) + "\n\ndata: y\n\n", "data: " + strings.Repeat("x", 2<<20) + "\n\ndata: y\n\n", nil},
		{"a large one that is named as ours", "event: payment-need-voucher\ndata: " + strings.Repeat("x", 2<<20) + "\n\n", "event: payment-need-voucher\ndata: " + strings.Repeat("x", 2<<20) + "\n\n", nil},
		{"carriage returns, comments, many lines", ": hi\r\n\r\nid: 1\r\nevent: own\r\ndata: a\r\ndata: b\r\n\r\n", ": hi\r\n\r\nid: 1\r\nevent: own\r\ndata: a\r\ndata: b\r\n\r\n", nil},
		{"blank lines alone", "\n\n\n", "\n\n\n", nil},
		{"a question that can't be read", "data: a\n\nevent: payment-need-voucher\ndata: {\n\ndata: b\n\n", "data: a\n\n", x402.ErrMalformed},
		{"a question without data", "event: payment-need-voucher\n\n", "", x402.ErrMalformed},
		{"a question about another channel", "event: payment-need-voucher\ndata: " + other + "\n\n", "", pay.ErrDishonest},
		{"a settlement that can't be read", "data: a\n\nevent: payment-response\ndata: x\n\ndata: b\n\n", "data: a\n\n", pay.ErrDishonest},
		{"a settlement of another channel", "event: payment-response\ndata: {\"success\":true,\"transaction\":\"\",\"network\":\"n\",\"amount\":\"\",\"extra\":{\"chargedAmount\":\"1\",\"channelState\":" +
			`{"channelId":"` + hexOf("ab", 32) + `","balance":"1","totalClaimed":"0","withdrawRequestedAt":0,"chargedCumulativeAmount":"1"}}}` + "\n\n", "", pay.ErrDishonest},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t, http.HandlerFunc(charge))
			l := &liar{required: s.raw(9, 1).terms("/")}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get(x402.HeaderSignature) == "" {
					l.ServeHTTP(w, r)
					return
				}
				p, err := x402.DecodePayment(r.Header.Get(x402.HeaderSignature))
				if err != nil {
					return
				}
				v, _ := x402.Encode(x402.Settlement{Success: true, Extra: x402.SettlementExtra{ChannelState: &x402.ChannelState{
					ChannelID: p.Payload.Voucher.ChannelID, Balance: "10000", TotalClaimed: "0", ChargedCumulativeAmount: "0"}}})
				w.Header().Set(x402.HeaderResponse, v)
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, c.stream)
			}))
			defer server.Close()
			resp, err := s.http.Get(server.URL)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			if c.err == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, c.err)
			}
			require.True(t, c.want == string(body), "%d bytes, want %d", len(body), len(c.want))
			require.NoError(t, resp.Body.Close())
			require.Equal(t, []any{pay.Unknown, uint64(200)}, []any{s.ledger()[0].State, s.ledger()[0].Charged}, "it counts in full")
			require.Equal(t, uint64(200), s.client.Channels()[0].Signed)
		})
	}
}
