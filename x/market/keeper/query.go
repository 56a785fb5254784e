package keeper

import (
	"context"
	"encoding/hex"
	"errors"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/types/query"

	alphapool "github.com/lodenet/lode/x/alpha/pool"
	"github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

type querier struct{ k Keeper }

// NewQuerier serves the module's queries.
func NewQuerier(k Keeper) types.QueryServer { return querier{k} }

func (q querier) Params(ctx context.Context, _ *types.QueryParamsRequest) (*types.QueryParamsResponse, error) {
	p, err := q.k.params.Get(ctx)
	return &types.QueryParamsResponse{Params: p}, err
}

func (q querier) Services(ctx context.Context, r *types.QueryServicesRequest) (*types.QueryServicesResponse, error) {
	subnetID, account := uint64(0), sdk.AccAddress(nil)
	if r.Netuid != 0 {
		s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
		if err != nil {
			return nil, err
		}
		subnetID = s.Id
	}
	if r.Hotkey != "" {
		hotkey, err := q.k.addressOf("hotkey", r.Hotkey)
		if err != nil {
			return nil, err
		}
		if account, err = q.k.alpha.Account(ctx, hotkey); err != nil {
			return nil, err
		}
	}
	wanted := func(_ uint64, s types.Service) (bool, error) {
		if !s.Listed || subnetID != 0 && s.SubnetId != subnetID {
			return false, nil
		}
		if account != nil {
			if of, err := q.k.addressOf("account", s.Provider); err != nil || !of.Equals(account) {
				return false, err
			}
		}
		return q.live(ctx, s)
	}
	out := &types.QueryServicesResponse{}
	var err error
	out.Services, out.Pagination, err = query.CollectionFilteredPaginate(ctx, q.k.services, r.Pagination, wanted,
		func(_ uint64, s types.Service) (types.ServiceInfo, error) { return q.info(ctx, s) })
	return out, err
}

// live tells whether a service's subnet is there: those of a removed one are withdrawn
// in the next blocks.
func (q querier) live(ctx context.Context, s types.Service) (bool, error) {
	_, err := q.k.subnets.Subnet(ctx, s.SubnetId)
	if errors.Is(err, subnetstypes.ErrNoSubnet) {
		return false, nil
	}
	return err == nil, err
}

func (q querier) Service(ctx context.Context, r *types.QueryServiceRequest) (*types.QueryServiceResponse, error) {
	s, err := q.k.service(ctx, r.ServiceId)
	if err != nil {
		return nil, err
	}
	info, err := q.info(ctx, s)
	return &types.QueryServiceResponse{Service: info}, err
}

// info is a service with who offers it now, and its offered plans.
func (q querier) info(ctx context.Context, s types.Service) (types.ServiceInfo, error) {
	p, err := q.k.provider(ctx, s.Provider)
	if err != nil {
		return types.ServiceInfo{}, err
	}
	info := types.ServiceInfo{Service: s, Hotkey: p.hotkeyText, Coldkey: p.coldkeyText}
	plans, err := q.k.plansOfService(ctx, s.Id)
	for _, plan := range plans {
		if plan.Offered {
			info.Plans = append(info.Plans, plan)
		}
	}
	return info, err
}

func (q querier) Channel(ctx context.Context, r *types.QueryChannelRequest) (*types.QueryChannelResponse, error) {
	id, err := hex.DecodeString(r.ChannelId)
	if err != nil {
		return nil, types.ErrNoChannel.Wrapf("channel_id %q is not in hex: %s", r.ChannelId, err)
	}
	c, err := q.k.channel(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := q.k.provider(ctx, c.Provider)
	return &types.QueryChannelResponse{Channel: c, Hotkey: p.hotkeyText, Height: sdk.UnwrapSDKContext(ctx).BlockHeight()}, err
}

func (q querier) Channels(ctx context.Context, r *types.QueryChannelsRequest) (*types.QueryChannelsResponse, error) {
	var (
		of  collections.KeySet[channelOf]
		who sdk.AccAddress
		err error
	)
	switch {
	case (r.Payer == "") == (r.Hotkey == ""):
		return nil, sdkerrors.ErrInvalidRequest.Wrap("give payer, or hotkey for those that pay a provider")
	case r.Payer != "":
		of = q.k.byPayer
		who, err = q.k.addressOf("payer", r.Payer)
	default:
		of = q.k.byProvider
		if who, err = q.k.addressOf("hotkey", r.Hotkey); err == nil {
			who, err = q.k.alpha.Account(ctx, who)
		}
	}
	if err != nil {
		return nil, err
	}
	out := &types.QueryChannelsResponse{}
	out.Channels, out.Pagination, err = query.CollectionPaginate(ctx, of, r.Pagination,
		func(at channelOf, _ collections.NoValue) (types.Channel, error) {
			return q.k.channels.Get(ctx, at.K2())
		},
		query.WithCollectionPaginationPairPrefix[sdk.AccAddress, []byte](who))
	return out, err
}

func (q querier) Revenue(ctx context.Context, r *types.QueryRevenueRequest) (*types.QueryRevenueResponse, error) {
	s, err := q.k.subnets.SubnetByNetuid(ctx, r.Netuid)
	if err != nil {
		return nil, err
	}
	out := &types.QueryRevenueResponse{}
	if out.Revenue, err = q.k.revenue(ctx, s); err != nil {
		return nil, err
	}
	if out.Split, err = q.k.split(ctx, s.Id); err != nil {
		return nil, err
	}
	kept, _, err := found(q.k.splits.Get(ctx, s.Id))
	if err != nil {
		return nil, err
	}
	if height, _ := now(ctx); kept.Scheduled != nil && kept.Scheduled.Height > height {
		out.Scheduled = kept.Scheduled
	}
	p, err := q.k.alpha.Pool(ctx, s.Id)
	if err != nil {
		return nil, err
	}
	out.Price, out.PriceWithout = p.Price().String(), "0"
	if without, ok := withoutRevenue(p.Reserves(), out.Revenue); ok {
		out.PriceWithout = without.Price().String()
	}
	return out, nil
}

// withoutRevenue are a pool's reserves as they would be had revenue bought nothing and
// all else been the same; not ok where that has no sense, since others have taken more
// out since.
func withoutRevenue(r alphapool.Reserves, of types.Revenue) (alphapool.Reserves, bool) {
	tao, alpha := types.AddUpTo(of.BurnTao, of.MinersTao), types.AddUpTo(types.AddUpTo(r.Alpha, of.Burned), of.Miners)
	if tao >= r.Tao {
		return alphapool.Reserves{}, false
	}
	return alphapool.Reserves{Tao: r.Tao - tao, Alpha: alpha}, true
}
