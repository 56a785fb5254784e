package node

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	cmtnode "github.com/cometbft/cometbft/node"
	rpcserver "github.com/cometbft/cometbft/rpc/jsonrpc/server"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"

	servertypes "github.com/cosmos/cosmos-sdk/server/types"

	"github.com/lodenet/lode/app"
)

// MetricsPath is where a node serves its metrics to Prometheus.
const MetricsPath = "/metrics"

const (
	// metricsConnections is how many clients of the metrics are served at a time. Who
	// comes later waits: the node is worth more than its picture.
	metricsConnections = 32
	// metricsEvery is how often metrics are gathered at most; who asks in between gets
	// the same page.
	metricsEvery = time.Second
)

// metrics are those of a node: its own registry of what CometBFT, the application and
// the process tell. Nodes of one process have one each.
type metrics struct {
	registry *prometheus.Registry
	app      *app.Metrics
}

// measurable is an [app.App], or what a server has put around one.
type measurable interface {
	servertypes.Application
	NewMetrics() *app.Metrics
	ChainID() string
}

// newMetrics makes the metrics of an application whose data lie in dir.
func newMetrics(a measurable, dir string) (*metrics, error) {
	m := &metrics{registry: prometheus.NewRegistry(), app: a.NewMetrics()}
	err := errors.Join(
		prometheus.WrapRegistererWith(prometheus.Labels{"chain_id": a.ChainID()}, m.registry).Register(m.app),
		m.registry.Register(newDisk(dir)),
	)
	return m, err
}

// withProcess adds what Go and the system say of the process.
func (m *metrics) withProcess() error {
	return errors.Join(
		m.registry.Register(collectors.NewGoCollector()),
		m.registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
	)
}

// provideMetrics is how CometBFT gets its metrics: into the node's registry, or none.
func (n *Node) provideMetrics(cfg *cmtcfg.InstrumentationConfig) cmtnode.MetricsProvider {
	if n.metrics == nil {
		return cmtnode.DefaultMetricsProvider(&cmtcfg.InstrumentationConfig{})
	}
	return cometRegistrations.into(n.metrics.registry, cfg)
}

// measured is the application as CometBFT calls it.
func (n *Node) measured() servertypes.Application {
	if n.metrics == nil {
		return n.app
	}
	return n.metrics.app.Around(n.app)
}

// serveMetrics serves what is gathered. A client may be as slow, and ask as often, as it
// likes: a page is made once a second at most, whole and in memory, and as many
// connections as metricsConnections are open at a time.
func (s *servers) serveMetrics(l *listener, from prometheus.Gatherer, log quiet) {
	mux := http.NewServeMux()
	mux.Handle("GET "+MetricsPath, &metricsPage{
		render: promhttp.HandlerFor(from, promhttp.HandlerOpts{DisableCompression: true, ErrorHandling: promhttp.ContinueOnError, ErrorLog: gatherLog{log}}),
		now:    time.Now,
	})
	cfg := rpcserver.DefaultConfig()
	cfg.ReadTimeout, cfg.WriteTimeout, cfg.MaxHeaderBytes = 5*time.Second, 10*time.Second, 16<<10
	s.serveHTTP(netutil.LimitListener(l, metricsConnections), mux, log, cfg)
}

// metricsPage is the page of a node's metrics.
type metricsPage struct {
	render http.Handler
	now    func() time.Time

	mu   sync.Mutex
	made time.Time
	page page
}

// page is an answer, kept.
type page struct {
	bytes.Buffer
	header http.Header
	code   int
}

func (p *page) Header() http.Header  { return p.header }
func (p *page) WriteHeader(code int) { p.code = code }

func (m *metricsPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, header, code := m.current(r)
	for _, key := range []string{"Content-Type", "X-Content-Type-Options"} {
		if v := header.Get(key); v != "" {
			w.Header().Set(key, v)
		}
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // who asked may be gone
}

// current is the page, made anew when it is old. All formats but the plain one are left
// out: one page is for everybody.
func (m *metricsPage) current(r *http.Request) (body []byte, header http.Header, code int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.now(); m.page.header == nil || now.Sub(m.made) >= metricsEvery {
		plain := r.Clone(r.Context())
		plain.Header = http.Header{}
		next := page{header: http.Header{}, code: http.StatusOK}
		m.render.ServeHTTP(&next, plain)
		m.page, m.made = next, now
	}
	return m.page.Bytes(), m.page.header, m.page.code
}

// gatherLog logs what could not be gathered.
type gatherLog struct{ log quiet }

func (g gatherLog) Println(v ...any) {
	var text []string
	for _, part := range v {
		if err, ok := part.(error); ok {
			text = append(text, err.Error())
		}
	}
	g.log.Error("metrics are incomplete", "err", strings.Join(text, "; "))
}
