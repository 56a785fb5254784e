package app

import (
	"slices"

	"cosmossdk.io/core/store"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/auth"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	authzmodule "github.com/cosmos/cosmos-sdk/x/authz/module"
	"github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/consensus"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	"github.com/cosmos/cosmos-sdk/x/distribution"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/evidence"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	feegrantmodule "github.com/cosmos/cosmos-sdk/x/feegrant/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/gov"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	"github.com/cosmos/cosmos-sdk/x/slashing"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/cosmos-sdk/x/upgrade"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"github.com/lodenet/lode/x/alpha"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	"github.com/lodenet/lode/x/collateral"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	"github.com/lodenet/lode/x/emission"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/market"
	markettypes "github.com/lodenet/lode/x/market/types"
	"github.com/lodenet/lode/x/seed"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/subnets"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// basics are the modules without their keepers: for encoding alone.
func basics() module.BasicManager {
	return module.NewBasicManager(
		auth.AppModuleBasic{}, bank.AppModuleBasic{}, staking.AppModuleBasic{}, distribution.AppModuleBasic{},
		slashing.AppModuleBasic{}, gov.AppModuleBasic{}, authzmodule.AppModuleBasic{}, feegrantmodule.AppModuleBasic{},
		upgrade.AppModuleBasic{}, evidence.AppModuleBasic{}, consensus.AppModuleBasic{},
		genutil.NewAppModuleBasic(genutiltypes.DefaultMessageValidator),
		alpha.AppModule{}, subnets.AppModule{}, weights.AppModule{}, collateral.AppModule{},
		emission.AppModule{}, market.AppModule{},
		seed.AppModule{},
	)
}

// Orders in which modules take part in a block and in genesis (protocol.md §7,
// "order in a block").
var (
	orderPreBlock   = []string{upgradetypes.ModuleName, authtypes.ModuleName}
	orderBeginBlock = []string{
		distrtypes.ModuleName, slashingtypes.ModuleName, evidencetypes.ModuleName, stakingtypes.ModuleName,
		genutiltypes.ModuleName, authz.ModuleName, subnetstypes.ModuleName,
	}
	orderEndBlock = []string{
		banktypes.ModuleName, govtypes.ModuleName, stakingtypes.ModuleName, genutiltypes.ModuleName, feegrant.ModuleName,
		markettypes.ModuleName, // what it buys for miners may be paid out in this block
		emissiontypes.ModuleName, alphatypes.ModuleName, collateraltypes.ModuleName, subnetstypes.ModuleName,
	}
	orderGenesis = []string{
		authtypes.ModuleName, banktypes.ModuleName, distrtypes.ModuleName,
		seedtypes.ModuleName, // validators need their VRF keys
		stakingtypes.ModuleName, slashingtypes.ModuleName,
		govtypes.ModuleName, genutiltypes.ModuleName, evidencetypes.ModuleName, authz.ModuleName, feegrant.ModuleName,
		upgradetypes.ModuleName, consensustypes.ModuleName,
		alphatypes.ModuleName, subnetstypes.ModuleName, weightstypes.ModuleName, collateraltypes.ModuleName, emissiontypes.ModuleName,
		markettypes.ModuleName,
	}
)

// newModuleManager makes the modules of the keepers.
func (r release) newModuleManager(enc EncodingConfig, k Keepers, base *baseapp.BaseApp, keys map[string]*storetypes.KVStoreKey) *module.Manager {
	cdc := enc.Codec
	mm := module.NewManager(
		genutil.NewAppModule(k.Account, k.Staking, base, enc.TxConfig),
		auth.NewAppModule(cdc, k.Account, nil),
		bank.NewAppModule(cdc, k.Bank, k.Account),
		staking.NewAppModule(cdc, k.Staking, k.Account, k.Bank),
		distribution.NewAppModule(cdc, k.Distribution, k.Account, k.Bank, k.Staking),
		slashing.NewAppModule(cdc, k.Slashing, k.Account, k.Bank, k.Staking, enc.InterfaceRegistry),
		gov.NewAppModule(cdc, k.Gov, k.Account, k.Bank),
		authzmodule.NewAppModule(cdc, k.Authz, k.Account, k.Bank, enc.InterfaceRegistry),
		feegrantmodule.NewAppModule(cdc, k.Account, k.Bank, k.FeeGrant, enc.InterfaceRegistry),
		upgrade.NewAppModule(k.Upgrade, k.Account.AddressCodec()),
		evidence.NewAppModule(k.Evidence),
		consensus.NewAppModule(cdc, k.Consensus),
		alpha.NewAppModule(k.Alpha), subnets.NewAppModule(k.Subnets), weights.NewAppModule(k.Weights),
		collateral.NewAppModule(k.Collateral), emission.NewAppModule(k.Emission),
		market.NewAppModule(k.Market),
		seed.NewAppModule(k.Seed),
	)
	genesis := orderGenesis
	if r.modules != nil {
		for _, m := range r.modules(k, func(name string) store.KVStoreService { return runtime.NewKVStoreService(keys[name]) }) {
			name := m.(module.HasName).Name()
			if _, ours := mm.Modules[name]; !ours {
				genesis = append(slices.Clone(genesis), name)
			}
			mm.Modules[name] = m
		}
	}
	mm.SetOrderPreBlockers(orderPreBlock...)
	mm.SetOrderBeginBlockers(orderBeginBlock...)
	mm.SetOrderEndBlockers(orderEndBlock...)
	mm.SetOrderInitGenesis(genesis...)
	mm.SetOrderExportGenesis(genesis...)
	return mm
}
