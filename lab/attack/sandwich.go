package attack

import (
	"math"
	"math/rand/v2"

	"github.com/lodenet/lode/x/alpha/pool"
)

// rules are the mainnet profile's of a trade (x/alpha's parameters).
var rules = pool.Rules{Fee: 500, Floor: 1_000_000}

const tao = 1_000_000_000 // rao

// sandwich buys before a large stake and sells after it.
func sandwich() Attack {
	const noLimit = math.MaxUint64
	// limit is the victim's, of the pool as it is and its trade as it would be.
	type limit func(now pool.Reserves, alone pool.Trade) uint64
	beyond := func(more float64) limit {
		return func(_ pool.Reserves, alone pool.Trade) uint64 {
			return uint64(float64(alone.After.LimitPrice()+1) * (1 + more))
		}
	}
	cases := []struct {
		name    string
		limit   limit
		partial bool
	}{
		{"no limit price", func(pool.Reserves, pool.Trade) uint64 { return noLimit }, false},
		{"limit 5 % beyond where it alone would end", beyond(0.05), false},
		{"limit 0.5 % beyond", beyond(0.005), false},
		{"limit where it alone would end", beyond(0), false},
		{"5 % from now, part of it allowed", func(now pool.Reserves, _ pool.Trade) uint64 {
			return uint64(float64(now.LimitPrice()) * 1.05)
		}, true},
	}
	a := Attack{
		Name:  "sandwich",
		Title: "somebody buys before a large stake and sells after it",
		Setup: `A pool of 1,000 to 100,000 TAO at a price of 0.01 to 0.3 TAO, with the fee of 0.05 %. A stake of 1 to 20 % of
its TAO waits in the mempool. The attacker sees it, buys before it, sells all after it in the same block, and has as much
TAO as the pool: it picks the best amount, or stays away. Honesty: it stays away. Nobody trades between.`,
		GainUnit: "TAO for each 100 TAO that the victim stakes",
		LossUnit: "% less alpha that the victim gets for each TAO it spends",
	}
	for _, c := range cases {
		a.Cases = append(a.Cases, c.name)
	}
	a.play = func(rng *rand.Rand) ([]Outcome, error) {
		reserve := uint64(1000 * tao * math.Pow(100, rng.Float64()))
		price := 0.01 * math.Pow(30, rng.Float64())
		now := pool.Reserves{Tao: reserve, Alpha: uint64(float64(reserve) / price)}
		stake := uint64(float64(reserve) * (0.01 + 0.19*rng.Float64()))
		alone, err := now.Buy(stake, rules)
		if err != nil {
			return nil, err
		}
		var outcomes []Outcome
		for _, c := range cases {
			limit := c.limit(now, alone)
			fair, err := now.BuyWithin(stake, limit, c.partial, rules)
			if err != nil {
				return nil, err
			}
			profit := func(first uint64) (float64, pool.Trade) {
				before, err := now.Buy(first, rules)
				if err != nil {
					return -1, pool.Trade{}
				}
				victim, err := before.After.BuyWithin(stake, limit, c.partial, rules)
				if err != nil {
					return -1, pool.Trade{} // refused: the attacker has paid two fees
				}
				after, err := victim.After.Sell(before.Out, rules)
				if err != nil {
					return -1, pool.Trade{}
				}
				return float64(after.Out) - float64(first), victim
			}
			gain, victim := best(reserve, profit)
			if gain <= 0 {
				gain, victim = 0, fair
			}
			rate := func(t pool.Trade) float64 { return float64(t.Out) / float64(t.In) }
			outcomes = append(outcomes, Outcome{
				Gain: 100 * gain / float64(stake),
				Loss: -percent(rate(fair), rate(victim)),
			})
		}
		return outcomes, nil
	}
	return a
}

// best is the most that profit gives for an amount up to most, found on a grid
// that is made finer around its best point: where a limit refuses the victim the
// profit falls off a cliff, so no slope is followed.
func best(most uint64, profit func(uint64) (float64, pool.Trade)) (gain float64, victim pool.Trade) {
	const points = 32
	low, high := uint64(0), most
	for high-low > points {
		step := (high - low) / points
		at := low
		for first := low; first <= high; first += step {
			if p, t := profit(first); p > gain {
				gain, victim, at = p, t, first
			}
		}
		if gain == 0 { // nothing pays at this width: look near nothing
			low, high = 0, step
			continue
		}
		low, high = at-min(at-low, step), min(at+step, high)
	}
	return gain, victim
}
