package pay

import (
	"errors"
	"fmt"
	"math/bits"
)

// ErrPrice is wrapped by Cost where there is no such price.
var ErrPrice = errors.New("no price")

// Cost is what units of a service cost in rao, at price rao for per units, rounded up.
func Cost(units, price, per uint64) (uint64, error) {
	if per == 0 {
		return 0, fmt.Errorf("%w: %d rao for 0 units", ErrPrice, price)
	}
	hi, lo := bits.Mul64(units, price)
	lo, carry := bits.Add64(lo, per-1, 0)
	hi += carry
	if hi >= per {
		return 0, fmt.Errorf("%w: %d units at %d rao for %d are more than 2^64 rao", ErrPrice, units, price, per)
	}
	rao, _ := bits.Div64(hi, lo, per)
	return rao, nil
}

// add is a + b, and false where the sum does not fit.
func add(a, b uint64) (uint64, bool) {
	sum, carry := bits.Add64(a, b, 0)
	return sum, carry == 0
}

// sub is a − b, at least 0.
func sub(a, b uint64) uint64 { return a - min(a, b) }
