package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"

	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/client/flags"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	"github.com/cosmos/cosmos-sdk/store/v2/rootmulti"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/upgrade"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"
)

// Upgrade is a change of the chain's state that comes with a release of the program,
// in the block that governance chose for its name (x/upgrade).
type Upgrade struct {
	Name string
	// Stores are those that the upgrade adds, renames or deletes.
	Stores storetypes.StoreUpgrades
	// Migrate, if there is one, changes what no module can change for itself. It runs
	// after the modules' own migrations: those that they registered with the
	// configurator for every version between the chain's and theirs.
	Migrate func(ctx sdk.Context, app *App) error
}

// release is what a release of the program adds to the modules' code.
type release struct {
	stores   []string
	upgrades []Upgrade // all that there have been, oldest first
	// modules, if there are any, take the place of those with the same name or come
	// after all others. They are the next release's, where a test makes one.
	modules func(Keepers, func(store string) store.KVStoreService) []appmodule.AppModule
}

// What keeps a program from going on with a chain.
var (
	// ErrUpgradeNeeded is that of a program older than the chain's state.
	ErrUpgradeNeeded = errors.New("the chain needs another release of the program")
	// ErrTooNew is that of a program with an upgrade that the chain is still to do.
	ErrTooNew = errors.New("the program is too new for the chain")
)

// setUpgradeHandlers tells x/upgrade what this release can do.
func (app *App) setUpgradeHandlers() {
	for _, u := range app.release.upgrades {
		app.Upgrade.SetUpgradeHandler(u.Name, func(ctx context.Context, _ upgradetypes.Plan, from module.VersionMap) (module.VersionMap, error) {
			return app.upgrade(sdk.UnwrapSDKContext(ctx), u, from)
		})
	}
}

// upgrade runs an upgrade. A panic would end the process where blocks are run
// optimistically, without a word about what to do.
func (app *App) upgrade(ctx sdk.Context, u Upgrade, from module.VersionMap) (to module.VersionMap, err error) {
	defer func() {
		if r := recover(); r != nil {
			app.Logger().Error("the upgrade panicked", "upgrade", u.Name, "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
		if err != nil {
			err = fmt.Errorf("upgrade %q failed, and nothing of it was kept: a release with it mended can go on from here: %w", u.Name, err)
		}
	}()
	to, err = app.modules.RunMigrations(ctx, app.configurator, from)
	if err == nil && u.Migrate != nil {
		err = u.Migrate(ctx, app)
	}
	return to, err
}

// loadLatest loads the last state, and prepares the stores for the upgrade that is due
// in the next block: the release before has written its name and height to
// HOME/data/upgrade-info.json, when it stopped there.
func (app *App) loadLatest(db dbm.DB, opts servertypes.AppOptions) error {
	if cast.ToString(opts.Get(flags.FlagHome)) != "" { // else there is no file to read
		due, err := app.Upgrade.ReadUpgradeInfoFromDisk()
		if err != nil {
			return fmt.Errorf("data/upgrade-info.json in the node's home can't be read: %w", err)
		}
		at := slices.IndexFunc(app.release.upgrades, func(u Upgrade) bool { return u.Name == due.Name })
		if at >= 0 && due.Height == app.LastBlockHeight()+1 && !app.Upgrade.IsSkipHeight(due.Height) {
			stores := app.release.upgrades[at].Stores
			for _, name := range stores.Deleted {
				app.MountStore(storetypes.NewKVStoreKey(name), storetypes.StoreTypeIAVL)
			}
			if err := dropRemnants(db, stores); err != nil {
				return err
			}
			app.SetStoreLoader(upgradetypes.UpgradeStoreLoader(due.Height, &stores))
		}
	}
	if err := app.LoadLatestVersion(); err != nil {
		return errors.Join(app.missingStore(), fmt.Errorf("the state can't be loaded: %w", err))
	}
	return nil
}

// added are the names of the stores that an upgrade begins.
func added(u storetypes.StoreUpgrades) []string {
	names := slices.Clone(u.Added)
	for _, r := range u.Renamed {
		names = append(names, r.NewKey)
	}
	return names
}

// dropRemnants empties the stores that an upgrade is about to begin. A node that was
// killed while it committed the upgrade's block may have written them, and not that
// the block is committed: the SDK would go on from what is there, to another app hash
// than everybody else's.
func dropRemnants(db dbm.DB, u storetypes.StoreUpgrades) error {
	for _, name := range added(u) {
		begin := []byte("s/k:" + name + "/") // as rootmulti has it
		it, err := db.Iterator(begin, storetypes.PrefixEndBytes(begin))
		if err != nil {
			return err
		}
		batch := db.NewBatch()
		for ; it.Valid(); it.Next() {
			if err := batch.Delete(it.Key()); err != nil {
				return errors.Join(err, it.Close(), batch.Close())
			}
		}
		err = errors.Join(it.Error(), it.Close())
		if err == nil {
			err = batch.WriteSync()
		}
		if err := errors.Join(err, batch.Close()); err != nil {
			return fmt.Errorf("the remnants of store %q can't be dropped: %w", name, err)
		}
	}
	return nil
}

// missingStore tells of a store that the chain hasn't got, since it has not done the
// upgrade that adds it.
func (app *App) missingStore() error {
	rs, ok := app.CommitMultiStore().(*rootmulti.Store)
	if !ok {
		return nil
	}
	height := app.LastBlockHeight()
	info, err := rs.GetCommitInfo(height)
	if err != nil {
		return nil // what could not be loaded has an error of its own
	}
	lacks := func(name string) bool {
		return slices.Contains(app.release.stores, name) &&
			!slices.ContainsFunc(info.StoreInfos, func(s storetypes.StoreInfo) bool { return s.Name == name })
	}
	for _, u := range app.release.upgrades {
		begun := added(u.Stores)
		if at := slices.IndexFunc(begun, lacks); at >= 0 {
			return fmt.Errorf("%w: its upgrade %q adds the store %q, which the chain has not got at block %d, and data/upgrade-info.json "+
				"in the node's home does not say that the upgrade is due in the next block. Run the release before this one until it stops "+
				"for the upgrade by itself: it writes that file", ErrTooNew, u.Name, begun[at], height)
		}
	}
	return nil
}

// CheckRelease tells whether this program is the one that makes the chain's next
// block; the error wraps [ErrUpgradeNeeded] or [ErrTooNew] and says what to run
// instead. A node asks before it starts: the next block would say the same, while
// all else runs already.
func (app *App) CheckRelease() error {
	height := app.LastBlockHeight()
	if height == 0 {
		return nil
	}
	ctx := app.NewContextLegacy(true, cmtproto.Header{ChainID: app.ChainID(), Height: height})
	plan, err := app.checkRelease(ctx, height+1)
	if errors.Is(err, ErrUpgradeNeeded) && plan.Height == height+1 {
		// As the block would: the next release reads it.
		err = errors.Join(err, app.Upgrade.DumpUpgradeInfoToDisk(plan.Height, plan))
	}
	return err
}

// checkRelease is x/upgrade's own check before a block, with what to do about it.
func (app *App) checkRelease(ctx context.Context, height int64) (plan upgradetypes.Plan, err error) {
	plan, err = app.Upgrade.GetUpgradePlan(ctx)
	planned := err == nil
	if err != nil && !errors.Is(err, upgradetypes.ErrNoUpgradePlanFound) {
		return plan, err
	}
	due := planned && plan.ShouldExecute(height) && !app.Upgrade.IsSkipHeight(height)
	switch {
	case due && !app.Upgrade.HasHandler(plan.Name):
		return plan, fmt.Errorf("%w: %s. Start the release that has this upgrade, in the same home; cosmovisor does it by itself",
			ErrUpgradeNeeded, upgrade.BuildUpgradeNeededMsg(plan))
	case due:
		return plan, nil
	case planned && !plan.ShouldExecute(height) && app.Upgrade.HasHandler(plan.Name):
		return plan, fmt.Errorf("%w: its upgrade %q is due at block %d, and block %d is next. Run the release before this one: it stops there by itself",
			ErrTooNew, plan.Name, plan.Height, height)
	}
	return plan, app.checkDone(ctx)
}

// CheckDone tells whether this program knows the chain's last upgrade. One that does not
// can read what it knows, for queries about the past, and must write nothing: a rollback
// would lose the stores that it has no name for.
func (app *App) CheckDone() error {
	height := app.LastBlockHeight()
	if height == 0 {
		return nil
	}
	return app.checkDone(app.NewContextLegacy(true, cmtproto.Header{ChainID: app.ChainID(), Height: height}))
}

func (app *App) checkDone(ctx context.Context) error {
	name, height, err := app.Upgrade.GetLastCompletedUpgrade(ctx)
	if err == nil && name != "" && !app.Upgrade.HasHandler(name) {
		err = fmt.Errorf("%w: it has done upgrade %q in block %d, which this one (%s) does not know. Start a release that does",
			ErrUpgradeNeeded, name, height, Version)
	}
	return err
}

// explain is x/upgrade's error in a block, with what to do about it where the program
// is not the chain's.
func (app *App) explain(ctx sdk.Context, height int64, err error) error {
	if _, why := app.checkRelease(ctx, height); why != nil {
		return why
	}
	return err
}
