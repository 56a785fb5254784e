package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func somelogits(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 0))
	l := make([]float32, n)
	for i := range l {
		l[i] = float32(r.NormFloat64() * 4)
	}
	return l
}

// slow is Pick as its comment says it, without any short cut.
func slow(s Sampling, position int, logits []float32, mask Mask) int32 {
	logits = slices.Clone(logits)
	if mask != nil {
		mask.Forbid(logits)
	}
	ids := make([]int32, len(logits))
	for i := range ids {
		ids[i] = int32(i)
	}
	temperature := s.Temperature
	if temperature == 0 {
		temperature = 1
	}
	z := func(id int32) float64 { return number(logits[id]) / temperature }
	slices.SortStableFunc(ids, func(a, b int32) int {
		switch {
		case z(a) > z(b):
			return -1
		case z(a) < z(b):
			return 1
		}
		return int(a - b)
	})
	if math.IsInf(z(ids[0]), -1) {
		return -1
	}
	if s.Temperature == 0 {
		return ids[0]
	}
	if s.TopP > 0 && s.TopP < 1 {
		var sum, part float64
		for i := range logits {
			sum += math.Exp(z(int32(i)) - z(ids[0]))
		}
		for i, id := range ids {
			if part += math.Exp(z(id) - z(ids[0])); part >= s.TopP*sum {
				ids = ids[:i+1]
				break
			}
		}
	}
	x := &Sampler{noise: NewNoise(s.Seed)}
	x.fill(position, len(logits))
	best := int32(-1)
	for _, id := range ids {
		v := z(id) + gumbel(x.x(id))
		if best < 0 || v > z(best)+gumbel(x.x(best)) || v == z(best)+gumbel(x.x(best)) && id < best {
			best = id
		}
	}
	return best
}

// thirds allows every third token.
type thirds struct{}

func (thirds) Allows(id int32) bool { return id%3 == 0 }
func (thirds) Forbid(logits []float32) {
	for i := range logits {
		if i%3 != 0 {
			logits[i] = float32(math.Inf(-1))
		}
	}
}

func TestPickIsWhatItsCommentSays(t *testing.T) {
	for position := range 150 {
		for _, s := range []Sampling{
			{}, {Temperature: 1, Seed: 3}, {Temperature: 0.3, Seed: 4}, {Temperature: 2, Seed: math.MaxUint64},
			{Temperature: 1, TopP: 0.5, Seed: 5}, {Temperature: 1.5, TopP: 0.95, Seed: 6}, {Temperature: 1, TopP: 1e-9, Seed: 7},
		} {
			logits := somelogits(500, uint64(position))
			logits[position] = float32(math.NaN())
			for _, mask := range []Mask{nil, thirds{}} {
				sampler := NewSampler(s)
				got := sampler.Pick(position, logits, mask)
				if want := slow(s, position, logits, mask); got != want || sampler.Margin(position, logits, got, mask) != 0 {
					t.Fatalf("%+v at %d: %d, want %d", s, position, got, want)
				}
			}
		}
	}
}

func TestPicksFollowTheSoftmax(t *testing.T) {
	const draws = 60_000
	logits := []float32{2, 1, 0, -1, -3, float32(math.Inf(-1))}
	for _, s := range []Sampling{{Temperature: 1}, {Temperature: 0.7}, {Temperature: 1, TopP: 0.9}} {
		counts := make([]float64, len(logits))
		for i := range draws {
			s.Seed = uint64(i / 100)
			counts[NewSampler(s).Pick(i%100, logits, nil)]++
		}
		want := make([]float64, len(logits))
		var sum float64
		for i, l := range logits {
			if s.TopP == 0 || i < 3 { // the first three have 0.95 of the probability, two have 0.86
				want[i] = math.Exp(float64(l) / s.Temperature)
				sum += want[i]
			}
		}
		var chi2 float64
		for i := range want {
			expected := want[i] / sum * draws
			if expected == 0 {
				require.Zero(t, counts[i])
				continue
			}
			chi2 += (counts[i] - expected) * (counts[i] - expected) / expected
		}
		require.Less(t, chi2, 18.5, "4 degrees of freedom, p = 0.001: %v", counts)
	}
}

func TestNoPickWhereNothingIsAllowed(t *testing.T) {
	none := []float32{float32(math.Inf(-1)), float32(math.NaN())}
	for _, s := range []Sampling{{}, {Temperature: 1}, {Temperature: 1, TopP: 0.5}} {
		require.EqualValues(t, -1, NewSampler(s).Pick(0, none, nil))
		require.Equal(t, MaxMargin, NewSampler(s).Margin(0, none, 0, nil))
		require.Equal(t, MaxMargin, NewSampler(s).Margin(0, []float32{1, 2}, 2, nil), "a token beyond the vocabulary")
		require.Equal(t, MaxMargin, NewSampler(s).Margin(0, []float32{1, 2}, -1, nil))
		require.Equal(t, MaxMargin, NewSampler(s).Margin(0, somelogits(9, 1), 1, thirds{}), "a token that is not allowed")
	}
}

func TestMarginOfAnotherTokenIsWhatItMisses(t *testing.T) {
	s := Sampling{Temperature: 0.8, Seed: 9}
	logits := somelogits(300, 2)
	sampler := NewSampler(s)
	best := sampler.Pick(5, logits, nil)
	for id := range int32(300) {
		want := min(MaxMargin, sampler.value(best, logits)-sampler.value(id, logits))
		require.InDelta(t, want, sampler.Margin(5, logits, id, nil), 1e-12)
	}
	require.InDelta(t, 1.5, NewSampler(Sampling{}).Margin(0, []float32{1, 2.5}, 0, nil), 1e-12, "greedy: a difference of logits")
}

// An honest miner's logits differ a little; its pick must not look like a lie because a
// token has slipped over the border of top_p.
func TestTheBorderOfTopPIsInTheTokensFavour(t *testing.T) {
	for _, temperature := range []float64{1, 0.2} {
		bordersFavour(t, temperature)
	}
}

func bordersFavour(t *testing.T, temperature float64) {
	r := rand.New(rand.NewPCG(3, 4))
	other, outside, left := 0, 0, 0
	for position := range 3000 {
		s := Sampling{Temperature: temperature, TopP: 0.8, Seed: uint64(position)}
		mine := somelogits(200, uint64(position))
		theirs := slices.Clone(mine)
		for i := range theirs {
			theirs[i] += float32(r.NormFloat64() * 0.003)
		}
		pick := NewSampler(s).Pick(position, mine, nil)
		require.Less(t, temperature*NewSampler(s).Margin(position, theirs, pick, nil), 0.05)
		if NewSampler(s).Pick(position, theirs, nil) != pick {
			other++
		}
		unfiltered := NewSampler(Sampling{Temperature: temperature, Seed: s.Seed}).Pick(position, mine, nil)
		if unfiltered != NewSampler(s).Pick(position, mine, nil) {
			left++
			if temperature*NewSampler(s).Margin(position, theirs, unfiltered, nil) > 0.05 {
				outside++
			}
		}
	}
	require.NotZero(t, other, "the test must have seen borders")
	require.Greater(t, left, 60)
	require.Greater(t, outside, left/2, "who leaves top_p away is seen: %d of %d", outside, left)
}

func TestLogProbsAddUpToOne(t *testing.T) {
	logits := somelogits(1000, 8)
	p := NewLogProbs(logits)
	var sum float64
	for id := range logits {
		sum += math.Exp(p.Of(int32(id)))
	}
	require.InDelta(t, 1, sum, 1e-9)
	require.Equal(t, -1e9, p.Of(-1))
	require.Equal(t, -1e9, p.Of(1000))
	require.Equal(t, -1e9, NewLogProbs([]float32{1, float32(math.Inf(-1))}).Of(1))
	require.Equal(t, -1e9, NewLogProbs([]float32{float32(math.NaN())}).Of(0))
}

func TestExponentialsHaveEightDigits(t *testing.T) {
	for i := range 400_000 {
		x := -float64(i) / 10_000
		require.InEpsilon(t, math.Exp(x), expBelow(x), 1e-8, "%v", x)
	}
	require.Equal(t, 1.0, expBelow(0))
	require.InEpsilon(t, math.Exp(-expRange), expBelow(math.Nextafter(-expRange, 0)), 1e-8)
}

func TestTopIsSortedAndStable(t *testing.T) {
	p := NewLogProbs([]float32{1, 3, float32(math.NaN()), 3, 2, -1})
	require.Equal(t, []int32{1, 3, 4}, p.Top(3))
	require.Equal(t, []int32{1, 3, 4, 0, 5}, p.Top(20))
	require.Empty(t, p.Top(0))
}

func BenchmarkLogProbs(b *testing.B) {
	for _, vocabulary := range []int{4096, 128256} {
		logits := somelogits(vocabulary, 1)
		b.Run(map[int]string{4096: "4k", 128256: "128k"}[vocabulary], func(b *testing.B) {
			for b.Loop() {
				NewLogProbs(logits)
			}
		})
	}
}

func BenchmarkPick(b *testing.B) {
	for _, vocabulary := range []int{4096, 128256} {
		logits := somelogits(vocabulary, 1)
		for name, s := range map[string]Sampling{"greedy": {}, "noise": {Temperature: 1}, "top_p": {Temperature: 1, TopP: 0.9}} {
			b.Run(name+"/"+map[int]string{4096: "4k", 128256: "128k"}[vocabulary], func(b *testing.B) {
				sampler := NewSampler(s)
				for i := 0; b.Loop(); i++ {
					sampler.Pick(i, logits, nil)
				}
			})
		}
	}
}
