package pay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/lodenet/lode/pay/x402"
)

// Quote is what a request will cost at most.
type Quote struct {
	Method, URL string
	Provider    string // hotkey
	ServiceID   uint64
	PlanID      uint64 // 0: by use
	PlanName    string
	Amount      uint64 // ceiling in rao, of a plan units
	Unit        string
	Price, Per  uint64 // rao for Per units
	Description string
}

// choice is terms of ours among those that a gateway offers.
type choice struct {
	requirements x402.Requirements
	terms        x402.Terms
	amount       uint64
	service      uint64
	plan         uint64
	resource     x402.Resource
	extensions   x402.Extensions
	form         *x402.Form // of payments on them
}

// choices are the terms in a 402 that the client can pay on; none where it is no such.
func (c *Client) choices(ctx context.Context, resp *http.Response) ([]choice, error) {
	header := resp.Header.Get(x402.HeaderRequired)
	if resp.StatusCode != http.StatusPaymentRequired || header == "" {
		return nil, nil
	}
	required, err := x402.DecodeRequired(header)
	if err != nil {
		return nil, fmt.Errorf("%s answers 402 with terms that can't be read: %w", resp.Request.URL.Host, err)
	}
	return c.choose(ctx, required)
}

func (c *Client) choose(ctx context.Context, required x402.Required) ([]choice, error) {
	id, err := c.chain(ctx)
	if err != nil {
		return nil, err
	}
	var all []choice
	for _, r := range required.Accepts {
		if r.Scheme != x402.Scheme || r.Network != x402.Network(id) {
			continue
		}
		terms, err := r.Terms()
		if err != nil {
			return nil, err
		}
		amount, err := x402.ParseAmount(r.Amount)
		if err != nil {
			return nil, err
		}
		ch := choice{requirements: r, terms: terms, amount: amount, resource: required.Resource, extensions: required.Extensions}
		ch.service, _ = x402.ParseAmount(terms.ServiceID) // Terms has checked them
		if terms.PlanID != "" {
			ch.plan, _ = x402.ParseAmount(terms.PlanID)
		}
		if want := map[bool]string{true: x402.AssetUnit, false: x402.Asset}[ch.plan != 0]; r.Asset != want {
			continue
		}
		if ch.requirements, err = withoutState(r, terms); err != nil {
			return nil, err
		}
		if ch.form, err = x402.NewForm(&ch.resource, ch.requirements, ch.extensions); err != nil {
			return nil, err
		}
		all = append(all, ch)
	}
	return all, nil
}

// withoutState are terms without what a corrective answer has added, for later requests
// are paid on them too. Those with fields that we don't know are left as they are.
func withoutState(r x402.Requirements, terms x402.Terms) (x402.Requirements, error) {
	if terms.ChannelState == nil && terms.VoucherState == nil {
		return r, nil
	}
	terms.ChannelState, terms.VoucherState = nil, nil
	bare, err := r.WithTerms(terms)
	if err != nil {
		return r, err
	}
	var was, is map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(r.Extra, &was), json.Unmarshal(bare.Extra, &is)); err != nil {
		return r, err
	}
	delete(was, "channelState")
	delete(was, "voucherState")
	if len(was) != len(is) {
		return r, nil
	}
	return bare, nil
}

// chain is the id of the chain that the client pays on.
func (c *Client) chain(ctx context.Context) (string, error) {
	c.mu.Lock()
	id := c.chainID
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	if c.cfg.Chain == nil {
		return "", errors.New("pay: the client has no chain to pay on")
	}
	var known string
	if _, err := c.store.get(chainKey, &known); err != nil {
		return "", err
	}
	id, err := c.cfg.Chain.ChainID(ctx)
	switch {
	case err != nil && known == "":
		return "", err
	case err != nil:
		id = known // paying needs no node
	case known == "":
		var b batch
		b.put(chainKey, id)
		if err := c.store.write("chain", false, &b); err != nil {
			return "", err
		}
	case known != id:
		return "", fmt.Errorf("the store in %s is of chain %s, this is %s: use another directory", c.cfg.Dir, known, id)
	}
	c.mu.Lock()
	c.chainID = id
	c.mu.Unlock()
	return id, nil
}

// pick takes a plan that the client subscribes to before paying by use.
func (c *Client) pick(choices []choice) (choice, *clientChannel, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, want := range []bool{true, false} {
		for _, ch := range choices {
			if (ch.plan != 0) == want {
				if mine := c.usable(ch.service, ch.plan); mine != nil {
					return ch, mine, true
				}
			}
		}
	}
	i := slices.IndexFunc(choices, func(ch choice) bool { return ch.plan == 0 })
	if i < 0 {
		return choice{}, nil, false
	}
	return choices[i], nil, true
}

// known sees to it that the provider that terms name is the service's: a channel pays no
// other, and limits are counted by provider. Its hotkey may have been swapped.
func (c *Client) known(ctx context.Context, picked choice, mine *clientChannel) error {
	if mine == nil {
		return nil // it is looked at when a channel is opened
	}
	c.mu.Lock()
	same := mine.Provider == picked.requirements.PayTo
	c.mu.Unlock()
	if same {
		return nil
	}
	info, err := c.cfg.Chain.Service(ctx, picked.service)
	if err != nil {
		return err
	}
	if info.Hotkey != picked.requirements.PayTo {
		return notTheProvider(picked.requirements.PayTo, picked.service, info.Hotkey)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	mine.Provider = info.Hotkey
	var b batch
	b.put(keyed(kindMine, mine.ID), mine)
	return c.store.write("provider", false, &b)
}

func notTheProvider(payTo string, service uint64, hotkey string) error {
	return fmt.Errorf("%w: it wants to be paid as %.80s, service %d is %s's", ErrDishonest, payTo, service, hotkey)
}

func (ch choice) quote(req *http.Request) Quote {
	q := Quote{Method: req.Method, URL: redacted(req), Provider: ch.requirements.PayTo, ServiceID: ch.service, PlanID: ch.plan, PlanName: ch.terms.PlanName,
		Amount: ch.amount, Unit: ch.terms.Unit, Description: ch.resource.Description}
	q.Price, _ = x402.ParseAmount(ch.terms.Price) // Terms has checked them
	q.Per, _ = x402.ParseAmount(ch.terms.Per)
	return q
}

// redacted is a request's URL without a password.
func redacted(req *http.Request) string {
	u := req.URL.Redacted()
	return u[:min(len(u), 2048)]
}
