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
	buy := func(tao uint64) (Trade, error) {
		t, err := r.Buy(tao, rules)
		if err == nil && t.After.CmpLimit(limit) > 0 {
			err = fmt.Errorf("%w: spending %d rao would raise the price from %d to above %d rao per alpha (%s)",
				ErrLimit, tao, r.LimitPrice(), limit, remedy(partial))
		}
		return t, err
	}
	return within(tao, partial, buy)
}

// SellWithin is a sale after which the price is at least limit; see BuyWithin.
func (r Reserves) SellWithin(alpha, limit uint64, partial bool, rules Rules) (Trade, error) {
	sell := func(alpha uint64) (Trade, error) {
		t, err := r.Sell(alpha, rules)
		if err == nil && t.After.CmpLimit(limit) < 0 {
			err = fmt.Errorf("%w: selling %d alpha units would lower the price from %d to below %d rao per alpha (%s)",
				ErrLimit, alpha, r.LimitPrice(), limit, remedy(partial))
		}
		return t, err
	}
	return within(alpha, partial, sell)
}

// SwapWithin sells alpha of one pool and buys alpha of another with all the TAO
// that it gives: after it the first price is at least sellLimit, the second at
// most buyLimit. In part it is the largest sale for which both trades hold, so
// that no TAO is left between them.
func SwapWithin(from, to Reserves, alpha, sellLimit, buyLimit uint64, partial bool, rules Rules) (sale, purchase Trade, err error) {
	swap := func(alpha uint64) (t [2]Trade, err error) {
		if t[0], err = from.SellWithin(alpha, sellLimit, false, rules); err != nil {
			return t, fmt.Errorf("the sale: %w", err)
		}
		if t[1], err = to.BuyWithin(t[0].Out, buyLimit, false, rules); err != nil {
			err = fmt.Errorf("the purchase: %w", err)
		}
		return t, err
	}
	t, err := within(alpha, partial, swap)
	return t[0], t[1], err
}

// within is trade(amount), or where partial is set the trade of the largest
// amount that succeeds. That is found by halving: what a trade does to the
// reserves only grows with its amount, so all below one that succeeds succeed.
func within[T any](amount uint64, partial bool, trade func(uint64) (T, error)) (T, error) {
	t, err := trade(amount)
	if err == nil || !partial {
		return t, err
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
	if good == 0 {
		_, err := trade(1) // says what forbids even this; bad is 1
		return t, err
	}
	return trade(good)
}

func remedy(partial bool) string {
	if partial {
		return "not even part of it fits: move the limit"
	}
	return "trade less, move the limit or allow part of it"
}
