package keeper

import (
	"context"

	"github.com/lodenet/lode/x/market/types"
)

// SetRevenueSplit says where a subnet's revenue goes from a later block on. One that
// was set and does not hold yet is replaced.
func (k msgServer) SetRevenueSplit(ctx context.Context, m *types.MsgSetRevenueSplit) (*types.MsgSetRevenueSplitResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := params.CheckSplit(m.Split); err != nil {
		return nil, err
	}
	s, err := k.subnets.SubnetByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	hotkey, err := k.addressOf("owner's hotkey", s.OwnerHotkey)
	if err != nil {
		return nil, err
	}
	owner, err := k.party(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	signer, err := k.addressOf("coldkey", m.Coldkey)
	if err != nil {
		return nil, err
	}
	if !signer.Equals(owner.coldkey) {
		return nil, types.ErrNotYours.Wrapf("subnet %d belongs to %s, not to %s", s.Netuid, owner.coldkeyText, m.Coldkey)
	}
	height, _ := now(ctx)
	kept, _, err := found(k.splits.Get(ctx, s.Id))
	if err != nil {
		return nil, err
	}
	if kept.Scheduled != nil && kept.Scheduled.Height <= height {
		kept.Split = &kept.Scheduled.Split
	}
	kept.SubnetId, kept.Scheduled = s.Id, &types.ScheduledSplit{Split: m.Split, Height: height + params.SplitNotice}
	if err := k.splits.Set(ctx, s.Id, kept); err != nil {
		return nil, err
	}
	return &types.MsgSetRevenueSplitResponse{Height: kept.Scheduled.Height}, emit(ctx, &types.EventSplitSet{
		SubnetId: s.Id, Netuid: s.Netuid, Provider: m.Split.Provider, Burn: m.Split.Burn, Miners: m.Split.Miners, Owner: m.Split.Owner,
		Height: kept.Scheduled.Height,
	})
}

// split is a subnet's in this block.
func (k Keeper) split(ctx context.Context, subnetID uint64) (types.RevenueSplit, error) {
	params, err := k.params.Get(ctx)
	if err != nil {
		return types.RevenueSplit{}, err
	}
	s, _, err := found(k.splits.Get(ctx, subnetID))
	height, _ := now(ctx)
	return s.At(height, params.DefaultSplit), err
}
