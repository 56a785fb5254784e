package pay

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// Errors of a chain that callers tell apart. Any other means that it could not be
// asked, and says nothing about channels.
var (
	ErrNoChannel = errors.New("there is no such channel on the chain")
	ErrNoService = errors.New("there is no such service on the chain")
)

// Chain is what a gateway needs of the chain; [NewChain] asks a real one.
type Chain interface {
	ChainID(ctx context.Context) (string, error)
	// Channel is an open channel as it is committed, or ErrNoChannel.
	Channel(ctx context.Context, id []byte) (*markettypes.QueryChannelResponse, error)
	// Service is one of the catalogue, or ErrNoService; Services are all listed ones.
	Service(ctx context.Context, id uint64) (*markettypes.ServiceInfo, error)
	Services(ctx context.Context) ([]markettypes.ServiceInfo, error)
	// ChannelsTo are all open channels that pay a hotkey.
	ChannelsTo(ctx context.Context, hotkey string) ([]markettypes.Channel, error)
	// Redeem claims; the results are in the order of the items.
	Redeem(ctx context.Context, items []markettypes.RedeemItem) (*markettypes.MsgRedeemResponse, error)
	// Close ends a channel: the provider's close is at once, the payer's after the delay.
	Close(ctx context.Context, id []byte) (*markettypes.MsgCloseResponse, error)
}

// Deposited is what became of a deposit.
type Deposited struct {
	ChannelID   []byte
	Deposit     uint64 // rao in the channel, in all that were ever put in
	Transaction string // hash
}

// PayerChain is what a client needs of the chain; [NewPayerChain] asks a real one.
type PayerChain interface {
	ChainID(ctx context.Context) (string, error)
	Channel(ctx context.Context, id []byte) (*markettypes.QueryChannelResponse, error)
	Service(ctx context.Context, id uint64) (*markettypes.ServiceInfo, error)
	// ChannelsOf are all open channels of the payer.
	ChannelsOf(ctx context.Context) ([]markettypes.Channel, error)
	// Deposit opens a channel or puts more into one. The chain fills in who pays.
	Deposit(ctx context.Context, msg markettypes.MsgDeposit) (Deposited, error)
	Close(ctx context.Context, id []byte) (*markettypes.MsgCloseResponse, error)
	CancelPlan(ctx context.Context, id []byte, now bool) (*markettypes.MsgCancelPlanResponse, error)
}

// node is a chain behind package client.
type node struct {
	c      *client.Client
	market markettypes.QueryClient
	signer *wallet.Signer
	payer  string // whose account pays; the signer's own, or that of who allows it to
}

// NewChain is a gateway's chain. The signer is the provider's hotkey or its coldkey: it
// redeems and closes, and pays the fees.
func NewChain(c *client.Client, signer *wallet.Signer) Chain {
	return &node{c: c, market: c.Market(), signer: signer}
}

// NewPayerChain is a client's chain. The signer is the payer's key; or an agent's, with
// payer the address of the account that allows it to spend (authz).
func NewPayerChain(c *client.Client, signer *wallet.Signer, payer string) PayerChain {
	if payer == "" {
		payer = signer.Address()
	}
	return &node{c: c, market: c.Market(), signer: signer, payer: payer}
}

func (n *node) ChainID(ctx context.Context) (string, error) { return n.c.ChainID(ctx) }

func (n *node) Channel(ctx context.Context, id []byte) (*markettypes.QueryChannelResponse, error) {
	resp, err := n.market.Channel(ctx, &markettypes.QueryChannelRequest{ChannelId: hex.EncodeToString(id)})
	if errors.Is(err, client.ErrNotFound) {
		return nil, fmt.Errorf("%w: %x", ErrNoChannel, id)
	}
	return resp, err
}

func (n *node) Service(ctx context.Context, id uint64) (*markettypes.ServiceInfo, error) {
	resp, err := n.market.Service(ctx, &markettypes.QueryServiceRequest{ServiceId: id})
	if errors.Is(err, client.ErrNotFound) {
		return nil, fmt.Errorf("%w: service %d", ErrNoService, id)
	}
	if err != nil {
		return nil, err
	}
	return &resp.Service, nil
}

func (n *node) Services(ctx context.Context) ([]markettypes.ServiceInfo, error) {
	var all []markettypes.ServiceInfo
	err := pages(func(page *query.PageRequest) (*query.PageResponse, error) {
		resp, err := n.market.Services(ctx, &markettypes.QueryServicesRequest{Pagination: page})
		if err != nil {
			return nil, err
		}
		all = append(all, resp.Services...)
		return resp.Pagination, nil
	})
	return all, err
}

func (n *node) ChannelsTo(ctx context.Context, hotkey string) ([]markettypes.Channel, error) {
	return n.channels(ctx, markettypes.QueryChannelsRequest{Hotkey: hotkey})
}

func (n *node) ChannelsOf(ctx context.Context) ([]markettypes.Channel, error) {
	return n.channels(ctx, markettypes.QueryChannelsRequest{Payer: n.payer})
}

func (n *node) channels(ctx context.Context, req markettypes.QueryChannelsRequest) ([]markettypes.Channel, error) {
	var all []markettypes.Channel
	err := pages(func(page *query.PageRequest) (*query.PageResponse, error) {
		req.Pagination = page
		resp, err := n.market.Channels(ctx, &req)
		if err != nil {
			return nil, err
		}
		all = append(all, resp.Channels...)
		return resp.Pagination, nil
	})
	return all, err
}

// pages asks until there is no next page.
func pages(ask func(*query.PageRequest) (*query.PageResponse, error)) error {
	var key []byte
	for {
		resp, err := ask(&query.PageRequest{Key: key, Limit: 1000})
		if err != nil {
			return err
		}
		if resp == nil || len(resp.NextKey) == 0 {
			return nil
		}
		key = resp.NextKey
	}
}
