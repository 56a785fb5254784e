package video

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lodenet/lode/mesh"
)

// ErrNoMiners says that nobody can be given work.
var ErrNoMiners = errors.New("no miner can be reached")

const (
	// perMiner bounds the segments at one miner at once: what a gateway lets through,
	// less one.
	perMiner = gatewayPerMiner - 1
	// atOnce is how many the best miner gets before the next one gets any: one to work
	// on, and one so that it need not wait. More would be smaller, and later.
	atOnce = 2
	// strikes is how many bad answers a miner may give before it gets no more work.
	strikes = 2
	// busyPause is the time before somebody who was busy is asked again.
	busyPause = 2 * time.Second
	// busyMost is how often that is done for one segment.
	busyMost = 60
)

// pool is the miners that a customer can reach, and what they are doing.
type pool struct {
	client *http.Client

	mu      sync.Mutex
	members []*member
	changed chan struct{} // closed and replaced when a member becomes free
}

// member is a miner with the ways to it.
type member struct {
	Worker
	routes  []string // URLs of its calls, one through each gateway
	open    int      // segments under way
	strikes int
}

// findMiners asks gateways for their miners and keeps the most best ones.
func findMiners(ctx context.Context, client *http.Client, gateways []string, most int) (*pool, error) {
	p := &pool{client: client, changed: make(chan struct{})}
	by := map[string]*member{}
	var errs error
	for _, g := range gateways {
		ctx, cancel := context.WithTimeout(ctx, controlTimeout)
		raw, err := caller{client: client, base: g}.do(ctx, http.MethodGet, "/miners", nil, nil, 4<<20)
		cancel()
		var list []Worker
		if err == nil {
			err = json.Unmarshal(raw, &list)
		}
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("gateway %s: %w", g, err))
			continue
		}
		for _, w := range list {
			m := by[w.Hotkey]
			if m == nil {
				m = &member{Worker: w}
				by[w.Hotkey] = m
				p.members = append(p.members, m)
			}
			m.routes = append(m.routes, g+"/via/"+w.Hotkey)
		}
	}
	if len(p.members) == 0 {
		if errs == nil {
			errs = errors.New("the subnet has none yet; try again when miners have registered")
		}
		return nil, fmt.Errorf("%w: %w", ErrNoMiners, errs)
	}
	slices.SortStableFunc(p.members, func(a, b *member) int { return cmp.Compare(b.Incentive, a.Incentive) })
	if len(p.members) > most {
		p.members = p.members[:most]
	}
	return p, nil
}

// take waits for the best miner that is free and not among those tried. It returns nil
// when nobody is left.
func (p *pool) take(ctx context.Context, tried map[string]bool) (*member, error) {
	for {
		p.mu.Lock()
		var best *member
		left := false
		for _, m := range p.members {
			if tried[m.Hotkey] || m.strikes >= strikes {
				continue
			}
			left = true
			if m.open < perMiner && (best == nil || m.open/atOnce < best.open/atOnce) {
				best = m // of equals the first: it is the better one
			}
		}
		if best != nil {
			best.open++
		}
		changed := p.changed
		p.mu.Unlock()
		switch {
		case best != nil:
			return best, nil
		case !left:
			return nil, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// give notes that a miner is done with a segment; bad says that it did it badly.
func (p *pool) give(m *member, bad bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.open--
	if bad {
		m.strikes++
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// busy says whether an error only means that it is too early.
func busy(err error) bool {
	var e *mesh.Error
	return errors.As(err, &e) && (e.Code == "busy" || e.Code == "too_many" || e.Code == "not_ready")
}

// order gives a job to a miner, by whichever way is open, and returns its answer.
func (p *pool) order(ctx context.Context, m *member, job Job, source []byte) (Status, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, job.deadline()+controlTimeout)
	defer cancel()
	var errs error
	for _, route := range m.routes {
		c := caller{client: p.client, base: route}
		id, err := c.post(ctx, job, source)
		if err != nil {
			errs = errors.Join(errs, err)
			if ctx.Err() != nil {
				break
			}
			continue // another gateway may have room, or be there at all
		}
		defer c.forget(ctx, id)
		s, err := c.await(ctx, id)
		if err != nil {
			return s, nil, err
		}
		raw, err := c.fetch(ctx, id, s, maxAnswer(int64(len(source))))
		return s, raw, err
	}
	return Status{}, nil, errs
}
