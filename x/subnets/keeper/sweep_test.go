package keeper_test

import (
	"fmt"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lodenet/lode/x/subnets/types"
)

// records are how many keys of removed subnets are left in all modules.
func (e *env) records() (n int) {
	e.t.Helper()
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(e.t, err)
	removed := map[uint64]bool{}
	for _, r := range g.Removals {
		removed[r.SubnetId] = true
		n += e.hooks.left[r.SubnetId] + e.alpha.left[r.SubnetId]
	}
	for _, x := range g.Neurons {
		if removed[x.SubnetId] {
			n += 2 // and its hotkey
		}
	}
	for _, x := range g.HyperparameterSets {
		if removed[x.SubnetId] {
			n++
		}
	}
	for _, x := range g.Published {
		if removed[x.SubnetId] {
			n++
		}
	}
	for _, x := range g.PublishUses {
		if removed[x.SubnetId] {
			n++
		}
	}
	return n
}

// sweepEnv has room for one subnet and no immunity: every creation removes.
func sweepEnv(t testing.TB, keys uint32) *env {
	p := local()
	p.MaxSubnets, p.NetworkImmunity, p.SweepKeysPerBlock = 1, 0, keys
	return newEnv(t, p)
}

// endBlock ends a block and returns its events.
func (e *env) endBlock() sdk.Events {
	e.t.Helper()
	e.ctx = e.ctx.WithEventManager(sdk.NewEventManager())
	require.NoError(e.t, e.k.EndBlocker(e.ctx))
	e.holds()
	return e.ctx.EventManager().Events()
}

func TestSection3ASweepDeletesAFewRecordsABlockAndTellsItsEnd(t *testing.T) {
	e := sweepEnv(t, 10)
	s := e.started("ann")
	e.fill(1, 12)
	require.NoError(t, e.publish("ann", 1, "data"))
	require.NoError(t, e.set("ann", 1, "bonds_penalty", 7))
	e.hooks.left[s.Id], e.alpha.left[s.Id], e.alpha.unpaid[s.Id] = 8, 9, 2
	require.Empty(t, e.endBlock(), "while nothing is removed nothing is deleted")
	require.EqualValues(t, 12, e.subnet(1).Neurons)
	e.create("bob")
	left := e.records()
	require.Equal(t, 2*12+1+1+1+8+9, left)
	for left > 0 {
		events := e.endBlock()
		now := e.records()
		require.LessOrEqual(t, left-now, 10)
		require.Less(t, now, left)
		left = now
		if left > 0 {
			require.Empty(t, events)
		}
	}
	for range 3 { // blocks until holders are paid, and one to see that nothing is left
		if len(e.endBlock()) > 0 {
			break
		}
	}
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Removals)
	require.Len(t, g.Neurons, 1)
	require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventSubnetSwept"), fmt.Sprintf(`"%d"`, s.Id))
	require.Empty(t, e.endBlock())
}

func TestSection3TheSweepNeverExceedsItsLimitAndFinishes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.Uint32Range(10, 60).Draw(rt, "sweep_keys_per_block")
		e := sweepEnv(t, limit)
		removals := rapid.IntRange(1, 4).Draw(rt, "removals")
		for i := range removals {
			owner := fmt.Sprint("owner ", i)
			s := e.started(owner)
			e.fill(1, rapid.IntRange(1, 30).Draw(rt, "neurons"))
			for j := range rapid.IntRange(0, int(s.Neurons)-1).Draw(rt, "publish") {
				require.NoError(rt, e.publish(fmt.Sprint("miner ", j+1), 1, "x"))
			}
			if rapid.Bool().Draw(rt, "set") {
				require.NoError(rt, e.set(owner, 1, "max_slash", 200_000))
			}
			e.hooks.left[s.Id] = rapid.IntRange(0, 100).Draw(rt, "rows")
			e.alpha.left[s.Id] = rapid.IntRange(0, 100).Draw(rt, "stakes")
			e.alpha.unpaid[s.Id] = rapid.IntRange(0, 20).Draw(rt, "blocks until paid")
			for range rapid.IntRange(0, 2).Draw(rt, "blocks") {
				e.endBlock()
			}
		}
		e.create("last")
		for blocks := 0; ; blocks++ {
			g, err := e.k.ExportGenesis(e.ctx)
			require.NoError(rt, err)
			require.NoError(rt, g.Validate(), "in the middle of a sweep too")
			if len(g.Removals) == 0 {
				break
			}
			require.Less(rt, blocks, 200, "it ends")
			left := e.records()
			e.endBlock()
			require.LessOrEqual(rt, left-e.records(), int(limit))
		}
		require.Zero(rt, e.records())
		require.Zero(rt, len(e.hooks.left)-removals)
	})
}

func TestSection3AnExportInTheMiddleOfASweepGoesOnWhereItWas(t *testing.T) {
	e := sweepEnv(t, 10)
	s := e.started("ann")
	e.fill(1, 12)
	for i := 1; i < 12; i++ {
		require.NoError(t, e.seal(fmt.Sprint("miner ", i), 1, "x"))
	}
	require.NoError(t, e.set("ann", 1, "bonds_penalty", 7))
	e.create("bob")
	for blocks := 0; ; blocks++ {
		g, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		require.NoError(t, g.Validate())
		if len(g.Removals) == 0 {
			require.Equal(t, 6, blocks, "24 keys of neurons, 11 of data, 11 of counts, 1 of a setting: 47, and a block with room for x/alpha's")
			break
		}
		// Another chain goes on from the export in step with the first.
		other := sweepEnv(t, 10)
		other.alpha.coldkeys, other.alpha.retired = e.alpha.coldkeys, e.alpha.retired
		require.NoError(t, other.k.InitGenesis(other.ctx, *g))
		again, err := other.k.ExportGenesis(other.ctx)
		require.NoError(t, err)
		require.Equal(t, g, again)
		e.endBlock()
		other.endBlock()
		one, err := e.k.ExportGenesis(e.ctx)
		require.NoError(t, err)
		two, err := other.k.ExportGenesis(other.ctx)
		require.NoError(t, err)
		require.Equal(t, one, two)
		require.Contains(t, e.alpha.retired, s.Id)
	}
}

func TestSection3OneWhoseHoldersArePaidLateKeepsNobodyWaiting(t *testing.T) {
	e := sweepEnv(t, 1_000)
	first := e.started("ann")
	e.alpha.unpaid[first.Id] = 1_000
	second := e.started("bob")
	e.create("cid")
	events := e.endBlock()
	require.Len(t, events, 1)
	require.Contains(t, lastEvent(t, e.ctx, "lode.subnets.v1.EventSubnetSwept"), fmt.Sprintf(`"%d"`, second.Id))
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Equal(t, []types.Removal{{SubnetId: first.Id, Netuid: 1, Height: 1}}, g.Removals)
}

func TestSection7RecordsThatCannotBeDeletedStopNeitherTheChainNorTheOthers(t *testing.T) {
	e := sweepEnv(t, 1_000)
	first := e.started("ann")
	e.hooks.broken = first.Id
	second := e.started("bob")
	e.create("cid")
	e.endBlock()
	g, err := e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Len(t, g.Removals, 1)
	require.Equal(t, first.Id, g.Removals[0].SubnetId)
	require.Len(t, g.Neurons, 2, "nothing of the failed one is half deleted")
	require.NotEqual(t, second.Id, g.Neurons[0].SubnetId)
	e.hooks.broken = 0
	e.endBlock()
	g, err = e.k.ExportGenesis(e.ctx)
	require.NoError(t, err)
	require.Empty(t, g.Removals)
}
