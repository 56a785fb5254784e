package yuma

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/lodenet/lode/fixed"
)

// shareStake is steps 1 and 2, but for the new permits: S and A.
func (e *Engine) shareStake() {
	in, o := e.in, &e.out
	e.stake, e.active = resized(e.stake, e.n), zeroed(e.active, e.n)
	var hi, lo uint64
	for i, s := range in.Stake {
		if s < in.MinStake && i != in.Owner {
			s = 0
		}
		e.stake[i] = s
		var carry uint64
		lo, carry = bits.Add64(lo, s, 0)
		hi += carry
	}
	// No real stake comes near 64 bits in sum; those that do lose their low bits.
	shift := bits.Len64(hi)
	var total uint64
	for i := range e.stake {
		e.stake[i] >>= shift
		total += e.stake[i]
	}

	o.StakeShare = resized(o.StakeShare, e.n)
	var active uint64
	for i, s := range e.stake {
		o.StakeShare[i] = fixed.Ratio(s, total)
		row := &in.Rows[i]
		if o.StakeShare[i] > 0 && in.Permits[i] && row.Set && in.Block-row.Block <= in.ActivityCutoff {
			e.active[i] = s
			active += s
		}
	}
	o.Active = resized(o.Active, e.n)
	for i, s := range e.active {
		o.Active[i] = fixed.Ratio(s, active)
	}
}

// grantPermits is the other half of step 2: the largest stakes and the owner.
func (e *Engine) grantPermits() {
	o := &e.out
	o.Permits = zeroed(o.Permits, e.n)
	e.order = resized(e.order, e.n)[:0]
	for i, s := range o.StakeShare {
		if s > 0 {
			e.order = append(e.order, uint16(i))
		}
	}
	slices.SortFunc(e.order, func(a, b uint16) int {
		return cmp.Or(cmp.Compare(e.stake[b], e.stake[a]), cmp.Compare(a, b))
	})
	for k, uid := range e.order {
		if uint64(k) == uint64(e.in.MaxValidators) {
			break
		}
		o.Permits[uid] = true
	}
	if e.in.Owner >= 0 {
		o.Permits[e.in.Owner] = true
	}
}
