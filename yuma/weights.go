package yuma

import "github.com/lodenet/lode/fixed"

// loadWeights is step 3: the rows that count, masked and normalised.
func (e *Engine) loadWeights() {
	in := e.in
	total := 0
	for i := range in.Rows {
		if in.Permits[i] && in.Rows[i].Set {
			total += len(in.Rows[i].Entries)
		}
	}
	e.weights = resized(e.weights, total)[:0]
	e.start = resized(e.start, e.n+1)
	for i := range in.Rows {
		e.start[i] = len(e.weights)
		row := &in.Rows[i]
		if !in.Permits[i] || !row.Set {
			continue
		}
		var sum uint64
		for _, w := range row.Entries {
			if e.counts(i, row, w) {
				sum += uint64(w.Value)
				e.weights = append(e.weights, cell{w.UID, fixed.Q32(w.Value)})
			}
		}
		normalise(e.weights[e.start[i]:], sum)
	}
	e.start[e.n] = len(e.weights)
}

// counts tells whether an entry of i's row is in force: not for itself unless it
// is the owner, and for a neuron that was there when the row was made. Within
// one block the order is unknown: the neuron then counts as new.
func (e *Engine) counts(i int, row *Row, w Entry) bool {
	return w.Value > 0 &&
		(int(w.UID) != i || i == e.in.Owner) &&
		e.in.Registered[w.UID] < row.Block
}

// normalise divides u16 values by their sum.
func normalise(row []cell, sum uint64) {
	for k := range row {
		// The value is below 2^16, so the shift loses nothing.
		row[k].value = row[k].value << 32 / fixed.Q32(sum)
	}
}

// row is validator i's weights.
func (e *Engine) row(i int) []cell { return e.weights[e.start[i]:e.start[i+1]] }
