package pay

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lodenet/lode/pay/x402"
)

// begin counts a payment as under way, signs its voucher, and writes both before it is
// sent. It waits where it would run too far ahead of what is known to be charged. On old
// terms nothing is deposited.
func (c *Client) begin(req *http.Request, pick choice, mine *clientChannel, deposited, old bool) (p *Payment, header string, opened bool, err error) {
	ctx := req.Context()
	var deposit *x402.Deposit
	var limits Limits
	for {
		if limits, err = c.limits(); err != nil {
			return nil, "", false, err
		}
		c.mu.Lock()
		if mine != nil && mine.Stopped != "" {
			mine = nil
		}
		if mine != nil && mine.ahead > 0 && mine.ahead+pick.amount > limits.ahead(pick.amount) {
			freed := c.freed
			c.mu.Unlock()
			select {
			case <-freed:
			case <-ctx.Done():
				return nil, "", false, context.Cause(ctx)
			}
			continue
		}
		if mine != nil && c.next(mine, pick.amount) <= mine.Limit {
			break // with the lock
		}
		// Before money is put in: may this request be paid at all?
		c.spent.turn(c.cfg.Now())
		err = c.allowed(limits, pick)
		c.mu.Unlock()
		if old && err == nil {
			err = errOldTerms
		}
		if err != nil {
			return nil, "", false, err
		}
		var put *x402.Deposit
		if mine, put, err = c.afford(ctx, pick, mine); err != nil {
			return nil, "", false, err
		}
		if put != nil {
			deposit = put
		}
	}
	defer c.mu.Unlock()
	now := c.cfg.Now()
	c.spent.turn(now)
	if err := c.allowed(limits, pick); err != nil {
		return nil, "", false, err
	}
	id, err := identifier()
	if err != nil {
		return nil, "", false, err
	}
	cumulative := c.next(mine, pick.amount)
	signed, err := c.sign(mine, cumulative)
	if err != nil {
		return nil, "", false, err
	}
	if deposit == nil && !deposited {
		header = pick.form.Encode(signed, id)
	} else if header, err = pick.withDeposit(signed, id, deposit); err != nil {
		return nil, "", false, err
	}
	p = &Payment{N: c.number + 1, Time: stamp(now), State: Pending, Kind: kindRequest, Method: req.Method, URL: redacted(req), Provider: mine.Provider,
		ServiceID: mine.ServiceID, PlanID: mine.PlanID, Channel: hex.EncodeToString(mine.ID), Identifier: id, Ceiling: pick.amount}
	p.ended, _ = ctx.Value(paidKey{}).(func(Payment))
	ch := *mine
	ch.Signed = cumulative
	var b batch
	b.put(keyed(kindMine, ch.ID), &ch)
	b.put(numbered(kindPayment, p.N), p)
	if err := c.store.write("sign", false, &b); err != nil {
		return nil, "", false, err
	}
	c.number++
	mine.Signed = cumulative
	mine.ahead += p.Ceiling
	c.pending[p.N] = p
	c.spent.count(p, p.Ceiling, 0)
	return p, header, deposit != nil, nil
}

// withDeposit is a payment's header that says that its channel was opened or topped up.
func (ch choice) withDeposit(signed x402.Voucher, id string, deposit *x402.Deposit) (string, error) {
	extensions, err := ch.extensions.WithIdentifier(id)
	if err != nil {
		return "", err
	}
	return x402.Encode(x402.Payment{X402Version: x402.Version, Resource: &ch.resource, Accepted: ch.requirements, Extensions: extensions,
		Payload: x402.Payload{Type: x402.TypeDeposit, Voucher: signed, Deposit: deposit}})
}

// allowed checks the limits; c.mu is held. A plan's use is bound by its quota.
func (c *Client) allowed(limits Limits, pick choice) error {
	if pick.plan != 0 {
		return nil
	}
	return limits.check(&c.spent, pick.requirements.PayTo, pick.amount, pick.amount)
}

// end books how a payment went. c.mu is held.
func (c *Client) end(p *Payment, state State, charged uint64, note string) error {
	ch := c.mine(p)
	was := *p
	p.State, p.Charged = state, charged
	if note != "" {
		p.Note = note
	}
	var b batch
	b.put(numbered(kindPayment, p.N), p)
	var after clientChannel
	if ch != nil {
		after = *ch
		if was.State == Pending {
			after.ahead = sub(after.ahead, p.Ceiling)
			after.Charged += charged
		} else {
			after.Charged = sub(after.Charged+charged, was.Charged)
		}
		b.put(keyed(kindMine, ch.ID), &after)
	}
	if err := c.store.write("end", false, &b); err != nil {
		*p = was
		return err
	}
	if ch != nil {
		*ch = after
	}
	counted := was.Charged
	if was.State == Pending {
		counted = was.Ceiling
	}
	c.spent.count(p, charged, counted)
	if p.ended != nil {
		p.ended(*p)
	}
	if state == Unknown {
		c.pending[p.N] = p
	} else {
		delete(c.pending, p.N)
	}
	close(c.freed)
	c.freed = make(chan struct{})
	return nil
}

// mine is the channel of a payment. c.mu is held.
func (c *Client) mine(p *Payment) *clientChannel {
	id, err := hex.DecodeString(p.Channel)
	if err != nil {
		return nil
	}
	return c.channels[string(id)]
}

// lose books a payment whose answer will not come: it counts with all that it can have
// cost. c.mu is held, or nobody else is there.
func (c *Client) lose(p *Payment, note string) error { return c.end(p, Unknown, p.Ceiling, note) }

func (c *Client) lost(p *Payment, note string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.State != Pending {
		return nil
	}
	return c.lose(p, note)
}

// found books what a recovered channel was charged before. c.mu is held.
func (c *Client) found(ch *clientChannel, amount uint64) error {
	now := c.cfg.Now()
	p := Payment{N: c.number + 1, Time: stamp(now), State: Paid, Kind: kindRequest, Provider: ch.Provider, ServiceID: ch.ServiceID, PlanID: ch.PlanID,
		Channel: hex.EncodeToString(ch.ID), Ceiling: amount, Charged: amount, Note: "of lost books"}
	after := *ch
	after.Charged += amount
	var b batch
	b.put(keyed(kindMine, ch.ID), &after)
	b.put(numbered(kindPayment, p.N), &p)
	if err := c.store.write("found", false, &b); err != nil {
		return err
	}
	c.number++
	*ch = after
	c.spent.turn(now)
	c.spent.count(&p, amount, 0)
	return nil
}

// reconcile clears up payments of unknown outcome, once nothing is under way that might
// be charged already: what the provider has charged less than they can have cost is
// taken off the newest. c.mu is held.
func (c *Client) reconcile(ch *clientChannel, charged uint64) error {
	late := charged < ch.told // an answer that was overtaken
	ch.told = max(ch.told, charged)
	if late || ch.ahead > 0 || charged > ch.Charged {
		return nil
	}
	less := ch.Charged - charged
	var open []*Payment
	for _, p := range c.pending {
		if p.State == Unknown && p.Channel == hex.EncodeToString(ch.ID) {
			open = append(open, p)
		}
	}
	slices.SortFunc(open, func(a, b *Payment) int { return cmp.Compare(b.N, a.N) })
	for _, p := range open {
		left := p.Charged - min(less, p.Charged)
		less -= p.Charged - left
		if err := c.end(p, map[bool]State{true: Paid, false: Unpaid}[left > 0], left, "cleared up by a later answer"); err != nil {
			return err
		}
	}
	return nil
}

// answered books a settlement, or lets the answer's body do it where it comes at the
// end.
func (c *Client) answered(ctx context.Context, resp *http.Response, p *Payment, picked choice, s x402.Settlement) error {
	if s.Extra.ChargedAmount != "" || !s.Success {
		if err := c.settled(ctx, p, s); err != nil || !isEvents(resp.Header) {
			return err
		}
	} else if resp.StatusCode == http.StatusConflict || resp.StatusCode == http.StatusNoContent {
		return c.lost(p, "the settlement does not say what was charged")
	}
	resp.Body = newPaidBody(ctx, c, resp, p, picked)
	resp.ContentLength = -1
	resp.Header.Del("Content-Length")
	return nil
}

// settled books what a provider says that it has charged, if it can be true.
func (c *Client) settled(ctx context.Context, p *Payment, s x402.Settlement) error {
	if !s.Success {
		return c.unpaid(p, reasonNote(s.ErrorReason))
	}
	charged, err := x402.ParseAmount(s.Extra.ChargedAmount)
	if err != nil {
		return c.dishonest(p, "it does not say what it has charged")
	}
	c.mu.Lock()
	if p.State != Pending {
		c.mu.Unlock()
		return nil
	}
	ch := c.mine(p)
	state := s.Extra.ChannelState
	switch {
	case charged > p.Ceiling:
		c.mu.Unlock()
		return c.dishonest(p, fmt.Sprintf("it charged %d %s, %d were agreed", charged, p.unit(), p.Ceiling))
	case state == nil || state.ChannelID != p.Channel:
		c.mu.Unlock()
		return c.dishonest(p, "its settlement is of another channel")
	}
	sum, _ := x402.ParseAmount(state.ChargedCumulativeAmount) // DecodeSettlement has checked it
	if err := c.end(p, map[bool]State{true: Paid, false: Unpaid}[charged > 0], charged, ""); err != nil {
		c.mu.Unlock()
		return err
	}
	if ch == nil {
		c.mu.Unlock()
		return nil
	}
	if sum > ch.Charged+ch.ahead && ch.PlanID != 0 {
		c.mu.Unlock()
		err := c.look(ctx, ch) // a new period may have begun
		if c.mu.Lock(); err != nil {
			c.mu.Unlock()
			c.log.Warn("a plan's channel can't be looked up", "channel", p.Channel, "err", err)
			return nil // the next answer says the same
		}
	}
	if worst := ch.Charged + ch.ahead; sum > worst && !ch.Recovered {
		c.mu.Unlock()
		why := fmt.Sprintf("it says that %s are charged in all, it has told us of %s at most", ch.amount(sum), ch.amount(worst))
		c.log.Error("a provider's account can't be true, its channel pays nothing more", "provider", p.Provider, "channel", p.Channel, "why", why)
		return c.stop(ch.ID, why) // the answer is paid for and handed on
	}
	defer c.mu.Unlock()
	if sum > ch.Charged+ch.ahead {
		return c.found(ch, sum-ch.Charged-ch.ahead)
	}
	return c.reconcile(ch, sum)
}

func (c *Client) unpaid(p *Payment, note string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.State != Pending {
		return nil
	}
	return c.end(p, Unpaid, 0, note)
}

// dishonest books a payment whose answer can't be true as charged in full, and stops
// its channel.
func (c *Client) dishonest(p *Payment, why string) error {
	if err := c.lost(p, why); err != nil {
		return err
	}
	return c.distrust(p, why)
}

// unreadable is dishonest of what can't be read. What it is like is told to the caller alone.
func (c *Client) unreadable(p *Payment, what string, err error) error {
	return fmt.Errorf("%w (%w)", c.dishonest(p, what+" can't be read"), err)
}

// distrust stops a channel.
func (c *Client) distrust(p *Payment, why string) error {
	c.mu.Lock()
	ch := c.mine(p)
	c.mu.Unlock()
	if ch != nil {
		if err := c.stop(ch.ID, why); err != nil {
			return err
		}
	}
	c.log.Error("a provider's account can't be true, its channel pays nothing more", "provider", p.Provider, "channel", p.Channel, "why", why)
	return fmt.Errorf("%w: %s: %s; close channel %s", ErrDishonest, p.Provider, why, p.Channel)
}

// cutTo is text of others, made short and printable.
func cutTo(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), n)]
}

// identifier makes a payment-identifier.
func identifier() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return "pay_" + hex.EncodeToString(b[:]), nil
}

// stamp is a time as the store keeps it.
func stamp(t time.Time) time.Time { return t.UTC().Round(0) }
