package keeper

import (
	"math"
	"time"
)

// longest is what a delay is counted up to, in seconds: later than any block's
// time, and no sum with one overflows.
const longest = math.MaxInt64 / 4

// later is when so many blocks have passed since a moment, in blocks and in time
// (protocol.md §2): neither alone is enough, so that validators who hurry blocks
// shorten no delay. Times are Unix seconds, a part of one counts whole.
func later(height, seconds, blocks int64, target time.Duration) (untilHeight, untilTime int64) {
	lasts := mulDiv(uint64(blocks), uint64(target), uint64(time.Second))
	if lasts*uint64(time.Second) != uint64(blocks)*uint64(target) {
		lasts++
	}
	return height + blocks, seconds + int64(min(lasts, longest))
}
