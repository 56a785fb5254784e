package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkquery "github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/x/subnets/types"
)

type querier struct{ k Keeper }

// NewQuerier serves the module's queries.
func NewQuerier(k Keeper) types.QueryServer { return querier{k} }

func (q querier) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	p, err := q.k.params.Get(ctx)
	return &types.QueryParamsResponse{Params: p}, err
}

func (q querier) Subnet(ctx context.Context, r *types.QuerySubnetRequest) (*types.QuerySubnetResponse, error) {
	s, err := q.k.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	owner, err := q.k.ownerColdkey(ctx, s)
	return &types.QuerySubnetResponse{Subnet: s, OwnerColdkey: owner}, err
}

func (q querier) Subnets(ctx context.Context, _ *types.QuerySubnetsRequest) (*types.QuerySubnetsResponse, error) {
	s, err := q.k.Subnets(ctx)
	return &types.QuerySubnetsResponse{Subnets: s}, err
}

func (q querier) Neuron(ctx context.Context, r *types.QueryNeuronRequest) (*types.QueryNeuronResponse, error) {
	s, err := q.k.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	hotkey, err := q.k.ac.StringToBytes(r.Hotkey)
	if err != nil {
		return nil, err
	}
	n, err := q.k.NeuronByHotkey(ctx, s.Id, hotkey)
	return &types.QueryNeuronResponse{Neuron: n}, err
}

func (q querier) Neurons(ctx context.Context, r *types.QueryNeuronsRequest) (*types.QueryNeuronsResponse, error) {
	s, err := q.k.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	neurons, page, err := sdkquery.CollectionPaginate(ctx, q.k.neurons, r.Pagination,
		func(_ slot, n types.Neuron) (types.Neuron, error) { return n, nil },
		sdkquery.WithCollectionPaginationPairPrefix[uint64, uint32](s.Id))
	return &types.QueryNeuronsResponse{Neurons: neurons, Pagination: page}, err
}

func (q querier) PruningOrder(ctx context.Context, r *types.QueryPruningOrderRequest) (*types.QueryPruningOrderResponse, error) {
	s, err := q.k.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	order, err := q.k.PruningOrder(ctx, s.Id)
	return &types.QueryPruningOrderResponse{Order: order}, err
}

// LockCost quotes the price and the block at which it is true.
func (q querier) LockCost(ctx context.Context, _ *types.QueryLockCostRequest) (*types.QueryLockCostResponse, error) {
	lock, err := q.k.LockCost(ctx)
	return &types.QueryLockCostResponse{Lock: lock, Height: sdk.UnwrapSDKContext(ctx).BlockHeight()}, err
}

// BurnCost quotes the price and the block at which it is true.
func (q querier) BurnCost(ctx context.Context, r *types.QueryBurnCostRequest) (*types.QueryBurnCostResponse, error) {
	s, err := q.k.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	burn, err := q.k.BurnCost(ctx, s.Id)
	return &types.QueryBurnCostResponse{Burn: burn, Height: sdk.UnwrapSDKContext(ctx).BlockHeight()}, err
}
