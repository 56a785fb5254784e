package attack

import (
	"math"
	"math/rand/v2"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/alpha/pool"
)

// withhold is an owner that directs its miners' emission to itself.
func withhold() Attack {
	const own, ownMiners, validators, miners, days = 3, 2, 12, 24, 60
	cases := []struct {
		name   string
		share  float64
		all    bool // of its weight, else half
		second bool // coldkey
	}{
		{"40 % of the stake, its own hotkeys", 0.40, true, false},
		{"60 % of the stake, its own hotkeys", 0.60, true, false},
		{"60 %, half of the weight, its own hotkeys", 0.60, false, false},
		{"40 % of the stake, a second coldkey", 0.40, true, true},
		{"60 % of the stake, a second coldkey", 0.60, true, true},
	}
	a := Attack{
		Name:  "withhold",
		Title: "an owner lets its own hotkeys earn what miners should",
		Setup: `An owner whose 3 validators hold a part of the stake, beside 9 others, 22 honest miners and 2 of its own that do
nothing. 1 to 5 million alpha are issued, 20 to 60 % of them in the pool, at a price of 0.005 to 0.1 TAO; the other subnets'
moving prices sum to 0.3 to 1.5, 1 to 6 million TAO are bonded. Honest miners sell what they earn each day, validators keep it;
the owner keeps all and sells it after 60 days. Honesty: its validators judge, and its 2 miners get nothing. The attack: its
validators give all their weight, or half, to the 2. By its own hotkeys that is burned and withheld from the subnet's TAO; a
second coldkey is not known to be the owner's. Nobody leaves or sells in answer.`,
		GainUnit: "% of the TAO that the owner has after 60 days by honesty: its cut and its validators' dividends",
		LossUnit: "% of what the honest miners and the other validators have then",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		s := newSubnet(rng, luck{validators: validators, miners: miners, warm: 20, epochs: 20, noise: 0.05 + 0.2*rng.Float64(), drift: 0.01})
		now := 0.005 * math.Pow(20, rng.Float64())
		issued := (1 + 4*rng.Float64()) * 1e6 * tao
		reserve := issued * (0.2 + 0.4*rng.Float64())
		start := market{
			pool:   pool.Reserves{Tao: uint64(reserve * now), Alpha: uint64(reserve)},
			issued: uint64(issued), moving: price(now), others: price(0.3 + 1.2*rng.Float64()),
			rootWeight: uint64((1+5*rng.Float64())*1e6*tao) / 100 * taoWeight, blocks: 200 * blocksADay,
		}

		// months is what the owner and the others have after it, in rao.
		months := func(g *income, second bool) (owner, others float64, err error) {
			m := start
			epochs := float64(s.epochs - s.warm)
			mine, theirs := sum(g.miner[validators:validators+ownMiners])/epochs, sum(g.miner[validators+ownMiners:])/epochs
			dividends, theirDividends := sum(g.validator[:own])/epochs, sum(g.validator[own:])/epochs
			var held, theirsHeld, sold uint64
			for range days {
				got, err := m.day()
				if err != nil {
					return 0, 0, err
				}
				pot := got.miners + got.validators
				held += got.owner + part(pot, dividends)
				theirsHeld += part(pot, theirDividends)
				if second {
					held += part(pot, mine)
				} else if mine+theirs > 0 {
					m.withheld = fixed.Ratio(uint64(mine*1e9), uint64((mine+theirs)*1e9))
				}
				rao, err := m.sell(part(pot, theirs))
				if err != nil {
					return 0, 0, err
				}
				sold += rao
			}
			others = float64(sold) + float64(m.pool.Worth(theirsHeld))
			rao, err := m.sell(held)
			return float64(rao), others, err
		}
		var outcomes []Outcome
		for _, c := range cases {
			s.give(own, c.share)
			judge := func(v view) []float64 { return without(v.seen, ownMiners) }
			fair, err := s.play(func(int) strategy { return judge })
			if err != nil {
				return nil, err
			}
			foul, err := s.play(func(v int) strategy {
				if v >= own {
					return judge
				}
				return func(v view) []float64 {
					if c.all {
						return only(miners, ownMiners)
					}
					row := judge(v)
					for m, total := 0, sum(row); m < ownMiners; m++ {
						row[m] = total / ownMiners
					}
					return row
				}
			})
			if err != nil {
				return nil, err
			}
			owner, others, err := months(fair, c.second)
			if err != nil {
				return nil, err
			}
			ownerFoul, othersFoul, err := months(foul, c.second)
			if err != nil {
				return nil, err
			}
			outcomes = append(outcomes, Outcome{Gain: percent(owner, ownerFoul), Loss: -percent(others, othersFoul)})
		}
		return outcomes, nil
	}
	return a
}
