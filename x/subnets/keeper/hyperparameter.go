package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/subnets/types"
)

// frozenBlocks is the most that a tempo's end is frozen for.
const frozenBlocks = 10

// SetHyperparameter sets a hyperparameter within its bounds (protocol.md §3). The
// owner's changes are limited in rate and never close to an epoch. Governance may
// set any at any time, since nobody chooses the block in which a proposal
// passes; its changes count for the owner's limit.
func (k msgServer) SetHyperparameter(ctx context.Context, m *types.MsgSetHyperparameter) (*types.MsgSetHyperparameterResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	p, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	r, err := p.Rule(m.Name)
	if err != nil {
		return nil, err
	}
	s, err := k.settable(ctx, r, m)
	if err != nil {
		return nil, err
	}
	if m.Value < r.Min || m.Value > r.Max {
		return nil, types.ErrInvalidHyperparameter.Wrapf("%s %d: must be %d to %d", r.Name, m.Value, r.Min, r.Max)
	}
	if err := s.Hyperparameters.Set(r.Name, m.Value); err != nil {
		return nil, err
	}
	if err := s.Hyperparameters.Check(s.Neurons); err != nil {
		return nil, err
	}
	if err := k.subnets.Set(ctx, s.Id, s); err != nil {
		return nil, err
	}
	if err := k.sets.Set(ctx, collections.Join(s.Id, r.Name), targetHeight(ctx)); err != nil {
		return nil, err
	}
	if err := k.fitBurn(ctx, s); err != nil {
		return nil, err
	}
	return &types.MsgSetHyperparameterResponse{}, emit(ctx, &types.EventHyperparameterSet{
		SubnetId: s.Id, Netuid: s.Netuid, Name: r.Name, Value: m.Value,
	})
}

// settable is the subnet, if the signer may set the hyperparameter now.
func (k Keeper) settable(ctx context.Context, r types.HyperparameterRule, m *types.MsgSetHyperparameter) (types.Subnet, error) {
	if m.Signer == k.authority {
		return k.SubnetByNetuid(ctx, m.Netuid)
	}
	s, err := k.owned(ctx, m.Netuid, m.Signer)
	if err != nil {
		return s, err
	}
	if !r.Owner {
		return s, types.ErrNotOwner.Wrapf("%s is set by governance (%s) alone, not by a subnet's owner", r.Name, k.authority)
	}
	height, tempo := targetHeight(ctx), int64(s.Hyperparameters.Tempo)
	last, ok, err := found(k.sets.Get(ctx, collections.Join(s.Id, r.Name)))
	if err != nil {
		return s, err
	}
	if first := last + 2*tempo; ok && height < first {
		return s, types.ErrTooSoon.Wrapf("%s can be set once in 2 tempos of %d blocks; it was set in block %d, the first block that will be accepted is %d (this is for block %d)",
			r.Name, tempo, last, first, height)
	}
	due, ok, err := k.upper.network.NextEpoch(ctx, s.Id)
	if err != nil {
		return s, err
	}
	if frozen := min(frozenBlocks, tempo/4); ok && height > due-frozen {
		return s, types.ErrFrozen.Wrapf("subnet %d's epoch is due in block %d and nothing is set in the last %d blocks up to it: the first block that will be accepted is %d (this is for block %d)",
			s.Netuid, due, frozen, max(due, height)+1, height)
	}
	return s, nil
}

// fitBurn moves the price of a registration into bounds that were just changed.
func (k Keeper) fitBurn(ctx context.Context, s types.Subnet) error {
	old, err := k.BurnCost(ctx, s.Id)
	if err != nil {
		return err
	}
	if burn := clampBurn(s.Hyperparameters, old); burn != old {
		return k.burns.Set(ctx, s.Id, burn)
	}
	return nil
}
