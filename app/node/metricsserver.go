package node

import (
	"context"
	"fmt"
	"log/slog"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/prometheus/client_golang/prometheus"

	servertypes "github.com/cosmos/cosmos-sdk/server/types"
)

// ServerMetrics serves the metrics of a node that the SDK's server runs, as [Start]
// serves those of its own. The process has one such node. The zero value serves none:
// its application is as it was.
type ServerMetrics struct {
	servers  servers
	listener *listener
	metrics  *metrics
}

// Configure takes metrics over from CometBFT's configuration, whose own server would
// not have the chain's; address, if it is not empty, is where to serve instead. It
// listens at once, so that a port that is taken is told before anything starts.
func (s *ServerMetrics) Configure(cfg *cmtcfg.InstrumentationConfig, address string) (err error) {
	if address != "" {
		cfg.Prometheus, cfg.PrometheusListenAddr = true, address
	}
	if !cfg.IsPrometheusEnabled() {
		return nil
	}
	s.listener, err = s.servers.listen("metrics", cfg.PrometheusListenAddr)
	cfg.PrometheusListenAddr = ""
	return err
}

// Address is where metrics are served, host:port; empty: nowhere.
func (s *ServerMetrics) Address() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Measure is an application as the server shall run it. a is the chain's, or what was put
// around it; data is the node's data folder.
func (s *ServerMetrics) Measure(a servertypes.Application, data string) (servertypes.Application, error) {
	if s.listener == nil {
		return a, nil
	}
	chain, ok := a.(measurable)
	if !ok {
		return nil, fmt.Errorf("%T is not the chain's application: it can't be measured", a)
	}
	var err error
	if s.metrics, err = newMetrics(chain, data); err != nil {
		return nil, err
	}
	return s.metrics.app.Around(a), nil
}

// Serve serves until ctx ends, and returns then.
func (s *ServerMetrics) Serve(ctx context.Context) {
	if s.metrics == nil {
		return
	}
	// What CometBFT, Go and the process tell is in the global registry.
	from := prometheus.Gatherers{prometheus.DefaultGatherer, s.metrics.registry}
	s.servers.serveMetrics(s.listener, from, quiet{slog.Default().With("part", "metrics")})
	<-ctx.Done()
	s.servers.close()
}
