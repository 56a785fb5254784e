package console

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/lodenet/lode/client"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	markettypes "github.com/lodenet/lode/x/market/types"
	weightstypes "github.com/lodenet/lode/x/weights/types"
)

// chainView is what the server knows of the chain: the latest block, and of each subnet
// what changes only with events that it hears.
type chainView struct {
	client *client.Client
	log    *slog.Logger

	mu         sync.Mutex
	height     int64 // of the latest block, 0: none was seen yet
	time       time.Time
	news       chan struct{} // closed with the next block
	stale      map[uint32]*staleness
	all        int64 // the block from which on nothing older is good; allRevenue: of revenue alone
	allRevenue int64
	known      map[uint64]*members
	table      *table // of the latest block that it was asked for
}

// staleness is the last block that changed something of a subnet.
type staleness struct{ neurons, revenue int64 }

// members are what is kept of a subnet: true from the block at which it was asked for
// until an event changes it.
type members struct {
	neuronsAt int64
	neurons   []emissiontypes.MetagraphNeuron
	emission  emissiontypes.SubnetEmission
	epoch     weightstypes.EpochState

	revenueAt int64
	revenue   *markettypes.QueryRevenueResponse
}

func newChainView(c *client.Client, log *slog.Logger) *chainView {
	return &chainView{client: c, log: log, news: make(chan struct{}), stale: map[uint32]*staleness{}, known: map[uint64]*members{}}
}

// saw takes a block up.
func (v *chainView) saw(b client.Block) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if b.Missed || b.Height <= v.height {
		v.all = b.Height
		v.stale = map[uint32]*staleness{}
	}
	for _, e := range b.Events {
		v.touch(e, b.Height)
	}
	v.height, v.time = b.Height, b.Time
	close(v.news)
	v.news = make(chan struct{})
}

// touch notes what an event changes; v.mu is held.
func (v *chainView) touch(e abci.Event, height int64) {
	neurons, revenue := false, false
	switch module, name, _ := strings.Cut(strings.TrimPrefix(e.Type, "lode."), ".v1."); {
	case module == e.Type: // not ours; root stake comes of the chain's validators
		switch e.Type {
		case "delegate", "unbond", "redelegate", "cancel_unbonding_delegation", "slash":
			v.all = height
		}
		return
	case module == "subnets", module == "weights" && (name == "EventEpoch" || name == "EventWeightsSet"),
		module == "emission" && (name == "EventEpochPaid" || name == "EventNeuronPaid"), module == "collateral":
		neurons = true
	case module == "market":
		switch name {
		case "EventRedeemed", "EventRevenueSpent", "EventOwnerPaid", "EventSplitSet", "EventRevenueRecycled":
			revenue = true
		}
	case module == "alpha":
		switch name {
		case "EventHotkeysSwapped", "EventColdkeySwapped", "EventPoolRetired":
			v.all = height
			return
		case "EventTrade", "EventLiquidityAdded", "EventAlphaMoved":
			return
		}
		neurons = true
	}
	if !neurons && !revenue {
		return
	}
	netuids, ok := netuidsOf(e)
	switch {
	case ok:
	case revenue: // it does not say whose
		v.allRevenue = height
		return
	default:
		v.all = height
		return
	}
	for _, n := range netuids {
		s := v.stale[n]
		if s == nil {
			s = &staleness{}
			v.stale[n] = s
		}
		if neurons {
			s.neurons = height
		}
		if revenue {
			s.revenue = height
		}
	}
}

// netuidsOf are the subnets that an event names.
func netuidsOf(e abci.Event) (all []uint32, ok bool) {
	for _, a := range e.Attributes {
		if a.Key != "netuid" && a.Key != "netuids" {
			continue
		}
		for _, s := range strings.Split(strings.Trim(a.Value, `[]`), ",") {
			if n, err := strconv.ParseUint(strings.Trim(s, `" `), 10, 16); err == nil {
				all, ok = append(all, uint32(n)), true
			}
		}
	}
	return all, ok
}

// epochsOf are the subnets whose epoch ran.
func epochsOf(events []abci.Event) []uint32 {
	all := []uint32{}
	for _, e := range events {
		if e.Type == "lode.weights.v1.EventEpoch" {
			netuids, _ := netuidsOf(e)
			all = append(all, netuids...)
		}
	}
	return all
}

// latest is the latest block; without Run it has to be asked for.
func (v *chainView) latest(ctx context.Context) (int64, time.Time, error) {
	v.mu.Lock()
	height, t := v.height, v.time
	v.mu.Unlock()
	if height > 0 {
		return height, t, nil
	}
	r, err := v.client.Emission().Totals(ctx, &emissiontypes.QueryTotalsRequest{})
	if err != nil {
		return 0, t, err
	}
	t, err = v.client.BlockTime(ctx, r.Height)
	return r.Height, t, err
}

// now pins what is asked with the context that it returns to the latest block.
func (v *chainView) now(ctx context.Context) (context.Context, at, error) {
	height, t, err := v.latest(ctx)
	if err != nil {
		return nil, at{}, err
	}
	return client.AtHeight(ctx, height), newAt(height, t), nil
}

// wait waits until a block is known here, but not long: without Run it never is.
func (v *chainView) wait(ctx context.Context, height int64) {
	limit := time.NewTimer(2 * time.Second)
	defer limit.Stop()
	for {
		v.mu.Lock()
		reached, news := v.height >= height || v.height == 0, v.news
		v.mu.Unlock()
		if reached {
			return
		}
		select {
		case <-news:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// good says whether what was true of a subnet at a block is true at another one.
func (v *chainView) good(since, at int64, changed func(*staleness) int64, netuid uint32) bool {
	if v.height == 0 { // nobody hears events
		return since == at
	}
	if since == 0 || since < v.all || at < since {
		return false
	}
	s := v.stale[netuid]
	return s == nil || changed(s) <= since
}

// neurons are a subnet's, as of a block that ctx is pinned to.
func (v *chainView) neurons(ctx context.Context, netuid uint32, id uint64, height int64) (*members, error) {
	v.mu.Lock()
	m := v.known[id]
	if m != nil && v.good(m.neuronsAt, height, func(s *staleness) int64 { return s.neurons }, netuid) {
		out := *m
		v.mu.Unlock()
		return &out, nil
	}
	v.mu.Unlock()
	r, err := v.client.Emission().Metagraph(ctx, &emissiontypes.QueryMetagraphRequest{Netuid: netuid})
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	m = v.member(id)
	if r.Subnet.Id == id && height >= m.neuronsAt {
		m.neuronsAt, m.neurons, m.emission, m.epoch = height, r.Neurons, r.Emission, r.Epoch
	}
	return &members{neuronsAt: height, neurons: r.Neurons, emission: r.Emission, epoch: r.Epoch}, nil
}

// revenue is what a subnet's services have brought, as of a block that ctx is pinned to.
func (v *chainView) revenue(ctx context.Context, netuid uint32, id uint64, height int64) (*markettypes.QueryRevenueResponse, error) {
	v.mu.Lock()
	m := v.known[id]
	if m != nil && m.revenue != nil && v.good(m.revenueAt, height, func(s *staleness) int64 { return s.revenue }, netuid) {
		if m.revenueAt >= v.allRevenue {
			defer v.mu.Unlock()
			return m.revenue, nil
		}
	}
	v.mu.Unlock()
	r, err := v.client.Market().Revenue(ctx, &markettypes.QueryRevenueRequest{Netuid: netuid})
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if m = v.member(id); height >= m.revenueAt {
		m.revenueAt, m.revenue = height, r
	}
	return r, nil
}

// member is what is known of a subnet; v.mu is held.
func (v *chainView) member(id uint64) *members {
	m := v.known[id]
	if m == nil {
		m = &members{}
		v.known[id] = m
	}
	return m
}

// forget drops what is kept of subnets that are gone.
func (v *chainView) forget(live map[uint64]bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id := range v.known {
		if !live[id] {
			delete(v.known, id)
		}
	}
}
