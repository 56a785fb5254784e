package fixed_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/fixed"
)

func TestApportionGivesTheLargestRemaindersTheRest(t *testing.T) {
	for _, c := range []struct {
		name          string
		total         uint64
		weights, want []uint64
	}{
		{"nobody", 10, nil, []uint64{}},
		{"no weight", 10, []uint64{0, 0}, []uint64{0, 0}},
		{"nothing to divide", 0, []uint64{1, 2}, []uint64{0, 0}},
		{"even", 10, []uint64{1, 1}, []uint64{5, 5}},
		{"a tie goes to the lower index", 11, []uint64{1, 1}, []uint64{6, 5}},
		{"two left of three", 5, []uint64{1, 1, 1}, []uint64{2, 2, 1}},
		{"the largest remainder first", 10, []uint64{1, 2, 4}, []uint64{1, 3, 6}},
		{"a zero weight gets nothing", 3, []uint64{0, 1, 0, 1}, []uint64{0, 2, 0, 1}},
		{"fewer units than takers", 2, []uint64{5, 5, 5, 5}, []uint64{1, 1, 0, 0}},
		{"weights that overflow 64 bits in sum", 9, []uint64{math.MaxUint64, math.MaxUint64, math.MaxUint64}, []uint64{3, 3, 3}},
		{"the whole range", math.MaxUint64, []uint64{math.MaxUint64, math.MaxUint64}, []uint64{1 << 63, 1<<63 - 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fixed.Apportion(c.total, c.weights); !slices.Equal(got, c.want) {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestApportionNeverLosesAUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := anyUint64().Draw(t, "total")
		weights := rapid.SliceOfN(anyUint64(), 0, 40).Draw(t, "weights")
		shares := fixed.Apportion(total, weights)
		sum, all := new(big.Int), new(big.Int)
		for i, w := range weights {
			all.Add(all, bigOf(w))
			sum.Add(sum, bigOf(shares[i]))
		}
		if all.Sign() == 0 {
			if sum.Sign() != 0 {
				t.Fatal("shares without weights")
			}
			return
		}
		if sum.Cmp(bigOf(total)) != 0 {
			t.Fatalf("the shares sum to %s of %d", sum, total)
		}
		// Each is the exact share rounded down or up.
		for i, w := range weights {
			exact := new(big.Int).Mul(bigOf(total), bigOf(w))
			down := exact.Quo(exact, all)
			up := new(big.Int).Add(down, big.NewInt(1))
			if got := bigOf(shares[i]); got.Cmp(down) != 0 && (got.Cmp(up) != 0 || w == 0) {
				t.Fatalf("share %d is %s, exactly it is a little above %s", i, got, down)
			}
		}
	})
}
