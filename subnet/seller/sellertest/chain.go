// Package sellertest has a chain in memory for tests of what sells: neurons list services
// on it, customers open channels and pay, sellers redeem.
package sellertest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet/seller"
	"github.com/lodenet/lode/voucher"
	markettypes "github.com/lodenet/lode/x/market/types"
)

const chainID = "lode-test-1"

// ErrNoFunds says that a customer has less than it wants to put into a channel.
var ErrNoFunds = errors.New("insufficient funds")

var _ seller.Chain = (*Chain)(nil)

// Chain keeps services, channels and coins as x/market does, in memory. It is a seller's
// chain and, by [Chain.Payer], a customer's.
type Chain struct {
	blocks chan client.Block

	mu         sync.Mutex
	height     int64
	registered bool
	funds      uint64 // what a seller's hotkey has for fees, in rao
	listed     int
	services   []markettypes.ServiceInfo
	channels   map[string]*markettypes.Channel
	coins      map[string]uint64 // rao, by who has them
}

// NewChain makes a chain where every hotkey is registered and has 1 TAO for fees.
func NewChain() *Chain {
	f := &Chain{
		blocks: make(chan client.Block, 64), height: 100, registered: true, funds: client.RaoPerTAO,
		channels: map[string]*markettypes.Channel{}, coins: map[string]uint64{},
	}
	f.Block()
	return f
}

// Block makes sellers look at the chain.
func (f *Chain) Block() { f.blocks <- client.Block{} }

// Give gives somebody coins, in rao.
func (f *Chain) Give(to string, rao uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.coins[to] += rao
}

// Balance is what somebody has in their own hands, in rao; providers earn for "HOTKEY-cold".
func (f *Chain) Balance(of string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.coins[of]
}

// InChannels is what lies in channels and is not claimed, in rao.
func (f *Chain) InChannels() (rao uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.channels {
		rao += c.Left()
	}
	return rao
}

// Register says whether hotkeys are registered.
func (f *Chain) Register(registered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.registered = registered
}

// SetFunds says what a seller's hotkey has for fees, in rao.
func (f *Chain) SetFunds(rao uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.funds = rao
}

// Listed is how often a service was listed or changed.
func (f *Chain) Listed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.listed
}

// Blocks is for sellers.
func (f *Chain) Blocks(context.Context) <-chan client.Block { return f.blocks }

// Registered is as [Chain.Register] said last.
func (f *Chain) Registered(context.Context, uint16, string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.registered, nil
}

// Funds are as [Chain.SetFunds] said last.
func (f *Chain) Funds(context.Context) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.funds, nil
}

// Own are a hotkey's services.
func (f *Chain) Own(ctx context.Context, _ uint16, hotkey string) (own []markettypes.ServiceInfo, err error) {
	all, err := f.Services(ctx)
	for _, s := range all {
		if s.Hotkey == hotkey {
			own = append(own, s)
		}
	}
	return own, err
}

// List lists a service, or changes it.
func (f *Chain) List(_ context.Context, m markettypes.MsgListService) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listed++
	s := markettypes.ServiceInfo{Hotkey: m.Hotkey, Coldkey: m.Hotkey + "-cold", Service: markettypes.Service{
		Id: uint64(len(f.services)) + 1, Netuid: m.Netuid, Provider: m.Hotkey, Name: m.Name, Description: m.Description,
		Endpoint: m.Endpoint, Unit: m.Unit, Price: m.Price, Per: m.Per, Terms: m.Terms, Listed: true,
	}}
	for i, old := range f.services {
		if old.Hotkey == m.Hotkey && old.Service.Name == m.Name {
			s.Service.Id = old.Service.Id
			f.services[i] = s
			return s.Service.Id, nil
		}
	}
	f.services = append(f.services, s)
	return s.Service.Id, nil
}

// ChainID names the chain.
func (f *Chain) ChainID(context.Context) (string, error) { return chainID, nil }

// Services are all services.
func (f *Chain) Services(context.Context) ([]markettypes.ServiceInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]markettypes.ServiceInfo(nil), f.services...), nil
}

// Service is one service.
func (f *Chain) Service(ctx context.Context, id uint64) (*markettypes.ServiceInfo, error) {
	all, err := f.Services(ctx)
	if err != nil || id == 0 || id > uint64(len(all)) {
		return nil, errors.Join(err, pay.ErrNoService)
	}
	return &all[id-1], nil
}

// Channel is one channel.
func (f *Chain) Channel(_ context.Context, id []byte) (*markettypes.QueryChannelResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.channels[string(id)]
	if c == nil {
		return nil, pay.ErrNoChannel
	}
	return &markettypes.QueryChannelResponse{Channel: *c, Hotkey: c.Provider, Height: f.height}, nil
}

func (f *Chain) all(want func(*markettypes.Channel) bool) (all []markettypes.Channel, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.channels {
		if want(c) {
			all = append(all, *c)
		}
	}
	return all, nil
}

// ChannelsTo are the channels that pay a hotkey.
func (f *Chain) ChannelsTo(_ context.Context, hotkey string) ([]markettypes.Channel, error) {
	return f.all(func(c *markettypes.Channel) bool { return c.Provider == hotkey })
}

// Redeem pays out vouchers.
func (f *Chain) Redeem(_ context.Context, items []markettypes.RedeemItem) (*markettypes.MsgRedeemResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.height++
	resp := &markettypes.MsgRedeemResponse{}
	for _, it := range items {
		r := markettypes.RedeemResult{Status: markettypes.REDEEM_PAID}
		c := f.channels[string(it.ChannelId)]
		switch {
		case c == nil:
			r.Status = markettypes.REDEEM_NO_CHANNEL
		case it.Claim > it.Cumulative || it.Claim > c.Deposit:
			r.Status = markettypes.REDEEM_OVER_CLAIM
		case !(voucher.Voucher{ChannelID: it.ChannelId, Cumulative: it.Cumulative}).Verify(chainID, c.SessionKey, it.Signature):
			r.Status = markettypes.REDEEM_BAD_SIGNATURE
		case it.Claim <= c.Claimed:
			r.Status = markettypes.REDEEM_STALE
		default:
			r.Paid = it.Claim - c.Claimed
			c.Claimed = it.Claim
			f.coins[c.Provider+"-cold"] += r.Paid
		}
		resp.Results = append(resp.Results, r)
		resp.Paid += r.Paid
	}
	resp.Provider = resp.Paid
	return resp, nil
}

// Close is not done here.
func (f *Chain) Close(context.Context, []byte) (*markettypes.MsgCloseResponse, error) {
	return nil, errors.New("nobody closes channels here")
}

// Payer is the chain as a customer uses it.
func (f *Chain) Payer(who string) pay.PayerChain { return payer{f, who} }

type payer struct {
	*Chain
	who string
}

func (p payer) ChannelsOf(context.Context) ([]markettypes.Channel, error) {
	return p.all(func(c *markettypes.Channel) bool { return c.Payer == p.who })
}

func (p payer) CancelPlan(context.Context, []byte, bool) (*markettypes.MsgCancelPlanResponse, error) {
	return nil, errors.New("there are no plans here")
}

func (p payer) Deposit(_ context.Context, m markettypes.MsgDeposit) (pay.Deposited, error) {
	f := p.Chain
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.coins[p.who] < m.Amount {
		return pay.Deposited{}, fmt.Errorf("%w: %s has %d rao", ErrNoFunds, p.who, f.coins[p.who])
	}
	f.height++
	c := f.channels[string(m.ChannelId)]
	if c == nil {
		s := f.services[m.ServiceId-1]
		id := voucher.ChannelID(chainID, voucher.Config{Payer: []byte(p.who), Provider: []byte(s.Hotkey), SessionKey: m.SessionKey,
			SubnetID: 1, ServiceID: m.ServiceId, CloseDelay: m.CloseDelay}, f.height)
		c = &markettypes.Channel{Id: id, Payer: p.who, Provider: s.Hotkey, SubnetId: 1, Netuid: 1, ServiceId: m.ServiceId,
			SessionKey: m.SessionKey, CloseDelay: m.CloseDelay, OpenedHeight: f.height}
		f.channels[string(id)] = c
	}
	f.coins[p.who] -= m.Amount
	c.Deposit += m.Amount
	return pay.Deposited{ChannelID: c.Id, Deposit: c.Deposit, Transaction: "TX"}, nil
}
