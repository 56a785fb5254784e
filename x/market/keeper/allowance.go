package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/market/types"
)

// allowed asks the agent's authorization whether it may pay a service. How much it may
// spend the authorization has checked itself, before the message came here; which
// service a channel pays it can't know. Where the agent has another kind of
// authorization, or the payer signed itself, there is nothing to ask.
func (k Keeper) allowed(ctx context.Context, from depositor, netuid uint32, serviceID uint64) error {
	if from.spenderText == "" {
		return nil
	}
	spender, err := k.addressOf("spender", from.spenderText)
	if err != nil {
		return err
	}
	granted, _ := k.authz.GetAuthorization(ctx, spender, from.payer, sdk.MsgTypeURL(&types.MsgDeposit{}))
	a, ok := granted.(*types.SpendAuthorization)
	if !ok {
		return nil
	}
	return a.CheckService(netuid, serviceID)
}

// restore lets an agent spend again what of a refund it had put in.
func (k Keeper) restore(ctx context.Context, c types.Channel, payer sdk.AccAddress) error {
	amount := min(c.Left(), c.Spent)
	if c.Spender == "" || amount == 0 {
		return nil
	}
	spender, err := k.addressOf("spender", c.Spender)
	if err != nil {
		return err
	}
	event := &types.EventAllowanceRestored{Payer: c.Payer, Spender: c.Spender}
	granted, expires := k.authz.GetAuthorization(ctx, spender, payer, sdk.MsgTypeURL(&types.MsgDeposit{}))
	a, ok := granted.(*types.SpendAuthorization)
	if ok && expires != nil && !expires.After(sdk.UnwrapSDKContext(ctx).BlockTime()) {
		ok = false // it ends with this very block
	}
	if ok {
		a.Limit = types.AddUpTo(a.Limit, amount)
		event.Amount, event.Limit = amount, a.Limit
		if err := k.authz.SaveGrant(ctx, spender, payer, a, expires); err != nil {
			return err
		}
	}
	return emit(ctx, event)
}
