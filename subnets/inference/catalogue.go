package inference

import (
	"context"

	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/lodenet/lode/client"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// Catalogue reads what a subnet's miners have listed on chain, by id.
func Catalogue(c *client.Client, netuid uint16) func(context.Context) (map[uint64]Service, error) {
	return func(ctx context.Context) (map[uint64]Service, error) {
		out := map[uint64]Service{}
		req := &markettypes.QueryServicesRequest{Netuid: uint32(netuid), Pagination: &query.PageRequest{}}
		for {
			r, err := c.Market().Services(ctx, req)
			if err != nil {
				return nil, err
			}
			for _, s := range r.Services {
				out[s.Service.Id] = Service{Hotkey: s.Hotkey, Price: s.Service.Price, Per: s.Service.Per}
			}
			if r.Pagination == nil || len(r.Pagination.NextKey) == 0 {
				return out, nil
			}
			req.Pagination = &query.PageRequest{Key: r.Pagination.NextKey}
		}
	}
}
