package yuma

import (
	"math/bits"

	"github.com/lodenet/lode/fixed"
)

// moveBonds is the first half of step 7: the new bonds, and their column sums.
func (e *Engine) moveBonds() {
	in := e.in
	e.liquid.prepare(&in.Params, e.out.Consensus)
	most := len(e.weights)
	for _, row := range in.Bonds {
		most += len(row)
	}
	e.bonds = resized(e.bonds, most)
	e.bondStart = resized(e.bondStart, e.n+1)
	e.columnSum = zeroed(e.columnSum, e.n)
	e.columnMax = zeroed(e.columnMax, e.n)
	at := 0
	for i := range e.n {
		e.bondStart[i] = at
		var old []Entry
		if in.Bonds != nil {
			old = in.Bonds[i]
		}
		at += e.moveRow(e.bonds[at:], i, old)
	}
	e.bondStart[e.n] = at
}

// findHeld makes masks for stored bonds: none holds from before its miner was
// there.
func (e *Engine) findHeld() {
	e.held = zeroed(e.held, e.n)
	for j, at := range e.in.Registered {
		if at <= e.in.LastEpoch {
			e.held[j] = 1<<16 - 1
		}
	}
}

// moveRow merges what a validator's bonds follow with its old bonds, both by
// ascending uid, and puts the new ones into the memory given. It tells how many
// they are.
func (e *Engine) moveRow(into []cell, i int, old []Entry) int {
	row := e.row(i)
	plain := e.in.YumaVersion == 3 && !e.liquid.on
	n := 0
	for len(row) > 0 {
		uid := row[0].uid()
		if len(old) > 0 && old[0].UID == uid && plain {
			taken, made := e.moveTogether(into[n:], row, old)
			row, old = row[taken:], old[taken:]
			n += made
			continue
		}
		if len(old) > 0 && old[0].UID < uid {
			n += e.moveOne(&into[n], i, old[0].UID, 0, old[0].Value)
			old = old[1:]
			continue
		}
		var b uint16
		if len(old) > 0 && old[0].UID == uid {
			b = old[0].Value
			old = old[1:]
		}
		n += e.moveOne(&into[n], i, uid, row[0].value(), b)
		row = row[1:]
	}
	for _, b := range old {
		n += e.moveOne(&into[n], i, b.UID, 0, b.Value)
	}
	return n
}

// moveTogether is moveRow without liquid alpha for as long as weights and bonds
// are of the same miners, in a dense subnet nearly always. It tells how many
// of each it took, and how many bonds it made. It is the innermost loop of an
// epoch, and calls nothing so that all it needs stays in registers.
func (e *Engine) moveTogether(into, row []cell, old []Entry) (taken, made int) {
	sum, held := e.columnSum, e.held[:len(e.columnSum)]
	keep := fixed.Q32(e.in.BondsMovingAverage)
	row = row[:min(len(row), len(old))]
	for k, w := range row {
		uid := w.uid()
		if old[k].UID != uid {
			return k, made
		}
		next := average(keep, w.value(), load(old[k].Value&held[uid]))
		if next > 0 {
			into[made] = newCell(uid, next)
			sum[uid] += uint64(next)
			made++
		}
	}
	return len(row), made
}

// moveOne moves i's bond b in j toward v, and tells how many bonds that makes,
// one or none.
func (e *Engine) moveOne(into *cell, i int, j uint16, v fixed.Q32, b uint16) int {
	next := e.moved(i, j, v, b&e.held[j])
	if next == 0 {
		return 0
	}
	*into = newCell(j, next)
	e.columnSum[j] += uint64(next)
	return 1
}

// moved is the bond that b becomes as it follows v.
func (e *Engine) moved(i int, j uint16, v fixed.Q32, b uint16) fixed.Q32 {
	switch {
	case v == 0 && b == 0:
		return 0
	case e.in.YumaVersion == 2:
		next := e.mix(i, j, v, b)
		e.columnMax[j] = max(e.columnMax[j], next)
		return next
	case e.liquid.on:
		loaded := load(b)
		return move(loaded, v, e.liquid.alpha(v, loaded, e.out.Consensus[j]))
	default:
		return average(fixed.Q32(e.in.BondsMovingAverage), v, load(b))
	}
}

// load is the least Q32 that is stored as b: b/65535 rounded up. As 2^32 is
// 65535·65537 + 1, b·2^32/65535 is b·65537 + b/65535.
func load(b uint16) fixed.Q32 { return fixed.Q32(b)*(perU16+2) + (fixed.Q32(b)+perU16)>>16 }

// average is α·v + (1 − α)·b, where 1 − α is what bonds keep, per 10^6.
func average(keep, v, b fixed.Q32) fixed.Q32 {
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
			j := w.uid()
			p := fraction(w.value(), e.out.Active[i])
			e.deltaSum[j] = addSaturating(e.deltaSum[j], p)
		}
	}
	for _, row := range e.in.Bonds {
		for _, b := range row {
			e.oldSum[b.UID] += uint64(b.Value & e.held[b.UID])
		}
	}
}

// mix is version 2's bond before its last normalisation: of this epoch's part of
// the column and the old one's. That normalisation is left to those who use
// it: both dividends and storage divide by the column anyway.
func (e *Engine) mix(i int, j uint16, v fixed.Q32, b uint16) fixed.Q32 {
	delta := fixed.Ratio(fraction(v, e.out.Active[i]), e.deltaSum[j])
	return average(fixed.Q32(e.in.BondsMovingAverage), delta, fixed.Ratio(uint64(b), e.oldSum[j]))
}

// wide is a number with 64 bits after the point.
type wide struct{ hi, lo uint64 }

// payValidators is the second half of step 7: dividends, and the bonds to store.
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

	o.Bonds = resized(o.Bonds, e.n)
	e.stored = resized(e.stored, len(e.bonds))
	e.dividend = resized(e.dividend, e.n)
	var total uint64
	at := 0
	for i := range e.n {
		bonds := e.bonds[e.bondStart[i]:e.bondStart[i+1]]
		stored := e.storeRow(e.stored[at:], bonds)
		o.Bonds[i] = e.stored[at : at+stored : at+stored]
		at += stored
		d := e.earned(bonds)
		if e.in.YumaVersion == 3 {
			d = fraction(o.Active[i], fixed.Q32(min(d, uint64(fixed.One))))
		}
		e.dividend[i] = d
		total = addSaturating(total, d)
	}
	o.Dividends = resized(o.Dividends, e.n)
	for i, d := range e.dividend {
		o.Dividends[i] = fixed.Ratio(d, total)
	}
}

// earned is what a validator's bonds earn: Σ_j B_ij · I_j/Σ_k B_kj, at most Σ I.
func (e *Engine) earned(bonds []cell) uint64 {
	factor := e.factor
	var hi, lo uint64
	for _, b := range bonds {
		f := &factor[b.uid()]
		h, l := bits.Mul64(uint64(b.value()), f.lo)
		var carry uint64
		lo, carry = bits.Add64(lo, l, 0)
		hi += h + carry
		if f.hi > 0 { // seldom: bonds in it sum to less than it earns
			hi += uint64(b.value()) * f.hi
		}
	}
	return hi
}

// storeRow rounds bonds to u16 into the memory given: as they are, in version 2
// of the column's largest. It tells how many are left.
func (e *Engine) storeRow(into []Entry, bonds []cell) int {
	n := 0
	if e.in.YumaVersion == 2 {
		for _, b := range bonds {
			if u := uint16(b.value() * perU16 / e.columnMax[b.uid()]); u > 0 {
				into[n] = Entry{b.uid(), u}
				n++
			}
		}
		return n
	}
	for _, b := range bonds {
		if u := uint16(b.value() * perU16 >> 32); u > 0 {
			into[n] = Entry{b.uid(), u}
			n++
		}
	}
	return n
}
