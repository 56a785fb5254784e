package sim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/voucher"
	markettypes "github.com/lodenet/lode/x/market/types"
)

func (t table) market() {
	t.add(&markettypes.MsgListService{}, 30, listService)
	t.add(&markettypes.MsgUnlistService{}, 5, unlistService)
	t.add(&markettypes.MsgOfferPlan{}, 14, offerPlan)
	t.add(&markettypes.MsgRetirePlan{}, 6, retirePlan)
	t.add(&markettypes.MsgDeposit{}, 90, depositForService)
	t.add(&markettypes.MsgRedeem{}, 90, redeem)
	t.add(&markettypes.MsgClose{}, 30, closeChannel)
	t.add(&markettypes.MsgCancelPlan{}, 12, cancelPlan)
	t.add(&markettypes.MsgSetRevenueSplit{}, 8, setRevenueSplit)
}

// sessionKey is the one that signs the vouchers of a payer's new channel, whoever opens it.
func sessionKey(payer string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("lode simulation: session of " + payer))
	return ed25519.NewKeyFromSeed(seed[:])
}

// seller is who signs for a hotkey: it or its coldkey.
func (s *sim) seller(hotkey string) string {
	if cold := s.view.coldkey[hotkey]; s.n(2) == 0 && !s.view.locked[cold] {
		return cold
	}
	return hotkey
}

func listService(s *sim) sdk.Msg {
	n, x, ok := s.neuron(all)
	if !ok {
		return nil
	}
	kind := s.n(3)
	return &markettypes.MsgListService{
		Signer: s.seller(x.Hotkey), Hotkey: x.Hotkey, Netuid: n.Netuid, Name: fmt.Sprint("service ", kind), Description: "of a simulation",
		Endpoint: "https://lode.example/v1", Unit: markettypes.Unit(1 + kind), Price: uint64(1 + s.n(tao)), Per: uint64(1 + s.n(1_000)),
	}
}

// service picks one that will do; nil if there is none.
func (s *sim) service(will func(markettypes.Service) bool) *markettypes.Service {
	return pick(s, s.view.market.Services, will)
}

// pick picks one of a list that will do; nil if there is none.
func pick[T any](s *sim, of []T, will func(T) bool) *T {
	var fit []*T
	for i := range of {
		if will(of[i]) {
			fit = append(fit, &of[i])
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[s.n(len(fit))]
}

func listed(x markettypes.Service) bool { return x.Listed }

func unlistService(s *sim) sdk.Msg {
	x := s.service(listed)
	if x == nil {
		return nil
	}
	return &markettypes.MsgUnlistService{Signer: s.seller(s.view.hotkey[x.Provider]), ServiceId: x.Id}
}

func offerPlan(s *sim) sdk.Msg {
	x := s.service(func(x markettypes.Service) bool { return x.Listed && x.Plans < s.view.market.Params.MaxPlans })
	if x == nil {
		return nil
	}
	return &markettypes.MsgOfferPlan{
		Signer: s.seller(s.view.hotkey[x.Provider]), ServiceId: x.Id, Name: "plan",
		Price: uint64(1 + s.n(3*tao)), Period: int64(4 + s.n(20)), Quota: uint64(1 + s.n(1_000)),
	}
}

func retirePlan(s *sim) sdk.Msg {
	p := pick(s, s.view.market.Plans, func(p markettypes.Plan) bool { return p.Offered })
	if p == nil {
		return nil
	}
	x := s.service(func(x markettypes.Service) bool { return x.Id == p.ServiceId })
	return &markettypes.MsgRetirePlan{Signer: s.seller(s.view.hotkey[x.Provider]), PlanId: p.Id}
}

// depositForService opens a channel to a service or a plan, or puts more into one.
func depositForService(s *sim) sdk.Msg {
	from := s.rich(20 * tao)
	if from == nil {
		return nil
	}
	m := &markettypes.MsgDeposit{Payer: from.text, Amount: uint64(tao/100 + s.n(5*tao))}
	if s.n(4) == 0 {
		c := pick(s, s.view.market.Channels, func(c markettypes.Channel) bool { return c.Payer == from.text && !c.Closing() })
		if c == nil {
			return nil
		}
		m.ChannelId = c.Id
		return m
	}
	key := sessionKey(from.text)
	m.SessionKey, m.CloseDelay = public(key), int64(2+s.n(20))
	s.sessions[string(m.SessionKey)] = key
	if s.n(2) == 0 {
		if p := pick(s, s.view.market.Plans, func(p markettypes.Plan) bool { return p.Offered }); p != nil {
			m.ServiceId, m.PlanId, m.MaxPrice = p.ServiceId, p.Id, p.Price
			m.Amount = max(m.Amount, p.Price*uint64(1+s.n(3)))
			return m
		}
	}
	x := s.service(listed)
	if x == nil {
		return nil
	}
	m.ServiceId = x.Id
	return m
}

func public(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

// channel picks an open one.
func (s *sim) channel(will func(markettypes.Channel) bool) *markettypes.Channel {
	return pick(s, s.view.market.Channels, will)
}

func any1(markettypes.Channel) bool { return true }

// redeem claims by vouchers of one or more channels of a provider; now and then one is
// bad, stale or too much.
func redeem(s *sim) sdk.Msg {
	first := s.channel(func(c markettypes.Channel) bool { return c.Subscription != nil || c.Left() > 0 })
	if first == nil {
		return nil
	}
	m := &markettypes.MsgRedeem{Signer: s.seller(s.view.hotkey[first.Provider])}
	m.Items = append(m.Items, s.voucherOf(*first))
	for range s.n(6) {
		c := s.channel(any1)
		if c.Provider == first.Provider || s.n(10) == 0 {
			m.Items = append(m.Items, s.voucherOf(*c))
		}
	}
	return m
}

func (s *sim) voucherOf(c markettypes.Channel) markettypes.RedeemItem {
	claim := c.Claimed + s.part(max(1, c.Left()))
	if u := c.Subscription; u != nil {
		claim = u.Used + s.part(u.Quota)
	}
	item := markettypes.RedeemItem{ChannelId: c.Id, Cumulative: claim + uint64(s.n(3)*s.n(1_000)), Claim: claim}
	switch s.n(25) {
	case 0:
		item.Claim = item.Cumulative + 1
	case 1:
		item.Claim /= 2
	}
	key, ok := s.sessions[string(c.SessionKey)]
	if !ok {
		key = sessionKey(c.Payer) // the opening's message was spoilt: nobody has the right one
	}
	item.Signature = voucher.Voucher{ChannelID: c.Id, Cumulative: item.Cumulative}.Sign(chainID, key)
	if s.n(25) == 0 {
		item.Signature[s.n(len(item.Signature))] ^= 1
	}
	return item
}

func closeChannel(s *sim) sdk.Msg {
	c := s.channel(func(c markettypes.Channel) bool { return !c.Closing() && !s.view.locked[c.Payer] })
	if c == nil {
		return nil
	}
	signer := c.Payer
	switch {
	case s.n(4) == 0:
		signer = s.seller(s.view.hotkey[c.Provider])
	case c.Spender != "" && s.n(2) == 0:
		signer = c.Spender
	}
	return &markettypes.MsgClose{Signer: signer, ChannelId: c.Id}
}

func cancelPlan(s *sim) sdk.Msg {
	c := s.channel(func(c markettypes.Channel) bool {
		return c.Subscription != nil && !c.Closing() && !s.view.locked[c.Payer]
	})
	if c == nil {
		return nil
	}
	return &markettypes.MsgCancelPlan{Signer: c.Payer, ChannelId: c.Id, Now: s.n(2) == 0}
}

func setRevenueSplit(s *sim) sdk.Msg {
	n := s.net(func(n *net) bool { return !s.view.locked[n.owner] })
	if n == nil {
		return nil
	}
	return &markettypes.MsgSetRevenueSplit{Coldkey: n.owner, Netuid: n.Netuid, Split: s.split()}
}

func (s *sim) split() markettypes.RevenueSplit {
	p := markettypes.RevenueSplit{Burn: uint32(s.n(250_000)), Miners: uint32(s.n(150_000)), Owner: uint32(s.n(100_000))}
	p.Provider = markettypes.Million - p.Burn - p.Miners - p.Owner
	return p
}

// spendAuthorization lets somebody pay services for another.
func (s *sim) spendAuthorization(spender *person) *markettypes.SpendAuthorization {
	a := &markettypes.SpendAuthorization{Spender: spender.text, Limit: uint64(tao + s.n(100*tao))}
	if s.n(2) == 0 {
		a.PerPeriod, a.Period = uint64(1+s.n(20*tao)), int64(1+s.n(20))
	}
	if s.n(3) == 0 && len(s.view.nets) > 0 {
		a.Netuids = []uint32{s.view.nets[s.n(len(s.view.nets))].Netuid}
	}
	return a
}
