package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/types"
)

// prunePerBlock is how many old seeds a block removes at most: one as a rule, more
// after governance has shortened the history.
const prunePerBlock = 100

// PreBlock gives a decided block its seed, before anything else of the block
// changes the state. It verifies once more what ProcessProposal has: a node that
// replays or fetches blocks never proposed them. A block without a valid proof,
// which more than two thirds of the validators let pass, counts as empty.
func (k Keeper) PreBlock(ctx context.Context, proposer []byte, height int64, txs [][]byte) error {
	s, wrong, err := k.seedOf(ctx, proposer, height, txs)
	if err != nil {
		return err
	}
	if wrong != nil {
		sdk.UnwrapSDKContext(ctx).Logger().Error("a decided block has no valid VRF proof, it counts as empty", "height", height, "err", wrong)
	}
	if err := k.seed.Set(ctx, s.Seed); err != nil {
		return err
	}
	if err := k.seeds.Set(ctx, height, s); err != nil {
		return err
	}
	if err := k.prune(ctx, height); err != nil {
		return err
	}
	return emit(ctx, &types.EventSeed{Height: height, Seed: s.Seed, Proposer: s.Proposer, Proved: s.Proved()})
}

// prune removes the seeds that are older than the history.
func (k Keeper) prune(ctx context.Context, height int64) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	it, err := k.seeds.Iterate(ctx, new(collections.Range[int64]).EndInclusive(height-params.History))
	if err != nil {
		return err
	}
	defer it.Close()
	var old []int64
	for ; it.Valid() && len(old) < prunePerBlock; it.Next() {
		h, err := it.Key()
		if err != nil {
			return err
		}
		old = append(old, h)
	}
	for _, h := range old {
		if err := k.seeds.Remove(ctx, h); err != nil {
			return err
		}
	}
	return nil
}
