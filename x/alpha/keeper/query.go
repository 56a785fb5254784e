package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/fixed"
	"github.com/lodenet/lode/x/alpha/types"
)

type querier struct{ k Keeper }

// NewQuerier serves the module's queries.
func NewQuerier(k Keeper) types.QueryServer { return querier{k: k} }

func (q querier) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	p, err := q.k.params.Get(ctx)
	return &types.QueryParamsResponse{Params: p}, err
}

func (q querier) Pool(ctx context.Context, r *types.QueryPoolRequest) (*types.QueryPoolResponse, error) {
	p, err := q.k.PoolByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	return &types.QueryPoolResponse{Pool: info(p), Height: height(ctx)}, nil
}

func (q querier) Pools(ctx context.Context, _ *types.QueryPoolsRequest) (*types.QueryPoolsResponse, error) {
	pools, err := q.k.Pools(ctx)
	if err != nil {
		return nil, err
	}
	out := &types.QueryPoolsResponse{Height: height(ctx), Pools: make([]types.PoolInfo, len(pools))}
	for i, p := range pools {
		out.Pools[i] = info(p)
	}
	return out, nil
}

func (q querier) Hotkey(ctx context.Context, r *types.QueryHotkeyRequest) (*types.QueryHotkeyResponse, error) {
	hotkey, err := q.k.addressOf("hotkey", r.Hotkey)
	if err != nil {
		return nil, err
	}
	h, err := q.k.Hotkey(ctx, hotkey)
	return &types.QueryHotkeyResponse{Hotkey: h}, err
}

func (q querier) Hotkeys(ctx context.Context, r *types.QueryHotkeysRequest) (*types.QueryHotkeysResponse, error) {
	coldkey, err := q.k.addressOf("coldkey", r.Coldkey)
	if err != nil {
		return nil, err
	}
	out := &types.QueryHotkeysResponse{}
	out.Hotkeys, out.Pagination, err = query.CollectionPaginate(ctx, q.k.hotkeysOfColdkey, r.Pagination,
		func(at hotkeyOf, _ collections.NoValue) (types.Hotkey, error) { return q.k.Hotkey(ctx, at.K2()) },
		query.WithCollectionPaginationPairPrefix[sdk.AccAddress, sdk.AccAddress](coldkey))
	return out, err
}

func (q querier) Stakes(ctx context.Context, r *types.QueryStakesRequest) (*types.QueryStakesResponse, error) {
	coldkey, err := q.k.addressOf("coldkey", r.Coldkey)
	if err != nil {
		return nil, err
	}
	out := &types.QueryStakesResponse{Height: height(ctx)}
	out.Stakes, out.Pagination, err = query.CollectionFilteredPaginate(ctx, q.k.positionOfColdkey, r.Pagination,
		// What is left in a removed subnet is a claim.
		func(at positionOf, _ collections.NoValue) (bool, error) { return q.k.pools.Has(ctx, at.K2()) },
		func(at positionOf, _ collections.NoValue) (types.StakeInfo, error) {
			return q.stake(ctx, at.K2(), at.K3(), coldkey)
		},
		func(o *query.CollectionsPaginateOptions[positionOf]) {
			p := collections.TriplePrefix[sdk.AccAddress, uint64, sdk.AccAddress](coldkey)
			o.Prefix = &p
		})
	return out, err
}

func (q querier) Nominators(ctx context.Context, r *types.QueryNominatorsRequest) (*types.QueryNominatorsResponse, error) {
	hotkey, err := q.k.addressOf("hotkey", r.Hotkey)
	if err != nil {
		return nil, err
	}
	p, err := q.k.PoolByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	account, err := q.k.Account(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	out := &types.QueryNominatorsResponse{}
	out.Stakes, out.Pagination, err = query.CollectionPaginate(ctx, q.k.positions, r.Pagination,
		func(at positionKey, _ *big.Int) (types.StakeInfo, error) {
			return q.stake(ctx, at.K1(), at.K2(), at.K3())
		},
		func(o *query.CollectionsPaginateOptions[positionKey]) {
			prefix := collections.TripleSuperPrefix[uint64, sdk.AccAddress, sdk.AccAddress](p.SubnetId, account)
			o.Prefix = &prefix
		})
	return out, err
}

// stake is a position with its worth.
func (q querier) stake(ctx context.Context, subnetID uint64, account, coldkey sdk.AccAddress) (types.StakeInfo, error) {
	p, err := q.k.Pool(ctx, subnetID)
	if err != nil {
		return types.StakeInfo{}, err
	}
	hotkey, err := q.k.HotkeyOf(ctx, account)
	if err != nil {
		return types.StakeInfo{}, err
	}
	h, err := q.k.holding(ctx, p, hotkey, coldkey)
	if err != nil {
		return types.StakeInfo{}, err
	}
	hot, err := q.k.text(hotkey)
	if err != nil {
		return types.StakeInfo{}, err
	}
	cold, err := q.k.text(coldkey)
	return types.StakeInfo{
		SubnetId: p.SubnetId, Netuid: p.Netuid, Hotkey: hot, Coldkey: cold,
		Alpha: h.value, ValueTao: p.Reserves().Worth(h.value), Shares: sdkmath.NewIntFromBigInt(h.shares), Locked: h.locked,
	}, err
}

// Quote is what a trade would give now, fee and price impact included.
func (q querier) Quote(ctx context.Context, r *types.QueryQuoteRequest) (*types.QueryQuoteResponse, error) {
	if (r.Tao == 0) == (r.Alpha == 0) {
		return nil, types.ErrInvalidRequest.Wrapf("%d rao and %d alpha units: give one of the two, what you would spend or sell", r.Tao, r.Alpha)
	}
	p, err := q.k.tradable(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	params, err := q.k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	trade := p.Reserves().Sell
	if r.Tao > 0 {
		trade = p.Reserves().Buy
	}
	t, err := trade(max(r.Tao, r.Alpha), rules(params))
	if err != nil {
		return nil, poolError(p, err)
	}
	average := fixed.Q64Ratio(t.Out, t.In)
	if r.Tao > 0 {
		average = fixed.Q64Ratio(t.In, t.Out)
	}
	return &types.QueryQuoteResponse{
		Received: t.Out, Fee: t.Fee, Height: height(ctx),
		PriceBefore: p.Price().String(), PriceAfter: t.After.Price().String(), PriceAverage: average.String(),
	}, nil
}

func info(p types.Pool) types.PoolInfo { return types.PoolInfo{Pool: p, Price: p.Price().String()} }

func height(ctx context.Context) int64 { return sdk.UnwrapSDKContext(ctx).BlockHeight() }
