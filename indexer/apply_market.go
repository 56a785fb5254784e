package indexer

// marketEvent applies events of the market.
func (s *state) marketEvent(e *event) {
	switch e.Type {
	case "lode.market.v1.EventServiceListed":
		id := e.number("service_id")
		n, hot, uid := s.subnet(e), e.text("hotkey"), e.number("uid")
		name, endpoint, unit, price, per := e.text("name"), e.text("endpoint"), e.text("unit"), e.number("price"), e.number("per")
		description, terms := e.text("description"), e.text("terms")
		if e.err != nil {
			return
		}
		v := s.service(id)
		v.subnet, v.hotkey, v.uid, v.name, v.endpoint, v.unit = n.id, s.id(hot), uid, clone(name), clone(endpoint), clone(unit)
		v.price, v.per, v.description, v.terms, v.listed, v.height = price, per, clone(description), clone(terms), true, s.block.height
	case "lode.market.v1.EventServiceUnlisted":
		if id := e.number("service_id"); e.err == nil {
			s.service(id).listed = false
		}
	case "lode.market.v1.EventPlanOffered":
		id, service, name, price, period, quota := e.number("plan_id"), e.number("service_id"), e.text("name"), e.number("price"), e.height("period"), e.number("quota")
		if e.err != nil {
			return
		}
		p := s.plan(id)
		p.service, p.name, p.price, p.period, p.quota, p.offered = service, clone(name), price, period, quota, true
	case "lode.market.v1.EventPlanRetired":
		if id := e.number("plan_id"); e.err == nil {
			s.plan(id).offered = false
		}
	case "lode.market.v1.EventDeposited":
		id, payer, hot, service, plan, deposit := e.text("channel_id"), e.text("payer"), e.text("hotkey"), e.number("service_id"), e.number("plan_id"), e.number("deposit")
		if e.err != nil {
			return
		}
		c := s.channel(id)
		c.payer, c.hotkey, c.service, c.plan, c.deposit = s.id(payer), s.id(hot), service, plan, deposit
		if c.opened == 0 {
			c.opened = s.block.height
		}
	case "lode.market.v1.EventRedeemed":
		s.redeemed(e)
	case "lode.market.v1.EventClosed":
		id, payer, claimed := e.text("channel_id"), e.text("payer"), e.number("claimed")
		if e.err != nil {
			return
		}
		c := s.channel(id)
		c.claimed, c.closed = claimed, s.block.height
		s.labelOf(payer, "refund")
	case "lode.market.v1.EventChannelMoved":
		id, payer := e.text("channel_id"), e.text("new_payer")
		if e.err != nil {
			return
		}
		s.channel(id).payer = s.id(payer)
	case "lode.market.v1.EventOwnerPaid":
		n, cold, rao := s.subnet(e), e.text("coldkey"), e.number("amount")
		if e.err != nil {
			return
		}
		s.labelOf(cold, "owner")
		s.payment(cold, "owner", n.id, 0, rao)
	}
}

func (s *state) redeemed(e *event) {
	n, id, hot, cold, service := s.subnet(e), e.text("channel_id"), e.text("hotkey"), e.text("coldkey"), e.number("service_id")
	paid, provider, claimed := e.number("paid"), e.number("provider"), e.number("claimed")
	if e.err != nil {
		return
	}
	s.channel(id).claimed = claimed
	v := s.service(service)
	v.revenue = s.plus(e, v.revenue, paid)
	n.revenue = s.plus(e, n.revenue, paid)
	s.brought(n, paid)
	s.labelOf(cold, "sale")
	s.payment(cold, "sale", n.id, s.id(hot), provider)
}

type service struct {
	id, subnet, hotkey, uid uint64
	name, endpoint, unit    string
	price, per              uint64
	description, terms      string
	listed                  bool
	height                  int64
	revenue                 uint64
	dirty                   bool
}

type plan struct {
	id, service  uint64
	name         string
	price, quota uint64
	period       int64
	offered      bool
	dirty        bool
}

type channel struct {
	id                           string
	payer, hotkey, service, plan uint64
	deposit, claimed             uint64
	opened, closed               int64
	dirty                        bool
}

// service, plan and channel are ones that are about to change.
func (s *state) service(id uint64) *service {
	v := entry(s.services, id, func() *service { return &service{id: id} })
	touch(&s.dirtyServices, &v.dirty, v)
	return v
}

func (s *state) plan(id uint64) *plan {
	p := entry(s.plans, id, func() *plan { return &plan{id: id} })
	touch(&s.dirtyPlans, &p.dirty, p)
	return p
}

func (s *state) channel(id string) *channel {
	c := s.channels[id]
	if c == nil {
		c = &channel{id: clone(id)}
		s.channels[c.id] = c
	}
	touch(&s.dirtyChannels, &c.dirty, c)
	return c
}
