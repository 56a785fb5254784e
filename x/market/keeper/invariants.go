package keeper

import (
	"bytes"
	"context"
	"errors"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// CheckInvariants tests what must hold after every block (protocol.md §9): the module
// account holds what is left of the deposits and what of the revenue waits, to the rao;
// the parts of revenue sum to it; counters and indexes agree with the records; in live
// subnets a listed service is of the neuron that holds the uid.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	held := sdkmath.ZeroInt()
	channels, err := k.checkChannels(ctx, &held)
	if err != nil {
		return err
	}
	if err := k.checkRevenues(ctx, &held); err != nil {
		return err
	}
	if has := k.bank.GetBalance(ctx, k.account, types.Denom).Amount; !has.Equal(held) {
		return broken("the module account holds %s rao, the deposits and what waits of the revenue sum to %s", has, held)
	}
	return k.checkServices(ctx, channels)
}

func broken(format string, args ...any) error {
	return types.ErrInvariantBroken.Wrapf(format, args...)
}

// counts are how many open channels there are of services, and subscriptions of plans.
type counts struct{ ofService, ofPlan map[uint64]uint32 }

func (k Keeper) checkChannels(ctx context.Context, held *sdkmath.Int) (n counts, err error) {
	n = counts{map[uint64]uint32{}, map[uint64]uint32{}}
	channels, err := values(ctx, k.channels)
	if err != nil {
		return n, err
	}
	has := func(key collections.KeySet[channelOf]) func(context.Context, channelOf) error {
		return func(ctx context.Context, at channelOf) error {
			ok, err := key.Has(ctx, at)
			if err == nil && !ok {
				err = broken("channel %x is not among those of %x", at.K2(), at.K1().Bytes())
			}
			return err
		}
	}
	looks := 0
	for _, c := range channels {
		if err := k.checkChannel(ctx, c); err != nil {
			return n, err
		}
		if err := k.index(ctx, c, has(k.byPayer), has(k.byProvider)); err != nil {
			return n, err
		}
		if c.LookTime != 0 {
			looks++
		}
		*held = held.Add(sdkmath.NewIntFromUint64(c.Left()))
		n.ofService[c.ServiceId]++
		if c.Subscription != nil {
			n.ofPlan[c.Subscription.PlanId]++
		}
	}
	for _, index := range []struct {
		name string
		keys collections.KeySet[channelOf]
	}{{"payers", k.byPayer}, {"providers", k.byProvider}} {
		entries := 0
		if err := index.keys.Walk(ctx, nil, func(channelOf) (bool, error) { entries++; return false, nil }); err != nil {
			return n, err
		}
		if entries != len(channels) {
			return n, broken("the index of %s has %d entries, there are %d channels", index.name, entries, len(channels))
		}
	}
	err = k.looks.Walk(ctx, nil, func(look) (bool, error) { looks--; return false, nil })
	if err == nil && looks != 0 {
		err = broken("the queue of channels has %d entries too many", -looks)
	}
	return n, err
}

func (k Keeper) checkChannel(ctx context.Context, c types.Channel) error {
	if err := c.Validate(); err != nil {
		return broken("%s", err)
	}
	if c.LookTime == 0 {
		return nil
	}
	ok, err := k.looks.Has(ctx, collections.Join(c.LookTime, c.Id))
	if err == nil && !ok {
		err = broken("channel %x is not in the queue at second %d", c.Id, c.LookTime)
	}
	return err
}

func (k Keeper) checkRevenues(ctx context.Context, held *sdkmath.Int) error {
	revenues, err := values(ctx, k.revenues)
	if err != nil {
		return err
	}
	waiting := 0
	for _, r := range revenues {
		if _, err := k.subnets.Subnet(ctx, r.SubnetId); err != nil {
			return broken("there is revenue of subnet id %d: %s", r.SubnetId, err)
		}
		if r.Parted() != r.Total {
			return broken("the revenue of subnet id %d is %d rao, its parts sum to %d", r.SubnetId, r.Total, r.Parted())
		}
		has, err := k.waiting.Has(ctx, r.SubnetId)
		if err != nil {
			return err
		}
		if has != (r.Pending() > 0) {
			return broken("%d rao of subnet id %d's revenue wait; in the index: %v", r.Pending(), r.SubnetId, has)
		}
		if has {
			waiting++
		}
		*held = held.Add(sdkmath.NewIntFromUint64(r.Pending()))
	}
	err = k.waiting.Walk(ctx, nil, func(uint64) (bool, error) { waiting--; return false, nil })
	if err == nil && waiting != 0 {
		err = broken("the index of waiting revenue has %d entries too many", -waiting)
	}
	if err != nil {
		return err
	}
	splits, err := values(ctx, k.splits)
	if err != nil {
		return err
	}
	for _, s := range splits {
		if _, err := k.subnets.Subnet(ctx, s.SubnetId); err != nil {
			return broken("there is a split of subnet id %d: %s", s.SubnetId, err)
		}
	}
	return nil
}

func (k Keeper) checkServices(ctx context.Context, n counts) error {
	services, err := values(ctx, k.services)
	if err != nil {
		return err
	}
	names, listed, plans := 0, 0, 0
	for _, s := range services {
		if s.Channels != n.ofService[s.Id] {
			return broken("service %d counts %d channels, there are %d", s.Id, s.Channels, n.ofService[s.Id])
		}
		delete(n.ofService, s.Id)
		if err := k.checkService(ctx, s, n, &plans); err != nil {
			return err
		}
		names++
		if s.Listed {
			listed++
		}
	}
	if len(n.ofService)+len(n.ofPlan) > 0 {
		return broken("channels of %d services and of %d plans that are not there", len(n.ofService), len(n.ofPlan))
	}
	if err := k.names.Walk(ctx, nil, func(nameOf, uint64) (bool, error) { names--; return false, nil }); err != nil {
		return err
	}
	if err := k.listed.Walk(ctx, nil, func(listedAt) (bool, error) { listed--; return false, nil }); err != nil {
		return err
	}
	if err := k.plans.Walk(ctx, nil, func(uint64, types.Plan) (bool, error) { plans--; return false, nil }); err != nil {
		return err
	}
	if names != 0 || listed != 0 || plans != 0 {
		return broken("the indexes of services have %d names, %d listings and %d plans too many", -names, -listed, -plans)
	}
	return nil
}

func (k Keeper) checkService(ctx context.Context, s types.Service, n counts, counted *int) error {
	account, err := k.addressOf("account", s.Provider)
	if err != nil {
		return err
	}
	if id, ok, err := found(k.names.Get(ctx, collections.Join3(s.SubnetId, account, s.Name))); err != nil {
		return err
	} else if !ok || id != s.Id {
		return broken("the name of service %d leads to service %d", s.Id, id)
	}
	plans, err := k.plansOfService(ctx, s.Id)
	if err != nil {
		return err
	}
	if int(s.Plans) != len(plans) {
		return broken("service %d counts %d plans, there are %d", s.Id, s.Plans, len(plans))
	}
	*counted += len(plans)
	for _, p := range plans {
		if p.Subscriptions != n.ofPlan[p.Id] || p.ServiceId != s.Id || !p.Offered && p.Subscriptions == 0 || p.Offered && !s.Listed {
			return broken("plan %d of service %d counts %d subscriptions, there are %d; offered: %v; listed: %v", p.Id, s.Id, p.Subscriptions, n.ofPlan[p.Id], p.Offered, s.Listed)
		}
		delete(n.ofPlan, p.Id)
	}
	if !s.Listed {
		if s.Channels == 0 && s.Plans == 0 {
			return broken("service %d is kept for nothing", s.Id)
		}
		return nil
	}
	if ok, err := k.listed.Has(ctx, collections.Join3(s.SubnetId, s.Uid, s.Id)); err != nil {
		return err
	} else if !ok {
		return broken("service %d is not in the index of uid %d", s.Id, s.Uid)
	}
	neuron, err := k.subnets.Neuron(ctx, s.SubnetId, s.Uid)
	if errors.Is(err, subnetstypes.ErrNoSubnet) {
		return nil // the sweep comes to it
	}
	if err != nil {
		return err
	}
	hotkey, err := k.addressOf("hotkey", neuron.Hotkey)
	if err != nil {
		return err
	}
	holds, err := k.alpha.Account(ctx, hotkey)
	if err == nil && !bytes.Equal(holds, account) {
		err = broken("service %d is listed by %s, uid %d is %s", s.Id, s.Provider, s.Uid, neuron.Hotkey)
	}
	return err
}
