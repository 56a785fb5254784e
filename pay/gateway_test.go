package pay_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

func TestCostRoundsUpAndRefusesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct{ units, price, per, want uint64 }{
		{0, 5, 1, 0}, {1, 5, 1, 5}, {1, 50, 1_000_000, 1}, {1_000_000, 50, 1_000_000, 50}, {1_000_001, 50, 1_000_000, 51},
		{math.MaxUint64, 1, 1, math.MaxUint64}, {math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}, {3, 1, 2, 2}, {7, 0, 1, 0},
	} {
		got, err := pay.Cost(c.units, c.price, c.per)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%+v", c)
	}
	for _, c := range [][3]uint64{{1, 1, 0}, {math.MaxUint64, 2, 1}, {math.MaxUint64, math.MaxUint64, math.MaxUint64 - 1}} {
		_, err := pay.Cost(c[0], c[1], c[2])
		require.ErrorIs(t, err, pay.ErrPrice)
	}
}

func TestAnUnmeteredHandlerCostsTheCeilingAndAFailedOneNothing(t *testing.T) {
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			_, _ = io.WriteString(w, "fine")
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/fail":
			http.Error(w, "sorry", http.StatusInternalServerError)
		case "/notfound":
			http.NotFound(w, r)
		case "/panic":
			panic("oh")
		case "/over":
			if err := pay.MeterFrom(r.Context()).Charge(101); err != nil {
				http.Error(w, err.Error(), http.StatusInsufficientStorage)
			}
		case "/spent": // it failed, and did work that it charges
			_ = pay.MeterFrom(r.Context()).Charge(7)
			http.Error(w, "half done", http.StatusBadRequest)
		}
	}), func(s *shop) { s.ccfg.Tries = 2; s.ccfg.After = soon })
	for _, c := range []struct {
		path    string
		status  int
		charged uint64
	}{
		{"/ok", 200, 200}, {"/empty", 204, 200}, {"/fail", 500, 0}, {"/notfound", 404, 0}, {"/over", 507, 0}, {"/spent", 400, 14},
	} {
		before := uint64(0)
		if all := s.gateway.Channels(); len(all) > 0 {
			before = all[0].Charged
		}
		status, _ := s.get(c.path)
		require.Equal(t, c.status, status, c.path)
		require.Equal(t, c.charged, s.gateway.Channels()[0].Charged-before, c.path)
	}
	// A handler that panics breaks the connection off, as net/http does.
	_, err := s.http.Get(s.server.URL + "/panic")
	require.ErrorIs(t, err, pay.ErrUnknownOutcome)
	ch := s.gateway.Channels()[0]
	require.Zero(t, ch.Reserved)
	require.Equal(t, uint64(414), ch.Charged)
	status, _ := s.get("/ok")
	require.Equal(t, 200, status)
	spent, _ := s.client.Spent()
	require.Equal(t, uint64(614), spent, "the unknown one is cleared up")
}

func TestCallsOnOneChannelRunSideBySide(t *testing.T) {
	const n = 40
	var at sync.WaitGroup
	at.Add(8)
	var once sync.Map
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The first eight wait for each other: they are here at once.
		if i := r.URL.Query().Get("i"); len(i) == 1 && i < "8" {
			if _, twice := once.LoadOrStore(i, true); !twice {
				at.Done()
			}
			at.Wait()
		}
		charge(w, r)
	}), func(s *shop) { s.ccfg.Limits.Ahead = 5000 })
	_, _ = s.get("/?n=1") // the channel is open
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			resp, err := s.http.Get(fmt.Sprintf("%s/?n=%d&i=%d", s.server.URL, i+1, i))
			if err != nil {
				t.Error(err)
				return
			}
			if resp.StatusCode != 200 {
				t.Errorf("status %s", resp.Status)
			}
			_ = resp.Body.Close()
		})
	}
	wg.Wait()
	want := uint64(2)
	for i := range n {
		want += 2 * uint64(i+1)
	}
	ch := s.gateway.Channels()[0]
	require.Equal(t, want, ch.Charged)
	require.Zero(t, ch.Reserved)
	require.LessOrEqual(t, ch.Charged, ch.Signed)
	mine := s.client.Channels()[0]
	require.Equal(t, want, mine.Charged)
	require.Zero(t, mine.UnderWay)
	require.Empty(t, mine.Stopped)
	require.Equal(t, 1, s.chain.deposits)
}

func TestAClosingChannelBuysNothingMoreAndIsRedeemedAtOnce(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p := s.raw(1, 10_000)
	require.Equal(t, 200, p.buy("/?n=10", 200).status)
	s.chain.change(p.id, func(c *markettypes.Channel) { c.ClosingTime = s.clock.Now().Unix() + 3600; c.ClosingHeight = 1000 })
	require.NoError(t, s.tidy())
	require.Equal(t, uint64(20), s.chain.claimed(), "the loop redeems what a closing channel owes")
	require.Equal(t, x402.ReasonClosing, p.buy("/", 400).reason())
	s.chain.set(func() { delete(s.chain.channels, string(p.id)) })
	s.clock.move(time.Minute)
	require.NoError(t, s.tidy())
	require.Equal(t, x402.ReasonNoChannel, p.buy("/", 400).reason())
	require.True(t, s.gateway.Channels()[0].Closed)
	s.clock.move(time.Hour)
	require.NoError(t, s.tidy())
	require.Empty(t, s.gateway.Channels(), "a closed channel is dropped in the end")
}

func TestAChannelIsRedeemedWhenItOwesMuchOrForLong(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.gcfg.RedeemAbove = 500; s.gcfg.RedeemAfter = time.Hour })
	p, q := s.raw(1, 10_000), s.raw(2, 10_000)
	require.Equal(t, 200, p.buy("/", 200).status)
	require.Equal(t, 200, q.buy("/", 200).status)
	require.NoError(t, s.tidy())
	require.Zero(t, s.chain.redeems, "nothing is due")
	require.Equal(t, 200, p.buy("/", 400).status)
	require.Equal(t, 200, p.buy("/", 600).status)
	require.NoError(t, s.tidy())
	require.Equal(t, uint64(600), s.chain.claimed())
	s.clock.move(time.Hour)
	require.NoError(t, s.tidy())
	require.Equal(t, uint64(800), s.chain.claimed())
	require.NoError(t, s.tidy())
	require.Equal(t, 2, s.chain.redeems)
	require.Len(t, s.history(pay.EntryRedeem), 2)
}

func TestMoreThanOneTransactionRedeemsMoreChannelsThanOneCanHold(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	for n := range uint64(130) {
		require.Equal(t, 200, s.raw(n+1, 1000).buy("/?n=1", 200).status)
	}
	got, err := s.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, pay.Redeemed{Channels: 130, Paid: 260, Provider: 260}, got)
	require.Equal(t, 2, s.chain.redeems)
}

func TestABadItemOfARedemptionHindersNoOther(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p, q := s.raw(1, 1000), s.raw(2, 1000)
	require.Equal(t, 200, p.buy("/?n=1", 200).status)
	require.Equal(t, 200, q.buy("/?n=1", 200).status)
	s.chain.change(p.id, func(c *markettypes.Channel) { c.SessionKey = q.id })
	got, err := s.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, pay.Redeemed{Channels: 1, Paid: 2, Provider: 2}, got)
	require.Contains(t, s.gateway.Channels()[0].Contested, "BAD_SIGNATURE")
	got, err = s.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Zero(t, got, "it is not tried again and again")
}

func TestARedemptionWhoseAnswerIsLostIsNotTakenForAnotherGateways(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p := s.raw(1, 10_000)
	require.Equal(t, 200, p.buy("/?n=10", 200).status)
	s.chain.set(func() { s.chain.loseRedeem = true })
	_, err := s.gateway.Redeem(t.Context(), true)
	require.ErrorIs(t, err, errDown)
	require.NoError(t, s.gateway.Close())
	s.openGateway()
	_, err = s.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Empty(t, s.gateway.Channels()[0].Contested)
	require.Equal(t, 200, p.buy("/?n=10", 220).status)
	require.Equal(t, uint64(20), s.chain.paid)
}

func TestPayingGoesOnWithoutANodeUntilLimitsBind(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.gcfg.MaxOwed = 1000; s.gcfg.Offline = 20 * time.Minute })
	p := s.raw(1, 10_000)
	require.Equal(t, 200, p.buy("/", 200).status)
	s.chain.set(func() { s.chain.down = true })
	s.clock.move(15 * time.Minute)
	for i := range uint64(4) {
		require.Equal(t, 200, p.buy("/", 400+200*i).status)
	}
	a := p.buy("/", 1200) // what the channel may owe
	require.Equal(t, 503, a.status)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	q := s.rawOffline(p)
	require.Equal(t, 503, q.buy("/", 200).status, "a channel that is not known needs the chain")
	s.chain.set(func() { s.chain.down = false })
	require.NoError(t, s.tidy())
	_, err := s.gateway.Redeem(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, 200, p.buy("/", 1200).status)
	s.chain.set(func() { s.chain.down = true })
	s.clock.move(21 * time.Minute)
	require.Equal(t, 503, p.buy("/", 1400).status, "what is known of the channel is too old")
}

func TestBothSidesStartAgainWithoutANode(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	s.get("/?n=10")
	s.chain.set(func() { s.chain.down = true })
	require.NoError(t, s.client.Close())
	require.NoError(t, s.gateway.Close())
	s.openGateway()
	s.openClient()
	status, _ := s.get("/?n=10")
	require.Equal(t, 200, status)
	require.Equal(t, uint64(40), s.gateway.Channels()[0].Charged)
	_, err := pay.OpenGateway(t.Context(), pay.GatewayConfig{Dir: t.TempDir(), Chain: s.chain, ServiceID: 7})
	require.ErrorIs(t, err, errDown, "a new one has to ask")
	s.chain.set(func() { s.chain.down = false })
	require.NoError(t, s.gateway.Close())
	_, err = pay.OpenGateway(t.Context(), pay.GatewayConfig{Dir: s.gcfg.Dir, Chain: s.chain, ServiceID: 8})
	require.Error(t, err, "another service's store is not used")
	s.openGateway()
}

// rawOffline is a payer whose channel the gateway does not know.
func (s *shop) rawOffline(p *rawPayer) *rawPayer {
	q := *p
	q.id = make([]byte, 32)
	q.id[0] = 0xff
	return &q
}

func TestAChannelThatWasRedeemedBeforeIsChargedFromThereOn(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p := s.raw(1, 10_000)
	s.chain.change(p.id, func(c *markettypes.Channel) { c.Claimed = 300 }) // by a store that is lost
	a := p.buy("/", 200)
	require.Equal(t, x402.ReasonCumulative, a.reason())
	require.Equal(t, 200, p.buy("/?n=10", 500).status)
	ch := s.gateway.Channels()[0]
	require.Equal(t, uint64(320), ch.Charged)
	require.Empty(t, ch.Contested)
}

func TestAChannelMustFitTheGatewaysTerms(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.gcfg.MinDeposit = 500; s.gcfg.CloseDelay = 7200 })
	p := s.raw(1, 10_000)
	require.Equal(t, x402.ReasonDelay, p.buy("/", 200).reason())
	s.chain.change(p.id, func(c *markettypes.Channel) { c.CloseDelay = 7200; c.Deposit = 499 })
	require.Equal(t, x402.ReasonDeposit, p.buy("/", 200).reason())
	s.chain.change(p.id, func(c *markettypes.Channel) { c.Deposit = 500 })
	require.Equal(t, 200, p.buy("/", 200).status)
	terms, err := p.terms("/").Accepts[0].Terms()
	require.NoError(t, err)
	require.Equal(t, "500", terms.MinDeposit)
	require.Equal(t, int64(7200), terms.WithdrawDelay)
}

func TestALargeAnswerStreamsAndSaysItsChargeAtTheEnd(t *testing.T) {
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metered" {
			m := pay.MeterFrom(r.Context())
			for range 40 {
				if err := m.Charge(2); err != nil {
					return
				}
				_, _ = w.Write([]byte(strings.Repeat("x", 10_000)))
			}
			return
		}
		w.Header().Set("Content-Length", "400000")
		for range 40 {
			_, _ = w.Write([]byte(strings.Repeat("x", 10_000)))
		}
	}))
	for _, c := range []struct {
		path    string
		charged uint64
	}{{"/metered", 160}, {"/flat", 200}} {
		status, body := s.get(c.path)
		require.Equal(t, 200, status)
		require.Len(t, body, 400_000)
		all := s.ledger()
		require.Equal(t, []any{pay.Paid, c.charged}, []any{all[len(all)-1].State, all[len(all)-1].Charged}, c.path)
	}
	require.Equal(t, uint64(360), s.gateway.Channels()[0].Charged)
	// Such an answer is not kept: the same payment again is told so, and costs nothing.
	p := s.raw(5, 1000)
	payment := p.payment("/flat", 200)
	require.Equal(t, 200, p.send(http.MethodGet, "/flat", payment).status)
	again := p.send(http.MethodGet, "/flat", payment)
	require.Equal(t, 409, again.status)
	require.Equal(t, "200", again.settlement.Extra.ChargedAmount)
}

func TestAHandlerGoesOnWhenItsCustomerIsGoneAndTheAnswerIsKept(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	var runs sync.WaitGroup
	runs.Add(1)
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer runs.Done()
		close(started)
		<-finish
		if r.Context().Err() != nil {
			t.Error("the handler's context ended with its customer")
		}
		charge(w, r)
	}))
	p := s.raw(1, 1000)
	payment := p.payment("/?n=10", 200)
	header, err := x402.Encode(payment)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/?n=10", nil)
	require.NoError(t, err)
	req.Header.Set(x402.HeaderSignature, header)
	done := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(req)
		done <- err
	}()
	<-started
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	again := make(chan rawAnswer, 1)
	go func() { again <- p.send(http.MethodGet, "/?n=10", payment) }() // it waits for the first
	close(finish)
	a := <-again
	require.Equal(t, 200, a.status)
	require.Equal(t, "hello", a.body)
	runs.Wait()
	require.Equal(t, uint64(20), s.gateway.Channels()[0].Charged)
}

func TestKeptAnswersAreBounded(t *testing.T) {
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}), func(s *shop) { s.gcfg.KeptAnswers = 2500 })
	p := s.raw(1, 10_000)
	var payments []x402.Payment
	for i := range uint64(4) {
		payments = append(payments, p.payment("/", 200*(i+1)))
		require.Equal(t, 200, p.send(http.MethodGet, "/", payments[i]).status)
		s.clock.move(time.Second)
	}
	require.NoError(t, s.tidy())
	for i, want := range []int{409, 409, 200, 200} {
		require.Equal(t, want, p.send(http.MethodGet, "/", payments[i]).status, "%d", i)
	}
	require.NoError(t, s.gateway.Close())
	s.openGateway()
	require.Equal(t, 200, p.send(http.MethodGet, "/", payments[3]).status, "over a restart too")
	require.Equal(t, uint64(800), s.gateway.Channels()[0].Charged)
}

func TestHistoryIsKeptForItsTime(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) { s.gcfg.KeepHistory = time.Hour })
	p := s.raw(1, 10_000)
	require.Equal(t, 200, p.buy("/?n=10", 200).status)
	s.clock.move(30 * time.Minute)
	require.Equal(t, 200, p.buy("/?n=20", 220).status)
	s.clock.move(45 * time.Minute)
	require.NoError(t, s.tidy())
	all := s.history(pay.EntryCharge)
	require.Len(t, all, 1)
	require.Equal(t, []any{uint64(40), uint64(20), 200, customer}, []any{all[0].Amount, all[0].Units, all[0].Status, all[0].Payer})
}

func TestACustomerIsRefundedAtOnceWhereItAsksForIt(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge))
	p := s.raw(1, 1000)
	require.Equal(t, 200, p.buy("/?n=10", 200).status)
	refund := p.payment("/", 300)
	refund.Payload.Type = x402.TypeRefund
	require.Equal(t, x402.ReasonCumulative, p.send(http.MethodPost, "/", refund).reason(), "its voucher says what was charged")
	refund = p.payment("/", 20)
	refund.Payload.Type = x402.TypeRefund
	refund.Payload.Voucher.Signature = hexOf("00", 64)
	require.Equal(t, x402.ReasonSignature, p.send(http.MethodPost, "/", refund).reason())
	refund.Payload.Voucher = p.voucher(20)
	a := p.send(http.MethodPost, "/", refund)
	require.Equal(t, 204, a.status)
	require.Equal(t, "980", a.settlement.Amount)
	require.Equal(t, uint64(980), s.chain.refunded)
	require.Equal(t, uint64(20), s.chain.paid)
	require.Equal(t, x402.ReasonNoChannel, p.buy("/", 220).reason())
}

func TestPlansCountUnitsWithinTheirQuota(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
		s.chain.services[7].Plans = []markettypes.Plan{{Id: 3, ServiceId: 7, Name: "month", Price: 5000, Period: 3600, Quota: 250, Offered: true}}
	})
	got, err := s.client.Open(t.Context(), pay.OpenOptions{ServiceID: 7, PlanID: 3, Deposit: 20_000})
	require.NoError(t, err)
	end := s.clock.Now().Unix() + 3600
	s.chain.change(got.ChannelID, func(c *markettypes.Channel) { c.Subscription.PeriodEnd = end })
	for range 3 {
		status, _ := s.get("/?n=50")
		require.Equal(t, 200, status)
	}
	ch := s.gateway.Channels()[0]
	require.Equal(t, []uint64{3, 150, 250}, []uint64{ch.PlanID, ch.Charged, ch.Limit})
	spent, _ := s.client.Spent()
	require.Zero(t, spent, "a plan's use is bound by its quota")
	require.Equal(t, []any{uint64(50), uint64(3)}, []any{s.ledger()[0].Charged, s.ledger()[0].PlanID})
	_, err = s.http.Get(s.server.URL + "/?n=1") // 100 are left, and one may use 100
	require.NoError(t, err)
	_, err = s.http.Get(s.server.URL + "/?n=1")
	require.ErrorIs(t, err, pay.ErrNoDeposit)

	// Before the period ends its use is claimed; the next one counts from the quota on.
	s.clock.move(56 * time.Minute)
	require.NoError(t, s.tidy())
	s.chain.mu.Lock()
	require.Equal(t, uint64(151), s.chain.channels[string(got.ChannelID)].Subscription.Used)
	s.chain.mu.Unlock()
	s.clock.move(5 * time.Minute)
	s.chain.change(got.ChannelID, func(c *markettypes.Channel) {
		c.Subscription.UsedBefore, c.Subscription.Used, c.Subscription.PeriodEnd = 250, 250, end+3600
	})
	for range 3 {
		status, _ := s.get("/?n=50")
		require.Equal(t, 200, status)
	}
	ch = s.gateway.Channels()[0]
	require.Equal(t, []uint64{400, 500, 250}, []uint64{ch.Charged, ch.Limit, ch.Claimed})
	require.Empty(t, ch.Contested)
	require.Empty(t, s.client.Channels()[0].Stopped)
	// A plan that is offered no more goes on for who has it.
	s.chain.set(func() { s.chain.services[7].Plans = nil })
	s.clock.move(10 * time.Minute)
	_, err = s.client.CancelPlan(t.Context(), got.ChannelID, false)
	require.NoError(t, err)
	status, _ := s.get("/?n=10")
	require.Equal(t, 200, status)
	require.Equal(t, uint64(410), s.gateway.Channels()[0].Charged)
}

func TestAnEndedPeriodBuysNothing(t *testing.T) {
	s := newShop(t, http.HandlerFunc(charge), func(s *shop) {
		s.ccfg.After = soon
		s.chain.services[7].Plans = []markettypes.Plan{{Id: 3, ServiceId: 7, Name: "month", Price: 5000, Period: 3600, Quota: 250, Offered: true}}
	})
	got, err := s.client.Open(t.Context(), pay.OpenOptions{ServiceID: 7, PlanID: 3, Deposit: 20_000})
	require.NoError(t, err)
	s.chain.change(got.ChannelID, func(c *markettypes.Channel) { c.Subscription.PeriodEnd = s.clock.Now().Unix() - 1 })
	_, err = s.http.Get(s.server.URL + "/?n=1")
	require.ErrorIs(t, err, pay.ErrRefused)
	require.Empty(t, s.gateway.Channels())
}

func TestAMeterReservesBeforeAStreamBegins(t *testing.T) {
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		m := pay.MeterFrom(r.Context())
		if err := m.Reserve(450); err != nil {
			return
		}
		_, _ = io.WriteString(w, "data: a\n\n")
		w.(http.Flusher).Flush()
		if err := m.Charge(450); err != nil {
			return
		}
		_, _ = io.WriteString(w, "data: b\r\n\r\n")
	}))
	status, body := s.get("/")
	require.Equal(t, 200, status)
	require.Equal(t, "data: a\n\ndata: b\r\n\r\n", body)
	require.Equal(t, uint64(900), s.gateway.Channels()[0].Charged)
	require.Equal(t, uint64(900), s.ledger()[0].Charged)
}

func TestAnUnmeteredStreamCostsTheCeilingBeforeItBegins(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: a\n\n")
		w.(http.Flusher).Flush()
		close(begun)
		<-goOn
		_, _ = io.WriteString(w, "data: b\n\n")
	}))
	go func() {
		<-begun
		if got := s.gateway.Channels()[0].Charged; got != 200 {
			t.Errorf("charged %d when the first event left", got)
		}
		close(goOn)
	}()
	_, body := s.get("/")
	require.Equal(t, "data: a\n\ndata: b\n\n", body)
	require.Equal(t, uint64(200), s.ledger()[0].Charged)
}

func TestACompressedStreamIsNotWrittenInto(t *testing.T) {
	s := newShop(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", "br")
		m := pay.MeterFrom(r.Context())
		_ = m.Charge(60)
		_, _ = io.WriteString(w, "\x0b\x00\x80")
		w.(http.Flusher).Flush()
		if err := m.Charge(60); err == nil {
			t.Error("charged more than the client can be asked for")
		}
	}))
	status, body := s.get("/")
	require.Equal(t, 200, status)
	require.Equal(t, "\x0b\x00\x80", body)
	require.Equal(t, []any{pay.Paid, uint64(120)}, []any{s.ledger()[0].State, s.ledger()[0].Charged}, "its end is told in a trailer")
}
