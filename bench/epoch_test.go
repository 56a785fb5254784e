// Package bench_test holds the benchmarks whose numbers the documentation names.
package bench_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lodenet/lode/yuma"
)

// BenchmarkEpoch runs an epoch with an engine that has run before. Miners come
// after the validators; a dense row weighs every miner, a sparse one 16 of them.
// Bonds are those that the weights have built up. In a hostile subnet a few
// validators weigh so that consensus is as hard to find as can be.
func BenchmarkEpoch(b *testing.B) {
	for _, c := range []struct {
		validators, miners int
		shape              string
	}{
		{64, 256, "dense"}, {128, 1024, "dense"}, {256, 4096, "dense"}, {256, 4096, "hostile"},
		{64, 256, "sparse"}, {256, 4096, "sparse"},
	} {
		b.Run(fmt.Sprintf("%dx%d/%s", c.validators, c.miners, c.shape), func(b *testing.B) {
			weighs := c.miners
			if c.shape == "sparse" {
				weighs = 16
			}
			in := subnet(c.validators, c.miners, weighs)
			if c.shape == "hostile" {
				makeHostile(in)
			}
			benchmarkEpoch(b, in)
		})
	}
}

func benchmarkEpoch(b *testing.B, in *yuma.Input) {
	weights := 0
	for _, row := range in.Rows {
		weights += len(row.Entries)
	}
	var engine yuma.Engine
	for range 3 {
		out, err := engine.Run(in)
		if err != nil {
			b.Fatal(err)
		}
		in.Bonds = make([][]yuma.Entry, len(out.Bonds))
		for i, row := range out.Bonds {
			in.Bonds[i] = append([]yuma.Entry(nil), row...)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		out, err := engine.Run(in)
		if err != nil {
			b.Fatal(err)
		}
		if out.Outcome != yuma.Weighted {
			b.Fatalf("outcome: %s", out.Outcome)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(weights), "ns/weight")
}

// makeHostile lets nearly all weigh nearly the same, and ten others ever closer to
// it, so that what tells weights apart by their upper bits is misled each time.
func makeHostile(in *yuma.Input) {
	validator := 0
	for i := range in.Rows {
		if !in.Rows[i].Set {
			continue
		}
		for k := range in.Rows[i].Entries {
			value := 32_768 + k*i%3 - 1
			if validator < 10 && (k+validator)%16 == 0 {
				value = 32_768 - 32_767>>(validator*3/2)
			}
			in.Rows[i].Entries[k].Value = uint16(value)
		}
		validator++
	}
}

// chosen are the miners that a validator weighs, ascending: all, or a random part
// of a pool half as large again, so that most agree on whom to look at.
func chosen(rng *rand.Rand, miners, weighs int) []int {
	pool := min(miners, weighs*3/2)
	picked := rng.Perm(pool)[:weighs]
	slices.Sort(picked)
	for k := range picked {
		picked[k] *= miners / pool
	}
	return picked
}

// subnet is one in which validators roughly agree: a quality for each miner, and
// noise of a tenth on top. It fits 4,096 uids by letting the last validators be
// miners too.
func subnet(validators, miners, weighs int) *yuma.Input {
	rng := rand.New(rand.NewPCG(1, uint64(miners)))
	n := min(validators+miners, yuma.MaxNeurons)
	in := &yuma.Input{
		Params: yuma.Params{
			Kappa: 32_767, BondsPenalty: 65_535, BondsMovingAverage: 900_000,
			YumaVersion: 3, MaxValidators: uint32(validators), ActivityCutoff: 5000,
		},
		Block: 720, LastEpoch: 360, Owner: -1,
		Stake: make([]uint64, n), Rows: make([]yuma.Row, n),
		Registered: make([]uint64, n), Permits: make([]bool, n),
	}
	first := n - miners // uid of the first miner
	quality := make([]int, miners)
	for j := range quality {
		quality[j] = 1000 + rng.IntN(50_000)
	}
	for i := range validators {
		in.Stake[i] = 1_000_000_000_000 + rng.Uint64N(1_000_000_000_000)
		in.Permits[i] = true
		row := yuma.Row{Set: true, Block: 700}
		for _, j := range chosen(rng, miners, weighs) {
			noise := quality[j] / 10
			value := quality[j] - noise + rng.IntN(2*noise+1)
			row.Entries = append(row.Entries, yuma.Entry{UID: uint16(first + j), Value: uint16(value)})
		}
		in.Rows[i] = row
	}
	return in
}
