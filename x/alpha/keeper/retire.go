package keeper

import (
	"context"
	"math/bits"

	"github.com/lodenet/lode/x/alpha/types"
)

// RetirePool ends a removed subnet's market (protocol.md §3, Full house). What each
// holder is owed is fixed here; that it costs the same however many they are is
// why nobody is paid yet: see pay, which anyone's claim and every block call.
//
// The stake pools stay as they are until all are paid. A holder's part follows
// from them alone, so it does not matter who comes first.
func (k Keeper) RetirePool(ctx context.Context, subnetID uint64) error {
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return err
	}
	r := types.RetiredPool{
		SubnetId: p.SubnetId, Netuid: p.Netuid, Pot: p.TaoReserve, Staked: p.AlphaStaked, Height: height(ctx),
		Total: p.AlphaReserve + p.AlphaProtocol + p.AlphaPending + p.AlphaStaked, // at most alpha_issued
	}
	if err := k.pools.Remove(ctx, subnetID); err != nil {
		return err
	}
	if err := k.netuids.Remove(ctx, p.Netuid); err != nil {
		return err
	}
	nobodys := r.Pot
	if r.Staked > 0 {
		nobodys = part(r.Total-r.Staked, r)
	}
	if err := k.recycleOf(ctx, &r, nobodys); err != nil {
		return err
	}
	if err := emit(ctx, &types.EventPoolRetired{SubnetId: r.SubnetId, Netuid: r.Netuid, Pot: r.Pot, Total: r.Total, Recycled: r.Recycled}); err != nil {
		return err
	}
	if r.Staked == 0 {
		return k.settle(ctx, r)
	}
	return k.retired.Set(ctx, subnetID, r)
}

// part is what alpha units of a retired pool are paid, rounded down.
func part(alpha uint64, r types.RetiredPool) uint64 {
	hi, lo := bits.Mul64(alpha, r.Pot)
	tao, _ := bits.Div64(hi, lo, r.Total) // alpha ≤ total, so the quotient is at most the pot
	return tao
}

// settle ends a retired pool whose holders are all paid: what rounding left is
// recycled. The record stays until Sweep has deleted all others.
func (k Keeper) settle(ctx context.Context, r types.RetiredPool) error {
	if err := k.recycleOf(ctx, &r, r.Pot-r.Paid-r.Recycled); err != nil {
		return err
	}
	r.Settled = true
	if err := k.retired.Set(ctx, r.SubnetId, r); err != nil {
		return err
	}
	return emit(ctx, &types.EventPoolSettled{SubnetId: r.SubnetId, Netuid: r.Netuid, Paid: r.Paid, Recycled: r.Recycled})
}

// recycleOf recycles rao of a pot. The caller stores the record.
func (k Keeper) recycleOf(ctx context.Context, r *types.RetiredPool, rao uint64) error {
	if rao == 0 {
		return nil
	}
	r.Recycled += rao
	return k.upper.network.Recycle(ctx, types.ModuleName, rao, types.ReasonRemoval)
}
