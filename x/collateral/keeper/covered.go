package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/collateral/types"
)

// Bonded is a hotkey's collateral in a subnet that is not on its way out, in alpha
// units; 0 where it has none.
func (k Keeper) Bonded(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (uint64, error) {
	account, err := k.alpha.Account(ctx, hotkey)
	if err != nil {
		return 0, err
	}
	c, _, err := k.collateral(ctx, subnetID, account)
	return c.Bonded, err
}

// BondedIn is all bonded collateral of a subnet, in alpha units, by the bytes of the
// hotkey's account.
func (k Keeper) BondedIn(ctx context.Context, subnetID uint64) (map[string]uint64, error) {
	bonded := map[string]uint64{}
	err := k.collaterals.Walk(ctx, collections.NewPrefixedPairRange[uint64, sdk.AccAddress](subnetID), func(at place, c types.Collateral) (bool, error) {
		bonded[string(at.K2())] = c.Bonded
		return false, nil
	})
	return bonded, err
}

// Covered tells whether a hotkey's bonded collateral reaches the subnet's
// min_collateral, without which a miner earns no incentive (protocol.md §4).
func (k Keeper) Covered(ctx context.Context, subnetID uint64, hotkey sdk.AccAddress) (bool, error) {
	s, err := k.subnets.Subnet(ctx, subnetID)
	if err != nil || s.Hyperparameters.MinCollateral == 0 {
		return err == nil, err
	}
	bonded, err := k.Bonded(ctx, subnetID, hotkey)
	return err == nil && bonded >= s.Hyperparameters.MinCollateral, err
}

// collateral is what is kept under a hotkey's account; ok is false where nothing is.
func (k Keeper) collateral(ctx context.Context, subnetID uint64, account sdk.AccAddress) (c types.Collateral, ok bool, err error) {
	return found(k.collaterals.Get(ctx, collections.Join(subnetID, account)))
}
