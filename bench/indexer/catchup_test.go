// Package indexer_test measures the index: how fast it catches up, how fast it answers,
// and what it takes on disk.
package indexer_test

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/lodenet/lode/client"
	"github.com/lodenet/lode/indexer"
	"github.com/lodenet/lode/indexer/indexertest"
)

func TestMain(m *testing.M) { indexertest.Main(m) }

// busy is a chain with 128 full subnets, of the mainnet profile's tempo.
var busy = indexertest.Config{Subnets: 128, Neurons: 256, Tempo: 360, Txs: 4, Keep: 64}

const (
	warm     = 400   // blocks that are indexed before: each subnet has run an epoch
	measured = 2_000 // blocks
)

// kept is a source of blocks as a node keeps them: the response to their execution as
// bytes, which are read while indexing.
type kept struct {
	*indexertest.Chain
	records []client.Record
	results [][]byte
	last    int64
}

var blocks *kept

// keep makes a chain's blocks once a process.
func keep(tb testing.TB, count int64) *kept {
	tb.Helper()
	if blocks == nil {
		blocks = &kept{Chain: indexertest.New(busy)}
	}
	for height := int64(len(blocks.records)) + 1; height <= count; height++ {
		r, err := blocks.Chain.Block(tb.Context(), height)
		must(tb, err)
		raw, err := (&abci.ResponseFinalizeBlock{Events: r.Events, TxResults: r.Results}).Marshal()
		must(tb, err)
		c := *r
		c.Events, c.Results = nil, nil
		blocks.records, blocks.results = append(blocks.records, c), append(blocks.results, raw)
	}
	return &kept{blocks.Chain, blocks.records, blocks.results, count}
}

func (k *kept) Kept(context.Context) (first, last int64, err error) { return 1, k.last, nil }

func (k *kept) Block(_ context.Context, height int64) (*client.Record, error) {
	r := k.records[height-1]
	var err error
	r.Events, r.Results, err = indexer.Decode(k.results[height-1])
	return &r, err
}

func (k *kept) Genesis(ctx context.Context) (*cmttypes.GenesisDoc, error) {
	return k.Chain.Genesis(ctx)
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// catchUp indexes all that a source has.
func catchUp(tb testing.TB, s *indexer.Store, src indexer.Source) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	_, last, err := src.Kept(ctx)
	must(tb, err)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, src) }()
	tick := time.NewTicker(10 * time.Millisecond)
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

// BenchmarkCatchUp indexes a busy chain's blocks, on both databases.
func BenchmarkCatchUp(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			src := keep(b, warm+measured)
			var took, worked time.Duration
			for range b.N {
				dsn := filepath.Join(b.TempDir(), "index.db")
				if kind == "postgres" {
					dsn = indexertest.Postgres(b)
				}
				s, err := indexer.Open(b.Context(), dsn)
				must(b, err)
				catchUp(b, s, keep(b, warm))
				start, cpu := time.Now(), used(b)
				catchUp(b, s, src)
				took += time.Since(start)
				worked += used(b) - cpu
				must(b, s.Close())
			}
			events := 0
			for height := range int64(3) {
				r, err := src.Block(b.Context(), warm+1+height)
				must(b, err)
				events += len(r.Events)
			}
			b.ReportMetric(float64(measured*b.N)/took.Seconds(), "blocks/s")
			b.ReportMetric(float64(events)/3, "events/block")
			b.ReportMetric(float64(worked.Microseconds())/1e3/float64(measured*b.N), "cpu-ms/block")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// used is the processor time of this process so far; a server of PostgreSQL has its own.
func used(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	must(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
