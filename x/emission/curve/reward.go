package curve

import (
	"math"
	"math/bits"
)

// Reward is what a block of the target time mints before it is split: initial
// halved once for each threshold limit·(1 − 2^-m), m = 1, 2, …, that issued has
// reached, and 0 from limit on. All three are in base units, of TAO or alpha.
//
// issued >= limit·(1 − 2^-m) says the same as 2^m <= limit/(limit − issued), and
// a power of two is at most a fraction exactly if it is at most its floor: the
// number of thresholds is that floor's length in bits less one.
func Reward(limit, initial, issued uint64) uint64 {
	if issued >= limit {
		return 0
	}
	halvings := bits.Len64(limit/(limit-issued)) - 1
	return initial >> halvings
}

// Elapsed is the time that a block's rewards are for, in milliseconds: from last
// to now, at most twice the target, and one target where there is no last (0).
// A clock that runs backwards earns nothing.
func Elapsed(last, now, target int64) uint64 {
	switch {
	case target <= 0 || last != 0 && now <= last:
		return 0
	case last == 0:
		return uint64(target)
	}
	return uint64(min(now-last, 2*target))
}

// Scale is reward·elapsed/target in whole units. What the division leaves is
// returned as the carried numerator (units · milliseconds, below target), to be
// given again with the next block: over any run of blocks, however the time is
// cut, the same is paid for the same time.
func Scale(reward, remainder, elapsed, target uint64) (amount, rest uint64) {
	if target == 0 {
		return 0, 0
	}
	hi, lo := bits.Mul64(reward, elapsed)
	lo, carry := bits.Add64(lo, remainder, 0)
	hi += carry
	if hi >= target {
		return math.MaxUint64, 0 // no parameters within their bounds come here
	}
	return bits.Div64(hi, lo, target)
}

// MulDiv is floor(a·b/c), saturating; nothing divided by nothing is 0.
func MulDiv(a, b, c uint64) uint64 {
	q, _ := mulDiv(a, b, c)
	return q
}

// MulDivUp is a·b/c rounded up, saturating.
func MulDivUp(a, b, c uint64) uint64 {
	q, r := mulDiv(a, b, c)
	if r != 0 && q != math.MaxUint64 {
		q++
	}
	return q
}

func mulDiv(a, b, c uint64) (q, r uint64) {
	hi, lo := bits.Mul64(a, b)
	switch {
	case hi|lo == 0:
		return 0, 0
	case hi >= c:
		return math.MaxUint64, 0
	}
	return bits.Div64(hi, lo, c)
}
