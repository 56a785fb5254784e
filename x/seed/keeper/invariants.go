package keeper

import (
	"bytes"
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/seed/types"
)

// CheckInvariants tests what must always hold: the past seeds follow from each
// other, the last one from its own proof, and no two operators share a key.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	g, err := k.ExportGenesis(ctx)
	if err != nil {
		return err
	}
	if err := g.Validate(); err != nil {
		return types.ErrInvariantBroken.Wrap(err.Error())
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	if n := len(g.Seeds); n > 0 {
		last := g.Seeds[n-1]
		if err := last.Verify(sdkCtx.ChainID()); err != nil {
			return types.ErrInvariantBroken.Wrap(err.Error())
		}
		if at := sdkCtx.BlockHeight(); last.Height != at {
			return types.ErrInvariantBroken.Wrapf("the last seed is that of block %d, this is block %d", last.Height, at)
		}
	}
	return k.checkOwners(ctx, g.Keys)
}

// checkOwners compares the index of keys with the keys.
func (k Keeper) checkOwners(ctx context.Context, keys []types.VRFKey) error {
	want := 0
	for _, key := range keys {
		operator, err := k.ac.StringToBytes(key.Operator)
		if err != nil {
			return err
		}
		for _, public := range [][]byte{key.Key, key.Pending} {
			if len(public) == 0 {
				continue
			}
			want++
			if owner, err := k.owners.Get(ctx, public); err != nil || !bytes.Equal(owner, operator) {
				return types.ErrInvariantBroken.Wrapf("%s of %s is not noted as theirs", keyText(public), key.Operator)
			}
		}
	}
	noted := 0
	err := k.owners.Walk(ctx, nil, func([]byte, []byte) (bool, error) {
		noted++
		return false, nil
	})
	if err == nil && noted != want {
		err = types.ErrInvariantBroken.Wrapf("%d VRF keys are noted as somebody's, operators have %d", noted, want)
	}
	return err
}
