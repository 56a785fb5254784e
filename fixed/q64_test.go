package fixed_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/fixed"
)

func rawOf(q fixed.Q64) *big.Int {
	hi, lo := q.Raw()
	v := bigOf(hi)
	return v.Lsh(v, 64).Add(v, bigOf(lo))
}

var maxRaw = rawOf(fixed.MaxQ64())

// anyQ64 draws values of every length, and those next to a word's end.
func anyQ64() *rapid.Generator[fixed.Q64] {
	word := rapid.OneOf(anyUint64(), rapid.SampledFrom([]uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, 1 << 63}))
	return rapid.Custom(func(t *rapid.T) fixed.Q64 {
		return fixed.Q64FromRaw(word.Draw(t, "hi"), word.Draw(t, "lo"))
	})
}

func TestQ64AgreesWithBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, u := anyQ64().Draw(t, "a"), anyQ64().Draw(t, "b"), anyUint64().Draw(t, "u")
		A, B, U := rawOf(a), rawOf(b), bigOf(u)
		want := func(name string, got fixed.Q64, v *big.Int) {
			if v.Cmp(maxRaw) > 0 {
				v = maxRaw
			}
			if v.Sign() < 0 {
				v = new(big.Int)
			}
			if rawOf(got).Cmp(v) != 0 {
				t.Fatalf("%s(%s, %s) = %s, want %s/2^64", name, a, b, got, v)
			}
		}
		want("add", a.Add(b), new(big.Int).Add(A, B))
		want("sub", a.Sub(b), new(big.Int).Sub(A, B))
		product := new(big.Int).Mul(A, B)
		want("mul", a.Mul(b), product.Rsh(product, 64))
		if !b.IsZero() {
			shifted := new(big.Int).Lsh(A, 64)
			want("div", a.Div(b), shifted.Quo(shifted, B))
			units := new(big.Int).Lsh(U, 64)
			if got, w := b.QuoUint64(u), saturated(units.Quo(units, B)); got != w {
				t.Fatalf("%d / %s = %d, want %d", u, b, got, w)
			}
		}
		units := new(big.Int).Mul(A, U)
		if got, w := a.MulUint64(u), saturated(units.Rsh(units, 64)); got != w {
			t.Fatalf("%s · %d = %d, want %d", a, u, got, w)
		}
		if a.Cmp(b) != A.Cmp(B) || (a == b) != (A.Cmp(B) == 0) || a.Min(b).Cmp(a) > 0 || a.Min(b).Cmp(b) > 0 {
			t.Fatalf("%s and %s compare wrongly", a, b)
		}
	})
}

func TestQ64TruncatesARatioOfReserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		num, den := anyUint64().Draw(t, "num"), anyUint64().Draw(t, "den")
		if den == 0 {
			t.Skip()
		}
		v := new(big.Int).Lsh(bigOf(num), 64)
		if got := fixed.Q64Ratio(num, den); rawOf(got).Cmp(v.Quo(v, bigOf(den))) != 0 {
			t.Fatalf("%d/%d = %s", num, den, got)
		}
	})
}

func TestQ64DivisionByZeroSaturates(t *testing.T) {
	zero, one := fixed.Q64{}, fixed.OneQ64()
	for name, got := range map[string]fixed.Q64{"1/0": one.Div(zero), "ratio 1/0": fixed.Q64Ratio(1, 0)} {
		if got != fixed.MaxQ64() {
			t.Errorf("%s = %s", name, got)
		}
	}
	for name, got := range map[string]fixed.Q64{"0/0": zero.Div(zero), "ratio 0/0": fixed.Q64Ratio(0, 0)} {
		if got != zero {
			t.Errorf("%s = %s", name, got)
		}
	}
	if got := zero.QuoUint64(7); got != math.MaxUint64 {
		t.Errorf("7 at price 0 buys %d", got)
	}
	if got := zero.QuoUint64(0); got != 0 {
		t.Errorf("nothing at price 0 buys %d", got)
	}
}

func TestQ64PrintsDecimals(t *testing.T) {
	for _, c := range []struct {
		v    fixed.Q64
		want string
	}{
		{fixed.Q64{}, "0"},
		{fixed.OneQ64(), "1"},
		{fixed.Q64FromQ32(fixed.One / 2), "0.5"},
		{fixed.Q64FromUint64(12), "12"},
		{fixed.Q64FromRaw(0, 1), "0.00000000000000000005"},
		{fixed.Q64Ratio(1, 3), "0.33333333333333333332"},
		{fixed.MaxQ64(), "18446744073709551615.99999999999999999995"},
	} {
		if got := c.v.String(); got != c.want {
			t.Errorf("%v prints as %s, want %s", rawOf(c.v), got, c.want)
		}
	}
}

func TestQ64ReadsBackWhatItWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := anyQ64().Draw(t, "q")
		if back, err := fixed.ParseQ64(q.String()); err != nil || back != q {
			t.Fatalf("%s parses to %s, %v", q, back, err)
		}

		text, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		var back fixed.Q64
		if err := json.Unmarshal(text, &back); err != nil || back != q {
			t.Fatalf("JSON %s reads as %s, %v", text, back, err)
		}

		b, err := q.Marshal()
		if err != nil || len(b) != q.Size() {
			t.Fatalf("%d bytes, size %d, %v", len(b), q.Size(), err)
		}
		into := make([]byte, 20)
		if n, err := q.MarshalTo(into); err != nil || string(into[:n]) != string(b) {
			t.Fatalf("MarshalTo wrote %x, %v", into[:n], err)
		}
		back = fixed.OneQ64()
		if err := back.Unmarshal(b); err != nil || back != q {
			t.Fatalf("bytes %x read as %s, %v", b, back, err)
		}
	})
}

func TestQ64RefusesWhatIsNoNumber(t *testing.T) {
	for _, s := range []string{
		"", ".", "1.", ".5", "-1", "+1", "1e3", "0x10", "1.2.3", "1,5", " 1", "NaN", "18446744073709551616", "１",
		strings.Repeat("0", 129),
	} {
		if q, err := fixed.ParseQ64(s); err == nil {
			t.Errorf("%q parses to %s", s, q)
		}
	}
	var q fixed.Q64
	for _, text := range []string{`null`, `{}`, `"x"`, `-1`, `"1`, `true`} {
		if err := q.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("JSON %s reads as %s", text, q)
		}
	}
	if err := q.Unmarshal(make([]byte, 15)); err == nil {
		t.Error("15 bytes read as a Q64")
	}
	if _, err := q.MarshalTo(make([]byte, 15)); err == nil {
		t.Error("a Q64 fits 15 bytes")
	}
	if err := q.UnmarshalJSON([]byte(`0.25`)); err != nil || q.String() != "0.25" {
		t.Errorf("a bare 0.25 reads as %s, %v", q, err)
	}
	if err := q.Unmarshal(nil); err != nil || !q.IsZero() {
		t.Errorf("no bytes read as %s, %v", q, err)
	}
}

func TestASmallPriceStillMoves(t *testing.T) {
	// e ← e + s·(p − e) with a price and a step that vanish in Q32.32.
	e, p, s := fixed.Q64{}, fixed.Q64Ratio(1, 1e9), fixed.Q64Ratio(1, 1e6)
	for range 1000 {
		e = e.Add(s.Mul(p.Sub(e)))
	}
	if got := e.Float64(); math.Abs(got-1e-12) > 1e-14 {
		t.Errorf("after 1000 steps the price is %g, want about 1e-12", got)
	}
}

func FuzzParseQ64(f *testing.F) {
	for _, s := range []string{"0", "1.5", "0.00000000000000000005", "18446744073709551615.99999999999999999995", "1..", "9e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := fixed.ParseQ64(s)
		if err != nil {
			return
		}
		if back, err := fixed.ParseQ64(q.String()); err != nil || back != q {
			t.Fatalf("%q is %s, which parses to %s, %v", s, q, back, err)
		}
	})
}
