package engine

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Noise is the sampler's source of Gumbel noise, a function of a seed, a position and a
// token, so that whoever knows the seed can repeat a pick. It is defined to the bit:
//
//	key   = the first 16 bytes of SHA-256("lode/inference/noise/v1" ‖ seed), the seed as 8 bytes, big-endian
//	block = the position as 8 bytes, big-endian ‖ 8 zero bytes
//	bits  = the keystream of AES-128 in counter mode from that block (the 16 bytes count up as one big-endian number)
//	x     = the 4 bytes of bits at 4·token, little-endian
//	u     = (x + ½) / 2³²
//	noise = −ln(−ln u)
//
// The position counts the answer's tokens from 0. All arithmetic is in IEEE 754 doubles,
// each operation rounded by itself; ln is FreeBSD's e_log.c. u is never 0 or 1, and the
// noise lies between −3.14 and 22.87.
type Noise struct {
	block cipher.Block
}

const noiseDomain = "lode/inference/noise/v1"

// NewNoise returns the noise of a seed.
func NewNoise(seed uint64) *Noise {
	key := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(noiseDomain), seed))
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic(fmt.Sprintf("engine: %v", err)) // 16 bytes are a key of AES
	}
	return &Noise{block}
}

// Bits fills dst with the x of tokens 0, 1, 2… at a position, as bytes: 4 a token.
func (n *Noise) Bits(position int, dst []byte) {
	var iv [aes.BlockSize]byte
	binary.BigEndian.PutUint64(iv[:], uint64(position))
	clear(dst)
	cipher.NewCTR(n.block, iv[:]).XORKeyStream(dst, dst)
}

// gumbel returns the noise of x.
func gumbel(x uint32) float64 {
	u := (float64(x) + 0.5) / (1 << 32)
	return -ln(-ln(u))
}

func leadingOnes(x uint32) int { return bits.LeadingZeros32(^x) }

// gumbelBelow returns a bound that gumbel does not reach for an x with so many leading ones,
// without a logarithm: 1−u > 2^−(ones+1), so −ln u > 2^−(ones+1).
func gumbelBelow(ones int) float64 { return float64(ones+1) * math.Ln2 }

// ln is the natural logarithm of a positive normal number: FreeBSD's e_log.c, with every
// product rounded before it is added, which the compiler must be told.
//
//	Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
//	Developed at SunPro, a Sun Microsystems, Inc. business.
//	Permission to use, copy, modify, and distribute this software is freely granted,
//	provided that this notice is preserved.
func ln(x float64) float64 {
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
		l1    = 6.666666666666735130e-01
		l2    = 3.999999999940941908e-01
		l3    = 2.857142874366239149e-01
		l4    = 2.222219843214978396e-01
		l5    = 1.818357216161805012e-01
		l6    = 1.531383769920937332e-01
		l7    = 1.479819860511658591e-01
	)
	f1, ki := math.Frexp(x)
	if f1 < math.Sqrt2/2 {
		f1 *= 2
		ki--
	}
	f := f1 - 1
	k := float64(ki)
	s := f / (2 + f)
	s2 := float64(s * s)
	s4 := float64(s2 * s2)
	t1 := float64(s2 * (l1 + float64(s4*(l3+float64(s4*(l5+float64(s4*l7)))))))
	t2 := float64(s4 * (l2 + float64(s4*(l4+float64(s4*l6)))))
	r := t1 + t2
	hfsq := float64(float64(0.5*f) * f)
	return float64(k*ln2Hi) - ((hfsq - (float64(s*(hfsq+r)) + float64(k*ln2Lo))) - f)
}
