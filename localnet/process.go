package localnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/mesh"
	"github.com/lodenet/lode/pay"
	"github.com/lodenet/lode/subnet"
	"github.com/lodenet/lode/subnet/onchain"
	"github.com/lodenet/lode/subnet/seller"
	"github.com/lodenet/lode/subnets/video"
	"github.com/lodenet/lode/subnets/video/media"
	markettypes "github.com/lodenet/lode/x/market/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// videoParameters are subnet 1's own: what its validators measure by.
const videoParameters = `{"measure":"ssim"}`

// process is a miner or validator that this network runs.
type process struct {
	part
	netuid uint16
	hotkey string
	host   *mesh.Host
	stats  func() subnet.Stats
}

// startVideo starts the video subnet's miners and validators; they end with ctx.
func (n *Network) startVideo(ctx context.Context, g *errgroup.Group, c *crew) error {
	n.cfg.OnStep("starting miners and validators of video")
	tools, err := n.cfg.Tools, error(nil)
	if tools == nil {
		if tools, err = media.Find(ctx); err != nil {
			return err
		}
	}
	var corpus video.Corpus
	if n.cfg.Clips != "" {
		corpus, err = video.OpenFolder(ctx, tools, n.cfg.Clips, func(path string, err error) {
			n.cfg.OnStep(fmt.Sprintf("skipping %s: %v", path, err))
		})
		if err != nil {
			return err
		}
	}
	for _, p := range c.neurons() {
		start := func() error { return n.startMiner(ctx, g, tools, c.netuid, p) }
		if p.role == RoleValidator {
			start = func() error { return n.startValidator(ctx, g, tools, corpus, c.netuid, p) }
		}
		if err := start(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func (n *Network) startMiner(ctx context.Context, g *errgroup.Group, tools *media.Tools, netuid uint16, p part) error {
	miner, err := video.NewMiner(video.MinerConfig{Tools: tools, Strategy: video.Strategy(p.strategy), Logger: n.log.With("part", p.name)})
	if err != nil {
		return err
	}
	common, host, err := n.common(ctx, p.name, netuid, video.Name)
	if err != nil {
		return errors.Join(err, miner.Close())
	}
	node, err := subnet.NewMinerNode(subnet.MinerConfig{Common: common, Miner: miner})
	if err != nil {
		return errors.Join(err, host.Close(), miner.Close())
	}
	n.add(&process{part: p, netuid: netuid, hotkey: host.Hotkey(), host: host, stats: node.Stats})
	g.Go(func() error {
		err := n.guard(p.name, func() error { return node.Run(ctx) })
		return errors.Join(err, host.Close(), miner.Close())
	})
	return nil
}

func (n *Network) startValidator(ctx context.Context, g *errgroup.Group, tools *media.Tools, corpus video.Corpus, netuid uint16, p part) error {
	log := n.log.With("part", p.name)
	validator, err := video.NewValidator(video.ValidatorConfig{Tools: tools, Corpus: corpus, Sells: p.price > 0, Logger: log})
	if err != nil {
		return err
	}
	common, host, err := n.common(ctx, p.name, netuid, video.Name)
	if err != nil {
		return errors.Join(err, validator.Close())
	}
	common.Limits = video.GatewayLimits()
	node, err := subnet.NewValidatorNode(subnet.ValidatorConfig{
		Common: common, Validator: validator, Handler: validator.Gateway(), WeightsVersion: video.Version,
		StateFile: filepath.Join(stateDir(n.cfg.Home), p.name+".json"),
	})
	if err != nil {
		return errors.Join(err, host.Close(), validator.Close())
	}
	sell, err := n.seller(p, video.Service(host.Hotkey(), netuid, host.Endpoints()[0], p.price), validator.Gateway().Sell, log)
	if err != nil {
		return errors.Join(err, host.Close(), validator.Close())
	}
	n.add(&process{part: p, netuid: netuid, hotkey: host.Hotkey(), host: host, stats: node.Stats})
	g.Go(func() error {
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error { return n.guard(p.name, func() error { return node.Run(ctx) }) })
		both.Go(func() error { return n.guard(p.name+"'s shop", func() error { return sell(ctx) }) })
		return errors.Join(both.Wait(), host.Close(), validator.Close())
	})
	return nil
}

// What customers paid is soon redeemed here, so that one sees it.
const (
	redeemAfter = 10 * time.Second
	redeemPoll  = 5 * time.Second
)

// seller is what sells beside a process whose customers pay.
func (n *Network) seller(p part, service markettypes.MsgListService, sell func(*pay.Gateway), log *slog.Logger) (func(context.Context) error, error) {
	if p.price == 0 {
		return func(context.Context) error { return nil }, nil
	}
	_, hot, err := n.signers(p.name)
	if err != nil {
		return nil, err
	}
	s, err := seller.New(seller.Config{
		Chain: seller.NewChain(n.client, hot), Service: service, Sell: sell, Logger: log,
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
func (n *Network) common(ctx context.Context, member string, netuid uint16, protocol string) (subnet.Common, *mesh.Host, error) {
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
		Name: protocol, Version: fmt.Sprint(video.Version), Register: true, MaxBurn: maxBurn, Logger: log,
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
