package keeper

import (
	"context"

	"github.com/lodenet/lode/x/alpha/types"
)

// BurnAlpha burns staked alpha: it stays issued, and is nobody's for good.
func (k msgServer) BurnAlpha(ctx context.Context, m *types.MsgBurnAlpha) (*types.MsgBurnAlphaResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	return &types.MsgBurnAlphaResponse{}, k.giveUp(ctx, m.Coldkey, m.Hotkey, m.Netuid, m.Alpha, types.Burned, types.ReasonBurn, "burned")
}

// RecycleAlpha takes staked alpha back: it counts as never issued, so emission can
// issue it again.
func (k msgServer) RecycleAlpha(ctx context.Context, m *types.MsgRecycleAlpha) (*types.MsgRecycleAlphaResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	return &types.MsgRecycleAlphaResponse{}, k.giveUp(ctx, m.Coldkey, m.Hotkey, m.Netuid, m.Alpha, types.Issuance, types.ReasonRecycle, "recycled")
}

// giveUp moves a part of the coldkey's own stake out of the stakes.
func (k msgServer) giveUp(ctx context.Context, cold, hot string, netuid uint32, alpha uint64, to types.Account, reason, done string) error {
	coldkey, hotkey, err := k.keys(cold, hot)
	if err != nil {
		return err
	}
	p, h, err := k.leaving(ctx, netuid, hotkey, coldkey, alpha, done)
	if err != nil {
		return err
	}
	if err := k.removeStake(ctx, p, h, alpha, reason); err != nil {
		return err
	}
	if err := move(ctx, &p, types.Staked, to, alpha); err != nil {
		return err
	}
	return k.setPool(ctx, p)
}
