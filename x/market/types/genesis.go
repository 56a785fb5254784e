package types

import (
	"math/bits"

	"github.com/lodenet/lode/voucher"
)

// DefaultGenesis is a chain without services, of the mainnet profile.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams(), NextServiceId: 1, NextPlanId: 1}
}

// Validate checks that no record is there twice, and that services, plans, channels and
// revenue fit each other. Whether the coins are held the bank knows.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	services, err := g.validateServices()
	if err != nil {
		return err
	}
	plans, err := g.validatePlans(services)
	if err != nil {
		return err
	}
	if err := g.validateChannels(services, plans); err != nil {
		return err
	}
	return g.validateRevenues()
}

func (g GenesisState) validateServices() (map[uint64]Service, error) {
	type name struct {
		subnet         uint64
		provider, name string
	}
	services, names := map[uint64]Service{}, map[name]bool{}
	for _, s := range g.Services {
		at := name{s.SubnetId, s.Provider, s.Name}
		_, twice := services[s.Id]
		switch {
		case s.Id < 1 || s.Id >= g.NextServiceId || twice:
			return nil, ErrInvalidGenesis.Wrapf("service %d: there twice, or not from 1 to below next_service_id %d", s.Id, g.NextServiceId)
		case names[at]:
			return nil, ErrInvalidGenesis.Wrapf("service %d is the second of %s in subnet id %d with the name %q", s.Id, s.Provider, s.SubnetId, s.Name)
		case !s.Listed && s.Channels == 0 && s.Plans == 0:
			return nil, ErrInvalidGenesis.Wrapf("service %d is neither listed, nor has it channels or plans", s.Id)
		}
		m := MsgListService{Name: s.Name, Description: s.Description, Terms: s.Terms, Unit: s.Unit, Price: s.Price, Per: s.Per}
		if err := m.ValidateBasic(); err != nil {
			return nil, ErrInvalidGenesis.Wrapf("service %d: %s", s.Id, err)
		}
		services[s.Id], names[at] = s, true
	}
	return services, nil
}

func (g GenesisState) validatePlans(services map[uint64]Service) (map[uint64]Plan, error) {
	plans, of := map[uint64]Plan{}, map[uint64]uint32{}
	for _, p := range g.Plans {
		_, twice := plans[p.Id]
		s, ok := services[p.ServiceId]
		switch {
		case p.Id < 1 || p.Id >= g.NextPlanId || twice:
			return nil, ErrInvalidGenesis.Wrapf("plan %d: there twice, or not from 1 to below next_plan_id %d", p.Id, g.NextPlanId)
		case !ok || p.Offered && !s.Listed || !p.Offered && p.Subscriptions == 0:
			return nil, ErrInvalidGenesis.Wrapf("plan %d of service %d: of no service, offered of one that is not listed, or neither offered nor subscribed to", p.Id, p.ServiceId)
		}
		m := MsgOfferPlan{ServiceId: p.ServiceId, Name: p.Name, Price: p.Price, Period: p.Period, Quota: p.Quota}
		if err := m.ValidateBasic(); err != nil {
			return nil, ErrInvalidGenesis.Wrapf("plan %d: %s", p.Id, err)
		}
		plans[p.Id] = p
		of[p.ServiceId]++
	}
	for _, s := range g.Services {
		if s.Plans != of[s.Id] {
			return nil, ErrInvalidGenesis.Wrapf("service %d counts %d plans, there are %d", s.Id, s.Plans, of[s.Id])
		}
	}
	return plans, nil
}

func (g GenesisState) validateChannels(services map[uint64]Service, plans map[uint64]Plan) error {
	channels, ofService, ofPlan := map[string]bool{}, map[uint64]uint32{}, map[uint64]uint32{}
	for _, c := range g.Channels {
		s, ok := services[c.ServiceId]
		if channels[string(c.Id)] || !ok || s.Provider != c.Provider || s.SubnetId != c.SubnetId {
			return ErrInvalidGenesis.Wrapf("channel %x: there twice, of no service, or of one of somebody else", c.Id)
		}
		if err := c.Validate(); err != nil {
			return ErrInvalidGenesis.Wrap(err.Error())
		}
		channels[string(c.Id)] = true
		ofService[c.ServiceId]++
		if id := c.PlanID(); id != 0 {
			if plans[id].ServiceId != c.ServiceId {
				return ErrInvalidGenesis.Wrapf("channel %x pays plan %d, which service %d has not", c.Id, id, c.ServiceId)
			}
			ofPlan[id]++
		}
	}
	for _, s := range g.Services {
		if s.Channels != ofService[s.Id] {
			return ErrInvalidGenesis.Wrapf("service %d counts %d channels, there are %d", s.Id, s.Channels, ofService[s.Id])
		}
	}
	for _, p := range g.Plans {
		if p.Subscriptions != ofPlan[p.Id] {
			return ErrInvalidGenesis.Wrapf("plan %d counts %d subscriptions, there are %d", p.Id, p.Subscriptions, ofPlan[p.Id])
		}
	}
	return nil
}

// Validate checks that a channel can be.
func (c Channel) Validate() error {
	if len(c.Id) != voucher.IDSize {
		return ErrChannel.Wrapf("a channel's id has %d bytes, not %d", voucher.IDSize, len(c.Id))
	}
	if err := voucher.CheckKey(c.SessionKey); err != nil {
		return ErrChannel.Wrapf("channel %x: %s", c.Id, err)
	}
	switch {
	case c.Claimed > c.Deposit || c.Spent > c.Deposit || c.Spender == "" && c.Spent > 0:
		return ErrChannel.Wrapf("channel %x: %d rao claimed, and %d by an agent, of %d", c.Id, c.Claimed, c.Spent, c.Deposit)
	case c.CloseDelay < 1 || c.CloseDelay > MaxDelay || c.OpenedHeight < 0:
		return ErrChannel.Wrapf("channel %x: a close delay of %d seconds, opened in block %d", c.Id, c.CloseDelay, c.OpenedHeight)
	case c.ClosingTime < 0 || c.ClosingHeight < 0 || (c.ClosingTime == 0) != (c.ClosingHeight == 0):
		return ErrChannel.Wrapf("channel %x closes at second %d and block %d", c.Id, c.ClosingTime, c.ClosingHeight)
	case c.LookTime < 0 || (c.LookTime == 0) != (c.Subscription == nil && !c.Closing()):
		return ErrChannel.Wrapf("channel %x is to be looked at from second %d on", c.Id, c.LookTime)
	}
	s := c.Subscription
	if s == nil {
		return nil
	}
	most, over := bits.Add64(s.UsedBefore, s.Quota, 0)
	switch {
	case s.PlanId < 1 || s.Price < 1 || s.Quota < 1 || s.Period < 1 || s.Period > MaxDelay || s.PeriodEnd-s.PeriodStart != s.Period:
		return ErrChannel.Wrapf("channel %x: plan %d of %d rao for %d units in %d seconds, from second %d to %d", c.Id, s.PlanId, s.Price, s.Quota, s.Period, s.PeriodStart, s.PeriodEnd)
	case over != 0 || s.Used < s.UsedBefore || s.Used > most:
		return ErrChannel.Wrapf("channel %x: %d units used, this period's are from %d to %d", c.Id, s.Used, s.UsedBefore, most)
	case c.Left() < s.Price:
		return ErrChannel.Wrapf("channel %x: %d rao left, the period costs %d", c.Id, c.Left(), s.Price)
	}
	return nil
}

func (g GenesisState) validateRevenues() error {
	splits, revenues := map[uint64]bool{}, map[uint64]bool{}
	for _, s := range g.Splits {
		if splits[s.SubnetId] || s.Scheduled == nil {
			return ErrInvalidGenesis.Wrapf("the split of subnet id %d is there twice, or was never set", s.SubnetId)
		}
		splits[s.SubnetId] = true
		set := []RevenueSplit{s.Scheduled.Split}
		if s.Split != nil {
			set = append(set, *s.Split)
		}
		for _, split := range set {
			if err := split.Validate(); err != nil {
				return ErrInvalidGenesis.Wrapf("the split of subnet id %d: %s", s.SubnetId, err)
			}
		}
	}
	for _, r := range g.Revenues {
		if revenues[r.SubnetId] || r.Parted() != r.Total {
			return ErrInvalidGenesis.Wrapf("the revenue of subnet id %d is there twice, or its parts sum to %d, not to %d rao", r.SubnetId, r.Parted(), r.Total)
		}
		revenues[r.SubnetId] = true
	}
	return nil
}
