package yuma

import (
	"math/bits"
	"slices"

	"github.com/lodenet/lode/fixed"
)

// A packed entry is a weight and the row that gave it, in one word that orders
// by weight: the weight takes 33 bits, the row 16. No two are equal.
const rowBits = 16

func pack(w fixed.Q32, row int) uint64 { return uint64(w)<<rowBits | uint64(row) }

const (
	bucketBits = 6
	few        = 12 // entries that are sorted rather than spread
)

// weightedSelect is the largest weight of the packed entries such that those
// with at least that weight hold at least need stake, and 0 where all together
// hold less. Stakes and need are above 0. It reorders the entries.
//
// It spreads them over buckets by the first six bits in which they differ, finds
// the bucket in which the stake from above reaches need, and goes on in it: each
// round settles six of 49 bits, whatever the weights are. The loops over entries
// have no branch that depends on them: these are in no order, and half the
// processor's guesses at it would be wrong.
func weightedSelect(entries, stake []uint64, need uint64) fixed.Q32 {
	for len(entries) > few {
		var differ uint64
		for _, x := range entries {
			differ |= x ^ entries[0]
		}
		shift := uint(max(bits.Len64(differ)-bucketBits, 0)) & 63

		var held [1 << bucketBits]uint64
		for _, x := range entries {
			held[x>>shift%(1<<bucketBits)] += stake[x%(1<<rowBits)]
		}
		in := uint64(len(held) - 1)
		for ; held[in] < need; in-- {
			need -= held[in]
			if in == 0 {
				return 0
			}
		}

		n := 0
		for _, x := range entries {
			entries[n] = x
			off := x>>shift%(1<<bucketBits) ^ in
			n += int((off - 1) >> 63) // 1 where off is 0
		}
		entries = entries[:n]
	}

	slices.Sort(entries)
	for k := len(entries) - 1; k >= 0; k-- {
		// Equal weights belong together, but the sum only grows: the first that
		// reaches need has the weight asked for.
		s := stake[entries[k]%(1<<rowBits)]
		if s >= need {
			return fixed.Q32(entries[k] >> rowBits)
		}
		need -= s
	}
	return 0
}
