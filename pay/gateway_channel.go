package pay

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay/x402"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// Kinds of records in a gateway's store.
const (
	kindChannel = "c/" // by channel: channelRecord
	kindOpen    = "r/" // by channel and number: reservation
	kindAnswer  = "i/" // by channel and identifier: answerRecord
	kindBody    = "b/" // by channel and identifier: what was answered
	kindTime    = "t/" // by time, channel and identifier: size of the body
	kindHistory = "h/" // by number: Entry
)

type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

func (b *hexBytes) UnmarshalText(t []byte) (err error) {
	*b, err = hex.DecodeString(string(t))
	return err
}

// channelRecord is what a gateway keeps of a channel. Amounts are rao, of a plan's
// channel units.
type channelRecord struct {
	ID         hexBytes `json:"id"`
	Payer      string   `json:"payer"`
	SessionKey hexBytes `json:"sessionKey"`
	PlanID     uint64   `json:"planId,omitempty"`
	CloseDelay int64    `json:"closeDelay"`

	// As the chain has it.
	Limit     uint64 `json:"limit"` // a voucher can say no more: the deposit, or the units up to the period's end
	Claimed   uint64 `json:"claimed"`
	ClosingAt int64  `json:"closingAt,omitempty"` // Unix seconds
	PeriodEnd int64  `json:"periodEnd,omitempty"`
	Height    int64  `json:"height"` // of that state
	Seen      int64  `json:"seen"`   // when it was asked, Unix milliseconds

	// As it was paid.
	Cumulative uint64   `json:"cumulative"` // of the newest voucher
	Signature  hexBytes `json:"signature"`  // on it
	Charged    uint64   `json:"charged"`
	OwedSince  int64    `json:"owedSince,omitempty"` // Unix milliseconds
	Used       int64    `json:"used"`                // when it last paid, Unix milliseconds

	// Claiming is a claim that was sent and of which no answer is known.
	Claiming uint64 `json:"claiming,omitempty"`
	// Contested says why nothing more is served: somebody else redeems the channel too.
	Contested string `json:"contested,omitempty"`
	// Gone: it is no more on the chain.
	Gone bool `json:"gone,omitempty"`
}

// claim is what can be claimed: what was charged, as far as there is a voucher. A
// request that a plan's period has ended under is charged in the next, perhaps without.
func (r *channelRecord) claim() uint64 { return min(r.Charged, r.Cumulative) }

// owed is what of it is not redeemed.
func (r *channelRecord) owed() uint64 { return sub(r.claim(), r.Claimed) }

// reservation is a request that is being served.
type reservation struct {
	Identifier string `json:"identifier"`
	Resource   string `json:"resource"`
	Ceiling    uint64 `json:"ceiling"` // all that it may cost
	Charged    uint64 `json:"charged"` // of it, already in the channel's sum
	Units      uint64 `json:"units"`
	Began      int64  `json:"began"` // Unix milliseconds
}

// account is a channel in memory.
type account struct {
	mu       sync.Mutex // held over each step
	rec      channelRecord
	reserved uint64     // Σ of reservations' ceilings less what of them is charged
	next     uint64     // number of the next reservation
	ending   bool       // it is being closed by us
	asking   sync.Mutex // one question about it at a time
}

func (a *account) payer() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rec.Payer
}

// state is what customers are told of it. account.mu is held.
func (a *account) state() *x402.ChannelState {
	return &x402.ChannelState{
		ChannelID: hex.EncodeToString(a.rec.ID), Balance: x402.Amount(a.rec.Limit), TotalClaimed: x402.Amount(a.rec.Claimed),
		WithdrawRequestedAt: max(0, a.rec.ClosingAt-a.rec.CloseDelay*boolInt(a.rec.ClosingAt > 0)), ChargedCumulativeAmount: x402.Amount(a.rec.Charged),
	}
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// load reads all channels, and ends the requests that were being served when the
// process died: what they were charged stands, the rest of their reservation is free.
func (g *Gateway) load() error {
	err := g.store.each(kindChannel, nil, func(key, raw []byte) (bool, error) {
		a := &account{}
		if err := json.Unmarshal(raw, &a.rec); err != nil {
			return false, fmt.Errorf("channel %x of the store: %w", key, err)
		}
		g.accounts[string(a.rec.ID)] = a
		g.know(a)
		return true, nil
	})
	if err != nil {
		return err
	}
	g.history = g.store.last(kindHistory)
	var b batch
	err = g.store.each(kindOpen, nil, func(key, raw []byte) (bool, error) {
		var r reservation
		if err := json.Unmarshal(raw, &r); err != nil || len(key) != 32+8 {
			return false, fmt.Errorf("reservation %x of the store can't be read: %w", key, err)
		}
		b.Delete(keyed(kindOpen, key))
		return true, g.interrupted(&b, key[:32], r)
	})
	if err != nil {
		return err
	}
	if b.Len() > 0 {
		if err := g.store.write("recover", true, &b); err != nil {
			return err
		}
	}
	return g.store.each(kindTime, nil, func(_, raw []byte) (bool, error) {
		var size int64
		err := json.Unmarshal(raw, &size)
		g.kept += size
		return true, err
	})
}

// interrupted ends a request that a dead process was serving. Where nothing was
// charged nothing was delivered, and the same payment may ask again; where something
// was, it stands, and asking again tells so.
func (g *Gateway) interrupted(b *batch, channel []byte, r reservation) error {
	key := keyed(kindAnswer, channel, []byte(r.Identifier))
	var answer answerRecord
	known, err := g.store.get(key, &answer)
	if err != nil {
		return err
	}
	if r.Charged == 0 {
		b.Delete(key)
		return nil
	}
	a := g.accounts[string(channel)]
	if a == nil || !known {
		return fmt.Errorf("the store has a charge of %d without its channel %x", r.Charged, channel)
	}
	now := g.cfg.Now()
	g.record(b, Entry{
		Time: now, Kind: EntryCharge, Channel: hex.EncodeToString(channel), Payer: a.rec.Payer, PlanID: a.rec.PlanID,
		Amount: r.Charged, Units: r.Units, Resource: r.Resource, Identifier: r.Identifier, Note: "interrupted",
	})
	answer.Pending = false
	answer.Settlement = g.settlement(a, r.Identifier, &r.Charged)
	answer.Time = now.UnixMilli()
	b.put(key, answer)
	b.put(timeKey(now, channel, r.Identifier), int64(0))
	return nil
}

func timeKey(at time.Time, channel []byte, identifier string) []byte {
	ms := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))
	return keyed(kindTime, ms, channel, []byte(identifier))
}

// account finds a channel, asking the chain for one that is new.
func (g *Gateway) account(ctx context.Context, id []byte) (*account, *refusal) {
	g.mu.Lock()
	a := g.accounts[string(id)]
	g.mu.Unlock()
	if a != nil {
		return a, nil
	}
	select {
	case g.lookups <- struct{}{}:
		defer func() { <-g.lookups }()
	default:
		return nil, unavailable("too many new channels at once; ask again")
	}
	asked := g.cfg.Now()
	resp, err := g.cfg.Chain.Channel(ctx, id)
	switch {
	case errors.Is(err, ErrNoChannel):
		return nil, refuse(x402.ReasonNoChannel, "channel %x is not open on %s: open it, and wait until that is committed", id, g.chainID)
	case err != nil:
		g.log.Warn("a new channel can't be looked up", "channel", hex.EncodeToString(id), "err", err)
		return nil, unavailable("the chain can't be asked for a new channel; ask again")
	}
	c := resp.Channel
	if bad := g.foreign(resp); bad != nil {
		return nil, bad
	}
	a = &account{rec: channelRecord{
		ID: c.Id, Payer: c.Payer, SessionKey: c.SessionKey, PlanID: c.PlanID(), CloseDelay: c.CloseDelay,
	}}
	a.see(&c, resp.Height, asked)
	a.rec.Charged = a.rec.Claimed // what was redeemed before is not ours to charge again
	a.rec.Cumulative = a.rec.Claimed

	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.accounts[string(id)]; known != nil {
		return known, nil
	}
	g.accounts[string(id)] = a
	g.know(a)
	return a, nil
}

// know remembers the plan of a channel.
func (g *Gateway) know(a *account) {
	if a.rec.PlanID != 0 {
		g.plans[a.rec.PlanID] = true
	}
}

// foreign refuses channels that do not pay this service on its terms.
func (g *Gateway) foreign(resp *markettypes.QueryChannelResponse) *refusal {
	c := resp.Channel
	switch {
	case c.ServiceId != g.cfg.ServiceID:
		return refuse(x402.ReasonReceiver, "the channel pays service %d, this is service %d", c.ServiceId, g.cfg.ServiceID)
	case c.CloseDelay < g.cfg.CloseDelay:
		return refuse(x402.ReasonDelay, "the channel closes within %d s, the least is %d s: open another", c.CloseDelay, g.cfg.CloseDelay)
	case c.Deposit < g.cfg.MinDeposit:
		return refuse(x402.ReasonDeposit, "the channel has %s TAO, the least is %s: top it up", client.FormatTAO(c.Deposit), client.FormatTAO(g.cfg.MinDeposit))
	}
	return nil
}

// see takes over what the chain says of a channel. An older state than the known one,
// of a node that is behind, is left.
func (a *account) see(c *markettypes.Channel, height int64, asked time.Time) {
	if height < a.rec.Height {
		return
	}
	r := &a.rec
	r.Height, r.Seen = height, max(r.Seen, asked.UnixMilli())
	r.ClosingAt = c.ClosingTime
	r.Gone = false
	if s := c.Subscription; s != nil {
		r.Limit, r.Claimed, r.PeriodEnd = s.UsedBefore+s.Quota, max(r.Claimed, s.Used), s.PeriodEnd
		r.Charged = max(r.Charged, s.UsedBefore) // a new period counts from there
	} else {
		r.Limit, r.Claimed = c.Deposit, max(r.Claimed, c.Claimed)
	}
	if r.Claimed > r.Charged && r.Used != 0 {
		r.Contested = fmt.Sprintf("%d of it are claimed on chain, %d were charged here", r.Claimed, r.Charged)
	}
}

// refresh asks the chain for a channel again, where what is known is too old or does
// not reach, and says whether it may pay now.
func (g *Gateway) refresh(ctx context.Context, a *account, must bool) *refusal {
	a.asking.Lock()
	defer a.asking.Unlock()
	now := g.cfg.Now()
	a.mu.Lock()
	seen := time.UnixMilli(a.rec.Seen)
	old := now.Sub(seen) > g.cfg.Refresh || a.rec.PeriodEnd > 0 && now.Unix() >= a.rec.PeriodEnd
	offline := min(g.cfg.Offline, time.Duration(a.rec.CloseDelay)*time.Second/2)
	id := a.rec.ID
	a.mu.Unlock()
	if !must && !old {
		return nil
	}
	resp, err := g.cfg.Chain.Channel(ctx, id)
	if errors.Is(err, ErrNoChannel) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.rec.Gone = true
		return g.save("closed", a)
	}
	if err != nil {
		if now.Sub(seen) <= offline {
			g.log.Warn("the chain can't be asked, payments go on", "channel", hex.EncodeToString(id), "since", seen, "err", err)
			return nil
		}
		return unavailable("the chain can't be asked, and the channel's state is %s old; ask again later", now.Sub(seen).Round(time.Second))
	}
	if bad := g.foreign(resp); bad != nil {
		return bad
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.see(&resp.Channel, resp.Height, now)
	return g.save("refresh", a)
}

// save writes a channel that has paid before; others are not kept.
func (g *Gateway) save(step string, a *account) *refusal {
	if a.rec.Used == 0 {
		return nil
	}
	var b batch
	b.put(keyed(kindChannel, a.rec.ID), &a.rec)
	if err := g.store.write(step, false, &b); err != nil {
		return g.broken(err)
	}
	return nil
}

// broken answers that the books can't be kept.
func (g *Gateway) broken(err error) *refusal {
	g.log.Error("the books can't be kept", "err", err)
	return &refusal{reason: x402.ReasonSettleFailed, message: "the gateway can't keep its books; ask again later", status: http.StatusInternalServerError, retry: 30 * time.Second}
}
