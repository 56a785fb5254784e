package pay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
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
	res     reservation // guarded by account.mu
}

func (c *call) reservationKey() []byte { return numbered(kindOpen+string(c.account.rec.ID), c.number) }

func (c *call) answerKey() []byte {
	return keyed(kindAnswer, c.account.rec.ID, []byte(c.identifier))
}

// answerRecord is what a payment got.
type answerRecord struct {
	Pending    bool                `json:"pending,omitempty"` // it is being served
	Hash       hexBytes            `json:"hash"`
	Print      string              `json:"print"`
	Time       int64               `json:"time"` // Unix milliseconds
	Settlement *x402.Settlement    `json:"settlement,omitempty"`
	Kept       bool                `json:"kept,omitempty"` // the answer's body is kept too
	Status     int                 `json:"status,omitempty"`
	Header     map[string][]string `json:"header,omitempty"`
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
		payment, err := x402.DecodePayment(headers[0])
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
	v, err := payment.Payload.Voucher.Parse()
	if err != nil && payment.Accepted.Scheme == x402.Scheme {
		writeError(w, http.StatusBadRequest, "invalid_payload", err.Error())
		return
	}
	c := newCall(r, payment, header, g.resource(r))
	if err == nil {
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

func newCall(r *http.Request, payment x402.Payment, header, resource string) *call {
	sum := sha256.Sum256([]byte(header))
	c := &call{hash: sum[:], print: r.Method + " " + r.URL.RequestURI(), resource: r.Method + " " + resource, done: make(chan struct{})}
	if len(c.print) > 512 {
		long := sha256.Sum256([]byte(c.print))
		c.print = hex.EncodeToString(long[:])
	}
	c.identifier, _ = payment.Extensions.Identifier() // checked when it was decoded
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

// again answers a payment whose first request is still being served: with that one's
// answer, once it is there.
func (g *Gateway) again(w http.ResponseWriter, r *http.Request, channel []byte, c, running *call) {
	if string(c.hash) != string(running.hash) || c.print != running.print {
		writeError(w, http.StatusConflict, "identifier_in_use", "this payment-identifier belongs to another payment: choose a new one")
		return
	}
	select {
	case <-running.done:
	case <-r.Context().Done():
		return
	}
	if !g.replay(w, channel, c) {
		// It was not charged, so nothing was delivered.
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, "not_served", "the first request with this payment failed and cost nothing; ask again")
	}
}

// replay answers a payment that was served before with what it got.
func (g *Gateway) replay(w http.ResponseWriter, channel []byte, c *call) bool {
	key := keyed("", channel, []byte(c.identifier))
	var answer answerRecord
	known, err := g.store.get(keyed(kindAnswer, key), &answer)
	if err != nil {
		g.log.Error("an answer can't be read", "err", err)
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, "the gateway can't read its books")
		return true
	}
	if !known || answer.Pending {
		return false
	}
	if string(answer.Hash) != string(c.hash) || answer.Print != c.print {
		writeError(w, http.StatusConflict, "identifier_in_use", "this payment-identifier belongs to another payment: choose a new one")
		return true
	}
	settled, err := x402.Encode(answer.Settlement)
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return true
	}
	body := []byte{}
	if answer.Kept {
		if body, err = g.store.db.Get(keyed(kindBody, key), nil); err != nil {
			answer.Kept = false // it was dropped meanwhile
		}
	}
	if !answer.Kept {
		w.Header().Set(x402.HeaderResponse, settled)
		writeError(w, http.StatusConflict, "already_served", "this payment was served and charged, and its answer is not kept")
		return true
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.Header().Set(x402.HeaderResponse, settled)
	w.WriteHeader(answer.Status)
	_, _ = w.Write(body) // a client that is gone asks again
	return true
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

// ask answers 402, or what a refusal says, with the terms of now.
func (g *Gateway) ask(w http.ResponseWriter, r *http.Request, route Route, bad *refusal) {
	if bad.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(bad.retry/time.Second))))
	}
	if bad.status != 0 {
		writeError(w, bad.status, bad.reason, bad.message)
		return
	}
	units, err := route.Units(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	offers, err := g.offers(g.current(r.Context()), units, route.Timeout)
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return
	}
	service := g.Service()
	required := x402.Required{
		X402Version: x402.Version, Error: bad.reason, Extensions: x402.DeclareIdentifier(),
		Resource: x402.Resource{URL: g.resource(r), Description: route.Description, MimeType: route.MimeType},
	}
	if required.Resource.Description == "" {
		required.Resource.Description = service.Service.Description
	}
	for _, o := range offers {
		if bad.state != nil {
			bad.state.mu.Lock()
			if bad.state.rec.PlanID == o.plan {
				o.terms.ChannelState = bad.state.state()
				if len(bad.state.rec.Signature) > 0 {
					o.terms.VoucherState = &x402.VoucherState{
						SignedMaxClaimable: x402.Amount(bad.state.rec.Cumulative), Signature: hex.EncodeToString(bad.state.rec.Signature),
					}
				}
			}
			bad.state.mu.Unlock()
			if o.requirements, err = o.requirements.WithTerms(o.terms); err != nil {
				writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
				return
			}
		}
		required.Accepts = append(required.Accepts, o.requirements)
	}
	encoded, err := x402.Encode(required)
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return
	}
	w.Header().Set(x402.HeaderRequired, encoded)
	writeError(w, http.StatusPaymentRequired, bad.reason, bad.message)
}

// resource is the URL that a request asks for, as customers write it.
func (g *Gateway) resource(r *http.Request) string {
	path := r.URL.RequestURI()
	if len(path) > 2048 {
		path = path[:2048]
	}
	if g.cfg.PublicURL != "" {
		return g.cfg.PublicURL + path
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + path
}

// handIn takes the next voucher of a stream.
func (g *Gateway) handIn(w http.ResponseWriter, r *http.Request, route Route, payment x402.Payment) {
	v, err := payment.Payload.Voucher.Parse()
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_payload", err.Error())
		return
	}
	g.mu.Lock()
	c := g.calls[string(v.ChannelID)+payment.Payload.Stream]
	a := g.accounts[string(v.ChannelID)]
	g.mu.Unlock()
	if c == nil || a == nil {
		writeError(w, http.StatusNotFound, "no_stream", "there is no such stream (any more)")
		return
	}
	if bad := g.raise(r.Context(), a, v); bad != nil {
		g.ask(w, r, route, bad)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// raise takes a voucher that pays for nothing yet.
func (g *Gateway) raise(ctx context.Context, a *account, v x402.Parsed) *refusal {
	a.mu.Lock()
	must := v.Cumulative > a.rec.Limit
	a.mu.Unlock()
	if bad := g.refresh(ctx, a, must); bad != nil {
		return bad
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.rec.Cumulative
	if bad := g.take(a, v, 0); bad != nil {
		return bad
	}
	if a.rec.Cumulative == before {
		return nil
	}
	a.rec.Used = max(a.rec.Used, 1)
	return g.save("voucher", a)
}

// settlement is what a charge of a channel looks like to its client.
func (g *Gateway) settlement(a *account, identifier string, charged *uint64) *x402.Settlement {
	s := &x402.Settlement{Success: true, Payer: a.rec.Payer, Network: x402.Network(g.chainID),
		Extra: x402.SettlementExtra{CommitmentID: hex.EncodeToString(a.rec.ID) + "/" + identifier, ChannelState: a.state()}}
	if charged != nil {
		s.Extra.ChargedAmount = x402.Amount(*charged)
	}
	return s
}

// writeError answers with an error for programs and its words for people.
func writeError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "message": message})
}

// EntryKind says what an entry of the history is about.
type EntryKind string

// Kinds of entries.
const (
	EntryCharge EntryKind = "charge" // a request was paid
	EntryRedeem EntryKind = "redeem" // a channel was redeemed
)

// Entry is one of the history of a gateway.
type Entry struct {
	Time       time.Time `json:"time"`
	Kind       EntryKind `json:"kind"`
	Channel    string    `json:"channel"` // hex
	Payer      string    `json:"payer"`
	PlanID     uint64    `json:"planId,omitempty"`
	Amount     uint64    `json:"amount"` // rao; charges of a plan: units
	Units      uint64    `json:"units,omitempty"`
	Resource   string    `json:"resource,omitempty"`
	Identifier string    `json:"identifier,omitempty"`
	Status     int       `json:"status,omitempty"` // of the answer
	Note       string    `json:"note,omitempty"`
}

// History visits the entries from a time on, oldest first, until visit says stop.
func (g *Gateway) History(from time.Time, visit func(Entry) (more bool)) error {
	return g.store.each(kindHistory, nil, func(key, raw []byte) (bool, error) {
		var e Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return false, fmt.Errorf("entry %x of the history: %w", key, err)
		}
		return e.Time.Before(from) || visit(e), nil
	})
}
