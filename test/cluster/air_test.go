//go:build linux

package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
)

// weather is what happens to a packet on its way.
type weather struct {
	delay  time.Duration
	jitter time.Duration // delay ± this, for each packet anew: later ones overtake
	loss   float64       // share of packets that vanish
	double float64       // share that comes twice
}

func (w weather) String() string {
	return fmt.Sprintf("%s ± %s each way, %.0f%% lost, %.0f%% doubled", w.delay, w.jitter, 100*w.loss, 100*w.double)
}

// air joins the nodes of a cluster, each in a namespace of its own: it carries their IP
// packets, late, in another order, twice or not at all. Nobody is told of a packet that
// is dropped, as on a line that is cut.
type air struct {
	devices []*os.File
	runs    sync.WaitGroup
	flying  sync.WaitGroup

	mu    sync.Mutex
	rand  *rand.Rand
	now   weather
	cut   map[[2]int]bool
	sent  []uint64 // by receiver: the number of the last packet on its way
	heard []uint64 // by receiver: the highest number that has arrived

	carried, lost, doubled, overtaken, severed atomic.Int64
}

// breathe puts each node of a cluster, before it is started, into a namespace with one
// air for all.
func breathe(c *cluster, r *rand.Rand) *air {
	c.t.Helper()
	all := spaces(c.t, len(c.nodes))
	a := newAir(c.t, all, r)
	for i, m := range c.nodes {
		m.space, m.p2p = all[i].name, all[i].addr+":26656"
		all[i].forward(c.t, m.url)
	}
	for i, m := range c.nodes {
		peers := c.peersOf(i, func(j int) string { return c.nodes[j].p2p })
		m.tune(c.t, func(cfg *cmtcfg.Config) {
			cfg.P2P.ListenAddress, cfg.P2P.PersistentPeers = "tcp://"+m.p2p, peers
		})
	}
	return a
}

// newAir joins namespaces until the test ends.
func newAir(t *testing.T, all []*space, r *rand.Rand) *air {
	t.Helper()
	a := &air{rand: r, cut: map[[2]int]bool{}, sent: make([]uint64, len(all)), heard: make([]uint64, len(all))}
	for _, s := range all {
		a.devices = append(a.devices, s.tun(t))
	}
	for i := range a.devices {
		a.runs.Go(func() { a.carry(i) })
	}
	t.Cleanup(func() {
		for _, d := range a.devices {
			d.Close()
		}
		a.runs.Wait()
		a.flying.Wait()
	})
	return a
}

// peersOf are the persistent peers of a node, at the addresses that at gives.
func (c *cluster) peersOf(i int, at func(j int) string) (peers string) {
	for j, m := range c.nodes {
		if j == i {
			continue
		}
		if peers != "" {
			peers += ","
		}
		peers += m.id + "@" + at(j)
	}
	return peers
}

// carry takes up what a node sends.
func (a *air) carry(from int) {
	buf := make([]byte, 1<<16)
	for {
		n, err := a.devices[from].Read(buf)
		if err != nil {
			return // closed
		}
		const destination = 19 // the last byte of an IPv4 header's destination
		if n < 20 || buf[0]>>4 != 4 {
			continue // the kernel looks for IPv6 neighbours
		}
		to := int(buf[destination]) - 1
		if to < 0 || to >= len(a.devices) || to == from {
			continue
		}
		a.send(from, to, append([]byte(nil), buf[:n]...))
	}
}

// send lets a packet go through the weather.
func (a *air) send(from, to int, packet []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.now
	switch {
	case a.cut[[2]int{from, to}]:
		a.severed.Add(1)
		return
	case a.rand.Float64() < w.loss:
		a.lost.Add(1)
		return
	}
	a.sent[to]++
	number, copies := a.sent[to], 1
	if a.rand.Float64() < w.double {
		copies = 2
		a.doubled.Add(1)
	}
	for range copies {
		late := w.delay
		if w.jitter > 0 {
			late += time.Duration(a.rand.Int64N(2*int64(w.jitter))) - w.jitter
		}
		if late <= 0 { // in the order in which they were sent
			a.arrive(to, number, packet)
			continue
		}
		a.flying.Add(1)
		time.AfterFunc(late, func() {
			defer a.flying.Done()
			a.mu.Lock()
			defer a.mu.Unlock()
			a.arrive(to, number, packet)
		})
	}
}

// arrive is called with mu held.
func (a *air) arrive(to int, number uint64, packet []byte) {
	if number < a.heard[to] {
		a.overtaken.Add(1)
	}
	a.heard[to] = max(a.heard[to], number)
	if _, err := a.devices[to].Write(packet); err == nil { // else the network is gone
		a.carried.Add(1)
	}
}

// turn changes the weather.
func (a *air) turn(w weather) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = w
}

// part cuts some nodes off from all others: packets between them vanish.
func (a *air) part(c *cluster, some ...*member) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, m := range c.nodes {
		for j, o := range c.nodes {
			a.cut[[2]int{i, j}] = slices.Contains(some, m) != slices.Contains(some, o)
		}
	}
}

// heal joins all again.
func (a *air) heal() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.cut)
}

func (a *air) String() string {
	return fmt.Sprintf("%d packets carried, %d lost, %d doubled, %d overtaken, %d cut off",
		a.carried.Load(), a.lost.Load(), a.doubled.Load(), a.overtaken.Load(), a.severed.Load())
}
