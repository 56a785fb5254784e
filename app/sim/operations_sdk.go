package sim

import (
	"slices"

	sdkmath "cosmossdk.io/math"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/lodenet/lode/app"
)

func (t table) bank() {
	t.add(&banktypes.MsgSend{}, 60, send)
	t.add(&banktypes.MsgMultiSend{}, 15, multiSend)
}

// send is mostly a faucet for who has little: hotkeys pay fees, coldkeys lose what
// they have to swaps.
func send(s *sim) sdk.Msg {
	from := s.rich(20 * tao)
	if from == nil {
		return nil
	}
	for range 12 {
		to := s.hot[s.n(len(s.hot))]
		if s.n(2) == 0 {
			to = s.cold[s.n(len(s.cold))]
		}
		if s.balance(to) < 2*tao {
			return banktypes.NewMsgSend(from.addr, to.addr, coins(int64(1+s.n(10*tao))))
		}
	}
	return banktypes.NewMsgSend(from.addr, s.anybody().addr, coins(int64(1+s.n(tao))))
}

func multiSend(s *sim) sdk.Msg {
	from := s.rich(20 * tao)
	if from == nil {
		return nil
	}
	m := &banktypes.MsgMultiSend{}
	total := int64(0)
	for range 1 + s.n(4) {
		rao := int64(1 + s.n(2*tao))
		total += rao
		m.Outputs = append(m.Outputs, banktypes.NewOutput(s.anybody().addr, coins(rao)))
	}
	m.Inputs = []banktypes.Input{banktypes.NewInput(from.addr, coins(total))}
	return m
}

func (t table) staking() {
	t.add(&stakingtypes.MsgCreateValidator{}, 10, createValidator)
	t.add(&stakingtypes.MsgEditValidator{}, 6, editValidator)
	t.add(&stakingtypes.MsgDelegate{}, 30, delegate)
	t.add(&stakingtypes.MsgBeginRedelegate{}, 12, redelegate)
	t.add(&stakingtypes.MsgUndelegate{}, 25, undelegate)
	t.add(&stakingtypes.MsgCancelUnbondingDelegation{}, 8, cancelUnbonding)
	t.add(&stakingtypes.MsgRotateConsPubKey{}, 6, rotate)
	t.add(&slashingtypes.MsgUnjail{}, 25, unjail)
	t.add(&evidencetypes.MsgSubmitEvidence{}, 1, submitEvidence)
}

// createValidator needs a VRF key in force: registerVRFKey has seen to it.
func createValidator(s *sim) sdk.Msg {
	for range 10 {
		k := s.n(len(s.view.vrf.Keys) + 1)
		if k == len(s.view.vrf.Keys) {
			return nil
		}
		o := s.byText[s.view.vrf.Keys[k].Operator]
		if o == nil || s.isValidator(o) || s.balance(o) < 200*tao {
			continue
		}
		return &stakingtypes.MsgCreateValidator{
			Description: stakingtypes.Description{Moniker: "new"}, ValidatorAddress: o.validator(), Pubkey: s.newKey(),
			Commission:        stakingtypes.NewCommissionRates(sdkmath.LegacyNewDecWithPrec(int64(s.n(10)), 2), app.MaxCommission, sdkmath.LegacyNewDecWithPrec(5, 2)),
			MinSelfDelegation: sdkmath.NewInt(int64(1 + s.n(100*tao))), Value: coin(int64(100*tao + s.n(60*tao))),
		}
	}
	return nil
}

func (s *sim) newKey() *codectypes.Any {
	return must1(codectypes.NewAnyWithValue(s.consensusKey().PubKey()))
}

func (s *sim) isValidator(o *person) bool {
	at := o.validator()
	for _, v := range s.view.validators {
		if v.OperatorAddress == at {
			return true
		}
	}
	return false
}

// bondsItself tells whether a validator's operator has delegated to it.
func (s *sim) bondsItself(validator string) bool {
	return slices.ContainsFunc(s.view.delegations, func(d stakingtypes.Delegation) bool { return s.itself(d) && d.ValidatorAddress == validator })
}

func (s *sim) itself(d stakingtypes.Delegation) bool {
	return s.byText[d.DelegatorAddress].validator() == d.ValidatorAddress
}

func editValidator(s *sim) sdk.Msg {
	o := s.operator(nil)
	if o == nil {
		return nil
	}
	m := &stakingtypes.MsgEditValidator{ValidatorAddress: o.validator(), Description: stakingtypes.Description{Moniker: "edited"}}
	if s.n(3) == 0 {
		rate := sdkmath.LegacyNewDecWithPrec(int64(s.n(18)), 2)
		m.CommissionRate = &rate
	}
	return m
}

// anyValidator picks one, jailed ones too.
func (s *sim) anyValidator() string {
	return s.view.validators[s.n(len(s.view.validators))].OperatorAddress
}

func delegate(s *sim) sdk.Msg {
	from := s.rich(60 * tao)
	if from == nil {
		return nil
	}
	return stakingtypes.NewMsgDelegate(from.text, s.anyValidator(), coin(int64(1+s.n(50*tao))))
}

// delegation picks somebody's, but the rock's own.
func (s *sim) delegation() (d stakingtypes.Delegation, rao int64, ok bool) {
	for range 15 {
		d = s.view.delegations[s.n(len(s.view.delegations))]
		if s.view.locked[d.DelegatorAddress] || d.DelegatorAddress == s.rock().text || s.prefer != nil && s.prefer.text != d.DelegatorAddress {
			continue
		}
		if s.itself(d) && s.n(8) > 0 {
			continue
		}
		return d, d.Shares.TruncateInt64(), true
	}
	return d, 0, false
}

func undelegate(s *sim) sdk.Msg {
	d, rao, ok := s.delegation()
	if !ok {
		return nil
	}
	return stakingtypes.NewMsgUndelegate(d.DelegatorAddress, d.ValidatorAddress, coin(int64(s.part(uint64(rao)))))
}

func redelegate(s *sim) sdk.Msg {
	d, rao, ok := s.delegation()
	to := s.anyValidator()
	if !ok || to == d.ValidatorAddress {
		return nil
	}
	return stakingtypes.NewMsgBeginRedelegate(d.DelegatorAddress, d.ValidatorAddress, to, coin(int64(s.part(uint64(rao)))))
}

func cancelUnbonding(s *sim) sdk.Msg {
	if len(s.view.unbondings) == 0 {
		return nil
	}
	u := s.view.unbondings[s.n(len(s.view.unbondings))]
	e := u.Entries[s.n(len(u.Entries))]
	if !e.Balance.IsPositive() {
		return nil
	}
	return stakingtypes.NewMsgCancelUnbondingDelegation(u.DelegatorAddress, u.ValidatorAddress, e.CreationHeight, coin(int64(s.part(e.Balance.Uint64()))))
}

func rotate(s *sim) sdk.Msg {
	o := s.operator(func(v stakingtypes.Validator) bool { return v.IsBonded() })
	if o == nil || o == s.rock() {
		return nil
	}
	return &stakingtypes.MsgRotateConsPubKey{ValidatorAddress: o.validator(), NewPubkey: s.newKey()}
}

func unjail(s *sim) sdk.Msg {
	o := s.operator(func(v stakingtypes.Validator) bool {
		if !v.Jailed {
			return false
		}
		at := must1(v.GetConsAddr())
		return !s.comet.twice[string(at)] && s.comet.down[string(at)] <= s.comet.height && s.bondsItself(v.OperatorAddress)
	})
	if o == nil {
		return nil
	}
	return slashingtypes.NewMsgUnjail(o.validator())
}

// submitEvidence is refused whatever it says: evidence comes by CometBFT alone.
func submitEvidence(s *sim) sdk.Msg {
	m, err := evidencetypes.NewMsgSubmitEvidence(s.anybody().addr, &evidencetypes.Equivocation{
		Height: max(1, s.comet.height-2), Time: s.comet.time, Power: 1, ConsensusAddress: sdk.ConsAddress(s.comet.now[0].address).String(),
	})
	must(err)
	return m
}

func (t table) distribution() {
	t.add(&distrtypes.MsgSetWithdrawAddress{}, 6, setWithdrawAddress)
	t.add(&distrtypes.MsgWithdrawDelegatorReward{}, 20, withdrawReward)
	t.add(&distrtypes.MsgWithdrawValidatorCommission{}, 6, withdrawCommission)
	t.add(&distrtypes.MsgFundCommunityPool{}, 5, fundPool)
	t.add(&distrtypes.MsgDepositValidatorRewardsPool{}, 5, depositRewards)
}

func setWithdrawAddress(s *sim) sdk.Msg {
	d, _, ok := s.delegation()
	if !ok {
		return nil
	}
	return &distrtypes.MsgSetWithdrawAddress{DelegatorAddress: d.DelegatorAddress, WithdrawAddress: s.anybody().text}
}

func withdrawReward(s *sim) sdk.Msg {
	d, _, ok := s.delegation()
	if !ok {
		return nil
	}
	return distrtypes.NewMsgWithdrawDelegatorReward(d.DelegatorAddress, d.ValidatorAddress)
}

func withdrawCommission(s *sim) sdk.Msg {
	o := s.operator(nil)
	if o == nil {
		return nil
	}
	return distrtypes.NewMsgWithdrawValidatorCommission(o.validator())
}

func fundPool(s *sim) sdk.Msg {
	from := s.rich(20 * tao)
	if from == nil {
		return nil
	}
	return distrtypes.NewMsgFundCommunityPool(coins(int64(1+s.n(5*tao))), from.text)
}

func depositRewards(s *sim) sdk.Msg {
	from := s.rich(20 * tao)
	if from == nil {
		return nil
	}
	return distrtypes.NewMsgDepositValidatorRewardsPool(from.text, s.anyValidator(), coins(int64(1+s.n(tao))))
}
