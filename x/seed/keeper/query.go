package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/x/seed/types"
)

type querier struct{ k Keeper }

// NewQuerier serves the module's queries.
func NewQuerier(k Keeper) types.QueryServer { return querier{k} }

func (q querier) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	p, err := q.k.params.Get(ctx)
	return &types.QueryParamsResponse{Params: p}, err
}

func (q querier) Seed(ctx context.Context, r *types.QuerySeedRequest) (*types.QuerySeedResponse, error) {
	s, err := q.k.SeedAt(ctx, r.Height)
	if err != nil {
		return nil, err
	}
	beta, err := s.Beta()
	return &types.QuerySeedResponse{Seed: s, Beta: beta, Proved: s.Proved()}, err
}

func (q querier) LatestSeed(ctx context.Context, _ *types.QueryLatestSeedRequest) (*types.QuerySeedResponse, error) {
	_, last, ok, err := q.k.kept(ctx)
	if err == nil && !ok {
		err = types.ErrNoSeed.Wrap("no block has a seed yet")
	}
	if err != nil {
		return nil, err
	}
	return q.Seed(ctx, &types.QuerySeedRequest{Height: last})
}

func (q querier) VRFKey(ctx context.Context, r *types.QueryVRFKeyRequest) (*types.QueryVRFKeyResponse, error) {
	operator, err := q.k.ac.StringToBytes(r.Operator)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("operator %q: %s", r.Operator, err)
	}
	key, ok, err := q.k.VRFKey(ctx, operator)
	if err == nil && !ok {
		err = types.ErrNoKey.Wrapf("%s has registered none", r.Operator)
	}
	if err != nil {
		return nil, err
	}
	return &types.QueryVRFKeyResponse{Key: key.At(sdk.UnwrapSDKContext(ctx).BlockHeight() + 1)}, nil
}

func (q querier) VRFKeys(ctx context.Context, r *types.QueryVRFKeysRequest) (*types.QueryVRFKeysResponse, error) {
	next := sdk.UnwrapSDKContext(ctx).BlockHeight() + 1
	keys, page, err := query.CollectionPaginate(ctx, q.k.keys, r.Pagination, func(_ []byte, key types.VRFKey) (types.VRFKey, error) {
		return key.At(next), nil
	})
	return &types.QueryVRFKeysResponse{Keys: keys, Pagination: page}, err
}
