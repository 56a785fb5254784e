package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/stretchr/testify/require"

	"cosmossdk.io/log/v2"

	sdk "github.com/cosmos/cosmos-sdk/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/test/upgrade/roster"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func TestUpgrades(t *testing.T) {
	v1, v2 := app.NextRelease{}, next(nil)
	old := halted(t, false)
	reason := old.halt()
	upgraded := old.copied(t)
	upgraded.start(v2, optionsIn(upgraded.home))
	require.NoError(t, upgraded.CheckRelease())
	upgraded.block()
	first := upgraded.lastHash
	upgraded.blocks(15)

	t.Run("this release stops at the height, says what it needs and writes it down", func(t *testing.T) {
		require.ErrorIs(t, reason, app.ErrUpgradeNeeded)
		require.ErrorContains(t, reason, fmt.Sprintf("UPGRADE %q NEEDED at height: %d: lists neurons. Start the release", nextName, old.height+1))
		raw, err := os.ReadFile(old.infoFile())
		require.NoError(t, err)
		require.JSONEq(t, fmt.Sprintf(`{"name":%q,"height":%d,"info":"lists neurons","time":"0001-01-01T00:00:00Z"}`, nextName, old.height+1), string(raw))

		again := old.copied(t)
		require.NoError(t, os.Remove(again.infoFile()))
		again.start(v1, optionsIn(again.home))
		require.ErrorIs(t, again.CheckRelease(), app.ErrUpgradeNeeded)
		require.FileExists(t, again.infoFile(), "a release that refuses to start has said for whom")
	})

	t.Run("the next release migrates the state and goes on", func(t *testing.T) {
		n := upgraded
		require.Equal(t, old.height+16, n.height)
		done, err := n.Upgrade.GetDoneHeight(n.query(), nextName)
		require.NoError(t, err)
		require.Equal(t, old.height+1, done)
		versions, err := n.Upgrade.GetModuleVersionMap(n.query())
		require.NoError(t, err)
		require.EqualValues(t, 2, versions[subnetstypes.ModuleName])
		require.EqualValues(t, 1, versions[roster.Name])
		require.NoError(t, n.CheckRelease())
		require.Greater(t, n.epochs(), old.epochs())

		after := n.state(v2)
		var list []roster.Entry
		require.NoError(t, json.Unmarshal(after[roster.Name], &list))
		require.Equal(t, old.neurons(), list)
		require.Len(t, list, len(cast))
	})

	t.Run("all else is as it would have been without the upgrade", func(t *testing.T) {
		without, with := old.copied(t), old.copied(t)
		without.start(v1, optionsIn(without.home, int(old.height+1)))
		without.block()
		with.start(v2, optionsIn(with.home))
		with.block()
		require.NotEqual(t, with.lastHash, without.lastHash, "who skips alone has a state of his own")
		before, after := without.state(v1), with.state(v2)
		require.Contains(t, after, roster.Name)
		delete(after, roster.Name)
		require.Equal(t, slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
		for name, state := range before {
			require.JSONEq(t, string(state), string(after[name]), name)
		}
	})

	t.Run("a replica that replays the blocks has the same state", func(t *testing.T) {
		n := halted(t, true)
		require.Equal(t, old.lastHash, n.lastHash)
		require.ErrorIs(t, n.halt(), app.ErrUpgradeNeeded)
		n.start(v2, optionsIn(n.home))
		n.block()
		require.Equal(t, first, n.lastHash)
		n.blocks(15)
		require.Equal(t, upgraded.lastHash, n.lastHash)
	})

	t.Run("an export after the upgrade imports to the same state", func(t *testing.T) {
		n := upgraded
		exported, err := v2.Export(log.NewNopLogger(), n.db, optionsIn(n.home), genesis(t), 0)
		require.NoError(t, err)
		again, err := v2.Export(log.NewNopLogger(), dbm.NewMemDB(), options, exported, 0)
		require.NoError(t, err)
		require.Equal(t, indented(t, exported), indented(t, again))
	})

	t.Run("a release that is too new refuses", func(t *testing.T) {
		n := old.copied(t)
		require.NoError(t, os.Remove(n.infoFile()))
		err := n.refusal(v2)
		require.ErrorIs(t, err, app.ErrTooNew)
		require.ErrorContains(t, err, fmt.Sprintf(`its upgrade %q adds the store "roster", which the chain has not got at block %d`, nextName, n.height))

		// One whose upgrade adds no store is found out by the plan.
		n = newNode(t)
		settle(n.chain)
		n.schedule(nextPlan(n.height + 12))
		bare := app.NextRelease{Upgrades: []app.Upgrade{{Name: nextName}}}
		err = n.refusal(bare)
		require.ErrorIs(t, err, app.ErrTooNew)
		require.ErrorContains(t, err, "Run the release before this one")
		require.ErrorIs(t, n.CheckRelease(), app.ErrTooNew)
	})

	t.Run("a release that is too old refuses", func(t *testing.T) {
		n := upgraded.copied(t)
		err := n.refusal(v1)
		require.ErrorIs(t, err, app.ErrUpgradeNeeded)
		require.ErrorContains(t, err, fmt.Sprintf("it has done upgrade %q in block %d", nextName, old.height+1))
		require.ErrorIs(t, n.CheckRelease(), app.ErrUpgradeNeeded)
		require.ErrorIs(t, n.CheckDone(), app.ErrUpgradeNeeded)
		n = old.copied(t)
		n.start(v1, optionsIn(n.home))
		require.NoError(t, n.CheckDone(), "at the height it may still be exported, pruned and rolled back")
	})

	for name, fault := range map[string]func(sdk.Context, *app.App) error{
		"an upgrade that fails leaves nothing":  func(sdk.Context, *app.App) error { return errors.New("no room on the list") },
		"an upgrade that panics leaves nothing": func(sdk.Context, *app.App) error { panic("no room on the list") },
	} {
		t.Run(name, func(t *testing.T) {
			n := old.copied(t)
			for range 2 { // nor does a second try
				err := n.refusal(next(fault))
				require.ErrorContains(t, err, fmt.Sprintf("upgrade %q failed", nextName))
				require.ErrorContains(t, err, "no room on the list")
				require.NotErrorIs(t, err, app.ErrUpgradeNeeded)
				require.Equal(t, old.height, n.LastBlockHeight())
			}
			n.start(v2, optionsIn(n.home))
			n.block()
			require.Equal(t, first, n.lastHash, "the mended release does what the right one would have done")
		})
	}

	t.Run("an upgrade can be skipped by this release", func(t *testing.T) {
		n := old.copied(t)
		n.start(v1, optionsIn(n.home, int(n.height+1)))
		require.NoError(t, n.CheckRelease())
		n.blocks(3)
		_, err := n.Upgrade.GetUpgradePlan(n.query())
		require.ErrorIs(t, err, upgradetypes.ErrNoUpgradePlanFound)
		n.start(v1, optionsIn(n.home)) // nor is it missed later
		n.block()
	})

	t.Run("an upgrade can be skipped by a release that has it", func(t *testing.T) {
		n := old.copied(t)
		has := app.NextRelease{Upgrades: []app.Upgrade{{Name: nextPlan(n.height + 1).Name}}}
		n.start(has, optionsIn(n.home, int(n.height+1)))
		require.NoError(t, n.CheckRelease(), "x/upgrade drops the plan in this block, and goes on")
		n.blocks(2)
		_, err := n.Upgrade.GetUpgradePlan(n.query())
		require.ErrorIs(t, err, upgradetypes.ErrNoUpgradePlanFound)
	})

	t.Run("governance can take an upgrade back", func(t *testing.T) {
		n := newNode(t)
		settle(n.chain)
		n.schedule(nextPlan(n.height + 12))
		plan, err := n.Upgrade.GetUpgradePlan(n.query())
		require.NoError(t, err)
		n.decideOn(2, &upgradetypes.MsgCancelUpgrade{Authority: authority})
		n.blocks(int(plan.Height-n.height) + 2)
		require.NoFileExists(t, n.infoFile())
		require.NoError(t, n.CheckRelease())
	})
}
