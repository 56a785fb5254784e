package keeper

import (
	"context"

	"github.com/lodenet/lode/x/alpha/types"
)

// Stake buys alpha with TAO of the coldkey's and stakes it on a hotkey, its own
// or anybody's.
func (k msgServer) Stake(ctx context.Context, m *types.MsgStake) (*types.MsgStakeResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	coldkey, err := k.addressOf("coldkey", m.Coldkey)
	if err != nil {
		return nil, err
	}
	hotkey, err := k.bound(ctx, "hotkey", m.Hotkey)
	if err != nil {
		return nil, err
	}
	p, err := k.tradable(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	t, err := p.Reserves().BuyWithin(m.Tao, m.LimitPrice, m.AllowPartial, rules(params))
	if err != nil {
		return nil, poolError(p, err)
	}
	if err := enough(params, t.In, "staked"); err != nil {
		return nil, err
	}
	if t.Out == 0 {
		return nil, types.ErrInvalidAmount.Wrapf("%d rao buy less than one unit of alpha", t.In)
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, coldkey, types.ModuleName, rao(t.In)); err != nil {
		return nil, err
	}
	if err := purchase(ctx, &p, t, types.Staked, types.ReasonStake); err != nil {
		return nil, err
	}
	if err := k.addStake(ctx, p, hotkey, coldkey, t.Out, types.ReasonStake); err != nil {
		return nil, err
	}
	return &types.MsgStakeResponse{TaoSpent: t.In, AlphaStaked: t.Out, Fee: t.Fee}, k.setPool(ctx, p)
}

// enough is an error for stakes and unstakes worth less than the least one.
func enough(params types.Params, tao uint64, done string) error {
	if tao < params.MinTrade {
		return types.ErrInvalidAmount.Wrapf("%d rao would be %s, the least is %d; only all of a stake may be less", tao, done, params.MinTrade)
	}
	return nil
}
