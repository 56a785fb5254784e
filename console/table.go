package console

import (
	"context"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// asking is how many questions about subnets are under way at once for one answer.
const asking = 8

// table is all live subnets at one block.
type table struct {
	at
	height    int64
	freeSlots uint32
	rows      []*row // by netuid
	byID      map[uint64]*row
	byNetuid  map[uint32]*row
}

// row is a subnet.
type row struct {
	subnet  subnetstypes.Subnet
	pool    alphatypes.Pool
	price   string
	moving  string
	share   float64 // of emission
	burn    uint64
	revenue uint64
	place   *int
	immune  *subnetstypes.RemovalPlace // nil: not immune
	members *members
}

// validators are those that had a part in the last epoch's consensus: a permit goes to
// miners, too, while there are few neurons.
func (r *row) validators() (n int) {
	for i := range r.members.neurons {
		if r.members.neurons[i].Active {
			n++
		}
	}
	return n
}

// table is that of the latest block. Those who ask at once share one.
func (s *Server) table(ctx context.Context) (context.Context, *table, error) {
	pinned, now, err := s.chain.now(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.chain.mu.Lock()
	t := s.chain.table
	s.chain.mu.Unlock()
	if t != nil && t.at == now {
		return pinned, t, nil
	}
	made := s.flights.DoChan("table "+strconv.FormatInt(now.Height, 10)+now.Time, func() (any, error) {
		// Who asked first may leave; the others still wait.
		inner, cancel := context.WithTimeout(context.WithoutCancel(pinned), answerTime)
		defer cancel()
		t, err := s.makeTable(inner, now)
		if err == nil {
			s.chain.mu.Lock()
			if s.chain.table == nil || s.chain.table.height <= t.height || s.chain.height < s.chain.table.height {
				s.chain.table = t
			}
			s.chain.mu.Unlock()
		}
		return t, err
	})
	select {
	case r := <-made:
		if r.Err != nil {
			return nil, nil, r.Err
		}
		return pinned, r.Val.(*table), nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func (s *Server) makeTable(ctx context.Context, now at) (*table, error) {
	live, err := s.client.Subnets().Subnets(ctx, &subnetstypes.QuerySubnetsRequest{})
	if err != nil {
		return nil, err
	}
	pools, err := s.client.Alpha().Pools(ctx, &alphatypes.QueryPoolsRequest{})
	if err != nil {
		return nil, err
	}
	removal, err := s.client.Subnets().RemovalOrder(ctx, &subnetstypes.QueryRemovalOrderRequest{})
	if err != nil {
		return nil, err
	}
	t := &table{at: now, height: now.Height, freeSlots: removal.FreeSlots, byID: map[uint64]*row{}, byNetuid: map[uint32]*row{}}
	ids := map[uint64]bool{}
	for _, sub := range live.Subnets {
		r := &row{subnet: sub, price: price(""), moving: price("")}
		t.rows, t.byID[sub.Id], t.byNetuid[sub.Netuid], ids[sub.Id] = append(t.rows, r), r, r, true
	}
	for _, p := range pools.Pools {
		if r := t.byID[p.Pool.SubnetId]; r != nil {
			r.pool, r.price = p.Pool, price(p.Price)
		}
	}
	for i, p := range removal.Order {
		r := t.byID[p.SubnetId]
		if r == nil {
			continue
		}
		r.moving = price(p.MovingPrice)
		if p.ImmuneUntilHeight != 0 {
			r.immune = &removal.Order[i]
		} else {
			r.place = &i
		}
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(asking)
	for _, r := range t.rows {
		g.Go(func() error {
			id, netuid := r.subnet.Id, r.subnet.Netuid
			var err error
			if r.members, err = s.chain.neurons(inner, netuid, id, now.Height); err != nil {
				return err
			}
			revenue, err := s.chain.revenue(inner, netuid, id, now.Height)
			if err != nil {
				return err
			}
			r.revenue = revenue.Revenue.Total
			burn, err := s.client.Subnets().BurnCost(inner, &subnetstypes.QueryBurnCostRequest{Netuid: netuid})
			if err != nil {
				return err
			}
			r.burn = burn.Burn
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(t.rows, func(a, b *row) int { return int(a.subnet.Netuid) - int(b.subnet.Netuid) })
	t.divide()
	s.chain.forget(ids)
	return t, nil
}

// divide sets the subnets' shares of emission, as the chain divides a block's TAO among
// those that have started: by moving price less what was withheld; where that is
// nothing for all by moving price, where that is nothing, too, equally (protocol.md §6).
func (t *table) divide() {
	for _, by := range []func(*row) float64{
		func(r *row) float64 { return number64(r.moving) * (1 - fraction(r.members.emission.Withheld)) },
		func(r *row) float64 { return number64(r.moving) },
		func(*row) float64 { return 1 },
	} {
		var all float64
		for _, r := range t.rows {
			if r.subnet.StartedHeight > 0 {
				all += by(r)
			}
		}
		if all == 0 {
			continue
		}
		for _, r := range t.rows {
			if r.subnet.StartedHeight > 0 {
				r.share = by(r) / all
			}
		}
		return
	}
}

// number64 is a decimal of the chain's as a number; one that can't be read counts as 0.
func number64(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return f
}

// circulating is the alpha outside the pool that the chain does not hold itself and that
// is not burned.
func circulating(p *alphatypes.Pool) uint64 { return sum(p.AlphaStaked, p.AlphaPending) }

// row finds a live subnet.
func (t *table) row(netuid uint32) (*row, error) {
	if r := t.byNetuid[netuid]; r != nil {
		return r, nil
	}
	return nil, fail(404, "not_found", "", "netuid %d: there is no such subnet", netuid)
}
