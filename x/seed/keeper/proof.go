package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/types"
	"github.com/lodenet/lode/x/seed/vrf"
)

// judge says what a block proves, and the seed that it gets by it. A proposer with
// a key in force must prove, one without must not claim to.
func judge(chainID string, s types.Seed, txs [][]byte) (proof, seed []byte, wrong error) {
	empty := vrf.Next(s.Previous, nil)
	claimed, framed := types.ProofIn(txs)
	switch {
	case !framed:
		return nil, empty, types.ErrInvalidProof.Wrapf("block %d does not begin with its proposer's proof, nor with an empty one", s.Height)
	case len(s.Key) == 0 && len(claimed) > 0:
		return nil, empty, types.ErrInvalidProof.Wrapf("block %d has a proof, but its proposer %s has no VRF key in force: the proof must be empty", s.Height, sdk.ConsAddress(s.Proposer))
	case len(s.Key) == 0:
		return nil, empty, nil
	case len(claimed) == 0:
		return nil, empty, types.ErrInvalidProof.Wrapf("block %d has an empty proof, but its proposer %s has the VRF key %x in force and must prove", s.Height, sdk.ConsAddress(s.Proposer), s.Key)
	}
	beta, ok := vrf.Verify(s.Key, vrf.Alpha(chainID, s.Height, s.Previous), claimed)
	if !ok {
		return nil, empty, types.ErrInvalidProof.Wrapf("the proof of block %d is not that of its proposer's VRF key %x over this chain, this height and the seed before", s.Height, s.Key)
	}
	return claimed, vrf.Next(s.Previous, beta), nil
}

// CheckProposal says whether a proposed block begins with what its proposer must
// put there. The context's state is that of the block before.
func (k Keeper) CheckProposal(ctx context.Context, proposer []byte, height int64, txs [][]byte) error {
	_, wrong, err := k.seedOf(ctx, proposer, height, txs)
	if err != nil {
		return err
	}
	return wrong
}

// Task is what a proposer has to prove.
type Task struct {
	Key   []byte // its public key in force; nil: there is nothing to prove
	Alpha []byte // what to prove over
}

// Task is what the proposer of a block has to prove, by the state of the block
// before.
func (k Keeper) Task(ctx context.Context, proposer []byte, height int64) (Task, error) {
	p, err := k.proposer(ctx, proposer, height)
	if err != nil || p.Key == nil {
		return Task{}, err
	}
	previous, err := k.seed.Get(ctx)
	if err != nil {
		return Task{}, err
	}
	return Task{Key: p.Key, Alpha: vrf.Alpha(sdk.UnwrapSDKContext(ctx).ChainID(), height, previous)}, nil
}
