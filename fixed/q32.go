package fixed

import (
	"math"
	"math/bits"
	"strconv"
)

// Q32 is an unsigned Q32.32 number: its value is the integer divided by 2^32.
type Q32 uint64

// Bounds of Q32.
const (
	One    Q32 = 1 << 32        // 1
	MaxQ32 Q32 = math.MaxUint64 // 2^32 − 2^-32
)

// Ratio is num/den as a Q32.
func Ratio(num, den uint64) Q32 {
	if den == 0 {
		if num == 0 {
			return 0
		}
		return MaxQ32
	}
	hi, lo := num>>32, num<<32
	if hi >= den {
		return MaxQ32
	}
	q, _ := bits.Div64(hi, lo, den)
	return Q32(q)
}

// Add is a + b.
func (a Q32) Add(b Q32) Q32 {
	if s := a + b; s >= a {
		return s
	}
	return MaxQ32
}

// Sub is a − b, and 0 where b is larger.
func (a Q32) Sub(b Q32) Q32 {
	if b > a {
		return 0
	}
	return a - b
}

// Mul is a·b.
func (a Q32) Mul(b Q32) Q32 { return Q32(a.MulUint64(uint64(b))) }

// MulUint64 is floor(a·u), u a whole number of units.
func (a Q32) MulUint64(u uint64) uint64 {
	hi, lo := bits.Mul64(uint64(a), u)
	if hi>>32 != 0 {
		return math.MaxUint64
	}
	return hi<<32 | lo>>32
}

// Div is a/b.
func (a Q32) Div(b Q32) Q32 { return Ratio(uint64(a), uint64(b)) }

// Float64 is for presentation; chain code never calls it.
func (a Q32) Float64() float64 { return float64(a) / (1 << 32) }

// String is the value in decimal, rounded to 10 digits after the point: enough
// to tell any two values apart.
func (a Q32) String() string {
	const scale = 10_000_000_000
	whole := uint64(a >> 32)
	hi, lo := bits.Mul64(uint64(a)<<32, scale)
	if lo >= 1<<63 {
		hi++
	}
	return decimal(whole, strconv.AppendUint(nil, scale+hi, 10)[1:])
}

// S32 is a signed Q32.32 number: its value is the integer divided by 2^32.
type S32 int64

// Bounds of S32.
const (
	OneS32 S32 = 1 << 32
	MaxS32 S32 = math.MaxInt64
	MinS32 S32 = math.MinInt64
)

// Signed is a as a signed number.
func (a Q32) Signed() S32 {
	if a > Q32(MaxS32) {
		return MaxS32
	}
	return S32(a)
}

// Unsigned is a, and 0 where a is negative.
func (a S32) Unsigned() Q32 {
	if a < 0 {
		return 0
	}
	return Q32(a)
}

// Add is a + b.
func (a S32) Add(b S32) S32 {
	s := a + b
	switch {
	case a >= 0 && b >= 0 && s < 0:
		return MaxS32
	case a < 0 && b < 0 && s >= 0:
		return MinS32
	}
	return s
}

// Neg is −a.
func (a S32) Neg() S32 {
	if a == MinS32 {
		return MaxS32
	}
	return -a
}

// Sub is a − b.
func (a S32) Sub(b S32) S32 {
	if b == MinS32 {
		// −b does not exist: take the 1 that Neg loses apart.
		return a.Add(MaxS32).Add(1)
	}
	return a.Add(-b)
}

// Mul is a·b, truncated toward zero.
func (a S32) Mul(b S32) S32 { return withSign(a.abs().Mul(b.abs()), (a < 0) != (b < 0)) }

// Div is a/b, truncated toward zero.
func (a S32) Div(b S32) S32 { return withSign(a.abs().Div(b.abs()), (a < 0) != (b < 0)) }

// Float64 is for presentation; chain code never calls it.
func (a S32) Float64() float64 { return float64(a) / (1 << 32) }

// String is the value in decimal, rounded to 10 digits after the point.
func (a S32) String() string {
	if a < 0 {
		return "-" + a.abs().String()
	}
	return a.abs().String()
}

func (a S32) abs() Q32 {
	if a < 0 {
		return Q32(-uint64(a)) // also right for MinS32, whose negative is 2^63
	}
	return Q32(a)
}

func withSign(a Q32, negative bool) S32 {
	if !negative {
		return a.Signed()
	}
	if a > 1<<63 {
		return MinS32
	}
	return S32(-uint64(a))
}

// decimal joins a whole part and the digits after the point, without trailing zeros.
func decimal(whole uint64, fraction []byte) string {
	out := strconv.AppendUint(nil, whole, 10)
	for len(fraction) > 0 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if len(fraction) > 0 {
		out = append(append(out, '.'), fraction...)
	}
	return string(out)
}
