package indexer

import (
	"fmt"
	"math/big"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// alphaEvent applies x/alpha's events of pools, by the rules of its package comment.
func (s *state) alphaEvent(e *event) bool {
	switch e.Type {
	case "lode.alpha.v1.EventTrade":
		s.trade(e)
	case "lode.alpha.v1.EventAlphaMoved":
		n := s.subnet(e)
		from, to, alpha := e.text("from"), e.text("to"), e.number("alpha")
		if e.err != nil {
			break
		}
		n.moveAlpha(s, e, from, to, alpha)
	case "lode.alpha.v1.EventLiquidityAdded":
		n, tao := s.subnet(e), e.number("tao")
		if e.err != nil {
			break
		}
		n.tao = s.plus(e, n.tao, tao)
	case "lode.alpha.v1.EventPoolCreated":
		s.createPool(e)
	case "lode.alpha.v1.EventTradingStarted":
		n := s.subnet(e)
		if e.err != nil {
			break
		}
		n.trading = true
		s.priceMoved(n)
	case "lode.alpha.v1.EventPoolRetired":
		n := s.subnet(e)
		pot, all, recycled := e.number("pot"), e.number("total"), e.number("recycled")
		if e.err != nil {
			break
		}
		n.trading, n.pot, n.potTotal, n.potRecycled = false, pot, all, recycled
	case "lode.alpha.v1.EventPoolSettled":
		n, recycled := s.subnet(e), e.number("recycled")
		if e.err != nil {
			break
		}
		n.potRecycled = recycled
	case "lode.alpha.v1.EventHolderPaid":
		s.holderPaid(e)
	default:
		return false
	}
	return true
}

func (s *state) createPool(e *event) {
	id, netuid, tao := e.number("subnet_id"), e.number("netuid"), e.number("tao")
	if e.err == nil && s.subnets[id] != nil {
		e.fail("subnet_id", id)
	}
	if e.err != nil {
		return
	}
	s.addSubnet(&subnet{id: id, netuid: uint32(netuid), tao: tao, createdHeight: s.block.height, createdTime: s.block.nanos, movingPrice: "0"})
}

// addSubnet makes room for one.
func (s *state) addSubnet(n *subnet) {
	n.pools, n.growth, n.recent = map[uint64]*stakePool{}, map[uint64]*growth{}, map[uint64][]byte{}
	n.dirtyNeurons, n.newRecent, n.dirtyGrowth = map[uint32]bool{}, map[uint64]bool{}, map[uint64]bool{}
	n.newWeights = map[uint32]weightRow{}
	n.dirty = true
	s.subnets[n.id] = n
	if n.removed > 0 {
		return
	}
	for len(s.live) <= int(n.netuid) {
		s.live = append(s.live, nil)
	}
	s.live[n.netuid] = n
}

// moveAlpha is as alphatypes.Pool.MoveAlpha: out of issuance comes what is new.
func (n *subnet) moveAlpha(s *state, e *event, from, to string, alpha uint64) {
	a, b := n.alphaAt(from), n.alphaAt(to)
	if a == nil || b == nil {
		e.fail("from or to", from+" "+to)
		return
	}
	if from == string(alphatypes.Issuance) {
		*a = s.plus(e, *a, alpha)
	} else {
		*a = s.less(e, *a, alpha)
	}
	if to == string(alphatypes.Issuance) {
		*b = s.less(e, *b, alpha)
	} else {
		*b = s.plus(e, *b, alpha)
	}
}

func (s *state) trade(e *event) {
	n := s.subnet(e)
	t := trade{purchase: e.flag("purchase"), kind: e.text("reason"), tao: e.number("tao"), alpha: e.number("alpha"), fee: e.number("fee")}
	tao, reserve := e.number("tao_reserve"), e.number("alpha_reserve")
	if e.err != nil {
		return
	}
	if t.purchase {
		n.tao = s.plus(e, n.tao, t.tao)
	} else {
		n.tao = s.less(e, n.tao, t.tao)
	}
	if e.err == nil && (n.tao != tao || n.reserve != reserve) {
		e.err = fmt.Errorf("%w: %s of subnet id %d leaves %d rao and %d alpha, by the events before it there are %d and %d",
			ErrMalformed, e.Type, n.id, tao, reserve, n.tao, n.reserve)
	}
	s.priceMoved(n)
	switch t.kind {
	case alphatypes.ReasonStake, alphatypes.ReasonUnstake, alphatypes.ReasonSwap, alphatypes.ReasonRegistration:
	default:
		return // the chain's own
	}
	s.volume(n, t.tao)
	t.kind = clone(t.kind)
	t.subnet = n.id
	if t.purchase {
		s.block.bought = &t // whose it is comes next
		return
	}
	if r := s.block.removed; r != nil && r.subnet == n.id {
		t.owner, t.hotkey = r.coldkey, r.hotkey
	}
	s.addTrade(t)
}

// boughtBy completes a purchase.
func (s *state) boughtBy(n *subnet, hotkey, coldkey uint64) {
	if t := s.block.bought; t != nil && t.subnet == n.id {
		t.owner, t.hotkey = coldkey, hotkey
		s.addTrade(*t)
		s.block.bought = nil
	}
}

func (s *state) addTrade(t trade) {
	if t.owner > 0 {
		s.change(s.byID[t.owner-1]).traded = true
	}
	s.batch.add(tTrades, s.block.height, s.next(), s.block.idx, int64(t.subnet), int64(t.owner), int64(t.hotkey), flag(t.purchase), t.kind,
		put(t.tao), put(t.alpha), put(t.fee))
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (s *state) holderPaid(e *event) {
	n := s.subnet(e)
	hot, cold, tao := e.text("hotkey"), e.text("coldkey"), e.number("tao")
	if e.err != nil {
		return
	}
	n.potPaid = s.plus(e, n.potPaid, tao)
	s.labelOf(cold, "payout")
	s.payment(cold, "payout", n.id, s.id(hot), tao)
}

func (s *state) payment(to, kind string, subnet, hotkey, rao uint64) {
	if rao > 0 {
		s.batch.add(tPayments, int64(s.id(to)), s.block.height, s.next(), kind, int64(subnet), int64(hotkey), put(rao), put(0), int64(-1), put(0))
	}
}

// stakeEvent applies those of stakes.
func (s *state) stakeEvent(e *event) bool {
	switch e.Type {
	case "lode.alpha.v1.EventStakeAdded":
		s.stakeAdded(e)
	case "lode.alpha.v1.EventStakeRewarded":
		n, hot, alpha := s.subnet(e), e.text("hotkey"), e.number("alpha")
		if e.err != nil {
			break
		}
		p := s.pool(n, s.id(hot))
		if p.alpha > 0 {
			s.grow(n, p.hotkey, float64(alpha)/float64(p.alpha))
		}
		p.alpha = s.plus(e, p.alpha, alpha)
	case "lode.alpha.v1.EventStakeRemoved":
		s.stakeRemoved(e)
	case "lode.alpha.v1.EventStakeMoved":
		s.stakeMoved(e)
	case "lode.alpha.v1.EventStakeLocked", "lode.alpha.v1.EventStakeUnlocked":
		n, hot, cold, locked := s.subnet(e), e.text("hotkey"), e.text("coldkey"), e.number("locked")
		if e.err != nil {
			break
		}
		s.position(s.pool(n, s.id(hot)), s.id(cold)).locked = locked
	case "lode.alpha.v1.EventHotkeyBound":
		hot, cold := e.text("hotkey"), e.text("coldkey")
		if e.err != nil {
			break
		}
		h := s.hotkey(s.id(hot))
		before := h.coldkey
		h.coldkey = s.id(cold)
		if h.bound == 0 {
			h.bound = s.block.height
		}
		if before != 0 && before != h.coldkey {
			s.rebound(e, h)
		}
	case "lode.alpha.v1.EventTakeSet":
		hot, take := e.text("hotkey"), e.number("take")
		if e.err != nil {
			break
		}
		s.hotkey(s.id(hot)).take = int64(take)
	case "lode.alpha.v1.EventDestinationSet":
		hot, to := e.text("hotkey"), e.text("destination")
		if e.err != nil {
			break
		}
		s.hotkey(s.id(hot)).destination = s.id(to)
	case "lode.alpha.v1.EventHotkeysSwapped":
		a, b := e.text("hotkey"), e.text("new_hotkey")
		if e.err != nil {
			break
		}
		s.exchange(s.id(a), s.id(b))
	default:
		return false
	}
	return true
}

func (s *state) stakeAdded(e *event) {
	n := s.subnet(e)
	hot, cold, alpha, shares, reason := e.text("hotkey"), e.text("coldkey"), e.number("alpha"), e.integer("shares"), e.text("reason")
	if e.err != nil {
		return
	}
	p := s.pool(n, s.id(hot))
	at := s.position(p, s.id(cold))
	p.alpha = s.plus(e, p.alpha, alpha)
	p.shares.Add(p.shares, shares)
	at.shares.Add(at.shares, shares)
	switch reason {
	case alphatypes.ReasonStake, alphatypes.ReasonSwap:
		s.boughtBy(n, p.hotkey, at.coldkey)
		at.in += alpha
	case alphatypes.ReasonMove, alphatypes.ReasonTransfer:
		at.in += alpha
	case alphatypes.ReasonIncentive, alphatypes.ReasonRevenue:
		at.paid += alpha
	case alphatypes.ReasonOwnerCut:
		at.paid += alpha
		s.batch.add(tPayments, int64(at.coldkey), s.block.height, s.next(), "owner", int64(n.id), int64(p.hotkey), put(0), put(alpha), int64(n.epoch), put(n.worth(alpha)))
	} // takes count with dividends: what is worth more at the day's end
}

func (s *state) stakeRemoved(e *event) {
	n := s.subnet(e)
	hot, cold, alpha, shares, reason := e.text("hotkey"), e.text("coldkey"), e.number("alpha"), e.integer("shares"), e.text("reason")
	if e.err != nil {
		return
	}
	p := s.pool(n, s.id(hot))
	at := s.position(p, s.id(cold))
	if at.shares.Cmp(shares) < 0 {
		e.fail("shares", shares)
		return
	}
	at.shares.Sub(at.shares, shares)
	at.out += alpha
	if reason == alphatypes.ReasonRemoval { // a removed subnet's stake pools stay as they were
		at.locked = 0
		return
	}
	p.alpha = s.less(e, p.alpha, alpha)
	if p.shares.Cmp(shares) < 0 {
		e.fail("shares", shares)
		return
	}
	p.shares.Sub(p.shares, shares)
	s.block.removed = &stakeChange{n.id, p.hotkey, at.coldkey}
}

func (s *state) stakeMoved(e *event) {
	n := s.subnet(e)
	hot, cold, to, shares := e.text("hotkey"), e.text("coldkey"), e.text("new_coldkey"), e.integer("shares")
	if e.err != nil {
		return
	}
	p := s.pool(n, s.id(hot))
	a, b := s.position(p, s.id(cold)), s.position(p, s.id(to))
	if a.shares.Cmp(shares) < 0 {
		e.fail("shares", shares)
		return
	}
	alpha := p.share().Value(shares)
	a.shares.Sub(a.shares, shares)
	b.shares.Add(b.shares, shares)
	a.out += alpha
	b.in += alpha
	b.locked = s.plus(e, b.locked, a.locked)
	a.locked = 0
}

// exchange gives what is on two hotkeys to each other.
func (s *state) exchange(a, b uint64) {
	for _, n := range s.subnets {
		pa, pb := n.pools[a], n.pools[b]
		delete(n.pools, a)
		delete(n.pools, b)
		for _, to := range []struct {
			p      *stakePool
			hotkey uint64
		}{{pa, b}, {pb, a}} {
			if to.p == nil {
				continue
			}
			s.leave(to.p)
			to.p.hotkey = to.hotkey
			n.pools[to.hotkey] = to.p
		}
	}
	ha, hb := s.hotkey(a), s.hotkey(b)
	ha.take, hb.take = hb.take, ha.take
	ha.destination, hb.destination = hb.destination, ha.destination
	for _, h := range []*hotkey{ha, hb} {
		if h.destination == h.id {
			h.destination = 0
		}
	}
	for id, h := range s.hotkeys {
		if h.destination == a {
			s.hotkey(id).destination = b
		}
	}
}

// leave takes a stake pool's rows away; it is written anew under another key.
func (s *state) leave(p *stakePool) {
	if p.stored {
		s.batch.remove(tStakePools, int64(p.subnet.id), int64(p.hotkey))
		p.stored = false
	}
	s.touchPool(p)
	for _, at := range p.positions {
		if at.stored {
			s.batch.remove(tPositions, int64(p.subnet.id), int64(p.hotkey), int64(at.coldkey))
			at.stored = false
		}
		s.touchPosition(at)
	}
}

// zero says whether shares are none.
func zero(n *big.Int) bool { return n.Sign() == 0 }
