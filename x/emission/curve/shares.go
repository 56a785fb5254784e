package curve

import (
	"encoding/binary"
	"math/big"

	"github.com/lodenet/lode/fixed"
)

// perTrillion is the denominator of the moving price's base.
const perTrillion = 1_000_000_000_000

// Move is a moving price after one more block: e + s·(min(p, 1) − e) with
// s = base·b/(b + halfTime), base per 10^12, b the blocks since the subnet's
// start (protocol.md §6, step 1). The weight grows with the subnet's age, so that
// nobody's price counts for much on its first days.
func Move(e, p fixed.Q64, base, blocks, halfTime uint64) fixed.Q64 {
	s := fixed.Q64Ratio(base, perTrillion).Mul(fixed.Q64Ratio(blocks, blocks+halfTime))
	p = p.Min(fixed.OneQ64())
	if p.Cmp(e) < 0 {
		return e.Sub(s.Mul(e.Sub(p)))
	}
	return e.Add(s.Mul(p.Sub(e)))
}

// Shares divides a block's TAO among subnets in proportion to
// moving·(1 − withheld), each part rounded down; where that is zero for all, in
// proportion to moving, and where that is zero too, equally (step 2).
func Shares(total uint64, moving []fixed.Q64, withheld []fixed.Q32) []uint64 {
	n := len(moving)
	weights, plain, equal := make([]*big.Int, n), make([]*big.Int, n), make([]*big.Int, n)
	for i := range n {
		plain[i] = integer(moving[i])
		weights[i] = new(big.Int).Mul(plain[i], new(big.Int).SetUint64(uint64(fixed.One.Sub(withheld[i]))))
		equal[i] = big.NewInt(1)
	}
	for _, by := range [][]*big.Int{weights, plain, equal} {
		sum := new(big.Int)
		for _, w := range by {
			sum.Add(sum, w)
		}
		if sum.Sign() == 0 {
			continue
		}
		shares := make([]uint64, n)
		for i, w := range by {
			part := new(big.Int).SetUint64(total)
			shares[i] = part.Mul(part, w).Quo(part, sum).Uint64() // at most total
		}
		return shares
	}
	return nil // no subnet
}

// integer is the 128-bit integer behind a Q64.
func integer(q fixed.Q64) *big.Int {
	hi, lo := q.Raw()
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	return new(big.Int).SetBytes(b[:])
}
