package fixed

import (
	"cmp"
	"math/bits"
	"slices"
)

// Apportion divides total units among the weights by largest remainder: each
// gets floor(total·weight/Σ weights), and the units that are left go one each to
// the largest remainders, ties to the lower index. The shares sum to total
// exactly. If no weight is above zero nobody gets anything: all shares are 0.
func Apportion(total uint64, weights []uint64) []uint64 {
	shares := make([]uint64, len(weights))
	var sum u128
	for _, w := range weights {
		sum = sum.add(u128{lo: w})
	}
	if sum.isZero() || total == 0 {
		return shares
	}

	type remainder struct {
		index int
		u128
	}
	rest := make([]remainder, 0, len(weights))
	left := total
	for i, w := range weights {
		if w == 0 {
			continue
		}
		var product u128
		product.hi, product.lo = bits.Mul64(total, w)
		q, r := product.div(sum)
		shares[i] = q.lo // at most total, since w is at most the sum
		left -= q.lo
		if !r.isZero() {
			rest = append(rest, remainder{i, r})
		}
	}
	// The remainders sum to left·Σ weights and each is below Σ weights: there
	// are more of them than units left.
	if left == 0 {
		return shares
	}
	slices.SortFunc(rest, func(a, b remainder) int {
		return cmp.Or(b.u128.cmp(a.u128), cmp.Compare(a.index, b.index))
	})
	for _, r := range rest[:left] {
		shares[r.index]++
	}
	return shares
}
