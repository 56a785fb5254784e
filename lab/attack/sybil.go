package attack

import (
	"math"
	"math/rand/v2"
)

// A day's epochs and what an epoch's pot is, on mainnet: blocks of 3 s and a
// quarter alpha in each, of which the owner has 18 % (protocol.md §2, §6).
const (
	epochsADay = 24 * 3600 / 3 / tempo
	alphaPot   = 0.82 * 0.25 * tempo
)

// sybil is a machine that registers as several miners.
func sybil() Attack {
	const validators, miners, uids = 12, 24, 4
	cases := []struct {
		name  string
		power float64 // of what is measured that makes the score
		part  float64 // of the machine that each uid shows
	}{
		{"scores follow work done", 1, 1. / uids},
		{"scores follow work done, squared", 2, 1. / uids},
		{"scores follow the answer alone", 1, 1},
	}
	a := Attack{
		Name:  "sybil",
		Title: "one machine registers as four miners",
		Setup: `A subnet of 12 validators and 20 other miners with a machine each; validators measure with a noise of 5 to 25 %,
independently for each uid. Honesty: the machine is one miner. The attack: it is four, each of which does a quarter of its
work, or gives its answer again. The three more registrations cost 0.1 TAO, rising by 26 %; an alpha is worth 0.01 to
0.3 TAO. 40 epochs stand for 30 days. Seats are free.`,
		GainUnit: "% of what the machine earns in 30 days by honesty, the registrations paid",
		LossUnit: "% of what the other miners earn then",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		s := newSubnet(rng, luck{validators: validators, miners: miners, warm: 0, epochs: 40, noise: 0.05 + 0.2*rng.Float64(), drift: 0.01})
		price := 0.01 * math.Pow(30, rng.Float64())
		// One machine behind the first four uids: the noise is each one's own.
		machine := func(v view, m int) float64 { return s.truth[v.epoch][0] * v.seen[m] / s.truth[v.epoch][m] }
		var outcomes []Outcome
		for _, c := range cases {
			weigh := func(split bool) strategy {
				return func(v view) []float64 {
					row := make([]float64, miners)
					for m, q := range v.seen {
						switch {
						case m >= uids || m == 0 && !split:
							row[m] = math.Pow(q, c.power)
						case split:
							row[m] = math.Pow(c.part*machine(v, m), c.power)
						}
					}
					return row
				}
			}
			fair, err := s.play(func(int) strategy { return weigh(false) })
			if err != nil {
				return nil, err
			}
			foul, err := s.play(func(int) strategy { return weigh(true) })
			if err != nil {
				return nil, err
			}
			// From pots of these epochs to TAO of 30 days.
			worth := price * alphaPot * 30 * epochsADay / float64(s.epochs)
			ours := func(g *income) float64 { return worth * sum(g.miner[validators:validators+uids]) }
			others := func(g *income) float64 { return sum(g.miner[validators+uids:]) }
			cost := registrations(raised(firstBurn), uids-1, 0) / tao
			outcomes = append(outcomes, Outcome{
				Gain: percent(ours(fair), ours(foul)-cost),
				Loss: -percent(others(fair), others(foul)),
			})
		}
		return outcomes, nil
	}
	return a
}
