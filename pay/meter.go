package pay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/lodenet/lode/pay/x402"
)

// Errors of a meter.
var (
	// ErrCeiling says that a request would cost more than its client has agreed to pay.
	ErrCeiling = errors.New("more than the client agreed to pay for this request")
	// ErrNoVoucher says that a stream's client did not hand in its next voucher.
	ErrNoVoucher = errors.New("the client did not hand in the next voucher")
)

type meterKey struct{}

// MeterFrom is the meter of the paid request whose context that is; nil outside of
// [Gateway.Handler].
func MeterFrom(ctx context.Context) *Meter {
	m, _ := ctx.Value(meterKey{}).(*Meter)
	return m
}

// Meter counts what a request uses. It is safe for concurrent use.
type Meter struct {
	g       *Gateway
	c       *call
	w       *paidWriter
	ctx     context.Context
	step    uint64 // amount by which a stream's reservation grows
	timeout time.Duration

	mu        sync.Mutex // guards what follows and the writer; taken before account.mu
	ceiling   uint64     // units
	units     uint64     // charged, perhaps not written yet
	explicit  bool       // the handler charges by itself
	flat      bool       // the whole ceiling is charged
	counted   uint64     // units that the handler has counted since then
	committed uint64     // money that is written
	settled   bool
}

// Payer is the address of who pays.
func (m *Meter) Payer() string { return m.c.account.payer() }

// Channel is the id of the channel that pays.
func (m *Meter) Channel() []byte {
	a := m.c.account
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rec.ID
}

// Identifier is the payment-identifier of the request.
func (m *Meter) Identifier() string { return m.c.identifier }

// Charged are the units that were charged so far.
func (m *Meter) Charged() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.units
}

// Charge charges units that were used, or that what is written next contains. It counts
// before any byte of it leaves. Beyond what is reserved it fails with ErrCeiling and
// charges nothing, save in an answer of type text/event-stream: there it asks the
// client for the next voucher within the stream, between two events, and waits for it;
// ErrNoVoucher says that none came, and the handler should end.
//
// A handler that meters calls Charge or Reserve before its first byte leaves: at that
// moment the gateway charges the whole ceiling where neither was called.
func (m *Meter) Charge(units uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flat {
		sum, ok := add(m.counted, units)
		if !ok || sum > m.ceiling {
			return fmt.Errorf("%w: %d units beside %d of %d, all of which are charged", ErrCeiling, units, m.counted, m.ceiling)
		}
		m.counted = sum
		return nil
	}
	sum, err := m.reach(units)
	if err != nil {
		return err
	}
	m.units = sum
	return nil
}

// Reserve makes sure that so many units more than were charged can be charged without
// asking: in a stream it may ask the client, as Charge does.
func (m *Meter) Reserve(units uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flat {
		return nil
	}
	_, err := m.reach(units)
	return err
}

// reach makes the reservation cover so many units more, and returns how many in all.
func (m *Meter) reach(units uint64) (uint64, error) {
	m.explicit = true
	sum, ok := add(m.units, units)
	if !ok || m.settled {
		return 0, fmt.Errorf("%w: %d units beside %d", ErrCeiling, units, m.units)
	}
	cost, err := m.c.offer.money(sum)
	if err != nil {
		return 0, err
	}
	a := m.c.account
	a.mu.Lock()
	ceiling := m.c.res.Ceiling
	a.mu.Unlock()
	if cost <= ceiling {
		return sum, nil
	}
	if !m.w.events() {
		return 0, fmt.Errorf("%w: %d units cost %d, it agreed to %d", ErrCeiling, sum, cost, ceiling)
	}
	return sum, m.extend(cost - ceiling)
}

// extend asks for a voucher that covers what is needed, or a step where the deposit has
// it, and reserves that.
func (m *Meter) extend(needed uint64) error {
	a := m.c.account
	var waited <-chan time.Time
	// It asks even where the newest voucher reaches: that may be what other requests were
	// promised which are still on their way.
	for asked := false; ; asked = true {
		a.mu.Lock()
		if bad := m.g.mayPay(a); bad != nil {
			a.mu.Unlock()
			return bad
		}
		more := max(needed, m.step)
		required, ok := add(a.rec.Charged+a.reserved, more) // the sum of the two has a voucher
		if !ok || required > a.rec.Limit {
			more = needed
			if required, ok = add(a.rec.Charged+a.reserved, more); !ok {
				a.mu.Unlock()
				return fmt.Errorf("%w: %d more are above 2^64", ErrCeiling, more)
			}
		}
		if asked && required <= a.rec.Cumulative {
			err := m.grow(more)
			a.mu.Unlock()
			return err
		}
		handed := m.c.handed
		need := x402.NeedVoucher{ChannelID: a.state().ChannelID, RequiredCumulative: x402.Amount(required), Additional: x402.Amount(more),
			AcceptedCumulative: x402.Amount(a.rec.Cumulative), Deposit: x402.Amount(a.rec.Limit)}
		a.mu.Unlock()

		if waited == nil {
			waited = m.g.cfg.After(m.timeout)
		}
		data, err := json.Marshal(need)
		if err != nil {
			return err
		}
		if err := m.w.event(x402.EventNeedVoucher, data); err != nil {
			return fmt.Errorf("%w: %w", ErrNoVoucher, err)
		}
		select {
		case <-handed:
		case <-waited:
			return fmt.Errorf("%w within %s", ErrNoVoucher, m.timeout)
		case <-m.ctx.Done():
			return fmt.Errorf("%w: %w", ErrNoVoucher, context.Cause(m.ctx))
		}
	}
}

// grow writes a larger reservation. account.mu is held.
func (m *Meter) grow(more uint64) error {
	a := m.c.account
	res := m.c.res
	res.Ceiling += more // it fits: the voucher says so much
	var b batch
	b.put(m.c.reservationKey(), &res)
	if err := m.g.store.write("extend", false, &b); err != nil {
		return m.g.broken(err)
	}
	m.c.res = res
	a.reserved += more
	return nil
}

// commit writes what was charged so far: bytes may leave then. The lock is held.
func (m *Meter) commit() error {
	cost, err := m.cost()
	if err != nil {
		return err
	}
	if cost <= m.committed {
		return nil
	}
	a := m.c.account
	a.mu.Lock()
	defer a.mu.Unlock()
	rec, res := a.rec, m.c.res
	m.book(&rec, &res, cost)
	var b batch
	b.put(keyed(kindChannel, rec.ID), &rec)
	b.put(m.c.reservationKey(), &res)
	if err := m.g.store.write("charge", false, &b); err != nil {
		return m.g.broken(err)
	}
	a.reserved -= cost - m.committed
	a.rec, m.c.res, m.committed = rec, res, cost
	m.g.owes(a)
	return nil
}

// cost is the money of what was charged, at most what was agreed.
func (m *Meter) cost() (uint64, error) {
	if m.flat {
		return m.c.offer.amount, nil
	}
	return m.c.offer.money(m.units)
}

// book moves a charge into the channel's sum.
func (m *Meter) book(rec *channelRecord, res *reservation, cost uint64) {
	now := m.g.cfg.Now().UnixMilli()
	if rec.owed() == 0 {
		rec.OwedSince = now
	}
	rec.Charged += cost - m.committed
	rec.Used = now
	res.Charged, res.Units = cost, m.units
}

// whole charges all that was agreed where the handler does not meter. The lock is held.
func (m *Meter) whole() {
	if !m.explicit {
		m.flat, m.units = true, m.ceiling
	}
}

// settle ends the request: it charges what is left to charge, frees the rest of the
// reservation and keeps the answer, in one step. paid says whether an answer without
// charges costs the whole. It returns nil where the books can't be kept.
func (m *Meter) settle(paid bool) *x402.Settlement {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.settled {
		return nil
	}
	m.settled = true
	if paid {
		m.whole()
	}
	a := m.c.account
	a.mu.Lock()
	defer a.mu.Unlock()
	free := func() { a.reserved -= m.c.res.Ceiling - m.committed }
	cost, err := m.cost()
	if err != nil {
		m.g.log.Error("a charge can't be computed", "units", m.units, "err", err)
		cost = m.committed
	}
	cost = max(cost, m.committed)
	rec, res := a.rec, m.c.res
	m.book(&rec, &res, cost)
	var b batch
	b.put(keyed(kindChannel, rec.ID), &rec)
	b.Delete(m.c.reservationKey())
	now := m.g.cfg.Now()
	if cost == 0 && m.w.status >= 400 {
		b.Delete(m.c.answerKey()) // it failed and cost nothing: the same payment may ask again
	}
	shadow := account{rec: rec}
	settlement := m.g.settlement(&shadow, m.c.identifier, &cost)
	if cost > 0 || m.w.status < 400 {
		m.keep(&b, settlement, now)
	}
	if cost > 0 {
		m.g.record(&b, Entry{
			Time: now, Kind: EntryCharge, Channel: settlement.Extra.ChannelState.ChannelID, Payer: rec.Payer, PlanID: rec.PlanID,
			Amount: cost, Units: m.units, Resource: m.c.resource, Identifier: m.c.identifier, Status: m.w.status,
		})
	}
	if err := m.g.store.write("settle", false, &b); err != nil {
		m.g.broken(err)
		return nil
	}
	free()
	a.rec = rec
	m.g.owes(a)
	return settlement
}

// keep writes an answer, so that it can be had again.
func (m *Meter) keep(b *batch, s *x402.Settlement, now time.Time) {
	key := keyed("", m.c.account.rec.ID, []byte(m.c.identifier))
	answer := answerRecord{Hash: m.c.hash, Print: m.c.print, Time: now.UnixMilli(), Settlement: s}
	var size int64
	if !m.w.streaming.Load() {
		answer.Kept, answer.Status, answer.Header = true, m.w.status, m.w.kept()
		b.Put(keyed(kindBody, key), m.w.buf.Bytes())
		size = int64(m.w.buf.Len())
	}
	b.put(keyed(kindAnswer, key), answer)
	b.put(timeKey(now, m.c.account.rec.ID, m.c.identifier), size)
	m.g.mu.Lock()
	m.g.kept += size
	m.g.mu.Unlock()
}

// isEvents says whether an answer is a stream of events that can be read.
func isEvents(h http.Header) bool {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	coding := h.Get("Content-Encoding")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream") && (coding == "" || coding == "identity")
}
