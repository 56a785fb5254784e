package sim

import (
	"bytes"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	alphakeeper "github.com/lodenet/lode/x/alpha/keeper"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	collateraltypes "github.com/lodenet/lode/x/collateral/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	seedtypes "github.com/lodenet/lode/x/seed/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// view is the last block's state as those who act see it. What costs more to read is
// read every few blocks: people act on what they saw a while ago.
type view struct {
	ctx     sdk.Context
	nets    []*net
	alpha   *alphatypes.GenesisState
	subnets *subnetstypes.GenesisState
	claims  *collateraltypes.GenesisState
	market  *markettypes.GenesisState
	vrf     *seedtypes.GenesisState
	unpaid  []alphatypes.RetiredPool // removed subnets whose holders are not all paid

	account map[string]string // the account of stakes, by its hotkey
	hotkey  map[string]string // and the other way round
	coldkey map[string]string // of a hotkey
	locked  map[string]bool   // coldkeys whose swap is announced

	validators  []stakingtypes.Validator
	delegations []stakingtypes.Delegation
	unbondings  []stakingtypes.UnbondingDelegation
	proposals   []*govv1.Proposal
	grants      []grant
	allowances  []feegrant.Grant
}

// net is a subnet with who is in it.
type net struct {
	subnetstypes.Subnet
	owner     string // coldkey
	neurons   []subnetstypes.Neuron
	permitted []subnetstypes.Neuron
	epoch     weightstypes.EpochState
}

type grant struct {
	granter, grantee, url string
}

// context is one on a node's state after the last block.
func (s *sim) context(r *replica) sdk.Context {
	return r.NewContextLegacy(true, cmtproto.Header{ChainID: chainID, Height: s.comet.height, Time: s.comet.time})
}

// look reads the state.
func (s *sim) look() {
	a := s.nodes[0]
	v := &s.view
	v.ctx = s.context(a)
	if s.comet.height%3 == 1 || v.alpha == nil {
		s.lookFar()
	}
	v.nets = nil
	for _, sub := range must1(a.Subnets.Subnets(v.ctx)) {
		n := &net{Subnet: sub, neurons: must1(a.Subnets.Neurons(v.ctx, sub.Id))}
		n.owner = must1(a.Alpha.Coldkey(v.ctx, s.byText[sub.OwnerHotkey].addr)).String()
		n.epoch, _ = must2(a.Weights.EpochState(v.ctx, sub.Id))
		for _, x := range n.neurons {
			if must1(a.Weights.Permitted(v.ctx, sub.Id, x.Uid)) {
				n.permitted = append(n.permitted, x)
			}
		}
		v.nets = append(v.nets, n)
	}
	v.unpaid = nil
	for _, r := range must1(alphakeeper.NewQuerier(a.Alpha).Retired(v.ctx, &alphatypes.QueryRetiredRequest{})).Pools {
		if !r.Settled {
			v.unpaid = append(v.unpaid, r)
		}
	}
	v.proposals = nil
	must(a.Gov.Proposals.Walk(v.ctx, nil, func(_ uint64, p govv1.Proposal) (bool, error) {
		if p.Status == govv1.StatusVotingPeriod || p.Status == govv1.StatusDepositPeriod {
			v.proposals = append(v.proposals, &p)
		}
		return false, nil
	}))
}

func (s *sim) lookFar() {
	a, v := s.nodes[0], &s.view
	v.alpha = must1(a.Alpha.ExportGenesis(v.ctx))
	v.subnets = must1(a.Subnets.ExportGenesis(v.ctx))
	v.claims = must1(a.Collateral.ExportGenesis(v.ctx))
	v.market = must1(a.Market.ExportGenesis(v.ctx))
	v.vrf = must1(a.Seed.ExportGenesis(v.ctx))
	v.account, v.hotkey, v.coldkey, v.locked = map[string]string{}, map[string]string{}, map[string]string{}, map[string]bool{}
	for _, h := range v.alpha.Hotkeys {
		at := h.Account
		if at == "" {
			at = h.Hotkey
		}
		v.account[h.Hotkey], v.hotkey[at], v.coldkey[h.Hotkey] = at, h.Hotkey, h.Coldkey
	}
	for _, c := range v.alpha.ColdkeySwaps {
		v.locked[c.Coldkey] = true
	}
	v.validators = must1(a.Staking.GetAllValidators(v.ctx))
	v.delegations = must1(a.Staking.GetAllDelegations(v.ctx))
	v.unbondings = nil
	must(a.Staking.IterateUnbondingDelegations(v.ctx, func(_ int64, u stakingtypes.UnbondingDelegation) bool {
		v.unbondings = append(v.unbondings, u)
		return false
	}))
	v.grants = nil
	a.Authz.IterateGrants(v.ctx, func(granter, grantee sdk.AccAddress, g authz.Grant) bool {
		v.grants = append(v.grants, grant{granter.String(), grantee.String(), must1(g.GetAuthorization()).MsgTypeURL()})
		return false
	})
	v.allowances = nil
	must(a.FeeGrant.IterateAllFeeAllowances(v.ctx, func(g feegrant.Grant) bool {
		v.allowances = append(v.allowances, g)
		return false
	}))
}

func must2[A, B any](a A, b B, err error) (A, B) {
	must(err)
	return a, b
}

// balance is what somebody has.
func (s *sim) balance(p *person) int64 { // rao
	return s.nodes[0].Bank.GetBalance(s.view.ctx, p.addr, alphatypes.Denom).Amount.Int64()
}

// holder is somebody's stake.
type holder struct {
	net       *net
	hot, cold *person
	alpha     uint64
	own       bool // on a hotkey of its own
}

// stake picks a stake in a subnet that is there; of coldkeys that are free to act.
func (s *sim) stake(own bool) (h holder, ok bool) {
	v := &s.view
	if len(v.alpha.Positions) == 0 {
		return h, false
	}
	for range 30 {
		p := v.alpha.Positions[s.n(len(v.alpha.Positions))]
		hot := s.byText[v.hotkey[p.Hotkey]]
		h = holder{net: s.netOf(p.SubnetId), hot: hot, cold: s.byText[p.Coldkey]}
		if h.net == nil || hot == nil || h.cold == nil || v.locked[p.Coldkey] || s.prefer != nil && h.cold != s.prefer {
			continue
		}
		h.own = v.coldkey[hot.text] == p.Coldkey
		if own && !h.own {
			continue
		}
		h.alpha = must1(s.nodes[0].Alpha.StakeOf(v.ctx, p.SubnetId, hot.addr, h.cold.addr))
		if h.alpha > 0 {
			return h, true
		}
	}
	return h, false
}

func (s *sim) netOf(id uint64) *net {
	for _, n := range s.view.nets {
		if n.Id == id {
			return n
		}
	}
	return nil
}

// net picks a subnet; nil if there is none that will do.
func (s *sim) net(will func(*net) bool) *net {
	var fit []*net
	for _, n := range s.view.nets {
		if will == nil || will(n) {
			fit = append(fit, n)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[s.n(len(fit))]
}

func started(n *net) bool { return n.Started() }

// binding picks a bound hotkey with its coldkey, which is free to act.
func (s *sim) binding() (hot, cold *person) {
	for range 20 {
		if len(s.view.alpha.Hotkeys) == 0 {
			return nil, nil
		}
		h := s.view.alpha.Hotkeys[s.n(len(s.view.alpha.Hotkeys))]
		if s.view.locked[h.Coldkey] || s.prefer != nil && h.Coldkey != s.prefer.text && h.Hotkey != s.prefer.text {
			continue
		}
		return s.byText[h.Hotkey], s.byText[h.Coldkey]
	}
	return nil, nil
}

// neuron picks one of a subnet.
func (s *sim) neuron(of func(*net) []subnetstypes.Neuron) (*net, subnetstypes.Neuron, bool) {
	n := s.net(func(n *net) bool { return len(of(n)) > 0 })
	if n == nil {
		return nil, subnetstypes.Neuron{}, false
	}
	list := of(n)
	if s.prefer != nil {
		for _, x := range list {
			if x.Hotkey == s.prefer.text || s.view.coldkey[x.Hotkey] == s.prefer.text {
				return n, x, true
			}
		}
	}
	return n, list[s.n(len(list))], true
}

func all(n *net) []subnetstypes.Neuron { return n.neurons }

func (n *net) has(hotkey string) bool {
	for _, x := range n.neurons {
		if x.Hotkey == hotkey {
			return true
		}
	}
	return false
}

// cold picks a coldkey that is free to act.
func (s *sim) coldkey() *person {
	if s.prefer != nil {
		return s.prefer
	}
	for range 10 {
		if c := s.cold[s.n(len(s.cold))]; !s.view.locked[c.text] {
			return c
		}
	}
	return s.cold[0]
}

// rich picks a coldkey that can spend so much.
func (s *sim) rich(rao int64) *person {
	for range 15 {
		if c := s.coldkey(); s.balance(c) > rao {
			return c
		}
	}
	return nil
}

// anybody picks a person, of those who are there.
func (s *sim) anybody() *person {
	if s.n(3) > 0 {
		return s.cold[s.n(len(s.cold))]
	}
	return s.hot[s.n(len(s.hot))]
}

// operator picks who runs a chain validator.
func (s *sim) operator(will func(stakingtypes.Validator) bool) *person {
	var fit []*person
	for _, v := range s.view.validators {
		at, err := sdk.ValAddressFromBech32(v.OperatorAddress)
		must(err)
		for _, o := range s.operators() {
			if bytes.Equal(o.addr, at) && (will == nil || will(v)) && (s.prefer == nil || s.prefer == o) {
				fit = append(fit, o)
			}
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[s.n(len(fit))]
}

func (s *sim) n(n int) int { return s.rng.IntN(n) }

// part of an amount: often a little, now and then all.
func (s *sim) part(of uint64) uint64 {
	switch s.n(6) {
	case 0:
		return of
	case 1:
		return of / 2
	}
	return max(1, of/uint64(2+s.n(40)))
}

func (s *sim) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.n(256))
	}
	return b
}
