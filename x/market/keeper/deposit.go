package keeper

import (
	"bytes"
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/voucher"
	"github.com/lodenet/lode/x/market/types"
)

// Deposit opens a channel, or puts more into one.
func (k msgServer) Deposit(ctx context.Context, m *types.MsgDeposit) (*types.MsgDepositResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	from, err := k.depositor(m)
	if err != nil {
		return nil, err
	}
	var c types.Channel
	if len(m.ChannelId) > 0 {
		c, err = k.topUp(ctx, m, from)
	} else {
		c, err = k.open(ctx, m, from)
	}
	if err != nil {
		return nil, err
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, from.payer, types.ModuleName, rao(m.Amount)); err != nil {
		return nil, err
	}
	return &types.MsgDepositResponse{ChannelId: c.Id, Deposit: c.Deposit}, nil
}

// depositor is who pays, and the agent that does it for the payer, if one does.
type depositor struct {
	payer                  sdk.AccAddress
	payerText, spenderText string
}

func (k Keeper) depositor(m *types.MsgDeposit) (d depositor, err error) {
	if d.payer, d.payerText, err = k.canonical("payer", m.Payer); err != nil {
		return d, err
	}
	if k.bank.BlockedAddr(d.payer) {
		return d, types.ErrChannel.Wrapf("%s takes no coins, and what is left of a deposit goes back to the payer: pay from another account", d.payerText)
	}
	if m.Spender == "" {
		return d, nil
	}
	if _, d.spenderText, err = k.canonical("spender", m.Spender); err != nil {
		return d, err
	}
	if d.spenderText == d.payerText {
		err = types.ErrSpender.Wrapf("%s is the payer itself: leave spender empty", d.payerText)
	}
	return d, err
}

// open makes a channel to a service, or to one of its plans. The caller takes the coins.
func (k Keeper) open(ctx context.Context, m *types.MsgDeposit, from depositor) (c types.Channel, err error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return c, err
	}
	service, err := k.service(ctx, m.ServiceId)
	if err != nil {
		return c, err
	}
	switch {
	case !service.Listed:
		return c, types.ErrNotListed.Wrapf("service %d: nothing new is opened for it", service.Id)
	case m.Amount < params.MinDeposit:
		return c, types.ErrAmount.Wrapf("a channel opens with at least %s (min_deposit), not %s", types.TAO(params.MinDeposit), types.TAO(m.Amount))
	case m.CloseDelay < params.MinCloseDelay || m.CloseDelay > params.MaxCloseDelay:
		return c, types.ErrChannel.Wrapf("close_delay is %d seconds, must be %d to %d", m.CloseDelay, params.MinCloseDelay, params.MaxCloseDelay)
	}
	if _, err := k.subnets.Subnet(ctx, service.SubnetId); err != nil {
		return c, err // its services are swept in the next blocks
	}
	if err := k.allowed(ctx, from, service.Netuid, service.Id); err != nil {
		return c, err
	}
	p, err := k.provider(ctx, service.Provider)
	if err != nil {
		return c, err
	}
	height, seconds := now(ctx)
	c = types.Channel{
		Payer: from.payerText, Provider: service.Provider, SubnetId: service.SubnetId, Netuid: service.Netuid, ServiceId: service.Id,
		SessionKey: m.SessionKey, CloseDelay: m.CloseDelay, Deposit: m.Amount, OpenedHeight: height, Spender: from.spenderText,
	}
	if from.spenderText != "" {
		c.Spent = m.Amount
	}
	c.Id = voucher.ChannelID(sdk.UnwrapSDKContext(ctx).ChainID(), voucher.Config{
		Payer: from.payer, Provider: p.account, SessionKey: c.SessionKey,
		SubnetID: c.SubnetId, ServiceID: c.ServiceId, PlanID: m.PlanId, CloseDelay: c.CloseDelay,
	}, height)
	if has, err := k.channels.Has(ctx, c.Id); err != nil {
		return c, err
	} else if has {
		return c, types.ErrOpen.Wrapf("%x was opened with all the same in this block: put more into it, or take another session key", c.Id)
	}
	lookTime := int64(0)
	if m.PlanId != 0 {
		if c.Subscription, err = k.subscribe(ctx, m, &service, seconds); err != nil {
			return c, err
		}
		lookTime = c.Subscription.PeriodEnd
	}
	service.Channels++
	if err := k.setService(ctx, service); err != nil {
		return c, err
	}
	if err := k.addChannel(ctx, c, lookTime); err != nil {
		return c, err
	}
	if err := k.tellDeposit(ctx, c, p, m.Amount, true, from); err != nil {
		return c, err
	}
	if c.Subscription != nil {
		return c, k.tellPeriod(ctx, c)
	}
	return c, nil
}

// subscribe begins a plan's first period, which the deposit must reach for. The caller
// stores the service.
func (k Keeper) subscribe(ctx context.Context, m *types.MsgDeposit, service *types.Service, seconds int64) (*types.Subscription, error) {
	plan, err := k.plan(ctx, m.PlanId)
	if err != nil {
		return nil, err
	}
	switch {
	case plan.ServiceId != service.Id:
		return nil, types.ErrNoPlan.Wrapf("plan %d is of service %d, not of %d", plan.Id, plan.ServiceId, service.Id)
	case !plan.Offered:
		return nil, types.ErrPlan.Wrapf("plan %d is not offered any more: the query service shows those that are", plan.Id)
	case plan.Price > m.MaxPrice:
		return nil, types.ErrPrice.Wrapf("plan %d costs %s a period, your max_price is %s", plan.Id, types.TAO(plan.Price), types.TAO(m.MaxPrice))
	case m.Amount < plan.Price:
		return nil, types.ErrAmount.Wrapf("plan %d costs %s a period, the deposit is %s", plan.Id, types.TAO(plan.Price), types.TAO(m.Amount))
	}
	plan.Subscriptions++
	return &types.Subscription{
		PlanId: plan.Id, Price: plan.Price, Period: plan.Period, Quota: plan.Quota,
		PeriodStart: seconds, PeriodEnd: seconds + plan.Period,
	}, k.setPlan(ctx, service, plan)
}

// topUp puts more into a channel of the payer's. The caller takes the coins.
func (k Keeper) topUp(ctx context.Context, m *types.MsgDeposit, from depositor) (c types.Channel, err error) {
	if c, err = k.channel(ctx, m.ChannelId); err != nil {
		return c, err
	}
	payer, err := k.addressOf("payer", c.Payer)
	if err != nil {
		return c, err
	}
	switch {
	case !bytes.Equal(payer, from.payer):
		return c, types.ErrNotYours.Wrapf("the payer of channel %x is %s, not %s", c.Id, c.Payer, from.payerText)
	case from.spenderText != "" && from.spenderText != c.Spender:
		return c, types.ErrSpender.Wrapf("channel %x was not opened by %s: an agent puts more into those that it opened", c.Id, from.spenderText)
	case c.Closing():
		return c, types.ErrClosing.Wrapf("channel %x closes when %s and block %d have passed: open another", c.Id, types.Date(c.ClosingTime), c.ClosingHeight)
	case c.Subscription != nil && c.Subscription.Cancelled:
		return c, types.ErrClosing.Wrapf("the plan of channel %x is cancelled and ends at %s: open another", c.Id, types.Date(c.Subscription.PeriodEnd))
	case c.Deposit+m.Amount < c.Deposit:
		return c, types.ErrAmount.Wrapf("%d rao more than the %d that were ever put in are past 64 bits: open another channel", m.Amount, c.Deposit)
	}
	if err := k.allowed(ctx, from, c.Netuid, c.ServiceId); err != nil {
		return c, err
	}
	c.Deposit += m.Amount
	if from.spenderText != "" {
		c.Spent += m.Amount // at most the deposit
	}
	if err := k.setChannel(ctx, c, c.LookTime); err != nil {
		return c, err
	}
	p, err := k.provider(ctx, c.Provider)
	if err != nil {
		return c, err
	}
	return c, k.tellDeposit(ctx, c, p, m.Amount, false, from)
}

func (k Keeper) tellDeposit(ctx context.Context, c types.Channel, p party, amount uint64, opened bool, from depositor) error {
	return emit(ctx, &types.EventDeposited{
		ChannelId: hexID(c), Payer: c.Payer, Hotkey: p.hotkeyText, ServiceId: c.ServiceId, PlanId: c.PlanID(),
		Amount: amount, Deposit: c.Deposit, Opened: opened, Spender: from.spenderText,
	})
}
