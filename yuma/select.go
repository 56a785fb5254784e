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
// hold less. It reorders them.
//
// It spreads the entries over buckets between the least and the largest of them,
// finds the bucket in which the stake from above reaches need, and goes on in it.
// A bucket is at most a 32nd as wide as its entries lay apart, so whatever the
// weights are, each round settles 6 of their 49 bits. The loops have no branch
// that depends on the entries: these are in no order, and half the guesses at
// it would be wrong.
func weightedSelect(entries, stake []uint64, need uint64) fixed.Q32 {
	for len(entries) > few {
		least, most := entries[0], entries[0]
		for _, x := range entries {
			least, most = min(least, x), max(most, x)
		}
		shift := uint(max(bits.Len64(most-least)-bucketBits, 0)) & 63

		var held [1 << bucketBits]uint64
		for _, x := range entries {
			held[(x-least)>>shift%(1<<bucketBits)] += stake[x%(1<<rowBits)]
		}
		in := (most - least) >> shift
		for held[in] < need {
			need -= held[in]
			if in == 0 {
				return 0
			}
			in--
		}

		n := 0
		for _, x := range entries {
			entries[n] = x
			off := (x-least)>>shift ^ in
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
