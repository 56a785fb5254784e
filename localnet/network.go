package localnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lodenet/lode/app/node"
	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/wallet"
)

// ChainID is the id of every local network.
const ChainID = "lode-local-1"

// Network is a local network. Make it with [New], run it once.
type Network struct {
	cfg  Config
	log  *slog.Logger
	lock *os.File

	addresses addresses
	wallet    *wallet.Wallet

	ready     chan struct{} // closed once the subnets run, or the chain does where that is all
	firstSeen atomic.Pointer[time.Time]
	report    atomic.Pointer[Report]

	client *client.Client // set before ready
	node   *node.Node

	mu        sync.Mutex // guards what follows
	info      Info
	names     map[string]string // address → key name
	processes []*process
	listeners map[chan Report]bool
}

// New opens a home, or makes it: its keys and its chain's genesis. Nothing runs
// before Run. The home stays this network's own until Run has ended, or Close.
func New(cfg Config) (_ *Network, err error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	if cfg.Home, err = filepath.Abs(cfg.Home); err != nil {
		return nil, err
	}
	_, statErr := os.Stat(cfg.Home)
	made := errors.Is(statErr, os.ErrNotExist)
	lock, err := lockHome(cfg.Home)
	if err != nil {
		return nil, err
	}
	n := &Network{cfg: cfg, log: cfg.Logger, lock: lock, ready: make(chan struct{}), names: map[string]string{}, listeners: map[chan Report]bool{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
			if made {
				leaveNothing(cfg.Home)
			}
		}
	}()
	if cfg.Fresh {
		kept, err := clearHome(cfg.Home)
		if err != nil {
			return nil, err
		}
		if kept != "" {
			cfg.OnStep("the wallet held keys of yours: it is kept, with its passphrase, in " + kept)
		}
	}
	n.info, err = ReadInfo(cfg.Home)
	if err != nil && !errors.Is(err, ErrNoNetwork) {
		return nil, err
	}
	var moved []string
	if n.addresses, moved, err = choose(cfg.Ports, n.info); err != nil {
		return nil, err
	}
	for _, m := range moved {
		cfg.OnStep(fmt.Sprintf("the last run's port is taken (%s): using another", m))
	}
	for _, dir := range []string{stateDir(cfg.Home), WalletDir(cfg.Home)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if err := n.openWallet(); err != nil {
		return nil, err
	}
	if err := n.makeChain(); err != nil {
		return nil, err
	}
	return n, nil
}

// openWallet opens the home's wallet with its passphrase and makes the keys that are
// missing.
func (n *Network) openWallet() error {
	secret, err := Passphrase(n.cfg.Home)
	if err != nil {
		return err
	}
	n.wallet, err = wallet.Open(WalletDir(n.cfg.Home), func(bool) (string, error) { return secret, nil })
	if err != nil {
		return err
	}
	n.cfg.OnStep("opening the wallet")
	for _, name := range []string{FaucetKey, UserKey} {
		if _, err := n.key(name, wallet.Coldkey); err != nil {
			return err
		}
	}
	_, err = n.key(operatorKey, wallet.Hotkey)
	return err
}

// makeCast finds or makes the keys of all who play. Making a key is slow on
// purpose, and the chain can start without them: it is done meanwhile. What it
// returns waits for the end.
func (n *Network) makeCast(crews []*crew) (made func() error) {
	done := make(chan error, 1)
	go func() {
		for _, c := range crews {
			for _, p := range c.parts {
				_, _, err := n.keys(p.name)
				if err == nil && p.purse != "" {
					_, err = n.key(p.purse, wallet.Coldkey)
				}
				if err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	return sync.OnceValue(func() error { return <-done })
}

// keys finds or makes a coldkey of that name and its hotkey.
func (n *Network) keys(name string) (cold, hot wallet.Key, err error) {
	if cold, err = n.key(name, wallet.Coldkey); err != nil {
		return cold, hot, err
	}
	hot, err = n.key(name+hotSuffix, wallet.Hotkey)
	return cold, hot, err
}

// key finds or makes a key. A made one's mnemonic is dropped: the home holds the key,
// and a local network's coins are worth nothing.
func (n *Network) key(name string, kind wallet.Kind) (wallet.Key, error) {
	k, err := n.wallet.Get(name)
	if errors.Is(err, wallet.ErrNotFound) {
		k, _, err = n.wallet.Create(name, kind)
	}
	if err != nil {
		return k, err
	}
	n.mu.Lock()
	n.names[k.Address] = k.Name
	n.mu.Unlock()
	return k, nil
}

// makeChain writes the chain's genesis and configuration, all or nothing.
func (n *Network) makeChain() error {
	dir := nodeDir(n.cfg.Home)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	n.cfg.OnStep("making a new chain")
	faucet, err := n.wallet.Get(FaucetKey)
	if err != nil {
		return err
	}
	user, err := n.wallet.Get(UserKey)
	if err != nil {
		return err
	}
	operator, err := n.wallet.Get(operatorKey)
	if err != nil {
		return err
	}
	half := dir + ".new"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	err = node.Init(half, node.InitOptions{
		ChainID:   ChainID,
		BlockTime: n.cfg.BlockTime,
		Accounts: []node.Account{
			{Address: faucet.Address, Rao: genesisSupply - userFunds - operatorBond},
			{Address: user.Address, Rao: userFunds},
		},
		Validator: node.Validator{OperatorAddress: operator.Address, SelfBondRao: operatorBond, Moniker: "local"},
	})
	if err != nil {
		return errors.Join(err, os.RemoveAll(half))
	}
	return os.Rename(half, dir)
}

// Close gives the home up. Run does it by itself.
func (n *Network) Close() error {
	if n.lock == nil {
		return nil
	}
	err := n.lock.Close()
	n.lock = nil
	return err
}

// Ready is closed once the network is up: the chain makes blocks, its subnets have their
// neurons, and they work.
func (n *Network) Ready() <-chan struct{} { return n.ready }

// Info is what the home says about the network. It is complete once it is ready.
func (n *Network) Info() Info {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.info
}

// Client is a client of the chain, once the network is ready.
func (n *Network) Client() *client.Client { return n.client }

// Wallet holds the network's keys.
func (n *Network) Wallet() *wallet.Wallet { return n.wallet }

// Names are the names of the home's keys, by address.
func (n *Network) Names() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make(map[string]string, len(n.names))
	for k, v := range n.names {
		out[k] = v
	}
	return out
}

// FirstBlockSeen is when this run saw its first block; the zero time before.
func (n *Network) FirstBlockSeen() time.Time {
	if t := n.firstSeen.Load(); t != nil {
		return *t
	}
	return time.Time{}
}

// Report is what the network has done so far.
func (n *Network) Report() Report {
	if r := n.report.Load(); r != nil {
		return *r
	}
	i := n.Info()
	return Report{ChainID: ChainID, Endpoints: i.Endpoints, FirstPaidSeconds: i.FirstPaidSeconds, Subnets: []SubnetReport{}}
}

// Run runs the network until ctx ends; it returns nil then, or what went wrong.
func (n *Network) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, n.Close()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	made, crews := func() error { return nil }, n.cfg.crews()
	if !n.cfg.ChainOnly {
		made = n.makeCast(crews)
		defer func() { _ = made() }() // build tells what went wrong
	}
	n.cfg.OnStep("starting the chain")
	n.node, err = node.Start(ctx, node.Config{
		Home: nodeDir(n.cfg.Home), CORS: true, Logger: n.log.With("part", "chain"),
		RPC: n.addresses.RPC, GRPC: n.addresses.GRPC, REST: n.addresses.REST, P2P: n.addresses.P2P,
	})
	if err != nil {
		return fmt.Errorf("start the chain: %w", err)
	}
	defer func() { err = errors.Join(err, n.node.Stop()) }()

	status, err := n.listenStatus(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, status.close()) }()
	if err := n.publish(os.Getpid()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.publish(0)) }()

	n.client, err = client.New(client.Config{Nodes: []string{n.Info().Endpoints.RPC}, ChainID: ChainID, Logger: n.log.With("part", "client")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.client.Close()) }()

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.watchNode(ctx) })
	g.Go(func() error { return n.observe(ctx) })
	g.Go(func() error {
		if err := n.build(ctx, g, crews, made); err != nil && ctx.Err() == nil {
			return err
		}
		return nil
	})
	g.Go(func() error { return n.failStatus(ctx, status) })
	err = g.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// build brings up what the network is made of beside its chain.
func (n *Network) build(ctx context.Context, g *errgroup.Group, crews []*crew, made func() error) error {
	if err := n.awaitBlock(ctx); err != nil {
		return err
	}
	if err := made(); err != nil {
		return fmt.Errorf("make the cast's keys: %w", err)
	}
	if !n.cfg.ChainOnly {
		// Video first: who waits for the first pay waits for it alone.
		if err := n.settle(ctx, crews[:1]); err != nil {
			return err
		}
		if err := n.startVideo(ctx, g, crews[0]); err != nil {
			return err
		}
		if len(crews) > 1 {
			if err := n.joinInference(ctx, g, crews[1]); err != nil {
				return fmt.Errorf("inference: %w", err)
			}
		}
	}
	if err := n.awaitServing(ctx); err != nil {
		return err
	}
	n.cfg.OnStep("the network is up")
	close(n.ready)
	return nil
}

// awaitServing waits until the chain says where all of this network's processes can be
// called that others call; for those that take too long it does not.
func (n *Network) awaitServing(ctx context.Context) error {
	missing := n.running()
	missing = slices.DeleteFunc(missing, func(p *process) bool { return !p.serves })
	if len(missing) == 0 {
		return nil
	}
	n.cfg.OnStep("waiting until all can be called")
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for range n.client.Blocks(wait) {
		there := map[string]bool{}
		for _, netuid := range slices.Compact(netuids(missing)) {
			m, err := n.client.Metagraph(ctx, uint32(netuid))
			if err != nil {
				n.log.Warn("can't see who can be called", "netuid", netuid, "err", err)
				continue
			}
			for _, neuron := range m.Neurons {
				there[neuron.Hotkey] = there[neuron.Hotkey] || len(neuron.Endpoints) > 0
			}
		}
		missing = slices.DeleteFunc(missing, func(p *process) bool { return there[p.hotkey] })
		if len(missing) == 0 {
			return nil
		}
	}
	if ctx.Err() == nil {
		n.cfg.OnStep(missing[0].name + " has not told the chain yet where it can be called: see lode.log in the home")
	}
	return ctx.Err()
}

func netuids(of []*process) (all []uint16) {
	for _, p := range of {
		all = append(all, p.netuid)
	}
	return all
}

// watchNode ends the network when its chain ends.
func (n *Network) watchNode(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- n.node.Wait() }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("the chain stopped: %w", errors.Join(err, errors.New("see lode.log in the home")))
	}
}
