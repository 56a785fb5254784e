package sim

import (
	"encoding/json"
	"time"

	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/math"

	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

const (
	chainID = "lode-sim-1"
	tao     = 1_000_000_000 // rao
	rocks   = 4_000 * tao   // what the rock bonds: 40 % of the power
)

var genesisTime = time.Unix(1_800_000_000, 0).UTC()

// genesis is the local profile with everything shorter and smaller: what takes
// months on mainnet comes around many times in a run.
func genesis(p *people) *genutiltypes.AppGenesis {
	g := app.Genesis{ChainID: chainID, Time: genesisTime}
	for _, c := range p.cold {
		g.Balances = append(g.Balances, app.Balance{Address: c.text, Rao: 2_000 * tao})
	}
	for i, h := range p.hot {
		rao := uint64(5 * tao)
		if i < operators {
			rao = 800 * tao
		}
		g.Balances = append(g.Balances, app.Balance{Address: h.text, Rao: rao})
	}
	for i, h := range p.operators()[:7] {
		bond := uint64(1_000 * tao)
		if i == 0 {
			bond = rocks
		}
		g.Validators = append(g.Validators, app.Validator{
			Operator: h.text, ConsensusKey: p.consensusKey().PubKey(), VRFKey: vrfKey(i, 0).Public(), SelfBond: bond, Moniker: "v",
		})
	}
	out := must1(app.LocalGenesis(g))
	var state map[string]json.RawMessage
	must(json.Unmarshal(out.AppState, &state))
	cdc := app.MakeEncodingConfig().Codec
	edit(cdc, state, govtypes.ModuleName, func(g *govv1.GenesisState) { *g.Params = govParams() })
	edit(cdc, state, slashingtypes.ModuleName, func(g *slashingtypes.GenesisState) { g.Params = slashingParams() })
	edit(cdc, state, stakingtypes.ModuleName, func(g *stakingtypes.GenesisState) { stakingParams(&g.Params) })
	edit(cdc, state, alphatypes.ModuleName, func(g *alphatypes.GenesisState) { alphaParams(&g.Params) })
	edit(cdc, state, subnetstypes.ModuleName, func(g *subnetstypes.GenesisState) { subnetsParams(&g.Params) })
	edit(cdc, state, weightstypes.ModuleName, func(g *weightstypes.GenesisState) { weightsParams(&g.Params) })
	edit(cdc, state, collateraltypes.ModuleName, func(g *collateraltypes.GenesisState) { collateralParams(&g.Params) })
	edit(cdc, state, markettypes.ModuleName, func(g *markettypes.GenesisState) { marketParams(&g.Params) })
	edit(cdc, state, emissiontypes.ModuleName, func(g *emissiontypes.GenesisState) { emissionParams(&g.Params) })
	edit(cdc, state, seedtypes.ModuleName, func(g *seedtypes.GenesisState) { g.Params = seedtypes.Params{ActivationDelay: 10, History: 50} })
	out.AppState = must1(json.Marshal(state))
	must(out.ValidateAndComplete())
	return out
}

func edit[T any, P interface {
	*T
	proto.Message
}](cdc codec.Codec, state map[string]json.RawMessage, module string, change func(P)) {
	v := P(new(T))
	must(cdc.UnmarshalJSON(state[module], v))
	change(v)
	state[module] = cdc.MustMarshalJSON(v)
}

// govParams are periods of a few blocks, and a quorum that the rock alone reaches.
func govParams() govv1.Params {
	p := govv1.DefaultParams()
	p.MinDeposit = coins(10 * tao)
	p.ExpeditedMinDeposit = coins(30 * tao)
	deposit, voting, expedited := 15*time.Second, 16*time.Second, 8*time.Second
	p.MaxDepositPeriod, p.VotingPeriod, p.ExpeditedVotingPeriod = &deposit, &voting, &expedited
	p.Quorum = "0.15"
	p.ProposalCancelRatio = "0.5"
	return p
}

func slashingParams() slashingtypes.Params {
	return slashingtypes.NewParams(20, math.LegacyNewDecWithPrec(5, 1), 6*time.Second, math.LegacyNewDecWithPrec(2, 2), math.LegacyNewDecWithPrec(1, 2))
}

func stakingParams(p *stakingtypes.Params) {
	p.UnbondingTime = 20 * time.Second
	p.MaxValidators = 8
	p.MaxEntries = 4
}

func alphaParams(p *alphatypes.Params) {
	p.TakeRaiseBlocks, p.TakeRaiseSeconds = 15, 15
	p.ChildrenCooldown, p.ColdkeySwapDelay, p.RecoveryDelay, p.DisputeBar = 8, 12, 10, 25
}

func subnetsParams(p *subnetstypes.Params) {
	p.MinLock = 40 * tao
	p.LockInterval = 60
	p.MaxSubnets = 5
	p.StartDelay = 3
	p.CreationInterval = 15
	p.NetworkImmunity = 70
	p.ServeRateLimit = 3
	p.MinNonImmune = 3
	p.SweepKeysPerBlock = 25
	for i := range p.Hyperparameters {
		switch r := &p.Hyperparameters[i]; r.Name {
		case "max_uids":
			r.Default, r.Min = 14, 4
		case "max_validators":
			r.Default = 6
		case "immunity_period":
			r.Default = 25
		case "activity_cutoff":
			r.Default = 60
		case "weights_rate_limit":
			r.Default = 3
		case "burn_half_life":
			r.Default = 10
		case "collateral_unbond":
			r.Default, r.Min = 12, 4
		}
	}
}

func weightsParams(p *weightstypes.Params) {
	p.MaxOpenCommits, p.MaxEpochsPerBlock = 4, 2
}

func collateralParams(p *collateraltypes.Params) {
	p.ClaimDeposit, p.MaxUnbondings, p.FailedClaimTempos, p.WorkPerBlock = tao, 4, 2, 4
}

func marketParams(p *markettypes.Params) {
	p.MinDeposit, p.MinCloseDelay, p.MaxCloseDelay, p.MinPeriod = tao/100, 2, 30, 4
	p.MaxServices, p.MaxPlans, p.MaxItems, p.SplitNotice, p.WorkPerBlock = 3, 3, 6, 4, 8
	p.DefaultSplit = markettypes.RevenueSplit{Provider: 800_000, Burn: 100_000, Miners: 70_000, Owner: 30_000}
}

// emissionParams put a halving within reach: genesis is a little under half of the
// cap.
func emissionParams(p *emissiontypes.Params) {
	p.Cap = 226_000 * tao
	p.InitialReward = 50 * tao
}

func coins(rao int64) sdk.Coins { return sdk.NewCoins(coin(rao)) }

func coin(rao int64) sdk.Coin { return sdk.NewInt64Coin(app.BaseDenom, rao) }
