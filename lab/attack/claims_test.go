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

func TestCopyingPaysWhereMinersHardlyChangeAndCommitRevealMakesItCostWhereTheyDo(t *testing.T) {
	r := run(t, "copy")
	for _, words := range []string{"reveal: what was just set", "reveal: the last consensus", "reveal after 1 epoch", "fast: what was just set"} {
		var c attack.Case
		if words == "reveal after 1 epoch" {
			c = r.Cases[2]
		} else {
			c = of(t, r, words)
		}
		if c.Gain.Mean <= 0 || c.Gain.P95 > 15 {
			t.Errorf("%s: %+v, must pay, and less than 15 %%", c.Case, c.Gain)
		}
	}
	for _, words := range []string{"fast: the last consensus", "after 1 epoch, fast", "after 10 epochs, fast"} {
		if c := of(t, r, words); c.Gain.P95 >= 0 {
			t.Errorf("%s: the gain's 95th percentile is %v, must be a loss", c.Case, c.Gain.P95)
		}
	}
	// The longer the reveal, the older what is copied.
	slow, fast := r.Cases[:4], r.Cases[4:]
	for _, cases := range [][]attack.Case{slow, fast} {
		for i := 1; i < len(cases); i++ {
			if cases[i].Gain.Mean >= cases[i-1].Gain.Mean {
				t.Errorf("%s gains %v, no less than %s with %v", cases[i].Case, cases[i].Gain.Mean, cases[i-1].Case, cases[i-1].Gain.Mean)
			}
		}
	}
}

func TestMovingEarlyPaysOnlyWithoutABondsPenaltyAndMovingLateNever(t *testing.T) {
	r := run(t, "bonds")
	for _, c := range r.Cases {
		if pays := c.Case == "6 epochs early, no bonds penalty"; pays && c.Gain.P5 <= 0 || !pays && c.Gain.P95 >= 0 {
			t.Errorf("%s: %+v", c.Case, c.Gain)
		}
	}
}

func TestPushingARivalOutCostsMoreThanItsShareIsWorth(t *testing.T) {
	r := run(t, "evict")
	for _, c := range r.Cases {
		bound(t, c, 0.01)
		if c.Gain.Mean >= 0 || c.Loss.Mean <= 0 {
			t.Errorf("%s: gain %v, loss %v: the attacker must lose on average, the rival does too", c.Case, c.Gain.Mean, c.Loss.Mean)
		}
	}
	if c := of(t, r, "second best"); c.Gain.P95 > -1000 {
		t.Errorf("%s: %+v, must cost thousands of TAO", c.Case, c.Gain)
	}
}

func TestBuyingIntoARemovalLosesAndAnEmptySubnetLosesMoreOftenThanNot(t *testing.T) {
	r := run(t, "drain")
	if c := of(t, r, "never starts"); c.Gain.P95 != -100 {
		t.Errorf("%s: %+v, must lose the whole lock", c.Case, c.Gain)
	}
	for _, words := range []string{"buys the weakest before", "forces its removal"} {
		if c := of(t, r, words); c.Gain.P95 >= 0 || c.Loss.P95 >= 0 {
			t.Errorf("%s: gain %+v, loss %+v: the buyer must lose to the other holders", c.Case, c.Gain, c.Loss)
		}
	}
	// What pays, and the page says so: to sell before a removal, and now and then an
	// empty subnet that lives for its 180 days.
	if c := of(t, r, "sells before the removal"); c.Gain.P5 <= 0 {
		t.Errorf("%s: %+v, must pay", c.Case, c.Gain)
	}
	for _, words := range []string{"sells what it earns", "keeps what it earns"} {
		if c := of(t, r, words); c.Gain.Median >= 0 || c.Pays == 0 || c.Pays > 0.6 || c.Loss.P95 > 1 {
			t.Errorf("%s: gain %+v, pays in %v, loss %+v: must lose more often than not, and take under 1 %% of the emission", c.Case, c.Gain, c.Pays, c.Loss)
		}
	}
}

func TestWithholdingNeedsTheMajorityAndASecondColdkeyToPay(t *testing.T) {
	r := run(t, "withhold")
	for _, words := range []string{"40 % of the stake, its own", "40 % of the stake, a second"} {
		if c := of(t, r, words); c.Gain.P95 >= 0 || c.Loss.P95 >= 0 {
			t.Errorf("%s: gain %+v, loss %+v: a minority must lose by it, to the others", c.Case, c.Gain, c.Loss)
		}
	}
	if c := of(t, r, "60 % of the stake, its own"); c.Gain.Mean > 10 || c.Gain.P5 >= 0 || c.Loss.P5 < 90 {
		t.Errorf("%s: gain %+v, loss %+v: it takes all from the others and may win the owner little", c.Case, c.Gain, c.Loss)
	}
	if c := of(t, r, "half of the weight"); c.Gain.Mean > 5 {
		t.Errorf("%s: %+v, must not pay much on average", c.Case, c.Gain)
	}
	if c := of(t, r, "60 % of the stake, a second"); c.Gain.P5 < 100 || c.Loss.P5 < 90 {
		t.Errorf("%s: gain %+v, loss %+v: the page says that nothing stops it", c.Case, c.Gain, c.Loss)
	}
}

func TestSlashingTakesTwoThirdsAndGainsTheCabalNextToNothing(t *testing.T) {
	r := run(t, "slash")
	for _, words := range []string{"50 %", "66 %"} {
		if c := of(t, r, words); c.Gain.P95 != -60 || c.Loss.P95 != 0 {
			t.Errorf("%s: gain %+v, loss %+v: six deposits must be lost, and nothing won", c.Case, c.Gain, c.Loss)
		}
	}
	if c := of(t, r, "tops up"); c.Gain.P95 != 0 || c.Loss.P5 <= 0 {
		t.Errorf("%s: gain %+v, loss %+v: what is slashed is burned, not won", c.Case, c.Gain, c.Loss)
	}
	for _, words := range []string{"tempo, the rival leaves", "10 blocks"} {
		if c := of(t, r, words); c.Gain.P5 <= 0 || c.Gain.Mean > c.Loss.Mean/10 {
			t.Errorf("%s: gain %+v, loss %+v: must be a small part of the harm", c.Case, c.Gain, c.Loss)
		}
	}
}

func TestATinyValidatorThatDoesNotJudgeLosesAndTinyStakeMovesFewSeats(t *testing.T) {
	r := run(t, "tiny")
	for _, c := range r.Cases {
		bound(t, c, 0)
	}
	for _, words := range []string{"0.5 % of the stake, weights nobody", "0.5 % of the stake, only"} {
		if c := of(t, r, words); c.Loss.Mean > 2 {
			t.Errorf("%s: moves the seat in %v %% of the epochs, must be at most 2", c.Case, c.Loss.Mean)
		}
	}
	if c := of(t, r, "10 % of the stake, only"); c.Loss.Mean <= 1 {
		t.Errorf("%s: moves the seat in %v %% of the epochs; the page says that it does", c.Case, c.Loss.Mean)
	}
}

func TestSplittingAMachinePaysOnlyWhereScoresForgetTheWork(t *testing.T) {
	r := run(t, "sybil")
	if c := of(t, r, "work done, squared"); c.Gain.P95 > -50 {
		t.Errorf("%s: %+v, must lose most of it", c.Case, c.Gain)
	}
	if c := r.Cases[0]; c.Gain.Mean > 1 || c.Gain.P95 > 5 {
		t.Errorf("%s: %+v, must gain nothing that counts", c.Case, c.Gain)
	}
	if c := of(t, r, "answer alone"); c.Gain.P5 < 100 {
		t.Errorf("%s: %+v, the page says that it pays several times", c.Case, c.Gain)
	}
}

// bound is the most that any but the luckiest gain.
func bound(t *testing.T, c attack.Case, most float64) {
	t.Helper()
	if c.Gain.P95 > most {
		t.Errorf("%s: the gain's 95th percentile is %v, must be at most %v", c.Case, c.Gain.P95, most)
	}
}
