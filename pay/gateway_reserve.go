package pay

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/voucher"
)

// mayPay says whether a channel may pay now at all.
func (g *Gateway) mayPay(a *account) *refusal {
	r := &a.rec
	switch {
	case r.Gone:
		return refuse(x402.ReasonNoChannel, "channel %x is closed: open another", []byte(r.ID))
	case r.Contested != "":
		return refuse(x402.ReasonContested, "the channel is paid out elsewhere too: %s; open another", r.Contested)
	case r.ClosingAt != 0 || a.ending:
		return refuse(x402.ReasonClosing, "channel %x is closing: open another", []byte(r.ID))
	case r.PlanID != 0 && g.cfg.Now().Unix() >= r.PeriodEnd:
		return refuse(x402.ReasonPlan, "the plan's period has ended and no other has begun")
	}
	return nil
}

// reserve takes a voucher and sets aside what a request may cost. It writes the voucher
// and the reservation, and with them that the request has begun.
func (g *Gateway) reserve(ctx context.Context, a *account, v x402.Parsed, o *offer, c *call) *refusal {
	a.mu.Lock()
	must := v.Cumulative > a.rec.Limit
	plan := a.rec.PlanID
	a.mu.Unlock()
	if o.plan != plan {
		return refuse(x402.ReasonReceiver, "the channel pays plan %d, the terms are of plan %d (0: by use)", plan, o.plan)
	}
	if bad := g.refresh(ctx, a, must); bad != nil {
		return bad
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if bad := g.take(a, v, o.amount); bad != nil {
		return bad
	}
	return g.begin(a, o, c)
}

// take checks a voucher against all that is charged and reserved, and keeps it in
// memory if it is the newest; the caller writes it.
func (g *Gateway) take(a *account, v x402.Parsed, amount uint64) *refusal {
	r := &a.rec
	if bad := g.mayPay(a); bad != nil {
		return bad
	}
	known := v.Cumulative == r.Cumulative && string(v.Signature) == string(r.Signature)
	if !known && !g.checkVoucher(r, v) {
		return refuse(x402.ReasonSignature, "the voucher's signature is not of the channel's session key")
	}
	if v.Cumulative > r.Limit {
		what := "deposit"
		if r.PlanID != 0 {
			what = "quota"
		}
		return &refusal{reason: x402.ReasonOverBalance, message: fmt.Sprintf("the voucher says %d, the channel's %s is %d: top it up", v.Cumulative, what, r.Limit), state: a}
	}
	// The request itself must be covered by its own voucher, beside all that was charged;
	// what runs at the same time may be covered by a newer one.
	own, ok := add(r.Charged, amount)
	all, ok2 := add(own, a.reserved)
	if !ok || !ok2 || v.Cumulative < own || max(v.Cumulative, r.Cumulative) < all {
		return &refusal{reason: x402.ReasonCumulative, state: a,
			message: fmt.Sprintf("the voucher says %d: %d are charged, %d reserved, and this may cost %d", v.Cumulative, r.Charged, a.reserved, amount)}
	}
	if m := g.cfg.MaxOwed; m > 0 && r.PlanID == 0 && sub(all, r.Claimed) > m {
		g.due()
		bad := unavailable("the channel owes %s TAO, and no more than %s are lent until they are redeemed; ask again", client.FormatTAO(r.owed()), client.FormatTAO(m))
		bad.reason = x402.ReasonBusy
		return bad
	}
	if v.Cumulative > r.Cumulative || len(r.Signature) == 0 {
		r.Cumulative, r.Signature = v.Cumulative, v.Signature
	}
	return nil
}

// begin writes the reservation of a request.
func (g *Gateway) begin(a *account, o *offer, c *call) *refusal {
	now := g.cfg.Now()
	a.rec.Used = now.UnixMilli()
	c.account, c.offer = a, o
	c.number = a.next
	c.res = reservation{Identifier: c.identifier, Resource: c.resource, Ceiling: o.amount, Began: now.UnixMilli()}
	var b batch
	b.put(keyed(kindChannel, a.rec.ID), &a.rec)
	b.put(c.reservationKey(), &c.res)
	b.put(c.answerKey(), answerRecord{Pending: true, Hash: c.hash, Print: c.print, Time: now.UnixMilli()})
	if err := g.store.write("reserve", false, &b); err != nil {
		return g.broken(err)
	}
	a.next++
	a.reserved += o.amount
	return nil
}

// due wakes the loop that redeems.
func (g *Gateway) due() {
	select {
	case g.kick <- struct{}{}:
	default:
	}
}

// checkVoucher verifies a voucher's signature by a channel's session key.
func (g *Gateway) checkVoucher(rec *channelRecord, v x402.Parsed) bool {
	return voucher.Voucher{ChannelID: v.ChannelID, Cumulative: v.Cumulative}.Verify(g.chainID, rec.SessionKey, v.Signature)
}

// handIn takes the next voucher of a stream.
func (g *Gateway) handIn(w http.ResponseWriter, r *http.Request, route Route, payment x402.Payment) {
	v, _ := payment.Read()
	if v.ChannelID == nil {
		writeError(w, http.StatusBadRequest, "invalid_payload", "a stream's next voucher is of scheme "+x402.Scheme)
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
	a.mu.Lock()
	close(c.handed)
	c.handed = make(chan struct{})
	a.mu.Unlock()
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
	if v.Cumulative < before { // another stream's has overtaken it, and says more
		if !g.checkVoucher(&a.rec, v) {
			return refuse(x402.ReasonSignature, "the voucher's signature is not of the channel's session key")
		}
		return g.mayPay(a)
	}
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
