package console

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"strings"
	"time"

	emissiontypes "github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

func isLocal(chainID string) bool { return strings.HasPrefix(chainID, LocalChains) }

type statusJSON struct {
	Height        int64    `json:"height"`
	Time          *string  `json:"time"`
	ChainID       string   `json:"chain_id"`
	Local         bool     `json:"local"`
	NodeOK        bool     `json:"node_ok"`
	NodeError     *string  `json:"node_error"`
	CatchingUp    bool     `json:"catching_up"`
	AgeSeconds    *float64 `json:"age_seconds"`
	IndexedHeight *int64   `json:"indexed_height"`
	IndexedTime   *string  `json:"indexed_time"`
	IndexError    *string  `json:"index_error"`
	Build         string   `json:"build"`
	Version       string   `json:"version"`
}

// statusTime is how long the node has to say where it is.
const statusTime = 3 * time.Second

func (s *Server) status(ctx context.Context, _ *ask) (any, error) {
	v := statusJSON{Build: s.pages.build, Version: s.cfg.Version}
	inner, cancel := context.WithTimeout(ctx, statusTime)
	defer cancel()
	now, err := s.client.Status(inner)
	if err != nil {
		why := failureOf(err).message
		v.NodeError = &why
		s.chain.mu.Lock()
		now.Height, now.Time = s.chain.height, s.chain.time
		s.chain.mu.Unlock()
		// The client remembers the chain that it was with; else it is not known.
		now.ChainID, _ = s.client.ChainID(canceled())
	}
	v.ChainID, v.Local, v.Height, v.CatchingUp = now.ChainID, isLocal(now.ChainID), now.Height, now.CatchingUp
	v.NodeOK = err == nil && !now.CatchingUp && now.Height > 0
	if now.Height > 0 {
		t, age := rfc3339(now.Time), max(0, time.Since(now.Time).Seconds())
		v.Time, v.AgeSeconds = &t, &age
	}
	return v, s.indexStatus(ctx, &v)
}

// canceled is a context in which no node is asked.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

type homeSubnetJSON struct {
	Netuid         uint32  `json:"netuid"`
	SubnetID       uint64  `json:"subnet_id"`
	Name           string  `json:"name"`
	Price          string  `json:"price"`
	EmissionShare  float64 `json:"emission_share"`
	MarketValueRao uint64  `json:"market_value_rao,string"`
}

type homeJSON struct {
	at
	ChainID         string           `json:"chain_id"`
	IssuedRao       uint64           `json:"issued_rao,string"`
	SupplyRao       uint64           `json:"supply_rao,string"`
	BurnedRao       uint64           `json:"burned_rao,string"`
	RecycledRao     uint64           `json:"recycled_rao,string"`
	CapRao          uint64           `json:"cap_rao,string"`
	BlockRewardRao  uint64           `json:"block_reward_rao,string"`
	BlockSeconds    float64          `json:"block_seconds"`
	Halvings        int              `json:"halvings"`
	NextHalvingRao  *uint64          `json:"next_halving_rao,string"`
	NextHalvingTime *string          `json:"next_halving_time"`
	Neurons         int              `json:"neurons"`
	FreeSlots       uint32           `json:"free_slots"`
	LockRao         uint64           `json:"lock_rao,string"`
	Subnets         []homeSubnetJSON `json:"subnets"`
}

func (s *Server) home(ctx context.Context, _ *ask) (any, error) {
	ctx, t, err := s.table(ctx)
	if err != nil {
		return nil, err
	}
	totals, err := s.client.Emission().Totals(ctx, &emissiontypes.QueryTotalsRequest{})
	if err != nil {
		return nil, err
	}
	params, err := s.client.Emission().Params(ctx, &emissiontypes.QueryParamsRequest{})
	if err != nil {
		return nil, err
	}
	lock, err := s.client.Subnets().LockCost(ctx, &subnetstypes.QueryLockCostRequest{})
	if err != nil {
		return nil, err
	}
	id, err := s.client.ChainID(ctx)
	if err != nil {
		return nil, err
	}
	v := homeJSON{
		at: t.at, ChainID: id, IssuedRao: totals.Totals.Issued, SupplyRao: totals.Supply, BurnedRao: totals.Totals.Burned,
		RecycledRao: totals.Totals.Recycled, CapRao: params.Params.Cap, BlockRewardRao: totals.BlockReward,
		BlockSeconds: blockSeconds(params.Params), FreeSlots: t.freeSlots, LockRao: lock.Lock, Subnets: []homeSubnetJSON{},
	}
	var next uint64
	if v.Halvings, next = halvings(params.Params.Cap, totals.Totals.Issued); next > 0 {
		v.NextHalvingRao = &next
		if when, ok := halvingTime(t.Time, next-totals.Totals.Issued, totals.BlockReward, v.BlockSeconds); ok {
			v.NextHalvingTime = &when
		}
	}
	for _, r := range t.rows {
		v.Neurons += len(r.members.neurons)
		v.Subnets = append(v.Subnets, homeSubnetJSON{r.subnet.Netuid, r.subnet.Id, r.subnet.Name, r.price, r.share, worth(&r.pool, circulating(&r.pool))})
	}
	slices.SortStableFunc(v.Subnets, func(a, b homeSubnetJSON) int { return cmp.Compare(b.EmissionShare, a.EmissionShare) })
	return v, nil
}

func blockSeconds(p emissiontypes.Params) float64 { return float64(p.TargetBlockTime) / 1000 }

// halvings is how often the reward has halved, and the issued TAO at which it will next:
// the thresholds are limit·(1 − 2^-m), m = 1, 2, … (protocol.md §6). next is 0 where no
// threshold is left.
func halvings(limit, issued uint64) (n int, next uint64) {
	if issued >= limit {
		return 64, 0
	}
	n = bits.Len64(limit/(limit-issued)) - 1
	if rest := limit >> (n + 1); rest > 0 {
		// The threshold itself: what is left is at most limit/2^(n+1).
		return n, limit - rest
	}
	return n, 0
}

// halvingTime is when rao more will be issued if nothing changes.
func halvingTime(from string, rao, reward uint64, seconds float64) (string, bool) {
	start, err := time.Parse(time.RFC3339Nano, from)
	if err != nil || reward == 0 || seconds <= 0 {
		return "", false
	}
	wait := float64(rao) / float64(reward) * seconds
	if wait > 1e9 { // some 30 years
		return "", false
	}
	return rfc3339(start.Add(time.Duration(wait * float64(time.Second))).Truncate(time.Second)), true
}
