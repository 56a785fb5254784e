package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/subnets/types"
)

const (
	// setTempos is how many tempos must lie between two changes of a
	// hyperparameter by the owner.
	setTempos = 2
	// frozenBlocks is the most that a tempo's end is frozen for.
	frozenBlocks = 10
)

// frozenBefore is how many blocks up to an epoch, it included, nothing is set in.
func frozenBefore(tempo int64) int64 { return min(frozenBlocks, tempo/4) }

// SetHyperparameter sets a hyperparameter within its bounds (protocol.md §3). The
// owner's changes are limited in rate and never close to an epoch. Governance may
// set any at any time, since nobody chooses the block in which a proposal
// passes; its changes count for the owner's limit. Raises of what is asked of
// collateral wait, whoever makes them; a change that lowers it is at once, and
// drops what waits.
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
	old, err := s.Hyperparameters.Get(r.Name)
	if err != nil {
		return nil, err
	}
	next := s.Hyperparameters
	if err := next.Set(r.Name, m.Value); err != nil {
		return nil, err
	}
	if err := next.Check(s.Neurons); err != nil {
		return nil, err
	}
	if err := k.sets.Set(ctx, collections.Join(s.Id, r.Name), targetHeight(ctx)); err != nil {
		return nil, err
	}
	change := k.put
	if waits(r.Name, old, m.Value) {
		change = k.schedule
	}
	return &types.MsgSetHyperparameterResponse{}, change(ctx, s, r.Name, m.Value)
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
	if first := last + setTempos*tempo; ok && height < first {
		return s, types.ErrTooSoon.Wrapf("%s can be set once in 2 tempos of %d blocks; it was set in block %d, the first block that will be accepted is %d (this is for block %d)",
			r.Name, tempo, last, first, height)
	}
	due, ok, err := k.upper.network.NextEpoch(ctx, s.Id)
	if err != nil {
		return s, err
	}
	if frozen := frozenBefore(tempo); ok && height > due-frozen {
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
