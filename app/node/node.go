package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/rpc/client/local"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
)

// Config says what node to run, and where.
type Config struct {
	Home string

	// Addresses to listen on, host:port. Empty: as the home's configuration says.
	// Port 0 of RPC, GRPC and REST is a free one, see [Node.Endpoints].
	RPC, GRPC, REST, P2P string

	Logger *slog.Logger // default: none

	// Metrics is where to serve metrics for Prometheus, host:port; port 0 is a free one.
	// Empty: where the home's configuration says, if it has `prometheus = true`.
	Metrics string

	// CORS lets web pages of any origin call RPC and REST: for local networks.
	CORS bool
	// CheckInvariants is how many blocks lie between two checks of the chain's
	// invariants; 0: none. A broken one stops the node.
	CheckInvariants int
}

// Node is a running node.
type Node struct {
	app       *app.App
	comet     *cmtnode.Node
	appConfig serverconfig.Config
	dbs       databases
	servers   servers
	log       quiet
	endpoints Endpoints
	signer    *remoteSigner // nil: the validator's key is in the home
	metrics   *metrics      // nil: none are served

	stop     sync.Once
	stopErr  error
	stopping atomic.Bool
	failed   chan struct{} // closed by fail
	failOnce sync.Once
	failure  error
	stopped  chan struct{}

	waits atomic.Int64 // names the subscriptions of WaitHeight
}

// Endpoints are where a node listens, host:port.
type Endpoints struct {
	RPC, GRPC, REST, P2P string
	Metrics              string // empty: none are served
}

// Start runs the node of a home. It returns when the node's servers answer; ctx
// bounds the start alone. The error wraps [ErrNoNode] where there is none.
func Start(ctx context.Context, c Config) (_ *Node, err error) {
	s, err := load(c.Home)
	if err != nil {
		return nil, err
	}
	s.apply(c)
	logger := c.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	n := &Node{log: quiet{logger.With("part", "node")}, appConfig: s.app, failed: make(chan struct{}), stopped: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Stop())
		}
	}()

	rpc, err := n.servers.listen("RPC", s.comet.RPC.ListenAddress)
	if err != nil {
		return nil, err
	}
	grpcListener, err := n.servers.listen("gRPC", s.app.GRPC.Address)
	if err != nil {
		return nil, err
	}
	rest, err := n.servers.listen("REST", s.app.API.Address)
	if err != nil {
		return nil, err
	}
	var metricsListener *listener
	if s.comet.Instrumentation.IsPrometheusEnabled() {
		if metricsListener, err = n.servers.listen("metrics", s.comet.Instrumentation.PrometheusListenAddr); err != nil {
			return nil, err
		}
	}
	s.comet.RPC.ListenAddress, s.comet.Instrumentation.PrometheusListenAddr = "", "" // served here: see servers
	n.endpoints = Endpoints{
		RPC: rpc.Addr().String(), GRPC: grpcListener.Addr().String(), REST: rest.Addr().String(),
		P2P: s.comet.P2P.ListenAddress[len("tcp://"):],
	}

	if err := n.openApp(s); err != nil {
		return nil, err
	}
	if err := n.app.CheckRelease(); err != nil {
		return nil, err
	}
	if metricsListener != nil {
		n.endpoints.Metrics = metricsListener.Addr().String()
		if n.metrics, err = newMetrics(n.app, s.comet.DBDir()); err == nil {
			err = n.metrics.withProcess()
		}
		if err != nil {
			return nil, err
		}
	}
	if err := n.startComet(ctx, s); err != nil {
		return nil, err
	}

	clientCtx := client.Context{}.
		WithCodec(n.app.Codec).WithInterfaceRegistry(n.app.InterfaceRegistry).WithLegacyAmino(n.app.Amino).
		WithTxConfig(n.app.TxConfig).WithChainID(n.ChainID()).WithHomeDir(c.Home).WithClient(local.New(n.comet))
	n.app.RegisterTxService(clientCtx)
	n.app.RegisterTendermintService(clientCtx)
	n.app.RegisterNodeService(clientCtx, s.app)

	if err := n.servers.serveRPC(rpc, n.comet, n.dbs.state(), n.log, c.CORS); err != nil {
		return nil, err
	}
	if err := n.servers.serveGRPC(grpcListener, n, clientCtx); err != nil {
		return nil, err
	}
	if err := n.servers.serveREST(rest, n, clientCtx, n.endpoints.GRPC, c.CORS); err != nil {
		return nil, err
	}
	if metricsListener != nil {
		n.servers.serveMetrics(metricsListener, n.metrics.registry, n.log)
	}
	return n, nil
}

// openApp opens the application's database and loads its state.
func (n *Node) openApp(s settings) (err error) {
	db, err := openState(s)
	if err != nil {
		return err
	}
	defer func() {
		if n.app == nil {
			err = errors.Join(err, db.Close())
		}
	}()
	defer recovered(&err)
	n.app = app.New(n.log, db, s.options, server.DefaultBaseappOptions(s.options)...)
	return nil
}

func (n *Node) startComet(ctx context.Context, s settings) error {
	if _, err := completeIndex(s.comet); err != nil {
		return err
	}
	nodeKey, err := p2p.LoadOrGenNodeKey(s.comet.NodeKeyFile())
	if err != nil {
		return err
	}
	validator, err := n.validator(ctx, &s, nodeKey)
	if err != nil {
		return err
	}
	genesis := func() (*cmttypes.GenesisDoc, error) {
		doc, err := genutiltypes.AppGenesisFromFile(s.comet.GenesisFile())
		if err != nil {
			return nil, err
		}
		return doc.ToGenesisDoc()
	}
	// Made with this timeout, CometBFT would let it pass before the first block after a
	// start, for transactions to come: nobody has been able to send any. The blocks that
	// follow wait as they should.
	timeout := s.comet.Consensus.TimeoutCommit
	s.comet.Consensus.TimeoutCommit = 0
	n.comet, err = cmtnode.NewNodeWithContext(ctx, s.comet,
		validator, nodeKey,
		proxy.NewLocalClientCreator(watched{server.NewCometABCIWrapper(n.measured()), n.fail}), genesis, n.dbs.provide,
		n.provideMetrics(s.comet.Instrumentation), n.cometLog())
	s.comet.Consensus.TimeoutCommit = timeout
	if err != nil {
		return fmt.Errorf("the node can't be started: %w", err)
	}
	if err := n.comet.Start(); err != nil {
		return fmt.Errorf("the node can't be started: %w", err)
	}
	return nil
}

// watched tells of blocks that the application can't make: CometBFT logs such an
// error, and stands still.
type watched struct {
	abci.Application
	fail func(error)
}

func (w watched) FinalizeBlock(ctx context.Context, req *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	defer func() {
		if r := recover(); r != nil {
			w.fail(fmt.Errorf("the chain has stopped at block %d: %v", req.Height, r))
			panic(r)
		}
	}()
	res, err := w.Application.FinalizeBlock(ctx, req)
	if err != nil {
		w.fail(fmt.Errorf("the chain has stopped at block %d: %w", req.Height, err))
	}
	return res, err
}

// fail records why the node can't go on, for Wait.
func (n *Node) fail(err error) {
	if n.stopping.Load() {
		return // an optimistic run that Stop cut off
	}
	n.failOnce.Do(func() {
		n.log.Error("the node can't go on", "err", err)
		n.failure = err
		close(n.failed)
	})
}

// Wait returns when the node has been stopped, or with an error when it can't
// make blocks any more: it must be stopped then.
func (n *Node) Wait() error {
	select {
	case <-n.failed:
		return n.failure
	case <-n.stopped:
		return nil
	}
}

// Stop ends the node: no connection and no database stays open. Stopping twice
// does nothing.
func (n *Node) Stop() error {
	n.stop.Do(func() {
		n.stopping.Store(true)
		n.servers.close()
		var errs []error
		if n.comet != nil && n.comet.IsRunning() {
			errs = append(errs, n.comet.Stop())
			n.comet.Wait()
		}
		errs = append(errs, n.signer.close(), n.dbs.close())
		if n.app != nil {
			errs = append(errs, n.app.Close())
		}
		n.stopErr = errors.Join(errs...)
		close(n.stopped)
	})
	return n.stopErr
}

// Height is the last block that the application has committed: its state can be
// queried.
func (n *Node) Height() int64 { return n.app.LastBlockHeight() }

// ChainID is the chain's id.
func (n *Node) ChainID() string { return n.comet.GenesisDoc().ChainID }

// Endpoints are where the node listens.
func (n *Node) Endpoints() Endpoints { return n.endpoints }

// WaitHeight returns when the application has committed a block.
func (n *Node) WaitHeight(ctx context.Context, height int64) error {
	name := fmt.Sprintf("wait %d", n.waits.Add(1))
	sub, err := n.comet.EventBus().Subscribe(ctx, name, cmttypes.EventQueryNewBlock, 16)
	if err != nil {
		return err
	}
	defer func() {
		_ = n.comet.EventBus().UnsubscribeAll(context.Background(), name) // the bus may have ended before
	}()
	for n.Height() < height {
		select {
		case <-sub.Out():
		case <-sub.Canceled():
			return fmt.Errorf("waiting for block %d at block %d: %w", height, n.Height(), sub.Err())
		case <-n.failed:
			return n.failure
		case <-ctx.Done():
			return fmt.Errorf("waiting for block %d at block %d: %w", height, n.Height(), ctx.Err())
		}
	}
	return nil
}
