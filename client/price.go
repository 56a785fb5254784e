package client

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// DefaultSlippage is how far a trade may move the price unless one says otherwise:
// 500 basis points, 5 %.
const DefaultSlippage = 500

// basisPoints are how many make a whole.
const basisPoints = 10_000

// maxPriceText bounds a price's text: more digits than any price has.
const maxPriceText = 200

// Trade is what a trade would give at the block of its quote, and the worst that its
// limit lets happen later.
type Trade struct {
	Netuid   uint32
	Height   int64  // block at which the quote was true
	Given    uint64 // rao or alpha units
	Received uint64 // alpha units or rao
	Fee      uint64 // part of Given
	// Worst is the least that is received if the trade goes through whole at its limit.
	Worst  uint64
	Before string // price in TAO per alpha, a decimal
	After  string // that the trade would leave
	// LimitPrice is what the message carries, in rao per whole alpha: the highest price
	// that a purchase, the lowest that a sale may leave.
	LimitPrice uint64
	// WithinLimit says that After is within LimitPrice: at the quote's block the trade
	// would go through whole.
	WithinLimit bool
}

// QuoteStake says what rao would buy in a subnet, with a limit of slippage basis
// points (of 10,000) over the price of now.
func (c *Client) QuoteStake(ctx context.Context, netuid uint32, rao uint64, slippage uint32) (Trade, error) {
	q, err := c.Alpha().Quote(ctx, &alphatypes.QueryQuoteRequest{Netuid: netuid, Tao: rao})
	if err != nil {
		return Trade{}, err
	}
	limit, err := StakeLimit(q.PriceBefore, slippage)
	if err != nil {
		return Trade{}, err
	}
	after, err := perAlpha(q.PriceAfter)
	if err != nil {
		return Trade{}, err
	}
	t := Trade{
		Netuid: netuid, Height: q.Height, Given: rao, Received: q.Received, Fee: q.Fee,
		Before: q.PriceBefore, After: q.PriceAfter, LimitPrice: limit,
		WithinLimit: after.Cmp(new(big.Rat).SetUint64(limit)) <= 0,
	}
	t.Worst = t.WorstWith(rao)
	return t, nil
}

// WorstWith is [Trade.Worst] of a purchase for at most as much rao as was quoted, as where
// a sale that was to bring that brings less.
func (t Trade) WorstWith(rao uint64) uint64 {
	given := new(big.Int).SetUint64(max(t.Given, 1))
	spent := new(big.Int).SetUint64(rao)
	fee := new(big.Int).Mul(new(big.Int).SetUint64(min(t.Fee, t.Given)), spent)
	fee.Add(fee, given).Sub(fee, big.NewInt(1)).Quo(fee, given) // its part, rounded up as the pool does
	// No unit is bought above the price that the trade leaves, which is at most the limit.
	worst := spent.Sub(spent, fee)
	worst.Mul(worst, big.NewInt(RaoPerTAO))
	return clamp(worst.Quo(worst, new(big.Int).SetUint64(t.LimitPrice)))
}

// QuoteUnstake says what alpha units would bring in a subnet, with a limit of slippage
// basis points (of 10,000) under the price of now.
func (c *Client) QuoteUnstake(ctx context.Context, netuid uint32, units uint64, slippage uint32) (Trade, error) {
	q, err := c.Alpha().Quote(ctx, &alphatypes.QueryQuoteRequest{Netuid: netuid, Alpha: units})
	if err != nil {
		return Trade{}, err
	}
	limit, err := UnstakeLimit(q.PriceBefore, slippage)
	if err != nil {
		return Trade{}, err
	}
	after, err := perAlpha(q.PriceAfter)
	if err != nil {
		return Trade{}, err
	}
	// No unit is sold under the price that the trade leaves, which is at least the limit.
	worst := new(big.Int).Mul(new(big.Int).SetUint64(units-min(q.Fee, units)), new(big.Int).SetUint64(limit))
	worst.Quo(worst, big.NewInt(RaoPerTAO))
	return Trade{
		Netuid: netuid, Height: q.Height, Given: units, Received: q.Received, Fee: q.Fee, Worst: clamp(worst),
		Before: q.PriceBefore, After: q.PriceAfter, LimitPrice: limit,
		WithinLimit: after.Cmp(new(big.Rat).SetUint64(limit)) >= 0,
	}, nil
}

// StakeLimit is the limit of a purchase in rao per whole alpha: a price in TAO per
// alpha (a decimal, as queries give it) plus slippage basis points, rounded up.
func StakeLimit(price string, slippage uint32) (uint64, error) {
	p, err := perAlpha(price)
	if err != nil {
		return 0, err
	}
	p.Mul(p, big.NewRat(basisPoints+int64(slippage), basisPoints))
	up := new(big.Int).Add(p.Num(), new(big.Int).Sub(p.Denom(), big.NewInt(1)))
	return max(clamp(up.Quo(up, p.Denom())), 1), nil
}

// UnstakeLimit is the limit of a sale in rao per whole alpha: a price less slippage
// basis points, rounded down, at least 1. Slippage of 10,000 and more is refused:
// there is no sale without a limit.
func UnstakeLimit(price string, slippage uint32) (uint64, error) {
	if slippage >= basisPoints {
		return 0, fmt.Errorf("slippage of %d basis points would sell at any price: give less than %d (100 %%)", slippage, basisPoints)
	}
	p, err := perAlpha(price)
	if err != nil {
		return 0, err
	}
	p.Mul(p, big.NewRat(basisPoints-int64(slippage), basisPoints))
	return max(clamp(new(big.Int).Quo(p.Num(), p.Denom())), 1), nil
}

// perAlpha reads a price in TAO per alpha and returns rao per whole alpha.
func perAlpha(price string) (*big.Rat, error) {
	p := new(big.Rat)
	if len(price) > maxPriceText || strings.Trim(price, "0123456789.") != "" {
		return nil, fmt.Errorf("price %.50q is not a decimal number of TAO per alpha", price)
	}
	if _, ok := p.SetString(price); !ok {
		return nil, fmt.Errorf("price %q is not a decimal number of TAO per alpha", price)
	}
	return p.Mul(p, big.NewRat(RaoPerTAO, 1)), nil
}

// clamp is what of a number from 0 up fits.
func clamp(x *big.Int) uint64 {
	if !x.IsUint64() {
		return math.MaxUint64
	}
	return x.Uint64()
}
