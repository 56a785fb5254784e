package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/weights/types"
)

type querier struct{ k Keeper }

// NewQuerier serves the module's queries.
func NewQuerier(k Keeper) types.QueryServer { return querier{k} }

func (q querier) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	p, err := q.k.params.Get(ctx)
	return &types.QueryParamsResponse{Params: p}, err
}

func (q querier) Weights(ctx context.Context, r *types.QueryWeightsRequest) (*types.QueryWeightsResponse, error) {
	s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	out := &types.QueryWeightsResponse{}
	err = q.k.rows.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](s.Id), func(_ slot, row types.Row) (bool, error) {
		out.Rows = append(out.Rows, row)
		return false, nil
	})
	return out, err
}

func (q querier) Bonds(ctx context.Context, r *types.QueryBondsRequest) (*types.QueryBondsResponse, error) {
	s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	out := &types.QueryBondsResponse{}
	err = q.k.bonds.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](s.Id), func(_ slot, b types.Bonds) (bool, error) {
		out.Bonds = append(out.Bonds, b)
		return false, nil
	})
	return out, err
}

func (q querier) Commits(ctx context.Context, r *types.QueryCommitsRequest) (*types.QueryCommitsResponse, error) {
	s, n, err := q.k.neuron(ctx, r.Netuid, r.Hotkey)
	if err != nil {
		return nil, err
	}
	out := &types.QueryCommitsResponse{}
	if out.Commits, err = q.k.openCommits(ctx, n); err != nil {
		return nil, err
	}
	if out.Epoch, _, err = q.k.EpochState(ctx, s.Id); err != nil {
		return nil, err
	}
	first, _, err := q.k.nextAllowed(ctx, n, weightsLimit(s))
	out.NextCommitHeight = max(first, sdk.UnwrapSDKContext(ctx).BlockHeight()+1)
	return out, err
}

func (q querier) Epoch(ctx context.Context, r *types.QueryEpochRequest) (*types.QueryEpochResponse, error) {
	s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	out := &types.QueryEpochResponse{}
	if out.Epoch, err = q.k.started(ctx, s.Id, s.Netuid); err != nil {
		return nil, err
	}
	out.Result, _, err = q.k.EpochResult(ctx, s.Id)
	return out, err
}
