package video

import (
	"math"
	"slices"
	"testing"

	"github.com/lodenet/lode/subnets/video/media"
	"pgregory.net/rapid"
)

func TestSmallerAnswersScoreMoreAndAllThatPassScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.Float64Range(1, 1e9).Draw(t, "baseline")
		k := rapid.Float64Range(0.1, 16).Draw(t, "k")
		a := rapid.Int64Range(1, 1e9).Draw(t, "bytes")
		b := rapid.Int64Range(a, 2e9).Draw(t, "more bytes")
		sa, sb := Score(base, a, k), Score(base, b, k)
		if !(sa >= sb) || !(sb > 0) || math.IsInf(sa, 0) || math.IsNaN(sa) {
			t.Fatalf("%d bytes score %v, %d score %v", a, sa, b, sb)
		}
		if sa > math.Pow(maxRatio, k)*1.000001 {
			t.Fatalf("score %v", sa)
		}
		if equal := Score(float64(a), a, k); math.Abs(equal-1) > 1e-9 {
			t.Fatalf("the baseline itself scores %v", equal)
		}
	})
}

func TestNothingScoresNothing(t *testing.T) {
	for _, c := range []struct {
		base  float64
		bytes int64
	}{{0, 10}, {-1, 10}, {10, 0}, {10, -5}, {math.NaN(), 5}} {
		if s := Score(c.base, c.bytes, 2); s != 0 && !math.IsNaN(c.base) || math.IsNaN(s) {
			t.Errorf("Score(%v, %d) = %v", c.base, c.bytes, s)
		}
	}
}

// answersGen draws answers, many of them near to each other.
var answersGen = rapid.Custom(func(t *rapid.T) []Measured {
	n := rapid.IntRange(0, 8).Draw(t, "n")
	var out []Measured
	for range n {
		m := Measured{
			Codec: rapid.SampledFrom(media.Codecs()).Draw(t, "codec"),
			Bytes: rapid.SampledFrom([]int64{1000, 1001, 1009, 1050, 2000}).Draw(t, "bytes"),
			Score: rapid.SampledFrom([]float64{0, 0.5, 1, 2}).Draw(t, "score"),
		}
		m.Hash[0] = rapid.Byte().Draw(t, "hash")
		q := rapid.SampledFrom([]float64{95, 95.01, 95.4}).Draw(t, "quality")
		m.Curve = []float64{q, q + 0.5, q - 0.5}
		out = append(out, m)
	}
	return out
})

func TestSharingNeverPaysACopy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answers := answersGen.Draw(t, "answers")
		before := Share(answers, 95)
		for i, s := range before {
			if s < 0 || s > answers[i].Score || s == 0 && answers[i].Score > 0 {
				t.Fatalf("answer %d of score %v gets %v", i, answers[i].Score, s)
			}
		}
		if len(answers) == 0 {
			return
		}
		// One more copy of anybody's work: all copies together get no more than before.
		i := rapid.IntRange(0, len(answers)-1).Draw(t, "copied")
		after := Share(append(slices.Clone(answers), answers[i]), 95)
		sum := func(s []float64) (all float64) {
			for _, v := range s {
				all += v
			}
			return all
		}
		if sum(after) > sum(before)+answers[i].Score*1e-9+1e-12 {
			// The group's sum can only grow where its members' scores differ.
			group := 0.0
			for j := range answers {
				if copies(answers[i], answers[j], 95) {
					group = max(group, answers[j].Score)
				}
			}
			if sum(after) > sum(before)+max(0, answers[i].Score-group)+group/2 {
				t.Fatalf("a copy raised the sum from %v to %v", sum(before), sum(after))
			}
		}
		if after[i] > before[i]+1e-12 {
			t.Fatalf("a copy raised its original from %v to %v", before[i], after[i])
		}
	})
}

func TestSharingDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answers := answersGen.Draw(t, "answers")
		order := rapid.Permutation(indexes(len(answers))).Draw(t, "order")
		mixed := make([]Measured, len(answers))
		for i, j := range order {
			mixed[i] = answers[j]
		}
		want, got := Share(answers, 95), Share(mixed, 95)
		for i, j := range order {
			if got[i] != want[j] {
				t.Fatalf("answer %d gets %v, in another order %v", j, want[j], got[i])
			}
		}
	})
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestCopiesAreNearInSizeAndInQuality(t *testing.T) {
	base := Measured{Codec: media.H264, Bytes: 10000, Hash: [32]byte{1}, Curve: []float64{95, 96}, Score: 1}
	change := func(f func(*Measured)) Measured {
		m := base
		m.Hash = [32]byte{2}
		m.Curve = slices.Clone(base.Curve)
		f(&m)
		return m
	}
	for name, c := range map[string]struct {
		m    Measured
		want bool
	}{
		"the same frames in other bytes":      {func() Measured { m := base; m.Bytes = 99; m.Codec = media.AV1; return m }(), true},
		"a hair larger, as good":              {change(func(m *Measured) { m.Bytes = 10050 }), true},
		"2 % larger, as good":                 {change(func(m *Measured) { m.Bytes = 10200 }), false},
		"as large, another quality":           {change(func(m *Measured) { m.Curve[0] += 1 }), false},
		"as large and good, in another codec": {change(func(m *Measured) { m.Codec = media.HEVC }), false},
		"what failed":                         {change(func(m *Measured) { m.Score = 0 }), false},
		"another number of frames":            {change(func(m *Measured) { m.Curve = m.Curve[:1] }), false},
	} {
		if got := copies(base, c.m, 95); got != c.want {
			t.Errorf("%s: copies %v, want %v", name, got, c.want)
		}
		if got := copies(c.m, base, 95); got != c.want {
			t.Errorf("%s, the other way round: copies %v, want %v", name, got, c.want)
		}
	}
}

func TestCustomersCanOnlyLowerAScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		probe := rapid.Float64Range(0, 10).Draw(t, "probe")
		customers := rapid.SliceOfN(rapid.Float64Range(0, 100), 0, 6).Draw(t, "customers")
		got := Combine(probe, customers)
		if got > probe*1.0000001 || got < 0 || math.IsNaN(got) {
			t.Fatalf("%v with %v gives %v", probe, customers, got)
		}
	})
	for _, c := range []struct {
		probe     float64
		customers []float64
		want      float64
	}{
		{2, nil, 2}, {2, []float64{1}, 2}, {2, []float64{9}, 2}, {2, []float64{0}, 1}, {2, []float64{0, 0, 0}, 0.5}, {2, []float64{0.5}, 1.25}, {0, []float64{5}, 0},
	} {
		if got := Combine(c.probe, c.customers); got != c.want {
			t.Errorf("Combine(%v, %v) = %v, want %v", c.probe, c.customers, got, c.want)
		}
	}
}

func TestInterpolationFindsTheSizeAtTheGate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// An encoder whose log size is linear in the slack.
		size := rapid.Float64Range(1e3, 1e6).Draw(t, "size at the gate")
		per := rapid.Float64Range(0.6, 6).Draw(t, "per")
		a := rapid.Float64Range(0.02, 0.3).Draw(t, "above")
		b := rapid.Float64Range(0.02, 0.3).Draw(t, "below")
		at := func(slack float64) ratePoint {
			return ratePoint{bytes: int64(math.Round(size * math.Exp(per*slack))), slack: slack}
		}
		got := interpolate([]ratePoint{at(a), at(-b)})
		if math.Abs(got-size) > size*0.02 {
			t.Fatalf("%v, want %v", got, size)
		}
	})
	if got := interpolate([]ratePoint{{bytes: 1000}}); got != 1000 {
		t.Errorf("one point at the gate gives %v", got)
	}
	if got := interpolate([]ratePoint{{bytes: 1000, slack: 0.1}, {bytes: 900, slack: 0.1}}); math.IsNaN(got) || got <= 0 {
		t.Errorf("two points of one quality give %v", got)
	}
}
