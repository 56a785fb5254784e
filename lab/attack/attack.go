package attack

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// MaxSeeds bounds a run.
const MaxSeeds = 100_000

// Attack is a game with an honest and a dishonest way to play it.
type Attack struct {
	Name  string // one word
	Title string // what the attacker does, in a line
	Setup string // the game: what is drawn, what honesty is, what is assumed
	// GainUnit is what the attacker's gain over honesty is counted in, LossUnit what
	// the honest others' loss is. A negative gain is a loss, and the other way round.
	GainUnit, LossUnit string
	Cases              []string // ways to play it, told apart in the results

	// play plays all cases with the luck that rng gives.
	play func(rng *rand.Rand) ([]Outcome, error)
}

// Outcome is what one case gives with one seed.
type Outcome struct{ Gain, Loss float64 }

// All lists the attacks in the order of the documentation.
func All() []Attack {
	return []Attack{
		cabal(), copier(), bondGames(), evict(), sandwich(), drain(), withhold(), slash(), tiny(), sybil(),
	}
}

// Find is the attack of that name.
func Find(name string) (Attack, bool) {
	all := All()
	i := slices.IndexFunc(all, func(a Attack) bool { return a.Name == name })
	if i < 0 {
		return Attack{}, false
	}
	return all[i], true
}

// Play plays all cases with one seed's luck.
func (a Attack) Play(seed uint64) ([]Outcome, error) {
	name := fnv.New64a()
	name.Write([]byte(a.Name))
	outcomes, err := a.play(rand.New(rand.NewPCG(seed, name.Sum64())))
	if err == nil && len(outcomes) != len(a.Cases) {
		err = fmt.Errorf("%d outcomes of %d cases", len(outcomes), len(a.Cases))
	}
	if err != nil {
		return nil, fmt.Errorf("%s, seed %d: %w", a.Name, seed, err)
	}
	return outcomes, nil
}

// Run plays an attack with seeds first, first+1, …, and tells progress after each
// one. It ends early with ctx's error.
func Run(ctx context.Context, a Attack, first uint64, seeds int, progress func(done int)) (*Result, error) {
	if seeds < 1 || seeds > MaxSeeds {
		return nil, fmt.Errorf("%d seeds: want 1 to %d", seeds, MaxSeeds)
	}
	if last := first + uint64(seeds-1); last < first {
		return nil, fmt.Errorf("%d seeds from %d on run past the largest, 18446744073709551615: start lower", seeds, first)
	}
	gains, losses := make([][]float64, len(a.Cases)), make([][]float64, len(a.Cases))
	for i := range seeds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		outcomes, err := a.Play(first + uint64(i))
		if err != nil {
			return nil, err
		}
		for c, o := range outcomes {
			gains[c], losses[c] = append(gains[c], o.Gain), append(losses[c], o.Loss)
		}
		if progress != nil {
			progress(i + 1)
		}
	}
	r := &Result{Attack: a.Name, Title: a.Title, FirstSeed: first, Seeds: seeds, GainUnit: a.GainUnit, LossUnit: a.LossUnit}
	for c, name := range a.Cases {
		r.Cases = append(r.Cases, newCase(name, gains[c], losses[c]))
	}
	return r, nil
}
