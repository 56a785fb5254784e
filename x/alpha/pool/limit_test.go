package pool_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/alpha/pool"
)

// price is rao per whole alpha, exactly.
func price(r pool.Reserves) *big.Rat {
	return new(big.Rat).SetFrac(product(r.Tao, pool.WholeAlpha), bigOf(r.Alpha))
}

func ratOf(u uint64) *big.Rat { return new(big.Rat).SetInt(bigOf(u)) }

// traders are reserves, an amount and a limit that bites about half the time.
func drawLimited(t *rapid.T) (r pool.Reserves, amount, limit uint64, rules pool.Rules) {
	r = pool.Reserves{
		Tao:   rapid.Uint64Range(1_000_000, 1<<50).Draw(t, "tao"),
		Alpha: rapid.Uint64Range(1_000_000, 1<<50).Draw(t, "alpha"),
	}
	amount = rapid.OneOf(rapid.Uint64Range(1, 1<<50), anyUint64()).Draw(t, "amount")
	amount = max(amount, 1)
	limit = anyUint64().Draw(t, "any limit")
	if rapid.Bool().Draw(t, "near") {
		now := r.LimitPrice()
		limit = now/1_000*rapid.Uint64Range(300, 3_000).Draw(t, "per mille") + rapid.Uint64Range(0, 5).Draw(t, "more")
	}
	return r, amount, limit, anyRules().Draw(t, "rules")
}

func TestAPartialTradeIsTheLargestThatRespectsItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, amount, limit, rules := drawLimited(t)
		check := func(name string, within func(uint64, uint64, bool, pool.Rules) (pool.Trade, error), plain func(uint64, pool.Rules) (pool.Trade, error), respects func(pool.Reserves) bool) {
			fits := func(n uint64) bool {
				trade, err := plain(n, rules)
				return err == nil && respects(trade.After)
			}
			whole, err := within(amount, limit, false, rules)
			if (err == nil) != fits(amount) || err == nil && whole.In != amount {
				t.Fatalf("%s whole: %+v, %v; it fits: %v", name, whole, err, fits(amount))
			}
			part, err := within(amount, limit, true, rules)
			if err != nil {
				if fits(1) {
					t.Fatalf("%s in part: %s, but 1 fits", name, err)
				}
				return
			}
			if part.In == 0 || part.In > amount || !fits(part.In) {
				t.Fatalf("%s in part: %+v of %d does not fit", name, part, amount)
			}
			if part.In < amount && fits(part.In+1) {
				t.Fatalf("%s in part: %d of %d, but one more fits", name, part.In, amount)
			}
		}
		check("buy", r.BuyWithin, r.Buy, func(after pool.Reserves) bool { return price(after).Cmp(ratOf(limit)) <= 0 })
		check("sell", r.SellWithin, r.Sell, func(after pool.Reserves) bool { return price(after).Cmp(ratOf(limit)) >= 0 })
	})
}

func TestASwapLeavesNothingBetweenItsTrades(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, alpha, sellLimit, rules := drawLimited(t)
		to, _, buyLimit, _ := drawLimited(t)
		fits := func(n uint64) bool {
			s, err := from.Sell(n, rules)
			if err != nil || price(s.After).Cmp(ratOf(sellLimit)) < 0 {
				return false
			}
			b, err := to.Buy(s.Out, rules)
			return err == nil && price(b.After).Cmp(ratOf(buyLimit)) <= 0
		}
		if _, _, err := pool.SwapWithin(from, to, alpha, sellLimit, buyLimit, false, rules); (err == nil) != fits(alpha) {
			t.Fatalf("whole: %v, it fits: %v", err, fits(alpha))
		}
		sale, purchase, err := pool.SwapWithin(from, to, alpha, sellLimit, buyLimit, true, rules)
		if err != nil {
			if fits(1) {
				t.Fatalf("in part: %s, but 1 fits", err)
			}
			return
		}
		if sale.Out != purchase.In {
			t.Fatalf("%d rao came out and %d went in", sale.Out, purchase.In)
		}
		if !fits(sale.In) || sale.In < alpha && fits(sale.In+1) {
			t.Fatalf("in part: %d of %d is not the largest that fits", sale.In, alpha)
		}
	})
}

func TestALimitErrorSaysPriceLimitAndWhatToDo(t *testing.T) {
	r := pool.Reserves{Tao: 1_000_000_000_000, Alpha: 1_000_000_000_000}
	_, err := r.BuyWithin(100_000_000_000, 1_100_000_000, false, rules)
	if !errors.Is(err, pool.ErrLimit) {
		t.Fatalf("error %v, want %v", err, pool.ErrLimit)
	}
	for _, part := range []string{"from 1000000000", "1209944999", "above 1100000000", "allow part"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
	_, err = r.SellWithin(1, 1_000_000_001, true, rules)
	if !errors.Is(err, pool.ErrLimit) || !strings.Contains(err.Error(), "not even a part") {
		t.Errorf("a price below the limit already: %v", err)
	}
	_, _, err = pool.SwapWithin(r, r, 100_000_000_000, 1, 1_100_000_000, false, rules)
	if !errors.Is(err, pool.ErrLimit) || !strings.Contains(err.Error(), "the purchase") {
		t.Errorf("a swap whose purchase is too dear: %v", err)
	}
}
