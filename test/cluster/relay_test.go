//go:build linux

package cluster_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/stretchr/testify/require"
)

// relays stand between the nodes of a cluster on loopback: each node reaches each other one
// through a relay of theirs alone. One that is cut closes its connections and takes no
// new ones, so both sides are told at once. They need no rights.
type relays struct {
	mu   sync.Mutex // guards what the ways say
	ways []*way
	open sync.WaitGroup
}

type way struct {
	from, to *member
	ctx      context.Context    // ends its connections
	cut      context.CancelFunc // nil: it is cut
}

// relay puts relays between all nodes of a cluster, before they are started.
func relay(c *cluster) *relays {
	c.t.Helper()
	r := &relays{}
	c.t.Cleanup(r.open.Wait) // when all listeners are closed
	at := map[[2]int]string{}
	for i, from := range c.nodes {
		for j, to := range c.nodes {
			if i == j {
				continue
			}
			w := &way{from: from, to: to}
			w.ctx, w.cut = context.WithCancel(context.Background())
			r.ways = append(r.ways, w)
			at[[2]int{i, j}] = r.listen(c.t, w)
		}
	}
	for i, m := range c.nodes {
		peers := c.peersOf(i, func(j int) string { return at[[2]int{i, j}] })
		m.tune(c.t, func(cfg *cmtcfg.Config) { cfg.P2P.PersistentPeers = peers })
	}
	return r
}

func (r *relays) listen(t *testing.T, w *way) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() {
		l.Close()
		r.set(w, false)
	})
	r.open.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			r.open.Go(func() {
				defer in.Close()
				r.mu.Lock()
				ctx, whole := w.ctx, w.cut != nil
				r.mu.Unlock()
				if !whole {
					return
				}
				out, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.to.p2p)
				if err != nil {
					return // the node is down: so is the relay to it
				}
				defer out.Close()
				join(ctx, in, out)
			})
		}
	})
	return l.Addr().String()
}

// set cuts a way or opens it again.
func (r *relays) set(w *way, whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case whole && w.cut == nil:
		w.ctx, w.cut = context.WithCancel(context.Background())
	case !whole && w.cut != nil:
		w.cut()
		w.cut = nil
	}
}

func (r *relays) part(_ *cluster, some ...*member) {
	for _, w := range r.ways {
		r.set(w, slices.Contains(some, w.from) == slices.Contains(some, w.to))
	}
}

func (r *relays) heal() {
	for _, w := range r.ways {
		r.set(w, true)
	}
}

func (r *relays) String() string { return "connections are closed" }
