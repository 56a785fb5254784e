// Package indexer_test measures the index: how fast it catches up over a node's RPC, and
// what that takes.
package indexer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
)

func TestMain(m *testing.M) {
	if blocks := os.Getenv(nodeVariable); blocks != "" {
		if err := serve(blocks); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	indexertest.Main(m)
}

// busy is a chain with 128 full subnets, of the mainnet profile's tempo.
var busy = indexertest.Config{Subnets: 128, Neurons: 256, Tempo: 360, Txs: 4, Keep: 64}

// warm blocks are indexed before: each subnet has run an epoch.
const warm = 400

// measured are how many blocks are: LODE_BENCH_BLOCKS, or 10,000.
func measured(tb testing.TB) int64 {
	n, err := int64(10_000), error(nil)
	if text := os.Getenv("LODE_BENCH_BLOCKS"); text != "" {
		n, err = strconv.ParseInt(text, 10, 64)
	}
	require.NoError(tb, err)
	return n
}

// catchUp indexes all that a source has.
func catchUp(tb testing.TB, s *indexer.Store, src indexer.Source) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	_, last, err := src.Kept(ctx)
	require.NoError(tb, err)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, src) }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			tb.Fatal(err)
		case <-tick.C:
		}
		if st, err := s.Status(ctx); err == nil && st.Height >= last {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				tb.Fatal(err)
			}
			return
		}
	}
}

// BenchmarkCatchUp indexes a busy chain's blocks over HTTP, as `lode console` does, into
// both databases: from a node that has them in memory, and from one that reads them off
// its disk. Either is another process on the same machine.
func BenchmarkCatchUp(b *testing.B) {
	blocks := measured(b)
	for _, place := range []string{"memory", "disk"} {
		b.Run("node="+place, func(b *testing.B) {
			dir := ""
			if place == "disk" {
				dir = b.TempDir()
			}
			node := startNode(b, warm+blocks, dir)
			for _, kind := range []string{"sqlite", "postgres"} {
				b.Run(kind, func(b *testing.B) { benchmarkCatchUp(b, node, kind, blocks) })
			}
		})
	}
}

func benchmarkCatchUp(b *testing.B, node, kind string, blocks int64) {
	var took, worked, server time.Duration
	for range b.N {
		dsn := filepath.Join(b.TempDir(), "index.db")
		if kind == "postgres" {
			dsn = indexertest.Postgres(b)
		}
		s, err := indexer.Open(b.Context(), dsn)
		require.NoError(b, err)
		catchUp(b, s, source(b, node, warm))
		start, cpu, pg := time.Now(), used(b), indexertest.PostgresTime(b)
		catchUp(b, s, source(b, node, warm+blocks))
		took += time.Since(start)
		worked += used(b) - cpu
		server += indexertest.PostgresTime(b) - pg
		require.NoError(b, s.Close())
	}
	perBlock := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 / float64(blocks*int64(b.N)) }
	b.ReportMetric(float64(blocks*int64(b.N))/took.Seconds(), "blocks/s")
	b.ReportMetric(perBlock(worked), "cpu-ms/block")
	b.ReportMetric(perBlock(server), "postgres-cpu-ms/block")
	b.ReportMetric(0, "ns/op")
}

// used is the processor time of this process so far; a server of PostgreSQL has its own.
func used(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
