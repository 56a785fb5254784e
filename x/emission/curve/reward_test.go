package curve_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/emission/curve"
)

const (
	limit   = 21_000_000 * 1_000_000_000
	initial = 250_000_000
)

func TestSection2RewardHalvesExactlyAtEachThreshold(t *testing.T) {
	for m := 1; m <= 20; m++ {
		// The threshold limit·(1 − 2^-m) in exact integers: the least issued with
		// issued·2^m >= limit·(2^m − 1).
		two := new(big.Int).Lsh(big.NewInt(1), uint(m))
		at := new(big.Int).Sub(two, big.NewInt(1))
		at.Mul(at, big.NewInt(limit))
		at.Add(at, new(big.Int).Sub(two, big.NewInt(1))).Quo(at, two)
		threshold := at.Uint64()
		if got, want := curve.Reward(limit, initial, threshold-1), uint64(initial)>>(m-1); got != want {
			t.Errorf("one rao under threshold %d the reward is %d, want %d", m, got, want)
		}
		if got, want := curve.Reward(limit, initial, threshold), uint64(initial)>>m; got != want {
			t.Errorf("at threshold %d, %d rao issued, the reward is %d, want %d", m, threshold, got, want)
		}
	}
}

func TestSection2RewardAtItsEnds(t *testing.T) {
	for _, c := range []struct {
		name                   string
		limit, initial, issued uint64
		want                   uint64
	}{
		{"nothing issued", limit, initial, 0, initial},
		{"a rao issued", limit, initial, 1, initial},
		{"a rao under the cap", limit, initial, limit - 1, 0},
		{"at the cap", limit, initial, limit, 0},
		{"past the cap", limit, initial, limit + 1, 0},
		{"far past the cap", limit, initial, math.MaxUint64, 0},
		{"no cap at all", 0, initial, 0, 0},
		{"the whole range", math.MaxUint64, 1 << 63, math.MaxUint64 - 1, 1},
	} {
		if got := curve.Reward(c.limit, c.initial, c.issued); got != c.want {
			t.Errorf("%s: reward %d, want %d", c.name, got, c.want)
		}
	}
}

func TestSection2RewardCountsThresholdsReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Uint64Range(1, math.MaxUint64).Draw(t, "limit")
		issued := rapid.Uint64Range(0, limit-1).Draw(t, "issued")
		k := 0
		for m := uint(1); m <= 64; m++ { // limit·(2^m − 1) <= issued·2^m
			two := new(big.Int).Lsh(big.NewInt(1), m)
			left := new(big.Int).Sub(two, big.NewInt(1))
			left.Mul(left, new(big.Int).SetUint64(limit))
			if left.Cmp(two.Mul(two, new(big.Int).SetUint64(issued))) <= 0 {
				k++
			}
		}
		if got, want := curve.Reward(limit, math.MaxUint64, issued), uint64(math.MaxUint64)>>k; got != want {
			t.Fatalf("%d of %d issued: reward %d, want %d (%d halvings)", issued, limit, got, want, k)
		}
	})
}

func TestSection2ElapsedIsBetweenNothingAndTwoTargets(t *testing.T) {
	for _, c := range []struct {
		name              string
		last, now, target int64
		want              uint64
	}{
		{"the first block counts one target", 0, 1_700_000_000_000, 3000, 3000},
		{"a block on time", 1000, 4000, 3000, 3000},
		{"a hurried block", 1000, 1001, 3000, 1},
		{"a slow block", 1000, 6999, 3000, 5999},
		{"a very slow block counts two targets", 1000, 100_000, 3000, 6000},
		{"the same time", 1000, 1000, 3000, 0},
		{"a clock that runs backwards", 1000, 900, 3000, 0},
		{"no target", 1000, 2000, 0, 0},
	} {
		if got := curve.Elapsed(c.last, c.now, c.target); got != c.want {
			t.Errorf("%s: %d ms, want %d", c.name, got, c.want)
		}
	}
}

func TestSection2HurryingOrSlowingBlocksMintsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const target = 3000
		reward := rapid.Uint64Range(0, limit).Draw(t, "reward")
		steps := rapid.SliceOfN(rapid.Int64Range(0, 2*target), 1, 60).Draw(t, "block times")
		var paid, rest, now uint64
		last := int64(1)
		for _, d := range steps {
			var amount uint64
			amount, rest = curve.Scale(reward, rest, curve.Elapsed(last, last+d, target), target)
			if rest >= target {
				t.Fatalf("the carried numerator is %d, not below %d", rest, target)
			}
			paid += amount
			now += uint64(d)
			last += d
		}
		whole := new(big.Int).Mul(new(big.Int).SetUint64(reward), new(big.Int).SetUint64(now))
		if whole.Quo(whole, big.NewInt(target)); whole.Uint64() != paid {
			t.Fatalf("%d ms in %d blocks paid %d, in one go they pay %s", now, len(steps), paid, whole)
		}
	})
}

func TestScaleSaturates(t *testing.T) {
	if got, rest := curve.Scale(math.MaxUint64, 0, math.MaxUint64, 1); got != math.MaxUint64 || rest != 0 {
		t.Errorf("got %d and %d", got, rest)
	}
	if got, rest := curve.Scale(5, 5, 5, 0); got != 0 || rest != 0 {
		t.Errorf("without a target: got %d and %d", got, rest)
	}
}

func TestMulDivRoundsAsItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b"), rapid.Uint64().Draw(t, "c")
		down, up := curve.MulDiv(a, b, c), curve.MulDivUp(a, b, c)
		if a == 0 || b == 0 {
			if down != 0 || up != 0 {
				t.Fatalf("0/%d is %d and %d", c, down, up)
			}
			return
		}
		product := new(big.Int).Mul(new(big.Int).SetUint64(a), new(big.Int).SetUint64(b))
		most := new(big.Int).SetUint64(math.MaxUint64)
		if c == 0 {
			if down != math.MaxUint64 || up != math.MaxUint64 {
				t.Fatalf("%d·%d/0 is %d and %d", a, b, down, up)
			}
			return
		}
		q, r := product.QuoRem(product, new(big.Int).SetUint64(c), new(big.Int))
		wantDown, wantUp := new(big.Int).Set(q), q
		if r.Sign() != 0 {
			wantUp = new(big.Int).Add(q, big.NewInt(1))
		}
		for _, v := range []*big.Int{wantDown, wantUp} {
			if v.Cmp(most) > 0 {
				v.Set(most)
			}
		}
		if down != wantDown.Uint64() || up != wantUp.Uint64() {
			t.Fatalf("%d·%d/%d is %d and %d, want %s and %s", a, b, c, down, up, wantDown, wantUp)
		}
	})
}
