// Package plainapp is what the chain's throughput is measured against: an
// application of the SDK's own modules alone (auth, bank, staking, consensus) with its
// default ante handler and its default proposals. It has the addresses, the coin, the
// least fee and the blocks' limits of ours, so that nothing but the application
// differs.
//
// [Genesis] makes a chain of one validator, [New] the application on a database.
package plainapp

import (
	"encoding/json"

	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/gogoproto/proto"
	"github.com/spf13/cast"

	"cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/baseapp/blockexec"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/runtime"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	"github.com/cosmos/cosmos-sdk/std"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/auth"
	"github.com/cosmos/cosmos-sdk/x/auth/ante"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/bank"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/consensus"
	consensuskeeper "github.com/cosmos/cosmos-sdk/x/consensus/keeper"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"

	"github.com/lodenet/lode/app"
)

// App is the application.
type App struct {
	*baseapp.BaseApp
	Account authkeeper.AccountKeeper

	codec    codec.Codec
	registry codectypes.InterfaceRegistry
	modules  *module.Manager
}

var storeNames = []string{authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey, consensustypes.StoreKey}

var permissions = map[string][]string{
	authtypes.FeeCollectorName:          nil,
	stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking},
	stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking},
	stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},
}

// New makes the application on a database and loads its last state.
func New(logger log.Logger, db dbm.DB, opts servertypes.AppOptions, options ...func(*baseapp.BaseApp)) (*App, error) {
	cdc, registry, txs, err := encoding()
	if err != nil {
		return nil, err
	}
	if v := opts.Get(app.FlagOptimistic); v == nil || cast.ToBool(v) {
		options = append([]func(*baseapp.BaseApp){baseapp.SetOptimisticExecution()}, options...)
	}
	base := baseapp.NewBaseApp("plain", logger, db, txs.TxDecoder(), options...)
	base.SetInterfaceRegistry(registry)
	base.SetTxEncoder(txs.TxEncoder())

	keys := storetypes.NewKVStoreKeys(storeNames...)
	var mounted []storetypes.StoreKey
	for _, name := range storeNames {
		mounted = append(mounted, keys[name])
	}
	var (
		authority = authtypes.NewModuleAddress("gov").String()
		ac        = addresscodec.NewBech32Codec(app.AccountPrefix)
		vc        = addresscodec.NewBech32Codec(app.ValidatorPrefix)
		cc        = addresscodec.NewBech32Codec(app.ConsensusPrefix)
		ss        = func(name string) store.KVStoreService { return runtime.NewKVStoreService(keys[name]) }
	)
	params := consensuskeeper.NewKeeper(cdc, ss(consensustypes.StoreKey), authority, runtime.EventService{})
	base.SetParamStore(params.ParamsStore)
	account := authkeeper.NewAccountKeeper(cdc, ss(authtypes.StoreKey), authtypes.ProtoBaseAccount, permissions, ac, app.AccountPrefix, authority)
	banks := bankkeeper.NewBaseKeeper(cdc, ss(banktypes.StoreKey), account, nil, authority, logger)
	stakes := stakingkeeper.NewKeeper(cdc, ss(stakingtypes.StoreKey), account, banks, authority, vc, cc)

	modules := module.NewManager(auth.NewAppModule(cdc, account, nil), bank.NewAppModule(cdc, banks, account),
		staking.NewAppModule(cdc, stakes, account, banks), consensus.NewAppModule(cdc, params))
	order := []string{authtypes.ModuleName, banktypes.ModuleName, stakingtypes.ModuleName, consensustypes.ModuleName}
	modules.SetOrderPreBlockers(authtypes.ModuleName)
	modules.SetOrderBeginBlockers(stakingtypes.ModuleName)
	modules.SetOrderEndBlockers(banktypes.ModuleName, stakingtypes.ModuleName)
	modules.SetOrderInitGenesis(order...)
	if err := modules.RegisterServices(module.NewConfigurator(cdc, base.MsgServiceRouter(), base.GRPCQueryRouter())); err != nil {
		return nil, err
	}
	handler, err := ante.NewAnteHandler(ante.HandlerOptions{
		AccountKeeper: account, BankKeeper: banks, SignModeHandler: txs.SignModeHandler(), SigGasConsumer: ante.DefaultSigVerificationGasConsumer,
	})
	if err != nil {
		return nil, err
	}
	a := &App{BaseApp: base, Account: account, codec: cdc, registry: registry, modules: modules}
	base.MountKVStores(keys)
	blockexec.Apply(base, opts, mounted, txs.TxDecoder(), func(storetypes.MultiStore) string { return app.BaseDenom })
	base.SetAnteHandler(handler)
	base.SetInitChainer(a.initChainer)
	base.SetPreBlocker(func(ctx sdk.Context, _ *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
		return modules.PreBlock(ctx)
	})
	base.SetBeginBlocker(modules.BeginBlock)
	base.SetEndBlocker(modules.EndBlock)
	return a, base.LoadLatestVersion()
}

func (a *App) initChainer(ctx sdk.Context, req *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	var state map[string]json.RawMessage
	if err := json.Unmarshal(req.AppStateBytes, &state); err != nil {
		return nil, err
	}
	return a.modules.InitGenesis(ctx, a.codec, state)
}

func basics() module.BasicManager {
	return module.NewBasicManager(auth.AppModuleBasic{}, bank.AppModuleBasic{}, staking.AppModuleBasic{}, consensus.AppModuleBasic{})
}

func encoding() (codec.Codec, codectypes.InterfaceRegistry, client.TxConfig, error) {
	registry, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: signing.Options{
			AddressCodec:          addresscodec.NewBech32Codec(app.AccountPrefix),
			ValidatorAddressCodec: addresscodec.NewBech32Codec(app.ValidatorPrefix),
		},
	})
	if err != nil {
		return nil, nil, nil, err
	}
	cdc := codec.NewProtoCodec(registry)
	std.RegisterInterfaces(registry)
	basics().RegisterInterfaces(registry)
	return cdc, registry, authtx.NewTxConfig(cdc, authtx.DefaultSignModes), registry.SigningContext().Validate()
}
