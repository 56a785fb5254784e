package fixed

import (
	"cmp"
	"math/bits"
)

// u128 is an unsigned 128-bit integer.
type u128 struct{ hi, lo uint64 }

func (a u128) isZero() bool { return a.hi|a.lo == 0 }

func (a u128) cmp(b u128) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo))
}

// add is a + b modulo 2^128.
func (a u128) add(b u128) u128 {
	lo, c := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(a.hi, b.hi, c)
	return u128{hi, lo}
}

// sub is a − b modulo 2^128.
func (a u128) sub(b u128) u128 {
	lo, c := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, c)
	return u128{hi, lo}
}

// div is the quotient and remainder of a by d, which is not zero.
func (a u128) div(d u128) (q, r u128) {
	if d.hi == 0 {
		q.hi, r.lo = a.hi/d.lo, a.hi%d.lo
		q.lo, r.lo = bits.Div64(r.lo, a.lo, d.lo)
		return q, r
	}
	q.lo, r = div3(0, a, d)
	return q, r
}

// div3 divides the 192-bit top·2^128 + a by d; d.hi must not be zero and the
// quotient must fit 64 bits (top·2^64 + a.hi, the upper part, is below d).
//
// It is Knuth's algorithm D for one digit: with the divisor shifted so that its
// top bit is set, the quotient of the upper two words by the divisor's upper
// word is at most 2 too large.
func div3(top uint64, a, d u128) (q uint64, r u128) {
	s := uint(bits.LeadingZeros64(d.hi))
	n2 := top<<s | a.hi>>(64-s) // a shift by 64 gives 0 in Go
	n1 := a.hi<<s | a.lo>>(64-s)
	n0 := a.lo << s
	n := u128{d.hi<<s | d.lo>>(64-s), d.lo << s}

	var rem, carry uint64
	if n2 == n.hi {
		// The estimate would not fit. The digit is at most 2^64−1, which leaves
		// n2·2^64 + n1 − (2^64−1)·n.hi = n1 + n.hi.
		q = 1<<64 - 1
		rem, carry = bits.Add64(n1, n.hi, 0)
	} else {
		q, rem = bits.Div64(n2, n1, n.hi)
	}
	for carry == 0 {
		hi, lo := bits.Mul64(q, n.lo)
		if (u128{hi, lo}).cmp(u128{rem, n0}) <= 0 {
			break
		}
		q--
		rem, carry = bits.Add64(rem, n.hi, 0)
	}

	// What is left is below the divisor, so the words above cancel.
	hi, lo := bits.Mul64(q, n.lo)
	r = u128{n1, n0}.sub(u128{hi, lo}).sub(u128{hi: q * n.hi})
	return q, u128{r.hi >> s, r.lo>>s | r.hi<<(64-s)}
}
