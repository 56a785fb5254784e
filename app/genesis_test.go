package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
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

func part[T any, P interface {
	*T
	codecMessage
}](t *testing.T, g *genutiltypes.AppGenesis, module string) *T {
	t.Helper()
	var state map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(g.AppState, &state))
	out := new(T)
	require.NoError(t, app.MakeEncodingConfig().Codec.UnmarshalJSON(state[module], P(out)))
	return out
}

type codecMessage = interface {
	Reset()
	String() string
	ProtoMessage()
}

func TestGenesisHoldsBalancesAndTheValidatorAndNothingElse(t *testing.T) {
	g := genesis(t)

	alpha, subnets, weights := alphatypes.DefaultGenesis(), subnetstypes.DefaultGenesis(), weightstypes.DefaultGenesis()
	alpha.Params, subnets.Params, weights.Params = alphatypes.LocalParams(), subnetstypes.LocalParams(), weightstypes.LocalParams()
	require.Equal(t, alpha.String(), part[alphatypes.GenesisState](t, g, alphatypes.ModuleName).String())
	require.Equal(t, subnets.String(), part[subnetstypes.GenesisState](t, g, subnetstypes.ModuleName).String())
	require.Equal(t, weights.String(), part[weightstypes.GenesisState](t, g, weightstypes.ModuleName).String())
	emission := part[emissiontypes.GenesisState](t, g, emissiontypes.ModuleName)
	require.Equal(t, emissiontypes.LocalParams(), emission.Params)
	require.Empty(t, emission.Subnets)

	bank := part[banktypes.GenesisState](t, g, banktypes.ModuleName)
	require.Equal(t, "1000000000000000rao", bank.Supply.String())
	require.Len(t, bank.Balances, 3, "two people and the pool of unbonded tokens")
	auth := part[authtypes.GenesisState](t, g, authtypes.ModuleName)
	require.Len(t, auth.Accounts, 3, "two people and the validator's operator")
	staking := part[stakingtypes.GenesisState](t, g, stakingtypes.ModuleName)
	require.Len(t, staking.Validators, 1)
	require.Len(t, staking.Delegations, 1)
	require.Equal(t, text(validator), staking.Delegations[0].DelegatorAddress)
	require.LessOrEqual(t, staking.Validators[0].Commission.MaxRate.MustFloat64(), 0.18)
	require.True(t, part[distrtypes.GenesisState](t, g, distrtypes.ModuleName).Params.CommunityTax.IsZero())
}

func TestCommitRevealIsOnUnlessAnOwnerTurnsItOff(t *testing.T) {
	c := newChain(t)
	settle(c)
	s, err := c.Subnets.SubnetByNetuid(c.query(), 1)
	require.NoError(t, err)
	require.True(t, s.Hyperparameters.CommitReveal)
	res := c.block(c.sign(paid, []string{"validator-1-hot"}, &weightstypes.MsgSetWeights{Hotkey: text("validator-1-hot"), Netuid: 1, Uids: []uint32{3}, Values: []uint32{1}}))
	require.NotZero(t, res[0].Code)
}

func TestTheMainnetProfileDiffersInItsParametersAlone(t *testing.T) {
	g, err := app.MainnetGenesis(app.Genesis{
		ChainID: "lode-1", Time: genesisTime, Balances: []app.Balance{{Address: text("user"), Rao: 5 * tao}},
		Validators: []app.Validator{{Operator: text(validator), ConsensusKey: consensusKey().PubKey(), VRFKey: vrfKey(validator).Public(), SelfBond: 10 * tao}},
	})
	require.NoError(t, err)
	blockTime, err := app.CheckGenesis(g)
	require.NoError(t, err)
	require.Equal(t, 3*time.Second, blockTime)
	require.Equal(t, alphatypes.DefaultParams(), part[alphatypes.GenesisState](t, g, alphatypes.ModuleName).Params)
	require.Equal(t, subnetstypes.DefaultParams(), part[subnetstypes.GenesisState](t, g, subnetstypes.ModuleName).Params)
	require.EqualValues(t, 100_000_000, g.Consensus.Params.Block.MaxGas)
}

func TestTheBlockTimeIsWrittenIntoTheGenesis(t *testing.T) {
	g, err := app.LocalGenesis(app.Genesis{
		ChainID: chainID, Time: genesisTime, BlockTime: 250 * time.Millisecond,
		Validators: []app.Validator{{Operator: text(validator), ConsensusKey: consensusKey().PubKey(), VRFKey: vrfKey(validator).Public(), SelfBond: 10 * tao}},
	})
	require.NoError(t, err)
	require.EqualValues(t, 250, part[emissiontypes.GenesisState](t, g, emissiontypes.ModuleName).Params.TargetBlockTime)
}

func TestAGenesisThatCannotBeIsRefusedInWords(t *testing.T) {
	good := app.Validator{Operator: text(validator), ConsensusKey: consensusKey().PubKey(), VRFKey: vrfKey(validator).Public(), SelfBond: 10 * tao}
	for name, c := range map[string]struct {
		g    app.Genesis
		says string
	}{
		"no validator":         {app.Genesis{ChainID: chainID}, "at least one validator"},
		"no chain id":          {app.Genesis{Validators: []app.Validator{good}}, "chain_id"},
		"a foreign address":    {app.Genesis{ChainID: chainID, Balances: []app.Balance{{Address: "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh", Rao: 1}}, Validators: []app.Validator{good}}, "prefix"},
		"an account twice":     {app.Genesis{ChainID: chainID, Balances: []app.Balance{{Address: text("user"), Rao: 1}, {Address: text("user"), Rao: 1}}, Validators: []app.Validator{good}}, "twice"},
		"more than the cap":    {app.Genesis{ChainID: chainID, Balances: []app.Balance{{Address: text("user"), Rao: app.SupplyCap}}, Validators: []app.Validator{good}}, "supply cap"},
		"a bond without power": {app.Genesis{ChainID: chainID, Validators: []app.Validator{{Operator: text(validator), ConsensusKey: consensusKey().PubKey(), VRFKey: vrfKey(validator).Public(), SelfBond: 1}}}, "voting power"},
		"no consensus key":     {app.Genesis{ChainID: chainID, Validators: []app.Validator{{Operator: text(validator), VRFKey: vrfKey(validator).Public(), SelfBond: 10 * tao}}}, "consensus key"},
		"no VRF key":           {app.Genesis{ChainID: chainID, Validators: []app.Validator{{Operator: text(validator), ConsensusKey: consensusKey().PubKey(), SelfBond: 10 * tao}}}, "has no VRF key"},
		"a VRF key of nobody":  {app.Genesis{ChainID: chainID, Validators: []app.Validator{{Operator: text(validator), ConsensusKey: consensusKey().PubKey(), VRFKey: make([]byte, 32), SelfBond: 10 * tao}}}, "low or mixed order"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := app.LocalGenesis(c.g)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestModuleAccountsRefuseSends(t *testing.T) {
	c := newChain(t)
	for _, module := range []string{
		alphatypes.ModuleName, collateraltypes.ModuleName, emissiontypes.ModuleName, markettypes.ModuleName, distrtypes.ModuleName, govtypes.ModuleName, authtypes.FeeCollectorName,
		stakingtypes.BondedPoolName, stakingtypes.NotBondedPoolName, stakingtypes.KeyRotationFeePoolName,
	} {
		to := authtypes.NewModuleAddress(module)
		coins := sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, 1))
		multi := banktypes.NewMsgMultiSend(banktypes.NewInput(addr("user"), coins), []banktypes.Output{banktypes.NewOutput(to, coins)})
		for _, msg := range []sdk.Msg{banktypes.NewMsgSend(addr("user"), to, coins), multi} {
			res := c.block(c.sign(paid, []string{"user"}, msg))[0]
			require.NotZero(t, res.Code, module)
			require.Contains(t, res.Log, "is not allowed to receive funds", module)
		}
	}
}

func TestAValidatorMayNotTakeMoreThan18Percent(t *testing.T) {
	c := newChain(t)
	create := func(most string) *stakingtypes.MsgCreateValidator {
		key, err := codectypes.NewAnyWithValue(ed25519.GenPrivKeyFromSecret([]byte(most)).PubKey())
		require.NoError(t, err)
		rate := math.LegacyMustNewDecFromStr(most)
		return &stakingtypes.MsgCreateValidator{
			Description: stakingtypes.Description{Moniker: "two"}, ValidatorAddress: sdk.ValAddress(addr("user")).String(), Pubkey: key,
			Commission:        stakingtypes.NewCommissionRates(math.LegacyZeroDec(), rate, math.LegacyZeroDec()),
			MinSelfDelegation: math.OneInt(), Value: sdk.NewInt64Coin(app.BaseDenom, tao),
		}
	}
	c.run([]string{"user"}, seedtypes.NewMsgRegisterVRFKey(chainID, addr("user"), vrfKey("user")))
	c.blocks(20)
	res := c.block(c.sign(paid, []string{"user"}, create("0.181")))[0]
	require.NotZero(t, res.Code)
	require.Contains(t, res.Log, "may be at most 0.18")
	c.run([]string{"user"}, create("0.18"))
}

func TestWhatStakingBurnsIsCountedAsBurned(t *testing.T) {
	c := newChain(t)
	ctx := c.query()
	consensus := sdk.ConsAddress(consensusKey().PubKey().Address())
	v, err := c.Staking.GetValidatorByConsAddr(ctx, consensus)
	require.NoError(t, err)
	slashed, err := c.Staking.Slash(ctx, consensus, c.height, v.GetConsensusPower(sdk.DefaultPowerReduction), math.LegacyNewDecWithPrec(5, 2))
	require.NoError(t, err)
	require.EqualValues(t, tao/2, slashed.Int64())
	require.NoError(t, c.CheckInvariants(ctx), "the supply fell by what was burned")
}

func TestACancelledProposalsDepositIsCountedAsBurned(t *testing.T) {
	c := newChain(t)
	c.run([]string{"user"}, &govv1.MsgSubmitProposal{
		Proposer: text("user"), Title: "title", Summary: "summary", Metadata: "none",
		InitialDeposit: sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, 10*tao)),
	})
	c.run([]string{"user"}, &govv1.MsgCancelProposal{ProposalId: 1, Proposer: text("user")})
	totals, err := c.Emission.Totals(c.query())
	require.NoError(t, err)
	require.EqualValues(t, 5*tao, totals.Burned, "half of the deposit, by a message and no hand of ours")
}

func TestHomesAreNamedAfterTheProgram(t *testing.T) {
	require.True(t, strings.HasSuffix(app.DefaultHome, "/.lode/node"), app.DefaultHome)
}
