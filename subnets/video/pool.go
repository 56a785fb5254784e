package video

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	desks  []*desk

	mu      sync.Mutex
	members []*member
	changed chan struct{} // closed and replaced when a member becomes free
}

// member is a miner with the ways to it.
type member struct {
	Worker
	routes  []route
	open    int // segments under way
	strikes int
}

// route is a way to a miner, through a gateway.
type route struct {
	desk *desk
	url  string // of the miner's calls
}

// desk is a gateway as its customer sees it.
type desk struct {
	url    string
	hotkey string
	price  *Price // nil: it is free

	mu     sync.Mutex
	closed error // why it gets no more work
}

// close gives a gateway no more work.
func (d *desk) close(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed == nil {
		d.closed = why
	}
}

func (d *desk) err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// findMiners asks gateways for their miners and prices, and keeps the most best miners.
// The ways to them lead through the cheapest gateway first.
func findMiners(ctx context.Context, client *http.Client, gateways []string, most int) (*pool, error) {
	p := &pool{client: client, changed: make(chan struct{})}
	workers := map[*desk][]Worker{}
	var errs error
	for _, g := range gateways {
		d := &desk{url: g}
		list, err := d.ask(ctx, client)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("gateway %s: %w", g, err))
			continue
		}
		workers[d] = list
		p.desks = append(p.desks, d)
	}
	slices.SortStableFunc(p.desks, func(a, b *desk) int { return a.price.compare(b.price) })
	by := map[string]*member{}
	for _, d := range p.desks {
		for _, w := range workers[d] {
			m := by[w.Hotkey]
			if m == nil {
				m = &member{Worker: w}
				by[w.Hotkey] = m
				p.members = append(p.members, m)
			}
			m.routes = append(m.routes, route{desk: d, url: d.url + "/via/" + w.Hotkey})
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

// ask asks a gateway for its miners and its price.
func (d *desk) ask(ctx context.Context, client *http.Client) ([]Worker, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	u, err := url.Parse(d.url)
	if err != nil {
		return nil, err
	}
	d.hotkey = u.Host
	c := caller{client: client, base: d.url}
	raw, err := c.do(ctx, http.MethodGet, "/price", nil, nil, 4<<10)
	var e *mesh.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusNotFound: // it is free
	case err != nil:
		return nil, err
	default:
		d.price = &Price{}
		if err := json.Unmarshal(raw, d.price); err != nil {
			return nil, fmt.Errorf("its price can't be read: %w", err)
		}
		if d.price.Per == 0 || d.price.ServiceID == 0 {
			return nil, fmt.Errorf("its price is %d rao for %d ms of service %d", d.price.Rao, d.price.Per, d.price.ServiceID)
		}
	}
	if raw, err = c.do(ctx, http.MethodGet, "/miners", nil, nil, 4<<20); err != nil {
		return nil, err
	}
	var list []Worker
	return list, json.Unmarshal(raw, &list)
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

// delivery is a miner's answer, and who handed it out.
type delivery struct {
	status Status
	bytes  []byte
	desk   *desk
}

// order gives a job to a miner, by whichever way is open, and returns its answer.
func (p *pool) order(ctx context.Context, m *member, job Job, source []byte) (delivery, error) {
	var errs error
	for _, r := range m.routes {
		if err := r.desk.err(); err != nil {
			errs = errors.Join(errs, err)
			continue
		}
		got, taken, err := p.through(ctx, r, job, source)
		var money moneyError
		if errors.As(err, &money) {
			return got, money
		}
		if errors.Is(err, errCheat) {
			err = fmt.Errorf("gateway %s: %w", r.desk.hotkey, err)
			r.desk.close(err)
			taken = false
		}
		if err == nil || taken {
			return got, err
		}
		errs = errors.Join(errs, err)
		if ctx.Err() != nil {
			break
		}
		// Another gateway may have room, or be there at all.
	}
	return delivery{}, errs
}

// fetchTries is how often an answer is asked for that gets lost on its way: it may have
// been paid.
const fetchTries = 3

// through gives a job to a miner by one way; taken says that it took it.
func (p *pool) through(ctx context.Context, r route, job Job, source []byte) (got delivery, taken bool, err error) {
	got.desk = r.desk
	wait, tries := job.deadline()+controlTimeout, 1
	payCtx := func(ctx context.Context, _ bool) context.Context { return ctx }
	if r.desk.price != nil {
		// It measures the answer before it hands it out.
		wait, tries = wait+2*judgeTime(job.Shape), fetchTries
		rao, err := r.desk.price.Cost(job.Shape.Frames)
		if err != nil {
			return got, false, err
		}
		payCtx = func(ctx context.Context, free bool) context.Context {
			return withFare(ctx, fare{desk: r.desk, rao: rao, ms: Milliseconds(job.Shape.Frames), free: free})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	c := caller{client: p.client, base: r.url}
	id, err := c.post(payCtx(ctx, true), job, source)
	if err != nil {
		return got, false, err
	}
	defer c.forget(ctx, id)
	if got.status, err = c.await(ctx, id); err != nil {
		return got, true, err
	}
	for range tries {
		got.bytes, err = c.fetch(payCtx(ctx, false), id, got.status, maxAnswer(int64(len(source))))
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrAnswer) || errors.Is(err, errCheat) {
			break
		}
	}
	return got, true, err
}
