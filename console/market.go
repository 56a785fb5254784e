package console

import (
	"context"
	"encoding/base64"
	"encoding/hex"

	markettypes "github.com/lodenet/lode/x/market/types"
)

type serviceJSON struct {
	ID            uint64     `json:"id,string"`
	Netuid        uint32     `json:"netuid"`
	SubnetID      uint64     `json:"subnet_id"`
	UID           uint32     `json:"uid"`
	Name          string     `json:"name"`
	Description   string     `json:"description"`
	Endpoint      string     `json:"endpoint"`
	Buyable       bool       `json:"buyable"`
	Unit          string     `json:"unit"`
	PriceRao      uint64     `json:"price_rao,string"`
	Per           uint64     `json:"per,string"`
	Counted       string     `json:"counted"`
	UnitParts     uint64     `json:"unit_parts"`
	Terms         string     `json:"terms"`
	Hotkey        string     `json:"hotkey"`
	Coldkey       string     `json:"coldkey"`
	Listed        bool       `json:"listed"`
	Channels      uint32     `json:"channels"`
	UpdatedHeight int64      `json:"updated_height"`
	Plans         []planJSON `json:"plans"`
}

type planJSON struct {
	ID            uint64 `json:"id,string"`
	Name          string `json:"name"`
	PriceRao      uint64 `json:"price_rao,string"`
	PeriodSeconds int64  `json:"period_seconds"`
	Quota         uint64 `json:"quota,string"`
	Subscriptions uint32 `json:"subscriptions"`
}

func (s *Server) newService(a *ask, local bool, info markettypes.ServiceInfo) serviceJSON {
	m := info.Service
	v := serviceJSON{
		ID: m.Id, Netuid: m.Netuid, SubnetID: m.SubnetId, UID: m.Uid, Name: m.Name, Description: m.Description, Endpoint: m.Endpoint,
		Buyable: m.Listed && reachable(m.Endpoint, local && servesLoopback(a.Request)), Unit: m.Unit.Word(), PriceRao: m.Price, Per: m.Per,
		Terms: m.Terms, Hotkey: info.Hotkey, Coldkey: info.Coldkey, Listed: m.Listed, Channels: m.Channels, UpdatedHeight: m.UpdatedHeight, Plans: []planJSON{},
	}
	v.Counted, v.UnitParts = m.Unit.Count()
	for _, p := range info.Plans {
		v.Plans = append(v.Plans, planJSON{p.Id, p.Name, p.Price, p.Period, p.Quota, p.Subscriptions})
	}
	return v
}

func (s *Server) services(ctx context.Context, a *ask) (any, error) {
	limit, key, err := a.page(ofServices)
	if err != nil {
		return nil, err
	}
	netuid, _, err := a.optional("netuid", 1, 65535)
	if err != nil {
		return nil, err
	}
	hotkey := a.query.Get("hotkey")
	if hotkey != "" {
		if hotkey, err = checkAddress(hotkey); err != nil {
			return nil, err
		}
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	local, err := s.local(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.client.Market().Services(ctx, &markettypes.QueryServicesRequest{Netuid: uint32(netuid), Hotkey: hotkey, Pagination: pageRequest(key, limit)})
	if err != nil {
		return nil, err
	}
	list := []serviceJSON{}
	for _, info := range r.Services {
		list = append(list, s.newService(a, local, info))
	}
	return struct {
		at
		Items []serviceJSON `json:"items"`
		Next  string        `json:"next"`
	}{now, list, pageAfter(r.Pagination, ofServices)}, nil
}

// local says whether the chain is one of `lode up`.
func (s *Server) local(ctx context.Context) (bool, error) {
	id, err := s.client.ChainID(ctx)
	return isLocal(id), err
}

func (s *Server) service(ctx context.Context, a *ask) (any, error) {
	id, err := number("service", a.PathValue("id"), 1, 1<<63-1)
	if err != nil {
		return nil, err
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	local, err := s.local(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.client.Market().Service(ctx, &markettypes.QueryServiceRequest{ServiceId: id})
	if err != nil {
		return nil, err
	}
	v := struct {
		at
		serviceJSON
		SubnetName string  `json:"subnet_name"`
		Neuron     *Neuron `json:"neuron"`
	}{at: now, serviceJSON: s.newService(a, local, r.Service)}
	m, err := s.client.Metagraph(ctx, v.Netuid)
	switch {
	case err != nil:
		if failureOf(err).code != "not_found" { // else the subnet is gone
			return nil, err
		}
	case m.Subnet.Id == v.SubnetID:
		v.SubnetName = m.Subnet.Name
		for i := range m.Neurons {
			if m.Neurons[i].Hotkey == v.Hotkey {
				n := NewNeuron(&m.Neurons[i])
				v.Neuron = &n
			}
		}
	}
	return v, nil
}

type channelPlanJSON struct {
	ID            uint64 `json:"id,string"`
	PriceRao      uint64 `json:"price_rao,string"`
	PeriodSeconds int64  `json:"period_seconds"`
	Quota         uint64 `json:"quota,string"`
	Used          uint64 `json:"used,string"`
	UsedBefore    uint64 `json:"used_before,string"`
	PeriodStart   string `json:"period_start"`
	PeriodEnd     string `json:"period_end"`
	Cancelled     bool   `json:"cancelled"`
}

type channelJSON struct {
	ChannelID         string           `json:"channel_id"`
	Payer             string           `json:"payer"`
	Provider          string           `json:"provider"`
	Netuid            uint32           `json:"netuid"`
	ServiceID         uint64           `json:"service_id,string"`
	SessionKey        string           `json:"session_key"`
	DepositRao        uint64           `json:"deposit_rao,string"`
	ClaimedRao        uint64           `json:"claimed_rao,string"`
	CloseDelaySeconds int64            `json:"close_delay_seconds"`
	OpenedHeight      int64            `json:"opened_height"`
	ClosingTime       *string          `json:"closing_time"`
	ClosingHeight     *int64           `json:"closing_height"`
	Agent             *string          `json:"agent"`
	Plan              *channelPlanJSON `json:"plan"`
}

func newChannel(c markettypes.Channel) channelJSON {
	v := channelJSON{
		ChannelID: hex.EncodeToString(c.Id), Payer: c.Payer, Provider: c.Provider, Netuid: c.Netuid, ServiceID: c.ServiceId,
		SessionKey: base64.StdEncoding.EncodeToString(c.SessionKey), DepositRao: c.Deposit, ClaimedRao: c.Claimed, CloseDelaySeconds: c.CloseDelay,
		OpenedHeight: c.OpenedHeight, ClosingTime: timeOrNull(c.ClosingTime), ClosingHeight: orNull(c.ClosingHeight), Agent: orNone(c.Spender),
	}
	if p := c.Subscription; p != nil {
		v.Plan = &channelPlanJSON{
			ID: p.PlanId, PriceRao: p.Price, PeriodSeconds: p.Period, Quota: p.Quota, Used: p.Used - min(p.UsedBefore, p.Used), UsedBefore: p.UsedBefore,
			PeriodStart: unix(p.PeriodStart), PeriodEnd: unix(p.PeriodEnd), Cancelled: p.Cancelled,
		}
	}
	return v
}

func (s *Server) channels(ctx context.Context, a *ask) (any, error) {
	address, err := a.address()
	if err != nil {
		return nil, err
	}
	limit, key, err := a.page(ofChannels)
	if err != nil {
		return nil, err
	}
	ctx, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.client.Market().Channels(ctx, &markettypes.QueryChannelsRequest{Payer: address, Pagination: pageRequest(key, limit)})
	if err != nil {
		return nil, err
	}
	list := []channelJSON{}
	for _, c := range r.Channels {
		list = append(list, newChannel(c))
	}
	return struct {
		at
		Items []channelJSON `json:"items"`
		Next  string        `json:"next"`
	}{now, list, pageAfter(r.Pagination, ofChannels)}, nil
}
