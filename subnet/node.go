package subnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	queryTimeout = 20 * time.Second
	txTimeout    = 60 * time.Second
	// retryFirst and retryMost bound the wait after the metagraph could not be read,
	// for a chain that sends no block meanwhile.
	retryFirst = time.Second
	retryMost  = 30 * time.Second
	// allowRefresh is the least time between two reads of the metagraph that strangers
	// can cause.
	allowRefresh = time.Second
)

// node is what miners and validators have in common: the metagraph, the address book,
// registration and serving.
type node struct {
	common  Common
	log     *slog.Logger
	outages outages
	meta    atomic.Pointer[Metagraph]

	refreshMu sync.Mutex
	refreshed time.Time
	book      map[string][]string // what the mesh was told, guarded by refreshMu

	serving    Serving // but for the endpoints
	registered bool    // it has had a uid since it started
	asked      bool    // Register was called
	serveAgain int64
	serveWait  int64 // blocks
}

func newNode(c Common) (*node, error) {
	switch {
	case c.Chain == nil:
		return nil, errors.New("subnet: config without Chain")
	case c.Mesh == nil:
		return nil, errors.New("subnet: config without Mesh")
	case c.Netuid == 0:
		return nil, errors.New("subnet: config without Netuid; subnets count from 1")
	case c.Name == "":
		return nil, errors.New("subnet: config without Name")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	n := &node{common: c, book: map[string][]string{}}
	n.log = c.Logger.With("netuid", c.Netuid, "hotkey", c.Mesh.Hotkey())
	n.outages.log = n.log
	return n, nil
}

// mount serves h to the subnet's neurons and publishes it as protocol.
func (n *node) mount(h http.Handler, protocol string) error {
	limits := n.common.Limits
	if limits.Allow == nil && !limits.Open {
		limits.Allow = n.allow
	}
	path := mountPath(n.common.Netuid)
	if err := n.common.Mesh.Handle(path, http.StripPrefix(path[:len(path)-1], h), limits); err != nil {
		return err
	}
	n.serving = Serving{Protocol: protocol, Version: n.common.Version}
	return nil
}

func (n *node) unmount() {
	n.common.Mesh.Unhandle(mountPath(n.common.Netuid))
}

// allow lets neurons of the subnet through. One that registered a moment ago may be
// faster than the news of its block, so a stranger makes the node look again.
func (n *node) allow(ctx context.Context, hotkey string) error {
	if meta := n.meta.Load(); meta != nil {
		if _, ok := meta.ByHotkey(hotkey); ok {
			return nil
		}
	}
	n.refreshMu.Lock()
	due := time.Since(n.refreshed) >= allowRefresh
	n.refreshMu.Unlock()
	if due {
		if err := n.refresh(ctx); err != nil {
			return errors.New("the metagraph can't be read just now")
		}
	}
	if meta := n.meta.Load(); meta != nil {
		if _, ok := meta.ByHotkey(hotkey); ok {
			return nil
		}
	}
	return fmt.Errorf("it is no neuron of subnet %d", n.common.Netuid)
}

// refresh reads the metagraph and brings the address book up to it.
func (n *node) refresh(ctx context.Context) error {
	n.refreshMu.Lock()
	defer n.refreshMu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	n.refreshed = time.Now()
	meta, err := n.common.Chain.Metagraph(ctx, n.common.Netuid)
	if err != nil {
		return err
	}
	if old := n.meta.Load(); old != nil && old.Height > meta.Height {
		return nil // a node that is behind
	}
	n.meta.Store(meta)
	n.addresses(meta)
	return nil
}

func (n *node) addresses(meta *Metagraph) {
	seen := map[string]bool{}
	for _, m := range meta.Neurons {
		if m.Hotkey == n.common.Mesh.Hotkey() || len(m.Endpoints) == 0 {
			continue
		}
		seen[m.Hotkey] = true
		if slices.Equal(n.book[m.Hotkey], m.Endpoints) {
			continue
		}
		n.book[m.Hotkey] = m.Endpoints
		if err := n.common.Mesh.AddPeer(m.Hotkey, m.Endpoints...); err != nil {
			n.log.Warn("neuron can't be called", "uid", m.UID, "err", err)
		}
	}
	for hotkey := range n.book {
		if seen[hotkey] {
			continue
		}
		delete(n.book, hotkey)
		if err := n.common.Mesh.RemovePeer(hotkey); err != nil {
			n.log.Debug("closing connections to a neuron that left", "peer", hotkey, "err", err)
		}
	}
}

// self returns the node's own neuron.
func (n *node) self() (Neuron, bool) {
	meta := n.meta.Load()
	if meta == nil {
		return Neuron{}, false
	}
	return meta.ByHotkey(n.common.Mesh.Hotkey())
}

// follow keeps the metagraph fresh and calls each for every new block in which the node
// holds a uid, until ctx ends. It returns an error if the node can't start.
func (n *node) follow(ctx context.Context, each func(ctx context.Context) error) error {
	// Its own context, so that the chain's goroutine ends with this call.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks := n.common.Chain.Blocks(ctx, n.common.Netuid)
	stale, wait := true, retryFirst
	retry := time.NewTimer(0)
	defer retry.Stop()
	for ctx.Err() == nil {
		var height int64
		select {
		case b, ok := <-blocks:
			if !ok {
				if ctx.Err() == nil {
					return errors.New("the chain's block stream ended")
				}
				return nil
			}
			height = b.Height
			stale = stale || b.Changed
		case <-retry.C:
		case <-ctx.Done():
			return nil
		}
		meta := n.meta.Load()
		if stale || meta == nil || height >= meta.NextEpoch {
			err := n.refresh(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if meta == nil && err != nil && !errors.Is(err, ErrUnavailable) {
				return err // no such subnet, for example: waiting won't help
			}
			n.outages.note("read the metagraph", err)
			if err != nil {
				stale = true
				retry.Reset(wait)
				wait = min(2*wait, retryMost)
				continue
			}
			stale, wait = false, retryFirst
			retry.Stop()
		} else {
			n.meta.Store(meta.at(height))
		}
		ready, err := n.ready(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if ready {
			if err := each(ctx); err != nil {
				return err
			}
		} else if !n.registered {
			stale = true // it has just registered, or will when the chain is back
			retry.Reset(retryFirst)
		}
	}
	return nil
}

// at returns the metagraph as it is at a later block that changed nothing.
func (m *Metagraph) at(height int64) *Metagraph {
	if height <= m.Height {
		return m
	}
	next := *m
	next.Height = height
	return &next
}

// ready says whether the node holds a uid; it registers where that was asked for, and
// keeps what the neuron serves published.
func (n *node) ready(ctx context.Context) (bool, error) {
	self, ok := n.self()
	if !ok {
		if n.registered {
			n.outages.note("find its own uid", fmt.Errorf("%w: it was pruned; register it again", ErrNotRegistered))
			return false, nil
		}
		return false, n.register(ctx)
	}
	n.registered = true
	n.outages.note("register", nil) // whatever became of its answer
	n.outages.note("find its own uid", nil)
	if n.serving.Protocol != "" {
		n.serve(ctx, self)
	}
	return true, nil
}

func (n *node) register(ctx context.Context) error {
	if !n.common.Register {
		return fmt.Errorf("%w: %s in subnet %d; register it first", ErrNotRegistered, n.common.Mesh.Hotkey(), n.common.Netuid)
	}
	if n.asked {
		return nil // committed; the metagraph will show it
	}
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	n.log.Info("registering", "max_burn_rao", n.common.MaxBurn)
	err := n.common.Chain.Register(ctx, n.common.Netuid, n.common.MaxBurn)
	if err != nil && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("register %s in subnet %d: %w", n.common.Mesh.Hotkey(), n.common.Netuid, err)
	}
	n.outages.note("register", err)
	n.asked = err == nil
	return nil
}

// serve publishes what the node serves unless the chain already says so. After a
// failure it waits twice as many blocks as before.
func (n *node) serve(ctx context.Context, self Neuron) {
	s := n.serving
	s.Endpoints = n.common.Mesh.Endpoints() // they may change behind a NAT
	if len(s.Endpoints) == 0 {
		return // a relay has still to take it in
	}
	if sameSet(self.Endpoints, s.Endpoints) && self.Protocol == s.Protocol && self.ProtocolVersion == s.Version {
		n.outages.note("publish its endpoint", nil)
		n.serveWait = 0
		return
	}
	height := n.meta.Load().Height
	if height < n.serveAgain {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	err := n.common.Chain.Serve(ctx, n.common.Netuid, s)
	n.outages.note("publish its endpoint", err)
	if err != nil {
		n.serveWait = min(max(1, 2*n.serveWait), 64)
		n.serveAgain = height + n.serveWait
		return
	}
	n.serveWait = 0
	n.serveAgain = height + 2 // by then the metagraph shows it
	n.log.Info("serving", "protocol", s.Protocol, "endpoints", s.Endpoints)
}

// sameSet compares endpoints; their order changes as connections come and go.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// outages logs that something fails once, and once that it works again.
type outages struct {
	log    *slog.Logger
	mu     sync.Mutex
	failed map[string]string // operation → last error
}

func (o *outages) note(operation string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil && errors.Is(err, context.Canceled) {
		return // the process is ending
	}
	last, failing := o.failed[operation]
	switch {
	case err == nil && failing:
		delete(o.failed, operation)
		o.log.Info("works again", "to", operation)
	case err != nil && last != err.Error():
		if o.failed == nil {
			o.failed = map[string]string{}
		}
		o.failed[operation] = err.Error()
		o.log.Warn("can't; will try again", "to", operation, "err", err)
	case err != nil:
		o.log.Debug("still can't", "to", operation, "err", err)
	}
}

// last returns what fails now, one error for each operation.
func (o *outages) last() map[string]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]string{}
	for k, v := range o.failed {
		out[k] = v
	}
	return out
}
