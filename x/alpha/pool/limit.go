package pool

import (
	"errors"
	"fmt"
)

// ErrLimit is a trade that its limit price forbids.
var ErrLimit = errors.New("the limit price forbids it")

// BuyWithin is a purchase after which the price is at most limit (rao per whole
// alpha). Whole it is all of tao or fails; in part it is as much of tao as limit,
// floor and 64 bits allow, to the rao, and fails only where that is nothing.
func (r Reserves) BuyWithin(tao, limit uint64, partial bool, rules Rules) (Trade, error) {
	return within(tao, partial, func(tao uint64) (Trade, error) { return r.buyAt(tao, limit, rules) })
}

// SellWithin is a sale after which the price is at least limit; see BuyWithin.
func (r Reserves) SellWithin(alpha, limit uint64, partial bool, rules Rules) (Trade, error) {
	return within(alpha, partial, func(alpha uint64) (Trade, error) { return r.sellAt(alpha, limit, rules) })
}

// SwapWithin sells alpha of one pool and buys alpha of another with all the TAO
// that it gives: after it the first price is at least sellLimit, the second at
// most buyLimit. In part it is the largest sale for which both trades hold, so
// that no TAO is left between them.
func SwapWithin(from, to Reserves, alpha, sellLimit, buyLimit uint64, partial bool, rules Rules) (sale, purchase Trade, err error) {
	swap := func(alpha uint64) (t [2]Trade, err error) {
		if t[0], err = from.sellAt(alpha, sellLimit, rules); err != nil {
			return t, fmt.Errorf("the sale: %w", err)
		}
		if t[1], err = to.buyAt(t[0].Out, buyLimit, rules); err != nil {
			err = fmt.Errorf("the purchase: %w", err)
		}
		return t, err
	}
	t, err := within(alpha, partial, swap)
	return t[0], t[1], err
}

func (r Reserves) buyAt(tao, limit uint64, rules Rules) (Trade, error) {
	t, err := r.Buy(tao, rules)
	if err == nil && t.After.CmpLimit(limit) > 0 {
		err = fmt.Errorf("%w: spending %d rao would raise the price from %d to %d rao per alpha, above %d",
			ErrLimit, tao, r.LimitPrice(), t.After.LimitPrice(), limit)
	}
	return t, err
}

func (r Reserves) sellAt(alpha, limit uint64, rules Rules) (Trade, error) {
	t, err := r.Sell(alpha, rules)
	if err == nil && t.After.CmpLimit(limit) < 0 {
		err = fmt.Errorf("%w: selling %d alpha units would lower the price from %d to %d rao per alpha, below %d",
			ErrLimit, alpha, r.LimitPrice(), t.After.LimitPrice(), limit)
	}
	return t, err
}

// within is trade(amount), or where partial is set the trade of the largest
// amount that succeeds. That is found by halving: what a trade does to the
// reserves only grows with its amount, so all below one that succeeds succeed.
func within[T any](amount uint64, partial bool, trade func(uint64) (T, error)) (none T, err error) {
	t, err := trade(amount)
	switch {
	case err == nil:
		return t, nil
	case !partial:
		return none, fmt.Errorf("%w (trade less, move the limit, or allow part of it)", err)
	}
	good, bad := uint64(0), amount
	for bad-good > 1 {
		middle := good + (bad-good)/2
		if _, err := trade(middle); err == nil {
			good = middle
		} else {
			bad = middle
		}
	}
	if good > 0 {
		return trade(good)
	}
	if amount > 0 {
		_, err = trade(1) // bad is 1: say what forbids even that
	}
	return none, fmt.Errorf("%w (not even a part of it fits: move the limit)", err)
}
