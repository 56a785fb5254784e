package pay

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/voucher"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// clientChannel is what a client keeps of a channel of its own. Amounts are rao, of a
// plan's channel units.
type clientChannel struct {
	ID         hexBytes `json:"id"`
	Provider   string   `json:"provider"` // hotkey when it was opened
	ServiceID  uint64   `json:"serviceId"`
	PlanID     uint64   `json:"planId,omitempty"`
	SessionKey hexBytes `json:"sessionKey"` // public
	CloseDelay int64    `json:"closeDelay"`
	Limit      uint64   `json:"limit"`  // no voucher says more: the deposit, or the units up to the period's end
	Signed     uint64   `json:"signed"` // of the newest voucher
	// Charged is what is known to be charged: of payments whose outcome is unknown, all
	// that they can have cost.
	Charged uint64 `json:"charged"`
	// Recovered: the books before that are lost, and what the chain and the gateway show
	// by our own signature is believed.
	Recovered bool `json:"recovered,omitempty"`
	// Stopped says why it pays nothing more.
	Stopped string `json:"stopped,omitempty"`
	// Ended: it is closed or closing, what is left of its deposit comes back.
	Ended bool `json:"ended,omitempty"`

	ahead uint64             // Σ ceilings of payments under way
	told  uint64             // most that the provider has said is charged in all
	key   ed25519.PrivateKey // read when first needed
}

// amount says what a number of the channel's is: TAO, or units of a plan.
func (ch *clientChannel) amount(n uint64) string {
	if ch.PlanID != 0 {
		return fmt.Sprintf("%d units", n)
	}
	return client.FormatTAO(n) + " TAO"
}

// usable is the channel with most left that can pay a service, or a plan of it. c.mu is
// held.
func (c *Client) usable(service, plan uint64) *clientChannel {
	var best *clientChannel
	var most uint64
	for _, ch := range c.channels {
		if ch.ServiceID != service || ch.PlanID != plan || ch.Stopped != "" {
			continue
		}
		left := sub(ch.Limit, ch.Charged)
		if best == nil || left > most || left == most && slices.Compare(ch.ID, best.ID) < 0 {
			best, most = ch, left
		}
	}
	return best
}

// ParseChannelID reads a channel's id: 64 hexadecimal digits.
func ParseChannelID(s string) ([]byte, error) {
	id, err := hex.DecodeString(s)
	if err != nil || len(id) != voucher.IDSize {
		return nil, fmt.Errorf("%.80q is no channel: its id has 64 hexadecimal digits, lode pay list shows them", s)
	}
	return id, nil
}

// OpenOptions say what to open.
type OpenOptions struct {
	ServiceID  uint64
	PlanID     uint64 // 0: pay by use
	Deposit    uint64 // rao
	CloseDelay int64  // seconds; 0: 3600
	// Hotkey, if given, must be the service's provider: what a gateway calls itself.
	Hotkey string
	// MaxPrice is the most that a period of a plan may cost, in rao; 0: what it costs now.
	MaxPrice uint64
}

// Opened is a channel that was opened or topped up.
type Opened struct {
	ChannelID   []byte
	Deposit     uint64 // rao, all that was ever put in
	Transaction string
}

// Open opens a channel to a service, or subscribes to a plan. It does so whatever the
// limits are.
func (c *Client) Open(ctx context.Context, o OpenOptions) (Opened, error) {
	c.opening.Lock()
	defer c.opening.Unlock()
	return c.open(ctx, o)
}

func (c *Client) open(ctx context.Context, o OpenOptions) (Opened, error) {
	if _, err := c.chain(ctx); err != nil {
		return Opened{}, err
	}
	info, err := c.cfg.Chain.Service(ctx, o.ServiceID)
	if err != nil {
		return Opened{}, err
	}
	if o.Hotkey != "" && info.Hotkey != o.Hotkey {
		return Opened{}, notTheProvider(o.Hotkey, o.ServiceID, info.Hotkey)
	}
	if o.PlanID != 0 && o.MaxPrice == 0 {
		i := slices.IndexFunc(info.Plans, func(p markettypes.Plan) bool { return p.Id == o.PlanID })
		if i < 0 {
			return Opened{}, fmt.Errorf("service %d offers no plan %d", o.ServiceID, o.PlanID)
		}
		o.MaxPrice = info.Plans[i].Price
	}
	if o.CloseDelay <= 0 {
		o.CloseDelay = 3600
	}
	public, err := c.newKey()
	if err != nil {
		return Opened{}, err
	}
	got, err := c.cfg.Chain.Deposit(ctx, markettypes.MsgDeposit{Amount: o.Deposit, ServiceId: o.ServiceID, PlanId: o.PlanID,
		SessionKey: public, CloseDelay: o.CloseDelay, MaxPrice: o.MaxPrice})
	if err != nil {
		// Should it be committed after all, Recover finds it by its key.
		return Opened{}, fmt.Errorf("no channel was opened: %w", err)
	}
	ch := &clientChannel{ID: got.ChannelID, Provider: info.Hotkey, ServiceID: o.ServiceID, PlanID: o.PlanID, SessionKey: public,
		CloseDelay: o.CloseDelay, Limit: got.Deposit}
	if o.PlanID != 0 {
		ch.Limit = 0 // units, which the chain says
	}
	if err := c.deposited(ch, o.Deposit, got.Transaction); err != nil {
		return Opened(got), err
	}
	if o.PlanID != 0 {
		if err := c.look(ctx, ch); err != nil {
			c.log.Warn("a new channel can't be looked up, the first payment does it", "err", err)
		}
	}
	return Opened(got), nil
}

// look asks the chain how far a channel reaches, and where a plan's period begins.
func (c *Client) look(ctx context.Context, ch *clientChannel) error {
	resp, err := c.cfg.Chain.Channel(ctx, ch.ID)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.see(ch, &resp.Channel)
}

// see takes over what the chain says of a channel. A new period of a plan counts from
// where the last one's quota ended, whatever of it was used. c.mu is held.
func (c *Client) see(ch *clientChannel, m *markettypes.Channel) error {
	after := *ch
	after.Limit = limitOf(m)
	known := ch.Charged + ch.ahead
	switch s := m.Subscription; {
	case s != nil:
		after.Charged = max(after.Charged, s.UsedBefore)
	case m.Claimed > known && ch.Recovered:
		after.Charged = m.Claimed
	case m.Claimed > known && ch.Stopped == "":
		after.Stopped = fmt.Sprintf("its provider has claimed %s, and told us of %s at most", ch.amount(m.Claimed), ch.amount(known))
		c.log.Error("a provider has claimed too much, its channel pays nothing more", "provider", ch.Provider, "channel", hex.EncodeToString(ch.ID), "why", after.Stopped)
	}
	if c.channels[string(ch.ID)] != nil {
		var b batch
		b.put(keyed(kindMine, ch.ID), &after)
		if err := c.store.write("look", false, &b); err != nil {
			return err
		}
	}
	if after.Charged > ch.Charged { // what is unknown of the last period will stay so
		for n, p := range c.pending {
			if p.State == Unknown && p.Channel == hex.EncodeToString(ch.ID) {
				delete(c.pending, n)
			}
		}
	}
	*ch = after
	return nil
}

// TopUp puts more into a channel, whatever the limits are.
func (c *Client) TopUp(ctx context.Context, id []byte, amount uint64) (Opened, error) {
	c.opening.Lock()
	defer c.opening.Unlock()
	return c.topUp(ctx, id, amount)
}

func (c *Client) topUp(ctx context.Context, id []byte, amount uint64) (Opened, error) {
	c.mu.Lock()
	ch := c.channels[string(id)]
	c.mu.Unlock()
	if ch == nil {
		return Opened{}, fmt.Errorf("channel %x is not of this store", id)
	}
	got, err := c.cfg.Chain.Deposit(ctx, markettypes.MsgDeposit{Amount: amount, ChannelId: id})
	if err != nil {
		return Opened{}, fmt.Errorf("the channel was not topped up: %w", err)
	}
	c.mu.Lock()
	if ch.PlanID == 0 {
		ch.Limit = max(ch.Limit, got.Deposit)
	}
	c.mu.Unlock()
	return Opened{id, got.Deposit, got.Transaction}, c.deposited(ch, amount, got.Transaction)
}

// CloseChannel asks the chain to close a channel. Nothing is paid with it from then on.
func (c *Client) CloseChannel(ctx context.Context, id []byte) (*markettypes.MsgCloseResponse, error) {
	if err := c.stop(id, "closed"); err != nil {
		return nil, err
	}
	resp, err := c.cfg.Chain.Close(ctx, id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.channels[string(id)]
	if ch == nil {
		return resp, nil
	}
	ch.Ended = true
	var b batch
	b.put(keyed(kindMine, ch.ID), ch)
	return resp, c.store.write("ended", true, &b)
}

// CancelPlan ends the subscription that a channel pays: with its period, or now.
func (c *Client) CancelPlan(ctx context.Context, id []byte, now bool) (*markettypes.MsgCancelPlanResponse, error) {
	resp, err := c.cfg.Chain.CancelPlan(ctx, id, now)
	if err == nil && now {
		err = c.stop(id, "cancelled")
	}
	return resp, err
}

// stop makes a channel pay nothing more.
func (c *Client) stop(id []byte, why string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.channels[string(id)]
	if ch == nil || ch.Stopped != "" {
		return nil
	}
	ch.Stopped = why
	var b batch
	b.put(keyed(kindMine, ch.ID), ch)
	return c.store.write("stop", true, &b)
}

// Recover takes over channels of the payer's whose session keys are in the store's
// directory and that the store does not know: after a store was lost, or an opening
// whose answer was. It returns how many.
func (c *Client) Recover(ctx context.Context) (int, error) {
	c.opening.Lock()
	defer c.opening.Unlock()
	return c.recover(ctx)
}

func (c *Client) recover(ctx context.Context) (found int, err error) {
	if _, err := c.chain(ctx); err != nil {
		return 0, err
	}
	all, err := c.cfg.Chain.ChannelsOf(ctx)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		c.mu.Lock()
		known := c.channels[string(m.Id)] != nil
		c.mu.Unlock()
		if known || m.Closing() {
			continue
		}
		if _, err := readKey(c.keyFile(m.SessionKey), m.SessionKey); err != nil {
			continue // another store's
		}
		info, err := c.cfg.Chain.Service(ctx, m.ServiceId)
		if err != nil {
			return found, err
		}
		ch := &clientChannel{ID: m.Id, Provider: info.Hotkey, ServiceID: m.ServiceId, PlanID: m.PlanID(), SessionKey: m.SessionKey,
			CloseDelay: m.CloseDelay, Limit: limitOf(&m), Charged: m.Claimed, Signed: m.Claimed, Recovered: true}
		if s := m.Subscription; s != nil {
			ch.Charged, ch.Signed = s.Used, s.Used
		}
		if err := c.deposited(ch, m.Deposit, "recovered"); err != nil {
			return found, err
		}
		found++
	}
	return found, nil
}

// ClientChannel is how a channel of the client's stands. Amounts are rao, of a plan's
// channel units.
type ClientChannel struct {
	ID        string `json:"id"`
	Provider  string `json:"provider"`
	ServiceID uint64 `json:"serviceId"`
	PlanID    uint64 `json:"planId,omitempty"`
	Limit     uint64 `json:"limit"`
	Signed    uint64 `json:"signed"`
	Charged   uint64 `json:"charged"`
	UnderWay  uint64 `json:"underWay"` // what payments under way may cost
	Stopped   string `json:"stopped,omitempty"`
}

// Channels are the channels of the store, by id.
func (c *Client) Channels() []ClientChannel {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]ClientChannel, 0, len(c.channels))
	for _, ch := range c.channels {
		all = append(all, ClientChannel{hex.EncodeToString(ch.ID), ch.Provider, ch.ServiceID, ch.PlanID, ch.Limit, ch.Signed, ch.Charged, ch.ahead, ch.Stopped})
	}
	slices.SortFunc(all, func(a, b ClientChannel) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
	return all
}

// next is what the next voucher of a channel must say for a request. c.mu is held.
func (c *Client) next(ch *clientChannel, amount uint64) uint64 {
	worst, ok := add(ch.Charged, ch.ahead)
	sum, ok2 := add(worst, amount)
	if !ok || !ok2 {
		return 1<<64 - 1 // no deposit reaches
	}
	return max(ch.Signed, sum)
}

// limitOf is the most that a channel's vouchers can say.
func limitOf(m *markettypes.Channel) uint64 {
	if s := m.Subscription; s != nil {
		return s.UsedBefore + s.Quota
	}
	return m.Deposit
}
