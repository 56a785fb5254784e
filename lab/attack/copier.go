package attack

import "math/rand/v2"

// copier is a validator that measures nothing and gives the weights of others.
func copier() Attack {
	const validators, miners = 12, 24
	const slow, fast = 0.01, 0.2
	cases := []struct {
		name   string
		reveal int
		just   bool // what the others have just set, not what the last epoch made of it
		drift  float64
	}{
		{"no commit–reveal: what was just set", 0, true, slow},
		{"no commit–reveal: the last consensus", 0, false, slow},
		{"reveal after 1 epoch", 1, false, slow},
		{"reveal after 10 epochs", 10, false, slow},
		{"no commit–reveal, fast: what was just set", 0, true, fast},
		{"no commit–reveal, fast: the last consensus", 0, false, fast},
		{"reveal after 1 epoch, fast", 1, false, fast},
		{"reveal after 10 epochs, fast", 10, false, fast},
	}
	a := Attack{
		Name:  "copy",
		Title: "a validator measures nothing and copies the consensus",
		Setup: `A subnet of 12 validators and 24 miners, defaults of the protocol; the copier has 2 to 15 % of the stake. Validators
measure with a noise of 5 to 25 %. Qualities differ by 40 % and move by 1 % an epoch or, where the case says fast, by 20 %.
Honesty: the copier measures as well as the others. The attack: from the first epoch it gives the newest consensus that it
can know when it sets or commits its row (before the first, equal weights). 60 epochs count, after 20.`,
		GainUnit: "% of the dividends that the copier gets by honesty; what it saves by not measuring comes on top",
		LossUnit: "% of the dividends that the other validators get then",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		l := luck{validators: validators, miners: miners, warm: 20, epochs: 60, noise: 0.05 + 0.2*rng.Float64()}
		share := 0.02 + 0.13*rng.Float64()
		subnets := map[float64]*subnet{}
		for _, drift := range []float64{slow, fast} {
			l.drift = drift
			subnets[drift] = newSubnet(rng, l)
			subnets[drift].give(1, share)
		}
		var outcomes []Outcome
		for _, c := range cases {
			s := subnets[c.drift]
			s.reveal = c.reveal
			fair, err := s.play(everybody)
			if err != nil {
				return nil, err
			}
			var ahead [][]float64
			if c.just { // the consensus of what the others have just set
				alone, err := s.play(these(1, func(view) []float64 { return nil }))
				if err != nil {
					return nil, err
				}
				ahead = alone.consensus
			}
			foul, err := s.play(these(1, func(v view) []float64 {
				switch {
				case c.just:
					return ahead[v.epoch]
				case len(v.consensus) == 0:
					return only(miners, miners)
				}
				return v.consensus[len(v.consensus)-1]
			}))
			if err != nil {
				return nil, err
			}
			outcomes = append(outcomes, Outcome{
				Gain: percent(fair.validator[0], foul.validator[0]),
				Loss: -percent(sum(fair.validator[1:]), sum(foul.validator[1:])),
			})
		}
		return outcomes, nil
	}
	return a
}
