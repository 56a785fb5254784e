package pool_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/alpha/pool"
)

var (
	rules = pool.Rules{Fee: 500, Floor: 1_000_000}
	free  = pool.Rules{}
)

func bigOf(u uint64) *big.Int { return new(big.Int).SetUint64(u) }

func product(a, b uint64) *big.Int { return new(big.Int).Mul(bigOf(a), bigOf(b)) }

func k(r pool.Reserves) *big.Int { return product(r.Tao, r.Alpha) }

// anyUint64 draws numbers of every length alike; a uniform draw would rarely be small.
func anyUint64() *rapid.Generator[uint64] {
	return rapid.Custom(func(t *rapid.T) uint64 {
		return rapid.Uint64().Draw(t, "v") >> rapid.UintRange(0, 63).Draw(t, "shift")
	})
}

func anyReserves() *rapid.Generator[pool.Reserves] {
	return rapid.Custom(func(t *rapid.T) pool.Reserves {
		return pool.Reserves{Tao: max(anyUint64().Draw(t, "tao"), 1), Alpha: max(anyUint64().Draw(t, "alpha"), 1)}
	})
}

func anyRules() *rapid.Generator[pool.Rules] {
	return rapid.Custom(func(t *rapid.T) pool.Rules {
		return pool.Rules{
			Fee:   rapid.SampledFrom([]uint32{0, 1, 500, 3_000, 100_000, 1_000_000}).Draw(t, "fee"),
			Floor: rapid.SampledFrom([]uint64{0, 1, 1_000_000}).Draw(t, "floor"),
		}
	})
}

// exact is out of b for in into a, and its fee, in integers without bounds.
func exact(a, b, in uint64, fee uint32) (out, paid *big.Int) {
	paid = new(big.Int).Mul(bigOf(in), big.NewInt(int64(fee)))
	paid.Add(paid, big.NewInt(999_999)).Quo(paid, big.NewInt(1_000_000))
	net := new(big.Int).Sub(bigOf(in), paid)
	if in == 0 {
		return new(big.Int), paid
	}
	out = new(big.Int).Mul(bigOf(b), net)
	return out.Quo(out, net.Add(net, bigOf(a))), paid
}

func TestTradesAgreeWithExactIntegersOrAreRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, rules, in := anyReserves().Draw(t, "reserves"), anyRules().Draw(t, "rules"), anyUint64().Draw(t, "in")
		check := func(name string, a, b uint64, trade pool.Trade, err error, afterA, afterB uint64) {
			out, fee := exact(a, b, in, rules.Fee)
			sum := new(big.Int).Add(bigOf(a), bigOf(in))
			left := new(big.Int).Sub(bigOf(b), out)
			if !sum.IsUint64() || in > 0 && left.Cmp(bigOf(rules.Floor)) < 0 {
				if !errors.Is(err, pool.ErrReserve) {
					t.Fatalf("%s: %d into %d, leaving %s: error %v, want %v", name, in, a, left, err, pool.ErrReserve)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %s", name, err)
			}
			if trade.In != in || bigOf(trade.Out).Cmp(out) != 0 || bigOf(trade.Fee).Cmp(fee) != 0 {
				t.Fatalf("%s: %+v, want out %s, fee %s", name, trade, out, fee)
			}
			if bigOf(afterA).Cmp(sum) != 0 || bigOf(afterB).Cmp(left) != 0 {
				t.Fatalf("%s: the reserves after it are %+v", name, trade.After)
			}
		}
		buy, err := r.Buy(in, rules)
		check("buy", r.Tao, r.Alpha, buy, err, buy.After.Tao, buy.After.Alpha)
		sell, err := r.Sell(in, rules)
		check("sell", r.Alpha, r.Tao, sell, err, sell.After.Alpha, sell.After.Tao)
	})
}

func TestTheInvariantNeverFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, rules := anyReserves().Draw(t, "reserves"), anyRules().Draw(t, "rules")
		for range 8 {
			before := k(r)
			trade := r.Buy
			if rapid.Bool().Draw(t, "sell") {
				trade = r.Sell
			}
			done, err := trade(anyUint64().Draw(t, "in"), rules)
			if err != nil {
				continue
			}
			r = done.After
			if k(r).Cmp(before) < 0 {
				t.Fatalf("%+v: k fell from %s to %s", done, before, k(r))
			}
		}
	})
}

func TestARoundTripNeverProfits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, rules := anyReserves().Draw(t, "reserves"), anyRules().Draw(t, "rules")
		in := anyUint64().Draw(t, "in")
		if bought, err := r.Buy(in, rules); err == nil {
			if sold, err := bought.After.Sell(bought.Out, rules); err == nil && sold.Out > in {
				t.Fatalf("bought for %d, sold for %d", in, sold.Out)
			}
		}
		if sold, err := r.Sell(in, rules); err == nil {
			if bought, err := sold.After.Buy(sold.Out, rules); err == nil && bought.Out > in {
				t.Fatalf("sold %d, bought %d back", in, bought.Out)
			}
		}
	})
}

// A trader may trade as it likes, in dust too: once its alpha is sold again it
// has no more TAO than it began with.
func TestNoSequenceOfTradesProfits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := pool.Reserves{
			Tao:   rapid.Uint64Range(1, 1<<40).Draw(t, "tao"),
			Alpha: rapid.Uint64Range(1, 1<<40).Draw(t, "alpha"),
		}
		rules := pool.Rules{Fee: rapid.SampledFrom([]uint32{0, 1, 500}).Draw(t, "fee")}
		const purse = 1 << 41
		tao, alpha := uint64(purse), uint64(0)
		steps := rapid.IntRange(1, 30).Draw(t, "steps")
		for i := range steps + 1 {
			last := i == steps
			if last || rapid.Bool().Draw(t, "sell") {
				amount := alpha
				if !last {
					amount = min(alpha, anyUint64().Draw(t, "alpha"))
				}
				if s, err := r.Sell(amount, rules); err == nil {
					r, tao, alpha = s.After, tao+s.Out, alpha-s.In
				}
			} else if b, err := r.Buy(min(tao, anyUint64().Draw(t, "tao")), rules); err == nil {
				r, tao, alpha = b.After, tao-b.In, alpha+b.Out
			}
		}
		if alpha != 0 {
			t.Fatalf("%d alpha could not be sold", alpha)
		}
		if tao > purse {
			t.Fatalf("a profit of %d rao", tao-purse)
		}
	})
}

func TestSplittingATradeNeverGivesMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, rules := anyReserves().Draw(t, "reserves"), anyRules().Draw(t, "rules")
		a, b := anyUint64().Draw(t, "a")/2, anyUint64().Draw(t, "b")/2
		whole, err := r.Buy(a+b, rules)
		if err != nil {
			return
		}
		first, err := r.Buy(a, rules)
		if err != nil {
			t.Fatal(err)
		}
		second, err := first.After.Buy(b, rules)
		if err != nil {
			t.Fatal(err)
		}
		if first.Out+second.Out > whole.Out {
			t.Fatalf("%d and %d apart give %d, together %d", a, b, first.Out+second.Out, whole.Out)
		}
	})
}

func TestTradesAtTheEndsOf64Bits(t *testing.T) {
	const most = math.MaxUint64
	for _, c := range []struct {
		name     string
		reserves pool.Reserves
		sell     bool
		in       uint64
		rules    pool.Rules
		out, fee uint64
		err      error
	}{
		{"nothing moves nothing", pool.Reserves{Tao: 5, Alpha: 5}, false, 0, rules, 0, 0, nil},
		{"one rao is all fee", pool.Reserves{Tao: 1 << 40, Alpha: 1 << 40}, false, 1, rules, 0, 1, nil},
		{"full reserves take nothing", pool.Reserves{Tao: most, Alpha: most}, false, 1, rules, 0, 0, pool.ErrReserve},
		{"full alpha takes nothing", pool.Reserves{Tao: most, Alpha: most}, true, 1, rules, 0, 0, pool.ErrReserve},
		{"up to the last unit of 64 bits", pool.Reserves{Tao: 1, Alpha: most}, false, most - 1, free, most - 1, 0, nil},
		{"the largest of both", pool.Reserves{Tao: most - 1, Alpha: most}, false, 1, free, 1, 0, nil},
		{"the floor holds to the unit", pool.Reserves{Tao: 2_000_000, Alpha: 2_000_000}, true, 2_000_000, pool.Rules{Floor: 1_000_000}, 1_000_000, 0, nil},
		{"a unit under the floor", pool.Reserves{Tao: 2_000_000, Alpha: 2_000_000}, true, 2_000_005, pool.Rules{Floor: 1_000_000}, 0, 0, pool.ErrReserve},
		{"an empty pool gives nothing", pool.Reserves{}, false, 5, free, 0, 0, pool.ErrReserve},
		{"a fee of everything buys nothing", pool.Reserves{Tao: 100, Alpha: 100}, false, 7, pool.Rules{Fee: 1_000_000}, 0, 7, nil},
		{"a fee above everything is refused", pool.Reserves{Tao: 100, Alpha: 100}, false, 7, pool.Rules{Fee: 1_000_001}, 0, 0, pool.ErrReserve},
	} {
		t.Run(c.name, func(t *testing.T) {
			trade := c.reserves.Buy
			if c.sell {
				trade = c.reserves.Sell
			}
			got, err := trade(c.in, c.rules)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if got.Out != c.out || got.Fee != c.fee {
				t.Errorf("%d out, fee %d; want %d, %d", got.Out, got.Fee, c.out, c.fee)
			}
		})
	}
}

func TestAPriceIsReadInThreeWays(t *testing.T) {
	r := pool.Reserves{Tao: 3_000_000_000, Alpha: 2_000_000_000}
	if got := r.Price().String(); got != "1.5" {
		t.Errorf("the price is %s TAO per alpha, want 1.5", got)
	}
	if got := r.LimitPrice(); got != 1_500_000_000 {
		t.Errorf("the price is %d rao per alpha, want 1500000000", got)
	}
	if got := r.Worth(3); got != 4 {
		t.Errorf("3 units are worth %d rao, want 4 (4.5 rounded down)", got)
	}
	for limit, want := range map[uint64]int{1_499_999_999: 1, 1_500_000_000: 0, 1_500_000_001: -1} {
		if got := r.CmpLimit(limit); got != want {
			t.Errorf("against a limit of %d: %d, want %d", limit, got, want)
		}
	}
	for _, extreme := range []pool.Reserves{{Tao: math.MaxUint64, Alpha: 1}, {Tao: 1, Alpha: 0}} {
		if got := extreme.LimitPrice(); got != math.MaxUint64 {
			t.Errorf("%+v: %d rao per alpha, want the largest uint64", extreme, got)
		}
	}
	if got := (pool.Reserves{Tao: math.MaxUint64, Alpha: 1}).Worth(2); got != math.MaxUint64 {
		t.Errorf("what does not fit is %d, want the largest uint64", got)
	}
	if got := (pool.Reserves{}).Worth(2); got != 0 {
		t.Errorf("an empty pool's alpha is worth %d", got)
	}
}
