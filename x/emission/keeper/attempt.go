package keeper

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/emission/types"
)

// maxReason bounds what an event tells of a failure, in bytes.
const maxReason = 500

// attempt runs f on a cached store. Where f fails or panics nothing of it stays,
// no write and no event, and attempt returns why: one bad subnet can't stop the
// chain (protocol.md §7).
func attempt[T any](ctx context.Context, f func(ctx context.Context) (T, error)) (v T, err error) {
	c := sdk.UnwrapSDKContext(ctx)
	cached, write := c.CacheContext()
	defer func() {
		if r := recover(); r != nil {
			var none T
			v, err = none, fmt.Errorf("panic: %v", r)
			c.Logger().Error("recovered", "module", types.ModuleName, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	if v, err = f(cached); err != nil {
		var none T
		return none, err
	}
	write()
	return v, nil
}

// attemptOnly is attempt for what returns nothing.
func attemptOnly(ctx context.Context, f func(ctx context.Context) error) error {
	_, err := attempt(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
	return err
}

// dropped tells that a subnet's part of a block was dropped; 0 is the chain's own
// part.
func dropped(ctx context.Context, subnetID uint64, netuid uint32, cause error) error {
	sdk.UnwrapSDKContext(ctx).Logger().Error("a subnet's part of the block was dropped", "module", types.ModuleName, "netuid", netuid, "reason", cause.Error())
	return emit(ctx, &types.EventSubnetFailed{SubnetId: subnetID, Netuid: netuid, Reason: reason(cause)})
}

// reason is an error as an event holds it: valid UTF-8, bounded.
func reason(err error) string {
	s := err.Error()
	if len(s) > maxReason {
		s = s[:maxReason] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
