package fixed_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/fixed"
)

func bigOf(u uint64) *big.Int { return new(big.Int).SetUint64(u) }

var maxUint64 = bigOf(math.MaxUint64)

// saturated is v cut to 64 bits: the largest value if it does not fit.
func saturated(v *big.Int) uint64 {
	if v.Cmp(maxUint64) > 0 {
		return math.MaxUint64
	}
	return v.Uint64()
}

// anyUint64 draws numbers of every length alike; a uniform draw would rarely be small.
func anyUint64() *rapid.Generator[uint64] {
	return rapid.Custom(func(t *rapid.T) uint64 {
		v := rapid.Uint64().Draw(t, "v")
		return v >> rapid.UintRange(0, 63).Draw(t, "shift")
	})
}

func TestQ32AgreesWithBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyUint64().Draw(t, "a"), anyUint64().Draw(t, "b")
		x, y := fixed.Q32(a), fixed.Q32(b)
		want := func(name string, got uint64, v *big.Int) {
			if got != saturated(v) {
				t.Fatalf("%s(%d, %d) = %d, want %d", name, a, b, got, saturated(v))
			}
		}
		want("add", uint64(x.Add(y)), new(big.Int).Add(bigOf(a), bigOf(b)))
		product := new(big.Int).Mul(bigOf(a), bigOf(b))
		want("mul", uint64(x.Mul(y)), product.Rsh(product, 32))
		want("mulUint64", x.MulUint64(b), product)
		if b != 0 {
			shifted := new(big.Int).Lsh(bigOf(a), 32)
			want("div", uint64(x.Div(y)), shifted.Quo(shifted, bigOf(b)))
			want("ratio", uint64(fixed.Ratio(a, b)), shifted)
		}
		less := new(big.Int).Sub(bigOf(a), bigOf(b))
		if less.Sign() < 0 {
			less.SetInt64(0)
		}
		want("sub", uint64(x.Sub(y)), less)
	})
}

func TestDividingByZeroSaturates(t *testing.T) {
	if got := fixed.Ratio(1, 0); got != fixed.MaxQ32 {
		t.Errorf("1/0 = %d", got)
	}
	if got := fixed.Ratio(0, 0); got != 0 {
		t.Errorf("0/0 = %d", got)
	}
	if got := fixed.S32(-1).Div(0); got != fixed.MinS32 {
		t.Errorf("-1/0 = %d", got)
	}
}

func TestS32AgreesWithBigIntegers(t *testing.T) {
	cut := func(v *big.Int) int64 {
		if v.IsInt64() {
			return v.Int64()
		}
		if v.Sign() < 0 {
			return math.MinInt64
		}
		return math.MaxInt64
	}
	rapid.Check(t, func(t *rapid.T) {
		edge := rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1 << 32, -1 << 32})
		draw := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1<<40, 1<<40), edge)
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		x, y := fixed.S32(a), fixed.S32(b)
		A, B := big.NewInt(a), big.NewInt(b)
		want := func(name string, got fixed.S32, v *big.Int) {
			if int64(got) != cut(v) {
				t.Fatalf("%s(%d, %d) = %d, want %d", name, a, b, got, cut(v))
			}
		}
		want("add", x.Add(y), new(big.Int).Add(A, B))
		want("sub", x.Sub(y), new(big.Int).Sub(A, B))
		want("neg", x.Neg(), new(big.Int).Neg(A))
		product := new(big.Int).Mul(A, B)
		want("mul", x.Mul(y), product.Quo(product, big.NewInt(1<<32)))
		if b != 0 {
			shifted := new(big.Int).Lsh(A, 32)
			want("div", x.Div(y), shifted.Quo(shifted, B))
		}
	})
}

func TestQ32PrintsDecimals(t *testing.T) {
	for _, c := range []struct {
		v    fixed.Q32
		want string
	}{
		{0, "0"}, {fixed.One, "1"}, {fixed.One / 2, "0.5"}, {1, "0.0000000002"},
		{fixed.One + fixed.One/4, "1.25"}, {fixed.One - 1, "0.9999999998"}, {fixed.MaxQ32, "4294967295.9999999998"},
	} {
		if got := c.v.String(); got != c.want {
			t.Errorf("%d prints as %s, want %s", uint64(c.v), got, c.want)
		}
	}
	if got := (-fixed.OneS32 / 2).String(); got != "-0.5" {
		t.Errorf("-1/2 prints as %s", got)
	}
	if got := fixed.MinS32.String(); got != "-2147483648" {
		t.Errorf("the least S32 prints as %s", got)
	}
}

func TestSignConversionsSaturate(t *testing.T) {
	if got := fixed.MaxQ32.Signed(); got != fixed.MaxS32 {
		t.Errorf("the largest Q32 as signed is %d", got)
	}
	if got := fixed.S32(-5).Unsigned(); got != 0 {
		t.Errorf("a negative number as unsigned is %d", got)
	}
	if got := fixed.One.Signed().Unsigned(); got != fixed.One {
		t.Errorf("1 there and back is %d", got)
	}
}
