package localnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/lodenet/lode/client"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// listenStatus starts the status server.
func (n *Network) listenStatus(ctx context.Context) (*statusServer, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", n.addresses.Status)
	if err != nil {
		return nil, fmt.Errorf("status server: %w", err)
	}
	return serveStatus(l, n.Report), nil
}

// failStatus ends the network when its status server fails.
func (n *Network) failStatus(ctx context.Context, s *statusServer) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.done:
		s.done <- err // for who closes it
		return fmt.Errorf("the status server stopped: %w", err)
	}
}

// publish writes down where the network is, and which process runs it.
func (n *Network) publish(pid int) error {
	a := n.addresses
	_, port, err := net.SplitHostPort(a.P2P)
	if err != nil {
		return err
	}
	p2p, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	return n.updateInfo(func(i *Info) {
		i.ChainID, i.P2PPort, i.PID = ChainID, p2p, pid
		i.Endpoints = Endpoints{RPC: "http://" + a.RPC, GRPC: "http://" + a.GRPC, REST: "http://" + a.REST, Status: "http://" + a.Status}
	})
}

// updateInfo changes what the home says about the network.
func (n *Network) updateInfo(change func(*Info)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.info)
	return writeInfo(n.cfg.Home, n.info)
}

// awaitBlock waits until the chain has made a block in this run, and its state can be
// asked for: CometBFT tells of a block a moment before the application has committed it.
func (n *Network) awaitBlock(ctx context.Context) error {
	n.cfg.OnStep("waiting for the first block")
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for b := range n.client.Blocks(ctx) {
		if b.Height > 0 {
			now := time.Now()
			n.firstSeen.Store(&now)
			return n.node.WaitHeight(ctx, b.Height)
		}
	}
	return fmt.Errorf("the chain made no block: %w", context.Cause(ctx))
}

// observe makes a report after every block.
func (n *Network) observe(ctx context.Context) error {
	for b := range n.client.Blocks(ctx) {
		r, err := n.look(ctx, b)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			n.log.Warn("can't report on the block", "height", b.Height, "err", err)
			continue
		}
		n.report.Store(&r)
		n.tell(r)
	}
	return nil
}

// Reports tells of every block from now on until ctx ends, then it closes the channel.
// Who is slow gets the newest.
func (n *Network) Reports(ctx context.Context) <-chan Report {
	c := make(chan Report, 1)
	n.mu.Lock()
	n.listeners[c] = true
	n.mu.Unlock()
	context.AfterFunc(ctx, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.listeners, c)
		close(c)
	})
	return c
}

func (n *Network) tell(r Report) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.listeners {
		select {
		case <-c: // the last one was not read
		default:
		}
		c <- r
	}
}

// look reads what the network has done from the chain and its own processes.
func (n *Network) look(ctx context.Context, b client.Block) (Report, error) {
	r := Report{Height: b.Height, ChainID: ChainID, Endpoints: n.Info().Endpoints, Subnets: []SubnetReport{}}
	totals, err := n.client.Emission().Totals(ctx, &emissiontypes.QueryTotalsRequest{})
	if err != nil {
		return r, err
	}
	r.IssuedRao = totals.Totals.Issued
	subnets, err := n.client.Subnets().Subnets(ctx, &subnetstypes.QuerySubnetsRequest{})
	if err != nil {
		return r, err
	}
	for _, s := range subnets.Subnets {
		m, err := n.client.Metagraph(ctx, s.Netuid)
		if errors.Is(err, client.ErrNotFound) {
			continue // removed since the list was read
		}
		if err != nil {
			return r, err
		}
		r.Subnets = append(r.Subnets, n.subnetReport(m))
	}
	if err := n.notePaid(ctx, &r); err != nil {
		return r, err
	}
	return r, nil
}

func (n *Network) subnetReport(m *emissiontypes.QueryMetagraphResponse) SubnetReport {
	s := SubnetReport{
		Netuid: uint16(m.Subnet.Netuid), Name: m.Subnet.Name, Price: m.Pool.Price().Float64(),
		TaoReserveRao: m.Pool.TaoReserve, AlphaReserve: m.Pool.AlphaReserve, Epochs: m.Epoch.Number,
		Neurons: []NeuronReport{},
	}
	own, scores := map[string]*process{}, map[uint16][]float64{}
	for _, p := range n.running() {
		if p.netuid != s.Netuid {
			continue
		}
		own[p.hotkey] = p
		if p.role == RoleValidator {
			for uid, score := range p.stats().Scores {
				scores[uid] = append(scores[uid], score.Last)
			}
		}
	}
	for _, neuron := range m.Neurons {
		r := NeuronReport{
			UID: uint16(neuron.Uid), Hotkey: neuron.Hotkey, Role: roleOf(neuron),
			Incentive: fraction(neuron.Incentive), Dividends: fraction(neuron.Dividends),
			StakeAlpha: neuron.StakeAlpha, EmissionAlpha: neuron.Emission,
		}
		if given := scores[r.UID]; len(given) > 0 {
			mean := 0.0
			for _, v := range given {
				mean += v / float64(len(given))
			}
			r.Score = &mean
		}
		if p := own[neuron.Hotkey]; p != nil {
			r.Role = p.role
			if p.strategy != "" {
				r.Strategy = &p.strategy
			}
			stats := p.stats()
			r.BytesIn, r.BytesOut, r.Jobs = &stats.Mesh.BytesIn, &stats.Mesh.BytesOut, &stats.Jobs
		}
		s.Neurons = append(s.Neurons, r)
	}
	return s
}

// roleOf guesses what a neuron of another process does, from what it publishes and does.
func roleOf(n emissiontypes.MetagraphNeuron) string {
	switch {
	case n.Owner:
		return RoleOwner
	case strings.HasSuffix(n.Protocol, "/miner"):
		return RoleMiner
	case strings.HasSuffix(n.Protocol, "/validator"), n.LastUpdate > 0, n.Permit:
		return RoleValidator
	}
	return RoleMiner
}

// fraction is a Q32.32 as a number for people.
func fraction(q uint64) float64 { return float64(q) / (1 << 32) }

// notePaid finds out when the first miner was paid, once, and keeps it.
func (n *Network) notePaid(ctx context.Context, r *Report) error {
	r.FirstPaidSeconds = n.Info().FirstPaidSeconds
	if r.FirstPaidSeconds != nil || !minerPaid(*r) {
		return nil
	}
	first, err := n.client.BlockTime(ctx, 1)
	if err != nil {
		return err
	}
	now, err := n.client.BlockTime(ctx, r.Height)
	if err != nil {
		return err
	}
	seconds := now.Sub(first).Seconds()
	r.FirstPaidSeconds = &seconds
	return n.updateInfo(func(i *Info) { i.FirstPaidSeconds = &seconds })
}

func minerPaid(r Report) bool {
	for _, s := range r.Subnets {
		for _, m := range s.Neurons {
			if m.Role == RoleMiner && m.EmissionAlpha > 0 {
				return true
			}
		}
	}
	return false
}
