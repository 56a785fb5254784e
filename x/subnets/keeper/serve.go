package keeper

import (
	"context"

	"github.com/lodenet/lode/x/subnets/types"
)

// Serve publishes where a neuron answers and what it speaks. The free lane checks
// the same limit; who pays a fee is limited here.
func (k msgServer) Serve(ctx context.Context, m *types.MsgServe) (*types.MsgServeResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	hotkey, err := k.ac.StringToBytes(m.Hotkey)
	if err != nil {
		return nil, err
	}
	s, err := k.SubnetByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	n, err := k.NeuronByHotkey(ctx, s.Id, hotkey)
	if err != nil {
		return nil, err
	}
	limit, err := k.ServeRateLimit(ctx)
	if err != nil {
		return nil, err
	}
	height, blocks := targetHeight(ctx), max(limit, 1)
	if first := n.ServedHeight + blocks; n.ServedHeight > 0 && height < first {
		return nil, types.ErrTooSoon.Wrapf("serve_rate_limit: %d blocks between two serves; the last was in block %d, the first block that will be accepted is %d (this is for block %d)",
			blocks, n.ServedHeight, first, height)
	}
	n.Endpoints, n.Protocol, n.ProtocolVersion, n.ServedHeight = m.Endpoints, m.Protocol, m.ProtocolVersion, height
	if err := k.neurons.Set(ctx, joinSlot(n), n); err != nil {
		return nil, err
	}
	return &types.MsgServeResponse{}, emit(ctx, &types.EventNeuronServed{
		SubnetId: s.Id, Netuid: s.Netuid, Uid: n.Uid, Hotkey: n.Hotkey, Endpoints: n.Endpoints, Protocol: n.Protocol,
		ProtocolVersion: n.ProtocolVersion,
	})
}
