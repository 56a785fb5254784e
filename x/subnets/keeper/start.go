package keeper

import (
	"context"

	"github.com/lodenet/lode/x/subnets/types"
)

// StartSubnet lets a subnet trade and emit from now on.
func (k msgServer) StartSubnet(ctx context.Context, m *types.MsgStartSubnet) (*types.MsgStartSubnetResponse, error) {
	s, err := k.owned(ctx, m.Netuid, m.Coldkey)
	if err != nil {
		return nil, err
	}
	if s.Started() {
		return nil, types.ErrStarted.Wrapf("subnet %d started in block %d", s.Netuid, s.StartedHeight)
	}
	p, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if first := s.CreatedHeight + p.StartDelay; targetHeight(ctx) < first {
		return nil, types.ErrTooSoon.Wrapf("start_delay: subnet %d was created in block %d, the first block in which it can start is %d (this is for block %d)",
			s.Netuid, s.CreatedHeight, first, targetHeight(ctx))
	}
	if err := k.alpha.StartTrading(ctx, s.Id); err != nil {
		return nil, err
	}
	s.StartedHeight, s.StartedTime = now(ctx)
	if err := k.subnets.Set(ctx, s.Id, s); err != nil {
		return nil, err
	}
	if err := k.upper.hooks.AfterSubnetStarted(ctx, s); err != nil {
		return nil, err
	}
	due, _, err := k.upper.network.NextEpoch(ctx, s.Id)
	if err != nil {
		return nil, err
	}
	return &types.MsgStartSubnetResponse{}, emit(ctx, &types.EventSubnetStarted{SubnetId: s.Id, Netuid: s.Netuid, FirstEpoch: due})
}
