package keeper

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// rules are those of everybody's trades.
func rules(p types.Params) pool.Rules { return pool.Rules{Fee: p.TradeFee, Floor: p.MinReserve} }

// purchase applies a purchase to its pool: the reserves move, and what was bought
// goes to an account. The TAO moves in bank by the caller's hand.
func purchase(ctx context.Context, p *types.Pool, t pool.Trade, to types.Account, reason string) error {
	if err := move(ctx, p, types.Reserve, to, t.Out); err != nil {
		return err
	}
	p.TaoReserve = t.After.Tao
	return emit(ctx, &types.EventTrade{
		SubnetId: p.SubnetId, Netuid: p.Netuid, Purchase: true, Reason: reason,
		Tao: t.In, Alpha: t.Out, Fee: t.Fee, TaoReserve: p.TaoReserve, AlphaReserve: p.AlphaReserve,
	})
}

// sale applies a sale to its pool: alpha comes from an account. The TAO moves in
// bank by the caller's hand.
func sale(ctx context.Context, p *types.Pool, t pool.Trade, from types.Account, reason string) error {
	if err := move(ctx, p, from, types.Reserve, t.In); err != nil {
		return err
	}
	p.TaoReserve = t.After.Tao
	return emit(ctx, &types.EventTrade{
		SubnetId: p.SubnetId, Netuid: p.Netuid, Reason: reason,
		Tao: t.Out, Alpha: t.In, Fee: t.Fee, TaoReserve: p.TaoReserve, AlphaReserve: p.AlphaReserve,
	})
}

// BuyAndBurn is a payment that nobody gets the alpha of, a registration's for
// instance: a purchase with TAO of the payer's.
func (k Keeper) BuyAndBurn(ctx context.Context, subnetID uint64, payer sdk.AccAddress, tao uint64, reason string) (uint64, error) {
	return k.buyFor(ctx, subnetID, payer, tao, types.Burned, reason)
}

// BuyForMiners buys alpha with TAO of the payer's that waits for the subnet's next
// epoch. The caller tells x/emission of it, which pays it out.
func (k Keeper) BuyForMiners(ctx context.Context, subnetID uint64, payer sdk.AccAddress, tao uint64, reason string) (uint64, error) {
	return k.buyFor(ctx, subnetID, payer, tao, types.Pending, reason)
}

func (k Keeper) buyFor(ctx context.Context, subnetID uint64, payer sdk.AccAddress, tao uint64, to types.Account, reason string) (uint64, error) {
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return 0, err
	}
	if err := started(p); err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	t, err := p.Reserves().Buy(tao, rules(params))
	if err != nil {
		return 0, poolError(p, err)
	}
	if err := k.bank.SendCoinsFromAccountToModule(ctx, payer, types.ModuleName, rao(tao)); err != nil {
		return 0, err
	}
	if err := purchase(ctx, &p, t, to, reason); err != nil {
		return 0, err
	}
	return t.Out, k.setPool(ctx, p)
}

// poolError is what package pool says of a subnet's pool, as an error that
// callers can branch on.
func poolError(p types.Pool, err error) error {
	return branch(fmt.Sprintf("subnet %d", p.Netuid), err)
}

func branch(where string, err error) error {
	switch {
	case errors.Is(err, pool.ErrLimit):
		return types.ErrLimitPrice.Wrapf("%s: %s", where, err)
	case errors.Is(err, pool.ErrRounding):
		return types.ErrRounding.Wrapf("%s: %s", where, err)
	case errors.Is(err, pool.ErrReserve), errors.Is(err, pool.ErrOverflow):
		return types.ErrReserve.Wrapf("%s: %s", where, err)
	}
	return err
}
