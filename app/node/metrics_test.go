package node_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/app/node"
)

// startMeasured starts a node that serves metrics.
func startMeasured(t *testing.T, home string) *node.Node {
	t.Helper()
	c := config(home)
	c.Metrics = "127.0.0.1:0"
	n, err := node.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	require.NotEmpty(t, n.Endpoints().Metrics)
	return n
}

// scrape reads a node's metrics as Prometheus does.
func scrape(t *testing.T, n *node.Node) map[string]*dto.MetricFamily {
	t.Helper()
	body, header := get(t, "http://"+n.Endpoints().Metrics+node.MetricsPath)
	require.Contains(t, header.Get("Content-Type"), "text/plain; version=0.0.4")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	require.NoError(t, err)
	return families
}

// value is that of a family's metric with some labels, as NAME VALUE pairs; ok is
// false where there is none.
func value(families map[string]*dto.MetricFamily, name string, labels ...string) (v float64, ok bool) {
next:
	for _, m := range families[name].GetMetric() {
		for i := 0; i+1 < len(labels); i += 2 {
			found := false
			for _, l := range m.Label {
				found = found || l.GetName() == labels[i] && l.GetValue() == labels[i+1]
			}
			if !found {
				continue next
			}
		}
		switch {
		case m.Histogram != nil:
			return float64(m.Histogram.GetSampleCount()), true
		case m.Counter != nil:
			return m.Counter.GetValue(), true
		}
		return m.Gauge.GetValue(), true
	}
	return 0, false
}

// until scrapes until a condition holds: what a block did is counted a moment after
// others can see its height.
func until(t *testing.T, n *node.Node, ok func(map[string]*dto.MetricFamily) bool) map[string]*dto.MetricFamily {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		f := scrape(t, n)
		if ok(f) {
			return f
		}
		require.True(t, time.Now().Before(deadline), "not within a minute")
		wait(t, n, n.Height()+1)
	}
}

func height(f map[string]*dto.MetricFamily) float64 {
	v, _ := value(f, "lode_block_height")
	return v
}

func TestTwoNodesOfAProcessTellTheirOwnMetricsAndAgainAfterARestart(t *testing.T) {
	slow, _ := initHome(t, time.Hour) // it makes a block at most
	fast, _ := initHome(t, 50*time.Millisecond)
	a, b := startMeasured(t, slow), startMeasured(t, fast)
	wait(t, b, 8)
	of := func(n *node.Node) map[string]*dto.MetricFamily {
		return until(t, n, func(f map[string]*dto.MetricFamily) bool {
			comet, ok := value(f, "cometbft_consensus_height", "chain_id", "lode-local-1")
			return ok && comet >= height(f) && height(f) >= 1
		})
	}
	f := of(b)
	require.GreaterOrEqual(t, height(f), 8.0)
	for _, name := range []string{"go_goroutines", "process_open_fds", "cometbft_mempool_size", "lode_data_bytes", "lode_issued_tao"} {
		require.Contains(t, f, name)
	}
	f = scrape(t, a)
	require.Less(t, height(f), 2.0)
	own, ok := value(f, "cometbft_consensus_height", "chain_id", "lode-local-1")
	require.True(t, ok)
	require.Less(t, own, 3.0)

	require.NoError(t, b.Stop())
	_, err := http.Get("http://" + b.Endpoints().Metrics + node.MetricsPath) //nolint:bodyclose // there is none
	require.Error(t, err, "a node that was stopped serves nothing")
	again := startMeasured(t, fast)
	wait(t, again, again.Height()+2)
	require.Greater(t, height(of(again)), 8.0)
}
