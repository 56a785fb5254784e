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

// alpha is the rate at which a bond b moves toward v.
func (l *liquid) alpha(v, b, consensus fixed.Q32) fixed.Q32 {
	d := max(v, b).Sub(consensus) // the weight's distance where it rises, the bond's where it falls
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
