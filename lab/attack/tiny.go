package attack

import (
	"math/rand/v2"
	"slices"
)

// tiny is a validator with next to no stake that does not judge, where the weakest
// miners fight for seats.
func tiny() Attack {
	const validators, miners, friends, paid = 12, 24, 2, 20
	cases := []struct {
		name   string
		share  float64
		nobody bool
	}{
		{"0.5 % of the stake, weights nobody", 0.005, true},
		{"2 % of the stake, weights nobody", 0.02, true},
		{"10 % of the stake, weights nobody", 0.10, true},
		{"0.5 % of the stake, only its friends", 0.005, false},
		{"2 % of the stake, only its friends", 0.02, false},
		{"10 % of the stake, only its friends", 0.10, false},
	}
	a := Attack{
		Name:  "tiny",
		Title: "a tiny validator weights nobody, or only its friends",
		Setup: `A subnet of 12 validators and 24 miners where seats are contested: each validator weights the 20 miners that it finds
best, by how far they are above the 21st, and in each epoch somebody registers and takes the seat of the miner with the least
incentive (whose successor is as good). Validators measure with a noise of 5 to 25 %. The tiny validator's two friends are
drawn like any other miners. Honesty: it judges as the others do. The attack: it sets no weights, or gives all to its friends.
60 epochs count, after 10.`,
		GainUnit: "% of what the tiny validator and its friends earn by honesty",
		LossUnit: "% of the epochs in which it is another honest miner's seat that falls than by honesty",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	judge := func(v view) []float64 {
		sorted := slices.Sorted(slices.Values(v.seen))
		cut := sorted[miners-paid-1]
		row := make([]float64, miners)
		for m, q := range v.seen {
			row[m] = max(q-cut, 0)
		}
		return row
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		s := newSubnet(rng, luck{validators: validators, miners: miners, warm: 10, epochs: 60, noise: 0.05 + 0.2*rng.Float64(), drift: 0.02})
		var outcomes []Outcome
		for _, c := range cases {
			s.give(1, c.share)
			fair, err := s.play(func(int) strategy { return judge })
			if err != nil {
				return nil, err
			}
			foul, err := s.play(func(v int) strategy {
				switch {
				case v > 0:
					return judge
				case c.nobody:
					return func(view) []float64 { return nil }
				}
				return func(view) []float64 { return only(miners, friends) }
			})
			if err != nil {
				return nil, err
			}
			ours := func(g *income) float64 { return g.validator[0] + sum(g.miner[validators:validators+friends]) }
			fallen := 0
			for e := s.warm; e < s.epochs; e++ {
				if now := weakest(foul.incentive[e]); now >= friends && now != weakest(fair.incentive[e]) {
					fallen++
				}
			}
			outcomes = append(outcomes, Outcome{
				Gain: percent(ours(fair), ours(foul)),
				Loss: 100 * float64(fallen) / float64(s.epochs-s.warm),
			})
		}
		return outcomes, nil
	}
	return a
}

// weakest is the first of those with the least: whose seat falls next, where all
// registered in the order of their uids (protocol.md §4).
func weakest(incentive []float64) int {
	least := 0
	for m, i := range incentive {
		if i < incentive[least] {
			least = m
		}
	}
	return least
}
