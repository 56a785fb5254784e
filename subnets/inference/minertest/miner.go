// Package minertest has what tests around miners need: miners on the mesh that sell at a
// chain in memory, and customers that pay.
package minertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet/seller/sellertest"
	"github.com/lodenet/lode/subnets/inference"
)

// Mount is where miners answer on the mesh.
const Mount = "/subnet/2/"

// Host is a host on loopback that ends with the test; the same name has the same hotkey.
func Host(t testing.TB, name string) *mesh.Host {
	t.Helper()
	key := sha256.Sum256([]byte(name))
	h, err := mesh.New(t.Context(), mesh.Config{PrivKey: key[:]})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

// Miner is one on the mesh. One with a price sells.
type Miner struct {
	*inference.Miner
	Chain *sellertest.Chain
	Host  *mesh.Host
	URL   string
	// Books is the till's folder.
	Books string
	// Till takes the money; nil: everything is free.
	Till *pay.Gateway
}

// New starts a miner on the mesh that ends with the test. One with a price is listed on
// chain and sells. wrap, if given, stands before it.
func New(t testing.TB, chain *sellertest.Chain, name string, cfg inference.MinerConfig, wrap ...func(http.Handler) http.Handler) *Miner {
	t.Helper()
	miner, err := inference.NewMiner(cfg)
	require.NoError(t, err)
	m := Serve(t, chain, name, miner, wrap...)
	if cfg.Price > 0 {
		id, err := chain.List(t.Context(), inference.Listing(m.Host.Hotkey(), 2, m.Host.Endpoints()[0], cfg.Price))
		require.NoError(t, err)
		m.Till, err = pay.OpenGateway(t.Context(), pay.GatewayConfig{Dir: m.Books, Chain: chain, ServiceID: id})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Till.Close()) })
		m.Sell(m.Till)
	}
	return m
}

// Serve puts a miner on the mesh.
func Serve(t testing.TB, chain *sellertest.Chain, name string, miner *inference.Miner, wrap ...func(http.Handler) http.Handler) *Miner {
	t.Helper()
	m := &Miner{Miner: miner, Chain: chain, Host: Host(t, name), Books: t.TempDir()}
	m.URL = "http://" + m.Host.Hotkey() + Mount[:len(Mount)-1]
	var h http.Handler = miner
	for _, w := range wrap {
		h = w(h)
	}
	require.NoError(t, m.Host.Handle(Mount, http.StripPrefix(Mount[:len(Mount)-1], h), inference.MinerLimits()))
	return m
}

// Remote is the miner as a client knows it, with its card of now.
func (m *Miner) Remote(t testing.TB, c *inference.Caller) inference.Remote {
	t.Helper()
	card, err := c.Card(t.Context(), m.URL)
	require.NoError(t, err)
	return inference.Remote{Hotkey: m.Host.Hotkey(), URL: m.URL, Card: card}
}

// Customer calls miners, and pays them.
type Customer struct {
	*inference.Caller
	Host *mesh.Host
	Pay  *pay.Client
	// Folder has the customer's books.
	Folder string
}

// Deposit is what a customer puts into a channel at a time, in rao.
const Deposit = 100_000_000

// NewCustomer makes a customer with 1,000 TAO who knows where miners are.
func NewCustomer(t testing.TB, chain *sellertest.Chain, name string, miners ...*Miner) *Customer {
	t.Helper()
	c := &Customer{Host: Host(t, name), Folder: t.TempDir()}
	chain.Give(name, 1e12)
	var err error
	c.Pay, err = pay.OpenClient(pay.ClientConfig{Dir: c.Folder, Chain: chain.Payer(name), Base: c.Host.RoundTripper(),
		Limits: pay.Limits{PerRequest: 1e9, PerDay: 1e11, Deposit: Deposit, MaxDeposit: 1e12, Ahead: 1e11}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Pay.Close()) })
	c.Caller = &inference.Caller{HTTP: &http.Client{Transport: c.Pay}, Envelope: inference.Plain{}}
	for _, m := range miners {
		require.NoError(t, c.Host.AddPeer(m.Host.Hotkey(), m.Host.Endpoints()...))
	}
	return c
}

// Ledger are the payments for requests that were made, oldest first.
func (c *Customer) Ledger(t testing.TB) []pay.Payment {
	t.Helper()
	var all []pay.Payment
	require.NoError(t, c.Pay.Ledger(time.Time{}, func(p pay.Payment) bool {
		if p.Kind == "request" {
			all = append(all, p)
		}
		return true
	}))
	return all
}

// Gate is something that tests open once; what waits for it goes on.
type Gate struct {
	once sync.Once
	c    chan struct{}
}

// NewGate makes a closed one.
func NewGate() *Gate { return &Gate{c: make(chan struct{})} }

// Open lets everybody through.
func (g *Gate) Open() { g.once.Do(func() { close(g.c) }) }

// Wait waits until the gate is open, or ctx ends.
func (g *Gate) Wait(ctx context.Context) error {
	select {
	case <-g.c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Minute):
		return errors.New("nobody opens the gate")
	}
}
