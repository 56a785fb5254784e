package keeper

import (
	"context"

	sdkquery "github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/x/subnets/types"
)

// Published are the data of the neuron that a hotkey has now; the record names
// the hotkey that published or sealed them.
func (q querier) Published(ctx context.Context, r *types.QueryPublishedRequest) (*types.QueryPublishedResponse, error) {
	s, err := q.k.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	hotkey, err := q.k.ac.StringToBytes(r.Hotkey)
	if err != nil {
		return nil, err
	}
	n, err := q.k.NeuronByHotkey(ctx, s.Id, hotkey)
	if err != nil {
		return nil, err
	}
	p, ok, err := found(q.k.published.Get(ctx, joinSlot(n)))
	if err == nil && !ok {
		err = types.ErrNotPublished.Wrapf("hotkey %s keeps no data in subnet %d: MsgPublish and MsgPublishSealed do", n.Hotkey, s.Netuid)
	}
	return &types.QueryPublishedResponse{Published: p}, err
}

// AllPublished are the data of a subnet's neurons, by uid.
func (q querier) AllPublished(ctx context.Context, r *types.QueryAllPublishedRequest) (*types.QueryAllPublishedResponse, error) {
	s, err := q.k.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	all, page, err := sdkquery.CollectionPaginate(ctx, q.k.published, r.Pagination,
		func(_ slot, p types.Published) (types.Published, error) { return p, nil },
		sdkquery.WithCollectionPaginationPairPrefix[uint64, uint32](s.Id))
	return &types.QueryAllPublishedResponse{Published: all, Pagination: page}, err
}

// RemovalOrder lists all subnets, the first to be removed first, and tells how
// many creations there is room for before one is.
func (q querier) RemovalOrder(ctx context.Context, _ *types.QueryRemovalOrderRequest) (*types.QueryRemovalOrderResponse, error) {
	p, err := q.k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	order, err := q.k.RemovalOrder(ctx)
	free := max(int64(p.MaxSubnets)-int64(len(order)), 0)
	return &types.QueryRemovalOrderResponse{Order: order, FreeSlots: uint32(free)}, err
}
