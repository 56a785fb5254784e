package attack

import (
	"math/rand/v2"

	"github.com/lodenet/lode/yuma"
)

// bondGames is a validator that moves to new miners before the others or after
// them.
func bondGames() Attack {
	const validators, miners, newcomers = 12, 24, 4
	const warm, epochs, apart, wait, lead = 20, 60, 12, 8, 6
	cases := []struct {
		name string
		by   int // epochs after the others
		set  func(p *yuma.Params)
	}{
		{"6 epochs early", -lead, func(*yuma.Params) {}},
		{"6 epochs early, no bonds penalty", -lead, func(p *yuma.Params) { p.BondsPenalty = 0 }},
		{"6 epochs early, liquid alpha", -lead, func(p *yuma.Params) { p.LiquidAlpha = true }},
		{"6 epochs early, no penalty, liquid alpha", -lead, func(p *yuma.Params) { p.BondsPenalty, p.LiquidAlpha = 0, true }},
		{"6 epochs early, Yuma 2", -lead, func(p *yuma.Params) { p.YumaVersion = 2 }},
		{"6 epochs late", lead, func(*yuma.Params) {}},
		{"6 epochs late, liquid alpha", lead, func(p *yuma.Params) { p.LiquidAlpha = true }},
		{"6 epochs late, Yuma 2", lead, func(p *yuma.Params) { p.YumaVersion = 2 }},
	}
	a := Attack{
		Name:  "bonds",
		Title: "a validator bonds with new miners before the others, or after them",
		Setup: `A subnet of 12 validators and 24 miners; the attacker is a validator with 2 to 15 % of the stake. Validators measure
with a noise of 5 to 15 %; qualities differ by 40 %. Four miners arrive, one every 12 epochs, twice as good as they would be;
the others weight them 8 epochs later. Honesty: the attacker does so with them. The attack: it does so 6 epochs before
them, or 6 after. 60 epochs count, after 20. Defaults of the protocol but for what the case says.`,
		GainUnit: "% of the dividends that the attacker gets by honesty",
		LossUnit: "% of the dividends that the other validators get then",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		s := newSubnet(rng, luck{validators: validators, miners: miners, warm: warm, epochs: epochs, noise: 0.05 + 0.1*rng.Float64(), drift: 0.01})
		s.give(1, 0.02+0.13*rng.Float64())
		for m := range newcomers {
			s.arrived[m] = warm + apart*m
		}
		// moves is how one plays that weights a newcomer so long after its arrival.
		moves := func(after int) strategy {
			return func(v view) []float64 {
				row := append([]float64(nil), v.seen...)
				for m := range newcomers {
					row[m] *= 2
					if v.epoch < s.arrived[m]+after {
						row[m] = 0
					}
				}
				return row
			}
		}
		everyone := moves(wait)
		var outcomes []Outcome
		for _, c := range cases {
			s.params = params()
			c.set(&s.params)
			fair, err := s.play(func(int) strategy { return everyone })
			if err != nil {
				return nil, err
			}
			foul, err := s.play(func(v int) strategy {
				if v == 0 {
					return moves(wait + c.by)
				}
				return everyone
			})
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
