package pay

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay/x402"
)

// deposited books a deposit.
func (c *Client) deposited(ch *clientChannel, amount uint64, tx string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.number++
	p := Payment{N: c.number, Time: c.cfg.Now(), State: Paid, Kind: kindDeposit, Provider: ch.Provider, ServiceID: ch.ServiceID, PlanID: ch.PlanID,
		Channel: hex.EncodeToString(ch.ID), Ceiling: amount, Charged: amount, Note: tx}
	var b batch
	b.put(keyed(kindMine, ch.ID), ch)
	b.put(numbered(kindPayment, p.N), &p)
	if err := c.store.write("deposit", true, &b); err != nil {
		return err
	}
	c.channels[string(ch.ID)] = ch
	return nil
}

// afford makes sure that a channel can pay what is asked, opening one or topping one up
// within the limits. It reports what was put in.
func (c *Client) afford(ctx context.Context, pick choice, mine *clientChannel) (*clientChannel, *x402.Deposit, error) {
	c.opening.Lock()
	defer c.opening.Unlock()
	if mine == nil {
		c.mu.Lock()
		mine = c.usable(pick.service, pick.plan) // which another request has opened meanwhile
		c.mu.Unlock()
	}
	if mine == nil {
		if _, err := c.recover(ctx); err != nil {
			return nil, nil, err
		}
		c.mu.Lock()
		mine = c.usable(pick.service, pick.plan)
		c.mu.Unlock()
	}
	if mine == nil {
		return c.openFor(ctx, pick)
	}
	c.mu.Lock()
	need := c.next(mine, pick.amount)
	limit, plan := mine.Limit, mine.PlanID
	c.mu.Unlock()
	if need <= limit {
		return mine, nil, nil
	}
	if plan != 0 {
		err := c.renewed(ctx, mine, func() uint64 { return c.next(mine, pick.amount) })
		return mine, nil, err
	}
	put, err := c.mayDeposit(pick.service, need-limit)
	if err != nil {
		return nil, nil, err
	}
	got, err := c.topUp(ctx, mine.ID, put)
	if err != nil {
		return nil, nil, err
	}
	return mine, &x402.Deposit{Amount: x402.Amount(put), Transaction: got.Transaction}, nil
}

// renewed looks whether a plan's next period has begun, and whether the channel then
// reaches for what is needed; that is asked with c.mu held.
func (c *Client) renewed(ctx context.Context, mine *clientChannel, need func() uint64) error {
	if err := c.look(ctx, mine); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if need() > mine.Limit {
		return fmt.Errorf("%w: the plan's quota for this period is used up", ErrNoDeposit)
	}
	return nil
}

// mayDeposit is how much is put into a channel that needs so much, within the limits:
// they bind what lies unspent in all channels to a service.
func (c *Client) mayDeposit(service, need uint64) (uint64, error) {
	l, err := c.limits()
	if err != nil {
		return 0, err
	}
	if l.Deposit == 0 {
		return 0, fmt.Errorf("%w: it needs %s TAO; deposit them yourself, or allow a deposit", ErrNoDeposit, client.FormatTAO(need))
	}
	var has uint64
	c.mu.Lock()
	for _, ch := range c.channels {
		if ch.ServiceID == service && ch.PlanID == 0 && !ch.Ended {
			has += sub(ch.Limit, ch.Charged) // of coins, whose sum fits
		}
	}
	c.mu.Unlock()
	most := l.MaxDeposit
	if most == 0 {
		most = 10 * min(l.Deposit, 1<<60)
	}
	if need > sub(most, has) {
		return 0, &LimitError{"deposit", need, has, most}
	}
	return min(max(l.Deposit, need), most-has), nil
}

func (c *Client) openFor(ctx context.Context, pick choice) (*clientChannel, *x402.Deposit, error) {
	if pick.plan != 0 {
		return nil, nil, fmt.Errorf("%w: subscribe to plan %d first", ErrNoDeposit, pick.plan)
	}
	need := pick.amount
	if pick.terms.MinDeposit != "" {
		least, _ := x402.ParseAmount(pick.terms.MinDeposit) // Terms has checked it
		need = max(need, least)
	}
	put, err := c.mayDeposit(pick.service, need)
	if err != nil {
		return nil, nil, err
	}
	got, err := c.open(ctx, OpenOptions{ServiceID: pick.service, Deposit: put, Hotkey: pick.requirements.PayTo,
		CloseDelay: max(c.cfg.CloseDelay, pick.terms.WithdrawDelay)})
	if err != nil {
		return nil, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.channels[string(got.ChannelID)], &x402.Deposit{Amount: x402.Amount(put), Transaction: got.Transaction}, nil
}
