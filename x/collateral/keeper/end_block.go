package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/collateral/types"
	"github.com/lodenet/lode/x/internal/guarded"
)

const (
	// retryBlocks is when work that failed is tried again.
	retryBlocks = 100
)

// EndBlocker ends claims whose time has run out, then releases unbondings that are
// due: work_per_block records each, what is left in the next block. What fails is
// put off, so that it stops neither the chain nor the others.
func (k Keeper) EndBlocker(ctx context.Context) error {
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.endClaims(ctx, int(params.WorkPerBlock)); err != nil {
		return err
	}
	return k.releaseDue(ctx, int(params.WorkPerBlock))
}

// endClaims ends claims in the order in which they are due. A claim is as much work
// as there are who could confirm it.
func (k Keeper) endClaims(ctx context.Context, most int) error {
	height, _ := now(ctx)
	var due []uint64
	err := k.claimEnds.Walk(ctx, nil, func(at claimEnd) (bool, error) {
		if at.K1() > height || len(due) >= most {
			return true, nil
		}
		due = append(due, at.K2())
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, id := range due {
		if most <= 0 {
			break
		}
		claim, err := k.claims.Get(ctx, id)
		if err != nil {
			return err
		}
		voters, err := guarded.FirstKeys(ctx, k.voters.Iterate, votersOf(id), maxVoters)
		if err != nil {
			return err
		}
		most -= 1 + len(voters)
		if failed := guarded.Do(ctx, types.ModuleName, func(ctx context.Context) error { return k.expire(ctx, claim) }); failed != nil {
			if err := k.putOffClaim(ctx, claim, height+retryBlocks, failed); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k Keeper) putOffClaim(ctx context.Context, claim types.Claim, next int64, cause error) error {
	if err := k.claimEnds.Remove(ctx, collections.Join(claim.EndHeight, claim.Id)); err != nil {
		return err
	}
	claim.EndHeight = next
	if err := k.claimEnds.Set(ctx, collections.Join(next, claim.Id)); err != nil {
		return err
	}
	if err := k.claims.Set(ctx, claim.Id, claim); err != nil {
		return err
	}
	return k.tellPutOff(ctx, claim.SubnetId, claim.Id, claim.Accused, next, cause)
}

// releaseDue looks at collaterals in the order in which they are due. One is as
// much work as it has unbondings.
func (k Keeper) releaseDue(ctx context.Context, most int) error {
	height, _ := now(ctx)
	var due []place
	err := k.looks.Walk(ctx, nil, func(at look) (bool, error) {
		if at.K1() > height || len(due) >= most {
			return true, nil
		}
		due = append(due, collections.Join(at.K2(), at.K3()))
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, at := range due {
		if most <= 0 {
			break
		}
		c, err := k.collaterals.Get(ctx, at)
		if err != nil {
			return err
		}
		most -= 1 + len(c.Unbondings)
		if failed := guarded.Do(ctx, types.ModuleName, func(ctx context.Context) error { return k.release(ctx, at) }); failed != nil {
			if err := k.keepUntil(ctx, at, c, height+retryBlocks); err != nil {
				return err
			}
			if err := k.tellPutOff(ctx, c.SubnetId, 0, c.Hotkey, height+retryBlocks, failed); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellPutOff names the hotkey by its account where it can't be looked up: that
// may be what failed.
func (k Keeper) tellPutOff(ctx context.Context, subnetID, claimID uint64, account string, next int64, cause error) error {
	hotkey, err := k.hotkeyNamed(ctx, account)
	if err != nil {
		hotkey = account
	}
	sdk.UnwrapSDKContext(ctx).Logger().Error("work at the block's end was put off", "module", types.ModuleName, "subnet", subnetID, "claim", claimID, "reason", cause.Error())
	return emit(ctx, &types.EventWorkPutOff{SubnetId: subnetID, ClaimId: claimID, Hotkey: hotkey, Reason: guarded.Reason(cause), NextHeight: next})
}
