package bench_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cmtdb "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	cmtlog "github.com/cometbft/cometbft/libs/log"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/rpc/client/local"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/cosmos/cosmos-sdk/server"
)

const (
	// perDrive is how many transactions one measurement has: several blocks of them.
	perDrive = 3_000
	// inFlight is how many wait for their block at most: more than a block holds, less
	// than a mempool does.
	inFlight = 2_500
)

// BenchmarkThroughput is what one node commits a second, with CometBFT, databases on
// disk and the index of transactions, when more comes than it can take: signed
// transactions, given to it by its own BroadcastTxSync. An operation is a round: for
// each load of ours, first the plain application's transfers, then it. What other
// work takes of the machine hits both of a pair.
//
// With the profile's limits a block holds 100 million gas; without, what there is.
func BenchmarkThroughput(b *testing.B) {
	for name, maxGas := range map[string]int64{"limits=profile": 0, "limits=none": -1} {
		b.Run(name, func(b *testing.B) { throughput(b, chainOptions{maxGas: maxGas}, ourLoads) })
	}
}

func throughput(b *testing.B, o chainOptions, loads []load) {
	const people = 500
	plain := startLoaded(b, "plain SDK", true, people, o)
	ours := startLoaded(b, "lode", false, people, o)
	type pair struct {
		load        load
		plain, ours []driven
	}
	pairs := make([]pair, len(loads))
	for i, l := range loads {
		pairs[i].load = l
	}
	for b.Loop() {
		for i := range pairs {
			p := &pairs[i]
			for _, side := range []struct {
				node *runningChain
				load load
				out  *[]driven
			}{{plain, transfers, &p.plain}, {ours, p.load, &p.ours}} {
				d, err := side.node.drive(b.Context(), side.load)
				if err != nil {
					b.Fatalf("%s of %s: %v", side.load.name, side.node.name, err)
				}
				*side.out = append(*side.out, d)
			}
		}
	}
	b.Logf("medians of %d rounds, best in brackets", b.N)
	for _, p := range pairs {
		var ratio, cost []float64
		for i := range p.ours {
			ratio = append(ratio, 100*p.ours[i].rate/p.plain[i].rate)
			cost = append(cost, 100*p.plain[i].cpu/p.ours[i].cpu)
		}
		b.Logf("%-20s %s | plain transfers %s | %3.0f %% of their rate, %3.0f %% by CPU time", p.load.name, summary(p.ours), summary(p.plain), median(ratio), median(cost))
		b.ReportMetric(median(ratio), "%-"+strings.ReplaceAll(p.load.name, " ", "-"))
	}
}

// driven is one measurement.
type driven struct {
	rate  float64 // transactions committed a second
	block float64 // s between two blocks
	cpu   float64 // ms of the process' CPU time a transaction
}

func summary(all []driven) string {
	var rate, block, cost []float64
	for _, d := range all {
		rate, block, cost = append(rate, d.rate), append(block, d.block), append(cost, d.cpu)
	}
	return fmt.Sprintf("%4.0f/s (%4.0f) %.2f s/block %.2f ms CPU (%.2f)", median(rate), slices.Max(rate), median(block), median(cost), slices.Min(cost))
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// runningChain is a chain with a crowd on it, in a node of CometBFT.
type runningChain struct {
	*testChain
	*crowd
	rpc    *local.Local
	blocks chan blockSeen
	dbs    []cmtdb.DB
}

// blockSeen is a block that the application has committed.
type blockSeen struct {
	at  time.Time
	txs int
	err error // of a transaction that failed
}

// startLoaded starts a node on which so many people have what they need for all loads.
func startLoaded(b *testing.B, name string, plain bool, people int, o chainOptions) *runningChain {
	b.Helper()
	r := &runningChain{crowd: newCrowd(people), blocks: make(chan blockSeen, 10_000)}
	o.people = r.all()
	r.testChain = newTestChain(b, name, plain, o)
	if err := r.start(b); err != nil {
		b.Fatal(err)
	}
	<-r.blocks // only then are there accounts to see
	if err := r.meet(r.all()); err != nil {
		b.Fatal(err)
	}
	if plain {
		return r
	}
	blocks, err := r.found()
	for i := 0; err == nil && i < len(blocks); i++ {
		_, err = r.run(b.Context(), blocks[i])
	}
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (r *runningChain) start(b *testing.B) error {
	cfg := cmtcfg.DefaultConfig()
	if err := r.options.Unmarshal(cfg); err != nil {
		return err
	}
	cfg.SetRoot(r.home)
	cfg.RPC.ListenAddress, cfg.P2P.ListenAddress = "", "tcp://127.0.0.1:0"
	key, err := p2p.LoadOrGenNodeKey(cfg.NodeKeyFile())
	if err != nil {
		return err
	}
	open := func(ctx *cmtcfg.DBContext) (cmtdb.DB, error) {
		db, err := cmtcfg.DefaultDBProvider(ctx)
		r.dbs = append(r.dbs, db)
		return db, err
	}
	n, err := cmtnode.NewNode(cfg, privval.LoadOrGenFilePV(cfg.PrivValidatorKeyFile(), cfg.PrivValidatorStateFile()), key,
		proxy.NewLocalClientCreator(server.NewCometABCIWrapper(r.app)), func() (*cmttypes.GenesisDoc, error) { return r.genesis.ToGenesisDoc() },
		open, cmtnode.DefaultMetricsProvider(cfg.Instrumentation), cmtlog.NewNopLogger())
	if err != nil {
		return err
	}
	sub, err := n.EventBus().Subscribe(context.Background(), "bench", cmttypes.EventQueryNewBlock, 1000)
	if err != nil {
		return err
	}
	if err := n.Start(); err != nil {
		return err
	}
	var watching sync.WaitGroup
	watching.Go(func() { r.watch(sub) })
	b.Cleanup(func() {
		if err := n.Stop(); err != nil {
			b.Error(err)
		}
		n.Wait()
		watching.Wait()
		for _, db := range r.dbs {
			_ = db.Close() // CometBFT has closed all but the index
		}
	})
	r.rpc = local.New(n)
	return nil
}

// watch notes the blocks until the node ends.
func (r *runningChain) watch(sub cmttypes.Subscription) {
	for {
		select {
		case m := <-sub.Out():
			e := m.Data().(cmttypes.EventDataNewBlock)
			seen := blockSeen{at: time.Now(), txs: len(e.Block.Txs) - r.injected}
			for _, res := range e.ResultFinalizeBlock.TxResults[r.injected:] {
				if res.Code != 0 {
					seen.err = fmt.Errorf("a transaction in block %d: %s", e.Block.Height, res.Log)
				}
			}
			r.blocks <- seen
		case <-sub.Canceled():
			return
		}
	}
}

// drive gives the node a load, and measures it from the first block that has some of
// it to the last full one.
func (r *runningChain) drive(ctx context.Context, l load) (driven, error) {
	txs, err := r.transactions(l, perDrive)
	if err != nil {
		return driven{}, err
	}
	before := cpu()
	blocks, err := r.run(ctx, txs)
	if err != nil {
		return driven{}, err
	}
	d := driven{cpu: float64((cpu() - before).Microseconds()) / 1000 / perDrive}
	if len(blocks) < 2 {
		return d, errors.New("all came into one block: a measurement needs two")
	}
	if len(blocks) > 3 {
		blocks = blocks[:len(blocks)-1] // what was left over
	}
	took := blocks[len(blocks)-1].at.Sub(blocks[0].at).Seconds()
	n := 0
	for _, s := range blocks[1:] {
		n += s.txs
	}
	d.rate, d.block = float64(n)/took, took/float64(len(blocks)-1)
	return d, nil
}

// run gives the node transactions as fast as it takes them, and returns the blocks
// that they came into.
func (r *runningChain) run(ctx context.Context, txs [][]byte) (blocks []blockSeen, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	done := 0
	take := func(s blockSeen) error {
		if s.txs > 0 {
			blocks = append(blocks, s)
			done += s.txs
		}
		return s.err
	}
	wait := func() error {
		select {
		case s := <-r.blocks:
			return take(s)
		case <-ctx.Done():
			return fmt.Errorf("%d of %d transactions were committed: %w", done, len(txs), context.Cause(ctx))
		}
	}
	for sent, tx := range txs {
		for sent-done >= inFlight {
			if err := wait(); err != nil {
				return nil, err
			}
		}
		res, err := r.rpc.BroadcastTxSync(ctx, tx)
		if err != nil {
			return nil, err
		}
		if res.Code != 0 {
			return nil, fmt.Errorf("transaction %d: %s", sent, res.Log)
		}
		for len(r.blocks) > 0 {
			if err := take(<-r.blocks); err != nil {
				return nil, err
			}
		}
	}
	for done < len(txs) {
		if err := wait(); err != nil {
			return nil, err
		}
	}
	return blocks, nil
}
