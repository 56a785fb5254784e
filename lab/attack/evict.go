package attack

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// evict registers neurons until the rival's seat falls.
func evict() Attack {
	const validators, miners = 12, 244 // 256 seats
	const span = immunity / tempo      // epochs
	cases := []struct {
		name  string
		rival func(weakestFirst []int) int // its place in the pruning order
		top   int                          // miners that are paid
		back  bool
	}{
		{"the weakest miner, it comes back", func([]int) int { return 0 }, miners, true},
		{"the weakest miner, it stays out", func([]int) int { return 0 }, miners, false},
		{"the tenth from the bottom, it stays out", func([]int) int { return 9 }, miners, false},
		{"a middling miner, it stays out", func(o []int) int { return len(o) / 2 }, miners, false},
		{"the second best of 20 paid, it stays out", func(o []int) int { return len(o) - 2 }, 20, false},
	}
	a := Attack{
		Name:  "evict",
		Title: "a miner registers others until a rival's seat falls",
		Setup: `A full subnet of 256 seats, 12 of them validators', none immune. The attacker is the best miner: what falls to nobody else
falls to it most. It registers as many idle neurons as it takes until the rival is the next to go, in the cheapest rhythm within
the immunity of 13 epochs (validators, who earn more, fall last), the price starting at 0.0005 to 1 TAO; who falls before the rival stays out. Validators weight
all miners, or the 20 best. An alpha is worth 0.01 to 0.3 TAO. Honesty: no registration. The rival stays out, or it registers
again after an epoch. Nobody else registers.`,
		GainUnit: "TAO in the 13 epochs that the new neurons are immune: what the attacker earns more, less what it pays",
		LossUnit: "TAO that the rival loses then, a new registration included",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		s := newSubnet(rng, luck{validators: validators, miners: miners, epochs: 1, noise: 0.05 + 0.2*rng.Float64()})
		worth := 0.01 * math.Pow(30, rng.Float64())
		burn := uint64(minBurn * math.Pow(2000, rng.Float64()))
		var outcomes []Outcome
		for _, c := range cases {
			// incentive of an epoch without these miners.
			incentive := func(out []int) ([]float64, error) {
				g, err := s.play(func(int) strategy {
					return func(v view) []float64 { return theBest(v.seen, c.top, out) }
				})
				if err != nil {
					return nil, err
				}
				return g.miner[validators:], nil
			}
			all, err := incentive(nil)
			if err != nil {
				return nil, err
			}
			order := make([]int, miners)
			for m := range order {
				order[m] = m
			}
			slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(all[a], all[b]) })
			attacker, place := order[miners-1], c.rival(order)
			rival := order[place]
			out := order[:place+1]
			without, err := incentive(out)
			if err != nil {
				return nil, err
			}
			cost := cheapest(burn, len(out)) / tao
			gain := worth * alphaPot * span * (without[attacker] - all[attacker])
			loss := worth * alphaPot * span * all[rival]
			if c.back {
				gain, loss = gain/span, loss/span+float64(fallen(raised(burn), tempo))/tao
			}
			outcomes = append(outcomes, Outcome{Gain: gain - cost, Loss: loss})
		}
		return outcomes, nil
	}
	return a
}

// theBest weights the best n miners by what is measured, but those that are out.
func theBest(seen []float64, n int, out []int) []float64 {
	row := slices.Clone(seen)
	for _, m := range out {
		row[m] = 0
	}
	if n < len(row) {
		sorted := slices.Sorted(slices.Values(row))
		cut := sorted[len(row)-n]
		for m, q := range row {
			if q < cut {
				row[m] = 0
			}
		}
	}
	return row
}
