package keeper

import (
	"context"
	"encoding/hex"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/market/types"
)

// channel is an open one.
func (k Keeper) channel(ctx context.Context, id []byte) (types.Channel, error) {
	c, ok, err := found(k.channels.Get(ctx, id))
	if err == nil && !ok {
		err = types.ErrNoChannel.Wrapf("%x: it was never opened, or is closed; its events tell", id)
	}
	return c, err
}

// setChannel stores a channel, to be looked at from a time on; 0: never.
func (k Keeper) setChannel(ctx context.Context, c types.Channel, lookTime int64) error {
	if c.LookTime != lookTime {
		if err := k.unschedule(ctx, c); err != nil {
			return err
		}
		if lookTime != 0 {
			if err := k.looks.Set(ctx, collections.Join(lookTime, c.Id)); err != nil {
				return err
			}
		}
		c.LookTime = lookTime
	}
	return k.channels.Set(ctx, c.Id, c)
}

func (k Keeper) unschedule(ctx context.Context, c types.Channel) error {
	if c.LookTime == 0 {
		return nil
	}
	return k.looks.Remove(ctx, collections.Join(c.LookTime, c.Id))
}

// addChannel stores a new channel with its indexes.
func (k Keeper) addChannel(ctx context.Context, c types.Channel, lookTime int64) error {
	if err := k.index(ctx, c, k.byPayer.Set, k.byProvider.Set); err != nil {
		return err
	}
	return k.setChannel(ctx, c, lookTime)
}

// removeChannel forgets a channel, and what goes with it once it was the last.
func (k Keeper) removeChannel(ctx context.Context, c types.Channel) error {
	if err := k.unschedule(ctx, c); err != nil {
		return err
	}
	if err := k.index(ctx, c, k.byPayer.Remove, k.byProvider.Remove); err != nil {
		return err
	}
	if err := k.channels.Remove(ctx, c.Id); err != nil {
		return err
	}
	service, err := k.services.Get(ctx, c.ServiceId)
	if err != nil {
		return err
	}
	service.Channels--
	if c.Subscription != nil {
		plan, err := k.plans.Get(ctx, c.Subscription.PlanId)
		if err != nil {
			return err
		}
		plan.Subscriptions--
		if err := k.setPlan(ctx, &service, plan); err != nil {
			return err
		}
	}
	return k.setService(ctx, service)
}

// index does something with both index entries of a channel.
func (k Keeper) index(ctx context.Context, c types.Channel, ofPayer, ofProvider func(context.Context, channelOf) error) error {
	payer, err := k.addressOf("payer", c.Payer)
	if err != nil {
		return err
	}
	account, err := k.addressOf("account", c.Provider)
	if err != nil {
		return err
	}
	if err := ofPayer(ctx, collections.Join(payer, c.Id)); err != nil {
		return err
	}
	return ofProvider(ctx, collections.Join(account, c.Id))
}

// hexID is a channel's id as events and queries have it.
func hexID(c types.Channel) string { return hex.EncodeToString(c.Id) }
