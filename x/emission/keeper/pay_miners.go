package keeper

import (
	"bytes"
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/fixed"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

// payMiners stakes each miner's incentive on its destination. What falls to
// hotkeys of the owner's coldkey is burned, wherever they would send it, and its
// fraction is withheld from the subnet's share of the next blocks. What falls to a
// miner without the collateral that the subnet asks for is burned too; that does
// not count as withheld, for it is not the owner that earned it. Revenue goes the same
// ways, and counts as withheld as little: it was not minted. It is nil where nobody gets
// any.
func (k Keeper) payMiners(ctx context.Context, p *payout, miners, revenue []uint64) error {
	var all, withheld, ofOwner uint64
	for uid, alpha := range miners {
		var bought uint64
		if revenue != nil {
			bought = revenue[uid]
		}
		if alpha == 0 && bought == 0 {
			continue
		}
		all += alpha
		miner := p.Stakes[uid]
		coldkey, to, err := k.alpha.Payee(ctx, miner.Hotkey, miner.Binding.Record)
		if err != nil {
			return err
		}
		if bytes.Equal(coldkey, p.ownerColdkey) {
			withheld += alpha
			ofOwner += bought
			continue
		}
		covered, err := k.covered(ctx, p, miner.Hotkey)
		if err != nil {
			return err
		}
		if !covered {
			p.sums.Uncovered += alpha + bought
			continue
		}
		var account sdk.AccAddress
		if to.Equals(miner.Hotkey) {
			account = miner.Binding.Account
		}
		p.incentive[uid], p.revenue[uid] = alpha, bought
		p.stake(to, account, coldkey, alpha, alphatypes.ReasonIncentive)
		p.stake(to, account, coldkey, bought, alphatypes.ReasonRevenue)
		p.sums.Revenue += bought
	}
	p.sums.Withheld = uint64(fixed.Ratio(withheld, all))
	p.burn(withheld + ofOwner + p.sums.Uncovered)
	return nil
}

// covered asks x/collateral only where the subnet wants any.
func (k Keeper) covered(ctx context.Context, p *payout, hotkey sdk.AccAddress) (bool, error) {
	if p.Subnet.Hyperparameters.MinCollateral == 0 {
		return true, nil
	}
	return k.collateral.Covered(ctx, p.Subnet.Id, hotkey)
}
