package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/x/collateral/types"
	"github.com/lodenet/lode/x/internal/guarded"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// pass carries a claim out: the frozen share is burned, the deposit goes back.
func (k Keeper) pass(ctx context.Context, claim types.Claim) error {
	at, err := k.placeOf(claim.SubnetId, claim.Accused)
	if err != nil {
		return err
	}
	c, _, err := k.collateral(ctx, at.K1(), at.K2())
	if err != nil {
		return err
	}
	slashed := c.Slash(claim.Frozen)
	if slashed != claim.Frozen {
		return types.ErrInvariantBroken.Wrapf("claim %d froze %d alpha units, but only %d are there", claim.Id, claim.Frozen, slashed)
	}
	p, err := k.accountParty(ctx, claim.Accused)
	if err != nil {
		return err
	}
	if err := k.alpha.SlashStake(ctx, claim.SubnetId, p.hotkey, p.coldkey, slashed); err != nil {
		return err
	}
	if err := k.closeClaim(ctx, claim); err != nil {
		return err
	}
	if err := k.keep(ctx, at, c); err != nil {
		return err
	}
	author, err := k.refund(ctx, claim)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventClaimPassed{
		ClaimId: claim.Id, SubnetId: claim.SubnetId, Netuid: claim.Netuid, Accused: p.hotkeyText, Coldkey: p.coldkeyText, Author: author.hotkeyText,
		Slashed: slashed, Bonded: c.Bonded, Unbonding: c.Unbonding(), Deposit: claim.Deposit, ReturnedTo: author.coldkeyText,
	})
}

// expire ends a claim whose time has run out: the deposit is burned, its author
// waits, and what was frozen is free to leave.
func (k Keeper) expire(ctx context.Context, claim types.Claim) error {
	if _, err := k.subnets.Subnet(ctx, claim.SubnetId); errors.Is(err, subnetstypes.ErrNoSubnet) {
		return k.lapse(ctx, claim)
	} else if err != nil {
		return err
	}
	params, err := k.params.Get(ctx)
	if err != nil {
		return err
	}
	if err := k.bank.BurnCoins(ctx, types.ModuleName, rao(claim.Deposit)); err != nil {
		return err
	}
	author, err := k.placeOf(claim.SubnetId, claim.Author)
	if err != nil {
		return err
	}
	height, _ := now(ctx)
	w := types.Wait{
		SubnetId: claim.SubnetId, Author: claim.Author, ClaimId: claim.Id,
		UntilHeight: height + int64(params.FailedClaimTempos)*int64(claim.Tempo),
	}
	// The author may have opened several, of different tempos: the longest wait counts.
	if old, ok, err := found(k.waits.Get(ctx, author)); err != nil {
		return err
	} else if !ok || old.UntilHeight < w.UntilHeight {
		if err := k.waits.Set(ctx, author, w); err != nil {
			return err
		}
	} else {
		w = old
	}
	if err := k.closeClaim(ctx, claim); err != nil {
		return err
	}
	at, err := k.placeOf(claim.SubnetId, claim.Accused)
	if err != nil {
		return err
	}
	c, err := k.collaterals.Get(ctx, at)
	if err != nil {
		return err
	}
	if err := k.keep(ctx, at, c); err != nil {
		return err
	}
	accused, err := k.hotkeyNamed(ctx, claim.Accused)
	if err != nil {
		return err
	}
	by, err := k.hotkeyNamed(ctx, claim.Author)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventClaimFailed{
		ClaimId: claim.Id, SubnetId: claim.SubnetId, Netuid: claim.Netuid, Accused: accused, Author: by,
		Confirmed: claim.Confirmed, Active: claim.Active, Burned: claim.Deposit, WaitUntil: w.UntilHeight,
	})
}

// lapse ends a claim with its subnet: the deposit goes back.
func (k Keeper) lapse(ctx context.Context, claim types.Claim) error {
	if err := k.closeClaim(ctx, claim); err != nil {
		return err
	}
	author, err := k.refund(ctx, claim)
	if err != nil {
		return err
	}
	return emit(ctx, &types.EventClaimLapsed{
		ClaimId: claim.Id, SubnetId: claim.SubnetId, Netuid: claim.Netuid, Author: author.hotkeyText, Deposit: claim.Deposit, ReturnedTo: author.coldkeyText,
	})
}

// refund returns the deposit to the coldkey that the author's hotkey has now. It
// need not be the one that paid: after a coldkey swap that one may be a thief's.
func (k Keeper) refund(ctx context.Context, claim types.Claim) (party, error) {
	author, err := k.accountParty(ctx, claim.Author)
	if err != nil {
		return author, err
	}
	return author, k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, author.coldkey, rao(claim.Deposit))
}

// closeClaim removes a claim and who could confirm it.
func (k Keeper) closeClaim(ctx context.Context, claim types.Claim) error {
	at, err := k.placeOf(claim.SubnetId, claim.Accused)
	if err != nil {
		return err
	}
	if err := k.claimOf.Remove(ctx, at); err != nil {
		return err
	}
	if err := k.claimEnds.Remove(ctx, collections.Join(claim.EndHeight, claim.Id)); err != nil {
		return err
	}
	if _, err := guarded.Sweep(ctx, k.voters.Iterate, k.voters.Remove, votersOf(claim.Id), maxVoters); err != nil {
		return err
	}
	return k.claims.Remove(ctx, claim.Id)
}

// maxVoters is more than a subnet's permits ever are: a claim's voters end with it.
const maxVoters = 1 << 16

func votersOf(claimID uint64) collections.Ranger[voterOf] {
	return collections.NewPrefixedPairRange[uint64, sdk.AccAddress](claimID)
}
