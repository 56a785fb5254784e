package keeper

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"cosmossdk.io/collections"

	subnetstypes "github.com/lodenet/lode/x/subnets/types"
	"github.com/lodenet/lode/x/weights/types"
)

// CommitWeights keeps a hash, to be revealed in the epoch that it returns.
func (k msgServer) CommitWeights(ctx context.Context, m *types.MsgCommitWeights) (*types.MsgCommitWeightsResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	s, n, err := k.validator(ctx, m.Netuid, m.Hotkey)
	if err != nil {
		return nil, err
	}
	state, err := k.started(ctx, s.Id, s.Netuid)
	if err != nil {
		return nil, err
	}
	if !s.Hyperparameters.CommitReveal {
		return nil, types.ErrCommitReveal.Wrapf("subnet %d has it off: use SetWeights", s.Netuid)
	}
	if err := k.useLimit(ctx, n, weightsLimit(s)); err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	open, err := k.openCommits(ctx, n)
	if err != nil {
		return nil, err
	}
	if len(open) >= int(params.MaxOpenCommits) {
		return nil, types.ErrTooManyCommits.Wrapf("%d are open, the most there may be: the oldest expires after epoch %d, or reveal it in that epoch (the next is %d)",
			len(open), open[0].RevealEpoch, state.Number+1)
	}
	for _, c := range open {
		if bytes.Equal(c.Hash, m.Hash) {
			return nil, types.ErrInvalidCommit.Wrapf("hash %x is committed already, in block %d: use a fresh salt", m.Hash, c.Height)
		}
	}
	c := types.Commit{
		Hash: m.Hash, Hotkey: n.Hotkey, Height: targetHeight(ctx),
		Epoch: state.Number + 1, RevealEpoch: state.Number + 1 + uint64(s.Hyperparameters.RevealPeriod),
	}
	if err := k.setCommits(ctx, n, append(open, c)); err != nil {
		return nil, err
	}
	err = emit(ctx, &types.EventWeightsCommitted{
		SubnetId: s.Id, Netuid: s.Netuid, Uid: n.Uid, Hotkey: n.Hotkey,
		Hash: c.Hash, Epoch: c.Epoch, RevealEpoch: c.RevealEpoch,
	})
	return &types.MsgCommitWeightsResponse{Epoch: c.Epoch, RevealEpoch: c.RevealEpoch}, err
}

// openCommits are a neuron's, oldest first.
func (k Keeper) openCommits(ctx context.Context, n subnetstypes.Neuron) ([]types.Commit, error) {
	c, _, err := found(k.commits.Get(ctx, collections.Join(n.SubnetId, n.Uid)))
	return c.Commits, err
}

func (k Keeper) setCommits(ctx context.Context, n subnetstypes.Neuron, open []types.Commit) error {
	at := collections.Join(n.SubnetId, n.Uid)
	if len(open) == 0 {
		return k.commits.Remove(ctx, at)
	}
	return k.commits.Set(ctx, at, types.Commits{SubnetId: n.SubnetId, Uid: n.Uid, Commits: open})
}

// expireCommits removes what can't be revealed any more after run number.
func (k Keeper) expireCommits(ctx context.Context, s subnetstypes.Subnet, number uint64) error {
	type change struct {
		at   slot
		open types.Commits
	}
	var changes []change // collected first: a store must not change under its iterator
	err := k.commits.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](s.Id), func(at slot, open types.Commits) (bool, error) {
		if slices.ContainsFunc(open.Commits, func(c types.Commit) bool { return c.RevealEpoch <= number }) {
			changes = append(changes, change{at, open})
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, ch := range changes {
		var left []types.Commit
		for _, c := range ch.open.Commits {
			if c.RevealEpoch > number {
				left = append(left, c)
				continue
			}
			err := emit(ctx, &types.EventCommitExpired{SubnetId: s.Id, Netuid: s.Netuid, Uid: ch.at.K2(), Hotkey: c.Hotkey, Hash: c.Hash})
			if err != nil {
				return err
			}
		}
		if err := k.setCommits(ctx, subnetstypes.Neuron{SubnetId: s.Id, Uid: ch.at.K2()}, left); err != nil {
			return err
		}
	}
	return nil
}

func noCommits(n subnetstypes.Neuron, netuid uint32) error {
	return types.ErrNoCommit.Wrapf("uid %d of subnet %d has no open commit: it was revealed, expired or never made", n.Uid, netuid)
}

// tooEarly says when a commit can be revealed.
func tooEarly(c types.Commit, state types.EpochState) error {
	when := fmt.Sprintf("after %d more epochs", c.RevealEpoch-state.Number-1)
	if c.RevealEpoch == state.Number+2 {
		when = fmt.Sprintf("from block %d on", state.DueHeight+1)
	}
	return types.ErrRevealWindow.Wrapf("the commit of block %d belongs to epoch %d and is revealed in epoch %d, %s; this is epoch %d",
		c.Height, c.Epoch, c.RevealEpoch, when, state.Number+1)
}
