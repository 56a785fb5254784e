package app

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/oe"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
)

// FlagOptimistic is the node's option for running a proposed block while it is
// voted on; true by default.
const FlagOptimistic = "optimistic-execution"

// App is the chain's application.
type App struct {
	*baseapp.BaseApp
	EncodingConfig
	Keepers

	release      release
	modules      *module.Manager
	basics       module.BasicManager
	configurator module.Configurator // has the modules' migrations

	checkInvariants int64 // blocks between two checks, 0: never
	vrf             *prover
	runs            *blockRuns // times what blocks do, for metrics
	snapshotted     *snapshotted
	ended           *ended
	optimistic      *oe.OptimisticExecution // nil without

	close    sync.Once
	closeErr error
}

var _ servertypes.Application = (*App)(nil)

// New makes the application on a database and loads its last state. The options
// are those of the SDK's server (home, pruning and so on), [FlagCheckInvariants] and
// [FlagVRFKeyFile]; baseAppOptions are usually
// server.DefaultBaseappOptions(appOpts). It panics where the state can't be
// loaded, as the SDK's server expects of an application.
func New(logger log.Logger, db dbm.DB, appOpts servertypes.AppOptions, baseAppOptions ...func(*baseapp.BaseApp)) *App {
	return thisRelease.new(logger, db, appOpts, baseAppOptions...)
}

func (r release) new(logger log.Logger, db dbm.DB, appOpts servertypes.AppOptions, baseAppOptions ...func(*baseapp.BaseApp)) *App {
	app, err := r.open(logger, db, appOpts, true, baseAppOptions...)
	if err == nil {
		err = app.vrf.check()
	}
	if err == nil {
		err = app.dropUnfinished(cast.ToString(appOpts.Get(flags.FlagHome)))
	}
	if err != nil {
		panic(err)
	}
	return app
}

// open makes the application, and loads the last state unless another is to be loaded.
func (r release) open(logger log.Logger, db dbm.DB, appOpts servertypes.AppOptions, latest bool, baseAppOptions ...func(*baseapp.BaseApp)) (*App, error) {
	enc := MakeEncodingConfig()
	var options []func(*baseapp.BaseApp)
	var optimistic *oe.OptimisticExecution
	if v := appOpts.Get(FlagOptimistic); v == nil || cast.ToBool(v) {
		options = append(options, baseapp.SetOptimisticExecution(func(o *oe.OptimisticExecution) { optimistic = o }))
	}
	snapshotted := &snapshotted{}
	options = append(options, snapshotted.through(baseAppOptions)...)
	if cast.ToBool(appOpts.Get(server.FlagInterBlockCache)) {
		options = append(options, baseapp.SetInterBlockCache(newStateCache())) // instead of the SDK's
	}
	base := baseapp.NewBaseApp(Name, logger, db, enc.TxConfig.TxDecoder(), options...)
	base.SetVersion(Version)
	base.SetInterfaceRegistry(enc.InterfaceRegistry)
	base.SetTxEncoder(enc.TxConfig.TxEncoder())

	keys := storetypes.NewKVStoreKeys(r.stores...)
	mounted := make([]storetypes.StoreKey, 0, len(keys))
	for _, name := range r.stores {
		mounted = append(mounted, keys[name])
	}
	skip := map[int64]bool{}
	for _, h := range cast.ToIntSlice(appOpts.Get(server.FlagUnsafeSkipUpgrades)) {
		skip[int64(h)] = true
	}
	app := &App{
		BaseApp:         base,
		EncodingConfig:  enc,
		release:         r,
		Keepers:         newKeepers(enc, keys, base, cast.ToString(appOpts.Get(flags.FlagHome)), skip, logger),
		checkInvariants: cast.ToInt64(appOpts.Get(FlagCheckInvariants)),
		runs:            &blockRuns{now: time.Now},
		snapshotted:     snapshotted,
		ended:           newEnded(appOpts),
		optimistic:      optimistic,
	}
	app.vrf = newProver(appOpts, logger)
	app.modules = r.newModuleManager(enc, app.Keepers, base, keys)
	app.basics = basics()
	app.configurator = module.NewConfigurator(enc.Codec, base.MsgServiceRouter(), base.GRPCQueryRouter())
	if err := app.modules.RegisterServices(app.configurator); err != nil {
		return nil, err
	}
	app.setUpgradeHandlers()
	base.MountKVStores(keys)
	setExecutor(base, appOpts, mounted, enc.TxConfig.TxDecoder())

	anteHandler, err := newAnteHandler(enc, app.Keepers, base.LastBlockHeight)
	if err != nil {
		return nil, err
	}
	base.SetAnteHandler(anteHandler)
	base.SetInitChainer(app.initChainer)
	base.SetPreBlocker(app.preBlocker)
	base.SetBeginBlocker(app.beginBlocker)
	base.SetEndBlocker(app.endBlocker)
	base.SetCheckTxHandler(newCheck(base, enc.TxConfig.TxDecoder()))
	p := proposals{decode: enc.TxConfig.TxDecoder(), weights: app.Weights, seed: app.Seed, vrf: app.vrf}
	base.SetPrepareProposal(p.prepare)
	base.SetProcessProposal(p.process)

	if latest {
		if err := app.loadLatest(db, appOpts); err != nil {
			return nil, err
		}
	}
	return app, nil
}

// Close breaks off a snapshot that is being made and a block that is executed before it is
// decided, both beside all else, and closes the databases. The SDK's server closes twice.
func (app *App) Close() error {
	app.close.Do(func() {
		app.snapshotted.close()
		app.optimistic.Abort()
		app.closeErr = app.BaseApp.Close()
	})
	return app.closeErr
}

// preBlocker does the upgrade that is due first: all else reads the state in the form
// that this program knows. Then it gives the block its seed, by the state of the block
// before.
func (app *App) preBlocker(ctx sdk.Context, req *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	app.runs.begin(req.Height)
	defer app.runs.step("pre_block")
	res, err := app.modules.PreBlock(ctx)
	if err != nil {
		return nil, app.explain(ctx, req.Height, err)
	}
	return res, app.Seed.PreBlock(ctx, req.ProposerAddress, req.Height, req.Txs)
}

func (app *App) beginBlocker(ctx sdk.Context) (sdk.BeginBlock, error) {
	defer app.runs.step("begin_block")
	return app.modules.BeginBlock(ctx)
}

// endBlocker runs the modules', then checks invariants where that is asked for.
// An error stops the node: such a block is not committed.
func (app *App) endBlocker(ctx sdk.Context) (sdk.EndBlock, error) {
	app.runs.step("transactions") // what lies between
	res, err := app.modules.EndBlock(ctx)
	app.ended.take(&res)
	app.runs.step("end_block")
	if err == nil && app.checkInvariants > 0 && ctx.BlockHeight()%app.checkInvariants == 0 {
		err = app.CheckInvariants(ctx)
		app.runs.invariants(err)
		app.runs.step("invariants")
	}
	return res, err
}

func (app *App) initChainer(ctx sdk.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	var state map[string]json.RawMessage
	if err := json.Unmarshal(req.AppStateBytes, &state); err != nil {
		return nil, fmt.Errorf("the genesis file's app_state is not a JSON object: %w", err)
	}
	if err := app.Upgrade.SetModuleVersionMap(ctx, app.modules.GetVersionMap()); err != nil {
		return nil, err
	}
	return app.modules.InitGenesis(ctx, app.Codec, state)
}
