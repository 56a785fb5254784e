package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/x/collateral/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

type querier struct{ k Keeper }

// NewQuerier serves the module's queries.
func NewQuerier(k Keeper) types.QueryServer { return querier{k} }

func (q querier) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	p, err := q.k.params.Get(ctx)
	return &types.QueryParamsResponse{Params: p}, err
}

func (q querier) Collateral(ctx context.Context, r *types.QueryCollateralRequest) (*types.QueryCollateralResponse, error) {
	s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	hotkey, err := q.k.addressOf("hotkey", r.Hotkey)
	if err != nil {
		return nil, err
	}
	p, err := q.k.party(ctx, hotkey)
	if err != nil {
		return nil, err
	}
	h := s.Hyperparameters
	out := &types.QueryCollateralResponse{MinCollateral: h.MinCollateral, CollateralUnbond: h.CollateralUnbond, MaxSlash: h.MaxSlash}
	c, _, err := q.k.collateral(ctx, s.Id, p.account)
	if err != nil {
		return nil, err
	}
	out.Collateral, err = q.info(ctx, s, p, c)
	return out, err
}

func (q querier) Collaterals(ctx context.Context, r *types.QueryCollateralsRequest) (*types.QueryCollateralsResponse, error) {
	s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	out := &types.QueryCollateralsResponse{}
	out.Collaterals, out.Pagination, err = query.CollectionPaginate(ctx, q.k.collaterals, r.Pagination,
		func(_ place, c types.Collateral) (types.CollateralInfo, error) {
			p, err := q.k.accountParty(ctx, c.Hotkey)
			if err != nil {
				return types.CollateralInfo{}, err
			}
			return q.info(ctx, s, p, c)
		}, query.WithCollectionPaginationPairPrefix[uint64, sdk.AccAddress](s.Id))
	return out, err
}

func (q querier) info(ctx context.Context, s subnetstypes.Subnet, p party, c types.Collateral) (types.CollateralInfo, error) {
	c.SubnetId, c.Hotkey = s.Id, p.hotkeyText
	info := types.CollateralInfo{Collateral: c, Coldkey: p.coldkeyText, Unbonding: c.Unbonding(), Covered: c.Bonded >= s.Hyperparameters.MinCollateral}
	claim, _, err := q.k.openClaim(ctx, collections.Join(s.Id, p.account))
	info.ClaimId, info.Frozen = claim.Id, claim.Frozen
	return info, err
}

func (q querier) Claim(ctx context.Context, r *types.QueryClaimRequest) (*types.QueryClaimResponse, error) {
	claim, ok, err := found(q.k.claims.Get(ctx, r.ClaimId))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, types.ErrNoClaim.Wrapf("claim %d: it was never opened, or has ended; its events tell how", r.ClaimId)
	}
	out := &types.QueryClaimResponse{}
	if out.Claim, err = q.named(ctx, claim); err != nil {
		return nil, err
	}
	err = q.k.voters.Walk(ctx, votersOf(claim.Id), func(_ voterOf, v types.Voter) (_ bool, err error) {
		v.Hotkey, err = q.k.hotkeyNamed(ctx, v.Hotkey)
		out.Voters = append(out.Voters, v)
		return false, err
	})
	return out, err
}

func (q querier) Claims(ctx context.Context, r *types.QueryClaimsRequest) (*types.QueryClaimsResponse, error) {
	s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	out := &types.QueryClaimsResponse{}
	in := collections.NewPrefixedPairRange[uint64, sdk.AccAddress](s.Id)
	err = q.k.claimOf.Walk(ctx, in, func(_ place, id uint64) (bool, error) {
		claim, err := q.k.claims.Get(ctx, id)
		if err != nil {
			return true, err
		}
		claim, err = q.named(ctx, claim)
		out.Claims = append(out.Claims, claim)
		return false, err
	})
	if err != nil {
		return nil, err
	}
	height, _ := now(ctx)
	err = q.k.waits.Walk(ctx, in, func(_ place, w types.Wait) (_ bool, err error) {
		if w.UntilHeight > height+1 { // the next block is the first that a transaction can be in
			w.Author, err = q.k.hotkeyNamed(ctx, w.Author)
			out.Waits = append(out.Waits, w)
		}
		return false, err
	})
	return out, err
}

// named is a claim with the hotkeys that have the accounts now.
func (q querier) named(ctx context.Context, c types.Claim) (_ types.Claim, err error) {
	if c.Accused, err = q.k.hotkeyNamed(ctx, c.Accused); err != nil {
		return c, err
	}
	c.Author, err = q.k.hotkeyNamed(ctx, c.Author)
	return c, err
}
