package localnet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnet/onchain"
	"github.com/lodenet/lode/subnet/seller"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// process is a miner or validator that this network runs.
type process struct {
	part
	netuid uint16
	serves bool // others can call it
	hotkey string
	host   *mesh.Host
	stats  func() subnet.Stats
}

// work is what the process of a part does.
type work struct {
	subnet    string // its name in protocols
	version   uint64 // of its measure
	limits    mesh.HandlerOptions
	miner     subnet.Miner     // of a miner
	validator subnet.Validator // of a validator
	gateway   http.Handler     // that a validator serves
	pause     time.Duration    // between a validator's rounds, at least
	sell      func(*pay.Gateway)
	listing   func(hotkey string, netuid uint16, endpoint string, price uint64) markettypes.MsgListService
	close     func() error
}

// start starts a part's process; it ends with ctx, and closes its work.
func (n *Network) start(ctx context.Context, g *errgroup.Group, netuid uint16, p part, w work) (err error) {
	closing := []func() error{w.close}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(closing))
		}
	}()
	common, host, err := n.common(ctx, p.name, netuid, w.subnet, w.version)
	if err != nil {
		return err
	}
	closing = append(closing, host.Close)
	common.Limits = w.limits
	var node interface {
		Run(context.Context) error
		Stats() subnet.Stats
	}
	if w.miner != nil {
		node, err = subnet.NewMinerNode(subnet.MinerConfig{Common: common, Miner: w.miner})
	} else {
		node, err = subnet.NewValidatorNode(subnet.ValidatorConfig{
			Common: common, Validator: w.validator, Handler: w.gateway, WeightsVersion: w.version, RoundPause: w.pause,
			StateFile: filepath.Join(stateDir(n.cfg.Home), p.name+".json"),
		})
	}
	if err != nil {
		return err
	}
	sell := func(context.Context) error { return nil }
	if p.price > 0 {
		if sell, err = n.seller(p, w.listing(host.Hotkey(), netuid, host.Endpoints()[0], p.price), w.sell); err != nil {
			return err
		}
	}
	n.add(&process{part: p, netuid: netuid, serves: w.miner != nil || w.gateway != nil, hotkey: host.Hotkey(), host: host, stats: node.Stats})
	g.Go(func() error {
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error { return n.guard(p.name, func() error { return node.Run(ctx) }) })
		both.Go(func() error { return n.guard(p.name+"'s shop", func() error { return sell(ctx) }) })
		return errors.Join(both.Wait(), closeAll(closing))
	})
	return nil
}

// closeAll closes the last one first.
func closeAll(all []func() error) (err error) {
	for _, c := range slices.Backward(all) {
		err = errors.Join(err, c())
	}
	return err
}

// What customers paid is soon redeemed here, so that one sees it.
const (
	redeemAfter = 10 * time.Second
	redeemPoll  = 5 * time.Second
)

// seller sells what a part's process serves.
func (n *Network) seller(p part, service markettypes.MsgListService, sell func(*pay.Gateway)) (func(context.Context) error, error) {
	_, hot, err := n.signers(p.name)
	if err != nil {
		return nil, err
	}
	s, err := seller.New(seller.Config{
		Chain: seller.NewChain(n.client, hot), Service: service, Sell: sell, Logger: n.log.With("part", p.name),
		Dir: func(service uint64) string { return GatewayDir(n.cfg.Home, ChainID, service) },
		Pay: pay.GatewayConfig{RedeemAfter: redeemAfter, PollEvery: redeemPoll},
	})
	if err != nil {
		return nil, err
	}
	return s.Run, nil
}

// common is what a process of a part is made of: its way to the chain and its host on
// the mesh.
func (n *Network) common(ctx context.Context, member string, netuid uint16, protocol string, version uint64) (subnet.Common, *mesh.Host, error) {
	cold, hot, err := n.signers(member)
	if err != nil {
		return subnet.Common{}, nil, err
	}
	log := n.log.With("part", member)
	before, err := n.listenedOn(ctx, netuid, hot.Address())
	if err != nil {
		return subnet.Common{}, nil, err
	}
	// The host outlives ctx a little: it is closed after what runs on it.
	ctx = context.WithoutCancel(ctx)
	host, err := mesh.New(ctx, mesh.Config{PrivKey: hot.PrivKey(), Listen: before, Logger: log})
	if err != nil && before != nil {
		log.Info("the last run's addresses can't be used again", "addresses", before, "err", err)
		host, err = mesh.New(ctx, mesh.Config{PrivKey: hot.PrivKey(), Logger: log})
	}
	if err != nil {
		return subnet.Common{}, nil, err
	}
	return subnet.Common{
		Chain: onchain.New(n.client, hot, cold), Mesh: host, Netuid: netuid,
		Name: protocol, Version: fmt.Sprint(version), Register: true, MaxBurn: maxBurn, Logger: log,
	}, host, nil
}

// listenedOn are the addresses that a neuron published in a former run: with the same
// ones nobody has to learn new ones after a restart. Nil if it never did.
func (n *Network) listenedOn(ctx context.Context, netuid uint16, hotkey string) ([]string, error) {
	r, err := n.client.Subnets().Neuron(ctx, &subnetstypes.QueryNeuronRequest{Netuid: uint32(netuid), Hotkey: hotkey})
	if errors.Is(err, client.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range r.Neuron.Endpoints {
		at, _, _ := strings.Cut(e, "/p2p/")
		out = append(out, at)
	}
	return out, nil
}

// guard turns a panic of a process into an error, so that the network stops in order
// and says whose it was.
func (n *Network) guard(name string, run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("panic", "part", name, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%s panicked: %v", name, p)
		}
	}()
	if err := run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (n *Network) add(p *process) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.processes = append(n.processes, p)
}

func (n *Network) running() []*process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*process(nil), n.processes...)
}
