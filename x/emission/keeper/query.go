package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/emission/curve"
	"github.com/lodenet/lode/x/emission/types"
)

type querier struct{ k Keeper }

// NewQuerier serves the module's queries.
func NewQuerier(k Keeper) types.QueryServer { return querier{k} }

func (q querier) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	p, err := q.k.params.Get(ctx)
	return &types.QueryParamsResponse{Params: p}, err
}

func (q querier) Totals(ctx context.Context, _ *types.QueryTotalsRequest) (*types.QueryTotalsResponse, error) {
	p, err := q.k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	t, err := q.k.totals.Get(ctx)
	return &types.QueryTotalsResponse{
		Totals:      t,
		Supply:      clamp(q.k.bank.GetSupply(ctx, types.Denom).Amount),
		BlockReward: curve.Reward(p.Cap, p.InitialReward, t.Issued),
		Height:      sdk.UnwrapSDKContext(ctx).BlockHeight(),
	}, err
}

func (q querier) Subnet(ctx context.Context, r *types.QuerySubnetRequest) (*types.QuerySubnetResponse, error) {
	s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	e, err := q.k.Emission(ctx, s.Id)
	return &types.QuerySubnetResponse{Emission: e, MovingPrice: e.MovingPrice.String()}, err
}
