package yuma

import (
	"math/bits"

	"github.com/lodenet/lode/fixed"
)

// loadWeights is step 3: the rows that count, masked and normalised.
func (e *Engine) loadWeights() {
	in := e.in
	total := 0
	for i := range in.Rows {
		if in.Permits[i] && in.Rows[i].Set {
			total += len(in.Rows[i].Entries)
		}
	}
	e.weights = resized(e.weights, total)
	e.start = resized(e.start, e.n+1)
	at := 0
	for i := range in.Rows {
		e.start[i] = at
		if in.Permits[i] && in.Rows[i].Set {
			at += e.loadRow(e.weights[at:], i)
		}
	}
	e.start[e.n] = at
}

// loadRow puts the entries of i's row that are in force into the memory given,
// normalised, and tells how many they are: not that for itself unless it is the
// owner, and only those for neurons that were there when the row was made.
// Within one block the order is unknown: the neuron then counts as new.
func (e *Engine) loadRow(into []cell, i int) int {
	row, registered := &e.in.Rows[i], e.in.Registered
	block := row.Block
	self := i
	if i == e.in.Owner {
		self = -1
	}
	n := 0
	var sum uint64
	for _, w := range row.Entries {
		if w.Value > 0 && int(w.UID) != self && registered[w.UID] < block {
			into[n] = newCell(w.UID, fixed.Q32(w.Value))
			sum += uint64(w.Value)
			n++
		}
	}
	normalise(into[:n], sum)
	return n
}

// normalise divides u16 values by their sum, below 2^28: v becomes
// floor(v·2^32/sum). It multiplies by the reciprocal r = ceil(2^(48+l)/sum), l the
// length of the sum. With e = r·sum − 2^(48+l), which is below sum,
//
//	v·r/2^(16+l) = v·2^32/sum + v·e/(sum·2^(16+l)).
//
// v is below 2^16 and e below 2^l, so the last term is below 1/sum: too little
// to reach the next whole number.
func normalise(row []cell, sum uint64) {
	if sum == 0 {
		return
	}
	l := bits.Len64(sum)
	hi, lo := bits.Mul64(1<<48, 1<<l)
	r, rest := bits.Div64(hi, lo, sum)
	if rest > 0 {
		r++
	}
	up := uint(48-l) & 63 // of the product the upper word counts
	for k, w := range row {
		q, _ := bits.Mul64(uint64(w.value())<<up, r)
		row[k] = newCell(w.uid(), fixed.Q32(q))
	}
}

// row is validator i's weights.
func (e *Engine) row(i int) []cell { return e.weights[e.start[i]:e.start[i+1]] }
