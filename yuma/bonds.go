package yuma

import (
	"math/bits"

	"github.com/lodenet/lode/fixed"
)

// follow is V, step 6: the weight that a bond follows.
func (e *Engine) follow(w fixed.Q32, j uint16) fixed.Q32 {
	c := e.out.Consensus[j]
	if w <= c {
		return w
	}
	return c + (w-c)*fixed.Q32(perU16-e.in.BondsPenalty)/perU16
}

// kept is the stored bond for j that still holds: none from before j was there.
func (e *Engine) kept(b Entry) uint16 {
	if e.in.Registered[b.UID] > e.in.LastEpoch {
		return 0
	}
	return b.Value
}

// moveBonds is the first half of step 7: the new bonds, and their column sums.
func (e *Engine) moveBonds() {
	e.liquid.prepare(&e.in.Params, e.out.Consensus)
	most := len(e.weights)
	for _, row := range e.in.Bonds {
		most += len(row)
	}
	e.bonds = resized(e.bonds, most)[:0]
	e.bondStart = resized(e.bondStart, e.n+1)
	e.columnSum = zeroed(e.columnSum, e.n)
	e.columnMax = zeroed(e.columnMax, e.n)
	for i := range e.n {
		e.bondStart[i] = len(e.bonds)
		var old []Entry
		if e.in.Bonds != nil {
			old = e.in.Bonds[i]
		}
		e.moveRow(i, e.row(i), old)
	}
	e.bondStart[e.n] = len(e.bonds)
}

// moveRow merges a validator's weights and old bonds, both by ascending uid.
func (e *Engine) moveRow(i int, weights []cell, old []Entry) {
	const end = 1 << 16 // above every uid
	bonds, version2 := e.bonds, e.in.YumaVersion == 2
	for w, o := 0, 0; w < len(weights) || o < len(old); {
		atW, atO := end, end
		if w < len(weights) {
			atW = int(weights[w].uid)
		}
		if o < len(old) {
			atO = int(old[o].UID)
		}
		uid := uint16(min(atW, atO))
		var v fixed.Q32
		var b uint16
		if atW <= atO {
			v = e.follow(weights[w].value, uid)
			w++
		}
		if atO <= atW {
			b = e.kept(old[o])
			o++
		}
		if v == 0 && b == 0 {
			continue
		}

		var next fixed.Q32
		switch {
		case version2:
			next = e.mix(i, uid, v, b)
		case e.liquid.on:
			loaded := load(b)
			next = move(loaded, v, e.liquid.alpha(v, loaded, e.out.Consensus[uid]))
		default:
			next = e.average(v, load(b))
		}
		if next > 0 {
			bonds = append(bonds, cell{uid, next})
			e.columnSum[uid] += uint64(next)
			if version2 {
				e.columnMax[uid] = max(e.columnMax[uid], next)
			}
		}
	}
	e.bonds = bonds
}

// load is the least Q32 that is stored as b: b/65535 rounded up.
func load(b uint16) fixed.Q32 { return (fixed.Q32(b)<<32 + perU16 - 1) / perU16 }

// average is α·v + (1 − α)·b with α = 1 − bonds_moving_average.
func (e *Engine) average(v, b fixed.Q32) fixed.Q32 {
	keep := fixed.Q32(e.in.BondsMovingAverage)
	return ((perMillion-keep)*v + keep*b) / perMillion
}

// move is α·v + (1 − α)·b, α below 1, as a step from b: the plain sum could
// exceed 64 bits.
func move(b, v, alpha fixed.Q32) fixed.Q32 {
	if v >= b {
		return b + alpha*(v-b)>>32
	}
	return b - (alpha*(b-v)+fixed.One-1)>>32
}

// sumForVersion2 sums the columns that mix divides by.
func (e *Engine) sumForVersion2() {
	e.deltaSum, e.oldSum = zeroed(e.deltaSum, e.n), zeroed(e.oldSum, e.n)
	for i := range e.n {
		for _, w := range e.row(i) {
			p := fraction(e.follow(w.value, w.uid), e.out.Active[i])
			e.deltaSum[w.uid] = addSaturating(e.deltaSum[w.uid], p)
		}
	}
	for _, row := range e.in.Bonds {
		for _, b := range row {
			e.oldSum[b.UID] += uint64(e.kept(b))
		}
	}
}

// mix is version 2's bond before its last normalisation: of this epoch's part of
// the column and the old one's. That normalisation is left to those who use
// it: both dividends and storage divide by the column anyway.
func (e *Engine) mix(i int, j uint16, v fixed.Q32, b uint16) fixed.Q32 {
	delta := fixed.Ratio(fraction(v, e.out.Active[i]), e.deltaSum[j])
	return e.average(delta, fixed.Ratio(uint64(b), e.oldSum[j]))
}

// wide is a number with 64 bits after the point.
type wide struct{ hi, lo uint64 }

// payValidators is the second half of step 7: dividends.
func (e *Engine) payValidators() {
	o := &e.out
	e.factor = resized(e.factor, e.n)
	for j, sum := range e.columnSum {
		e.factor[j] = wide{}
		if sum > 0 {
			incentive := uint64(o.Incentive[j])
			lo, _ := bits.Div64(incentive%sum, 0, sum)
			e.factor[j] = wide{incentive / sum, lo}
		}
	}

	e.dividend = resized(e.dividend, e.n)
	var total uint64
	for i := range e.n {
		// Σ_j B_ij · I_j/Σ_k B_kj: at most Σ I, so the upper word never overflows.
		var hi, lo uint64
		for _, b := range e.bonds[e.bondStart[i]:e.bondStart[i+1]] {
			f := e.factor[b.uid]
			h, l := bits.Mul64(uint64(b.value), f.lo)
			var carry uint64
			lo, carry = bits.Add64(lo, l, 0)
			hi += h + uint64(b.value)*f.hi + carry
		}
		d := hi
		if e.in.YumaVersion == 3 {
			d = fraction(o.Active[i], fixed.Q32(min(hi, uint64(fixed.One))))
		}
		e.dividend[i] = d
		total = addSaturating(total, d)
	}
	o.Dividends = resized(o.Dividends, e.n)
	for i, d := range e.dividend {
		o.Dividends[i] = fixed.Ratio(d, total)
	}
}

// storeBonds rounds the bonds to u16: as they are, in version 2 of the column's largest.
func (e *Engine) storeBonds() {
	o := &e.out
	o.Bonds = resized(o.Bonds, e.n)
	e.stored = resized(e.stored, len(e.bonds))[:0]
	for i := range e.n {
		first := len(e.stored)
		for _, b := range e.bonds[e.bondStart[i]:e.bondStart[i+1]] {
			var u uint16
			if e.in.YumaVersion == 2 {
				u = uint16(b.value * perU16 / e.columnMax[b.uid])
			} else {
				u = uint16(b.value * perU16 >> 32)
			}
			if u > 0 {
				e.stored = append(e.stored, Entry{b.uid, u})
			}
		}
		o.Bonds[i] = e.stored[first:len(e.stored):len(e.stored)]
	}
}
