package console

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/lodenet/lode/fixed"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// perMillion is the denominator of the chain's shares and takes.
const perMillion = 1_000_000

func share(per uint32) float64 { return float64(per) / perMillion }

// fraction is a Q32.32 of the chain as a number.
func fraction(q uint64) float64 { return fixed.Q32(q).Float64() }

// price is a decimal of the chain's, with a point.
func price(s string) string {
	if s == "" {
		return "0.0"
	}
	if !strings.Contains(s, ".") {
		return s + ".0"
	}
	return s
}

// priceOfRao is rao per whole alpha as TAO per alpha.
func priceOfRao(rao uint64) string {
	s := strconv.FormatUint(rao, 10)
	if len(s) < 10 {
		s = strings.Repeat("0", 10-len(s)) + s
	}
	return s[:len(s)-9] + "." + s[len(s)-9:]
}

// worth is what alpha units are worth at a pool's price, in rao, rounded down as the
// chain rounds: alpha · TAO reserve / alpha reserve.
func worth(p *alphatypes.Pool, alpha uint64) uint64 {
	if p == nil || p.AlphaReserve == 0 {
		return 0
	}
	x := new(big.Int).Mul(new(big.Int).SetUint64(alpha), new(big.Int).SetUint64(p.TaoReserve))
	x.Quo(x, new(big.Int).SetUint64(p.AlphaReserve))
	if !x.IsUint64() {
		return 1<<64 - 1
	}
	return x.Uint64()
}

// sum adds without running over.
func sum(all ...uint64) uint64 {
	var s uint64
	for _, n := range all {
		if s+n < s {
			return 1<<64 - 1
		}
		s += n
	}
	return s
}

// ratio is a/b, 0 where b is.
func ratio(a, b uint64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// perAlpha is the price of so many rao for so many alpha units, in TAO per alpha, to 18
// digits.
func perAlpha(rao, units uint64) string {
	if units == 0 {
		return "0.0"
	}
	const digits = 18
	x := new(big.Int).Exp(big.NewInt(10), big.NewInt(digits), nil)
	x.Mul(x, new(big.Int).SetUint64(rao)).Quo(x, new(big.Int).SetUint64(units))
	s := x.String()
	if len(s) <= digits {
		s = strings.Repeat("0", digits+1-len(s)) + s
	}
	return s[:len(s)-digits] + "." + s[len(s)-digits:]
}
