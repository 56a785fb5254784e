package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
)

// connect finds the network: the nodes of --node, or that of the home.
func (g *globals) connect() (*client.Client, error) { return g.connectFor("") }

// connectFor is connect where an account's fee allowance pays what is sent; empty:
// nobody's.
func (g *globals) connectFor(feeGranter string) (*client.Client, error) {
	if g.node != "" {
		nodes, err := parseNodes(g.node)
		if err != nil {
			return nil, err
		}
		return client.New(client.Config{Nodes: nodes, GasPrice: g.gasPrice, FeeGranter: feeGranter, Review: g.reviewer()})
	}
	info, err := localnet.ReadInfo(g.home)
	if err != nil {
		return nil, err
	}
	if info.PID == 0 {
		return nil, fail("not_running", fmt.Sprintf("start it with `lode up --home %s`, or name a node with --node URL", g.home), "the network in %s is not running", g.home)
	}
	return client.New(client.Config{Nodes: []string{info.Endpoints.RPC}, ChainID: info.ChainID, GasPrice: g.gasPrice, FeeGranter: feeGranter, Review: g.reviewer()})
}

func parseNodes(list string) ([]string, error) {
	var nodes []string
	for _, s := range strings.Split(list, ",") {
		s = strings.TrimSpace(s)
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "tcp" {
			return nil, fail(codeUsage, "give a CometBFT RPC URL, for example http://127.0.0.1:26657", "--node %q is no URL of a node", s)
		}
		if u.Scheme == "tcp" { // as CometBFT's own configuration writes it
			u.Scheme = "http"
		}
		nodes = append(nodes, u.String())
	}
	return nodes, nil
}

// queryTimeout bounds a command that only asks.
const queryTimeout = 30 * time.Second

// sendTimeout bounds a command that waits for a transaction to be committed.
const sendTimeout = 2 * time.Minute

// withNetwork connects, runs f with a deadline, and disconnects. What f sends is shown
// before it is signed; the deadline waits for whoever reads it.
func withNetwork(ctx context.Context, g *globals, limit time.Duration, f func(ctx context.Context, c *client.Client) error) error {
	return g.reviewed(ctx, limit, func(context.Context) (*client.Client, error) { return g.connect() }, f)
}

// reviewed is withNetwork by a connection of the caller's.
func (g *globals) reviewed(ctx context.Context, limit time.Duration, connect func(ctx context.Context) (*client.Client, error), f func(ctx context.Context, c *client.Client) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &review{g: g, clock: newClock(limit, func() { cancel(context.DeadlineExceeded) })}
	defer r.clock.stop()
	before := g.review
	g.review = r // [globals.connect] has the client ask it
	defer func() { g.review = before }()
	ctx = newDeadline(inner)
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	r.client = c
	return f(ctx, c)
}

// deadline is a context that ends as one whose time is up, although its end can be put
// off.
type deadline struct {
	context.Context
	done chan struct{}
}

func newDeadline(inner context.Context) *deadline {
	d := &deadline{inner, make(chan struct{})}
	context.AfterFunc(inner, func() { close(d.done) })
	return d
}

// Done hides the inner context's channel: contexts that are made of this one would
// otherwise take their error from there.
func (d *deadline) Done() <-chan struct{} { return d.done }

func (d *deadline) Err() error {
	select {
	case <-d.done:
	default:
		return nil
	}
	if cause := context.Cause(d.Context); errors.Is(cause, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return d.Context.Err()
}

// clock calls out when a time has passed, less the time in which it was held.
type clock struct {
	timer *time.Timer
	since time.Time
	left  time.Duration
}

func newClock(limit time.Duration, out func()) *clock {
	return &clock{timer: time.AfterFunc(limit, out), since: time.Now(), left: limit}
}

func (c *clock) stop() { c.timer.Stop() }

// hold stops the clock until its result is called.
func (c *clock) hold() (goOn func()) {
	if !c.timer.Stop() {
		return func() {} // it is over
	}
	c.left -= time.Since(c.since)
	return func() {
		c.since = time.Now()
		c.timer.Reset(max(c.left, time.Second))
	}
}
