package attack

import "github.com/lodenet/lode/fixed"

// A registration's price (protocol.md §4), in rao, with the defaults of §3 and the
// mainnet profile's first price.
const (
	minBurn, maxBurn = tao / 2000, 100 * tao
	firstBurn        = tao / 10
	burnHalfLife     = 360
	burnIncrease     = 126  // per 100
	immunity         = 5000 // blocks
)

// raised is the price after a registration.
func raised(burn uint64) uint64 { return min(burn*burnIncrease/100, maxBurn) }

// fallen is the price so many blocks later.
func fallen(burn uint64, blocks int) uint64 {
	for range blocks {
		burn = fixed.Pow2Neg(burnHalfLife).MulUint64(burn)
		if burn <= minBurn {
			return minBurn
		}
	}
	return burn
}

// registrations is what n cost, one every so many blocks.
func registrations(burn uint64, n, every int) (rao float64) {
	for range n {
		rao += float64(burn)
		burn = fallen(raised(burn), every)
	}
	return rao
}

// cheapest is the least that n registrations cost where the last must come before
// the first one's immunity ends.
func cheapest(burn uint64, n int) float64 {
	best := registrations(burn, n, 0)
	for every := 1; every*n < immunity; every = every*2 + 1 {
		best = min(best, registrations(burn, n, every))
	}
	if n > 0 {
		best = min(best, registrations(burn, n, (immunity-1)/n))
	}
	return best
}
