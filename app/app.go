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
	"github.com/cosmos/cosmos-sdk/baseapp/blockexec"
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

	modules *module.Manager
	basics  module.BasicManager

	checkInvariants int64 // blocks between two checks, 0: never
	vrf             *prover
	runs            *blockRuns // times what blocks do, for metrics

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
	app, err := open(logger, db, appOpts, true, baseAppOptions...)
	if err == nil {
		err = app.vrf.check()
	}
	if err != nil {
		panic(err)
	}
	return app
}

func open(logger log.Logger, db dbm.DB, appOpts servertypes.AppOptions, latest bool, baseAppOptions ...func(*baseapp.BaseApp)) (*App, error) {
	enc := MakeEncodingConfig()
	var options []func(*baseapp.BaseApp)
	if v := appOpts.Get(FlagOptimistic); v == nil || cast.ToBool(v) {
		options = append(options, baseapp.SetOptimisticExecution())
	}
	options = append(options, baseAppOptions...)
	base := baseapp.NewBaseApp(Name, logger, db, enc.TxConfig.TxDecoder(), options...)
	base.SetVersion(Version)
	base.SetInterfaceRegistry(enc.InterfaceRegistry)
	base.SetTxEncoder(enc.TxConfig.TxEncoder())

	keys := storetypes.NewKVStoreKeys(storeNames...)
	mounted := make([]storetypes.StoreKey, 0, len(keys))
	for _, name := range storeNames {
		mounted = append(mounted, keys[name])
	}
	skip := map[int64]bool{}
	for _, h := range cast.ToIntSlice(appOpts.Get(server.FlagUnsafeSkipUpgrades)) {
		skip[int64(h)] = true
	}
	app := &App{
		BaseApp:         base,
		EncodingConfig:  enc,
		Keepers:         newKeepers(enc, keys, base, cast.ToString(appOpts.Get(flags.FlagHome)), skip, logger),
		checkInvariants: cast.ToInt64(appOpts.Get(FlagCheckInvariants)),
		runs:            &blockRuns{now: time.Now},
	}
	app.vrf = newProver(appOpts, logger)
	app.modules = newModuleManager(enc, app.Keepers, base)
	app.basics = basics()
	if err := app.modules.RegisterServices(module.NewConfigurator(enc.Codec, base.MsgServiceRouter(), base.GRPCQueryRouter())); err != nil {
		return nil, err
	}
	base.MountKVStores(keys)
	// Blocks run one transaction after the other, or side by side where the node's
	// configuration says so (block-executor): with the same outcome.
	blockexec.Apply(base, appOpts, mounted, enc.TxConfig.TxDecoder(), func(storetypes.MultiStore) string { return BaseDenom })

	anteHandler, err := newAnteHandler(enc, app.Keepers, base.LastBlockHeight)
	if err != nil {
		return nil, err
	}
	base.SetAnteHandler(anteHandler)
	base.SetInitChainer(app.initChainer)
	base.SetPreBlocker(app.preBlocker)
	base.SetBeginBlocker(app.beginBlocker)
	base.SetEndBlocker(app.endBlocker)
	p := proposals{decode: enc.TxConfig.TxDecoder(), seed: app.Seed, vrf: app.vrf}
	base.SetPrepareProposal(p.prepare)
	base.SetProcessProposal(p.process)

	if latest {
		if err := base.LoadLatestVersion(); err != nil {
			return nil, fmt.Errorf("the state can't be loaded: %w", err)
		}
	}
	return app, nil
}

// Close closes the databases. The SDK's server closes twice.
func (app *App) Close() error {
	app.close.Do(func() { app.closeErr = app.BaseApp.Close() })
	return app.closeErr
}

// preBlocker gives the block its seed first, by the state of the block before.
func (app *App) preBlocker(ctx sdk.Context, req *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	app.runs.begin(req.Height)
	defer app.runs.step("pre_block")
	if err := app.Seed.PreBlock(ctx, req.ProposerAddress, req.Height, req.Txs); err != nil {
		return nil, err
	}
	return app.modules.PreBlock(ctx)
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
