package attack

import (
	"math/rand/v2"
)

// cabal is a group of validators that gives all its weight to its own miners.
func cabal() Attack {
	const own, ownMiners, validators, miners = 3, 4, 12, 24
	cases := []struct {
		name  string
		share float64
		idle  bool
	}{
		{"10 % of the stake, its miners work", 0.10, false},
		{"30 % of the stake, its miners work", 0.30, false},
		{"45 % of the stake, its miners work", 0.45, false},
		{"30 % of the stake, its miners do nothing", 0.30, true},
		{"45 % of the stake, its miners do nothing", 0.45, true},
		{"55 % of the stake, its miners do nothing", 0.55, true},
	}
	a := Attack{
		Name:  "cabal",
		Title: "validators weight only their own miners",
		Setup: `A subnet of 12 validators and 24 miners, defaults of the protocol. The cabal is 3 validators and 4 miners.
Validators measure a miner's quality with a noise of 5 to 25 %; qualities differ by 40 % and drift by 1 % an epoch.
Honesty: all weight by what they measure, and all miners work. The attack: from epoch 21 to 60 the cabal's validators
weight the cabal's miners alone, equally, and these work on, or stop to work (the others then weight them 0).`,
		GainUnit: "% of what validators and miners of the cabal earn by honesty",
		LossUnit: "% of what the other validators and miners earn then",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		s := newSubnet(rng, luck{validators: validators, miners: miners, warm: 20, epochs: 40, noise: 0.05 + 0.2*rng.Float64(), drift: 0.01})
		var outcomes []Outcome
		for _, c := range cases {
			s.give(own, c.share)
			fair, err := s.play(everybody)
			if err != nil {
				return nil, err
			}
			foul, err := s.play(func(v int) strategy {
				return func(view view) []float64 {
					switch {
					case view.epoch < s.warm:
						return view.seen
					case v < own:
						return only(miners, ownMiners)
					case c.idle:
						return without(view.seen, ownMiners)
					}
					return view.seen
				}
			})
			if err != nil {
				return nil, err
			}
			ours := func(g *income) float64 {
				return sum(g.validator[:own]) + sum(g.miner[validators:validators+ownMiners])
			}
			all := func(g *income) float64 { return sum(g.validator) + sum(g.miner) }
			outcomes = append(outcomes, Outcome{
				Gain: percent(ours(fair), ours(foul)),
				Loss: -percent(all(fair)-ours(fair), all(foul)-ours(foul)),
			})
		}
		return outcomes, nil
	}
	return a
}

// only weights the first n of all miners, equally.
func only(miners, n int) []float64 {
	row := make([]float64, miners)
	for m := range n {
		row[m] = 1
	}
	return row
}

// without weights the first n miners 0.
func without(row []float64, n int) []float64 {
	row = append([]float64(nil), row...)
	clear(row[:n])
	return row
}

func sum(list []float64) (total float64) {
	for _, f := range list {
		total += f
	}
	return total
}
