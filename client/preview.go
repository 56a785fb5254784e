package client

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"github.com/lodenet/lode/wallet"
)

// Preview is a transaction that is about to be signed. It was run on a node in the
// state of now.
type Preview struct {
	Msgs    []sdk.Msg
	Signers []string // in the order in which the chain wants their signatures
	Payer   string   // who pays the fee, be it by an allowance
	Granter string   // whose allowance pays it; empty: nobody's
	Gas     uint64
	FeeRao  uint64
	// LastBlock is the last block that may take it if it is signed now: each signature has
	// one of its own, [TxLifetime] after it. 0: there is none.
	LastBlock int64
	// Changes are what the messages did to balances when they were run, by address,
	// without the fee. Nil is what was not run: the free lane carries no money.
	Changes []Change
}

// Change is what a transaction does to an account's TAO.
type Change struct {
	Address string
	Rao     int64
}

// Review is asked before a transaction is signed, and may take its time: an error keeps
// the transaction from being signed, and is what [Client.Send] returns.
type Review func(ctx context.Context, p Preview) error

// Try runs messages on a node as [Client.Send] would send them, and sends nothing. The
// signers may be absent ([wallet.NewAbsentSigner]).
func (c *Client) Try(ctx context.Context, signers []*wallet.Signer, msgs ...sdk.Msg) (Preview, error) {
	d, err := c.draft(signers, msgs)
	if err != nil {
		return Preview{}, err
	}
	if err := c.bounded(ctx, d, c.estimate); err != nil {
		return Preview{}, err
	}
	if err := c.bounded(ctx, d, c.expire); err != nil {
		return Preview{}, err
	}
	return d.preview(), nil
}

// expire sets the last block that may take a draft, were it signed now.
func (c *Client) expire(ctx context.Context, d *draft) error {
	height, err := c.fresh(ctx)
	d.deadline = height + TxLifetime
	return err
}

// review asks Config.Review about a draft.
func (c *Client) review(ctx context.Context, d *draft) error {
	if c.cfg.Review == nil {
		return nil
	}
	if err := c.bounded(ctx, d, c.expire); err != nil {
		return err
	}
	return c.cfg.Review(ctx, d.preview())
}

func (d *draft) preview() Preview {
	p := Preview{Payer: cmp.Or(d.granter, d.payer, d.accounts[0].signer.Address()), Granter: d.granter, Gas: d.gas, FeeRao: d.feeRao, LastBlock: d.deadline, Changes: d.changes}
	for _, m := range d.msgs {
		p.Msgs = append(p.Msgs, m.GetCachedValue().(sdk.Msg)) // draft has put it there
	}
	for _, a := range d.accounts {
		p.Signers = append(p.Signers, a.signer.Address())
	}
	return p
}

// simulated is a node's answer to a transaction that it has tried, as it writes it.
type simulated struct {
	GasInfo struct {
		GasUsed uint64 `json:"gas_used,string"`
	} `json:"gas_info"`
	Result struct {
		Events []struct {
			Type       string `json:"type"`
			Attributes []struct {
				Key   string `json:"key"`
				Value string `json:"value"`
			} `json:"attributes"`
		} `json:"events"`
	} `json:"result"`
}

func parseSimulated(raw json.RawMessage) (s simulated, err error) {
	err = json.Unmarshal(raw, &s)
	return s, err
}

// changes add up what a transaction did to balances, without its fee.
func (s *simulated) changes() []Change {
	sums := map[string]int64{}
	add := func(address, coins string, sign int64) {
		sums[address] += sign * raoOf(coins)
	}
	for _, e := range s.Result.Events {
		of := map[string]string{}
		for _, a := range e.Attributes {
			of[a.Key] = a.Value
		}
		switch e.Type {
		case banktypes.EventTypeCoinSpent:
			add(of[banktypes.AttributeKeySpender], of[sdk.AttributeKeyAmount], -1)
		case banktypes.EventTypeCoinReceived:
			add(of[banktypes.AttributeKeyReceiver], of[sdk.AttributeKeyAmount], 1)
		case sdk.EventTypeTx: // the fee that moved above
			add(of[sdk.AttributeKeyFeePayer], of[sdk.AttributeKeyFee], 1)
			add(feeCollector, of[sdk.AttributeKeyFee], -1)
		}
	}
	delete(sums, "")
	list := []Change{}
	for address, rao := range sums {
		if rao != 0 {
			list = append(list, Change{address, rao})
		}
	}
	slices.SortFunc(list, func(a, b Change) int { return strings.Compare(a.Address, b.Address) })
	return list
}

// feeCollector is the account that fees go to.
var feeCollector = authtypes.NewModuleAddress(authtypes.FeeCollectorName).String()

// raoOf is the rao of an amount of coins; 0 where it can't be read, as of an account
// that sends nothing.
func raoOf(coins string) int64 {
	list, err := sdk.ParseCoinsNormalized(coins)
	if err != nil {
		return 0
	}
	amount := list.AmountOf(Denom)
	if !amount.IsInt64() {
		return 0 // beyond the supply
	}
	return amount.Int64()
}
