// Package bench_test holds the benchmarks whose numbers the documentation names.
package bench_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lodenet/lode/yuma"
)

// BenchmarkEpoch runs an epoch with an engine that has run before, as a chain
// node does. Miners come after the validators; a dense row weighs every miner, a
// sparse one 16 of them. Bonds are those that the weights have built up.
func BenchmarkEpoch(b *testing.B) {
	for _, size := range []struct{ validators, miners int }{{64, 256}, {256, 4096}} {
		for _, shape := range []struct {
			name   string
			weighs int
		}{{"dense", size.miners}, {"sparse", 16}} {
			b.Run(fmt.Sprintf("%dx%d/%s", size.validators, size.miners, shape.name), func(b *testing.B) {
				benchmarkEpoch(b, size.validators, size.miners, shape.weighs)
			})
		}
	}
}

func benchmarkEpoch(b *testing.B, validators, miners, weighs int) {
	in := subnet(validators, miners, weighs)
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
