package subnet_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lodenet/lode/subnet"
)

func TestWeightsAreInTheScoresProportions(t *testing.T) {
	all := subnet.Hyperparameters{MinAllowedWeights: 1, MaxWeightLimit: 65_535}
	for _, c := range []struct {
		name         string
		scores       map[uint16]float64
		hp           subnet.Hyperparameters
		uids, values []uint16
	}{
		{"one miner", map[uint16]float64{3: 0.2}, all, []uint16{3}, []uint16{65_535}},
		{"proportions", map[uint16]float64{1: 1, 5: 2, 2: 4}, all, []uint16{1, 2, 5}, []uint16{16_384, 65_535, 32_768}},
		{"zeros are left out", map[uint16]float64{1: 1, 2: 0}, all, []uint16{1}, []uint16{65_535}},
		{"oneself is left out", map[uint16]float64{0: 9, 1: 1}, all, []uint16{1}, []uint16{65_535}},
		{"who left is left out", map[uint16]float64{1: 1, 50: 9}, all, []uint16{1}, []uint16{65_535}},
		{"the least that isn't nothing", map[uint16]float64{1: 1, 2: 1e-300}, all, []uint16{1, 2}, []uint16{65_535, 1}},
		{"too small to be told apart beside a huge one", map[uint16]float64{1: math.MaxFloat64, 2: 1e-300, 3: 1e-308}, subnet.Hyperparameters{MaxWeightLimit: 32_768},
			[]uint16{1, 2, 3}, []uint16{65_535, 32_767, 32_767}},
		{"huge scores", map[uint16]float64{1: math.MaxFloat64, 2: math.MaxFloat64}, all, []uint16{1, 2}, []uint16{65_535, 65_535}},
		{"filled up", map[uint16]float64{4: 1}, subnet.Hyperparameters{MinAllowedWeights: 3, MaxWeightLimit: 65_535},
			[]uint16{1, 2, 4}, []uint16{1, 1, 65_535}},
		{"a limit of a half", map[uint16]float64{1: 100, 2: 1}, subnet.Hyperparameters{MaxWeightLimit: 32_768},
			[]uint16{1, 2}, []uint16{65_534, 65_533}},
		{"no limit given", map[uint16]float64{1: 1}, subnet.Hyperparameters{}, []uint16{1}, []uint16{65_535}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := subnet.MakeWeights(c.scores, 0, 10, c.hp, 7)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(w.UIDs, c.uids) || !slices.Equal(w.Values, c.values) || w.Version != 7 {
				t.Errorf("got %v %v, want %v %v", w.UIDs, w.Values, c.uids, c.values)
			}
		})
	}
}

func TestScoresThatMakeNoRowSayWhy(t *testing.T) {
	for name, c := range map[string]struct {
		scores map[uint16]float64
		hp     subnet.Hyperparameters
		says   string
	}{
		"not a number":    {map[uint16]float64{1: math.NaN()}, subnet.Hyperparameters{}, "NaN of uid 1"},
		"infinity":        {map[uint16]float64{1: math.Inf(1)}, subnet.Hyperparameters{}, "+Inf of uid 1"},
		"below zero":      {map[uint16]float64{2: -1}, subnet.Hyperparameters{}, "-1 of uid 2"},
		"too few to cap":  {map[uint16]float64{1: 1, 2: 1}, subnet.Hyperparameters{MaxWeightLimit: 16_384}, "at least 4 miners"},
		"too few to fill": {map[uint16]float64{1: 1}, subnet.Hyperparameters{MinAllowedWeights: 10}, "only 9 other neurons"},
	} {
		if w, err := subnet.MakeWeights(c.scores, 0, 10, c.hp, 0); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v, want an error that says %q", name, w, err, c.says)
		}
	}
	for _, scores := range []map[uint16]float64{nil, {1: 0}, {0: 1}, {10: 1}} {
		if _, err := subnet.MakeWeights(scores, 0, 10, subnet.Hyperparameters{}, 0); !errors.Is(err, subnet.ErrNothingToWeigh) {
			t.Errorf("%v: %v", scores, err)
		}
	}
}

// What MakeWeights returns passes the chain's own test of a row (x/weights).
func TestTheChainAcceptsEveryRowThatIsMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		neurons := rapid.IntRange(2, 60).Draw(t, "neurons")
		self := uint16(rapid.IntRange(0, neurons-1).Draw(t, "self"))
		hp := subnet.Hyperparameters{
			MinAllowedWeights: rapid.IntRange(1, neurons-1).Draw(t, "min"),
			MaxWeightLimit:    uint16(rapid.IntRange(1, 65_535).Draw(t, "max")),
		}
		scores := map[uint16]float64{}
		magnitude := rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(0, 1e-6), rapid.Float64Range(0, math.MaxFloat64), rapid.Just(0.0), rapid.Just(1.0))
		for uid := range neurons {
			if rapid.IntRange(0, 3).Draw(t, "scored") > 0 {
				scores[uint16(uid)] = magnitude.Draw(t, "score")
			}
		}
		w, err := subnet.MakeWeights(scores, self, neurons, hp, 0)
		if err != nil {
			return // said so; no transaction is tried
		}
		if len(w.UIDs) != len(w.Values) || len(w.UIDs) < hp.MinAllowedWeights {
			t.Fatalf("%d uids, %d values, at least %d", len(w.UIDs), len(w.Values), hp.MinAllowedWeights)
		}
		sum := uint64(0)
		for i, uid := range w.UIDs {
			if int(uid) >= neurons || uid == self || i > 0 && uid <= w.UIDs[i-1] {
				t.Fatalf("uids %v of %d, self %d", w.UIDs, neurons, self)
			}
			sum += uint64(w.Values[i])
		}
		for i, v := range w.Values {
			if uint64(v)*65_535 > uint64(hp.MaxWeightLimit)*sum {
				t.Fatalf("uid %d has %d of %d, the limit is %d of 65,535", w.UIDs[i], v, sum, hp.MaxWeightLimit)
			}
			if v == 0 {
				t.Fatalf("uid %d, score %g, has no weight", w.UIDs[i], scores[w.UIDs[i]])
			}
			for j, u := range w.Values {
				if scores[w.UIDs[i]] > scores[w.UIDs[j]] && v < u {
					t.Fatalf("uid %d scores more than %d and weighs less: %v", w.UIDs[i], w.UIDs[j], w)
				}
			}
		}
	})
}
