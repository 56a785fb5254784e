package console

import (
	"context"
	"math"
	"math/big"

	"github.com/lodenet/lode/client"
)

// tradeJSON is one trade of a quote.
type tradeJSON struct {
	Netuid        uint32  `json:"netuid"`
	Side          string  `json:"side"` // buy, sell
	Given         uint64  `json:"given,string"`
	Expected      uint64  `json:"expected,string"`
	Least         uint64  `json:"least,string"`
	Fee           uint64  `json:"fee,string"`
	SpotPrice     string  `json:"spot_price"`
	AveragePrice  string  `json:"average_price"`
	PriceAfter    string  `json:"price_after"`
	Impact        float64 `json:"impact"`
	LimitPrice    string  `json:"limit_price"`
	LimitPriceRao uint64  `json:"limit_price_rao,string"`
	WithinLimit   bool    `json:"within_limit"`
}

func newTrade(t client.Trade, side string) tradeJSON {
	v := tradeJSON{
		Netuid: t.Netuid, Side: side, Given: t.Given, Expected: t.Received, Least: min(t.Worst, t.Received), Fee: t.Fee,
		SpotPrice: price(t.Before), PriceAfter: price(t.After), LimitPrice: priceOfRao(t.LimitPrice), LimitPriceRao: t.LimitPrice, WithinLimit: t.WithinLimit,
	}
	tao, alpha := t.Given-min(t.Fee, t.Given), t.Received
	if side == "sell" {
		tao, alpha = t.Received, tao
	}
	v.AveragePrice = perAlpha(tao, alpha)
	if before := number64(t.Before); before > 0 {
		if v.Impact = number64(t.After)/before - 1; math.IsInf(v.Impact, 0) || math.IsNaN(v.Impact) {
			v.Impact = 0
		}
	}
	return v
}

type quoteJSON struct {
	at
	Kind        string      `json:"kind"`
	Slippage    uint64      `json:"slippage"`
	Trades      []tradeJSON `json:"trades"`
	Expected    uint64      `json:"expected,string"`
	Least       uint64      `json:"least,string"`
	WithinLimit bool        `json:"within_limit"`
}

func (s *Server) quote(ctx context.Context, a *ask) (any, error) {
	kind, err := a.oneOf("kind", "", "stake", "unstake", "swap")
	if err != nil {
		return nil, err
	}
	if kind == "" {
		return nil, badValue("", "kind is missing: stake, unstake or swap")
	}
	netuid, has, err := a.optional("netuid", 1, 65535)
	if err != nil {
		return nil, err
	}
	if !has {
		return nil, badValue("", "netuid is missing")
	}
	to, has, err := a.optional("to_netuid", 1, 65535)
	if err != nil {
		return nil, err
	}
	if has != (kind == "swap") || has && to == netuid {
		return nil, badValue("", "to_netuid is for a swap, and another subnet than netuid")
	}
	amount, has, err := a.optional("amount", 1, math.MaxUint64)
	if err != nil {
		return nil, err
	}
	if !has {
		return nil, badValue("", "amount is missing")
	}
	slippage, has, err := a.optional("slippage", 0, 9999)
	if err != nil {
		return nil, err
	}
	if !has {
		slippage = client.DefaultSlippage
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	v := quoteJSON{at: now, Kind: kind, Slippage: slippage, WithinLimit: true}
	if kind != "stake" {
		t, err := s.client.QuoteUnstake(ctx, uint32(netuid), amount, uint32(slippage))
		if err != nil {
			return nil, err
		}
		v.Trades = append(v.Trades, newTrade(t, "sell"))
		amount, netuid = t.Received, to
	}
	if kind != "unstake" {
		t, err := s.client.QuoteStake(ctx, uint32(netuid), amount, uint32(slippage))
		if err != nil {
			return nil, err
		}
		v.Trades = append(v.Trades, newTrade(t, "buy"))
	}
	last := v.Trades[len(v.Trades)-1]
	v.Expected, v.Least = last.Expected, last.Least
	if kind == "swap" {
		// The worst of the sale buys at the worst of the purchase.
		v.Least = leastOfSwap(v.Trades[0], last)
	}
	for _, t := range v.Trades {
		v.WithinLimit = v.WithinLimit && t.WithinLimit
	}
	return v, nil
}

// leastOfSwap is what a swap brings if both trades go through whole at their limits: the
// least that the sale brings, less the purchase's fee, at the purchase's limit.
func leastOfSwap(sale, purchase tradeJSON) uint64 {
	x := new(big.Int).SetUint64(sale.Least)
	if given := new(big.Int).SetUint64(purchase.Given); given.Sign() > 0 {
		fee := new(big.Int).Mul(x, new(big.Int).SetUint64(purchase.Fee))
		fee.Add(fee, new(big.Int).Sub(given, big.NewInt(1))).Quo(fee, given)
		x = new(big.Int).Sub(x, fee)
	}
	x.Mul(x, big.NewInt(client.RaoPerTAO)).Quo(x, new(big.Int).SetUint64(max(purchase.LimitPriceRao, 1)))
	if x.Sign() <= 0 || !x.IsUint64() {
		return 0
	}
	return min(x.Uint64(), purchase.Expected)
}
