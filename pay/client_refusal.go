package pay

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/lodenet/lode/pay/x402"
	"github.com/lodenet/lode/voucher"
)

// judge reads what an answer says about its payment. again is a reason to pay anew;
// empty: the answer is the application's.
func (c *Client) judge(ctx context.Context, resp *http.Response, p *Payment, picked choice, choices *[]choice) (again string, err error) {
	c.mu.Lock()
	over := p.State != Pending
	c.mu.Unlock()
	if over {
		return "", nil // the last of many tries
	}
	p.Status = resp.StatusCode
	if header := resp.Header.Get(x402.HeaderResponse); header != "" {
		s, err := x402.DecodeSettlement(header)
		if err != nil {
			return "", c.unreadable(p, "its settlement", err)
		}
		return "", c.answered(ctx, resp, p, picked, s)
	}
	if resp.StatusCode != http.StatusPaymentRequired {
		// Taken by nobody, or refused before it was looked at.
		return "", c.unpaid(p, statusError(resp.StatusCode).Error())
	}
	header := resp.Header.Get(x402.HeaderRequired)
	required, err := x402.DecodeRequired(header)
	if err != nil {
		return "", c.unreadable(p, "its terms", err)
	}
	if err := c.unpaid(p, reasonNote(required.Error)); err != nil {
		return "", err
	}
	fresh, err := c.choose(ctx, required)
	if err != nil {
		return "", err
	}
	if len(fresh) == 0 {
		return "", fmt.Errorf("%w: %s: %s", ErrRefused, p.URL, cutTo(required.Error, 200))
	}
	*choices = fresh
	return required.Error, c.refused(ctx, p, required.Error, fresh)
}

// refused does what a refusal asks for, so that the next payment is taken. What it says
// of the chain is looked up there before another channel is opened for it.
func (c *Client) refused(ctx context.Context, p *Payment, reason string, fresh []choice) error {
	refusal := fmt.Errorf("%w: %s: %s", ErrRefused, p.URL, cutTo(reason, 200))
	switch reason {
	case x402.ReasonCumulative:
		i := slices.IndexFunc(fresh, func(ch choice) bool { return ch.plan == p.PlanID })
		if i < 0 {
			return refusal
		}
		if p.PlanID != 0 { // a new period may have begun
			if err := c.lookUp(ctx, p, refusal); err != nil {
				return err
			}
		}
		return c.adopt(p, fresh[i].terms)
	case x402.ReasonTerms, x402.ReasonMissing:
		return nil // pay on the terms of now
	case x402.ReasonNoChannel, x402.ReasonOverBalance, x402.ReasonClosing, x402.ReasonPlan:
		return c.lookUp(ctx, p, refusal)
	case x402.ReasonContested, x402.ReasonDelay, x402.ReasonDeposit, x402.ReasonReceiver:
		c.mu.Lock()
		ch := c.mine(p)
		c.mu.Unlock()
		if ch != nil {
			if err := c.stop(ch.ID, reason); err != nil {
				return err
			}
		}
	}
	return refusal
}

// lookUp sees on the chain whether a channel can still pay. One that is closed or
// closing is left, for the next payment to open another. One that is as we know it may
// be news to the gateway's node.
func (c *Client) lookUp(ctx context.Context, p *Payment, refusal error) error {
	c.mu.Lock()
	ch := c.mine(p)
	c.mu.Unlock()
	if ch == nil {
		return refusal
	}
	resp, err := c.cfg.Chain.Channel(ctx, ch.ID)
	switch {
	case errors.Is(err, ErrNoChannel):
		return c.leave(ch, "closed")
	case err != nil:
		return errors.Join(refusal, err)
	case resp.Channel.Closing():
		return c.leave(ch, "closing")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.see(ch, &resp.Channel)
}

// leave stops a channel of which the chain says that it ends: nothing is deposited in
// it any more.
func (c *Client) leave(ch *clientChannel, why string) error {
	c.mu.Lock()
	ch.Ended = true
	c.mu.Unlock()
	return c.stop(ch.ID, why)
}

// adopt takes over what a corrective answer says, if our own signature proves it.
func (c *Client) adopt(p *Payment, t x402.Terms) error {
	if t.ChannelState == nil || t.ChannelState.ChannelID != p.Channel {
		return c.distrust(p, "it does not say which channel it corrects")
	}
	charged, err := x402.ParseAmount(t.ChannelState.ChargedCumulativeAmount)
	if err != nil {
		return err
	}
	c.mu.Lock()
	ch := c.mine(p)
	if ch == nil {
		c.mu.Unlock()
		return fmt.Errorf("%w: %s: channel %s is not of this store", ErrRefused, p.URL, p.Channel)
	}
	var signed uint64
	if v := t.VoucherState; v != nil {
		signed, _ = x402.ParseAmount(v.SignedMaxClaimable) // Terms has checked both
		signature, _ := hex.DecodeString(v.Signature)
		if !(voucher.Voucher{ChannelID: ch.ID, Cumulative: signed}).Verify(c.chainID, ch.SessionKey, signature) {
			c.mu.Unlock()
			return c.distrust(p, "the voucher that it shows is not signed by us")
		}
	}
	switch {
	case charged > signed && charged > ch.Charged:
		c.mu.Unlock()
		return c.distrust(p, fmt.Sprintf("it says that %s are charged and shows a voucher for %s", ch.amount(charged), ch.amount(signed)))
	case signed > ch.Signed && !ch.Recovered:
		c.mu.Unlock()
		return c.distrust(p, fmt.Sprintf("it shows a voucher for %s, %s is all that was signed here: does another process use this channel?", ch.amount(signed), ch.amount(ch.Signed)))
	}
	worst := ch.Charged + ch.ahead
	if charged > worst && !ch.Recovered {
		c.mu.Unlock()
		return c.distrust(p, fmt.Sprintf("it says that %s are charged, it has told us of %s at most", ch.amount(charged), ch.amount(worst)))
	}
	defer c.mu.Unlock()
	if charged > worst {
		if err := c.found(ch, charged-worst); err != nil {
			return err
		}
	}
	ch.Signed = max(ch.Signed, signed)
	return c.reconcile(ch, charged)
}
