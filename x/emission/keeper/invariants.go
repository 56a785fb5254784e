package keeper

import (
	"context"

	"github.com/lodenet/lode/x/emission/types"
)

// CheckInvariants tests what must hold after every block (protocol.md §9): the
// bank's supply is what was issued less what was burned, within the cap; the
// module's account holds the root pots to the rao; and every pool's pending alpha
// is what its subnet has in the air.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	totals, err := k.totals.Get(ctx)
	if err != nil {
		return err
	}
	uncounted, _, err := found(k.uncounted.Get(ctx))
	if err != nil {
		return err
	}
	supply := clamp(k.bank.GetSupply(ctx, types.Denom).Amount)
	if burned := totals.Burned + uncounted; burned > totals.Issued || supply != totals.Issued-burned {
		return types.ErrInvariantBroken.Wrapf("the bank holds %d rao, but %d were issued and %d burned", supply, totals.Issued, burned)
	}
	if totals.Issued > params.Cap {
		return types.ErrInvariantBroken.Wrapf("%d rao are issued, the cap is %d", totals.Issued, params.Cap)
	}

	var pots uint64
	pending := map[uint64]uint64{}
	all, err := k.all(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		pots += e.RootPot
		pending[e.SubnetId], _ = e.Pending()
	}
	held := clamp(k.bank.GetBalance(ctx, k.accounts.GetModuleAddress(types.ModuleName), types.Denom).Amount)
	if held != pots {
		return types.ErrInvariantBroken.Wrapf("the account %q holds %d rao, the root pots sum to %d", types.ModuleName, held, pots)
	}
	pools, err := k.alpha.Pools(ctx)
	if err != nil {
		return err
	}
	for _, p := range pools {
		if p.AlphaPending != pending[p.SubnetId] {
			return types.ErrInvariantBroken.Wrapf("the pool of subnet %d has %d alpha pending, its emission %d", p.Netuid, p.AlphaPending, pending[p.SubnetId])
		}
		delete(pending, p.SubnetId)
	}
	for _, e := range all {
		if pending[e.SubnetId] != 0 {
			return types.ErrInvariantBroken.Wrapf("%d alpha wait for subnet id %d, which has no pool", pending[e.SubnetId], e.SubnetId)
		}
	}
	return nil
}
