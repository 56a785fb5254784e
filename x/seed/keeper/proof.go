package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/vrf"
)

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
