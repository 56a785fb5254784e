package fixed_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/lodenet/lode/fixed"
)

const precision = 256

// exactExp is e^(x/2^32), by its series, to far more bits than a Q32 has.
func exactExp(x fixed.S32) *big.Float {
	r := new(big.Float).SetPrec(precision).SetInt64(int64(x))
	r.SetMantExp(r, -32)
	return series(r)
}

func series(x *big.Float) *big.Float {
	sum := new(big.Float).SetPrec(precision).SetInt64(1)
	term := new(big.Float).SetPrec(precision).SetInt64(1)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > -precision; n++ {
		term.Mul(term, x)
		term.Quo(term, new(big.Float).SetInt64(n))
		sum.Add(sum, term)
	}
	return sum
}

func TestExpIsWithinItsBound(t *testing.T) {
	x := -21 * fixed.OneS32
	for x <= 21*fixed.OneS32 {
		clamped := min(max(x, -20*fixed.OneS32), 20*fixed.OneS32)
		want := exactExp(clamped)
		got := new(big.Float).SetPrec(precision).SetUint64(uint64(fixed.Exp(x)))
		got.SetMantExp(got, -32)
		diff := new(big.Float).Sub(got, want)
		bound := new(big.Float).SetPrec(precision).SetMantExp(want, -55)
		bound.Add(bound, big.NewFloat(math.Ldexp(1, -32)))
		if diff.Abs(diff).Cmp(bound) > 0 {
			t.Fatalf("exp(%s) = %s, want %s", x, got.Text('f', 20), want.Text('f', 20))
		}
		if float, _ := want.Float64(); math.Abs(float-math.Exp(clamped.Float64())) > 1e-12*float {
			t.Fatalf("the reference is wrong at %s", x)
		}
		x += 7_919_431 // a prime step: every residue class of the table is met
	}
}

func TestExpAtItsLandmarks(t *testing.T) {
	if got := fixed.Exp(0); got != fixed.One {
		t.Errorf("exp(0) = %d, want exactly 1", got)
	}
	for _, far := range []fixed.S32{fixed.MaxS32, 21 * fixed.OneS32} {
		if got, want := fixed.Exp(far), fixed.Exp(20*fixed.OneS32); got != want {
			t.Errorf("exp(%s) = %s, want that of 20", far, got)
		}
	}
	for _, far := range []fixed.S32{fixed.MinS32, -21 * fixed.OneS32} {
		if got, want := fixed.Exp(far), fixed.Exp(-20*fixed.OneS32); got != want {
			t.Errorf("exp(%s) = %s, want that of -20", far, got)
		}
	}
}

func TestExpNeverFalls(t *testing.T) {
	last := fixed.Exp(-fixed.OneS32)
	for x := -fixed.OneS32; x < fixed.OneS32; x += 99_991 {
		for _, y := range []fixed.S32{x, x + 1} {
			e := fixed.Exp(y)
			if e < last {
				t.Fatalf("exp falls at %d", y)
			}
			last = e
		}
	}
}

func TestPow2NegIsExactForEveryHalfLife(t *testing.T) {
	// ln 2 by Σ 1/(n·2^n), to 256 bits and more.
	ln2 := new(big.Float).SetPrec(precision)
	for n := int64(1); n < precision+8; n++ {
		term := new(big.Float).SetPrec(precision).Quo(big.NewFloat(1), new(big.Float).SetPrec(precision).SetInt64(n))
		ln2.Add(ln2, term.SetMantExp(term, -int(n)))
	}
	for h := uint32(2); h <= 65_535; h++ {
		x := new(big.Float).SetPrec(precision).Quo(ln2, new(big.Float).SetPrec(precision).SetInt64(-int64(h)))
		e := series(x)
		want, _ := e.SetMantExp(e, 32).Uint64() // truncates
		if got := fixed.Pow2Neg(h); uint64(got) != want {
			t.Fatalf("2^32·2^(-1/%d) floored = %d, want %d", h, got, want)
		}
	}
}

func TestPow2NegRaisedToTheHalfLifeIsJustUnderOneHalf(t *testing.T) {
	for _, h := range []int64{1, 2, 3, 10, 11, 360, 1000, 5000, 50_400} {
		f := bigOf(uint64(fixed.Pow2Neg(uint32(h))))
		half := new(big.Int).Lsh(big.NewInt(1), uint(32*h-1))
		power := new(big.Int).Exp(f, big.NewInt(h), nil)
		above := new(big.Int).Exp(f.Add(f, big.NewInt(1)), big.NewInt(h), nil)
		if power.Cmp(half) > 0 || above.Cmp(half) <= 0 {
			t.Errorf("h = %d: f^h <= 2^(32h-1) < (f+1)^h does not hold", h)
		}
	}
	if got := fixed.Pow2Neg(0); got != 0 {
		t.Errorf("a half-life of 0 leaves %d", got)
	}
}
