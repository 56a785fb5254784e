package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/collateral/types"
)

// UnbondCollateral begins to take collateral back. It counts no more for
// min_collateral, but stays at stake until it is released. A neuron need not be
// registered any more.
func (k msgServer) UnbondCollateral(ctx context.Context, m *types.MsgUnbondCollateral) (*types.MsgUnbondCollateralResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, err := k.subnets.SubnetByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	p, err := k.own(ctx, m.Hotkey, m.Coldkey)
	if err != nil {
		return nil, err
	}
	c, _, err := k.collateral(ctx, s.Id, p.account)
	if err != nil {
		return nil, err
	}
	if m.Alpha > c.Bonded {
		return nil, types.ErrNoCollateral.Wrapf("%s has %d alpha units bonded in subnet %d, %d unbonding, and is to unbond %d", p.hotkeyText, c.Bonded, s.Netuid, c.Unbonding(), m.Alpha)
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if len(c.Unbondings) >= int(params.MaxUnbondings) {
		first := c.Unbondings[0]
		return nil, types.ErrTooMany.Wrapf("%d unbondings of %s wait in subnet %d, the most there may be: the oldest is due at block %d", len(c.Unbondings), p.hotkeyText, s.Netuid, first.DueHeight)
	}
	u := types.Unbonding{Alpha: m.Alpha}
	if u.DueHeight, u.DueTime, err = k.dueIn(ctx, int64(s.Hyperparameters.CollateralUnbond)); err != nil {
		return nil, err
	}
	c.Bonded -= m.Alpha
	c.Unbondings = append(c.Unbondings, u)
	if err := k.keep(ctx, collections.Join(s.Id, p.account), c); err != nil {
		return nil, err
	}
	return &types.MsgUnbondCollateralResponse{Bonded: c.Bonded, DueHeight: u.DueHeight, DueTime: u.DueTime}, emit(ctx, &types.EventCollateralUnbonding{
		SubnetId: s.Id, Netuid: s.Netuid, Hotkey: p.hotkeyText, Coldkey: p.coldkeyText, Alpha: m.Alpha, Bonded: c.Bonded,
		DueHeight: u.DueHeight, DueTime: u.DueTime,
	})
}
