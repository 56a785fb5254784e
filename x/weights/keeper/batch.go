package keeper

import (
	"context"
	"fmt"

	"cosmossdk.io/errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/internal/guarded"
	"github.com/lodenet/lode/x/weights/types"
)

const (
	// gasFailure is what telling of it costs: an item can fail with next to no work,
	// and every node keeps the words.
	gasFailure = 5_000
)

// BatchSetWeights sets a row in each of several subnets, as so many messages
// SetWeights would. Each stands by itself: one that fails leaves nothing, not even
// a used limit, and does not keep the others from being done.
func (k msgServer) BatchSetWeights(ctx context.Context, m *types.MsgBatchSetWeights) (*types.MsgBatchSetWeightsResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	out := &types.MsgBatchSetWeightsResponse{}
	for _, w := range m.Weights {
		r, err := k.batchItem(ctx, m.Hotkey, w.Netuid, func(ctx context.Context) (types.BatchResult, error) {
			_, err := k.SetWeights(ctx, &types.MsgSetWeights{
				Hotkey: m.Hotkey, Netuid: w.Netuid, Uids: w.Uids, Values: w.Values, Version: w.Version,
			})
			return types.BatchResult{}, err
		})
		if err != nil {
			return nil, err
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

// BatchCommitWeights commits in each of several subnets, as so many messages
// CommitWeights would; each stands by itself.
func (k msgServer) BatchCommitWeights(ctx context.Context, m *types.MsgBatchCommitWeights) (*types.MsgBatchCommitWeightsResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	out := &types.MsgBatchCommitWeightsResponse{}
	for _, c := range m.Commits {
		r, err := k.batchItem(ctx, m.Hotkey, c.Netuid, func(ctx context.Context) (types.BatchResult, error) {
			done, err := k.CommitWeights(ctx, &types.MsgCommitWeights{Hotkey: m.Hotkey, Netuid: c.Netuid, Hash: c.Hash})
			if err != nil {
				return types.BatchResult{}, err
			}
			return types.BatchResult{Epoch: done.Epoch, RevealEpoch: done.RevealEpoch}, nil
		})
		if err != nil {
			return nil, err
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

// batchItem does one subnet's part in a cached store. Where it fails the result has
// the error's code and an event its words: results are hashed into the next block's
// header, so that words in them could never be changed again. It uses the batch's
// gas in any case; running out of gas is a panic and ends the whole batch.
func (k msgServer) batchItem(
	ctx context.Context, hotkey string, netuid uint32, do func(context.Context) (types.BatchResult, error),
) (types.BatchResult, error) {
	c := sdk.UnwrapSDKContext(ctx)
	cached, write := c.CacheContext()
	r, err := do(cached)
	r.Netuid = netuid
	if err == nil {
		write()
		return r, nil
	}
	c.GasMeter().ConsumeGas(gasFailure, "an item of a batch that failed")
	codespace, code, _ := errors.ABCIInfo(err, false)
	r.Error = fmt.Sprintf("%s/%d", codespace, code)
	return r, emit(ctx, &types.EventBatchItemFailed{Netuid: netuid, Hotkey: hotkey, Reason: guarded.Reason(err)})
}
