package subnet_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lodenet/lode/subnet"
)

func TestMinersAreWeighedByWhatTheyAreWorth(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator a", true)
		c.add("validator b", true)
		for i, name := range []string{"poor", "fair", "good", "useless"} {
			c.add(name, false)
			startMiner(t, c, n, name, []float64{1, 2, 4, 0}[i])
		}
		dir := t.TempDir()
		a, b := startValidator(t, c, n, "validator a", dir), startValidator(t, c, n, "validator b", dir)
		c.mine(t, 47)
		want := map[uint16]uint16{2: 16_384, 3: 32_768, 4: 65_535}
		for _, name := range []string{"validator a", "validator b"} {
			if got := c.row(name); !sameRow(got, want) {
				t.Errorf("the row of %s is %v, want %v", name, got, want)
			}
		}
		c.read(func(c *fakeChain) {
			for _, v := range c.neurons[:2] {
				if want := []uint64{3, 4, 5}; !slices.Equal(v.reveals, want) {
					t.Errorf("revealed in epochs %v, want %v: each commit in the epoch after its own", v.reveals, want)
				}
			}
		})
		for _, p := range []*process{a, b} {
			s := p.stats()
			if !s.Permit || s.UID == nil || s.Sent != 4 || s.Revealed != 3 || s.Failed != 0 || len(s.Difficulty) != 0 {
				t.Errorf("stats %+v", s)
			}
			if s.Scores[4].Average != 4 || s.Scores[5].Average != 0 || s.Scores[4].Hotkey != address("good") || s.Scores[4].Rounds < 40 {
				t.Errorf("scores %+v", s.Scores)
			}
		}
		c.kept(t)
	})
}

func TestAValidatorMeasuresWhileItWaitsForItsPermit(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 5)
		p := startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 9)
		if s := p.stats(); s.Permit || s.Rounds < 5 || s.Sent != 0 {
			t.Fatalf("before the first epoch: %+v, want rounds, and nothing sent", s)
		}
		c.mine(t, 1) // the epoch, which grants the permit
		if s := p.stats(); !s.Permit {
			t.Fatalf("after the first epoch: %+v, want a permit", s)
		}
		c.mine(t, 1)
		c.read(func(*fakeChain) {
			if want := []int64{111}; !slices.Equal(v.committed, want) {
				t.Errorf("committed in blocks %v, want the one after the epoch, %v", v.committed, want)
			}
		})
		c.kept(t)
	})
}

func TestAValidatorThatGetsItsPermitLateCommitsAtOnce(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", false)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 5)
		p := startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 33)
		if s := p.stats(); s.Sent != 0 || s.Permit {
			t.Fatalf("without a permit: %+v", s)
		}
		c.set(func(*fakeChain) { v.stakes = true })
		c.mine(t, 8) // over the next epoch, at block 140
		c.read(func(*fakeChain) {
			if want := []int64{141}; !slices.Equal(v.committed, want) {
				t.Errorf("committed in blocks %v, want %v", v.committed, want)
			}
		})
		c.kept(t)
	})
}

func TestNothingIsSentBeforeTheSubnetStarts(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		v.Permit = true
		c.add("miner", false)
		c.started = false
		startMiner(t, c, n, "miner", 5)
		p := startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 20)
		if s := p.stats(); s.Sent != 0 || s.Rounds == 0 {
			t.Errorf("before the start: %+v", s)
		}
		c.set(func(c *fakeChain) { c.started, c.nextEpoch = true, c.height+10 })
		c.mine(t, 2)
		if s := p.stats(); s.Sent != 1 {
			t.Errorf("after the start: %+v", s)
		}
		c.kept(t)
	})
}

func TestWeightsAreSetAtOnceWhereCommitRevealIsOff(t *testing.T) {
	bubble(t, subnet.Hyperparameters{}, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		c.add("other", false)
		startMiner(t, c, n, "miner", 3)
		startMiner(t, c, n, "other", 1)
		startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 47)
		if got := c.row("validator"); !sameRow(got, map[uint16]uint16{1: 65_535, 2: 21_845}) {
			t.Errorf("row %v", got)
		}
		c.read(func(*fakeChain) {
			if len(v.committed) != 4 {
				t.Errorf("set in blocks %v, want once an epoch", v.committed)
			}
		})
		c.kept(t)
	})
}

// Whatever tempo, rate limit and reveal period are: no transaction that the chain
// refuses, one commit in each epoch that lets it, each revealed.
func TestTheChainsLimitsAreNeverProvoked(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 24 {
		hp := subnet.Hyperparameters{
			Tempo: 10 + rng.Int64N(21), CommitReveal: rng.IntN(4) > 0,
			RevealPeriod: 1 + rng.Uint64N(4), WeightsVersion: rng.Uint64N(3),
		}
		hp.WeightsRateLimit = 1 + rng.Int64N(hp.Tempo)
		bubble(t, hp, func(t *testing.T, c *fakeChain, n *fakeNet) {
			v := c.add("validator", true)
			c.add("miner", false)
			startMiner(t, c, n, "miner", 1)
			startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) {
				cfg.WeightsVersion, cfg.RoundPause = 2, 5*time.Second
			})
			const epochs = 7
			c.mine(t, epochs*int(hp.Tempo)-1)
			c.kept(t)
			c.read(func(c *fakeChain) {
				if len(v.committed) < epochs-2 {
					t.Errorf("%+v: %d commits in %d epochs", hp, len(v.committed), epochs-1)
				}
				if hp.CommitReveal && len(v.reveals) < epochs-2-int(hp.RevealPeriod) {
					t.Errorf("%+v: %d reveals in %d epochs", hp, len(v.reveals), epochs-1)
				}
			})
		})
	}
}

func TestARestartedValidatorRevealsWhatItCommitted(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 5)
		dir := t.TempDir()
		p := startValidator(t, c, n, "validator", dir)
		c.mine(t, 12)
		if s := p.stats(); s.Sent != 1 || s.Open != 1 {
			t.Fatalf("stats %+v, want an open commit", s)
		}
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
		c.mine(t, 9) // the next epoch begins while it is away
		again := startValidator(t, c, n, "validator", dir)
		if s := again.stats(); s.Scores[1].Average != 5 {
			t.Errorf("after the restart the averages are %+v", s.Scores)
		}
		c.mine(t, 2)
		c.read(func(*fakeChain) {
			if !slices.Equal(v.reveals, []uint64{3}) {
				t.Errorf("revealed in epochs %v, want in 3", v.reveals)
			}
		})
		c.mine(t, 24)
		c.read(func(*fakeChain) {
			if len(v.committed) != 4 {
				t.Errorf("committed in blocks %v, want once an epoch, the restart notwithstanding", v.committed)
			}
		})
		c.kept(t)
	})
}

func TestACommitWhoseAnswerWasLostIsStillRevealed(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 5)
		dir := t.TempDir()
		p := startValidator(t, c, n, "validator", dir)
		c.mine(t, 9)
		c.set(func(c *fakeChain) { c.losesWords = true })
		c.mine(t, 2) // the epoch, and the block of the commit
		if s := p.stats(); s.Sent != 0 || s.Difficulty["send weights"] == "" {
			t.Errorf("stats %+v: it can't know of its commit", s)
		}
		if err := p.end(); err != nil {
			t.Fatal(err)
		}
		c.set(func(c *fakeChain) { c.losesWords = false })
		startValidator(t, c, n, "validator", dir)
		c.mine(t, 13)
		c.read(func(*fakeChain) {
			if len(v.committed) < 1 || !slices.Equal(v.reveals, []uint64{3}) {
				t.Errorf("committed in blocks %v, revealed in epochs %v", v.committed, v.reveals)
			}
			inEpoch2 := 0
			for _, b := range v.committed {
				if b > 110 && b <= 120 {
					inEpoch2++
				}
			}
			if inEpoch2 != 1 {
				t.Errorf("committed in blocks %v, want once in the second epoch", v.committed)
			}
		})
		c.kept(t)
	})
}

func TestARevealPeriodThatChangesDoesNotMoveOldCommits(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 5)
		startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 13)
		c.set(func(c *fakeChain) { c.hp.RevealPeriod = 3 })
		c.mine(t, 50)
		c.read(func(*fakeChain) {
			if len(v.reveals) < 2 || v.reveals[0] != 3 || v.reveals[1] != 6 {
				t.Errorf("revealed in epochs %v, want 3, then 6 for what was committed in 3", v.reveals)
			}
		})
		c.kept(t)
	})
}

func TestAnOutageEndsNothing(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		m := startMiner(t, c, n, "miner", 5)
		p := startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 12)
		c.set(func(c *fakeChain) { c.down = true })
		c.mine(t, 40) // four epochs
		if got := len(p.stats().Difficulty) + len(m.stats().Difficulty); got != 0 {
			t.Errorf("no blocks, no calls, no difficulties; there are %d", got)
		}
		c.set(func(c *fakeChain) { c.down = false })
		c.mine(t, 25)
		if s := p.stats(); len(s.Difficulty) != 0 || s.Height < 170 || !s.Permit {
			t.Errorf("after the outage %+v", s)
		}
		c.read(func(*fakeChain) {
			last := v.committed[len(v.committed)-1]
			if last < 160 || len(v.reveals) == 0 || v.reveals[len(v.reveals)-1] < 8 {
				t.Errorf("committed in blocks %v, revealed in epochs %v: want both again", v.committed, v.reveals)
			}
		})
		c.kept(t)
	})
}

// A node that still sends blocks and answers no query.
func TestAnOutageOfQueriesIsToldOnceAndHealsByItself(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 5)
		flaky := &flakyChain{}
		p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) {
			flaky.Chain = cfg.Chain
			cfg.Chain = flaky
		})
		c.mine(t, 12)
		flaky.down.Store(true)
		c.mine(t, 20)
		if s := p.stats(); len(s.Difficulty) == 0 {
			t.Errorf("during the outage no difficulty: %+v", s)
		}
		if n := p.log.count("level=WARN"); n == 0 || n > 3 {
			t.Errorf("warned %d times:\n%s", n, p.log)
		}
		rounds := p.stats().Rounds
		flaky.down.Store(false)
		c.mine(t, 40)
		if s := p.stats(); len(s.Difficulty) != 0 || s.Rounds <= rounds {
			t.Errorf("after the outage %+v", s)
		}
		if n := p.log.count("works again"); n == 0 || n > 3 {
			t.Errorf("said %d times that it works again:\n%s", n, p.log)
		}
		c.kept(t)
	})
}

// flakyChain has queries that fail.
type flakyChain struct {
	subnet.Chain
	down atomic.Bool
}

func (f *flakyChain) Metagraph(ctx context.Context, n uint16) (*subnet.Metagraph, error) {
	if f.down.Load() {
		return nil, errDown
	}
	return f.Chain.Metagraph(ctx, n)
}

func (f *flakyChain) Commits(ctx context.Context, n uint16) (subnet.Commits, error) {
	if f.down.Load() {
		return subnet.Commits{}, errDown
	}
	return f.Chain.Commits(ctx, n)
}

func TestAFailedTransactionIsNotRepeatedEveryBlock(t *testing.T) {
	bubble(t, subnet.Hyperparameters{Tempo: 80, CommitReveal: true}, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 5)
		p := startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 79)
		c.set(func(c *fakeChain) { c.refusesAll = true })
		c.mine(t, 80)
		c.set(func(c *fakeChain) {
			if len(c.refused) < 3 || len(c.refused) > 14 {
				t.Errorf("tried %d times in an epoch of 80 blocks", len(c.refused))
			}
			c.refused, c.refusesAll = nil, false
		})
		if s := p.stats(); s.Difficulty["send weights"] == "" || s.Sent != 0 {
			t.Errorf("stats %+v", s)
		}
		c.mine(t, 12)
		if s := p.stats(); s.Sent != 1 || len(s.Difficulty) != 0 {
			t.Errorf("stats %+v", s)
		}
		c.kept(t)
	})
}

func TestARoundThatFailsDoesNotCount(t *testing.T) {
	for name, bad := range map[string]func(*subnet.Network) (subnet.Scores, error){
		"an error":               func(*subnet.Network) (subnet.Scores, error) { return subnet.Scores{1: 9}, errors.New("no clips") },
		"a panic":                func(*subnet.Network) (subnet.Scores, error) { panic("oh") },
		"a nil map's panic":      func(*subnet.Network) (subnet.Scores, error) { return write(nil), nil },
		"not a number":           func(*subnet.Network) (subnet.Scores, error) { return subnet.Scores{1: math.NaN()}, nil },
		"infinity":               func(*subnet.Network) (subnet.Scores, error) { return subnet.Scores{1: math.Inf(1)}, nil },
		"less than nothing":      func(*subnet.Network) (subnet.Scores, error) { return subnet.Scores{1: -0.1}, nil },
		"a score for nobody":     func(*subnet.Network) (subnet.Scores, error) { return subnet.Scores{1: 1, 9: 1}, nil },
		"a round without an end": nil,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
				c.add("validator", true)
				c.add("miner", false)
				startMiner(t, c, n, "miner", 5)
				var spoilt atomic.Bool
				p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) {
					cfg.RoundTimeout = 3 * time.Second
					cfg.Validator = subnet.ValidatorFunc(func(ctx context.Context, net *subnet.Network) (subnet.Scores, error) {
						if !spoilt.Load() {
							return numbers(ctx, net)
						}
						if bad == nil {
							<-ctx.Done()
							return nil, ctx.Err()
						}
						return bad(net)
					})
				})
				c.mine(t, 5)
				spoilt.Store(true)
				before := p.stats()
				c.mine(t, 10)
				s := p.stats()
				if s.Failed < 2 || s.Rounds > before.Rounds+1 || s.Scores[1].Average != 5 || s.Difficulty["measure a round"] == "" {
					t.Errorf("stats %+v: want failed rounds, and the average as it was", s)
				}
				spoilt.Store(false)
				c.mine(t, 10)
				if s := p.stats(); s.Rounds <= before.Rounds+1 || len(s.Difficulty) != 0 {
					t.Errorf("stats %+v: want rounds that count again", s)
				}
				c.kept(t)
			})
		})
	}
}

func write(s subnet.Scores) subnet.Scores {
	s[1] = 1
	return s
}

func TestAUidThatChangesHandsStartsAnew(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("old", false)
		c.add("other", false)
		old := startMiner(t, c, n, "old", 8)
		startMiner(t, c, n, "other", 2)
		p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) { cfg.Smoothing = 0.1 })
		c.mine(t, 14)
		if s := p.stats(); s.Scores[1].Average != 8 || p.host.knows("old") == nil {
			t.Fatalf("stats %+v", s)
		}
		if err := old.end(); err != nil {
			t.Fatal(err)
		}
		c.replace(1, "new", false)
		startMiner(t, c, n, "new", 1)
		c.mine(t, 4)
		if s := p.stats(); s.Scores[1].Hotkey != address("new") || s.Scores[1].Average != 1 {
			t.Errorf("uid 1 has %+v, want the newcomer's 1 and nothing of its predecessor's", s.Scores[1])
		}
		if p.host.knows("old") != nil || p.host.knows("new") == nil {
			t.Error("the address book still has the old one, or not the new one")
		}
		c.mine(t, 30)
		if got := c.row("validator"); !sameRow(got, map[uint16]uint16{1: 32_768, 2: 65_535}) {
			t.Errorf("row %v", got)
		}
		c.kept(t)
	})
}

func TestAUidThatChangesHandsDuringARoundGetsNoScoreOfIt(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("old", false)
		startMiner(t, c, n, "old", 8)
		release := make(chan struct{})
		p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) {
			cfg.Validator = subnet.ValidatorFunc(func(ctx context.Context, net *subnet.Network) (subnet.Scores, error) {
				scores, err := numbers(ctx, net)
				select {
				case <-release:
				case <-ctx.Done():
				}
				return scores, err
			})
		})
		c.mine(t, 3)
		c.replace(1, "new", false)
		c.mine(t, 2)
		close(release)
		synctest.Wait()
		if s := p.stats(); s.Rounds != 1 || len(s.Scores) != 0 {
			t.Errorf("after the round uid 1 has %+v: it was measured before it was there", s.Scores)
		}
	})
}

func TestAMinerThatStopsServingFades(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("gone", false)
		c.add("stays", false)
		gone := startMiner(t, c, n, "gone", 8)
		startMiner(t, c, n, "stays", 2)
		p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) { cfg.Smoothing = 0.5 })
		c.mine(t, 5)
		if err := gone.end(); err != nil {
			t.Fatal(err)
		}
		c.set(func(c *fakeChain) { c.neurons[1].Endpoints = nil })
		c.mine(t, 12)
		if s := p.stats(); s.Scores[1].Average > 0.1 || s.Scores[1].Average == 0 || s.Scores[2].Average != 2 {
			t.Errorf("scores %+v", s.Scores)
		}
	})
}

func TestAScoreThatIsMissingKeepsTheAverage(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 8)
		var skip atomic.Bool
		p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) {
			cfg.Validator = subnet.ValidatorFunc(func(ctx context.Context, net *subnet.Network) (subnet.Scores, error) {
				if skip.Load() {
					return nil, nil
				}
				return numbers(ctx, net)
			})
		})
		c.mine(t, 5)
		skip.Store(true)
		c.mine(t, 5)
		if s := p.stats(); s.Scores[1].Average != 8 || s.Rounds < 8 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestTheFirstScoreIsTheAverageAndLaterOnesMoveIt(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 0)
		round := 0
		p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) {
			cfg.Smoothing = 0 // the default
			cfg.Validator = subnet.ValidatorFunc(func(context.Context, *subnet.Network) (subnet.Scores, error) {
				round++
				return subnet.Scores{1: []float64{10, 20}[min(round-1, 1)]}, nil
			})
		})
		for round < 2 {
			c.mine(t, 1)
		}
		if s := p.stats(); math.Abs(s.Scores[1].Average-13) > 1e-12 || s.Scores[1].Last != 20 || s.Scores[1].Rounds != 2 {
			t.Errorf("scores %+v, want an average of 0.7·10 + 0.3·20", s.Scores)
		}
	})
}

func TestAValidatorThatIsTooOldSendsNothingAndSaysSo(t *testing.T) {
	hp := withReveal
	hp.WeightsVersion = 2
	bubble(t, hp, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 8)
		p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) { cfg.WeightsVersion = 1 })
		c.mine(t, 30)
		if s := p.stats(); s.Sent != 0 || !strings.Contains(s.Difficulty["send weights"], "this one is 1, the subnet's is 2") {
			t.Errorf("stats %+v", s)
		}
		c.set(func(c *fakeChain) { c.hp.WeightsVersion = 1 })
		c.mine(t, 12)
		if s := p.stats(); s.Sent == 0 || len(s.Difficulty) != 0 {
			t.Errorf("stats %+v", s)
		}
		c.kept(t)
	})
}

func TestASubnetsLimitsOnARowAreKept(t *testing.T) {
	hp := withReveal
	hp.MaxWeightLimit, hp.MinAllowedWeights = 26_214, 4 // 40 %
	bubble(t, hp, func(t *testing.T, c *fakeChain, n *fakeNet) {
		c.add("validator", true)
		for i, name := range []string{"a", "b", "c", "d", "e"} {
			c.add(name, false)
			if i < 3 {
				startMiner(t, c, n, name, []float64{1000, 10, 1}[i])
			}
		}
		p := startValidator(t, c, n, "validator", t.TempDir())
		c.mine(t, 35)
		row := c.row("validator")
		if len(row) != 4 || row[1] != row[2] || row[3] == 0 || row[4] != 1 {
			t.Errorf("row %v: want the first two at the limit, the third's rest, a fourth to fill up", row)
		}
		c.kept(t)

		c.set(func(c *fakeChain) { c.hp.MaxWeightLimit = 10_000 }) // 15 %: seven miners at least
		c.mine(t, 25)
		if s := p.stats(); !strings.Contains(s.Difficulty["send weights"], "max_weight_limit 10000") {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestAValidatorServesAGateway(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 1)
		p := startValidator(t, c, n, "validator", t.TempDir(), func(cfg *subnet.ValidatorConfig) {
			cfg.Limits.Open = true
			cfg.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "gateway at ", r.URL.Path) })
		})
		c.mine(t, 3)
		c.read(func(*fakeChain) {
			if v.Protocol != "numbers/validator" || !slices.Equal(v.Endpoints, p.host.Endpoints()) {
				t.Errorf("published %+v", v.Neuron)
			}
		})
		customer := n.host("customer")
		if err := customer.AddPeer(p.host.hotkey, "x"); err != nil {
			t.Fatal(err)
		}
		if status, text := get(t, customer, "http://"+p.host.hotkey+"/subnet/1/compress"); status != 200 || text != "gateway at /compress" {
			t.Errorf("status %d, %s", status, text)
		}
		if err := p.end(); err != nil || p.host.mounted() != 0 {
			t.Errorf("ended with %v, %d handlers left", err, p.host.mounted())
		}
	})
}

func TestAStateThatCannotBeWrittenStopsCommitsAlone(t *testing.T) {
	bubble(t, withReveal, func(t *testing.T, c *fakeChain, n *fakeNet) {
		v := c.add("validator", true)
		c.add("miner", false)
		startMiner(t, c, n, "miner", 8)
		dir := filepath.Join(t.TempDir(), "later")
		p := startValidator(t, c, n, "validator", dir)
		c.mine(t, 15)
		c.read(func(*fakeChain) {
			if len(v.committed) != 0 {
				t.Error("committed to what it could not write down")
			}
		})
		if s := p.stats(); s.Rounds == 0 || s.Difficulty["write the state file"] == "" || !strings.Contains(s.Difficulty["send weights"], "state file") {
			t.Errorf("stats %+v", s)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		c.mine(t, 8)
		c.read(func(*fakeChain) {
			if len(v.committed) == 0 {
				t.Error("no commit once the state can be written")
			}
		})
		c.kept(t)
	})
}
