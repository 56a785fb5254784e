package fixed

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// Q64 is an unsigned Q64.64 number: a 128-bit integer divided by 2^64. The zero
// value is 0; two values are equal exactly if == says so.
type Q64 struct{ v u128 }

// OneQ64 is 1.
func OneQ64() Q64 { return Q64{u128{hi: 1}} }

// MaxQ64 is the largest value, 2^64 − 2^-64.
func MaxQ64() Q64 { return Q64{u128{math.MaxUint64, math.MaxUint64}} }

// Q64FromUint64 is u.
func Q64FromUint64(u uint64) Q64 { return Q64{u128{hi: u}} }

// Q64FromQ32 is q, exactly.
func Q64FromQ32(q Q32) Q64 { return Q64{u128{hi: uint64(q >> 32), lo: uint64(q << 32)}} }

// Q64FromRaw is the value of the 128-bit integer hi·2^64 + lo, divided by 2^64.
func Q64FromRaw(hi, lo uint64) Q64 { return Q64{u128{hi, lo}} }

// Q64Ratio is num/den: a price is Q64Ratio(taoReserve, alphaReserve).
func Q64Ratio(num, den uint64) Q64 {
	if den == 0 {
		if num == 0 {
			return Q64{}
		}
		return MaxQ64()
	}
	q, _ := u128{hi: num}.div(u128{lo: den})
	return Q64{q}
}

// Raw is the 128-bit integer behind the value: q·2^64.
func (a Q64) Raw() (hi, lo uint64) { return a.v.hi, a.v.lo }

// IsZero tells whether a is 0.
func (a Q64) IsZero() bool { return a.v.isZero() }

// Cmp is -1, 0 or 1 as a is below, equal to or above b.
func (a Q64) Cmp(b Q64) int { return a.v.cmp(b.v) }

// Min is the smaller of a and b.
func (a Q64) Min(b Q64) Q64 {
	if b.Cmp(a) < 0 {
		return b
	}
	return a
}

// Add is a + b.
func (a Q64) Add(b Q64) Q64 {
	s := a.v.add(b.v)
	if s.cmp(a.v) < 0 {
		return MaxQ64()
	}
	return Q64{s}
}

// Sub is a − b, and 0 where b is larger.
func (a Q64) Sub(b Q64) Q64 {
	if b.Cmp(a) > 0 {
		return Q64{}
	}
	return Q64{a.v.sub(b.v)}
}

// Mul is a·b.
func (a Q64) Mul(b Q64) Q64 {
	// Schoolbook on 64-bit words; the lowest is truncated away.
	h0, _ := bits.Mul64(a.v.lo, b.v.lo)
	h1, l1 := bits.Mul64(a.v.hi, b.v.lo)
	h2, l2 := bits.Mul64(a.v.lo, b.v.hi)
	h3, l3 := bits.Mul64(a.v.hi, b.v.hi)
	lo, c1 := bits.Add64(l1, l2, 0)
	lo, c2 := bits.Add64(lo, h0, 0)
	hi, c3 := bits.Add64(h1, h2, c1)
	hi, c4 := bits.Add64(hi, l3, c2)
	if h3|c3|c4 != 0 {
		return MaxQ64()
	}
	return Q64{u128{hi, lo}}
}

// Div is a/b.
func (a Q64) Div(b Q64) Q64 {
	if b.IsZero() {
		if a.IsZero() {
			return a
		}
		return MaxQ64()
	}
	whole, r := a.v.div(b.v)
	if whole.hi != 0 {
		return MaxQ64()
	}
	var lo uint64
	if b.v.hi == 0 {
		lo, _ = bits.Div64(r.lo, 0, b.v.lo)
	} else {
		lo, _ = div3(r.hi, u128{r.lo, 0}, b.v)
	}
	return Q64{u128{whole.lo, lo}}
}

// MulUint64 is floor(a·u), u a whole number of units.
func (a Q64) MulUint64(u uint64) uint64 {
	hi, lo := bits.Mul64(a.v.hi, u)
	carry, _ := bits.Mul64(a.v.lo, u)
	sum, c := bits.Add64(lo, carry, 0)
	if hi != 0 || c != 0 {
		return math.MaxUint64
	}
	return sum
}

// QuoUint64 is floor(u/a): how many units of price a can be had for u.
func (a Q64) QuoUint64(u uint64) uint64 {
	if a.IsZero() {
		if u == 0 {
			return 0
		}
		return math.MaxUint64
	}
	q, _ := u128{hi: u}.div(a.v)
	if q.hi != 0 {
		return math.MaxUint64
	}
	return q.lo
}

// Float64 is for presentation; chain code never calls it.
func (a Q64) Float64() float64 {
	return float64(a.v.hi) + float64(a.v.lo)/(1<<64)
}

// String is the value in decimal, rounded to 20 digits after the point, trailing
// zeros left out. 10^-20 is below 2^-64, so ParseQ64 gives the same value back.
func (a Q64) String() string {
	const tenDigits = 10_000_000_000
	d1, r := bits.Mul64(a.v.lo, tenDigits)
	d2, r := bits.Mul64(r, tenDigits)
	if r >= 1<<63 {
		d2++
	}
	if d2 == tenDigits {
		// It never carries further: the largest fraction rounds to 0.999….
		d2, d1 = 0, d1+1
	}
	digits := strconv.AppendUint(nil, tenDigits+d1, 10)[1:]
	digits = append(digits, strconv.AppendUint(nil, tenDigits+d2, 10)[1:]...)
	return decimal(a.v.hi, digits)
}

// maxDecimal bounds what ParseQ64 reads, in bytes: far more than String writes.
const maxDecimal = 128

// ParseQ64 reads a decimal number such as 12, 0.5 or 0.00000000000000000005,
// rounded to the nearest Q64. No sign, no exponent; a digit on each side of the
// point.
func ParseQ64(s string) (Q64, error) {
	if len(s) == 0 || len(s) > maxDecimal {
		return Q64{}, fmt.Errorf("a decimal number has 1 to %d characters, this has %d", maxDecimal, len(s))
	}
	point := len(s)
	for i := range len(s) {
		switch {
		case s[i] == '.' && point == len(s) && i > 0 && i < len(s)-1:
			point = i
		case s[i] < '0' || s[i] > '9':
			return Q64{}, fmt.Errorf("%q is not a decimal number: digits, and at most one point between them", s)
		}
	}
	whole, fraction := s[:point], ""
	if point < len(s) {
		fraction = s[point+1:]
	}
	n, _ := new(big.Int).SetString(whole+fraction, 10) // digits alone: it always parses
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction))), nil)
	// Nearest: floor((2·n·2^64 + scale) / (2·scale)).
	n.Lsh(n, 65).Add(n, scale)
	n.Quo(n, scale.Lsh(scale, 1))
	if n.BitLen() > 128 {
		return Q64{}, fmt.Errorf("%s is too large: a Q64.64 is below 18446744073709551616", s)
	}
	var b [q64Size]byte
	n.FillBytes(b[:])
	return Q64{u128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}}, nil
}
