package yuma

import (
	"math/bits"

	"github.com/lodenet/lode/fixed"
)

// liquid is version 3's rate by distance from consensus (protocol.md §7, step 7).
type liquid struct {
	on        bool // switched on, and there is a consensus
	low, high fixed.Q32
	steepness fixed.S32 // per 100
	atZero    fixed.Q32 // the rate at distance 0: most bonds', so it is kept
}

func (l *liquid) prepare(p *Params, consensus []fixed.Q32) {
	*l = liquid{}
	if !p.LiquidAlpha || p.YumaVersion != 3 {
		return
	}
	for _, c := range consensus {
		if c > 0 {
			l.on = true
			break
		}
	}
	l.low = fixed.Ratio(uint64(p.AlphaLow), perMillion)
	l.high = fixed.Ratio(uint64(p.AlphaHigh), perMillion)
	l.steepness = fixed.S32(p.AlphaSteepness)
	l.atZero = l.at(0)
}

// alpha is the rate at which a bond b moves toward v. A rising bond's distance
// is that of its weight above consensus; a falling one's is how far it falls.
//
// The falling bond is measured from its weight, not from consensus, as the
// reference does: the figures of its tests (testdata/yuma3_one_epoch_switch.json)
// hold only with that.
func (l *liquid) alpha(v, b, consensus fixed.Q32) fixed.Q32 {
	var d fixed.Q32
	if v >= b {
		d = v.Sub(consensus)
	} else {
		d = b - v
	}
	if d == 0 {
		return l.atZero
	}
	return l.at(min(d, fixed.One))
}

// at is low + (high − low)/(1 + exp(−steepness/100·(d − 1/2))), d at most 1.
func (l *liquid) at(d fixed.Q32) fixed.Q32 {
	power := fixed.Exp(l.steepness * (fixed.OneS32/2 - fixed.S32(d)) / 100)
	sigmoid, _ := bits.Div64(1, 0, uint64(fixed.One+power)) // 2^64 over 2^32·(1 + power)
	return min(max(l.low+(l.high-l.low)*fixed.Q32(sigmoid)>>32, l.low), l.high)
}
