package video

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/pay/x402"
)

// Payer is asked once, with what a clip will cost at most, before anything of it is given
// out. It opens the books of who pays; an error ends the compression. Requests go to the
// gateways by base, and approve is asked before each payment.
type Payer func(ctx context.Context, bill Bill, base http.RoundTripper, approve func(pay.Quote) error) (Books, error)

// Books are what a clip is paid by: a [pay.Client], with what closing it takes.
type Books interface {
	http.RoundTripper
	Ledger(from time.Time, visit func(pay.Payment) (more bool)) error
	Channels() []pay.ClientChannel
	Close() error
}

// purse pays gateways for what they hand out, and never more than a clip may cost. It is
// the transport of calls to gateways: one whose context names a fare ([withFare]) is
// paid, others go by unpaid.
type purse struct {
	base  http.RoundTripper
	books Books
	began time.Time

	mu    sync.Mutex
	left  uint64           // rao that may still be spent
	fares map[string]*fare // taken out of left for calls under way, by URL
	freed chan struct{}    // closed and replaced when one of them ends
	calls uint64
}

// fare is what a call may cost at most.
type fare struct {
	desk *desk
	rao  uint64
	ms   uint64 // of video: what a plan's channel pays in
	free bool   // it must cost nothing in the end

	// What follows is guarded by the purse's lock.
	signed bool // a payment was agreed to
	plan   bool // by a plan's channel, not in rao
}

type fareKey struct{}

func withFare(ctx context.Context, f fare) context.Context {
	return context.WithValue(ctx, fareKey{}, f)
}

// Errors of a purse.
var (
	// errCheat says that a gateway wants what was not agreed: it gets no more work.
	errCheat = errors.New("the gateway does not keep to its price")
	// errSpent says that the clip may cost no more.
	errSpent = errors.New("the clip has cost all that it may")
)

// moneyError marks that it is us who can't pay: nobody else could be paid either.
type moneyError struct{ error }

func (e moneyError) Unwrap() error { return e.error }

// wayError marks what went wrong on the way to a gateway.
type wayError struct{ error }

func (e wayError) Unwrap() error { return e.error }

// way is the transport that payments go over.
type way struct{ http.RoundTripper }

func (w way) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.RoundTripper.RoundTrip(r)
	if err != nil {
		err = wayError{err}
	}
	return resp, err
}

// openPurse opens the books of who pays, to spend at most what a clip costs.
func openPurse(ctx context.Context, payer Payer, bill Bill, base http.RoundTripper) (*purse, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	p := &purse{base: base, began: time.Now(), left: bill.Most, freed: make(chan struct{}), fares: map[string]*fare{}}
	var err error
	p.books, err = payer(ctx, bill, way{base}, p.approve)
	return p, err
}

// RoundTrip pays for a call that has a fare.
func (p *purse) RoundTrip(r *http.Request) (*http.Response, error) {
	f, ok := r.Context().Value(fareKey{}).(fare)
	if !ok {
		return p.base.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	if r.Method == http.MethodPost {
		// A name of its own, for the terms of other jobs are not its terms.
		p.mu.Lock()
		p.calls++
		r.URL.Path += "/" + strconv.FormatUint(p.calls, 10)
		p.mu.Unlock()
	}
	url := r.URL.Redacted()
	if err := p.hold(r.Context(), url, &f); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // RoundTrip must close it
		}
		return nil, err
	}
	resp, err := p.books.RoundTrip(r)
	cost, why := p.cost(&f, resp, err)
	p.release(url, cost)
	if why != nil && resp != nil && err == nil {
		_ = resp.Body.Close() // nobody reads it
	}
	if why != nil {
		return nil, why
	}
	return resp, nil
}

// hold takes a call's fare out of what is left. Where that is too little it waits for
// calls under way, which may cost less than was held for them.
func (p *purse) hold(ctx context.Context, url string, f *fare) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for f.rao > p.left || p.fares[url] != nil {
		if len(p.fares) == 0 {
			return moneyError{fmt.Errorf("%w: %s TAO are left, the next segment costs %s", errSpent, client.FormatTAO(p.left), client.FormatTAO(f.rao))}
		}
		freed := p.freed
		p.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
		}
		p.mu.Lock()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	p.left -= f.rao
	p.fares[url] = f
	return nil
}

// release gives back what of a fare was not spent.
func (p *purse) release(url string, cost uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left += p.fares[url].rao - cost
	delete(p.fares, url)
	close(p.freed)
	p.freed = make(chan struct{})
}

// approve refuses what a gateway asks beyond its price.
func (p *purse) approve(q pay.Quote) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fares[q.URL]
	switch {
	case f == nil:
		return fmt.Errorf("%w: nobody has asked for %s", errCheat, cut(q.URL, 200))
	case q.Provider != f.desk.hotkey || q.ServiceID != f.desk.price.ServiceID:
		return fmt.Errorf("%w: it wants %s to be paid for service %d", errCheat, cut(q.Provider, 80), q.ServiceID)
	case q.PlanID != 0 && q.Amount > f.ms:
		return fmt.Errorf("%w: it wants %d ms of plan %d for %d ms of video", errCheat, q.Amount, q.PlanID, f.ms)
	case q.PlanID == 0 && q.Amount > f.rao:
		return fmt.Errorf("%w: it wants %s TAO for %d ms of video, it said %s", errCheat, client.FormatTAO(q.Amount), f.ms, client.FormatTAO(f.rao))
	}
	f.signed, f.plan = true, q.PlanID != 0
	return nil
}

// cost is what a call has cost, and why its answer is no good.
func (p *purse) cost(f *fare, resp *http.Response, err error) (uint64, error) {
	p.mu.Lock()
	most := f.rao
	if !f.signed || f.plan {
		most = 0
	}
	p.mu.Unlock()
	var onTheWay wayError
	switch {
	case err == nil:
	case errors.Is(err, pay.ErrUnknownOutcome):
		return most, err
	case errors.Is(err, pay.ErrDishonest):
		return most, fmt.Errorf("%w: %w", errCheat, err)
	case errors.Is(err, errCheat):
		return 0, err
	case errors.Is(err, pay.ErrRefused):
		return 0, fmt.Errorf("%w: %w", errCheat, err)
	case errors.As(err, &onTheWay):
		return 0, err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return most, err
	default:
		return 0, moneyError{err}
	}
	header := resp.Header.Get(x402.HeaderResponse)
	switch {
	case header == "" && resp.StatusCode >= http.StatusInternalServerError:
		return most, nil // whoever answers so does not know what was charged
	case header == "":
		return 0, nil
	}
	s, err := x402.DecodeSettlement(header)
	if err != nil {
		return most, fmt.Errorf("%w: %w", errCheat, err)
	}
	charged, err := x402.ParseAmount(s.Extra.ChargedAmount)
	switch {
	case !s.Success:
		return 0, nil
	case err != nil:
		return most, fmt.Errorf("%w: it does not say what it has charged", errCheat)
	case charged > 0 && f.free:
		return min(charged, most), fmt.Errorf("%w: it charged %d for taking a job", errCheat, charged)
	}
	return min(charged, most), nil
}

// Paid is what a gateway was paid for a clip.
type Paid struct {
	Hotkey    string `json:"hotkey"` // of the gateway
	ServiceID uint64 `json:"service_id,string"`
	Rao       uint64 `json:"paid_rao,string"`
	// Unknown is the part of it of which no answer came: it may have been charged.
	Unknown uint64 `json:"unknown_rao,string"`
	// PlanMS is what was paid out of a plan's quota, in milliseconds of video.
	PlanMS uint64 `json:"plan_ms,string"`
	Jobs   int    `json:"jobs"` // that were paid
	// Deposited is what was put into its channel meanwhile, and Left what now lies there
	// for the next clip.
	Deposited uint64 `json:"deposited_rao,string"`
	Left      uint64 `json:"left_rao,string"`
}

// paid reads in the ledger what was paid since the purse was opened, by gateway.
func (p *purse) paid() ([]Paid, error) {
	out := []Paid{}
	at := func(e pay.Payment) *Paid {
		for i := range out {
			if out[i].Hotkey == e.Provider && out[i].ServiceID == e.ServiceID {
				return &out[i]
			}
		}
		out = append(out, Paid{Hotkey: e.Provider, ServiceID: e.ServiceID})
		return &out[len(out)-1]
	}
	err := p.books.Ledger(p.began, func(e pay.Payment) bool {
		switch {
		case e.Kind == "deposit" && e.Note == "recovered": // it was made before
		case e.Kind == "deposit":
			at(e).Deposited += e.Charged
		case e.Charged == 0:
		case e.PlanID != 0:
			at(e).PlanMS += e.Charged
			at(e).Jobs++
		default:
			at(e).Rao += e.Charged
			at(e).Jobs++
			if e.State == pay.Unknown {
				at(e).Unknown += e.Charged
			}
		}
		return true
	})
	for _, c := range p.books.Channels() {
		for i := range out {
			if c.Provider == out[i].Hotkey && c.ServiceID == out[i].ServiceID && c.PlanID == 0 && c.Stopped == "" {
				out[i].Left += c.Limit - min(c.Limit, c.Charged)
			}
		}
	}
	return out, err
}

// close closes the books.
func (p *purse) close() error { return p.books.Close() }
