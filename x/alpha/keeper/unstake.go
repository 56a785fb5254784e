package keeper

import (
	"context"
	"errors"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// Unstake sells staked alpha for TAO. All of a stake may be sold however small it is.
func (k msgServer) Unstake(ctx context.Context, m *types.MsgUnstake) (*types.MsgUnstakeResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	coldkey, hotkey, err := k.keys(m.Coldkey, m.Hotkey)
	if err != nil {
		return nil, err
	}
	t, err := k.sellStake(ctx, order{
		netuid: m.Netuid, hotkey: hotkey, coldkey: coldkey,
		alpha: m.Alpha, limit: m.LimitPrice, partial: m.AllowPartial,
	})
	return &types.MsgUnstakeResponse{AlphaSold: t.In, TaoReceived: t.Out, Fee: t.Fee}, err
}

// UnstakeAll sells everything on a hotkey in the subnets listed, except what is locked. Where part is
// allowed, a subnet whose limit lets nothing through keeps its stake, as long as
// another one sells.
func (k msgServer) UnstakeAll(ctx context.Context, m *types.MsgUnstakeAll) (*types.MsgUnstakeAllResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	coldkey, hotkey, err := k.keys(m.Coldkey, m.Hotkey)
	if err != nil {
		return nil, err
	}
	out, sold := &types.MsgUnstakeAllResponse{}, false
	var refused error
	for _, s := range m.Subnets {
		t, err := k.sellStake(ctx, order{
			netuid: s.Netuid, hotkey: hotkey, coldkey: coldkey,
			all: true, limit: s.LimitPrice, partial: m.AllowPartial,
		})
		switch {
		case m.AllowPartial && errors.Is(err, types.ErrLimitPrice):
			refused = err // sellStake writes nothing before the price is known
		case err != nil:
			return nil, err
		default:
			out.TaoReceived += t.Out
			sold = true
		}
	}
	if !sold {
		return nil, refused
	}
	return out, nil
}

// order is a sale of stake.
type order struct {
	netuid          uint32
	hotkey, coldkey sdk.AccAddress
	alpha           uint64
	all             bool // the whole stake but for its lock, and even a part of it may be worth less than the least unstake
	limit           uint64
	partial         bool
}

// sellStake sells staked alpha and pays the coldkey.
func (k msgServer) sellStake(ctx context.Context, o order) (pool.Trade, error) {
	p, err := k.tradable(ctx, o.netuid)
	if err != nil {
		return pool.Trade{}, err
	}
	h, err := k.holding(ctx, p, o.hotkey, o.coldkey)
	if err != nil {
		return pool.Trade{}, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return pool.Trade{}, err
	}
	if o.all {
		if o.alpha = h.free(); o.alpha == 0 {
			return pool.Trade{}, h.part(h.value) // says that all is locked
		}
	}
	if err := h.part(o.alpha); err != nil {
		return pool.Trade{}, err
	}
	t, err := p.Reserves().SellWithin(o.alpha, o.limit, o.partial, rules(params))
	if err != nil {
		return pool.Trade{}, poolError(p, err)
	}
	switch {
	case t.In == h.free(): // all of it, however small
	case t.Out == 0:
		return pool.Trade{}, types.ErrLimitPrice.Wrapf("subnet %d: down to %d rao per alpha only %d of %d alpha units sell, for nothing",
			p.Netuid, o.limit, t.In, h.value)
	case !o.all:
		if err := enough(params, t.Out, "unstaked"); err != nil {
			return pool.Trade{}, err
		}
	}
	if err := k.removeStake(ctx, p, h, t.In, types.ReasonUnstake); err != nil {
		return pool.Trade{}, err
	}
	if err := sale(ctx, &p, t, types.Staked, types.ReasonUnstake); err != nil {
		return pool.Trade{}, err
	}
	if err := k.setPool(ctx, p); err != nil || t.Out == 0 {
		return t, err
	}
	return t, k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, o.coldkey, rao(t.Out))
}

// keys reads a message's two keys.
func (k Keeper) keys(cold, hot string) (coldkey, hotkey sdk.AccAddress, err error) {
	if coldkey, err = k.addressOf("coldkey", cold); err != nil {
		return nil, nil, err
	}
	hotkey, err = k.addressOf("hotkey", hot)
	return coldkey, hotkey, err
}
