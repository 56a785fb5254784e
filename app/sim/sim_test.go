package sim_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/lodenet/lode/app"
	"github.com/lodenet/lode/app/sim"
)

// every is all ways to run a node.
var every = []sim.Kind{sim.Plain, sim.Parallel, sim.Estimate}

func env(name string, otherwise int) int {
	if v, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return v
	}
	return otherwise
}

func run(t testing.TB, o sim.Options) *sim.Report {
	t.Helper()
	o.Dir = t.TempDir()
	if os.Getenv("LODE_SIM_WHY") != "" {
		o.Failed = func(m sdk.Msg, log string) { t.Logf("%T: %.200s", m, log) }
	}
	start := time.Now()
	r, err := sim.Run(o)
	t.Logf("seed %d, %s: %s", o.Seed, time.Since(start).Round(time.Millisecond), r)
	require.NoError(t, err)
	for _, e := range never {
		require.Zero(t, r.Events[e], e)
	}
	return r
}

func TestEveryMessageOfTheChainIsSimulated(t *testing.T) {
	there := app.MakeEncodingConfig().InterfaceRegistry.ListImplementations(sdk.MsgInterfaceProtoName)
	slices.Sort(there)
	require.Equal(t, there, sim.Messages(), "a message without a generator, or a generator without a message")
}

func TestAllNodesAgreeAndAnImportedChainGoesOnTheSame(t *testing.T) {
	r := run(t, sim.Options{Seed: 10, Ops: 2_000, Others: others(10), Import: true})
	for _, url := range sim.Messages() {
		if r.Messages[url] == nil {
			t.Errorf("%s was never tried", url)
		}
	}
	require.Equal(t, 1, r.Events["export and import"])
}

func TestASeedGivesTheSameChainEveryTime(t *testing.T) {
	o := sim.Options{Seed: 2, Ops: 300, Others: others(2), Import: true}
	first := run(t, o)
	before := runtime.NumGoroutine()
	second := run(t, o)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 }, 10*time.Second, 10*time.Millisecond,
		"a run leaves nothing behind: a hundred of them follow each other")
	require.Equal(t, first.Hashes, second.Hashes)
	o.Seed, o.Others = 3, others(3)
	require.NotEqual(t, first.Hashes[5:], run(t, o).Hashes[5:], "seeds change nothing")
}

// TestOneSeed runs the seed of a failure again, by the command that it printed.
func TestOneSeed(t *testing.T) {
	if os.Getenv("LODE_SIM_SEED") == "" {
		t.Skip("LODE_SIM_SEED is not set")
	}
	seed := uint64(env("LODE_SIM_SEED", 1))
	run(t, sim.Options{Seed: seed, Ops: env("LODE_SIM_OPS", 2_000), Others: others(seed), Import: true})
}

// others are the nodes of a seed of the long run: one of ten has all, two run
// transactions side by side, the rest has the cheapest.
func others(seed uint64) []sim.Kind {
	switch seed % 10 {
	case 0:
		return every
	case 1:
		return []sim.Kind{sim.Parallel}
	case 2:
		return []sim.Kind{sim.Estimate}
	}
	return []sim.Kind{sim.Plain}
}

// opsEach are the operations of a seed in the long run.
const opsEach = 10_000

func TestAMillionOperations(t *testing.T) {
	if os.Getenv("LODE_LONG") == "" {
		t.Skip("LODE_LONG is not set: make test-long runs it")
	}
	ops, first := env("LODE_SIM_OPS", 1_000_000), uint64(env("LODE_SIM_SEED", 1))
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // memory is plenty, and what is alive is little
	var (
		total sim.Report
		mu    sync.Mutex
		start = time.Now()
	)
	total.Messages, total.Events = map[string]*sim.Tally{}, map[string]int{}
	seeds := make(chan uint64)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for seed := range seeds {
				o := sim.Options{Seed: seed, Ops: min(ops, opsEach), Others: others(seed), Import: true, Dir: t.TempDir()}
				r, err := sim.Run(o)
				mu.Lock()
				total.Add(r)
				t.Logf("seed %d: %d operations in %d blocks; %d operations after %s", seed, r.Ops, r.Blocks, total.Ops, time.Since(start).Round(time.Second))
				if err != nil {
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	for n := 0; n < ops; n += opsEach {
		seeds <- first
		first++
	}
	close(seeds)
	workers.Wait()
	t.Logf("%s: %s", time.Since(start).Round(time.Second), &total)
	if ops < 200_000 {
		return // too few for all of it to happen
	}
	for _, url := range sim.Messages() {
		if m := total.Messages[url]; m == nil || m.Done < 10 && refused[url] == "" {
			t.Errorf("%s: %+v, less than 10 done", url, m)
		} else if refused[url] != "" && m.Done > 0 {
			t.Errorf("%s was done %d times, though %s", url, m.Done, refused[url])
		}
	}
	for _, e := range append(ownEvents(t), otherEvents...) {
		switch happened := total.Events[e] > 0; {
		case slices.Contains(never, e) && happened:
			t.Errorf("it came to: %s", e)
		case !slices.Contains(never, e) && !happened:
			t.Errorf("it never came to: %s", e)
		}
	}
}

// refused are messages that can't succeed.
var refused = map[string]string{
	"/cosmos.evidence.v1beta1.MsgSubmitEvidence": "evidence comes by CometBFT alone",
}

// ownEvents are all kinds of events of the chain's own modules.
func ownEvents(t *testing.T) (names []string) {
	t.Helper()
	files, err := proto.MergedRegistry()
	require.NoError(t, err)
	files.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(f.Package()), "lode.") {
			for i := range f.Messages().Len() {
				if m := f.Messages().Get(i); strings.HasPrefix(string(m.Name()), "Event") {
					names = append(names, string(m.FullName()))
				}
			}
		}
		return true
	})
	require.Greater(t, len(names), 40)
	return names
}

// otherEvents must have been seen too, of the SDK's modules and of the simulation.
var otherEvents = []string{
	"slash", "liveness", "complete_unbonding", "complete_redelegation", "apply_cons_pubkey_rotation", "rotate_cons_pubkey",
	"governance: proposal_passed", "governance: proposal_failed", "governance: proposal_rejected", "inactive_proposal",
	"block with evidence of a double signature", "proposal dropped after it was voted on", "block decided that no honest node accepts",
	"export and import", "rewards were halved",
}

// never are events of what must not happen: the work of a block's end that failed and is
// tried again.
var never = []string{
	"lode.emission.v1.EventSubnetFailed", "lode.weights.v1.EventEpochFailed", "lode.collateral.v1.EventWorkPutOff", "lode.market.v1.EventWorkPutOff",
}
