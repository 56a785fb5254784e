package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/emission/curve"
	"github.com/lodenet/lode/x/internal/guarded"
	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// maxSubnets bounds the subnets that are looked at in a block: there are fewer.
const maxSubnets = 4_096

// spendRevenues pays owners and buys alpha for what waits of the subnets' revenues.
func (k Keeper) spendRevenues(ctx context.Context) error {
	ids, err := guarded.FirstKeys(ctx, k.waiting.Iterate, new(collections.Range[uint64]), maxSubnets)
	if err != nil || len(ids) == 0 {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		r, err := k.revenues.Get(ctx, id)
		if err != nil {
			return err
		}
		// Each for itself: where a pool can't be bought from, the owner is paid all the same.
		for _, spend := range []func(context.Context, types.Params, uint64) error{k.payOwner, k.buyAlpha} {
			failed := guarded.Do(ctx, types.ModuleName, func(ctx context.Context) error { return spend(ctx, params, id) })
			if failed == nil {
				continue
			}
			if err := tellPutOff(ctx, &types.EventWorkPutOff{SubnetId: r.SubnetId, Netuid: r.Netuid}, failed); err != nil {
				return err
			}
		}
	}
	return nil
}

// payOwner pays the owner's part to the coldkey that the subnet's owner has now.
func (k Keeper) payOwner(ctx context.Context, _ types.Params, subnetID uint64) error {
	s, r, err := k.waits(ctx, subnetID)
	if err != nil || r.PendingOwner == 0 {
		return err
	}
	hotkey, err := k.addressOf("owner's hotkey", s.OwnerHotkey)
	if err != nil {
		return err
	}
	owner, err := k.party(ctx, hotkey)
	if err != nil {
		return err
	}
	amount := r.PendingOwner
	if err := k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, owner.coldkey, rao(amount)); err != nil {
		return err
	}
	r.PendingOwner, r.Owner = 0, types.AddUpTo(r.Owner, amount)
	if err := k.setRevenue(ctx, r); err != nil {
		return err
	}
	return emit(ctx, &types.EventOwnerPaid{SubnetId: s.Id, Netuid: s.Netuid, Coldkey: owner.coldkeyText, Amount: amount})
}

// waits is a subnet and its revenue.
func (k Keeper) waits(ctx context.Context, subnetID uint64) (s subnetstypes.Subnet, r types.Revenue, err error) {
	if s, err = k.subnets.Subnet(ctx, subnetID); err != nil {
		return s, r, err
	}
	r, err = k.revenue(ctx, s)
	return s, r, err
}

// buyAlpha buys for burning and for miners, in equal proportion to what waits, at most
// max_buy of the pool's TAO as it is measured; in the first block it is measured alone.
// What would buy nothing waits: for the subnet's start, for a pool that has alpha to
// give, for more revenue.
func (k Keeper) buyAlpha(ctx context.Context, params types.Params, subnetID uint64) error {
	_, r, err := k.waits(ctx, subnetID)
	if err != nil {
		return err
	}
	p, err := k.alpha.Pool(ctx, subnetID)
	if err != nil || !p.Trading {
		return err
	}
	height, _ := now(ctx)
	if r.ReserveHeight == 0 {
		r.Reserve, r.ReserveHeight = p.TaoReserve, height
		return k.setRevenue(ctx, r)
	}
	trading, err := k.alpha.Params(ctx)
	if err != nil {
		return err
	}
	rules := pool.Rules{Fee: trading.TradeFee, Floor: trading.MinReserve}
	measured := r.Measure(p.TaoReserve, height)
	burn, miners := budget(r, measured, params.MaxBuy)
	burn, err = buyable(p.Reserves(), burn, rules)
	if err != nil {
		return err
	}
	spent := types.EventRevenueSpent{SubnetId: r.SubnetId, Netuid: r.Netuid, BurnTao: burn}
	if burn > 0 {
		if spent.Burned, err = k.alpha.BuyAndBurn(ctx, subnetID, k.account, burn, types.ReasonRevenue); err != nil {
			return err
		}
		if p, err = k.alpha.Pool(ctx, subnetID); err != nil {
			return err
		}
	}
	if spent.MinersTao, err = buyable(p.Reserves(), miners, rules); err != nil {
		return err
	}
	if spent.MinersTao > 0 {
		if spent.Miners, err = k.alpha.BuyForMiners(ctx, subnetID, k.account, spent.MinersTao, types.ReasonRevenue); err != nil {
			return err
		}
		if err := k.emission.AddRevenue(ctx, subnetID, spent.Miners); err != nil {
			return err
		}
	}
	if spent.BurnTao+spent.MinersTao == 0 {
		return nil
	}
	r.Reserve, r.ReserveHeight = measured, height
	r.PendingBurn -= spent.BurnTao
	r.PendingMiners -= spent.MinersTao
	r.BurnTao, r.Burned = types.AddUpTo(r.BurnTao, spent.BurnTao), types.AddUpTo(r.Burned, spent.Burned)
	r.MinersTao, r.Miners = types.AddUpTo(r.MinersTao, spent.MinersTao), types.AddUpTo(r.Miners, spent.Miners)
	if err := k.setRevenue(ctx, r); err != nil {
		return err
	}
	spent.Waiting = r.PendingBurn + r.PendingMiners
	return emit(ctx, &spent)
}

// budget is what may be spent in this block for burning and for miners, of a pool of
// so many rao.
func budget(r types.Revenue, reserve uint64, maxBuy uint32) (burn, miners uint64) {
	all := r.PendingBurn + r.PendingMiners // coins that are held
	most := curve.MulDiv(reserve, uint64(maxBuy), types.Million)
	if all <= most {
		return r.PendingBurn, r.PendingMiners
	}
	burn = curve.MulDiv(most, r.PendingBurn, all)
	return burn, most - burn // at most what waits for miners, since most < all
}

// buyable is tao, or 0 where it would buy nothing or the reserves don't allow it.
func buyable(from pool.Reserves, tao uint64, rules pool.Rules) (uint64, error) {
	t, err := from.Buy(tao, rules)
	switch {
	case errors.Is(err, pool.ErrReserve):
		return 0, nil
	case err != nil || t.Out == 0:
		return 0, err
	}
	return tao, nil
}
