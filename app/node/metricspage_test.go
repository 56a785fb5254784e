package node

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"
)

func TestManyScrapesAtOnceGatherOnce(t *testing.T) {
	var gathered atomic.Int64
	now := time.Unix(1_800_000_000, 0)
	page := &metricsPage{now: func() time.Time { return now }, render: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Empty(t, r.Header.Get("Accept"), "one page is for everybody")
		fmt.Fprintf(w, "gathered %d\n", gathered.Add(1))
	})}
	ask := func() string {
		r := httptest.NewRequest(http.MethodGet, MetricsPath, nil)
		r.Header.Set("Accept", "application/vnd.google.protobuf")
		w := httptest.NewRecorder()
		page.ServeHTTP(w, r)
		return w.Body.String()
	}
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if got := ask(); got != "gathered 1\n" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	now = now.Add(metricsEvery)
	require.Equal(t, "gathered 2\n", ask())
}

// Clients that say nothing, or say it slowly, take a connection each and no more: others
// are served, and stopping waits for nobody.
func TestSlowClientsOfMetricsHoldNothingUp(t *testing.T) {
	var s servers
	log := quiet{slog.New(slog.DiscardHandler)}
	l, err := s.listen("metrics", "127.0.0.1:0")
	require.NoError(t, err)
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lode_here", Help: "x"}, func() float64 { return 1 }))
	s.serveMetrics(l, registry, log)
	for i := range metricsConnections - 1 {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		if i%2 == 0 {
			_, err = io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ")
			require.NoError(t, err)
		}
	}
	c := http.Client{Timeout: time.Minute}
	res, err := c.Get("http://" + l.Addr().String() + MetricsPath)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Contains(t, string(body), "lode_here 1\n")
	for path, code := range map[string]int{"/": http.StatusNotFound, "/debug/pprof/": http.StatusNotFound} {
		res, err := c.Get("http://" + l.Addr().String() + path)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, code, res.StatusCode, path)
	}
	c.CloseIdleConnections()
	s.close()
	_, err = net.Dial("tcp", l.Addr().String())
	require.Error(t, err)
}

func TestTheDiskIsMeasuredByFolderOnceAMinute(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, make([]byte, size), 0o600))
	}
	write("application.db/000001.ldb", 1000)
	write("application.db/deep/000002.ldb", 500)
	write("blockstore.db/000001.ldb", 20)
	write("priv_validator_state.json", 3)
	now := time.Unix(1_800_000_000, 0)
	d := newDisk(dir)
	d.now = func() time.Time { return now }
	registry := prometheus.NewRegistry()
	registry.MustRegister(d)
	expect := func(application, free int) {
		t.Helper()
		families, err := registry.Gather()
		require.NoError(t, err)
		got := map[string]float64{}
		for _, f := range families {
			for _, m := range f.Metric {
				if f.GetName() == "lode_data_bytes" {
					got[m.Label[0].GetValue()] = m.Gauge.GetValue()
				} else {
					free--
					require.Positive(t, m.Gauge.GetValue())
				}
			}
		}
		require.Zero(t, free)
		require.Equal(t, map[string]float64{"application.db": float64(application), "blockstore.db": 20, ".": 3}, got)
	}
	expect(1500, 1)
	write("application.db/000003.ldb", 100)
	expect(1500, 1)
	now = now.Add(diskEvery)
	expect(1600, 1)
	families, err := registry.Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}
