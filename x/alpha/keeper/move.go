package keeper

import (
	"context"

	"github.com/lodenet/lode/x/alpha/types"
)

// MoveStake moves stake to another hotkey of the same subnet. Alpha stays alpha:
// the price does not move, and there is no fee.
func (k msgServer) MoveStake(ctx context.Context, m *types.MsgMoveStake) (*types.MsgMoveStakeResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	coldkey, from, err := k.keys(m.Coldkey, m.FromHotkey)
	if err != nil {
		return nil, err
	}
	to, err := k.bound(ctx, "to_hotkey", m.ToHotkey)
	if err != nil {
		return nil, err
	}
	if to.Equals(from) {
		return nil, types.ErrInvalidRequest.Wrapf("the stake is on %s already: move it to another hotkey", m.ToHotkey)
	}
	p, h, err := k.leaving(ctx, m.Netuid, from, coldkey, m.Alpha, "moved")
	if err != nil {
		return nil, err
	}
	if err := k.removeStake(ctx, p, h, m.Alpha, types.ReasonMove); err != nil {
		return nil, err
	}
	return &types.MsgMoveStakeResponse{}, k.addStake(ctx, p, to, coldkey, m.Alpha, types.ReasonMove)
}
