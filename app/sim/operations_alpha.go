package sim

import (
	sdk "github.com/cosmos/cosmos-sdk/types"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

const anyPrice = 1 << 62 // rao a whole alpha: a limit that never holds

func (t table) alpha() {
	t.add(&alphatypes.MsgBindHotkey{}, 25, bind)
	t.add(&alphatypes.MsgStake{}, 110, stake)
	t.add(&alphatypes.MsgUnstake{}, 70, unstake)
	t.add(&alphatypes.MsgUnstakeAll{}, 15, unstakeAll)
	t.add(&alphatypes.MsgMoveStake{}, 35, moveStake)
	t.add(&alphatypes.MsgSwapStake{}, 40, swapStake)
	t.add(&alphatypes.MsgTransferStake{}, 35, transferStake)
	t.add(&alphatypes.MsgSetTake{}, 15, setTake)
	t.add(&alphatypes.MsgSetChildren{}, 40, setChildren)
	t.add(&alphatypes.MsgSetChildkeyTake{}, 15, setChildkeyTake)
	t.add(&alphatypes.MsgSetDestination{}, 15, setDestination)
	t.add(&alphatypes.MsgBurnAlpha{}, 12, burnAlpha)
	t.add(&alphatypes.MsgRecycleAlpha{}, 12, recycleAlpha)
	t.add(&alphatypes.MsgClaim{}, 60, claim) // there is hardly ever something to claim
}

// bind gives a coldkey a hotkey that nobody has; where there are none left, one is
// made, and a faucet's coin is on it later.
func bind(s *sim) sdk.Msg {
	for range 8 {
		h := s.hot[s.n(len(s.hot))]
		if s.prefer != nil && s.n(2) == 0 {
			h = s.prefer
		}
		if s.view.coldkey[h.text] == "" {
			return &alphatypes.MsgBindHotkey{Coldkey: s.coldkey().text, Hotkey: h.text}
		}
	}
	if len(s.hot)+len(s.cold) < most {
		s.addHot()
	}
	return nil
}

func (s *sim) limit() (price uint64, partial bool) {
	if s.n(5) == 0 { // one that may hold
		return uint64(tao/2 + s.n(2*tao)), s.n(2) == 0
	}
	return anyPrice, s.n(2) == 0
}

func stake(s *sim) sdk.Msg {
	n := s.net(started)
	rao := int64(tao/100 + s.n(30*tao))
	cold := s.rich(rao)
	if n == nil || cold == nil || len(s.view.alpha.Hotkeys) == 0 {
		return nil
	}
	hot := n.neurons[s.n(len(n.neurons))].Hotkey
	if s.n(8) == 0 {
		hot = s.view.alpha.Hotkeys[s.n(len(s.view.alpha.Hotkeys))].Hotkey
	}
	m := &alphatypes.MsgStake{Coldkey: cold.text, Hotkey: hot, Netuid: n.Netuid, Tao: uint64(rao)}
	m.LimitPrice, m.AllowPartial = s.limit()
	return m
}

func unstake(s *sim) sdk.Msg {
	h, ok := s.stake(false)
	if !ok || !h.net.Started() {
		return nil
	}
	return &alphatypes.MsgUnstake{
		Coldkey: h.cold.text, Hotkey: h.hot.text, Netuid: h.net.Netuid, Alpha: s.part(h.alpha), LimitPrice: uint64(1 + s.n(2)*s.n(tao/2)), AllowPartial: s.n(2) == 0,
	}
}

func unstakeAll(s *sim) sdk.Msg {
	h, ok := s.stake(false)
	if !ok || !h.net.Started() {
		return nil
	}
	m := &alphatypes.MsgUnstakeAll{Coldkey: h.cold.text, Hotkey: h.hot.text, AllowPartial: s.n(2) == 0}
	for _, n := range s.view.nets {
		if n.Started() && (n == h.net || s.n(3) == 0) {
			m.Subnets = append(m.Subnets, alphatypes.SubnetLimit{Netuid: n.Netuid, LimitPrice: 1})
		}
	}
	return m
}

func moveStake(s *sim) sdk.Msg {
	h, ok := s.stake(false)
	if !ok {
		return nil
	}
	to := h.net.neurons[s.n(len(h.net.neurons))].Hotkey
	if to == h.hot.text {
		return nil
	}
	return &alphatypes.MsgMoveStake{Coldkey: h.cold.text, Netuid: h.net.Netuid, FromHotkey: h.hot.text, ToHotkey: to, Alpha: s.part(h.alpha)}
}

func swapStake(s *sim) sdk.Msg {
	h, ok := s.stake(false)
	if !ok || !h.net.Started() {
		return nil
	}
	to := s.net(func(n *net) bool { return n.Started() && n != h.net })
	if to == nil {
		return nil
	}
	m := &alphatypes.MsgSwapStake{
		Coldkey: h.cold.text, FromHotkey: h.hot.text, FromNetuid: h.net.Netuid, ToHotkey: to.neurons[s.n(len(to.neurons))].Hotkey, ToNetuid: to.Netuid,
		Alpha: s.part(h.alpha), SellLimitPrice: 1,
	}
	m.BuyLimitPrice, m.AllowPartial = s.limit()
	return m
}

func transferStake(s *sim) sdk.Msg {
	h, ok := s.stake(false)
	to := s.cold[s.n(len(s.cold))]
	if !ok || to == h.cold {
		return nil
	}
	return &alphatypes.MsgTransferStake{Coldkey: h.cold.text, ToColdkey: to.text, Hotkey: h.hot.text, Netuid: h.net.Netuid, Alpha: s.part(h.alpha)}
}

func setTake(s *sim) sdk.Msg {
	hot, cold := s.binding()
	if hot == nil {
		return nil
	}
	return &alphatypes.MsgSetTake{Coldkey: cold.text, Hotkey: hot.text, Take: uint32(s.n(180_001))}
}

func setChildren(s *sim) sdk.Msg {
	n, x, ok := s.neuron(all)
	if !ok {
		return nil
	}
	hot := s.byText[x.Hotkey]
	cold := s.byText[s.view.coldkey[hot.text]]
	if s.n(4) == 0 {
		hot, cold = s.binding() // most likely one that is not registered
	}
	if hot == nil || cold == nil {
		return nil
	}
	m := &alphatypes.MsgSetChildren{Coldkey: cold.text, Hotkey: hot.text, Netuid: n.Netuid}
	if s.n(8) == 0 {
		return m // ends what it lends
	}
	left := 1_000_000
	seen := map[string]bool{hot.text: true}
	for range 1 + s.n(4) {
		child := n.neurons[s.n(len(n.neurons))].Hotkey
		if seen[child] || left < 2 {
			continue
		}
		seen[child] = true
		part := 1 + s.n(left-1)
		left -= part
		m.Children = append(m.Children, alphatypes.Child{Hotkey: child, Proportion: uint32(part)})
	}
	if len(m.Children) == 0 {
		return nil
	}
	return m
}

func setChildkeyTake(s *sim) sdk.Msg {
	hot, cold := s.binding()
	n := s.net(nil)
	if hot == nil || n == nil {
		return nil
	}
	return &alphatypes.MsgSetChildkeyTake{Coldkey: cold.text, Hotkey: hot.text, Netuid: n.Netuid, Take: uint32(s.n(180_001))}
}

func setDestination(s *sim) sdk.Msg {
	hot, cold := s.binding()
	if hot == nil {
		return nil
	}
	m := &alphatypes.MsgSetDestination{Coldkey: cold.text, Hotkey: hot.text}
	if s.n(4) == 0 {
		return m
	}
	for range 20 {
		if h := s.view.alpha.Hotkeys[s.n(len(s.view.alpha.Hotkeys))]; h.Coldkey == cold.text {
			m.Destination = h.Hotkey
			return m
		}
	}
	return nil
}

func burnAlpha(s *sim) sdk.Msg {
	h, ok := s.stake(false)
	if !ok {
		return nil
	}
	return &alphatypes.MsgBurnAlpha{Coldkey: h.cold.text, Hotkey: h.hot.text, Netuid: h.net.Netuid, Alpha: max(1, h.alpha/uint64(10+s.n(100)))}
}

func recycleAlpha(s *sim) sdk.Msg {
	h, ok := s.stake(false)
	if !ok {
		return nil
	}
	return &alphatypes.MsgRecycleAlpha{Coldkey: h.cold.text, Hotkey: h.hot.text, Netuid: h.net.Netuid, Alpha: max(1, h.alpha/uint64(10+s.n(100)))}
}

// claim asks for the part of somebody in a removed subnet's pot, where the blocks since
// have not paid everybody.
func claim(s *sim) sdk.Msg {
	for _, r := range s.view.unpaid {
		if m := s.claimFrom(r.SubnetId, s.coldkey()); m != nil {
			return m
		}
	}
	return nil
}

// claimFrom asks for the part of one of a subnet's holders; nil if there are none.
func (s *sim) claimFrom(subnetID uint64, sender *person) sdk.Msg {
	v := &s.view
	var there []alphatypes.Position
	for _, p := range v.alpha.Positions {
		if p.SubnetId == subnetID {
			there = append(there, p)
		}
	}
	for range min(20, len(there)) {
		p := there[s.n(len(there))]
		hot, cold := s.byText[v.hotkey[p.Hotkey]], s.byText[p.Coldkey]
		if hot == nil || cold == nil || must1(s.nodes[0].Alpha.StakeOf(v.ctx, subnetID, hot.addr, cold.addr)) == 0 {
			continue // it was paid, or sold
		}
		return &alphatypes.MsgClaim{Sender: sender.text, SubnetId: subnetID, Coldkey: p.Coldkey}
	}
	return nil
}

// withClaim lets who takes another subnet's place pay one of its holders in the same
// transaction: the end of the block pays 200, who are mostly all.
func (s *sim) withClaim(msgs []sdk.Msg) []sdk.Msg {
	for _, m := range msgs {
		create, ok := m.(*subnetstypes.MsgCreateSubnet)
		if !ok || s.byText[create.Coldkey] == nil || s.n(3) == 0 {
			continue
		}
		order := must1(s.nodes[0].Subnets.RemovalOrder(s.view.ctx))
		full := len(order) >= int(must1(s.nodes[0].Subnets.Params(s.view.ctx)).MaxSubnets)
		if !full || order[0].ImmuneUntilHeight > 0 {
			return msgs // nobody has to go, or nobody can
		}
		if c := s.claimFrom(order[0].SubnetId, s.byText[create.Coldkey]); c != nil {
			msgs = append(msgs, c)
		}
		return msgs
	}
	return msgs
}
