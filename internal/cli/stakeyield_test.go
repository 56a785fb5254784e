package cli

import (
	"math"
	"testing"
	"time"

	sdkmath "cosmossdk.io/math"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// stake is a stake on "hot" of so much alpha, for so many shares.
func stake(alpha uint64, shares int64) alphatypes.StakeInfo {
	return alphatypes.StakeInfo{Netuid: 1, Hotkey: "hot", Alpha: alpha, Shares: sdkmath.NewInt(shares)}
}

func TestAStakesYieldIsTheGrowthOfItsSharesInTheLastEpoch(t *testing.T) {
	const unknown = math.MaxUint64
	day := 24 * time.Hour
	for _, c := range []struct {
		name        string
		before, now alphatypes.StakeInfo
		took        time.Duration
		alpha       uint64
		yield       float64 // below 0: not known
	}{
		{"one percent in a day is 365 in a year", stake(1_000_000, 1_000_000), stake(1_010_000, 1_000_000), day, 10_000, 3.65},
		{"what was staked since earned nothing", stake(1_000_000, 1_000_000), stake(2_020_000, 2_000_000), day, 20_000, 3.65},
		{"what was unstaked since takes nothing away", stake(1_000_000, 1_000_000), stake(505_000, 500_000), day, 5_000, 3.65},
		{"an epoch without dividends yields nothing", stake(1_000_000, 1_000_000), stake(1_000_000, 1_000_000), day, 0, 0},
		{"a short epoch counts as often as it fits into a year", stake(1_000_000_000, 1), stake(1_000_000_100, 1), 10 * time.Second, 100, 1e-7 * 3_153_600},
		{"without times the year is unknown", stake(1_000_000, 1_000_000), stake(1_010_000, 1_000_000), 0, 10_000, -1},
		{"shares minted anew tell nothing", stake(1_500_000, 1_000_000), stake(1_000_000, 1_000_000), day, unknown, -1},
		{"a stake of nothing earned nothing that is known", stake(0, 1), stake(5, 1), day, unknown, -1},
		{"no shares before", stake(7, 0), stake(5, 1), day, unknown, -1},
		{"no shares now", stake(7, 7), stake(5, 0), day, unknown, -1},
		{"the largest numbers there can be", stake(math.MaxUint64-1, math.MaxInt64), stake(math.MaxUint64, math.MaxInt64), day, 1, 365 / float64(math.MaxUint64)},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &stakeEpoch{before: map[string]alphatypes.StakeInfo{"hot": c.before}, took: c.took}
			alpha, yield := e.earned(c.now)
			switch {
			case c.alpha == unknown && alpha != nil, c.alpha != unknown && (alpha == nil || *alpha != c.alpha):
				t.Errorf("earned %v, want %d", alpha, c.alpha)
			case c.yield < 0 && yield != nil, c.yield >= 0 && (yield == nil || math.Abs(*yield-c.yield) > 1e-9*(1+c.yield)):
				t.Errorf("yields %v, want %v", yield, c.yield)
			}
		})
	}
}

func TestAStakeThatWasNotThereForAnEpochHasNoYield(t *testing.T) {
	for name, e := range map[string]*stakeEpoch{
		"no epoch yet":  nil,
		"staked since":  {before: map[string]alphatypes.StakeInfo{}, took: time.Hour},
		"other hotkeys": {before: map[string]alphatypes.StakeInfo{"other": stake(1, 1)}, took: time.Hour},
	} {
		if alpha, yield := e.earned(stake(5, 5)); alpha != nil || yield != nil {
			t.Errorf("%s: earned %v, yields %v", name, alpha, yield)
		}
	}
}
