package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// ConfirmClaim counts a validator's frozen part of the active stake. The one that
// makes it more than 2/3 carries the claim out.
func (k msgServer) ConfirmClaim(ctx context.Context, m *types.MsgConfirmClaim) (*types.MsgConfirmClaimResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	c, err := k.standing(ctx, m.ClaimId)
	if err != nil {
		return nil, err
	}
	hotkey, err := k.addressOf("hotkey", m.Hotkey)
	if err != nil {
		return nil, err
	}
	p, err := k.party(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	at := collections.Join(c.Id, p.account)
	v, ok, err := found(k.voters.Get(ctx, at))
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, types.ErrNotVoter.Wrapf("%s: claim %d was opened in block %d, and counts the stake that was active in the epoch before it", p.hotkeyText, c.Id, c.OpenedHeight)
	case v.ConfirmedHeight != 0:
		return nil, types.ErrConfirmed.Wrapf("claim %d by %s, in block %d", c.Id, p.hotkeyText, v.ConfirmedHeight)
	}
	v.ConfirmedHeight = targetHeight(ctx)
	if err := k.voters.Set(ctx, at, v); err != nil {
		return nil, err
	}
	c.Confirmed += v.Weight // a part of active, which is under 64 bits
	if err := k.claims.Set(ctx, c.Id, c); err != nil {
		return nil, err
	}
	err = emit(ctx, &types.EventClaimConfirmed{
		ClaimId: c.Id, SubnetId: c.SubnetId, Netuid: c.Netuid, Hotkey: p.hotkeyText, Weight: v.Weight, Confirmed: c.Confirmed, Active: c.Active,
	})
	if err != nil {
		return nil, err
	}
	r := &types.MsgConfirmClaimResponse{Confirmed: c.Confirmed, Active: c.Active, Passed: passes(c.Confirmed, c.Active)}
	if r.Passed {
		err = k.pass(ctx, c)
	}
	return r, err
}

// standing is an open claim of a live subnet whose time has not run out.
func (k Keeper) standing(ctx context.Context, id uint64) (types.Claim, error) {
	c, ok, err := found(k.claims.Get(ctx, id))
	if err != nil {
		return c, err
	}
	if !ok {
		return c, types.ErrNoClaim.Wrapf("claim %d: it was never opened, or has ended", id)
	}
	if now := targetHeight(ctx); now > c.LastHeight {
		return c, types.ErrTooLate.Wrapf("claim %d could be confirmed and answered until block %d, and this is for block %d", id, c.LastHeight, now)
	}
	if _, err := k.subnets.Subnet(ctx, c.SubnetId); errors.Is(err, subnetstypes.ErrNoSubnet) {
		return c, types.ErrNoClaim.Wrapf("claim %d lapsed with its subnet", id)
	} else if err != nil {
		return c, err
	}
	return c, nil
}
