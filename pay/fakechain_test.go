package pay_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/voucher"
	markettypes "github.com/lodenet/lode/x/market/types"
)

const (
	chainID  = "lode-test-1"
	hotkey   = "lode1provider"
	customer = "lode1customer"
)

var errDown = errors.New("no node can be reached")

// fakeChain keeps channels as x/market does, in memory. It is a gateway's chain and a
// client's.
type fakeChain struct {
	mu       sync.Mutex
	height   int64
	services map[uint64]*markettypes.ServiceInfo
	channels map[string]*markettypes.Channel
	down     bool
	refuses  error // what deposits are answered with
	// loseRedeem makes the next redemption happen and its answer be lost.
	loseRedeem bool
	redeems    int
	deposits   int
	queries    int
	paid       uint64 // to the provider, in all
	refunded   uint64
}

func newFakeChain(services ...*markettypes.ServiceInfo) *fakeChain {
	f := &fakeChain{height: 100, services: map[uint64]*markettypes.ServiceInfo{}, channels: map[string]*markettypes.Channel{}}
	if len(services) == 0 {
		services = []*markettypes.ServiceInfo{tokens()}
	}
	for _, s := range services {
		f.services[s.Service.Id] = s
	}
	return f
}

// tokens is a service at 2 rao a token.
func tokens() *markettypes.ServiceInfo {
	return &markettypes.ServiceInfo{Hotkey: hotkey, Coldkey: "lode1coldkey", Service: markettypes.Service{
		Id: 7, SubnetId: 1, Netuid: 1, Provider: hotkey, Name: "chat", Description: "a language model", Endpoint: "https://chat.example",
		Unit: markettypes.UNIT_TOKEN, Price: 2, Per: 1, Listed: true,
	}}
}

func (f *fakeChain) lock() (func(), error) {
	f.mu.Lock()
	f.queries++
	if f.down {
		f.mu.Unlock()
		return nil, errDown
	}
	return f.mu.Unlock, nil
}

func (f *fakeChain) ChainID(context.Context) (string, error) {
	unlock, err := f.lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	return chainID, nil
}

func (f *fakeChain) Channel(_ context.Context, id []byte) (*markettypes.QueryChannelResponse, error) {
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	c := f.channels[string(id)]
	if c == nil {
		return nil, pay.ErrNoChannel
	}
	return &markettypes.QueryChannelResponse{Channel: clone(c), Hotkey: hotkey, Height: f.height}, nil
}

func clone(c *markettypes.Channel) markettypes.Channel {
	out := *c
	if c.Subscription != nil {
		s := *c.Subscription
		out.Subscription = &s
	}
	return out
}

func (f *fakeChain) Service(_ context.Context, id uint64) (*markettypes.ServiceInfo, error) {
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	s := f.services[id]
	if s == nil {
		return nil, pay.ErrNoService
	}
	out := *s
	return &out, nil
}

func (f *fakeChain) Services(context.Context) ([]markettypes.ServiceInfo, error) {
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var all []markettypes.ServiceInfo
	for _, s := range f.services {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b markettypes.ServiceInfo) int { return int(a.Service.Id) - int(b.Service.Id) })
	return all, nil
}

func (f *fakeChain) ChannelsTo(_ context.Context, to string) ([]markettypes.Channel, error) {
	return f.all(func(c *markettypes.Channel) bool { return c.Provider == to })
}

func (f *fakeChain) ChannelsOf(context.Context) ([]markettypes.Channel, error) {
	return f.all(func(c *markettypes.Channel) bool { return c.Payer == customer })
}

func (f *fakeChain) all(want func(*markettypes.Channel) bool) ([]markettypes.Channel, error) {
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var all []markettypes.Channel
	for _, c := range f.channels {
		if want(c) {
			all = append(all, clone(c))
		}
	}
	return all, nil
}

func (f *fakeChain) Deposit(_ context.Context, m markettypes.MsgDeposit) (pay.Deposited, error) {
	unlock, err := f.lock()
	if err != nil {
		return pay.Deposited{}, err
	}
	defer unlock()
	if f.refuses != nil {
		return pay.Deposited{}, f.refuses
	}
	f.height++
	f.deposits++
	if len(m.ChannelId) > 0 {
		c := f.channels[string(m.ChannelId)]
		if c == nil {
			return pay.Deposited{}, pay.ErrNoChannel
		}
		c.Deposit += m.Amount
		return pay.Deposited{ChannelID: m.ChannelId, Deposit: c.Deposit, Transaction: "TX"}, nil
	}
	s := f.services[m.ServiceId]
	if s == nil {
		return pay.Deposited{}, pay.ErrNoService
	}
	id := voucher.ChannelID(chainID, voucher.Config{Payer: []byte(customer), Provider: []byte(s.Service.Provider), SessionKey: m.SessionKey,
		SubnetID: 1, ServiceID: m.ServiceId, PlanID: m.PlanId, CloseDelay: m.CloseDelay}, f.height)
	c := &markettypes.Channel{Id: id, Payer: customer, Provider: s.Service.Provider, SubnetId: 1, Netuid: 1, ServiceId: m.ServiceId,
		SessionKey: m.SessionKey, CloseDelay: m.CloseDelay, Deposit: m.Amount, OpenedHeight: f.height}
	for _, p := range s.Plans {
		if p.Id == m.PlanId {
			c.Subscription = &markettypes.Subscription{PlanId: p.Id, Price: p.Price, Period: p.Period, Quota: p.Quota, PeriodEnd: 1 << 40}
		}
	}
	f.channels[string(id)] = c
	return pay.Deposited{ChannelID: id, Deposit: m.Amount, Transaction: "TX"}, nil
}

// open puts a channel on the chain that no client knows.
func (f *fakeChain) open(n uint64, sessionKey []byte, deposit uint64) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := make([]byte, 32)
	binary.BigEndian.PutUint64(id, n)
	f.channels[string(id)] = &markettypes.Channel{Id: id, Payer: customer, Provider: hotkey, SubnetId: 1, Netuid: 1, ServiceId: 7,
		SessionKey: sessionKey, CloseDelay: 3600, Deposit: deposit}
	return id
}

func (f *fakeChain) Redeem(_ context.Context, items []markettypes.RedeemItem) (*markettypes.MsgRedeemResponse, error) {
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	f.height++
	f.redeems++
	resp := &markettypes.MsgRedeemResponse{}
	for _, it := range items {
		r := f.redeemOne(it)
		resp.Results = append(resp.Results, r)
		resp.Paid += r.Paid
	}
	resp.Provider = resp.Paid
	f.paid += resp.Paid
	if f.loseRedeem {
		f.loseRedeem = false
		return nil, errDown
	}
	return resp, nil
}

func (f *fakeChain) redeemOne(it markettypes.RedeemItem) markettypes.RedeemResult {
	c := f.channels[string(it.ChannelId)]
	switch {
	case c == nil:
		return markettypes.RedeemResult{Status: markettypes.REDEEM_NO_CHANNEL}
	case it.Claim > it.Cumulative:
		return markettypes.RedeemResult{Status: markettypes.REDEEM_OVER_CLAIM}
	case !(voucher.Voucher{ChannelID: it.ChannelId, Cumulative: it.Cumulative}).Verify(chainID, c.SessionKey, it.Signature):
		return markettypes.RedeemResult{Status: markettypes.REDEEM_BAD_SIGNATURE}
	}
	if s := c.Subscription; s != nil {
		switch {
		case it.Claim > s.UsedBefore+s.Quota:
			return markettypes.RedeemResult{Status: markettypes.REDEEM_OVER_DEPOSIT}
		case it.Claim <= s.Used:
			return markettypes.RedeemResult{Status: markettypes.REDEEM_STALE}
		}
		s.Used = it.Claim
		return markettypes.RedeemResult{Status: markettypes.REDEEM_PAID}
	}
	switch {
	case it.Claim > c.Deposit:
		return markettypes.RedeemResult{Status: markettypes.REDEEM_OVER_DEPOSIT}
	case it.Claim <= c.Claimed:
		return markettypes.RedeemResult{Status: markettypes.REDEEM_STALE}
	}
	paid := it.Claim - c.Claimed
	c.Claimed = it.Claim
	return markettypes.RedeemResult{Status: markettypes.REDEEM_PAID, Paid: paid}
}

func (f *fakeChain) Close(_ context.Context, id []byte) (*markettypes.MsgCloseResponse, error) {
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	c := f.channels[string(id)]
	if c == nil {
		return nil, pay.ErrNoChannel
	}
	f.height++
	delete(f.channels, string(id))
	f.refunded += c.Deposit - c.Claimed
	return &markettypes.MsgCloseResponse{Refunded: c.Deposit - c.Claimed}, nil
}

func (f *fakeChain) CancelPlan(_ context.Context, id []byte, now bool) (*markettypes.MsgCancelPlanResponse, error) {
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	c := f.channels[string(id)]
	if c == nil || c.Subscription == nil {
		return nil, pay.ErrNoChannel
	}
	c.Subscription.Cancelled = true
	return &markettypes.MsgCancelPlanResponse{Ends: c.Subscription.PeriodEnd}, nil
}

// change changes a channel as a block would.
func (f *fakeChain) change(id []byte, change func(*markettypes.Channel)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.height++
	change(f.channels[string(id)])
}

func (f *fakeChain) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.height++
	change()
}

// claimed is what is claimed of all channels.
func (f *fakeChain) claimed() (sum uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.channels {
		sum += c.Claimed
	}
	return sum
}
