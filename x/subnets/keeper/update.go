package keeper

import (
	"context"

	"github.com/lodenet/lode/x/subnets/types"
)

// UpdateSubnet replaces a subnet's identity and its own parameters.
func (k msgServer) UpdateSubnet(ctx context.Context, m *types.MsgUpdateSubnet) (*types.MsgUpdateSubnetResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, err := k.owned(ctx, m.Netuid, m.Coldkey)
	if err != nil {
		return nil, err
	}
	s.Name, s.Description, s.Url, s.Parameters = m.Name, m.Description, m.Url, parameters(m.Parameters)
	if err := k.subnets.Set(ctx, s.Id, s); err != nil {
		return nil, err
	}
	return &types.MsgUpdateSubnetResponse{}, emit(ctx, &types.EventSubnetUpdated{
		SubnetId: s.Id, Netuid: s.Netuid, Name: s.Name, Description: s.Description, Url: s.Url, Parameters: s.Parameters,
	})
}
