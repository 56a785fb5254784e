package pool

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"

	"github.com/lodenet/lode/fixed"
)

// WholeAlpha is one alpha in units.
const WholeAlpha = 1_000_000_000

// million is what fees are counted by.
const million = 1_000_000

// ErrReserve is a trade that the reserves don't allow.
var ErrReserve = errors.New("the pool's reserves don't allow it")

// Reserves are a pool's TAO (rao) and alpha (units).
type Reserves struct{ Tao, Alpha uint64 }

// Rules hold for a trade.
type Rules struct {
	Fee   uint32 // per 10^6 of what goes in, rounded up; it stays in the pool. At most 10^6
	Floor uint64 // units: the least that a trade may leave of what it takes from
}

// Trade is a trade's outcome.
type Trade struct {
	In    uint64 // what goes in, the fee included
	Out   uint64 // what comes out
	Fee   uint64 // part of In
	After Reserves
}

// Price is TAO per alpha, truncated to 2^-64; the largest Q64 where alpha is 0.
func (r Reserves) Price() fixed.Q64 { return fixed.Q64Ratio(r.Tao, r.Alpha) }

// LimitPrice is the price in rao per whole alpha, rounded down; the largest
// uint64 where it does not fit.
func (r Reserves) LimitPrice() uint64 {
	hi, lo := bits.Mul64(r.Tao, WholeAlpha)
	if hi >= r.Alpha {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, r.Alpha)
	return q
}

// CmpLimit compares the exact price to a limit in rao per whole alpha: -1, 0 or
// 1 as it is below, equal to or above.
func (r Reserves) CmpLimit(limit uint64) int {
	priceHi, priceLo := bits.Mul64(r.Tao, WholeAlpha)
	limitHi, limitLo := bits.Mul64(limit, r.Alpha)
	return cmp.Or(cmp.Compare(priceHi, limitHi), cmp.Compare(priceLo, limitLo))
}

// Worth is what alpha units are worth in rao at the price, without impact and
// fee, rounded down.
func (r Reserves) Worth(alpha uint64) uint64 {
	if r.Alpha == 0 {
		return 0
	}
	hi, lo := bits.Mul64(alpha, r.Tao)
	if hi >= r.Alpha {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, r.Alpha)
	return q
}

// Buy is a purchase of alpha for tao. Out may be 0 where tao is worth less than
// a unit.
func (r Reserves) Buy(tao uint64, rules Rules) (Trade, error) {
	out, fee, ok := constantProduct(r.Tao, r.Alpha, tao, rules.Fee)
	if !ok {
		return Trade{}, fmt.Errorf("%w: %d rao more than its %d are past 64 bits", ErrReserve, tao, r.Tao)
	}
	if tao > 0 && r.Alpha-out < rules.Floor {
		return Trade{}, fmt.Errorf("%w: %d rao would buy %d of its %d alpha units, and %d must stay: spend less",
			ErrReserve, tao, out, r.Alpha, rules.Floor)
	}
	return Trade{In: tao, Out: out, Fee: fee, After: Reserves{r.Tao + tao, r.Alpha - out}}, nil
}

// Sell is a sale of alpha for TAO. Out may be 0 where alpha is worth less than a
// rao.
func (r Reserves) Sell(alpha uint64, rules Rules) (Trade, error) {
	out, fee, ok := constantProduct(r.Alpha, r.Tao, alpha, rules.Fee)
	if !ok {
		return Trade{}, fmt.Errorf("%w: %d alpha units more than its %d are past 64 bits", ErrReserve, alpha, r.Alpha)
	}
	if alpha > 0 && r.Tao-out < rules.Floor {
		return Trade{}, fmt.Errorf("%w: %d alpha units would sell for %d of its %d rao, and %d must stay: sell less",
			ErrReserve, alpha, out, r.Tao, rules.Floor)
	}
	return Trade{In: alpha, Out: out, Fee: fee, After: Reserves{r.Tao - out, r.Alpha + alpha}}, nil
}

// constantProduct is floor(b·net/(a + net)), net = in less the fee rounded up:
// what comes out of b when in goes into a. ok is false where a + in does not fit
// 64 bits, or b is all that there is and nothing holds it (a = 0).
func constantProduct(a, b, in uint64, fee uint32) (out, paid uint64, ok bool) {
	if in == 0 {
		return 0, 0, true
	}
	if _, carry := bits.Add64(a, in, 0); carry != 0 || a == 0 || fee > million {
		return 0, 0, false
	}
	hi, lo := bits.Mul64(in, uint64(fee))
	lo, carry := bits.Add64(lo, million-1, 0)
	paid, _ = bits.Div64(hi+carry, lo, million) // at most in, since the fee is at most all of it
	net := in - paid
	hi, lo = bits.Mul64(b, net)
	out, _ = bits.Div64(hi, lo, a+net) // below b, since net/(a+net) is below 1
	return out, paid, true
}
