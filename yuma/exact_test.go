package yuma

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lodenet/lode/fixed"
)

// What is computed without a division, or without 128 bits, gives what the plain
// formula gives.

func TestSection7ARowIsNormalisedAsByDivision(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	check := func(sum uint64, values ...uint64) {
		row := make([]cell, 0, len(values))
		for k, v := range values {
			row = append(row, newCell(uint16(k), fixed.Q32(v)))
		}
		normalise(row, sum)
		for k, v := range values {
			if want := newCell(uint16(k), fixed.Q32(v<<32/sum)); row[k] != want {
				t.Fatalf("%d of %d becomes %d of column %d, want %d of %d",
					v, sum, row[k].value(), row[k].uid(), want.value(), want.uid())
			}
		}
	}
	const most = MaxNeurons * perU16
	for sum := uint64(1); sum <= perU16; sum++ {
		check(sum, 1, (sum+1)/2, sum-sum/3, sum)
	}
	for l := range 28 { // around powers of 2 the length of the sum changes
		for d := range uint64(3) {
			if sum := uint64(1)<<l + d - 1; sum > 0 && sum <= most {
				check(sum, 1, min(sum, 32_768), min(sum, perU16))
			}
		}
	}
	for range 300_000 {
		sum := 1 + rng.Uint64N(1<<(1+rng.UintN(28)))
		sum = min(sum, most)
		check(sum, 1+rng.Uint64N(min(sum, perU16)), min(sum, perU16), min(sum, perU16-rng.Uint64N(9)))
	}
	for range 300_000 { // v·2^32 just below a multiple of the sum, where rounding up would show
		v := 1 + rng.Uint64N(perU16)
		q := 1 + rng.Uint64N(v<<32>>16)
		if sum := v << 32 / q; sum >= v && sum <= most {
			check(sum, v)
			check(min(sum+1, most), v)
		}
	}
}

func TestSection7ABondIsLoadedAsByDivision(t *testing.T) {
	for b := range uint64(1 << 16) {
		want := fixed.Q32((b<<32 + perU16 - 1) / perU16)
		if got := load(uint16(b)); got != want || uint64(got)*perU16>>32 != b {
			t.Fatalf("%d is loaded as %d, want %d, and stored as it was", b, got, want)
		}
	}
}

func TestAFractionKeepsTheFullProduct(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	draw := func() fixed.Q32 {
		return []fixed.Q32{0, 1, fixed.One / 2, fixed.One - 1, fixed.One, fixed.Q32(rng.Uint32())}[rng.IntN(6)]
	}
	for range 10_000 {
		a, b := draw(), draw()
		hi, want := bits.Mul64(uint64(a), uint64(b))
		if hi > 0 {
			want = math.MaxUint64
		}
		if got := fraction(a, b); got != want {
			t.Fatalf("%d·%d is %d, want %d", a, b, got, want)
		}
	}
}

func TestSection7ConsensusIsWhatSortingFinds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 30_000 {
		n := 1 + rng.IntN(300)
		stake, entries := make([]uint64, n), make([]uint64, 0, n)
		var total uint64
		spread := rng.UintN(33)
		base := rng.Uint64N(1<<32 - 1<<spread + 1)
		for i := range n {
			stake[i] = 1 + rng.Uint64N(1<<(1+rng.UintN(40)))
			w := base + rng.Uint64N(1<<spread)
			switch rng.IntN(20) {
			case 0: // near the base at some scale, so that the first rounds settle little
				w = base ^ 1<<rng.UintN(33)
			case 1:
				w = 1 << 32
			}
			if rng.IntN(8) > 0 {
				entries = append(entries, pack(fixed.Q32(w), i))
				total += stake[i]
			}
		}
		for _, need := range []uint64{1, 1 + rng.Uint64N(total+1), total/2 + 1, max(total, 1), total + 1} {
			want := sorted(slices.Clone(entries), stake, need)
			if got := weightedSelect(slices.Clone(entries), stake, need); got != want {
				t.Fatalf("%d entries, need %d of %d: %d, want %d", len(entries), need, total, got, want)
			}
		}
	}
}

// sorted is weightedSelect by definition.
func sorted(entries, stake []uint64, need uint64) fixed.Q32 {
	slices.Sort(entries)
	var sum uint64
	for _, x := range slices.Backward(entries) {
		if sum += stake[x&(1<<rowBits-1)]; sum >= need {
			return fixed.Q32(x >> rowBits)
		}
	}
	return 0
}
