package keeper

import (
	"context"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// Emit gives a pool its part of a block (protocol.md §6, steps 5 to 7) and returns
// what the alpha sold for root brought, in rao. It moves no coins: the caller brings
// TaoIn and Excess to the module's account, and takes what Emit returns from it, once
// for all pools of a block.
func (k Keeper) Emit(ctx context.Context, subnetID uint64, e types.BlockEmission) (root uint64, err error) {
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	before := p
	if err := addLiquidity(ctx, &p, e.TaoIn, e.AlphaIn); err != nil {
		return 0, err
	}
	if err := buyForProtocol(ctx, &p, params, e.Excess); err != nil {
		return 0, err
	}
	if root, err = sellMinted(ctx, &p, params, e.Sold); err != nil {
		return 0, err
	}
	if err := move(ctx, &p, types.Issuance, types.Pending, e.Pending); err != nil {
		return 0, err
	}
	if p == before {
		return root, nil
	}
	return root, k.setPool(ctx, p)
}

// addLiquidity adds TAO, and alpha that is issued for it.
func addLiquidity(ctx context.Context, p *types.Pool, tao, alpha uint64) error {
	if tao == 0 && alpha == 0 {
		return nil
	}
	after, err := addTao(*p, tao)
	if err != nil {
		return err
	}
	p.TaoReserve = after
	if err := emit(ctx, &types.EventLiquidityAdded{SubnetId: p.SubnetId, Tao: tao, Alpha: alpha}); err != nil {
		return err
	}
	return move(ctx, p, types.Issuance, types.Reserve, alpha)
}

// buyForProtocol buys alpha that stays out of circulation, free of the fee. All of
// tao enters the pool: where it would buy the alpha reserve under its floor it buys
// less, so that no block's step fails for it.
func buyForProtocol(ctx context.Context, p *types.Pool, params types.Params, tao uint64) error {
	if tao == 0 {
		return nil
	}
	t, err := p.Reserves().Buy(tao, pool.Rules{})
	if err != nil {
		return poolError(*p, err)
	}
	if t.After.Alpha < params.MinReserve {
		t.Out = p.AlphaReserve - min(params.MinReserve, p.AlphaReserve)
		t.After.Alpha = p.AlphaReserve - t.Out
	}
	return purchase(ctx, p, t, types.Protocol, types.ReasonEmission)
}

// sellMinted issues alpha and sells it in the pool at once, for the fee like anybody:
// root's part. Where the reserve's floor or its smallness forbids the sale nothing is
// issued and nothing sold.
func sellMinted(ctx context.Context, p *types.Pool, params types.Params, alpha uint64) (tao uint64, err error) {
	if alpha == 0 {
		return 0, nil
	}
	t, err := p.Reserves().Sell(alpha, rules(params))
	if err != nil || t.Out == 0 {
		return 0, nil
	}
	return t.Out, sale(ctx, p, t, types.Issuance, types.ReasonRoot)
}

// PayPending pays what waited for an epoch, in the order given. The pool is read and
// written once, however many are paid.
func (k Keeper) PayPending(ctx context.Context, subnetID uint64, payments []types.Payment) error {
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return err
	}
	for _, pay := range payments {
		if err := move(ctx, &p, types.Pending, pay.To, pay.Alpha); err != nil {
			return err
		}
		if pay.To != types.Staked {
			continue
		}
		if err := k.join(ctx, p, pay); err != nil {
			return err
		}
	}
	return k.setPool(ctx, p)
}

// join adds a payment to its stake pool, for new shares or as a reward. Where it is
// so little that the deposit's rounding is refused it is a reward: an epoch does not
// fail for dust. A reward of an empty stake pool mints shares to the hotkey's coldkey.
func (k Keeper) join(ctx context.Context, p types.Pool, pay types.Payment) (err error) {
	account := pay.Account
	if account == nil {
		if account, err = k.Account(ctx, pay.Hotkey); err != nil {
			return err
		}
	}
	s, err := k.stakePool(ctx, p, account)
	if err != nil {
		return err
	}
	if pay.Coldkey == nil {
		if s.Alpha > 0 {
			return k.reward(ctx, p, account, s, pay.Hotkey, pay.Alpha)
		}
		coldkey, err := k.Coldkey(ctx, pay.Hotkey)
		if err != nil {
			return err
		}
		return k.deposit(ctx, p, account, s, pay.Hotkey, coldkey, pay.Alpha, types.ReasonDividends)
	}
	err = k.deposit(ctx, p, account, s, pay.Hotkey, pay.Coldkey, pay.Alpha, pay.Reason)
	if types.ErrRounding.Is(err) {
		return k.reward(ctx, p, account, s, pay.Hotkey, pay.Alpha)
	}
	return err
}

func addTao(p types.Pool, tao uint64) (uint64, error) {
	sum := p.TaoReserve + tao
	if sum < tao {
		return 0, types.ErrReserve.Wrapf("subnet %d: %d rao more than its %d are past 64 bits", p.Netuid, tao, p.TaoReserve)
	}
	return sum, nil
}
