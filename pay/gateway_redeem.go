package pay

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// maxItems is how many channels one transaction redeems.
const maxItems = 128

// periodMargin is how long before a plan's period ends its use is redeemed: what is
// claimed later counts in the next.
const periodMargin = 5 * time.Minute

// Run redeems what is due, looks for channels that are closing and drops what is old,
// until ctx ends. Errors are logged and tried again: the books stay right meanwhile.
func (g *Gateway) Run(ctx context.Context) error {
	kicked := false
	for {
		var err error
		if kicked {
			_, err = g.Redeem(ctx, false)
		} else {
			err = g.Tick(ctx)
		}
		kick := g.kick
		if err != nil && ctx.Err() == nil {
			g.log.Warn("the gateway's round failed, it is tried again", "err", err)
			kick = nil // not before its time
		}
		select {
		case <-ctx.Done():
			return nil
		case <-g.ctx.Done():
			return nil
		case <-kick:
			kicked = true
		case <-g.cfg.After(g.cfg.PollEvery):
			kicked = false
		}
	}
}

// Tick is one round of Run.
func (g *Gateway) Tick(ctx context.Context) error {
	err := g.poll(ctx)
	_, err2 := g.Redeem(ctx, false)
	return errors.Join(err, err2, g.prune())
}

// known are all channels in memory.
func (g *Gateway) known() []*account {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*account, 0, len(g.accounts))
	for _, a := range g.accounts {
		all = append(all, a)
	}
	return all
}

// poll asks for the service, and for all channels at once: which are closing, which
// have gone.
func (g *Gateway) poll(ctx context.Context) error {
	asked := g.cfg.Now()
	service, err := g.cfg.Chain.Service(ctx, g.cfg.ServiceID)
	if err != nil {
		return err
	}
	if err := g.sells(service, asked); err != nil {
		return err
	}
	channels, err := g.cfg.Chain.ChannelsTo(ctx, service.Hotkey)
	if err != nil {
		return err
	}
	open := map[string]*markettypes.Channel{}
	g.mu.Lock()
	for i, c := range channels {
		open[string(c.Id)] = &channels[i]
		if c.ServiceId == g.cfg.ServiceID && c.PlanID() != 0 {
			g.plans[c.PlanID()] = true
		}
	}
	g.mu.Unlock()
	for _, a := range g.known() {
		a.mu.Lock()
		c := open[string(a.rec.ID)]
		was := a.rec
		switch {
		case c != nil:
			a.see(c, a.rec.Height, asked)
		case a.rec.Seen < asked.UnixMilli():
			a.rec.Gone = true // it was known before, and there is no such channel now
		}
		changed := was.ClosingAt != a.rec.ClosingAt || was.Gone != a.rec.Gone || was.Limit != a.rec.Limit ||
			was.Claimed != a.rec.Claimed || was.Contested != a.rec.Contested || was.PeriodEnd != a.rec.PeriodEnd
		var bad *refusal
		if changed {
			bad = g.save("poll", a)
		}
		a.mu.Unlock()
		if bad != nil {
			return bad
		}
	}
	return nil
}

// owes wakes Run where a channel owes much. account.mu is held.
func (g *Gateway) owes(a *account) {
	if g.dueNow(&a.rec, g.cfg.Now(), false) {
		g.due()
	}
}

// dueNow says whether a channel is to be redeemed.
func (g *Gateway) dueNow(r *channelRecord, now time.Time, all bool) bool {
	owed := r.owed()
	if owed == 0 || r.Gone || r.Contested != "" || len(r.Signature) == 0 {
		return false
	}
	if all || r.ClosingAt != 0 || r.OwedSince > 0 && now.Sub(time.UnixMilli(r.OwedSince)) >= g.cfg.RedeemAfter {
		return true
	}
	if r.PlanID != 0 {
		return r.PeriodEnd > 0 && now.Add(periodMargin).Unix() >= r.PeriodEnd
	}
	return owed >= g.cfg.RedeemAbove
}

// Redeemed is what a redemption brought.
type Redeemed struct {
	Channels int    // that were claimed from
	Paid     uint64 // rao that left deposits
	Provider uint64 // rao of it that the provider got
}

// Redeem claims what is due, or with all everything that is owed. Which claim is sent
// is written before, so that a process that dies meanwhile knows it.
func (g *Gateway) Redeem(ctx context.Context, all bool) (Redeemed, error) {
	g.redeem.Lock()
	defer g.redeem.Unlock()
	if g.ctx.Err() != nil {
		return Redeemed{}, errors.New("the gateway is closed")
	}
	now := g.cfg.Now()
	var due []*account
	for _, a := range g.known() {
		a.mu.Lock()
		if g.dueNow(&a.rec, now, all) {
			due = append(due, a)
		}
		a.mu.Unlock()
	}
	slices.SortFunc(due, func(a, b *account) int { return slices.Compare(a.rec.ID, b.rec.ID) })
	var sum Redeemed
	for part := range slices.Chunk(due, maxItems) {
		got, err := g.redeemPart(ctx, part)
		sum.Channels += got.Channels
		sum.Paid += got.Paid
		sum.Provider += got.Provider
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

func (g *Gateway) redeemPart(ctx context.Context, part []*account) (Redeemed, error) {
	items := make([]markettypes.RedeemItem, len(part))
	again := make([]bool, len(part)) // the same claim was sent before, perhaps with success
	var b batch
	for i, a := range part {
		a.mu.Lock()
		r := &a.rec
		again[i] = r.Claiming > r.Claimed
		r.Claiming = r.claim()
		items[i] = markettypes.RedeemItem{ChannelId: slices.Clone(r.ID), Cumulative: r.Cumulative, Claim: r.Claiming, Signature: slices.Clone(r.Signature)}
		b.put(keyed(kindChannel, r.ID), r)
		a.mu.Unlock()
	}
	if err := g.store.write("claim", true, &b); err != nil {
		return Redeemed{}, err
	}
	resp, err := g.cfg.Chain.Redeem(ctx, items)
	if err != nil {
		return Redeemed{}, err
	}
	if len(resp.Results) != len(items) {
		return Redeemed{}, fmt.Errorf("the chain answered %d of %d claims", len(resp.Results), len(items))
	}
	sum := Redeemed{Paid: resp.Paid, Provider: resp.Provider}
	now := g.cfg.Now()
	var done batch
	for i, a := range part {
		if g.redeemed(&done, a, items[i].Claim, again[i], resp.Results[i], now) {
			sum.Channels++
		}
	}
	return sum, g.store.write("redeemed", true, &done)
}

// redeemed books the result of one claim.
func (g *Gateway) redeemed(b *batch, a *account, claim uint64, again bool, result markettypes.RedeemResult, now time.Time) (paid bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &a.rec
	note := ""
	switch result.Status {
	case markettypes.REDEEM_PAID:
		paid = true
	case markettypes.REDEEM_STALE:
		if !again && claim > r.Claimed {
			// Nobody but a holder of this channel's vouchers can have claimed it.
			r.Contested = fmt.Sprintf("a claim of %d was stale", claim)
			note = r.Contested
		}
	case markettypes.REDEEM_NO_CHANNEL:
		r.Gone, note = true, "the channel is closed"
	default:
		r.Contested = "the chain refuses its voucher: " + result.Status.String()
		note = r.Contested
	}
	if paid || result.Status == markettypes.REDEEM_STALE {
		r.Claimed = max(r.Claimed, claim)
	}
	r.Claiming, r.OwedSince = 0, 0
	if r.owed() > 0 {
		r.OwedSince = now.UnixMilli()
	}
	if note != "" {
		g.log.Error("a claim was not paid", "channel", hex.EncodeToString(r.ID), "claim", claim, "why", note)
	}
	b.put(keyed(kindChannel, r.ID), r)
	if paid || note != "" {
		g.mu.Lock()
		g.history++
		number := g.history
		g.mu.Unlock()
		b.put(numbered(kindHistory, number), Entry{Time: now, Kind: EntryRedeem, Channel: hex.EncodeToString(r.ID),
			Payer: r.Payer, PlanID: r.PlanID, Amount: result.Paid, Note: note})
	}
	return paid
}

// prune drops answers and history that are old, answers too where they are too large
// together, and channels that are closed and owe nothing.
func (g *Gateway) prune() error {
	now := g.cfg.Now()
	var b batch
	g.mu.Lock()
	kept := g.kept
	g.mu.Unlock()
	var freed int64
	err := g.store.each(kindTime, nil, func(key, raw []byte) (bool, error) {
		var size int64
		if err := json.Unmarshal(raw, &size); err != nil || len(key) < 8+32 {
			return false, fmt.Errorf("record %x of the store can't be read: %w", key, err)
		}
		at := time.UnixMilli(int64(binary.BigEndian.Uint64(key)))
		old := now.Sub(at) > g.cfg.KeepAnswers
		if !old && kept-freed <= g.cfg.KeptAnswers {
			return false, nil
		}
		b.Delete(keyed(kindBody, key[8:]))
		freed += size
		if old {
			b.Delete(keyed(kindAnswer, key[8:]))
			b.Delete(keyed(kindTime, key))
		} else if size > 0 {
			b.put(keyed(kindTime, key), int64(0))
		}
		return b.Len() < 10_000, nil
	})
	if err != nil {
		return err
	}
	err = g.store.each(kindHistory, nil, func(key, raw []byte) (bool, error) {
		var e Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return false, fmt.Errorf("entry %x of the history: %w", key, err)
		}
		if now.Sub(e.Time) <= g.cfg.KeepHistory {
			return false, nil
		}
		b.Delete(keyed(kindHistory, key))
		return b.Len() < 20_000, nil
	})
	if err != nil {
		return err
	}
	for _, a := range g.known() {
		a.mu.Lock()
		r := &a.rec
		idle := now.Sub(time.UnixMilli(max(r.Used, r.Seen)))
		drop := a.reserved == 0 && (r.Gone && idle > g.cfg.KeepAnswers || r.Used == 0 && idle > g.cfg.Refresh)
		if drop {
			b.Delete(keyed(kindChannel, r.ID))
			g.mu.Lock()
			delete(g.accounts, string(r.ID))
			g.mu.Unlock()
		}
		a.mu.Unlock()
	}
	if b.Len() == 0 {
		return nil
	}
	if err := g.store.write("prune", false, &b); err != nil {
		return err
	}
	g.mu.Lock()
	g.kept -= freed
	g.mu.Unlock()
	return nil
}

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
	slices.SortFunc(all, func(a, b ChannelStatus) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
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
	resp, err := g.CloseChannel(r.Context(), a.rec.ID)
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
