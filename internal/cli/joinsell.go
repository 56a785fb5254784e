package cli

import (
	"context"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/localnet"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet/seller"
	markettypes "github.com/lodenet/lode/x/market/types"
)

// wares are what a neuron sells beside its work.
type wares struct {
	price uint64 // rao; 0: what it serves is free
	sell  func(till *pay.Gateway)
	list  func(hotkey string, netuid uint16, endpoint string, price uint64) markettypes.MsgListService
}

// selling is what sells beside a neuron's process, until its context ends. Where nothing is
// sold it looks whether something is listed all the same.
func (g *globals) selling(ctx context.Context, c *client.Client, j *joined, w wares) (func(context.Context) error, error) {
	hot, err := g.signer(ctx, j.name)
	if err != nil {
		return nil, err
	}
	chain := seller.NewChain(c, hot)
	log := j.common.Logger
	endpoints := j.host.Endpoints()
	if len(endpoints) == 0 {
		endpoints = []string{""}
	}
	service := w.list(hot.Address(), j.common.Netuid, endpoints[0], w.price)
	if w.price == 0 {
		own, err := chain.Own(ctx, j.common.Netuid, hot.Address())
		for _, s := range own {
			if s.Service.Name == service.Name {
				log.Warn("this neuron is free, and a service of its is still listed: sell with --price, or withdraw it with `lode market withdraw`", "service", s.Service.Id)
			}
		}
		return func(context.Context) error { return nil }, err
	}
	if !chainName.MatchString(j.chain) {
		return nil, fail("wrong_network", "name another node", "the node calls its chain %q", j.chain)
	}
	if service.Endpoint == "" {
		return nil, fail("listen", "choose other addresses with --listen and --announce", "the neuron can't be reached anywhere, so nothing can be sold")
	}
	s, err := seller.New(seller.Config{
		Chain: chain, Sell: w.sell, Service: service, Logger: log,
		Dir: func(id uint64) string { return localnet.GatewayDir(g.home, j.chain, id) },
	})
	if err != nil {
		return nil, err
	}
	return s.Run, nil
}
