package yuma

import (
	"math/bits"
	"slices"

	"github.com/lodenet/lode/fixed"
)

// blockWidth is how many columns are gathered at once: with 257 validators their
// entries are half a MiB, which stays in the cache.
const blockWidth = 256

// A packed entry is a weight and the row that gave it, in one word that orders
// by weight: the weight takes 33 bits, the row 16.
const rowBits = 16

func pack(w fixed.Q32, row int) uint64 { return uint64(w)<<rowBits | uint64(row) }

// findConsensus is step 4: for each miner the largest weight that validators
// with at least kappa of the active stake gave it. With kappa 0 that is the
// largest weight which anyone active gave.
func (e *Engine) findConsensus() {
	e.out.Consensus = zeroed(e.out.Consensus, e.n)
	var total uint64
	rows := 0
	e.cursor = resized(e.cursor, e.n)
	for i, s := range e.active {
		e.cursor[i] = e.start[i]
		total += s
		if s > 0 {
			rows++
		}
	}
	if rows == 0 {
		return
	}
	// cum ≥ kappa/65535 · total, in integers: cum ≥ ceil(kappa·total/65535).
	hi, lo := bits.Mul64(uint64(e.in.Kappa), total)
	need, rem := bits.Div64(hi, lo, perU16)
	if rem > 0 {
		need++
	}

	e.columns = resized(e.columns, blockWidth*rows)
	for first := 0; first < e.n; first += blockWidth {
		last := min(first+blockWidth, e.n)
		e.gather(first, last, rows)
		for j := first; j < last; j++ {
			at := j - first
			if h := e.height[at]; h > 0 && e.said[at] >= need {
				w := weightedSelect(e.columns[at*rows:at*rows+h], e.active, need)
				e.out.Consensus[j] = fixed.Q32(w)
			}
		}
	}
}

// gather collects what active validators gave to columns first to last−1.
func (e *Engine) gather(first, last, rows int) {
	clear(e.height[:])
	clear(e.said[:])
	for i, s := range e.active {
		if s == 0 {
			continue
		}
		k := e.cursor[i]
		for ; k < e.start[i+1] && int(e.weights[k].uid) < last; k++ {
			at := int(e.weights[k].uid) - first
			e.columns[at*rows+e.height[at]] = pack(e.weights[k].value, i)
			e.height[at]++
			e.said[at] += s
		}
		e.cursor[i] = k
	}
}

// weightedSelect is the largest weight of the packed entries such that those
// with at least that weight hold at least need stake. Together all entries, at
// least one, hold as much. It reorders them.
//
// Quickselect by thirds; where pivots are chosen badly too often, sorting bounds
// the work.
func weightedSelect(entries []uint64, stake []uint64, need uint64) uint64 {
	var above uint64 // stake of entries that are already known to be larger
	for rounds := 2 * bits.Len(uint(len(entries))); ; rounds-- {
		if len(entries) <= 12 || rounds == 0 {
			slices.Sort(entries)
			for k := len(entries) - 1; k > 0; k-- {
				above += stake[entries[k]&(1<<rowBits-1)]
				// Equal weights belong together, but the sum only grows: the
				// first that reaches need has the weight asked for.
				if above >= need {
					return entries[k] >> rowBits
				}
			}
			return entries[0] >> rowBits
		}

		pivot := median3(entries[0], entries[len(entries)/2], entries[len(entries)-1]) >> rowBits
		// entries: [larger | equal | unseen | smaller]
		larger, equal, smaller := 0, 0, len(entries)
		var stakeLarger, stakeEqual uint64
		for equal < smaller {
			x := entries[equal]
			s := stake[x&(1<<rowBits-1)]
			switch w := x >> rowBits; {
			case w > pivot:
				stakeLarger += s
				entries[equal], entries[larger] = entries[larger], x
				larger++
				equal++
			case w == pivot:
				stakeEqual += s
				equal++
			default:
				smaller--
				entries[equal], entries[smaller] = entries[smaller], x
			}
		}
		switch {
		case larger > 0 && above+stakeLarger >= need:
			entries = entries[:larger]
		case smaller == len(entries) || above+stakeLarger+stakeEqual >= need:
			return pivot
		default:
			above += stakeLarger + stakeEqual
			entries = entries[smaller:]
		}
	}
}

func median3(a, b, c uint64) uint64 { return max(min(a, b), min(max(a, b), c)) }
