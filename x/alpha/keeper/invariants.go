package keeper

import (
	"context"
	"math/big"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/alpha/types"
)

// CheckInvariants tests what must hold after every block (protocol.md §9): the
// module account holds the TAO reserves, and what is left of removed subnets' pots,
// to the rao; of every pool, each issued unit of alpha is in one place; the stake
// pools hold the alpha that is staked, and the shares of each sum to its total; no
// lock is more than its stake; the indexes name what is there.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	pools, err := values(ctx, k.pools)
	if err != nil {
		return err
	}
	reserves := sdkmath.ZeroInt()
	for _, p := range pools {
		if err := p.Validate(); err != nil {
			return err
		}
		reserves = reserves.Add(sdkmath.NewIntFromUint64(p.TaoReserve))
		if err := k.checkStakes(ctx, p); err != nil {
			return err
		}
	}
	pots, err := k.checkRetired(ctx)
	if err != nil {
		return err
	}
	if held := k.bank.GetBalance(ctx, k.account, types.Denom).Amount; !held.Equal(reserves.Add(pots)) {
		return types.ErrInvariantBroken.Wrapf("the module account holds %s rao, the pools' reserves sum to %s and what is left of removed subnets' pots to %s", held, reserves, pots)
	}
	if err := k.checkColdkeys(ctx); err != nil {
		return err
	}
	err = k.netuids.Walk(ctx, nil, func(netuid uint32, id uint64) (bool, error) {
		p, err := k.Pool(ctx, id)
		if err == nil && p.Netuid != netuid {
			err = types.ErrInvariantBroken.Wrapf("netuid %d leads to subnet id %d, which has netuid %d", netuid, id, p.Netuid)
		}
		return false, err
	})
	if err != nil {
		return err
	}
	if err := k.checkIndexes(ctx); err != nil {
		return err
	}
	return k.checkLending(ctx)
}

func (k Keeper) checkStakes(ctx context.Context, p types.Pool) error {
	staked := sdkmath.ZeroInt()
	err := k.stakePools.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](p.SubnetId), func(at stakePoolKey, s pool.SharePool) (bool, error) {
		staked = staked.Add(sdkmath.NewIntFromUint64(s.Alpha))
		if bound, err := k.hotkeys.Has(ctx, at.K2()); err != nil {
			return true, err
		} else if !bound || s.Alpha == 0 {
			return true, types.ErrInvariantBroken.Wrapf("the stake pool of %s in subnet %d holds %d alpha units; bound: %v", at.K2(), p.Netuid, s.Alpha, bound)
		}
		sum := new(big.Int)
		err := k.positions.Walk(ctx, collections.NewSuperPrefixedTripleRange[uint64, sdk.AccAddress, sdk.AccAddress](p.SubnetId, at.K2()),
			func(_ positionKey, shares *big.Int) (bool, error) {
				sum.Add(sum, shares)
				return false, nil
			})
		if err == nil && sum.Cmp(s.Shares) != 0 {
			err = types.ErrInvariantBroken.Wrapf("the shares on %s in subnet %d sum to %s, the stake pool says %s", at.K2(), p.Netuid, sum, s.Shares)
		}
		return false, err
	})
	if err == nil && !staked.Equal(sdkmath.NewIntFromUint64(p.AlphaStaked)) {
		err = types.ErrInvariantBroken.Wrapf("the stake pools of subnet %d hold %s alpha units, its pool says %d", p.Netuid, staked, p.AlphaStaked)
	}
	return err
}

// checkIndexes counts both sides of each index and looks every entry up.
func (k Keeper) checkIndexes(ctx context.Context) error {
	entries := 0
	err := k.positions.Walk(ctx, nil, func(at positionKey, _ *big.Int) (bool, error) {
		entries++
		if ok, err := k.positionOfColdkey.Has(ctx, collections.Join3(at.K3(), at.K1(), at.K2())); err != nil || !ok {
			return true, missing(err, "position", at.K1(), at.K2())
		}
		if ok, err := k.stakePools.Has(ctx, collections.Join(at.K1(), at.K2())); err != nil || !ok {
			return true, missing(err, "stake pool", at.K1(), at.K2())
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := k.positionOfColdkey.Walk(ctx, nil, func(positionOf) (bool, error) { entries--; return false, nil }); err != nil {
		return err
	}
	err = k.hotkeys.Walk(ctx, nil, func(hotkey sdk.AccAddress, h types.Hotkey) (bool, error) {
		entries++
		coldkey, err := k.addressOf("coldkey", h.Coldkey)
		if err != nil {
			return true, err
		}
		if ok, err := k.hotkeysOfColdkey.Has(ctx, collections.Join(coldkey, hotkey)); err != nil || !ok {
			return true, missing(err, "hotkey", 0, hotkey)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if err := k.hotkeysOfColdkey.Walk(ctx, nil, func(hotkeyOf) (bool, error) { entries--; return false, nil }); err != nil {
		return err
	}
	if entries != 0 {
		return types.ErrInvariantBroken.Wrapf("the coldkeys' indexes have %d entries too many", -entries)
	}
	return nil
}

func missing(err error, what string, subnetID uint64, hotkey sdk.AccAddress) error {
	if err != nil {
		return err
	}
	return types.ErrInvariantBroken.Wrapf("no index entry for a %s: subnet id %d, hotkey %x", what, subnetID, hotkey.Bytes())
}
