package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	sdkmath "cosmossdk.io/math"

	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// CheckInvariants tests what must hold after every block (protocol.md §9): in live
// subnets every unit of collateral is locked stake, and nothing else is locked;
// what a claim froze is there; the module account holds the deposits of open
// claims to the rao; the indexes name what is there.
func (k Keeper) CheckInvariants(ctx context.Context) error {
	if err := k.checkCollaterals(ctx); err != nil {
		return err
	}
	return k.checkClaims(ctx)
}

// live tells whether a subnet was not removed.
func (k Keeper) live(ctx context.Context, subnetID uint64) (bool, error) {
	_, err := k.subnets.Subnet(ctx, subnetID)
	if errors.Is(err, subnetstypes.ErrNoSubnet) {
		return false, nil
	}
	return err == nil, err
}

func (k Keeper) checkCollaterals(ctx context.Context) error {
	collaterals, err := values(ctx, k.collaterals)
	if err != nil {
		return err
	}
	locks, err := k.alpha.Locks(ctx)
	if err != nil {
		return err
	}
	type key struct {
		subnet  uint64
		account string
	}
	locked := map[key]uint64{}
	for _, l := range locks {
		if live, err := k.live(ctx, l.SubnetId); err != nil {
			return err
		} else if live {
			locked[key{l.SubnetId, l.Hotkey}] += l.Alpha
		}
	}
	looks := 0
	for _, c := range collaterals {
		at, err := k.placeOf(c.SubnetId, c.Hotkey)
		if err != nil {
			return err
		}
		if c.LookHeight != 0 {
			looks++
			if ok, err := k.looks.Has(ctx, collections.Join3(c.LookHeight, at.K1(), at.K2())); err != nil {
				return err
			} else if !ok {
				return types.ErrInvariantBroken.Wrapf("the collateral of %s in subnet id %d is not in the index at block %d", c.Hotkey, c.SubnetId, c.LookHeight)
			}
		}
		if live, err := k.live(ctx, c.SubnetId); err != nil {
			return err
		} else if !live {
			continue
		}
		frozen, err := k.frozen(ctx, at)
		if err != nil {
			return err
		}
		this := key{c.SubnetId, c.Hotkey}
		if c.Total() != locked[this] || c.Total() < frozen || c.Total() == 0 {
			return types.ErrInvariantBroken.Wrapf("%s in subnet id %d has %d alpha units of collateral, %d locked and %d frozen", c.Hotkey, c.SubnetId, c.Total(), locked[this], frozen)
		}
		delete(locked, this)
	}
	if len(locked) > 0 {
		return types.ErrInvariantBroken.Wrapf("%d locks are nobody's collateral", len(locked))
	}
	err = k.looks.Walk(ctx, nil, func(look) (bool, error) { looks--; return false, nil })
	if err == nil && looks != 0 {
		err = types.ErrInvariantBroken.Wrapf("the index of unbondings has %d entries too many", -looks)
	}
	return err
}

func (k Keeper) checkClaims(ctx context.Context) error {
	claims, err := values(ctx, k.claims)
	if err != nil {
		return err
	}
	deposits := sdkmath.ZeroInt()
	entries := 0
	for _, c := range claims {
		deposits = deposits.Add(sdkmath.NewIntFromUint64(c.Deposit))
		if err := k.checkClaim(ctx, c); err != nil {
			return err
		}
		entries += 2
	}
	if held := k.bank.GetBalance(ctx, k.account, types.Denom).Amount; !held.Equal(deposits) {
		return types.ErrInvariantBroken.Wrapf("the module account holds %s rao, the open claims' deposits sum to %s", held, deposits)
	}
	err = k.claimOf.Walk(ctx, nil, func(place, uint64) (bool, error) { entries--; return false, nil })
	if err != nil {
		return err
	}
	err = k.claimEnds.Walk(ctx, nil, func(claimEnd) (bool, error) { entries--; return false, nil })
	if err == nil && entries != 0 {
		err = types.ErrInvariantBroken.Wrapf("the indexes of claims have %d entries too many", -entries)
	}
	if err != nil {
		return err
	}
	return k.voters.Walk(ctx, nil, func(at voterOf, v types.Voter) (bool, error) {
		ok, err := k.claims.Has(ctx, at.K1())
		if err == nil && !ok {
			err = types.ErrInvariantBroken.Wrapf("%s is a voter of claim %d, which is not open", v.Hotkey, at.K1())
		}
		return err != nil, err
	})
}

func (k Keeper) checkClaim(ctx context.Context, c types.Claim) error {
	at, err := k.placeOf(c.SubnetId, c.Accused)
	if err != nil {
		return err
	}
	if id, ok, err := found(k.claimOf.Get(ctx, at)); err != nil {
		return err
	} else if !ok || id != c.Id {
		return types.ErrInvariantBroken.Wrapf("claim %d is not the one against %s in subnet id %d, but %d", c.Id, c.Accused, c.SubnetId, id)
	}
	if ok, err := k.claimEnds.Has(ctx, collections.Join(c.EndHeight, c.Id)); err != nil {
		return err
	} else if !ok {
		return types.ErrInvariantBroken.Wrapf("claim %d is not in the index at block %d", c.Id, c.EndHeight)
	}
	live, err := k.live(ctx, c.SubnetId)
	if err != nil || !live {
		return err // a removed subnet's voters go before its claims
	}
	var active, confirmed uint64
	err = k.voters.Walk(ctx, votersOf(c.Id), func(_ voterOf, v types.Voter) (bool, error) {
		active += v.Weight
		if v.ConfirmedHeight != 0 {
			confirmed += v.Weight
		}
		return false, nil
	})
	if err == nil && (active != c.Active || confirmed != c.Confirmed || passes(confirmed, active)) {
		err = types.ErrInvariantBroken.Wrapf("claim %d is open with %d of %d confirmed; its voters sum to %d of %d", c.Id, c.Confirmed, c.Active, confirmed, active)
	}
	return err
}
