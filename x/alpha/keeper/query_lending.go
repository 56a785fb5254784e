package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/alpha/types"
)

func (q querier) Children(ctx context.Context, r *types.QueryChildrenRequest) (*types.QueryChildrenResponse, error) {
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
	at := collections.Join(p.SubnetId, account)
	out := &types.QueryChildrenResponse{}
	now, ok, err := found(q.k.children.Get(ctx, at))
	if err != nil {
		return nil, err
	}
	if ok {
		if now, err = q.k.byHotkeys(ctx, now); err != nil {
			return nil, err
		}
		out.Children = now.Children
	}
	soon, ok, err := found(q.k.pendingChildren.Get(ctx, at))
	if err != nil || !ok {
		return out, err
	}
	soon.Children, err = q.k.byHotkeys(ctx, soon.Children)
	out.Pending = &soon
	return out, err
}

func (q querier) Parents(ctx context.Context, r *types.QueryParentsRequest) (*types.QueryParentsResponse, error) {
	hotkey, err := q.k.addressOf("hotkey", r.Hotkey)
	if err != nil {
		return nil, err
	}
	p, err := q.k.PoolByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	out := &types.QueryParentsResponse{}
	if out.Parents, err = q.k.ParentsOf(ctx, p.SubnetId, hotkey); err != nil {
		return nil, err
	}
	out.ChildkeyTake, err = q.k.ChildkeyTake(ctx, p.SubnetId, hotkey)
	return out, err
}
