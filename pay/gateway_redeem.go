package pay

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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

// known are all channels in memory, by id.
func (g *Gateway) known() []*account {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*account, 0, len(g.accounts))
	for _, id := range slices.Sorted(maps.Keys(g.accounts)) {
		all = append(all, g.accounts[id])
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
	Plans    int    // of them, those of plans: what was used is told, the price is paid when the period ends
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
	var sum Redeemed
	for part := range slices.Chunk(due, maxItems) {
		got, err := g.redeemPart(ctx, part)
		sum.Channels += got.Channels
		sum.Plans += got.Plans
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
			if a.rec.PlanID != 0 { // it never changes
				sum.Plans++
			}
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
		g.record(b, Entry{Time: now, Kind: EntryRedeem, Channel: hex.EncodeToString(r.ID),
			Payer: r.Payer, PlanID: r.PlanID, Amount: result.Paid, Note: note})
	}
	return paid
}
