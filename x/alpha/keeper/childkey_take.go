package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/alpha/types"
)

// SetChildkeyTake sets what a hotkey keeps of the dividends that its parents' stake
// weight earns in a subnet. Like a hotkey's take: lowering is free, raising it has
// to wait after the last raise.
func (k msgServer) SetChildkeyTake(ctx context.Context, m *types.MsgSetChildkeyTake) (*types.MsgSetChildkeyTakeResponse, error) {
	_, hotkey, err := k.own(ctx, m.Coldkey, m.Hotkey, "sets its childkey take")
	if err != nil {
		return nil, err
	}
	p, err := k.PoolByNetuid(ctx, m.Netuid)
	if err != nil {
		return nil, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if m.Take > params.MaxTake {
		return nil, types.ErrTake.Wrapf("a childkey take of %d per million, the most is %d", m.Take, params.MaxTake)
	}
	account, err := k.Account(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	at := collections.Join(p.SubnetId, account)
	t, had, err := found(k.childkeyTakes.Get(ctx, at))
	if err != nil {
		return nil, err
	}
	if !had {
		t.SubnetId = p.SubnetId
		if t.Hotkey, err = k.text(account); err != nil {
			return nil, err
		}
	}
	was := min(t.Take, params.MaxTake)
	if m.Take == was {
		return &types.MsgSetChildkeyTakeResponse{}, nil
	}
	if m.Take > was {
		if t.RaisedHeight, t.RaisedTime, err = raise(ctx, "childkey take of "+m.Hotkey, t.RaisedHeight, t.RaisedTime, params); err != nil {
			return nil, err
		}
	}
	t.Take = m.Take
	if err := k.childkeyTakes.Set(ctx, at, t); err != nil {
		return nil, err
	}
	name, err := k.text(hotkey)
	if err != nil {
		return nil, err
	}
	return &types.MsgSetChildkeyTakeResponse{}, emit(ctx, &types.EventChildkeyTakeSet{SubnetId: p.SubnetId, Netuid: p.Netuid, Hotkey: name, Take: t.Take})
}
