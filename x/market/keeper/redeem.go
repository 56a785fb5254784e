package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/voucher"
	"github.com/lodenet/lode/x/market/types"
)

// voucherGas is charged for the verification of each item's voucher, whether it comes
// to one or not, so that a batch's price can be known before.
const voucherGas = 3_000

// Reasons for which a provider is paid.
const (
	byVoucher   = "voucher"
	byPeriod    = "period"
	byCancelled = "cancelled"
)

// Redeem claims what vouchers promise. Items are taken in their order, each for itself;
// each provider's coldkey is paid once.
func (k msgServer) Redeem(ctx context.Context, m *types.MsgRedeem) (*types.MsgRedeemResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if n := uint32(len(m.Items)); n > params.MaxItems {
		return nil, types.ErrTooMany.Wrapf("%d items, at most %d (max_items): send the others in another message", n, params.MaxItems)
	}
	signer, err := k.addressOf("signer", m.Signer)
	if err != nil {
		return nil, err
	}
	sdk.UnwrapSDKContext(ctx).GasMeter().ConsumeGas(voucherGas*uint64(len(m.Items)), "verification of vouchers")
	r := redemption{till: till{Keeper: k.Keeper}, signer: signer}
	results, err := r.redeem(ctx, m.Items)
	if err != nil {
		return nil, err
	}
	if err := r.close(ctx); err != nil {
		return nil, err
	}
	out := &types.MsgRedeemResponse{Results: results}
	for _, one := range results {
		out.Paid += one.Paid // coins that are held
	}
	for _, p := range r.payees {
		out.Provider += p.rao
	}
	return out, nil
}

// redemption is a message to redeem being worked off.
type redemption struct {
	till
	signer    sdk.AccAddress
	providers []party // that the signer signs for; a hotkey of one can be the coldkey of another
}

func (r *redemption) redeem(ctx context.Context, items []types.RedeemItem) ([]types.RedeemResult, error) {
	results := make([]types.RedeemResult, len(items))
	var signed []voucher.Signed
	var at []int // of signed, in items
	for i, item := range items {
		c, status, err := r.look(ctx, item)
		if err != nil {
			return nil, err
		}
		if results[i].Status = status; status != types.REDEEM_UNSPECIFIED {
			continue
		}
		signed = append(signed, voucher.Signed{
			Voucher:    voucher.Voucher{ChannelID: c.Id, Cumulative: item.Cumulative},
			SessionKey: c.SessionKey, Signature: item.Signature,
		})
		at = append(at, i)
	}
	for n, good := range voucher.VerifyAll(sdk.UnwrapSDKContext(ctx).ChainID(), signed) {
		i := at[n]
		if !good {
			results[i].Status = types.REDEEM_BAD_SIGNATURE
			continue
		}
		// Read again: an item before may have been of the same channel.
		c, err := r.channels.Get(ctx, items[i].ChannelId)
		if err != nil {
			return nil, err
		}
		if results[i], err = r.claim(ctx, c, items[i].Claim); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// look finds an item's channel, and tells what is wrong with the item before its
// signature is looked at; unspecified: nothing.
func (r *redemption) look(ctx context.Context, item types.RedeemItem) (c types.Channel, status types.RedeemStatus, err error) {
	if len(item.ChannelId) != voucher.IDSize {
		return c, types.REDEEM_NO_CHANNEL, nil
	}
	c, ok, err := found(r.channels.Get(ctx, item.ChannelId))
	if err != nil || !ok {
		return c, types.REDEEM_NO_CHANNEL, err
	}
	if r.providerOf(c) == nil {
		p, err := r.Keeper.provider(ctx, c.Provider)
		if err != nil {
			return c, 0, err
		}
		if !p.signs(r.signer) {
			return c, types.REDEEM_NOT_YOURS, nil
		}
		r.providers = append(r.providers, p)
	}
	if item.Claim > item.Cumulative {
		return c, types.REDEEM_OVER_CLAIM, nil
	}
	return c, types.REDEEM_UNSPECIFIED, nil
}

// providerOf is a channel's provider, if it is known to be the signer's.
func (r *redemption) providerOf(c types.Channel) *party {
	for i := range r.providers {
		if r.providers[i].accountText == c.Provider {
			return &r.providers[i]
		}
	}
	return nil
}

// claim moves what a good voucher lets the provider claim.
func (r *redemption) claim(ctx context.Context, c types.Channel, claim uint64) (types.RedeemResult, error) {
	if c.Subscription != nil {
		return r.use(ctx, c, claim)
	}
	switch {
	case claim <= c.Claimed:
		return types.RedeemResult{Status: types.REDEEM_STALE}, nil
	case claim > c.Deposit:
		return types.RedeemResult{Status: types.REDEEM_OVER_DEPOSIT}, nil
	}
	paid := claim - c.Claimed
	if err := r.pay(ctx, &c, *r.providerOf(c), paid, byVoucher); err != nil {
		return types.RedeemResult{}, err
	}
	return types.RedeemResult{Status: types.REDEEM_PAID, Paid: paid}, r.setChannel(ctx, c, c.LookTime)
}

// use counts a plan's units. A voucher of an ended period is stale.
func (r *redemption) use(ctx context.Context, c types.Channel, units uint64) (types.RedeemResult, error) {
	s := c.Subscription
	switch {
	case units <= s.Used:
		return types.RedeemResult{Status: types.REDEEM_STALE}, nil
	case units-s.UsedBefore > s.Quota:
		return types.RedeemResult{Status: types.REDEEM_OVER_DEPOSIT}, nil
	}
	s.Used = units
	if err := r.setChannel(ctx, c, c.LookTime); err != nil {
		return types.RedeemResult{}, err
	}
	return types.RedeemResult{Status: types.REDEEM_PAID}, emit(ctx, &types.EventUsed{ChannelId: hexID(c), PlanId: s.PlanId, Used: units})
}

// pay claims rao of a channel for its provider p and tells of it. The caller stores the
// channel, and closes the till.
func (t *till) pay(ctx context.Context, c *types.Channel, p party, amount uint64, reason string) error {
	if amount == 0 {
		return nil
	}
	parts, err := t.take(ctx, c.SubnetId, p.coldkey, amount)
	if err != nil {
		return err
	}
	c.Claimed += amount
	return emit(ctx, &types.EventRedeemed{
		ChannelId: hexID(*c), Payer: c.Payer, Hotkey: p.hotkeyText, Coldkey: p.coldkeyText,
		SubnetId: c.SubnetId, Netuid: c.Netuid, ServiceId: c.ServiceId, PlanId: c.PlanID(),
		Paid: amount, Provider: parts.Provider, Burn: parts.Burn, Miners: parts.Miners, Owner: parts.Owner,
		Claimed: c.Claimed, Reason: reason,
	})
}
