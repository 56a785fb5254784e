package console

import (
	"context"
	"strconv"
	"strings"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	markettypes "github.com/lodenet/lode/x/market/types"
)

const (
	maxFound     = 20  // things that a search finds
	maxProposals = 100 // the latest, in which it looks
)

type foundJSON struct {
	Kind  string `json:"kind"` // block, transaction, account, subnet, service, proposal
	ID    string `json:"id"`
	Title string `json:"title"`
	Path  string `json:"path"`
}

func found(kind, id, title string) foundJSON {
	path := map[string]string{"block": "/blocks/", "transaction": "/transactions/", "account": "/accounts/", "subnet": "/subnets/", "service": "/market/services/", "proposal": "/chain/proposals/"}[kind]
	return foundJSON{kind, id, title, path + id}
}

// addressOf is the account of an address, also of one in upper case, and of the address
// that one of the chain's validators has.
func addressOf(q string) (string, bool) {
	q = strings.ToLower(q)
	if raw, err := sdk.ValAddressFromBech32(q); err == nil {
		q = sdk.AccAddress(raw).String()
	}
	address, err := checkAddress(q)
	return address, err == nil
}

func (s *Server) search(ctx context.Context, a *ask) (any, error) {
	q := strings.TrimSpace(a.query.Get("q"))
	if q == "" || len(q) > 128 {
		return nil, badValue("give a height, a hash, an address or a name", "q must have 1 to 128 bytes")
	}
	ctx, t, err := s.table(ctx)
	if err != nil {
		return nil, err
	}
	list := []foundJSON{}
	seen := map[string]bool{}
	add := func(f foundJSON) {
		if !seen[f.Path] && len(list) < maxFound {
			seen[f.Path], list = true, append(list, f)
		}
	}
	if n, err := strconv.ParseUint(q, 10, 63); err == nil {
		q = strconv.FormatUint(n, 10) // without zeros before it
		if r := t.byNetuid[uint32(min(n, 1<<20))]; r != nil {
			add(found("subnet", q, r.subnet.Name))
		}
		if n > 0 && int64(n) <= t.height {
			add(found("block", q, "block "+q))
		}
	}
	if address, ok := addressOf(q); ok {
		add(found("account", address, address))
	}
	words := strings.ToLower(q)
	for _, r := range t.rows {
		if strings.Contains(strings.ToLower(r.subnet.Name), words) {
			add(found("subnet", strconv.FormatUint(uint64(r.subnet.Netuid), 10), r.subnet.Name))
		}
	}
	if strings.HasPrefix(q, "lode1") && len(q) > 5 { // a key's beginning
		for _, r := range t.rows {
			for i := range r.members.neurons {
				for _, key := range []string{r.members.neurons[i].Hotkey, r.members.neurons[i].Coldkey} {
					if strings.HasPrefix(key, q) {
						add(found("account", key, key))
					}
				}
			}
		}
	}
	services, err := s.client.Market().Services(ctx, &markettypes.QueryServicesRequest{Pagination: pageRequest(nil, maxLimit)})
	if err != nil {
		return nil, err
	}
	for _, info := range services.Services {
		if id := serviceOf(info.Service.Id); id == q || strings.Contains(strings.ToLower(info.Service.Name), words) {
			add(found("service", id, info.Service.Name))
		}
	}
	proposals, err := s.client.Gov().Proposals(ctx, &govtypes.QueryProposalsRequest{Pagination: &query.PageRequest{Limit: maxProposals, Reverse: true}})
	if err != nil {
		return nil, err
	}
	for _, p := range proposals.Proposals {
		if id := strconv.FormatUint(p.Id, 10); id == q || strings.Contains(strings.ToLower(p.Title), words) {
			add(found("proposal", id, p.Title))
		}
	}
	more, err := s.indexSearch(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, f := range more {
		add(f)
	}
	return struct {
		at
		Items []foundJSON `json:"items"`
	}{t.at, list}, nil
}
