package keeper

import (
	"context"
	"math/bits"

	"github.com/lodenet/lode/x/market/types"
)

// CancelPlan lets a subscription end with its period, or now: after the close delay, in
// which the provider redeems what was used, the part of the period's price that is
// neither past nor used goes back, with the rest of the deposit.
func (k msgServer) CancelPlan(ctx context.Context, m *types.MsgCancelPlan) (*types.MsgCancelPlanResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	c, err := k.channel(ctx, m.ChannelId)
	if err != nil {
		return nil, err
	}
	signer, err := k.addressOf("signer", m.Signer)
	if err != nil {
		return nil, err
	}
	if ours, err := k.paysFor(c, signer); err != nil {
		return nil, err
	} else if !ours {
		return nil, types.ErrNotYours.Wrapf("%s is neither the payer of channel %x nor the agent that opened it", m.Signer, c.Id)
	}
	s := c.Subscription
	switch {
	case s == nil:
		return nil, types.ErrPlan.Wrapf("channel %x pays by use, it has no plan: close it", c.Id)
	case c.Closing():
		return nil, types.ErrClosing.Wrapf("channel %x closes by itself when %s and block %d have passed", c.Id, types.Date(c.ClosingTime), c.ClosingHeight)
	case s.Cancelled && !m.Now:
		return &types.MsgCancelPlanResponse{Ends: s.PeriodEnd}, nil
	}
	s.Cancelled = true
	ends := s.PeriodEnd
	if _, seconds := now(ctx); m.Now && seconds+c.CloseDelay < s.PeriodEnd {
		if err := k.startClosing(ctx, &c); err != nil {
			return nil, err
		}
		ends = c.ClosingTime
	} else if err := k.setChannel(ctx, c, c.LookTime); err != nil {
		return nil, err
	}
	return &types.MsgCancelPlanResponse{Ends: ends}, emit(ctx, &types.EventPlanCancelled{ChannelId: hexID(c), PlanId: s.PlanId, Ends: ends})
}

// endPeriod pays a period that is over, and begins the next where the plan goes on and
// the deposit reaches for it.
func (k Keeper) endPeriod(ctx context.Context, c types.Channel) error {
	s := c.Subscription
	before, carry := bits.Add64(s.UsedBefore, s.Quota, 0)
	_, past := bits.Add64(before, s.Quota, 0) // units of the next period must be countable
	switch {
	case s.Cancelled || carry+past > 0:
		_, err := k.end(ctx, c, planEnded)
		return err
	case c.Left()-s.Price < s.Price: // at least one price is left, of the period that is over
		_, err := k.end(ctx, c, unpaid)
		return err
	}
	p, err := k.provider(ctx, c.Provider)
	if err != nil {
		return err
	}
	t := till{Keeper: k}
	if err := t.pay(ctx, &c, p, s.Price, byPeriod); err != nil {
		return err
	}
	if err := t.close(ctx); err != nil {
		return err
	}
	begun := *s // a copy: where the rest fails, the caller puts off the channel as it was
	begun.PeriodStart, begun.PeriodEnd = s.PeriodEnd, s.PeriodEnd+s.Period
	begun.UsedBefore, begun.Used = before, before
	c.Subscription = &begun
	if err := k.setChannel(ctx, c, begun.PeriodEnd); err != nil {
		return err
	}
	return k.tellPeriod(ctx, c)
}

func (k Keeper) tellPeriod(ctx context.Context, c types.Channel) error {
	s := c.Subscription
	return emit(ctx, &types.EventPeriodBegun{ChannelId: hexID(c), PlanId: s.PlanId, PeriodStart: s.PeriodStart, PeriodEnd: s.PeriodEnd, Price: s.Price})
}
