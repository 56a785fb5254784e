package pay

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// ChannelStatus is how a channel stands at a gateway. Amounts are rao, of a plan's
// channel units.
type ChannelStatus struct {
	ID        string    `json:"id"`
	Payer     string    `json:"payer"`
	PlanID    uint64    `json:"planId,omitempty"`
	Limit     uint64    `json:"limit"` // the deposit, or the units up to the period's end
	Signed    uint64    `json:"signed"`
	Charged   uint64    `json:"charged"`
	Reserved  uint64    `json:"reserved"`
	Claimed   uint64    `json:"claimed"`
	Closing   bool      `json:"closing,omitempty"`
	Closed    bool      `json:"closed,omitempty"`
	Contested string    `json:"contested,omitempty"`
	LastUsed  time.Time `json:"lastUsed"`
}

// Channels are all channels that have paid, by id.
func (g *Gateway) Channels() []ChannelStatus {
	var all []ChannelStatus
	for _, a := range g.known() {
		a.mu.Lock()
		r := &a.rec
		if r.Used != 0 {
			all = append(all, ChannelStatus{ID: hex.EncodeToString(r.ID), Payer: r.Payer, PlanID: r.PlanID, Limit: r.Limit, Signed: r.Cumulative,
				Charged: r.Charged, Reserved: a.reserved, Claimed: r.Claimed, Closing: r.ClosingAt != 0, Closed: r.Gone, Contested: r.Contested,
				LastUsed: time.UnixMilli(r.Used)})
		}
		a.mu.Unlock()
	}
	return all
}

// CloseChannel redeems what a channel owes and closes it: the rest of its deposit goes
// back to its payer at once. It fails while the channel pays for something.
func (g *Gateway) CloseChannel(ctx context.Context, id []byte) (*markettypes.MsgCloseResponse, error) {
	a, bad := g.account(ctx, id)
	if bad != nil {
		return nil, bad
	}
	a.mu.Lock()
	if a.reserved > 0 || a.ending {
		a.mu.Unlock()
		return nil, errors.New("the channel pays for requests that are being served, or is being closed: ask again when they are over")
	}
	a.ending = true // nothing more is served
	owed := a.rec.owed() > 0 && len(a.rec.Signature) > 0 && a.rec.Contested == ""
	a.mu.Unlock()
	resp, err := func() (*markettypes.MsgCloseResponse, error) {
		if owed {
			g.redeem.Lock()
			_, err := g.redeemPart(ctx, []*account{a})
			g.redeem.Unlock()
			if err != nil {
				return nil, err
			}
		}
		return g.cfg.Chain.Close(ctx, id)
	}()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ending = false
	if err != nil {
		return nil, err
	}
	a.rec.Gone = true
	if bad := g.save("closed", a); bad != nil {
		return nil, bad
	}
	return resp, nil
}

// refund answers a payer that asks to have its channel closed at once.
func (g *Gateway) refund(w http.ResponseWriter, r *http.Request, route Route, a *account, v x402.Parsed) {
	if bad := g.refresh(r.Context(), a, true); bad != nil {
		g.ask(w, r, route, bad)
		return
	}
	a.mu.Lock()
	bad := g.mayPay(a)
	if bad == nil && !g.checkVoucher(&a.rec, v) {
		bad = refuse(x402.ReasonSignature, "the voucher's signature is not of the channel's session key")
	}
	if bad == nil && v.Cumulative != a.rec.Charged {
		bad = &refusal{reason: x402.ReasonCumulative, state: a, message: fmt.Sprintf("a refund's voucher says what was charged, %d, this says %d", a.rec.Charged, v.Cumulative)}
	}
	a.mu.Unlock()
	if bad != nil {
		g.ask(w, r, route, bad)
		return
	}
	resp, err := g.CloseChannel(r.Context(), v.ChannelID)
	if err != nil {
		w.Header().Set("Retry-After", "5")
		writeError(w, http.StatusServiceUnavailable, x402.ReasonSettleFailed, err.Error())
		return
	}
	a.mu.Lock()
	s := g.settlement(a, "refund", nil)
	a.mu.Unlock()
	s.Amount = x402.Amount(resp.Refunded)
	encoded, err := x402.Encode(s)
	if err != nil {
		writeError(w, http.StatusInternalServerError, x402.ReasonSettleFailed, err.Error())
		return
	}
	w.Header().Set(x402.HeaderResponse, encoded)
	w.WriteHeader(http.StatusNoContent)
}
