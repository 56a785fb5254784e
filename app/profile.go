package app

import (
	"encoding/json"
	"time"

	"cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// SupplyCap is the most rao that there can be.
const SupplyCap = alphatypes.AlphaCap

const (
	tao = 1_000_000_000 // rao; an alpha has as many units

	// A block holds what a validator at home can receive and run in a third of the
	// mainnet's block time.
	maxBlockBytes = 4 << 20
	maxBlockGas   = 100_000_000
)

// profile are the parameters that a chain begins with.
type profile struct {
	blockTime  time.Duration // target
	staking    stakingtypes.Params
	slashing   slashingtypes.Params
	gov        govv1.Params
	alpha      alphatypes.Params
	subnets    subnetstypes.Params
	weights    weightstypes.Params
	emission   emissiontypes.Params
	collateral collateraltypes.Params
	market     markettypes.Params
	seed       seedtypes.Params
}

// mainnet is the profile of the public network.
func mainnet() profile {
	return profile{
		blockTime: 3 * time.Second,
		staking:   stakingParams(21 * 24 * time.Hour),
		slashing: slashingtypes.NewParams(28_800, math.LegacyNewDecWithPrec(5, 2), 10*time.Minute, // a day of blocks
			math.LegacyNewDecWithPrec(5, 2), math.LegacyNewDecWithPrec(1, 4)),
		gov:   govParams(100*tao, 500*tao, 7*24*time.Hour, 5*24*time.Hour, 24*time.Hour),
		alpha: alphatypes.DefaultParams(), subnets: subnetstypes.DefaultParams(),
		weights: weightstypes.DefaultParams(), emission: emissiontypes.DefaultParams(),
		collateral: collateraltypes.DefaultParams(), market: markettypes.DefaultParams(),
		seed: seedtypes.DefaultParams(),
	}
}

// local is the profile of networks on one machine: what takes days on mainnet
// takes a minute.
func local() profile {
	return profile{
		blockTime: time.Second,
		staking:   stakingParams(time.Minute),
		slashing: slashingtypes.NewParams(1_000, math.LegacyNewDecWithPrec(5, 2), time.Minute,
			math.LegacyNewDecWithPrec(5, 2), math.LegacyNewDecWithPrec(1, 4)),
		gov:   govParams(10*tao, 50*tao, time.Minute, time.Minute, 30*time.Second),
		alpha: alphatypes.LocalParams(), subnets: subnetstypes.LocalParams(),
		weights: weightstypes.LocalParams(), emission: emissiontypes.LocalParams(),
		collateral: collateraltypes.LocalParams(), market: markettypes.LocalParams(),
		seed: seedtypes.LocalParams(),
	}
}

func stakingParams(unbonding time.Duration) stakingtypes.Params {
	p := stakingtypes.DefaultParams()
	p.UnbondingTime = unbonding
	p.BondDenom = BaseDenom
	p.KeyRotationFee = sdk.NewInt64Coin(BaseDenom, tao)
	p.HistoricalEntries = 0 // only IBC reads them
	return p
}

func govParams(deposit, expeditedDeposit int64, depositPeriod, voting, expeditedVoting time.Duration) govv1.Params {
	p := govv1.DefaultParams()
	p.MinDeposit = sdk.NewCoins(sdk.NewInt64Coin(BaseDenom, deposit))
	p.ExpeditedMinDeposit = sdk.NewCoins(sdk.NewInt64Coin(BaseDenom, expeditedDeposit))
	p.MaxDepositPeriod, p.VotingPeriod, p.ExpeditedVotingPeriod = &depositPeriod, &voting, &expeditedVoting
	return p
}

// setBlockTime changes the target; 0 keeps the profile's.
func (p *profile) setBlockTime(d time.Duration) {
	if d > 0 {
		p.blockTime = d
		p.emission.TargetBlockTime = d.Milliseconds()
	}
}

// addTo sets the parameters of the modules that hold no balances.
func (p profile) addTo(enc EncodingConfig, state map[string]json.RawMessage) {
	distribution := distrtypes.DefaultGenesisState()
	distribution.Params.CommunityTax = math.LegacyZeroDec() // protocol.md §2
	state[distrtypes.ModuleName] = enc.Codec.MustMarshalJSON(distribution)

	slashing := slashingtypes.DefaultGenesisState()
	slashing.Params = p.slashing
	state[slashingtypes.ModuleName] = enc.Codec.MustMarshalJSON(slashing)

	gov := govv1.DefaultGenesisState()
	gov.Params = &p.gov
	state[govtypes.ModuleName] = enc.Codec.MustMarshalJSON(gov)

	alpha := alphatypes.DefaultGenesis()
	alpha.Params = p.alpha
	state[alphatypes.ModuleName] = enc.Codec.MustMarshalJSON(alpha)
	subnets := subnetstypes.DefaultGenesis()
	subnets.Params = p.subnets
	state[subnetstypes.ModuleName] = enc.Codec.MustMarshalJSON(subnets)
	weights := weightstypes.DefaultGenesis()
	weights.Params = p.weights
	state[weightstypes.ModuleName] = enc.Codec.MustMarshalJSON(weights)
	collateral := collateraltypes.DefaultGenesis()
	collateral.Params = p.collateral
	state[collateraltypes.ModuleName] = enc.Codec.MustMarshalJSON(collateral)
	market := markettypes.DefaultGenesis()
	market.Params = p.market
	state[markettypes.ModuleName] = enc.Codec.MustMarshalJSON(market)
	emission := emissiontypes.DefaultGenesis()
	emission.Params = p.emission
	state[emissiontypes.ModuleName] = enc.Codec.MustMarshalJSON(emission)
}
