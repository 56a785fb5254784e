package node

import (
	"strings"
	"sync"

	"github.com/cometbft/cometbft/blocksync"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/mempool"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/statesync"
	"github.com/prometheus/client_golang/prometheus"
)

// cometRegistrations stands before Prometheus' global registry. CometBFT registers its
// metrics there and can't be told otherwise, so that a second node of the process
// would panic: while a node is being made they go to the node's registry instead. It is
// put there before the program begins, when nobody can be reading the variable.
var cometRegistrations = &registrations{Registerer: prometheus.DefaultRegisterer}

func init() { prometheus.DefaultRegisterer = cometRegistrations }

// registrations is a registry that can pass on what begins with a prefix to another.
type registrations struct {
	prometheus.Registerer // everything else

	turn sync.Mutex // one node is made at a time

	mu     sync.Mutex
	to     *prometheus.Registry // nil: nobody's
	prefix string
}

// into is a provider of CometBFT's metrics that registers them in a registry.
func (r *registrations) into(registry *prometheus.Registry, cfg *cmtcfg.InstrumentationConfig) cmtnode.MetricsProvider {
	return func(chainID string) (*consensus.Metrics, *p2p.Metrics, *mempool.Metrics, *state.Metrics, *proxy.Metrics, *blocksync.Metrics, *statesync.Metrics) {
		r.turn.Lock()
		defer r.turn.Unlock()
		r.set(registry, cfg.Namespace+"_")
		defer r.set(nil, "")
		return cmtnode.DefaultMetricsProvider(&cmtcfg.InstrumentationConfig{Prometheus: true, Namespace: cfg.Namespace})(chainID)
	}
}

func (r *registrations) set(to *prometheus.Registry, prefix string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to, r.prefix = to, prefix
}

// target is where a collector goes.
func (r *registrations) target(c prometheus.Collector) prometheus.Registerer {
	r.mu.Lock()
	to, prefix := r.to, r.prefix
	r.mu.Unlock()
	if to == nil {
		return r.Registerer
	}
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	named := false
	for d := range descs {
		named = named || strings.HasPrefix(d.String(), `Desc{fqName: "`+prefix)
	}
	if named {
		return to
	}
	return r.Registerer
}

// Register registers a collector.
func (r *registrations) Register(c prometheus.Collector) error { return r.target(c).Register(c) }

// MustRegister registers collectors, and panics where it can't.
func (r *registrations) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		r.target(c).MustRegister(c)
	}
}
