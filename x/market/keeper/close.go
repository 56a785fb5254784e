package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/market/types"
)

// Reasons for which a channel is closed.
const (
	byPayer    = "payer"
	byProvider = "provider"
	planEnded  = "plan_ended"
	unpaid     = "unpaid"
)

// Close ends a channel: the payer's after the close delay, the provider's at once. Of
// a plan the period's price is owed as CancelPlan says.
func (k msgServer) Close(ctx context.Context, m *types.MsgClose) (*types.MsgCloseResponse, error) {
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
	} else if ours {
		if err := k.startClosing(ctx, &c); err != nil {
			return nil, err
		}
		return &types.MsgCloseResponse{ClosingTime: c.ClosingTime, ClosingHeight: c.ClosingHeight}, nil
	}
	p, err := k.provider(ctx, c.Provider)
	if err != nil {
		return nil, err
	}
	if !p.signs(signer) {
		return nil, types.ErrNotYours.Wrapf("%s is neither the payer of channel %x, nor the agent that opened it, nor its provider's hotkey or coldkey", m.Signer, c.Id)
	}
	if height, _ := now(ctx); c.OpenedHeight >= height {
		// Opened again in this block it would have the same id, and its vouchers would live again.
		return nil, types.ErrTooSoon.Wrapf("channel %x was opened in this block: close it in the next", c.Id)
	}
	refunded, err := k.end(ctx, c, byProvider)
	return &types.MsgCloseResponse{Refunded: refunded}, err
}

// paysFor tells whether an address is the channel's payer, or the agent that opened it.
func (k Keeper) paysFor(c types.Channel, signer sdk.AccAddress) (bool, error) {
	payer, err := k.addressOf("payer", c.Payer)
	if err != nil || signer.Equals(payer) {
		return err == nil, err
	}
	if c.Spender == "" {
		return false, nil
	}
	spender, err := k.addressOf("spender", c.Spender)
	return signer.Equals(spender), err
}

// startClosing begins the close delay, in time and in blocks: while the chain stands
// still nobody can redeem.
func (k Keeper) startClosing(ctx context.Context, c *types.Channel) error {
	if c.Closing() {
		return types.ErrClosing.Wrapf("channel %x closes by itself when %s and block %d have passed", c.Id, types.Date(c.ClosingTime), c.ClosingHeight)
	}
	millis, err := k.blockMillis(ctx)
	if err != nil {
		return err
	}
	height, seconds := now(ctx)
	c.ClosingTime = seconds + c.CloseDelay
	c.ClosingHeight = height + (c.CloseDelay*1_000+millis-1)/millis
	if err := k.setChannel(ctx, *c, c.ClosingTime); err != nil {
		return err
	}
	return emit(ctx, &types.EventClosing{ChannelId: hexID(*c), ClosingTime: c.ClosingTime, ClosingHeight: c.ClosingHeight})
}

// end pays what of a plan's period is owed, gives the rest of the deposit back to the
// payer and forgets the channel.
func (k Keeper) end(ctx context.Context, c types.Channel, reason string) (refunded uint64, err error) {
	if s := c.Subscription; s != nil {
		p, err := k.provider(ctx, c.Provider)
		if err != nil {
			return 0, err
		}
		_, until := now(ctx)
		if c.Closing() {
			until = min(until, c.ClosingTime)
		}
		why := byPeriod
		if until < s.PeriodEnd {
			why = byCancelled
		}
		t := till{Keeper: k}
		if err := t.pay(ctx, &c, p, s.Owed(until-s.PeriodStart), why); err != nil {
			return 0, err
		}
		if err := t.close(ctx); err != nil {
			return 0, err
		}
	}
	return c.Left(), k.refund(ctx, c, reason)
}

// refund gives what is left of a deposit back to the payer and forgets the channel.
func (k Keeper) refund(ctx context.Context, c types.Channel, reason string) error {
	payer, err := k.addressOf("payer", c.Payer)
	if err != nil {
		return err
	}
	if err := k.removeChannel(ctx, c); err != nil {
		return err
	}
	if c.Left() > 0 {
		if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, payer, rao(c.Left())); err != nil {
			return err
		}
	}
	err = emit(ctx, &types.EventClosed{ChannelId: hexID(c), Payer: c.Payer, Refunded: c.Left(), Claimed: c.Claimed, Reason: reason})
	if err != nil {
		return err
	}
	return k.restore(ctx, c, payer)
}
