package inference

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lodenet/lode/subnet"
)

// Service is what the chain's catalogue says of a service.
type Service struct {
	Hotkey     string // of who provides it
	Price, Per uint64 // rao for Per units
}

// MinersOf are a subnet's miners as customers call them, told to a host where they
// listen. Neurons whose endpoints are no good are left out.
func MinersOf(meta *subnet.Metagraph, host subnet.Mesh) []Remote {
	var out []Remote
	for _, n := range meta.Neurons {
		if n.Protocol != Name+"/miner" || len(n.Endpoints) == 0 || n.Hotkey == host.Hotkey() {
			continue
		}
		if host.AddPeer(n.Hotkey, n.Endpoints...) != nil {
			continue // nobody can call it
		}
		out = append(out, Remote{UID: n.UID, Hotkey: n.Hotkey, URL: minerURL(n.Hotkey, meta.Netuid), Incentive: n.Incentive})
	}
	return out
}

// minerURL is where a neuron's calls are.
func minerURL(hotkey string, netuid uint16) string {
	n := subnet.NewNetwork(Name, &subnet.Metagraph{Netuid: netuid}, "", nil, nil, nil)
	return strings.TrimSuffix(n.URL(subnet.Neuron{Hotkey: hotkey}, "/"), "/")
}

// Times of a directory.
const (
	staleAfter = 12 * time.Second // about a block: then it is asked anew beside the work
	oldAfter   = 2 * time.Minute  // then it is waited for
	cardsWait  = 5 * time.Second  // for all cards
	enoughWait = time.Second      // for the rest, once there is one
	cardsAtOne = 32
)

// errNotAsked is why a miner that was just found can't be used.
var errNotAsked = errors.New("its card was not read yet")

// member is a miner of the directory. The directory's lock guards it.
type member struct {
	Remote
	out error // why it gets no work; nil: it may

	open    int // calls of ours
	first   average
	rate    average
	answers int
	failed  int

	strikes int
	until   time.Time // it gets no work before
	lied    error
}

// directory is the miners that there are.
type directory struct {
	cfg *GatewayConfig
	ctx context.Context // of the gateway

	mu      sync.Mutex
	members map[string]*member // by hotkey
	at      time.Time          // of the last reading that went well
	tried   time.Time
	failed  error // of the last reading
	reading *reading
	running sync.WaitGroup
}

// reading is a look at all miners that is under way.
type reading struct {
	enough chan struct{} // closed when there is something to work with, or it is done
}

// fresh sees to it that the directory is not old. What is only stale is read beside the
// work. An error says that nothing is known at all.
func (d *directory) fresh(ctx context.Context) error {
	d.mu.Lock()
	now := d.cfg.Now()
	known, age := !d.at.IsZero(), now.Sub(d.at)
	if known && age < staleAfter {
		d.mu.Unlock()
		return nil
	}
	if d.ctx.Err() != nil {
		d.mu.Unlock()
		return errClosed
	}
	if d.reading == nil && (!known || now.Sub(d.tried) >= staleAfter) {
		r := &reading{enough: make(chan struct{})}
		d.reading, d.tried = r, now
		d.running.Go(func() { d.read(r) })
	}
	r := d.reading
	d.mu.Unlock()
	if r == nil || known && age < oldAfter {
		return nil
	}
	select {
	case <-r.enough:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.members) == 0 {
		return d.failed
	}
	return nil
}

// usable says whether some miner can be worked with.
func (d *directory) usable() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.members {
		if m.out == nil {
			return true
		}
	}
	return false
}

// read asks for the miners, and all of them for their cards.
func (d *directory) read(r *reading) {
	ctx, cancel := context.WithTimeout(d.ctx, cardsWait+oldAfter/4)
	defer cancel()
	list, services, err := d.look(ctx)
	if err == nil {
		d.adopt(list)
		d.cards(ctx, r, list, services)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed = err; err == nil {
		d.at = d.cfg.Now()
	}
	d.reading = nil
	select {
	case <-r.enough:
	default:
		close(r.enough)
	}
}

func (d *directory) look(ctx context.Context) ([]Remote, map[uint64]Service, error) {
	list, err := d.cfg.Miners(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("the subnet's miners can't be told: %w", err)
	}
	if d.cfg.Services == nil {
		return list, nil, nil
	}
	services, err := d.cfg.Services(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("the catalogue can't be read: %w", err)
	}
	return list, services, nil
}

// adopt takes up new miners and forgets those that are gone.
func (d *directory) adopt(list []Remote) {
	d.mu.Lock()
	defer d.mu.Unlock()
	there := map[string]bool{}
	for _, r := range list {
		there[r.Hotkey] = true
		if m := d.members[r.Hotkey]; m == nil {
			d.members[r.Hotkey] = &member{Remote: r, out: errNotAsked}
		} else {
			r.Card = m.Card
			m.Remote = r
		}
	}
	for hotkey, m := range d.members {
		if !there[hotkey] && m.open == 0 {
			delete(d.members, hotkey)
		} else if !there[hotkey] {
			m.out = errors.New("it has left the subnet")
		}
	}
}

// cards reads the cards of miners, side by side.
func (d *directory) cards(ctx context.Context, r *reading, list []Remote, services map[uint64]Service) {
	wait, cancel := context.WithTimeout(ctx, cardsWait)
	defer cancel()
	places := make(chan struct{}, cardsAtOne)
	var all sync.WaitGroup
	for _, to := range list {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			card, err := d.cfg.Caller.Card(wait, to.URL)
			if err == nil {
				err = d.check(to, card, services)
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			if m := d.members[to.Hotkey]; m != nil {
				if m.out = err; err == nil {
					m.Card = card
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-time.After(enoughWait):
	}
	if d.usable() {
		close(r.enough)
	}
	<-done
}

// check refuses a miner whose card can't be true, or that can't be called.
func (d *directory) check(to Remote, card Card, services map[uint64]Service) error {
	if want := d.cfg.Caller.Envelope.Name(); card.Envelope != want {
		return fmt.Errorf("it opens envelopes of kind %.20q, not %s", card.Envelope, want)
	}
	if card.Price == 0 || d.cfg.Services == nil {
		return nil
	}
	s, ok := services[card.ServiceID]
	switch {
	case !ok:
		return fmt.Errorf("service %d of its card is not in the catalogue", card.ServiceID)
	case s.Hotkey != to.Hotkey:
		return fmt.Errorf("service %d of its card is another's", card.ServiceID)
	}
	ourHi, ourLo := bits.Mul64(card.Price, s.Per)
	hi, lo := bits.Mul64(s.Price, PricePer)
	if hi != ourHi || lo != ourLo {
		return fmt.Errorf("its card says %d rao for %d units, the catalogue %d for %d", card.Price, uint64(PricePer), s.Price, s.Per)
	}
	return nil
}

// byURL finds the miner that a URL belongs to.
func (d *directory) byURL(url string) (Remote, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.members {
		if strings.HasPrefix(url, m.URL+"/") {
			return m.Remote, true
		}
	}
	return Remote{}, false
}

// Known is what a gateway knows of a miner.
type Known struct {
	Remote
	Out      error         // why it gets no work; nil: it may
	Open     int           // calls of this gateway's that are under way
	First    time.Duration // mean time to the first piece; 0: not known
	Rate     float64       // mean tokens a second after it; 0: not known
	Answered int
	Failed   int
}

// list are all miners, by uid.
func (d *directory) list() []Known {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]Known, 0, len(d.members))
	for _, m := range d.members {
		x := Known{Remote: m.Remote, Out: m.out, Open: m.open, First: time.Duration(m.first.value * float64(time.Second)), Rate: m.rate.value,
			Answered: m.answers, Failed: m.failed}
		if m.lied != nil && m.until.After(d.cfg.Now()) {
			x.Out = m.lied
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b Known) int { return int(a.UID) - int(b.UID) })
	return out
}
