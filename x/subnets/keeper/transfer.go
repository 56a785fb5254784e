package keeper

import (
	"context"

	"github.com/lodenet/lode/x/subnets/types"
)

// TransferOwnership makes another registered hotkey the owner's key, of the same
// coldkey or of another. There is one owner at any time: what its key may do and
// is spared (protocol.md §4, §7) passes with it, and the former owner's neuron is
// one like any other from here on.
func (k msgServer) TransferOwnership(ctx context.Context, m *types.MsgTransferOwnership) (*types.MsgTransferOwnershipResponse, error) {
	s, err := k.owned(ctx, m.Netuid, m.Coldkey)
	if err != nil {
		return nil, err
	}
	hotkey, err := k.key(m.Hotkey)
	if err != nil {
		return nil, err
	}
	if hotkey.text == s.OwnerHotkey {
		return nil, types.ErrOwner.Wrapf("%s is the owner's key of subnet %d: name another registered hotkey", hotkey, s.Netuid)
	}
	if _, err := k.NeuronByHotkey(ctx, s.Id, hotkey.addr); err != nil {
		return nil, err
	}
	old := s.OwnerHotkey
	s.OwnerHotkey = hotkey.text
	owner, err := k.ownerColdkey(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := k.subnets.Set(ctx, s.Id, s); err != nil {
		return nil, err
	}
	return &types.MsgTransferOwnershipResponse{}, emit(ctx, &types.EventOwnershipTransferred{
		SubnetId: s.Id, Netuid: s.Netuid, Hotkey: old, NewHotkey: hotkey.text, NewColdkey: owner,
	})
}
