package attack_test

import (
	"testing"

	"github.com/lodenet/lode/lab/attack"
)

// The claims are what docs/attacks-economic.md concludes, one test an attack.

func TestAMinorityCabalLosesAndAMajorityIsTheConsensus(t *testing.T) {
	r := run(t, "cabal")
	for _, words := range []string{"10 %", "30 % of the stake, its miners work", "30 % of the stake, its miners do nothing", "45 % of the stake, its miners do nothing"} {
		if c := of(t, r, words); c.Gain.P95 >= 0 {
			t.Errorf("%s: the gain's 95th percentile is %v, must be a loss", c.Case, c.Gain.P95)
		}
	}
	// Just under the half it can win a little where measurements differ much.
	if c := of(t, r, "45 %", "work"); c.Gain.Mean >= 0 || c.Gain.P95 > 20 {
		t.Errorf("%s: %+v, must lose on average and never win much", c.Case, c.Gain)
	}
	if c := of(t, r, "55 %"); c.Gain.P5 < 100 || c.Loss.P5 < 80 {
		t.Errorf("%s: gain %+v, loss %+v: more than half is the consensus", c.Case, c.Gain, c.Loss)
	}
}

func TestASandwichTakesWhatTheLimitLeaves(t *testing.T) {
	r := run(t, "sandwich")
	if c := of(t, r, "no limit"); c.Gain.P5 < 50 || c.Loss.P5 < 50 {
		t.Errorf("%s: gain %+v, loss %+v: who sets no limit is robbed of most", c.Case, c.Gain, c.Loss)
	}
	for words, most := range map[string]float64{"limit 5 % beyond": 5.5, "limit 0.5 % beyond": 0.6, "limit where": 0.001, "5 % from now": 2.6} {
		c := of(t, r, words)
		if c.Loss.P95 > most {
			t.Errorf("%s: the victim loses %v %%, must be at most %v", c.Case, c.Loss.P95, most)
		}
		if c.Gain.P5 < 0 {
			t.Errorf("%s: the attacker loses, though it may stay away: %+v", c.Case, c.Gain)
		}
	}
	bound(t, of(t, r, "limit where"), 0.001)
}

// bound is the most that any but the luckiest gain.
func bound(t *testing.T, c attack.Case, most float64) {
	t.Helper()
	if c.Gain.P95 > most {
		t.Errorf("%s: the gain's 95th percentile is %v, must be at most %v", c.Case, c.Gain.P95, most)
	}
}
