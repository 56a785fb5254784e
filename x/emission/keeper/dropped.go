package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/internal/guarded"
)

// dropped tells that a subnet's part of a block was dropped; 0 is the chain's own
// part.
func dropped(ctx context.Context, subnetID uint64, netuid uint32, cause error) error {
	sdk.UnwrapSDKContext(ctx).Logger().Error("a subnet's part of the block was dropped", "module", types.ModuleName, "netuid", netuid, "reason", cause.Error())
	return emit(ctx, &types.EventSubnetFailed{SubnetId: subnetID, Netuid: netuid, Reason: guarded.Reason(cause)})
}
