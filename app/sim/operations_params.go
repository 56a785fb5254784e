package sim

import (
	"fmt"
	"time"

	cmttypes "github.com/cometbft/cometbft/proto/tendermint/types"

	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	govv1beta1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1beta1"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// params are the messages of governance: each module's parameters around those of
// the run's genesis, and what else only it may do.
func (t table) params() {
	t.govern(&alphatypes.MsgUpdateParams{}, 4, updateAlpha)
	t.govern(&subnetstypes.MsgUpdateParams{}, 4, updateSubnets)
	t.govern(&weightstypes.MsgUpdateParams{}, 4, updateWeights)
	t.govern(&collateraltypes.MsgUpdateParams{}, 4, updateCollateral)
	t.govern(&markettypes.MsgUpdateParams{}, 4, updateMarket)
	t.govern(&emissiontypes.MsgUpdateParams{}, 4, updateEmission)
	t.govern(&seedtypes.MsgUpdateParams{}, 4, updateSeed)
	t.govern(&authtypes.MsgUpdateParams{}, 2, updateAuth)
	t.govern(&banktypes.MsgUpdateParams{}, 2, updateBank)
	t.govern(&banktypes.MsgSetSendEnabled{}, 2, setSendEnabled)
	t.govern(&consensustypes.MsgUpdateParams{}, 3, updateConsensus)
	t.govern(&distrtypes.MsgUpdateParams{}, 2, updateDistribution)
	t.govern(&distrtypes.MsgCommunityPoolSpend{}, 3, spendPool)
	t.govern(&govv1.MsgUpdateParams{}, 2, updateGov)
	t.govern(&govv1.MsgExecLegacyContent{}, 2, execLegacy)
	t.govern(&slashingtypes.MsgUpdateParams{}, 3, updateSlashing)
	t.govern(&stakingtypes.MsgUpdateParams{}, 3, updateStaking)
	t.govern(&upgradetypes.MsgSoftwareUpgrade{}, 2, upgrade)
	t.govern(&upgradetypes.MsgCancelUpgrade{}, 2, cancelUpgrade)
}

func updateAlpha(s *sim) sdk.Msg {
	p := alphatypes.LocalParams()
	alphaParams(&p)
	p.TradeFee = uint32(s.n(2) * s.n(2_000))
	p.MaxTake = uint32(100_000 + s.n(80_000))
	p.DefaultTake = p.MaxTake
	p.ChildrenCooldown = int64(1 + s.n(12))
	p.ColdkeySwapDelay = int64(1 + s.n(16))
	return &alphatypes.MsgUpdateParams{Authority: authority, Params: p}
}

func updateSubnets(s *sim) sdk.Msg {
	p := subnetstypes.LocalParams()
	subnetsParams(&p)
	p.MaxSubnets = uint32(4 + s.n(3))
	p.NetworkImmunity = int64(40 + s.n(60))
	p.SweepKeysPerBlock = uint32(10 + s.n(100))
	p.LockMultiplier = uint32(1 + s.n(3))
	return &subnetstypes.MsgUpdateParams{Authority: authority, Params: p}
}

func updateWeights(s *sim) sdk.Msg {
	p := weightstypes.LocalParams()
	weightsParams(&p)
	p.TaoWeight = uint32(s.n(400_000))
	p.MaxEpochsPerBlock = uint32(1 + s.n(3))
	return &weightstypes.MsgUpdateParams{Authority: authority, Params: p}
}

func updateCollateral(s *sim) sdk.Msg {
	p := collateraltypes.LocalParams()
	collateralParams(&p)
	p.WorkPerBlock = uint32(1 + s.n(10))
	p.FailedClaimTempos = uint32(s.n(4))
	return &collateraltypes.MsgUpdateParams{Authority: authority, Params: p}
}

func updateMarket(s *sim) sdk.Msg {
	p := markettypes.LocalParams()
	marketParams(&p)
	p.MaxItems = uint32(3 + s.n(6))
	p.MaxPlans = uint32(1 + s.n(4))
	p.MaxBuy = uint32(1 + s.n(1_000))
	p.WorkPerBlock = uint32(2 + s.n(20))
	p.DefaultSplit = s.split()
	return &markettypes.MsgUpdateParams{Authority: authority, Params: p}
}

func updateEmission(s *sim) sdk.Msg {
	p := emissiontypes.LocalParams()
	emissionParams(&p)
	p.SecurityShare = uint32(s.n(300_000))
	p.OwnerCut = uint32(s.n(300_000))
	p.InitialReward = uint64(20*tao + s.n(60*tao))
	return &emissiontypes.MsgUpdateParams{Authority: authority, Params: p}
}

func updateSeed(s *sim) sdk.Msg {
	return &seedtypes.MsgUpdateParams{Authority: authority, Params: seedtypes.Params{ActivationDelay: int64(10 + s.n(10)), History: int64(1 + s.n(60))}}
}

func updateAuth(s *sim) sdk.Msg {
	p := authtypes.DefaultParams()
	p.TxSizeCostPerByte = uint64(8 + s.n(4))
	return &authtypes.MsgUpdateParams{Authority: authority, Params: p}
}

func updateBank(s *sim) sdk.Msg {
	return &banktypes.MsgUpdateParams{Authority: authority, Params: banktypes.NewParams(s.n(8) > 0)}
}

func setSendEnabled(s *sim) sdk.Msg {
	m := &banktypes.MsgSetSendEnabled{Authority: authority}
	if s.n(3) == 0 {
		m.UseDefaultFor = []string{app.BaseDenom}
		return m
	}
	m.SendEnabled = []*banktypes.SendEnabled{{Denom: app.BaseDenom, Enabled: s.n(8) > 0}}
	return m
}

func updateConsensus(s *sim) sdk.Msg {
	return &consensustypes.MsgUpdateParams{
		Authority: authority,
		Block:     &cmttypes.BlockParams{MaxBytes: 4 << 20, MaxGas: int64(60_000_000 + s.n(60_000_000))},
		Evidence:  &cmttypes.EvidenceParams{MaxAgeNumBlocks: int64(10 + s.n(20)), MaxAgeDuration: time.Duration(10+s.n(20)) * time.Second, MaxBytes: 1 << 20},
		Validator: &cmttypes.ValidatorParams{PubKeyTypes: []string{"ed25519"}},
		Abci:      &cmttypes.ABCIParams{},
	}
}

func updateDistribution(s *sim) sdk.Msg {
	p := distrtypes.DefaultParams()
	p.CommunityTax = sdkmath.LegacyNewDecWithPrec(int64(s.n(10)), 2)
	return &distrtypes.MsgUpdateParams{Authority: authority, Params: p}
}

func spendPool(s *sim) sdk.Msg {
	return &distrtypes.MsgCommunityPoolSpend{Authority: authority, Recipient: s.anybody().text, Amount: coins(int64(1 + s.n(tao)))}
}

func updateGov(s *sim) sdk.Msg {
	p := govParams()
	voting := time.Duration(10+s.n(8)) * time.Second
	p.VotingPeriod = &voting
	p.BurnVoteQuorum, p.BurnProposalDepositPrevote, p.BurnVoteVeto = s.n(2) == 0, s.n(2) == 0, s.n(2) == 0
	return &govv1.MsgUpdateParams{Authority: authority, Params: p}
}

func execLegacy(s *sim) sdk.Msg {
	content := must1(codectypes.NewAnyWithValue(govv1beta1.NewTextProposal("a text", "of a simulation").(*govv1beta1.TextProposal)))
	return govv1.NewMsgExecLegacyContent(content, authority)
}

func updateSlashing(s *sim) sdk.Msg {
	p := slashingParams()
	p.SignedBlocksWindow = int64(10 + s.n(30))
	p.SlashFractionDowntime = sdkmath.LegacyNewDecWithPrec(int64(s.n(5)), 2)
	p.SlashFractionDoubleSign = sdkmath.LegacyNewDecWithPrec(int64(s.n(20)), 2)
	return &slashingtypes.MsgUpdateParams{Authority: authority, Params: p}
}

func updateStaking(s *sim) sdk.Msg {
	p := must1(s.nodes[0].Staking.GetParams(s.view.ctx))
	stakingParams(&p)
	p.MaxValidators = uint32(6 + s.n(5))
	p.UnbondingTime = time.Duration(12+s.n(20)) * time.Second
	return &stakingtypes.MsgUpdateParams{Authority: authority, Params: p}
}

// upgrade is so far away that no run gets there: a node without the new version
// stops at its height.
func upgrade(s *sim) sdk.Msg {
	return &upgradetypes.MsgSoftwareUpgrade{Authority: authority, Plan: upgradetypes.Plan{Name: fmt.Sprintf("v%d", s.n(100)), Height: s.comet.height + 1_000_000}}
}

func cancelUpgrade(*sim) sdk.Msg { return &upgradetypes.MsgCancelUpgrade{Authority: authority} }
