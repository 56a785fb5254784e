package keeper

import (
	"context"
	"errors"

	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// release frees what is due of a collateral and not frozen. That of a removed
// subnet is stake like any other: its record waits for the sweep.
func (k Keeper) release(ctx context.Context, at place) error {
	c, err := k.collaterals.Get(ctx, at)
	if err != nil {
		return err
	}
	s, err := k.subnets.Subnet(ctx, at.K1())
	if errors.Is(err, subnetstypes.ErrNoSubnet) {
		return k.keepUntil(ctx, at, c, 0)
	}
	if err != nil {
		return err
	}
	frozen, err := k.frozen(ctx, at)
	if err != nil {
		return err
	}
	height, seconds := now(ctx)
	released, held := c.Release(height, seconds, frozen)
	if released+held > 0 {
		p, err := k.accountParty(ctx, c.Hotkey)
		if err != nil {
			return err
		}
		if released > 0 {
			if err := k.alpha.UnlockStake(ctx, s.Id, p.hotkey, p.coldkey, released); err != nil {
				return err
			}
		}
		err = emit(ctx, &types.EventCollateralReleased{
			SubnetId: s.Id, Netuid: s.Netuid, Hotkey: p.hotkeyText, Coldkey: p.coldkeyText, Alpha: released, Held: held,
		})
		if err != nil {
			return err
		}
	}
	return k.keep(ctx, at, c)
}
