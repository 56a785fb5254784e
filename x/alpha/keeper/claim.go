package keeper

import (
	"context"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/x/alpha/types"
)

// claimStakes bounds the stakes that a claim pays, and those that it counts beyond.
const claimStakes = 100

// Claim pays a coldkey its part of a removed subnet's pot. Anyone may send it: it
// pays nobody but the coldkey, and what is due does not depend on when.
func (k msgServer) Claim(ctx context.Context, m *types.MsgClaim) (*types.MsgClaimResponse, error) {
	if err := m.ValidateBasic(); err != nil {
		return nil, err
	}
	coldkey, err := k.addressOf("coldkey", m.Coldkey)
	if err != nil {
		return nil, err
	}
	r, err := k.claimable(ctx, m.SubnetId)
	if err != nil {
		return nil, err
	}
	var held []positionKey
	out := &types.MsgClaimResponse{}
	err = k.positionOfColdkey.Walk(ctx, collections.NewSuperPrefixedTripleRange[sdk.AccAddress, uint64, sdk.AccAddress](coldkey, m.SubnetId),
		func(of positionOf) (bool, error) {
			if len(held) < claimStakes {
				held = append(held, collections.Join3(m.SubnetId, of.K3(), coldkey))
				return false, nil
			}
			out.Left++
			return out.Left == claimStakes, nil
		})
	if err != nil {
		return nil, err
	}
	if len(held) == 0 {
		return nil, types.ErrNothingToClaim.Wrapf("%s has no stake left in subnet id %d (netuid %d until block %d): it is paid already, or never had any",
			m.Coldkey, r.SubnetId, r.Netuid, r.Height)
	}
	for _, at := range held {
		tao, err := k.payHolder(ctx, &r, at)
		if err != nil {
			return nil, err
		}
		out.Tao += tao
		out.Stakes++
	}
	return out, k.setRetired(ctx, r)
}

// claimable is a removed subnet's pool of which somebody is still to be paid.
func (k Keeper) claimable(ctx context.Context, subnetID uint64) (types.RetiredPool, error) {
	r, ok, err := found(k.retired.Get(ctx, subnetID))
	if err != nil || ok && !r.Settled {
		return r, err
	}
	if ok {
		return r, types.ErrNothingToClaim.Wrapf("subnet id %d is settled: all of its holders are paid, %d rao in all", subnetID, r.Paid)
	}
	if p, live, err := found(k.pools.Get(ctx, subnetID)); err != nil {
		return r, err
	} else if live {
		return r, types.ErrNothingToClaim.Wrapf("subnet id %d is live, as netuid %d: sell stake with MsgUnstake; claims are for removed subnets", subnetID, p.Netuid)
	}
	next, err := k.nextSubnetID.Get(ctx)
	if err != nil {
		return r, err
	}
	if subnetID < next {
		return r, types.ErrNothingToClaim.Wrapf("subnet id %d was removed, and all of its holders are paid", subnetID)
	}
	return r, types.ErrNoSubnet.Wrapf("no subnet had the id %d: the last one's is %d; removed ones with claims are listed by the query Retired", subnetID, next-1)
}

// Retired are the pools of removed subnets, by id.
func (q querier) Retired(ctx context.Context, _ *types.QueryRetiredRequest) (*types.QueryRetiredResponse, error) {
	pools, err := values(ctx, q.k.retired)
	return &types.QueryRetiredResponse{Pools: pools}, err
}

// Claims are what a coldkey is still to be paid for stake in removed subnets.
func (q querier) Claims(ctx context.Context, r *types.QueryClaimsRequest) (*types.QueryClaimsResponse, error) {
	coldkey, err := q.k.addressOf("coldkey", r.Coldkey)
	if err != nil {
		return nil, err
	}
	out := &types.QueryClaimsResponse{}
	out.Claims, out.Pagination, err = query.CollectionFilteredPaginate(ctx, q.k.positionOfColdkey, r.Pagination,
		func(of positionOf, _ collections.NoValue) (bool, error) { return q.k.retired.Has(ctx, of.K2()) },
		func(of positionOf, _ collections.NoValue) (types.ClaimInfo, error) {
			return q.claim(ctx, collections.Join3(of.K2(), of.K3(), coldkey))
		},
		func(o *query.CollectionsPaginateOptions[positionOf]) {
			p := collections.TriplePrefix[sdk.AccAddress, uint64, sdk.AccAddress](coldkey)
			o.Prefix = &p
		})
	return out, err
}

func (q querier) claim(ctx context.Context, at positionKey) (types.ClaimInfo, error) {
	r, err := q.k.retired.Get(ctx, at.K1())
	if err != nil {
		return types.ClaimInfo{}, err
	}
	held, err := q.k.positions.Get(ctx, at)
	if err != nil {
		return types.ClaimInfo{}, err
	}
	alpha, err := q.k.valueAt(ctx, at, held)
	if err != nil {
		return types.ClaimInfo{}, err
	}
	hotkey, err := q.k.hotkeyText(ctx, at.K2())
	return types.ClaimInfo{SubnetId: r.SubnetId, Netuid: r.Netuid, Hotkey: hotkey, Alpha: alpha, Tao: part(alpha, r)}, err
}
