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
// not count as withheld, for it is not the owner that earned it.
func (k Keeper) payMiners(ctx context.Context, p *payout, miners []uint64) error {
	var all, withheld uint64
	for uid, alpha := range miners {
		if alpha == 0 {
			continue
		}
		all += alpha
		coldkey, to, err := k.alpha.Payee(ctx, p.Hotkeys[uid])
		if err != nil {
			return err
		}
		if bytes.Equal(coldkey, p.ownerColdkey) {
			withheld += alpha
			continue
		}
		covered, err := k.covered(ctx, p, p.Hotkeys[uid])
		if err != nil {
			return err
		}
		if !covered {
			p.sums.Uncovered += alpha
			continue
		}
		p.incentive[uid] = alpha
		p.stake(to, coldkey, alpha, alphatypes.ReasonIncentive)
	}
	p.sums.Withheld = uint64(fixed.Ratio(withheld, all))
	p.burn(withheld + p.sums.Uncovered)
	return nil
}

// covered asks x/collateral only where the subnet wants any.
func (k Keeper) covered(ctx context.Context, p *payout, hotkey sdk.AccAddress) (bool, error) {
	if p.Subnet.Hyperparameters.MinCollateral == 0 {
		return true, nil
	}
	return k.collateral.Covered(ctx, p.Subnet.Id, hotkey)
}
