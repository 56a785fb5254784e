package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/market/types"
)

// Reasons for which a service is listed no more.
const (
	withdrawn     = "withdrawn"
	neuronGone    = "neuron_gone"
	subnetRemoved = "subnet_removed"
)

// ListService offers a service of a neuron's, or changes the one of that name. What
// was opened for it goes on: a change of price binds nobody, since vouchers say what
// is paid.
func (k msgServer) ListService(ctx context.Context, m *types.MsgListService) (*types.MsgListServiceResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, err := k.subnets.SubnetByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	hotkey, err := k.addressOf("hotkey", m.Hotkey)
	if err != nil {
		return nil, err
	}
	p, err := k.party(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	if err := k.signed(p, m.Signer); err != nil {
		return nil, err
	}
	neuron, err := k.subnets.NeuronByHotkey(ctx, s.Id, hotkey)
	if err != nil {
		return nil, err
	}
	if err := types.CheckEndpoint(hotkey, m.Endpoint); err != nil {
		return nil, err
	}
	service, err := k.named(ctx, collections.Join3(s.Id, p.account, m.Name), p)
	if err != nil {
		return nil, err
	}
	if service.Plans > 0 && service.Unit != m.Unit {
		return nil, types.ErrUnit.Wrapf("service %d has %d plans whose quotas are in %s: retire them, or list the service under another name", service.Id, service.Plans, service.Unit.Word())
	}
	if service.Listed {
		if err := k.listed.Remove(ctx, collections.Join3(s.Id, service.Uid, service.Id)); err != nil {
			return nil, err
		}
	}
	service.Netuid, service.Uid, service.Listed = s.Netuid, neuron.Uid, true
	service.Description, service.Endpoint, service.Terms = m.Description, m.Endpoint, m.Terms
	service.Unit, service.Price, service.Per = m.Unit, m.Price, m.Per
	service.UpdatedHeight, _ = now(ctx)
	if err := k.setService(ctx, service); err != nil {
		return nil, err
	}
	return &types.MsgListServiceResponse{ServiceId: service.Id}, emit(ctx, &types.EventServiceListed{
		ServiceId: service.Id, SubnetId: s.Id, Netuid: s.Netuid, Hotkey: p.hotkeyText, Name: service.Name, Endpoint: service.Endpoint,
		Unit: service.Unit.Word(), Price: service.Price, Per: service.Per, Description: service.Description, Terms: service.Terms, Uid: service.Uid,
	})
}

// named is the provider's service of a name in a subnet, or a new one of its.
func (k Keeper) named(ctx context.Context, at nameOf, p party) (service types.Service, err error) {
	id, ok, err := found(k.names.Get(ctx, at))
	if err != nil {
		return service, err
	}
	if ok {
		return k.services.Get(ctx, id)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return service, err
	}
	n := uint32(0)
	err = k.names.Walk(ctx, collections.NewSuperPrefixedTripleRange[uint64, sdk.AccAddress, string](at.K1(), p.account), func(nameOf, uint64) (bool, error) {
		n++
		return n >= params.MaxServices, nil
	})
	if err != nil {
		return service, err
	}
	if n >= params.MaxServices {
		return service, types.ErrTooMany.Wrapf("%s has %d services in this subnet, the most (max_services): change one, or withdraw one and wait until its channels are closed", p.hotkeyText, n)
	}
	service = types.Service{SubnetId: at.K1(), Provider: p.accountText, Name: at.K3()}
	if service.Id, err = next(ctx, k.nextServiceID); err != nil {
		return service, err
	}
	return service, k.names.Set(ctx, at, service.Id)
}

// UnlistService withdraws a service and ends the offer of its plans.
func (k msgServer) UnlistService(ctx context.Context, m *types.MsgUnlistService) (*types.MsgUnlistServiceResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	service, _, err := k.ownService(ctx, m.ServiceId, m.Signer)
	if err != nil {
		return nil, err
	}
	if !service.Listed {
		return nil, types.ErrNotListed.Wrapf("service %d was withdrawn before: its open channels and subscriptions go on", service.Id)
	}
	_, err = k.unlist(ctx, service, withdrawn)
	return &types.MsgUnlistServiceResponse{}, err
}

// unlist withdraws a listed service, and returns how many records that touched.
func (k Keeper) unlist(ctx context.Context, service types.Service, reason string) (touched int, err error) {
	plans, err := k.plansOfService(ctx, service.Id)
	if err != nil {
		return 0, err
	}
	for _, plan := range plans {
		if !plan.Offered {
			continue
		}
		touched++
		if err := k.retire(ctx, &service, plan); err != nil {
			return touched, err
		}
	}
	if err := k.listed.Remove(ctx, collections.Join3(service.SubnetId, service.Uid, service.Id)); err != nil {
		return touched, err
	}
	service.Listed = false
	if err := k.setService(ctx, service); err != nil {
		return touched, err
	}
	return touched + 1, emit(ctx, &types.EventServiceUnlisted{
		ServiceId: service.Id, SubnetId: service.SubnetId, Netuid: service.Netuid, Reason: reason,
	})
}

// service is one that is kept: listed, or with channels or plans that go on.
func (k Keeper) service(ctx context.Context, id uint64) (types.Service, error) {
	s, ok, err := found(k.services.Get(ctx, id))
	if err == nil && !ok {
		err = types.ErrNoService.Wrapf("service %d: the query services lists those that there are", id)
	}
	return s, err
}

// ownService is a service of the signer's.
func (k Keeper) ownService(ctx context.Context, id uint64, signer string) (types.Service, party, error) {
	s, err := k.service(ctx, id)
	if err != nil {
		return s, party{}, err
	}
	p, err := k.provider(ctx, s.Provider)
	if err != nil {
		return s, p, err
	}
	return s, p, k.signed(p, signer)
}

// setService stores a service, or forgets it where it is not listed and nothing goes on.
func (k Keeper) setService(ctx context.Context, s types.Service) error {
	if s.Listed {
		if err := k.listed.Set(ctx, collections.Join3(s.SubnetId, s.Uid, s.Id)); err != nil {
			return err
		}
	}
	if s.Listed || s.Channels > 0 || s.Plans > 0 {
		return k.services.Set(ctx, s.Id, s)
	}
	account, err := k.addressOf("account", s.Provider)
	if err != nil {
		return err
	}
	if err := k.names.Remove(ctx, collections.Join3(s.SubnetId, account, s.Name)); err != nil {
		return err
	}
	return k.services.Remove(ctx, s.Id)
}
