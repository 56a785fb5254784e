package pay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/lodenet/lode/pay/x402"
)

// call is a paid request in progress.
type call struct {
	identifier string
	hash       hexBytes // of the payment header
	print      string   // of the request
	resource   string
	done       chan struct{} // closed when it is over

	account *account
	offer   *offer
	number  uint64
	res     reservation   // guarded by account.mu
	handed  chan struct{} // closed when a voucher is handed in for it; guarded by account.mu
}

func (c *call) reservationKey() []byte { return numbered(kindOpen+string(c.account.rec.ID), c.number) }

func (c *call) answerKey() []byte {
	return keyed(kindAnswer, c.account.rec.ID, []byte(c.identifier))
}

// Handler puts the gateway before a handler: it answers 402 to what is not paid, and
// lets pass what is. The handler finds the meter of its request by [MeterFrom]. Where
// it charges nothing, an answer below 400 costs the route's ceiling, others nothing.
//
// What the handler writes is held back until it returns and the charge is written, so
// that an answer that was not delivered can be had again; beyond MaxAnswer bytes, or
// from the first Flush on, it streams, and each write is preceded by what was charged
// until then. A request that is not a stream goes on when its client goes away, for the
// client asks again.
func (g *Gateway) Handler(route Route, next http.Handler) http.Handler {
	if route.Timeout <= 0 {
		route.Timeout = 10 * time.Minute
	}
	if route.VoucherTimeout <= 0 {
		route.VoucherTimeout = 30 * time.Second
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		headers := r.Header.Values(x402.HeaderSignature)
		switch len(headers) {
		case 0:
			g.ask(w, r, route, refuse(x402.ReasonMissing, "this costs money; pay with an x402 client, for example lode pay proxy"))
			return
		case 1:
		default:
			writeError(w, http.StatusBadRequest, "invalid_payload", "more than one "+x402.HeaderSignature)
			return
		}
		payment, err := g.reader.DecodePayment(headers[0])
		if err != nil {
			writeError(w, http.StatusBadRequest, "invalid_payload", err.Error())
			return
		}
		if payment.Payload.Stream != "" {
			g.handIn(w, r, route, payment)
			return
		}
		g.serve(w, r, route, next, payment, headers[0])
	})
}

// serve answers a paid request.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request, route Route, next http.Handler, payment x402.Payment, header string) {
	units, err := route.Units(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	v, identifier := payment.Read()
	c := newCall(r, identifier, header, g.resource(r, route))
	if v.ChannelID != nil { // it is of our scheme
		key := string(v.ChannelID) + c.identifier
		running, over := g.enter(key, c)
		if running != nil {
			g.again(w, r, v.ChannelID, c, running)
			return
		}
		if over {
			writeError(w, http.StatusServiceUnavailable, x402.ReasonSettleFailed, "the gateway is closing; ask again")
			return
		}
		defer g.leave(key, c)
		if g.replay(w, v.ChannelID, c) {
			return
		}
	}
	offers, err := g.offers(g.current(r.Context()), units, route.Timeout)
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return
	}
	o, reason := match(offers, payment.Accepted)
	if o == nil {
		g.ask(w, r, route, refuse(reason, "these terms are not offered (any more); see what is"))
		return
	}
	a, bad := g.account(r.Context(), v.ChannelID)
	if bad != nil {
		g.ask(w, r, route, bad)
		return
	}
	if payment.Payload.Type == x402.TypeRefund {
		g.refund(w, r, route, a, v)
		return
	}
	if bad := g.reserve(r.Context(), a, v, o, c); bad != nil {
		g.ask(w, r, route, bad)
		return
	}
	g.run(w, r, route, next, c)
}

func newCall(r *http.Request, identifier, header, resource string) *call {
	sum := sha256.Sum256([]byte(header))
	c := &call{identifier: identifier, hash: sum[:], print: r.Method + " " + r.URL.RequestURI(), resource: r.Method + " " + resource, done: make(chan struct{}), handed: make(chan struct{})}
	if len(c.print) > 512 {
		long := sha256.Sum256([]byte(c.print))
		c.print = hex.EncodeToString(long[:])
	}
	if c.identifier == "" {
		// The same payment for the same request is the same call.
		own := sha256.Sum256(append(sum[:], c.print...))
		c.identifier = "implicit-" + hex.EncodeToString(own[:16])
	}
	return c
}

// enter makes a call the one of its identifier, or says which is.
func (g *Gateway) enter(key string, c *call) (running *call, closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, true
	}
	if running = g.calls[key]; running == nil {
		g.calls[key] = c
	}
	return running, false
}

func (g *Gateway) leave(key string, c *call) {
	g.mu.Lock()
	delete(g.calls, key)
	g.mu.Unlock()
	close(c.done)
}

// run lets the handler answer, and settles.
func (g *Gateway) run(w http.ResponseWriter, r *http.Request, route Route, next http.Handler, c *call) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), route.Timeout)
	defer cancel()
	defer context.AfterFunc(g.ctx, cancel)()
	m := &Meter{g: g, c: c, ceiling: c.offer.units, step: c.offer.amount, timeout: route.VoucherTimeout, ctx: ctx}
	out := &paidWriter{w: w, header: w.Header().Clone(), m: m, limit: g.cfg.MaxAnswer, cancel: cancel}
	m.w = out
	// A stream ends with its client, anything else is finished for it to ask again.
	defer context.AfterFunc(r.Context(), out.gone)()

	defer func() {
		if p := recover(); p != nil {
			out.fail()
			m.settle(false)
			if !errors.Is(asError(p), http.ErrAbortHandler) {
				g.log.Error("a handler panicked", "resource", c.resource, "panic", p)
			}
			panic(http.ErrAbortHandler)
		}
	}()
	next.ServeHTTP(out, r.WithContext(context.WithValue(ctx, meterKey{}, m)))
	out.finish()
}

func asError(p any) error {
	err, _ := p.(error)
	return err
}
