package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/alpha/types"
)

// EndLending takes a hotkey's children in a subnet away, at once: for x/weights,
// where the hotkey has too little to lend. A change that waits stays.
func (k Keeper) EndLending(ctx context.Context, subnetID uint64, parent sdk.AccAddress) error {
	p, err := k.Pool(ctx, subnetID)
	if err != nil {
		return err
	}
	account, err := k.Account(ctx, parent)
	if err != nil {
		return err
	}
	none := types.Children{SubnetId: subnetID}
	if none.Parent, err = k.text(account); err != nil {
		return err
	}
	return k.replaceChildren(ctx, p, account, none)
}
