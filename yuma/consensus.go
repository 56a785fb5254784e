package yuma

import (
	"math/bits"
)

// blockWidth is how many columns are gathered at once: with 257 validators their
// entries are half a MiB, which stays in the cache.
const blockWidth = 256

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
	if rem > 0 || need == 0 { // every stake reaches 1, and so anyone's does at kappa 0
		need++
	}

	stride := padded(rows)
	e.columns = resized(e.columns, blockWidth*stride)
	for first := 0; first < e.n; first += blockWidth {
		e.gather(uint(first), stride)
		for at := range min(blockWidth, e.n-first) {
			entries := e.columns[at*stride : e.top[at]]
			e.out.Consensus[first+at] = weightedSelect(entries, e.active, need)
		}
	}
}

// padded is the distance between columns: an odd number of cache lines, of 8
// words each. An even one would crowd the heads of all columns into few sets of
// the cache.
func padded(rows int) int { return ((rows+7)/8 | 1) * 8 }

// gather collects what active validators gave to a block of columns.
func (e *Engine) gather(first uint, stride int) {
	for at := range e.top {
		e.top[at] = at * stride
	}
	columns := e.columns
	for i, s := range e.active {
		if s == 0 {
			continue
		}
		row := e.weights[e.cursor[i]:e.start[i+1]]
		taken := len(row)
		for k, w := range row {
			at := uint(w.uid()) - first
			if at >= blockWidth {
				taken = k
				break
			}
			columns[e.top[at]] = pack(w.value(), i)
			e.top[at]++
		}
		e.cursor[i] += taken
	}
}
