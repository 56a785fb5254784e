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

	// Step 3: the weights by rows; from step 6 on, what bonds follow. Row i is
	// weights[start[i]:start[i+1]].
	start   []int
	weights []cell

	// Step 4: one block of columns at a time.
	cursor  []int           // by row: where the block begins
	columns []uint64        // entries of the block's columns, see pack
	top     [blockWidth]int // by column: where its next entry goes

	// Steps 5 to 7.
	rank      []uint64 // 64 bits after the point
	bondStart []int    // like start
	bonds     []cell   // the new bonds; version 2: before scaling by the largest
	held      []uint16 // masks for old bonds
	columnSum []uint64 // Σ_k B_kj
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
	e.rankMiners()
	e.findHeld()
	if in.YumaVersion == 2 {
		e.sumForVersion2()
	}
	e.moveBonds()
	// From here on nothing reads the input's bonds and permits: they may be the
	// last output's, which these overwrite.
	e.payValidators()
	e.share()
	e.grantPermits()
	return &e.out, nil
}

// rankMiners is step 5, trust, rank and incentive, and step 6: the weights become
// what bonds follow.
func (e *Engine) rankMiners() {
	e.rank = zeroed(e.rank, e.n)
	o := &e.out
	o.ValidatorTrust = resized(o.ValidatorTrust, e.n)
	for i := range e.n {
		o.ValidatorTrust[i] = e.rankRow(e.row(i), o.Active[i])
	}

	o.Rank, o.Incentive = resized(o.Rank, e.n), resized(o.Incentive, e.n)
	var sum uint64
	for _, r := range e.rank {
		sum = addSaturating(sum, r)
	}
	for j, r := range e.rank {
		o.Rank[j] = fixed.Q32(r >> 32)
		o.Incentive[j] = fixed.Ratio(r, sum)
	}
}

// rankRow is rankMiners for the row of a validator with the active stake given.
// What the weight has above consensus is followed less bonds_penalty, with the
// default not at all.
func (e *Engine) rankRow(row []cell, active fixed.Q32) (trust fixed.Q32) {
	consensus, rank := e.out.Consensus, e.rank[:len(e.out.Consensus)]
	follow := fixed.Q32(perU16 - e.in.BondsPenalty)
	for k, w := range row {
		uid, value := w.uid(), w.value()
		clipped := min(value, consensus[uid])
		trust += clipped
		rank[uid] = addSaturating(rank[uid], fraction(active, clipped))
		followed := clipped
		if follow > 0 {
			followed += (value - clipped) * follow / perU16
		}
		row[k] = newCell(uid, followed)
	}
	return trust
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
	return uint64(a*b - a&b>>32) // the bit at 2^32 is set in both only for 1·1
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
