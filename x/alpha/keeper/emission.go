package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// AddLiquidity adds the block's emission to a pool: TAO of another module's
// account, and alpha that is issued for it (protocol.md §6, step 5).
func (k Keeper) AddLiquidity(ctx context.Context, subnetID uint64, fromModule string, tao, alpha uint64) error {
	if tao == 0 && alpha == 0 {
		return nil
	}
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return err
	}
	after, err := addTao(p, tao)
	if err != nil {
		return err
	}
	if err := k.takeFrom(ctx, fromModule, tao); err != nil {
		return err
	}
	p.TaoReserve = after
	if err := emit(ctx, &types.EventLiquidityAdded{SubnetId: subnetID, Tao: tao, Alpha: alpha}); err != nil {
		return err
	}
	if err := move(ctx, &p, types.Issuance, types.Reserve, alpha); err != nil {
		return err
	}
	return k.setPool(ctx, p)
}

// BuyForProtocol buys alpha that stays out of circulation, free of the fee (§6,
// step 6). All of tao enters the pool: where it would buy the alpha reserve under
// its floor it buys less, so that no block's step fails for it.
func (k Keeper) BuyForProtocol(ctx context.Context, subnetID uint64, fromModule string, tao uint64) (uint64, error) {
	if tao == 0 {
		return 0, nil
	}
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	t, err := p.Reserves().Buy(tao, pool.Rules{})
	if err != nil {
		return 0, poolError(p, err)
	}
	if t.After.Alpha < params.MinReserve {
		t.Out = p.AlphaReserve - min(params.MinReserve, p.AlphaReserve)
		t.After.Alpha = p.AlphaReserve - t.Out
	}
	if err := k.takeFrom(ctx, fromModule, tao); err != nil {
		return 0, err
	}
	if err := purchase(ctx, &p, t, types.Protocol, types.ReasonEmission); err != nil {
		return 0, err
	}
	return t.Out, k.setPool(ctx, p)
}

// SellMinted issues alpha, sells it in the pool at once, for the fee like
// anybody, and sends what it gives to another module's account (§6, step 7:
// root's part). Where the reserve's floor or its smallness forbids the sale
// nothing is issued and nothing sold.
func (k Keeper) SellMinted(ctx context.Context, subnetID uint64, toModule string, alpha uint64) (uint64, error) {
	if alpha == 0 {
		return 0, nil
	}
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return 0, err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return 0, err
	}
	t, err := p.Reserves().Sell(alpha, rules(params))
	if err != nil || t.Out == 0 {
		return 0, nil
	}
	if err := sale(ctx, &p, t, types.Issuance, types.ReasonRoot); err != nil {
		return 0, err
	}
	if err := k.setPool(ctx, p); err != nil {
		return 0, err
	}
	return t.Out, k.bank.SendCoinsFromModuleToModule(ctx, types.ModuleName, toModule, rao(t.Out))
}

// MintPending issues alpha that waits for the next epoch.
func (k Keeper) MintPending(ctx context.Context, subnetID uint64, alpha uint64) error {
	return k.movePool(ctx, subnetID, types.Issuance, types.Pending, alpha)
}

// BurnPending burns alpha that waited for the epoch.
func (k Keeper) BurnPending(ctx context.Context, subnetID uint64, alpha uint64) error {
	return k.movePool(ctx, subnetID, types.Pending, types.Burned, alpha)
}

// RecyclePending takes back alpha that waited for the epoch: it can be issued again.
func (k Keeper) RecyclePending(ctx context.Context, subnetID uint64, alpha uint64) error {
	return k.movePool(ctx, subnetID, types.Pending, types.Issuance, alpha)
}

// StakePending stakes pending alpha for a coldkey on a hotkey. Where it is so
// little that the deposit's rounding is refused it is the stake pool's reward
// instead: an epoch does not fail for dust.
func (k Keeper) StakePending(ctx context.Context, subnetID uint64, hotkey, coldkey sdk.AccAddress, alpha uint64, reason string) error {
	return k.pay(ctx, subnetID, alpha, func(p types.Pool) error {
		err := k.addStake(ctx, p, hotkey, coldkey, alpha, reason)
		if types.ErrRounding.Is(err) {
			return k.reward(ctx, p, hotkey, alpha)
		}
		return err
	})
}

// RewardPending raises the value of all shares of a hotkey's stake pool by
// pending alpha. An empty pool mints shares to the hotkey's coldkey.
func (k Keeper) RewardPending(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress, alpha uint64) error {
	return k.pay(ctx, subnetID, alpha, func(p types.Pool) error {
		on, err := k.StakeOn(ctx, subnetID, hotkey)
		if err != nil {
			return err
		}
		if on > 0 {
			return k.reward(ctx, p, hotkey, alpha)
		}
		coldkey, err := k.Coldkey(ctx, hotkey)
		if err != nil {
			return err
		}
		return k.addStake(ctx, p, hotkey, coldkey, alpha, types.ReasonDividends)
	})
}

// pay moves pending alpha to the stakes, where to says whose it is.
func (k Keeper) pay(ctx context.Context, subnetID uint64, alpha uint64, to func(types.Pool) error) error {
	if alpha == 0 {
		return nil
	}
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return err
	}
	if err := move(ctx, &p, types.Pending, types.Staked, alpha); err != nil {
		return err
	}
	if err := to(p); err != nil {
		return err
	}
	return k.setPool(ctx, p)
}

func (k Keeper) movePool(ctx context.Context, subnetID uint64, from, to types.Account, alpha uint64) error {
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return err
	}
	if err := move(ctx, &p, from, to, alpha); err != nil {
		return err
	}
	return k.setPool(ctx, p)
}

// takeFrom brings another module's TAO into the reserves' account.
func (k Keeper) takeFrom(ctx context.Context, module string, tao uint64) error {
	if tao == 0 {
		return nil
	}
	return k.bank.SendCoinsFromModuleToModule(ctx, module, types.ModuleName, rao(tao))
}

func addTao(p types.Pool, tao uint64) (uint64, error) {
	sum := p.TaoReserve + tao
	if sum < tao {
		return 0, types.ErrReserve.Wrapf("subnet %d: %d rao more than its %d are past 64 bits", p.Netuid, tao, p.TaoReserve)
	}
	return sum, nil
}
