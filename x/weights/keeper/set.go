package keeper

import (
	"context"

	"github.com/lodenet/lode/x/weights/types"
)

// SetWeights brings a row into force at once, where commit–reveal is off.
func (k msgServer) SetWeights(ctx context.Context, m *types.MsgSetWeights) (*types.MsgSetWeightsResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, n, err := k.validator(ctx, m.Netuid, m.Hotkey)
	if err != nil {
		return nil, err
	}
	if _, err := k.started(ctx, s.Id, s.Netuid); err != nil {
		return nil, err
	}
	if s.Hyperparameters.CommitReveal {
		return nil, types.ErrCommitReveal.Wrapf("subnet %d has it on: use CommitWeights, then RevealWeights", s.Netuid)
	}
	if err := k.useLimit(ctx, n, weightsLimit(s)); err != nil {
		return nil, err
	}
	if err := checkRow(s, n.Uid, m.Version, m.Uids, m.Values); err != nil {
		return nil, err
	}
	if err := k.putRow(ctx, s, n, m.Uids, m.Values, targetHeight(ctx), false); err != nil {
		return nil, err
	}
	return &types.MsgSetWeightsResponse{}, nil
}
