package fixed

import "math/bits"

// expLimit bounds the argument of Exp: e^20 still fits a Q32, e^-20 is the last
// power of e that is more than noise in it (protocol.md §7).
const expLimit = 20 * OneS32

const (
	ln2Q63   = 0x58b90bfbe8e7bcd6 // ln 2 · 2^63
	log2eQ63 = 0xb8aa3b295c17f0bb // 2^63 / ln 2
	ln2Hi    = 0xb17217f7d1cf79ab // ln 2 · 2^64
)

// expTable is e^(i/32) · 2^63, to just above ln 2.
var expTable = [23]uint64{
	0x8000000000000000, 0x84102b00893f64c7, 0x88415abbe9a76beb, 0x8c949b83a7066b45,
	0x910b022db7ae67ce, 0x95a5ac59b963ca81, 0x9a65c0b85ac1a96a, 0x9f4c6f5508ee5d52,
	0xa45af1e1f40c333b, 0xa9928c067d67bb65, 0xaef48bb022ffa9db, 0xb4824965fca1967f,
	0xba3d289edf7b5312, 0xc026981a3daa2e5d, 0xc640123bd8007ee1, 0xcc8b1d6a58ee609c,
	0xd3094c70f034de4c, 0xd9bc3ee407caf517, 0xe0a5a1892b223222, 0xe7c72ec23ac545bf,
	0xef22aefc071e02e5, 0xf6b9f9206e0a0fc4, 0xfe8ef30c17c644e9,
}

// inverseFactorials is 2^63/n!.
var inverseFactorials = [9]uint64{
	0x8000000000000000, 0x8000000000000000, 0x4000000000000000, 0x1555555555555555,
	0x555555555555555, 0x111111111111111, 0x2d82d82d82d82e, 0x6806806806807, 0xd00d00d00d01,
}

// Exp is e^x, x clamped to ±20. It is off by less than 2^-32 plus 2^-55 of the
// value.
func Exp(x S32) Q32 {
	x = min(max(x, -expLimit), expLimit)

	// e^x = 2^k · e^r with r in [0, ln 2). r is taken modulo 2^64: it has 63
	// bits after the point, and the bits above cancel.
	ax := uint64(x.abs())
	hi, _ := bits.Mul64(ax, log2eQ63)
	k := int(hi >> 31)
	r := ax<<31 - uint64(k)*ln2Q63
	for r >= ln2Q63 { // the truncated quotient may be one too small
		r -= ln2Q63
		k++
	}
	if x < 0 {
		k = -k
		if r > 0 {
			r = ln2Q63 - r
			k--
		}
	}

	// e^r = e^(i/32) · e^s, s below 1/32: eight terms of the series.
	i := r >> 58
	s := (r & (1<<58 - 1)) << 1 // 64 bits after the point
	p := inverseFactorials[len(inverseFactorials)-1]
	for n := len(inverseFactorials) - 2; n >= 0; n-- {
		h, _ := bits.Mul64(p, s)
		p = inverseFactorials[n] + h
	}
	y, _ := bits.Mul64(expTable[i], p) // 62 bits after the point
	return Q32(y >> uint(30-k))
}

// Pow2Neg is floor(2^32 · 2^(−1/h)): what is left after one of h steps that
// together halve a quantity (protocol.md §4, the burn's decay). Nothing is left
// where h is 0. The result is exact for every h up to 65,535, which a test
// checks one by one against 256-bit arithmetic.
func Pow2Neg(h uint32) Q32 {
	switch h {
	case 0:
		return 0
	case 1:
		return One / 2
	}
	// e^-t = 1 − (t − t²/2! + t³/3! − …), t = ln 2/h below 0.35, 64 bits after
	// the point throughout.
	t := uint64(ln2Hi) / uint64(h)
	var sum uint64
	term := t
	for n := uint64(2); term != 0; n++ {
		if n%2 == 0 {
			sum += term
		} else {
			sum -= term
		}
		hi, _ := bits.Mul64(term, t)
		term = hi / n
	}
	return Q32(-sum >> 32)
}
