package attack

import (
	"math"
	"math/rand/v2"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/emission/curve"
)

// drain tries to get more TAO out of a pool than it put in, by creating subnets and
// having them removed.
func drain() Attack {
	const immune = 180 // days
	a := Attack{
		Name:  "drain",
		Title: "somebody creates subnets, or has them removed, to empty a pool",
		Setup: `128 subnets; moving prices sum to 0.5 to 1.5, and the median is a fifth to the whole of their mean. A creation locks
1,000 to 10,000 TAO. The creator's subnet does no work: as its owner, only miner (by a second coldkey) and only validator it
gets all its alpha for the 180 days of its immunity, then it is removed. The weakest subnet has a pool of 500 to 5,000 TAO,
5 to 50 % of its alpha staked, 0 to 20 % held by the protocol; who buys spends 1 to 50 % of the pool's TAO on it. Honesty:
not to create; not to buy; to wait for the claim.`,
		GainUnit: "% of the TAO put in (who sells: of what the claim would pay)",
		LossUnit: "% of what others get otherwise: the other subnets' emission in 180 days; the other holders' claims",
		Cases: []string{
			"creates, never starts, is removed",
			"creates, sells what it earns each day",
			"creates, keeps what it earns, claims",
			"buys the weakest before it is removed",
			"buys the weakest and forces its removal",
			"a holder sells before the removal",
		},
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		all := 0.5 + rng.Float64()
		median := all / 128 * (0.2 + 0.8*rng.Float64())
		lock := uint64(1000 * tao * math.Pow(10, rng.Float64()))
		bonded := (1 + 5*rng.Float64()) * 1e6 * tao
		fresh := func() *market {
			reserve := min(price(median).QuoUint64(lock), supplyCap/4)
			return &market{
				pool: pool.Reserves{Tao: lock, Alpha: reserve}, issued: reserve,
				others: price(all), rootWeight: uint64(bonded) / 100 * taoWeight,
			}
		}
		var outcomes []Outcome

		m := fresh()
		outcomes = append(outcomes, Outcome{Gain: percent(float64(lock), float64(paid(0, m, 0)))})
		for _, sells := range []bool{true, false} {
			m := fresh()
			var out, emitted, held uint64
			for range immune {
				got, err := m.day()
				if err != nil {
					return nil, err
				}
				emitted += got.tao
				held += got.owner + got.miners + got.validators
				if !sells {
					continue
				}
				rao, err := m.sell(held)
				if err != nil {
					return nil, err
				}
				out, held = out+rao, 0
			}
			out += paid(held, m, held)
			outcomes = append(outcomes, Outcome{
				Gain: percent(float64(lock), float64(out)),
				Loss: 100 * float64(emitted) / (immune * taoADay),
			})
		}

		weak := pool.Reserves{Tao: uint64(500 * tao * math.Pow(10, rng.Float64()))}
		weak.Alpha = price(median * (0.1 + 0.4*rng.Float64())).QuoUint64(weak.Tao)
		staked := part(weak.Alpha, 0.05+0.45*rng.Float64())
		m = &market{pool: weak, protocol: part(weak.Alpha, 0.2*rng.Float64())}
		others := float64(paid(staked, m, staked))
		spent := part(weak.Tao, 0.01+0.49*rng.Float64())
		bought, err := weak.Buy(spent, rules)
		if err != nil {
			return nil, err
		}
		after := &market{pool: bought.After, protocol: m.protocol}
		back := float64(paid(bought.Out, after, staked+bought.Out))
		othersAfter := float64(paid(staked, after, staked+bought.Out))
		outcomes = append(outcomes,
			Outcome{Gain: percent(float64(spent), back), Loss: -percent(others, othersAfter)},
			Outcome{Gain: percent(float64(spent+lock), back), Loss: -percent(others, othersAfter)})

		held := part(staked, 0.1+0.8*rng.Float64())
		claim := float64(paid(held, m, staked))
		sale, err := weak.Sell(held, rules)
		if err != nil {
			return nil, err
		}
		after = &market{pool: sale.After, protocol: m.protocol}
		outcomes = append(outcomes, Outcome{
			Gain: percent(claim, float64(sale.Out)),
			Loss: -percent(float64(paid(staked-held, m, staked)), float64(paid(staked-held, after, staked-held))),
		})
		return outcomes, nil
	}
	return a
}

// paid is what a holder of alpha gets of a removed subnet's pot, where so much is
// staked in all: floor(alpha·pot/total) (protocol.md §3).
func paid(alpha uint64, m *market, staked uint64) uint64 {
	return curve.MulDiv(alpha, m.pool.Tao, m.pool.Alpha+m.protocol+staked)
}
