package yuma

import (
	"math/bits"

	"github.com/lodenet/lode/fixed"
)

// follow is V, step 6: the weight that a bond follows, of a weight that is
// clipped to consensus.
func (e *Engine) follow(w, clipped fixed.Q32) fixed.Q32 {
	return clipped + (w-clipped)*fixed.Q32(perU16-e.in.BondsPenalty)/perU16
}

// moveBonds is the sums of step 5 and the first half of step 7, in one walk
// along the weights: trust, rank, the new bonds and their column sums.
func (e *Engine) moveBonds() {
	in, o := e.in, &e.out
	e.liquid.prepare(&in.Params, o.Consensus)
	most := len(e.weights)
	for _, row := range in.Bonds {
		most += len(row)
	}
	e.bonds = resized(e.bonds, most)
	e.bondStart = resized(e.bondStart, e.n+1)
	e.columnMax = zeroed(e.columnMax, e.n)
	e.column = resized(e.column, e.n)
	for j := range e.column {
		e.column[j] = column{consensus: o.Consensus[j], held: e.held(uint16(j))}
	}
	o.ValidatorTrust = resized(o.ValidatorTrust, e.n)
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

// held is a mask for stored bonds in j: none holds from before j was there.
func (e *Engine) held(j uint16) uint16 {
	if e.in.Registered[j] > e.in.LastEpoch {
		return 0
	}
	return 1<<16 - 1
}

// moveRow merges a validator's weights and old bonds, both by ascending uid, and
// puts its new bonds into the memory given. It tells how many they are.
func (e *Engine) moveRow(into []cell, i int, old []Entry) int {
	columns, active := e.column, e.out.Active[i]
	plain := e.in.YumaVersion == 3 && !e.liquid.on
	n := 0
	var trust fixed.Q32
	for _, w := range e.row(i) {
		uid, value := w.uid(), w.value()
		for len(old) > 0 && old[0].UID < uid {
			n += e.moveUnweighed(&into[n], i, old[0])
			old = old[1:]
		}
		c := &columns[uid]
		var b uint16
		if len(old) > 0 && old[0].UID == uid {
			b = old[0].Value & c.held
			old = old[1:]
		}

		clipped := min(value, c.consensus)
		trust += clipped
		c.rank = addSaturating(c.rank, fraction(active, clipped))

		v := e.follow(value, clipped)
		var next fixed.Q32
		if plain {
			next = e.average(v, load(b))
		} else {
			next = e.moved(i, uid, v, b)
		}
		if next > 0 {
			into[n] = newCell(uid, next)
			c.bonds += uint64(next)
			n++
		}
	}
	for _, b := range old {
		n += e.moveUnweighed(&into[n], i, b)
	}
	e.out.ValidatorTrust[i] = trust
	return n
}

// moveUnweighed is moveRow's step for a bond without a weight. It tells how many
// bonds are left of it, one or none.
func (e *Engine) moveUnweighed(into *cell, i int, old Entry) int {
	c := &e.column[old.UID]
	next := e.moved(i, old.UID, 0, old.Value&c.held)
	if next == 0 {
		return 0
	}
	*into = newCell(old.UID, next)
	c.bonds += uint64(next)
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
		return move(loaded, v, e.liquid.alpha(v, loaded, e.column[j].consensus))
	default:
		return e.average(v, load(b))
	}
}

// load is the least Q32 that is stored as b: b/65535 rounded up. As 2^32 is
// 65535·65537 + 1, b·2^32/65535 is b·65537 + b/65535.
func load(b uint16) fixed.Q32 { return fixed.Q32(b)*(perU16+2) + fixed.Q32(min(b, 1)) }

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
			j := w.uid()
			clipped := min(w.value(), e.out.Consensus[j])
			p := fraction(e.follow(w.value(), clipped), e.out.Active[i])
			e.deltaSum[j] = addSaturating(e.deltaSum[j], p)
		}
	}
	for _, row := range e.in.Bonds {
		for _, b := range row {
			e.oldSum[b.UID] += uint64(b.Value & e.held(b.UID))
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

// payValidators is the second half of step 7: dividends, and the bonds to store.
func (e *Engine) payValidators() {
	o := &e.out
	e.factor = resized(e.factor, e.n)
	for j := range e.column {
		e.factor[j] = wide{}
		if sum := e.column[j].bonds; sum > 0 {
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
		d, stored := e.payRow(e.stored[at:], e.bonds[e.bondStart[i]:e.bondStart[i+1]])
		o.Bonds[i] = e.stored[at : at+stored : at+stored]
		at += stored
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

// payRow is what a validator's bonds earn, Σ_j B_ij · I_j/Σ_k B_kj, at most Σ I.
// It rounds them to u16 into the memory given, as they are, in version 2 of the
// column's largest, and tells how many are left.
func (e *Engine) payRow(into []Entry, bonds []cell) (earned uint64, n int) {
	factor, version2 := e.factor, e.in.YumaVersion == 2
	var lo uint64
	for _, b := range bonds {
		uid, value := b.uid(), uint64(b.value())
		f := &factor[uid]
		h, l := bits.Mul64(value, f.lo)
		var carry uint64
		lo, carry = bits.Add64(lo, l, 0)
		earned += h + value*f.hi + carry

		u := uint16(value * perU16 >> 32)
		if version2 {
			u = uint16(value * perU16 / uint64(e.columnMax[uid]))
		}
		if u > 0 {
			into[n] = Entry{uid, u}
			n++
		}
	}
	return earned, n
}
