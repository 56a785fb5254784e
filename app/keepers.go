package app

import (
	"cosmossdk.io/core/store"
	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/baseapp"
	addresscodec "github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensuskeeper "github.com/cosmos/cosmos-sdk/x/consensus/keeper"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distrkeeper "github.com/cosmos/cosmos-sdk/x/distribution/keeper"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	evidencekeeper "github.com/cosmos/cosmos-sdk/x/evidence/keeper"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	feegrantkeeper "github.com/cosmos/cosmos-sdk/x/feegrant/keeper"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1beta1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1beta1"
	slashingkeeper "github.com/cosmos/cosmos-sdk/x/slashing/keeper"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradekeeper "github.com/cosmos/cosmos-sdk/x/upgrade/keeper"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateralkeeper "github.com/lodenet/lode/x/collateral/keeper"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissionkeeper "github.com/lodenet/lode/x/emission/keeper"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	marketkeeper "github.com/lodenet/lode/x/market/keeper"
	markettypes "github.com/lodenet/lode/x/market/types"
	seedkeeper "github.com/lodenet/lode/x/seed/keeper"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	subnetskeeper "github.com/lodenet/lode/x/subnets/keeper"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightskeeper "github.com/lodenet/lode/x/weights/keeper"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// Keepers are those of all modules.
type Keepers struct {
	Account      authkeeper.AccountKeeper
	Bank         bankkeeper.BaseKeeper
	Staking      *stakingkeeper.Keeper
	Distribution distrkeeper.Keeper
	Slashing     slashingkeeper.Keeper
	Gov          *govkeeper.Keeper
	Authz        authzkeeper.Keeper
	FeeGrant     feegrantkeeper.Keeper
	Upgrade      *upgradekeeper.Keeper
	Evidence     evidencekeeper.Keeper
	Consensus    consensuskeeper.Keeper

	Alpha      alphakeeper.Keeper
	Subnets    subnetskeeper.Keeper
	Weights    weightskeeper.Keeper
	Collateral collateralkeeper.Keeper
	Emission   emissionkeeper.Keeper
	Market     marketkeeper.Keeper
	Seed       seedkeeper.Keeper
}

// storeNames are the modules that keep state.
var storeNames = []string{
	authtypes.StoreKey, banktypes.StoreKey, stakingtypes.StoreKey, distrtypes.StoreKey, slashingtypes.StoreKey,
	govtypes.StoreKey, authzkeeper.StoreKey, feegrant.StoreKey, upgradetypes.StoreKey, evidencetypes.StoreKey,
	consensustypes.StoreKey,
	alphatypes.StoreKey, subnetstypes.StoreKey, weightstypes.StoreKey, collateraltypes.StoreKey, emissiontypes.StoreKey,
	markettypes.StoreKey, seedtypes.StoreKey,
}

// maccPerms are the module accounts and what they may do with coins.
var maccPerms = map[string][]string{
	authtypes.FeeCollectorName:          nil,
	distrtypes.ModuleName:               nil,
	stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking},
	stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking},
	stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},
	govtypes.ModuleName:                 {authtypes.Burner},
	alphatypes.ModuleName:               nil,
	collateraltypes.ModuleName:          {authtypes.Burner},
	emissiontypes.ModuleName:            {authtypes.Minter, authtypes.Burner},
	markettypes.ModuleName:              nil,
}

// blockedAddresses are the accounts that refuse sends: all of the modules. What
// is on them is accounted for to the rao.
func blockedAddresses() map[string]bool {
	blocked := map[string]bool{}
	for name := range maccPerms {
		blocked[authtypes.NewModuleAddress(name).String()] = true
	}
	return blocked
}

// newKeepers makes all keepers, lower modules first.
func newKeepers(enc EncodingConfig, keys map[string]*storetypes.KVStoreKey, base *baseapp.BaseApp, home string,
	skipUpgrades map[int64]bool, logger log.Logger,
) Keepers {
	var (
		k         Keepers
		cdc       = enc.Codec
		authority = authtypes.NewModuleAddress(govtypes.ModuleName).String()
		ac        = newAddresses(AccountPrefix)
		vc        = newAddresses(ValidatorPrefix)
		cc        = addresscodec.NewBech32Codec(ConsensusPrefix)
		ss        = func(name string) store.KVStoreService { return runtime.NewKVStoreService(keys[name]) }
	)
	k.Consensus = consensuskeeper.NewKeeper(cdc, ss(consensustypes.StoreKey), authority, runtime.EventService{})
	base.SetParamStore(k.Consensus.ParamsStore)

	k.Account = authkeeper.NewAccountKeeper(cdc, ss(authtypes.StoreKey), authtypes.ProtoBaseAccount, maccPerms, ac, AccountPrefix, authority)
	k.Bank = bankkeeper.NewBaseKeeper(cdc, ss(banktypes.StoreKey), k.Account, blockedAddresses(), authority, logger)
	bank := emissionkeeper.CountBurns(k.Bank, ss(emissiontypes.StoreKey)) // for the modules that burn
	k.Staking = stakingkeeper.NewKeeper(cdc, ss(stakingtypes.StoreKey), k.Account, bank, authority, vc, cc)
	k.Distribution = distrkeeper.NewKeeper(cdc, ss(distrtypes.StoreKey), k.Account, bank, k.Staking, authtypes.FeeCollectorName, authority)
	k.Slashing = slashingkeeper.NewKeeper(cdc, enc.Amino, ss(slashingtypes.StoreKey), k.Staking, authority)
	k.Seed = seedkeeper.NewKeeper(cdc, ss(seedtypes.StoreKey), ac, authority, k.Staking)
	k.Staking.SetHooks(stakingtypes.NewMultiStakingHooks(k.Distribution.Hooks(), k.Slashing.Hooks(), commissionCap{k.Staking}, k.Seed.Hooks()))
	k.FeeGrant = feegrantkeeper.NewKeeper(cdc, ss(feegrant.StoreKey), k.Account)
	k.Authz = authzkeeper.NewKeeper(ss(authzkeeper.StoreKey), cdc, base.MsgServiceRouter(), k.Account)
	k.Upgrade = upgradekeeper.NewKeeper(skipUpgrades, ss(upgradetypes.StoreKey), cdc, home, base, authority)
	k.Gov = govkeeper.NewKeeper(cdc, ss(govtypes.StoreKey), k.Account, bank, k.Distribution, base.MsgServiceRouter(),
		govtypes.DefaultConfig(), authority, govkeeper.NewDefaultCalculateVoteResultsAndVotingPower(k.Staking))
	// Without a route, a proposal with legacy content panics.
	k.Gov.SetLegacyRouter(govv1beta1.NewRouter().AddRoute(govtypes.RouterKey, govv1beta1.ProposalHandler))
	evidence := evidencekeeper.NewKeeper(cdc, ss(evidencetypes.StoreKey), k.Staking, k.Slashing, ac, runtime.ProvideCometInfoService())
	evidence.SetRouter(evidencetypes.NewRouter()) // without one, whoever submits evidence makes it panic; with none of its routes they are refused
	k.Evidence = *evidence

	k.Alpha = alphakeeper.NewKeeper(cdc, ss(alphatypes.StoreKey), ac, authority, k.Account, k.Bank)
	k.Subnets = subnetskeeper.NewKeeper(cdc, ss(subnetstypes.StoreKey), ac, authority, k.Alpha, k.Bank, k.Staking)
	k.Weights = weightskeeper.NewKeeper(cdc, ss(weightstypes.StoreKey), ac, authority, k.Subnets, k.Alpha, k.Staking)
	k.Collateral = collateralkeeper.NewKeeper(cdc, ss(collateraltypes.StoreKey), ac, authority, k.Account, bank, k.Alpha, k.Subnets, k.Weights)
	k.Emission = emissionkeeper.NewKeeper(cdc, ss(emissiontypes.StoreKey), ac, authority, k.Account, k.Bank, k.Distribution, k.Staking,
		k.Alpha, k.Subnets, k.Weights, k.Collateral)
	k.Market = marketkeeper.NewKeeper(cdc, ss(markettypes.StoreKey), ac, authority, k.Account, k.Bank, k.Alpha, k.Subnets, k.Emission, k.Authz)
	// What the lower module tells the upper ones, and asks them.
	k.Subnets.SetHooks(subnetstypes.MultiHooks{k.Weights.Hooks(), k.Collateral.Hooks(), k.Emission.Hooks(), k.Market.Hooks()})
	k.Subnets.SetNetwork(subnetstypes.JoinNetwork(k.Emission, k.Weights))
	k.Alpha.SetNetwork(k.Emission)
	k.Alpha.SetHooks(k.Market.Hooks())
	k.Collateral.SetNetwork(k.Emission)
	return k
}
