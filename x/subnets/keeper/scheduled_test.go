package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/x/subnets/types"
)

// value is what a hyperparameter of subnet 1 is now.
func (e *env) value(name string) uint64 {
	e.t.Helper()
	v, err := e.subnet(1).Hyperparameters.Get(name)
	require.NoError(e.t, err)
	return v
}

func TestSection3ARaiseOfWhatCollateralIsAskedTakesEffectAfterTheUnbonding(t *testing.T) {
	for _, c := range []struct{ name, signer string }{
		{"min_collateral", addr("ann's coldkey").String()},
		{"collateral_unbond", addr("ann's coldkey").String()},
		{"max_slash", addr("ann's coldkey").String()},
		{"min_collateral", governance}, // what it raises comes no more suddenly
	} {
		t.Run(c.name+" by "+c.signer, func(t *testing.T) {
			e := newEnv(t, local()) // unbonds in 60 blocks of a second
			e.started("ann")
			e.pass(4) // block 5, second 1,000,004
			old := e.value(c.name)
			require.NoError(t, e.setAs(c.signer, 1, c.name, old+5))
			event := lastEvent(t, e.ctx, "lode.subnets.v1.EventHyperparameterScheduled")
			for _, part := range []string{c.name, fmt.Sprintf(`value="%d"`, old+5), `due_height="65"`, `due_time="1000064"`} {
				require.Contains(t, event, part)
			}
			in := e.info(1, c.name)
			require.Equal(t, old, in.Value)
			require.Equal(t, &types.ScheduledHyperparameter{SubnetId: firstID, Name: c.name, Value: old + 5, DueHeight: 65, DueTime: 1_000_064}, in.Scheduled)
			require.EqualValues(t, 5, in.SetHeight)
			e.pass(59)
			require.Equal(t, old, e.value(c.name), "block 64")
			e.holds()
			e.pass(1)
			require.Equal(t, old+5, e.value(c.name), "block 65")
			require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventHyperparameterSet"), fmt.Sprintf(`value="%d"`, old+5))
			require.Nil(t, e.info(1, c.name).Scheduled)
			e.holds()
		})
	}
}

func TestSection2ARaiseMustWaitInBlocksAndInTime(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	require.NoError(t, e.set("ann", 1, "min_collateral", 7)) // block 1, second 1,000,000
	at := func(height, second int64) uint64 {
		ctx, _ := e.ctx.WithBlockHeight(height).WithBlockTime(time.Unix(second, 0)).CacheContext()
		require.NoError(t, e.k.BeginBlocker(ctx))
		s, err := e.k.SubnetByNetuid(ctx, 1)
		require.NoError(t, err)
		return s.Hyperparameters.MinCollateral
	}
	require.Zero(t, at(60, 2_000_000), "the time has passed, the blocks have not")
	require.Zero(t, at(10_000, 1_000_059), "the blocks have passed, the time has not")
	require.EqualValues(t, 7, at(61, 1_000_060))
}

func TestSection3LoweringWhatCollateralIsAskedIsAtOnceAndDropsWhatWaits(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	require.NoError(t, e.set("ann", 1, "max_slash", 150_000))
	e.pass(20)
	require.NoError(t, e.set("ann", 1, "max_slash", 50_000))
	require.EqualValues(t, 50_000, e.value("max_slash"))
	require.Nil(t, e.info(1, "max_slash").Scheduled)
	e.pass(100)
	require.EqualValues(t, 50_000, e.value("max_slash"), "what waited never comes")

	require.NoError(t, e.setAs(governance, 1, "max_slash", 60_000))
	require.NoError(t, e.setAs(governance, 1, "max_slash", 50_000), "the present value again cancels too")
	require.Nil(t, e.info(1, "max_slash").Scheduled)
	e.holds()
}

func TestSection3ANewRaiseTakesThePlaceOfTheOneThatWaitsAndWaitsAnew(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	require.NoError(t, e.set("ann", 1, "min_collateral", 7))
	e.pass(40) // block 41
	require.NoError(t, e.set("ann", 1, "min_collateral", 5), "lower than what waits, but a raise")
	require.EqualValues(t, 101, e.info(1, "min_collateral").Scheduled.DueHeight)
	e.pass(59)
	require.Zero(t, e.value("min_collateral"))
	e.pass(1)
	require.EqualValues(t, 5, e.value("min_collateral"))
	e.holds()
}

func TestSection3ARaiseWaitsForTheUnbondingThatIsInForce(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	require.NoError(t, e.set("ann", 1, "collateral_unbond", 90))
	require.NoError(t, e.set("ann", 1, "min_collateral", 7))
	require.EqualValues(t, 61, e.info(1, "min_collateral").Scheduled.DueHeight, "90 is not in force yet")
	e.pass(60)
	require.EqualValues(t, []uint64{90, 7}, []uint64{e.value("collateral_unbond"), e.value("min_collateral")})
	require.NoError(t, e.set("ann", 1, "min_collateral", 8))
	require.EqualValues(t, 61+90, e.info(1, "min_collateral").Scheduled.DueHeight)
	require.NoError(t, e.set("ann", 1, "collateral_unbond", 30))
	require.EqualValues(t, 30, e.value("collateral_unbond"), "lowered at once")
	require.EqualValues(t, 61+90, e.info(1, "min_collateral").Scheduled.DueHeight, "which hurries nothing that waits")
}

func TestSection3ARaiseIsLimitedInRateAndBoundsLikeAnyChange(t *testing.T) {
	e := newEnv(t, local())
	e.started("ann")
	require.ErrorIs(t, e.set("ann", 1, "max_slash", 200_001), types.ErrInvalidHyperparameter)
	require.ErrorIs(t, e.set("ann", 1, "collateral_unbond", 29), types.ErrInvalidHyperparameter)
	require.NoError(t, e.set("ann", 1, "max_slash", 200_000))
	require.ErrorIs(t, e.set("ann", 1, "max_slash", 1), types.ErrTooSoon)
	e.net.due[firstID] = 23
	e.pass(20) // block 21
	require.NoError(t, e.set("ann", 1, "max_slash", 1))
	e.pass(1)
	require.ErrorIs(t, e.set("ann", 1, "collateral_unbond", 61), types.ErrFrozen)
}
