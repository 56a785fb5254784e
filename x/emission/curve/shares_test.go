package curve_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/emission/curve"
)

func q64(s string) fixed.Q64 {
	q, err := fixed.ParseQ64(s)
	if err != nil {
		panic(err)
	}
	return q
}

func TestSection6SharesFollowMovingPricesAndWhatWasNotWithheld(t *testing.T) {
	const half = fixed.One / 2
	for _, c := range []struct {
		name     string
		moving   []string
		withheld []fixed.Q32
		want     []uint64
	}{
		{"no subnet", nil, nil, nil},
		{"one subnet", []string{"0.25"}, []fixed.Q32{0}, []uint64{1000}},
		{"by moving price", []string{"0.25", "0.75"}, []fixed.Q32{0, 0}, []uint64{250, 750}},
		{"half withheld counts half", []string{"0.5", "0.5"}, []fixed.Q32{half, 0}, []uint64{333, 666}},
		{"all withheld counts nothing", []string{"0.5", "0.1"}, []fixed.Q32{fixed.One, 0}, []uint64{0, 1000}},
		{"where all withhold all, by moving price", []string{"0.25", "0.75"}, []fixed.Q32{fixed.One, fixed.One}, []uint64{250, 750}},
		{"all moving prices zero: equally", []string{"0", "0", "0"}, []fixed.Q32{0, half, fixed.One}, []uint64{333, 333, 333}},
		{"the only price withholds all: by moving price", []string{"0.5", "0"}, []fixed.Q32{fixed.One, 0}, []uint64{1000, 0}},
		{"prices of one unit of the last place", []string{"0.00000000000000000006", "0.00000000000000000006"}, []fixed.Q32{half, half}, []uint64{500, 500}},
		{"more than 1 withheld counts as 1", []string{"0.5", "0.5"}, []fixed.Q32{math.MaxUint64, 0}, []uint64{0, 1000}},
	} {
		moving := make([]fixed.Q64, len(c.moving))
		for i, s := range c.moving {
			moving[i] = q64(s)
		}
		if got := curve.Shares(1000, moving, c.withheld); !slices.Equal(got, c.want) {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestSection6SharesNeverSumToMoreThanThereIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 128).Draw(t, "subnets")
		total := rapid.Uint64().Draw(t, "total")
		moving, withheld := make([]fixed.Q64, n), make([]fixed.Q32, n)
		for i := range n {
			moving[i] = fixed.Q64FromRaw(rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo"))
			withheld[i] = fixed.Q32(rapid.Uint64Range(0, uint64(fixed.One)).Draw(t, "withheld"))
		}
		left := total
		for i, s := range curve.Shares(total, moving, withheld) {
			if s > left {
				t.Fatalf("share %d is %d, only %d are left of %d", i, s, left, total)
			}
			left -= s
		}
		if left >= uint64(n) {
			t.Fatalf("%d units are left of %d for %d subnets: rounding leaves less than one each", left, total, n)
		}
	})
}

func TestSection6MoveComesNearerToThePriceAndNeverPastIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := fixed.Q64FromRaw(0, rapid.Uint64().Draw(t, "e"))
		p := fixed.Q64FromRaw(rapid.Uint64Range(0, 3).Draw(t, "price hi"), rapid.Uint64().Draw(t, "price lo"))
		base := rapid.Uint64Range(0, 1_000_000_000_000).Draw(t, "base")
		next := curve.Move(e, p, base, rapid.Uint64Range(0, 1<<40).Draw(t, "blocks"), rapid.Uint64Range(0, 1<<40).Draw(t, "half time"))
		goal := p.Min(fixed.OneQ64())
		low, high := e, goal
		if high.Cmp(low) < 0 {
			low, high = high, low
		}
		if next.Cmp(low) < 0 || next.Cmp(high) > 0 {
			t.Fatalf("from %s toward %s it went to %s", e, goal, next)
		}
	})
}

func TestSection6MoveByTheFormula(t *testing.T) {
	for _, c := range []struct {
		name         string
		e, p         string
		base         uint64
		blocks, half uint64
		want         string
	}{
		{"at the start nothing moves", "0", "0.5", 1_000_000_000_000, 0, 100, "0"},
		{"after the half time by half the base", "0", "0.5", 500_000_000_000, 100, 100, "0.125"},
		{"a price above 1 counts as 1", "0", "3", 1_000_000_000_000, 100, 100, "0.5"},
		{"it falls alike", "0.5", "0.25", 500_000_000_000, 100, 100, "0.4375"},
		{"without a half time by the whole base", "0", "0.5", 1_000_000_000_000, 1, 0, "0.5"},
	} {
		if got := curve.Move(q64(c.e), q64(c.p), c.base, c.blocks, c.half); got != q64(c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// In Q32.32 a small price would stick at 0 (protocol.md §6).
func TestSection6MoveLiftsASmallPriceFromZeroOnTheFirstBlockOfMainnet(t *testing.T) {
	if got := curve.Move(fixed.Q64{}, q64("0.0001"), 750_000, 1, 806_400); got.IsZero() {
		t.Error("it stays at 0")
	}
}
