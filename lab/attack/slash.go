package attack

import (
	"math"
	"math/rand/v2"
)

// slash is a cabal of validators that burns a rival's collateral.
func slash() Attack {
	const own, validators, miners, epochs = 4, 12, 24, 60
	const rival, friend = 0, 1   // miners
	const deposit, wait = 10, 10 // TAO; tempos after a claim that failed
	const share = 0.1
	cases := []struct {
		name   string
		stake  float64
		claims int // a tempo, where they pass
		leaves bool
	}{
		{"50 % of the stake", 0.50, 1, true},
		{"66 % of the stake", 0.66, 1, true},
		{"70 %, a claim a tempo, the rival tops up", 0.70, 1, false},
		{"70 %, a claim a tempo, the rival leaves", 0.70, 1, true},
		{"70 %, a claim each 10 blocks, the rival leaves", 0.70, tempo / 10, true},
	}
	a := Attack{
		Name:  "slash",
		Title: "a cabal of validators slashes a rival's collateral",
		Setup: `12 validators, 24 miners; the cabal is 4 of the validators and a miner. The subnet asks for 100 to 1,000 alpha of
collateral, and the rival, who is the best miner, has 1 to 3 times that. A cabal's validator opens false claims for a tenth of
the collateral, the most that is allowed, and the cabal alone confirms; each costs 10 TAO unless it passes, and who failed waits
10 tempos. Honesty: no claims. The rival tops up to the minimum, or it leaves once it is under it and what is left unbonds for
7 days, in which the cabal goes on. An alpha is worth 0.01 to 0.3 TAO; 60 epochs.`,
		GainUnit: "TAO in 60 epochs: what the cabal earns more, less lost deposits",
		LossUnit: "TAO that the rival loses: collateral, and what it earns no more",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		s := newSubnet(rng, luck{validators: validators, miners: miners, epochs: epochs, noise: 0.05 + 0.2*rng.Float64(), drift: 0.01})
		worth := 0.01 * math.Pow(30, rng.Float64())
		least := 100 * math.Pow(10, rng.Float64())
		first := least * (1 + 2*rng.Float64())
		gone := epochs // from when on the rival is weighted 0
		play := func() (*income, error) {
			return s.play(func(int) strategy {
				return func(v view) []float64 {
					row := append([]float64(nil), v.seen...)
					if row[rival] *= 3; v.epoch >= gone { // three times as good as it would be
						row[rival] = 0
					}
					return row
				}
			})
		}
		var outcomes []Outcome
		for _, c := range cases {
			s.give(own, c.stake)
			var theirs uint64
			for _, stake := range s.stakes[:own] {
				theirs += stake
			}
			var all uint64
			for _, stake := range s.stakes {
				all += stake
			}
			gone = epochs
			fair, err := play()
			if err != nil {
				return nil, err
			}
			collateral, burned, costs := first, 0.0, 0.0
			passes := 3*theirs > 2*all
			for epoch := 0; epoch < epochs; epoch++ {
				if !passes {
					if epoch%(wait+1) == 0 {
						costs += deposit
					}
					continue
				}
				for range c.claims {
					burned += share * collateral
					collateral -= share * collateral
					if collateral < least && c.leaves {
						gone = min(gone, epoch+1)
					} else if collateral < least {
						collateral = least
					}
				}
			}
			foul, err := play()
			if err != nil {
				return nil, err
			}
			ours := func(g *income) float64 {
				return worth * alphaPot * (sum(g.validator[:own]) + g.miner[validators+friend])
			}
			its := func(g *income) float64 { return worth * alphaPot * g.miner[validators+rival] }
			outcomes = append(outcomes, Outcome{
				Gain: ours(foul) - ours(fair) - costs,
				Loss: worth*burned + its(fair) - its(foul),
			})
		}
		return outcomes, nil
	}
	return a
}
