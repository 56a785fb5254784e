package keeper

import (
	"context"
	"fmt"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// SwapStake moves stake to another subnet: alpha is sold there for TAO, and all
// of that buys alpha here. Both trades hold to their limits, or it is as much as
// lets both hold, so that nothing is left in between.
func (k msgServer) SwapStake(ctx context.Context, m *types.MsgSwapStake) (*types.MsgSwapStakeResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	coldkey, hotkey, err := k.keys(m.Coldkey, m.FromHotkey)
	if err != nil {
		return nil, err
	}
	to, err := k.bound(ctx, "to_hotkey", m.ToHotkey)
	if err != nil {
		return nil, err
	}
	source, err := k.tradable(ctx, m.FromNetuid)
	if err != nil {
		return nil, err
	}
	target, err := k.tradable(ctx, m.ToNetuid)
	if err != nil {
		return nil, err
	}
	h, err := k.holding(ctx, source, hotkey, coldkey)
	if err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.part(m.Alpha); err != nil {
		return nil, err
	}
	sold, bought, err := pool.SwapWithin(source.Reserves(), target.Reserves(), m.Alpha,
		m.SellLimitPrice, m.BuyLimitPrice, m.AllowPartial, rules(params))
	if err != nil {
		return nil, branch(fmt.Sprintf("subnet %d to subnet %d", source.Netuid, target.Netuid), err)
	}
	// What arrives is a stake like any other, even if all of the source's left.
	if err := enough(params, sold.Out, "swapped"); err != nil {
		return nil, err
	}
	if bought.Out == 0 {
		return nil, types.ErrInvalidAmount.Wrapf("%d rao buy less than one unit of subnet %d's alpha", sold.Out, target.Netuid)
	}
	if err := k.removeStake(ctx, source, h, sold.In, types.ReasonSwap); err != nil {
		return nil, err
	}
	if err := sale(ctx, &source, sold, types.Staked, types.ReasonSwap); err != nil {
		return nil, err
	}
	if err := k.setPool(ctx, source); err != nil {
		return nil, err
	}
	if err := purchase(ctx, &target, bought, types.Staked, types.ReasonSwap); err != nil {
		return nil, err
	}
	if err := k.addStake(ctx, target, to, coldkey, bought.Out, types.ReasonSwap); err != nil {
		return nil, err
	}
	return &types.MsgSwapStakeResponse{AlphaSold: sold.In, Tao: sold.Out, AlphaStaked: bought.Out}, k.setPool(ctx, target)
}
