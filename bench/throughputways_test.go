package bench_test

import (
	"testing"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/types/mempool"

	"github.com/lodenet/lode/app"
)

// BenchmarkExecutor runs the same blocks of 1,000 one transaction after the other and
// side by side: transfers, which share no account but the fees'; stakes in one pool, and
// in several. An operation is a block of each by each.
func BenchmarkExecutor(b *testing.B) {
	const perBlock = 1000
	with := func(name string, settings map[string]any) *loaded {
		settings[app.FlagOptimistic] = false
		return newLoaded(b, name, false, perBlock, chainOptions{maxGas: -1, settings: settings})
	}
	chains := []*loaded{
		with("sequential", map[string]any{}),
		with("block-stm", map[string]any{server.FlagBlockExecutor: "block-stm"}),
		with("block-stm, pre-estimate", map[string]any{server.FlagBlockExecutor: "block-stm", server.FlagBlockSTMPreEstimate: true}),
	}
	var results []*abciResult
	for _, l := range []load{transfers, stakes, spread} {
		for _, c := range chains {
			results = append(results, &abciResult{chain: c, load: l})
		}
	}
	for first := true; first || b.Loop(); first = false { // the first blocks find caches empty
		for _, r := range results {
			cost, err := r.chain.measure(r.load, perBlock)
			if err != nil {
				b.Fatalf("%s of %s: %v", r.load.name, r.chain.name, err)
			}
			if !first {
				r.costs = append(r.costs, cost)
			}
		}
	}
	b.Logf("µs a transaction of running a block: minimum and median of %d", b.N)
	for _, r := range results {
		b.Logf("%-20s %-24s by the clock %s/%s  of CPU %s/%s", r.load.name, r.chain.name, us(r.of(0).wall), us(r.of(1).wall), us(r.of(0).run), us(r.of(1).run))
	}
}

// BenchmarkMempool is what mempools of the SDK cost, in the plain application: beside
// CometBFT's, which then only gossips, and instead of it. An operation is a round of
// transfers by each. Everybody sends one: where the SDK's is alone, nothing is checked
// again after a block, and who waits for one can't send the next.
func BenchmarkMempool(b *testing.B) {
	priority := func() []func(*baseapp.BaseApp) {
		return []func(*baseapp.BaseApp){baseapp.SetMempool(mempool.DefaultPriorityMempool())}
	}
	chains := []*runningChain{
		startLoaded(b, "CometBFT's", true, perDrive, chainOptions{maxGas: -1}),
		startLoaded(b, "CometBFT's and the SDK's by priority", true, perDrive, chainOptions{maxGas: -1, base: priority()}),
		startLoaded(b, "the SDK's by priority alone", true, perDrive, chainOptions{maxGas: -1, base: priority(), settings: map[string]any{"mempool.type": "app"}}),
	}
	results := make([][]driven, len(chains))
	for b.Loop() {
		for i, c := range chains {
			d, err := c.drive(b.Context(), transfers)
			if err != nil {
				b.Fatalf("%s: %v", c.name, err)
			}
			results[i] = append(results[i], d)
		}
	}
	for i, c := range chains {
		b.Logf("%-40s %s", c.name, summary(results[i]))
	}
}
