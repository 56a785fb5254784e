package console

import (
	"cmp"
	"context"
	"slices"

	"github.com/lodenet/lode/indexer"
)

type portfolioStakeJSON struct {
	Hotkey      string          `json:"hotkey"`
	Registered  bool            `json:"registered"`
	Alpha       uint64          `json:"alpha,string"`
	LockedAlpha uint64          `json:"locked_alpha,string"`
	ValueRao    uint64          `json:"value_rao,string"`
	Yields      []indexer.Yield `json:"yields"` // what it earned over some days
}

type portfolioSubnetJSON struct {
	Netuid   uint32               `json:"netuid"`
	SubnetID uint64               `json:"subnet_id"`
	Name     string               `json:"name"`
	Removed  bool                 `json:"removed"`
	Alpha    uint64               `json:"alpha,string"`
	ValueRao uint64               `json:"value_rao,string"`
	Price    *string              `json:"price"`
	Part     float64              `json:"part"`
	Stakes   []portfolioStakeJSON `json:"stakes"`
}

type portfolioJSON struct {
	at
	Address string `json:"address"`
	holdings
	IndexedHeight *int64                 `json:"indexed_height"`
	Subnets       []*portfolioSubnetJSON `json:"subnets"`
}

func (s *Server) portfolio(ctx context.Context, a *ask) (any, error) {
	address, err := a.address()
	if err != nil {
		return nil, err
	}
	ctx, t, err := s.table(ctx)
	if err != nil {
		return nil, err
	}
	v := portfolioJSON{at: t.at, Address: address, Subnets: []*portfolioSubnetJSON{}}
	if v.holdings, err = s.holdings(ctx, address); err != nil {
		return nil, err
	}
	var all []stakeJSON
	for _, st := range v.stakes {
		all = append(all, newStake(t, st))
	}
	for _, c := range v.claims {
		all = append(all, newClaim(c))
	}
	if err := s.nameRemoved(ctx, all); err != nil {
		return nil, err
	}
	byID := map[uint64]*portfolioSubnetJSON{}
	for _, st := range all {
		sub := byID[st.SubnetID]
		if sub == nil {
			sub = &portfolioSubnetJSON{Netuid: st.Netuid, SubnetID: st.SubnetID, Name: st.SubnetName, Removed: st.Removed, Price: st.Price}
			byID[st.SubnetID], v.Subnets = sub, append(v.Subnets, sub)
		}
		sub.Alpha, sub.ValueRao = sum(sub.Alpha, st.Alpha), sum(sub.ValueRao, st.ValueRao)
		sub.Stakes = append(sub.Stakes, portfolioStakeJSON{st.Hotkey, st.Registered, st.Alpha, st.LockedAlpha, st.ValueRao, []indexer.Yield{}})
	}
	for _, sub := range v.Subnets {
		sub.Part = ratio(sub.ValueRao, v.TotalRao)
		slices.SortFunc(sub.Stakes, func(a, b portfolioStakeJSON) int {
			return cmp.Or(cmp.Compare(b.ValueRao, a.ValueRao), cmp.Compare(a.Hotkey, b.Hotkey))
		})
	}
	slices.SortFunc(v.Subnets, func(a, b *portfolioSubnetJSON) int {
		return cmp.Or(cmp.Compare(b.ValueRao, a.ValueRao), cmp.Compare(a.SubnetID, b.SubnetID))
	})
	return v, s.addYields(ctx, &v)
}
