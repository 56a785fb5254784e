package yuma

import (
	"math/bits"

	"github.com/lodenet/lode/fixed"
)

// Engine runs epochs and keeps the memory that they need. The zero value is ready.
type Engine struct {
	in  *Input
	n   int
	out Output

	// Steps 1 and 2.
	stake  []uint64 // stake that counts, shifted so that its sum fits 64 bits
	active []uint64 // the part of it that is active
	order  []uint16 // uids, for choosing permits

	// Step 3: the weights by rows. Row i is weights[start[i]:start[i+1]].
	start   []int
	weights []cell

	// Step 4: one block of columns at a time.
	cursor  []int           // by row: where the block begins
	columns []uint64        // entries of the block's columns, see pack
	top     [blockWidth]int // by column: where its next entry goes

	// Steps 5 to 7.
	column    []column
	bondStart []int  // like start
	bonds     []cell // the new bonds; version 2: before scaling by the largest
	columnMax []fixed.Q32
	deltaSum  []uint64 // version 2: Σ_k V_kj·A_k, 64 bits after the point
	oldSum    []uint64 // version 2: Σ_k of the stored bonds
	factor    []wide   // I_j/Σ_k B_kj
	dividend  []uint64
	liquid    liquid
	stored    []Entry // what out.Bonds points into
}

// cell is a number, at most 1, at a column of a sparse row. A million of
// them pass through the cache several times, so they are packed: the uid in the
// low 16 bits, the number above.
type cell uint64

const uidBits = 16

func newCell(uid uint16, v fixed.Q32) cell { return cell(v<<uidBits) | cell(uid) }
func (c cell) uid() uint16                 { return uint16(c) }
func (c cell) value() fixed.Q32            { return fixed.Q32(c >> uidBits) }

// column is what moveRow reads and sums for a miner, in one place so that a row
// walks one stretch of memory.
type column struct {
	consensus fixed.Q32
	rank      uint64 // 64 bits after the point
	bonds     uint64 // Σ_k B_kj
	held      uint16 // mask for stored bonds: 0 where they are from before the miner was there
}

// Epoch runs one epoch with an engine of its own.
func Epoch(in *Input) (*Output, error) { return new(Engine).Run(in) }

// Run computes the epoch. The output is the engine's: it is good until the next
// Run. An error wraps ErrInput.
func (e *Engine) Run(in *Input) (*Output, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	e.in, e.n = in, len(in.Stake)
	defer func() { e.in = nil }() // the input is the caller's to reuse or drop

	e.shareStake()
	e.loadWeights()
	e.findConsensus()
	if in.YumaVersion == 2 {
		e.sumForVersion2()
	}
	e.moveBonds()
	e.rankMiners()
	// From here on nothing reads the input's bonds and permits: they may be the
	// last output's, which these overwrite.
	e.payValidators()
	e.share()
	e.grantPermits()
	return &e.out, nil
}

// rankMiners is the rest of step 5: rank and incentive, from moveBonds' sums.
func (e *Engine) rankMiners() {
	o := &e.out
	o.Rank, o.Incentive = resized(o.Rank, e.n), resized(o.Incentive, e.n)
	var sum uint64
	for j := range e.column {
		sum = addSaturating(sum, e.column[j].rank)
	}
	for j := range e.column {
		r := e.column[j].rank
		o.Rank[j] = fixed.Q32(r >> 32)
		o.Incentive[j] = fixed.Ratio(r, sum)
	}
}

// share is step 8: by what weights the pot is divided.
func (e *Engine) share() {
	o := &e.out
	o.MinerShare, o.ValidatorShare = zeroed(o.MinerShare, e.n), zeroed(o.ValidatorShare, e.n)
	var stake, active, earned fixed.Q32
	for i := range e.n {
		stake += o.StakeShare[i]
		active += o.Active[i]
		earned += o.Incentive[i] + o.Dividends[i]
	}
	switch {
	case earned > 0:
		o.Outcome = Weighted
		for i := range e.n {
			o.MinerShare[i], o.ValidatorShare[i] = uint64(o.Incentive[i]), uint64(o.Dividends[i])
		}
	case stake > 0:
		o.Outcome = NoWeights
		by := o.Active
		if active == 0 {
			by = o.StakeShare
		}
		for i := range e.n {
			o.ValidatorShare[i] = uint64(by[i])
		}
	default:
		o.Outcome = NoStake
	}
}

// fraction is a·b, both at most 1, with 64 bits after the point: 1·1, which does
// not fit, is 2^-64 less.
func fraction(a, b fixed.Q32) uint64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return lo | -hi // hi is 0, or 1 for 1·1
}

// addSaturating is a + b, and the largest value where that does not fit: a sum
// of fractions that comes to exactly 1.
func addSaturating(a, b uint64) uint64 {
	s, carry := bits.Add64(a, b, 0)
	return s | -carry
}

// resized is a slice of n elements with any content, in s if it is large enough.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// zeroed is resized with zeros.
func zeroed[T any](s []T, n int) []T {
	s = resized(s, n)
	clear(s)
	return s
}
