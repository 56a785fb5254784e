package sim

import (
	"bytes"
	"slices"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	govv1beta1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1beta1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func (t table) gov() {
	t.add(&govv1.MsgSubmitProposal{}, 14, submitProposal)
	t.add(&govv1.MsgDeposit{}, 8, deposit)
	t.add(&govv1.MsgVote{}, 60, vote)
	t.add(&govv1.MsgVoteWeighted{}, 8, voteWeighted)
	t.add(&govv1.MsgCancelProposal{}, 2, cancelProposal)
	t.add(&govv1beta1.MsgSubmitProposal{}, 3, submitLegacy)
	t.add(&govv1beta1.MsgDeposit{}, 3, depositLegacy)
	t.add(&govv1beta1.MsgVote{}, 8, voteLegacy)
	t.add(&govv1beta1.MsgVoteWeighted{}, 5, voteWeightedLegacy)
}

func submitProposal(s *sim) sdk.Msg {
	from := s.rich(50 * tao)
	if from == nil || len(s.view.proposals) > 6 {
		return nil
	}
	var msgs []sdk.Msg
	for range 1 + s.n(5)/4 {
		m := s.laws.draw(s)
		if s.n(6) == 0 { // governance sets hyperparameters too
			if h, ok := setHyperparameter(s).(*subnetstypes.MsgSetHyperparameter); ok {
				h.Signer = authority
				m = h
			}
		}
		if m == nil {
			return nil
		}
		if s.n(20) == 0 {
			s.spoilMessage(m)
		}
		msgs = append(msgs, m)
	}
	expedited := s.n(4) == 0
	rao := int64(10 * tao)
	switch {
	case s.n(5) == 0:
		rao = int64(1 + s.n(10*tao)) // others are to add to it
	case expedited:
		rao = 30 * tao
	}
	m, err := govv1.NewMsgSubmitProposal(msgs, coins(rao), from.text, "", "a proposal", "of a simulation", expedited)
	if err != nil { // spoilt
		return nil
	}
	return m
}

// proposal picks one of a status.
func (s *sim) proposal(status govv1.ProposalStatus) *govv1.Proposal {
	var fit []*govv1.Proposal
	for _, p := range s.view.proposals {
		if p.Status == status {
			fit = append(fit, p)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[s.n(len(fit))]
}

func deposit(s *sim) sdk.Msg {
	p, from := s.proposal(govv1.StatusDepositPeriod), s.rich(50*tao)
	if p == nil || from == nil {
		return nil
	}
	return govv1.NewMsgDeposit(from.addr, p.Id, coins(int64(5*tao+s.n(25*tao))))
}

func depositLegacy(s *sim) sdk.Msg {
	p, from := s.proposal(govv1.StatusDepositPeriod), s.rich(50*tao)
	if p == nil || from == nil {
		return nil
	}
	return govv1beta1.NewMsgDeposit(from.addr, p.Id, coins(int64(1+s.n(20*tao))))
}

// voter is mostly who runs a validator.
func (s *sim) voter() *person {
	if s.n(6) == 0 {
		return s.coldkey()
	}
	if s.n(3) == 0 && s.prefer == nil {
		return s.rock()
	}
	return s.operator(func(v stakingtypes.Validator) bool { return v.IsBonded() })
}

func vote(s *sim) sdk.Msg {
	p, who := s.proposal(govv1.StatusVotingPeriod), s.voter()
	if p == nil || who == nil {
		return nil
	}
	option := govv1.OptionYes
	if s.n(8) == 0 {
		option = []govv1.VoteOption{govv1.OptionNo, govv1.OptionAbstain, govv1.OptionNoWithVeto}[s.n(3)]
	}
	return govv1.NewMsgVote(who.addr, p.Id, option, "")
}

func voteWeighted(s *sim) sdk.Msg {
	p, who := s.proposal(govv1.StatusVotingPeriod), s.voter()
	if p == nil || who == nil {
		return nil
	}
	return govv1.NewMsgVoteWeighted(who.addr, p.Id, govv1.WeightedVoteOptions{
		{Option: govv1.OptionYes, Weight: "0.8"}, {Option: govv1.OptionAbstain, Weight: "0.2"},
	}, "")
}

func voteLegacy(s *sim) sdk.Msg {
	p, who := s.proposal(govv1.StatusVotingPeriod), s.voter()
	if p == nil || who == nil {
		return nil
	}
	return govv1beta1.NewMsgVote(who.addr, p.Id, govv1beta1.OptionYes)
}

func voteWeightedLegacy(s *sim) sdk.Msg {
	p, who := s.proposal(govv1.StatusVotingPeriod), s.voter()
	if p == nil || who == nil {
		return nil
	}
	return govv1beta1.NewMsgVoteWeighted(who.addr, p.Id, govv1beta1.NewNonSplitVoteOption(govv1beta1.OptionYes))
}

func cancelProposal(s *sim) sdk.Msg {
	if len(s.view.proposals) == 0 {
		return nil
	}
	p := s.view.proposals[s.n(len(s.view.proposals))]
	return govv1.NewMsgCancelProposal(p.Id, p.Proposer)
}

func submitLegacy(s *sim) sdk.Msg {
	from := s.rich(50 * tao)
	if from == nil || len(s.view.proposals) > 6 {
		return nil
	}
	return must1(govv1beta1.NewMsgSubmitProposal(govv1beta1.NewTextProposal("a text", "of a simulation"), coins(10*tao), from.addr))
}

func (t table) grants() {
	t.add(&authz.MsgGrant{}, 12, grantAuthorization)
	t.add(&authz.MsgExec{}, 40, exec)
	t.add(&authz.MsgRevoke{}, 6, revokeAuthorization)
	t.add(&feegrant.MsgGrantAllowance{}, 8, grantAllowance)
	t.add(&feegrant.MsgRevokeAllowance{}, 5, revokeAllowance)
	t.add(&feegrant.MsgPruneAllowances{}, 2, pruneAllowances)
}

// grantAuthorization lets another do what the granter could do now.
func grantAuthorization(s *sim) sdk.Msg {
	m := s.lottery.draw(s)
	if m == nil {
		return nil
	}
	signers, _, err := s.enc.Codec.GetMsgV1Signers(m)
	if err != nil || len(signers) != 1 {
		return nil
	}
	granter, grantee := sdk.AccAddress(signers[0]), s.anybody()
	if bytes.Equal(granter, grantee.addr) {
		return nil
	}
	var a authz.Authorization = authz.NewGenericAuthorization(sdk.MsgTypeURL(m))
	switch s.n(6) {
	case 0:
		a = banktypes.NewSendAuthorization(coins(int64(1+s.n(20*tao))), nil)
	case 1:
		most := coin(int64(1 + s.n(50*tao)))
		b, err := stakingtypes.NewStakeAuthorization([]sdk.ValAddress{sdk.ValAddress(s.rock().addr)}, nil, stakingtypes.AuthorizationType_AUTHORIZATION_TYPE_DELEGATE, &most)
		must(err)
		a = b
	case 2:
		a = s.spendAuthorization(grantee)
	}
	var until *time.Time
	if s.n(3) > 0 {
		at := s.comet.time.Add(time.Duration(5+s.n(60)) * time.Second)
		until = &at
	}
	g, err := authz.NewMsgGrant(granter, grantee.addr, a, until)
	if err != nil {
		return nil
	}
	return g
}

// exec does by a grant what the granter could do; or, without any, one's own.
func exec(s *sim) sdk.Msg {
	if s.prefer != nil {
		return nil // not so deep
	}
	if len(s.view.grants) > 0 && s.n(3) > 0 {
		g := s.view.grants[s.n(len(s.view.grants))]
		make, granter, grantee := s.table[g.url].make, s.byText[g.granter], s.byText[g.grantee]
		if make == nil || granter == nil || grantee == nil {
			return nil
		}
		s.prefer = granter
		defer func() { s.prefer = nil }()
		for range 4 {
			if m := make(s); m != nil && s.signedBy(m, granter) {
				if d, ok := m.(*markettypes.MsgDeposit); ok {
					d.Spender = grantee.text
				}
				e := authz.NewMsgExec(grantee.addr, []sdk.Msg{m})
				return &e
			}
		}
		return nil
	}
	m := s.lottery.draw(s)
	if m == nil {
		return nil
	}
	signers, _, err := s.enc.Codec.GetMsgV1Signers(m)
	if err != nil || len(signers) != 1 {
		return nil
	}
	who := sdk.AccAddress(signers[0])
	if s.n(10) == 0 {
		who = s.anybody().addr // without a grant
	}
	e := authz.NewMsgExec(who, []sdk.Msg{m})
	return &e
}

func (s *sim) signedBy(m sdk.Msg, p *person) bool {
	signers, _, err := s.enc.Codec.GetMsgV1Signers(m)
	return err == nil && len(signers) == 1 && bytes.Equal(signers[0], p.addr)
}

func revokeAuthorization(s *sim) sdk.Msg {
	if len(s.view.grants) == 0 {
		return nil
	}
	g := s.view.grants[s.n(len(s.view.grants))]
	granter, grantee := must1(sdk.AccAddressFromBech32(g.granter)), must1(sdk.AccAddressFromBech32(g.grantee))
	m := authz.NewMsgRevoke(granter, grantee, g.url)
	return &m
}

func grantAllowance(s *sim) sdk.Msg {
	from, to := s.rich(20*tao), s.anybody()
	if from == nil || from == to || slices.ContainsFunc(s.view.allowances, func(a feegrant.Grant) bool { return a.Granter == from.text && a.Grantee == to.text }) {
		return nil
	}
	basic := feegrant.BasicAllowance{SpendLimit: coins(int64(10_000 + s.n(1_000_000)))}
	if s.n(2) == 0 {
		at := s.comet.time.Add(time.Duration(5+s.n(40)) * time.Second)
		basic.Expiration = &at
	}
	var a feegrant.FeeAllowanceI = &basic
	switch s.n(4) {
	case 0:
		a = &feegrant.PeriodicAllowance{Basic: basic, Period: 10 * time.Second, PeriodSpendLimit: coins(20_000), PeriodCanSpend: coins(20_000), PeriodReset: s.comet.time.Add(10 * time.Second)}
	case 1:
		allowed, err := feegrant.NewAllowedMsgAllowance(&basic, []string{sdk.MsgTypeURL(&banktypes.MsgSend{}), sdk.MsgTypeURL(&govv1.MsgVote{})})
		must(err)
		a = allowed
	}
	m, err := feegrant.NewMsgGrantAllowance(a, from.addr, to.addr)
	must(err)
	return m
}

func revokeAllowance(s *sim) sdk.Msg {
	if len(s.view.allowances) == 0 {
		return nil
	}
	a := s.view.allowances[s.n(len(s.view.allowances))]
	return &feegrant.MsgRevokeAllowance{Granter: a.Granter, Grantee: a.Grantee}
}

func pruneAllowances(s *sim) sdk.Msg {
	return &feegrant.MsgPruneAllowances{Pruner: s.coldkey().text}
}
