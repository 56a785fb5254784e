package app_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"github.com/lodenet/lode/app"
	alphatypes "github.com/lodenet/lode/x/alpha/types"
	emissiontypes "github.com/lodenet/lode/x/emission/types"
	"github.com/lodenet/lode/x/seed/vrf"
	subnetstypes "github.com/lodenet/lode/x/subnets/types"
)

// observed is a chain whose blocks go through the measured application.
type observed struct {
	*chain
	measured servertypes.Application
	metrics  *app.Metrics
	registry *prometheus.Registry
}

func observe(t testing.TB, c *chain) *observed {
	t.Helper()
	o := &observed{chain: c, metrics: c.NewMetrics(), registry: prometheus.NewRegistry()}
	require.NoError(t, o.registry.Register(o.metrics))
	o.measured = o.metrics.Around(c.App)
	return o
}

// proposed has the other validators judge a block.
func (o *observed) proposed(txs ...[]byte) abci.ResponseProcessProposal_ProposalStatus {
	o.t.Helper()
	hash := sha256.Sum256(fmt.Append(nil, o.height+1, txs))
	res, err := o.measured.ProcessProposal(&abci.RequestProcessProposal{
		Txs: txs, Hash: hash[:], Height: o.height + 1, Time: o.time.Add(time.Second), ProposerAddress: o.proposer, ProposedLastCommit: o.votes(),
	})
	require.NoError(o.t, err)
	return res.Status
}

// decided makes a block of transactions, after its proof.
func (o *observed) decided(txs ...[]byte) []*abci.ExecTxResult {
	o.t.Helper()
	txs = append([][]byte{o.frame()}, txs...)
	o.height++
	o.time = o.time.Add(time.Second)
	hash := sha256.Sum256(fmt.Append(nil, o.height, txs))
	res, err := o.measured.FinalizeBlock(&abci.RequestFinalizeBlock{
		Txs: txs, Hash: hash[:], Height: o.height, Time: o.time, ProposerAddress: o.proposer, DecidedLastCommit: o.votes(),
	})
	require.NoError(o.t, err)
	_, err = o.measured.Commit()
	require.NoError(o.t, err)
	o.seed, err = o.Seed.Seed(o.query())
	require.NoError(o.t, err)
	clear(o.sequence)
	return res.TxResults[1:]
}

// metric is a metric's value, a histogram's count; labels are NAME VALUE pairs.
func (o *observed) metric(name string, labels ...string) float64 {
	o.t.Helper()
	families, err := o.registry.Gather()
	require.NoError(o.t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			if !has(m, labels) {
				continue
			}
			switch {
			case m.Histogram != nil:
				return float64(m.Histogram.GetSampleCount())
			case m.Counter != nil:
				return m.Counter.GetValue()
			}
			return m.Gauge.GetValue()
		}
	}
	o.t.Fatalf("no metric %s%v", name, labels)
	return 0
}

func has(m *dto.Metric, labels []string) bool {
	of := map[string]string{}
	for _, l := range m.Label {
		of[l.GetName()] = l.GetValue()
	}
	for i := 0; i+1 < len(labels); i += 2 {
		if of[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

func TestRunsOfProposalsThatAreNotDecidedAreCountedAndNotTimed(t *testing.T) {
	c := newChain(t)
	c.blocks(2)
	o := observe(t, c)
	first, second := c.sign(paid, []string{"user"}, send("user", "owner", 1)), c.sign(paid, []string{"owner"}, send("owner", "user", 1))
	require.Equal(t, abci.ResponseProcessProposal_ACCEPT, o.proposed(c.frame(), first))
	require.Equal(t, abci.ResponseProcessProposal_ACCEPT, o.proposed(c.frame(), second))
	o.decided() // neither
	require.EqualValues(t, 2, o.metric("lode_block_runs_dropped_total"))
	require.EqualValues(t, 1, o.metric("lode_block_run_seconds"))
	for _, step := range []string{"pre_block", "begin_block", "transactions", "end_block", "invariants"} {
		require.EqualValues(t, 1, o.metric("lode_block_step_seconds", "step", step), step)
	}

	// One that is decided is timed once, where it ran.
	require.Equal(t, abci.ResponseProcessProposal_ACCEPT, o.proposed(c.frame()))
	o.decided()
	require.EqualValues(t, 2, o.metric("lode_block_runs_dropped_total"))
	require.EqualValues(t, 2, o.metric("lode_block_run_seconds"))
	require.EqualValues(t, 2, o.metric("lode_abci_seconds", "call", "finalize_block"))
	require.EqualValues(t, 2, o.metric("lode_abci_seconds", "call", "commit"))
	require.EqualValues(t, 3, o.metric("lode_abci_seconds", "call", "process_proposal"))
	require.EqualValues(t, c.height, o.metric("lode_invariants_checked_height"))
}

func TestTransactionsAreCountedByKindAndResult(t *testing.T) {
	c := permitted(t)
	o := observe(t, c)
	free := c.free("miner-1-hot", serve(t, "miner-1-hot"))
	ok := c.sign(paid, []string{"user"}, send("user", "owner", 1))
	poor := c.sign(paid, []string{"owner"}, send("owner", "user", 1<<60))
	res := o.decided(free, ok, poor)
	require.Zero(t, res[0].Code, res[0].Log)
	require.Zero(t, res[1].Code, res[1].Log)
	require.NotZero(t, res[2].Code)
	require.EqualValues(t, 1, o.metric("lode_transactions_total", "kind", "lane", "result", "ok"))
	require.EqualValues(t, 1, o.metric("lode_transactions_total", "kind", "paid", "result", "ok"))
	require.EqualValues(t, 1, o.metric("lode_transactions_total", "kind", "paid", "result", "failed"))
	require.EqualValues(t, 0, o.metric("lode_transactions_total", "kind", "lane", "result", "failed"))
	require.EqualValues(t, gasOf(t, serve(t, "miner-1-hot")), o.metric("lode_block_lane_gas"))
	require.EqualValues(t, res[0].GasUsed, o.metric("lode_gas_used_total", "kind", "lane"))
	require.EqualValues(t, res[1].GasUsed+res[2].GasUsed, o.metric("lode_gas_used_total", "kind", "paid"))
	require.EqualValues(t, 25_000_000, o.metric("lode_lane_gas_limit"))
	require.EqualValues(t, 1, o.metric("lode_events_total", "event", "subnets.NeuronServed"))
	o.decided()
	require.Zero(t, o.metric("lode_block_lane_gas"))
}

func TestProposalsAndProofsAreCounted(t *testing.T) {
	c := newChain(t)
	c.blocks(1)
	o := observe(t, c)
	prepare := func() {
		_, err := o.measured.PrepareProposal(&abci.RequestPrepareProposal{
			MaxTxBytes: 1 << 20, Height: c.height + 1, Time: c.time.Add(time.Second), ProposerAddress: c.proposer,
		})
		require.NoError(t, err)
	}
	prepare() // without a key file there is no proof
	require.EqualValues(t, 1, o.metric("lode_proposals_prepared_total", "proof", "missing"))
	require.EqualValues(t, 0, o.metric("lode_proposals_prepared_total", "proof", "proved"))
	require.Equal(t, abci.ResponseProcessProposal_REJECT, o.proposed(vrf.Frame(nil)))
	require.EqualValues(t, 1, o.metric("lode_proposals_judged_total", "result", "refused"))
	o.decided()
	require.EqualValues(t, 1, o.metric("lode_seed_proofs_total", "proof", "proved"))
	require.EqualValues(t, 0, o.metric("lode_seed_proofs_total", "proof", "missing"))
	require.EqualValues(t, 0, o.metric("lode_block_failures_total"))
}

func TestABlockThatFailsIsCountedAndABrokenInvariantNamed(t *testing.T) {
	c := newChain(t)
	o := observe(t, c)
	o.decided()
	// Out of turn: the application refuses to run it.
	_, err := o.measured.FinalizeBlock(&abci.RequestFinalizeBlock{Height: c.height + 7, Time: c.time.Add(time.Second), ProposerAddress: c.proposer})
	require.Error(t, err)
	require.EqualValues(t, 1, o.metric("lode_block_failures_total"))
	require.Zero(t, o.metric("lode_invariants_broken"))
	// TAO out of nothing, in the state that the next block begins with.
	ctx := c.below(cmtproto.Header{ChainID: chainID, Height: c.height, Time: c.time})
	require.NoError(t, c.Bank.MintCoins(ctx, emissiontypes.ModuleName, sdk.NewCoins(sdk.NewInt64Coin(app.BaseDenom, tao))))
	_, err = o.measured.FinalizeBlock(&abci.RequestFinalizeBlock{Txs: [][]byte{c.frame()}, Height: c.height + 1, Time: c.time.Add(time.Second), ProposerAddress: c.proposer, DecidedLastCommit: c.votes()})
	require.ErrorContains(t, err, "invariants of")
	require.EqualValues(t, 2, o.metric("lode_block_failures_total"))
	require.EqualValues(t, 1, o.metric("lode_invariants_broken"))
}

func TestTheStatesGaugesAreThoseOfTheChain(t *testing.T) {
	c := permitted(t)
	o := observe(t, c)
	o.decided()
	totals, err := c.Keepers.Emission.Totals(c.query())
	require.NoError(t, err)
	require.InEpsilon(t, float64(totals.Issued)/tao, o.metric("lode_issued_tao"), 1e-12)
	require.EqualValues(t, c.height, o.metric("lode_block_height"))
	require.EqualValues(t, c.time.Unix(), o.metric("lode_block_timestamp_seconds"))
	require.EqualValues(t, 1, o.metric("lode_subnets", "started", "true"))
	s, err := c.Subnets.SubnetByNetuid(c.query(), 1)
	require.NoError(t, err)
	require.EqualValues(t, s.Neurons, o.metric("lode_subnet_neurons", "netuid", "1"))
	require.EqualValues(t, 1, o.metric("lode_subnet_emission_ratio", "netuid", "1"))
	epoch, _, err := c.Weights.EpochState(c.query(), s.Id)
	require.NoError(t, err)
	require.EqualValues(t, epoch.Number, o.metric("lode_subnet_epochs_total", "netuid", "1"))
	require.EqualValues(t, c.height-epoch.LastHeight, o.metric("lode_subnet_epoch_age_seconds", "netuid", "1"), "a second a block")
	for c.height < epoch.DueHeight {
		o.decided()
	}
	require.EqualValues(t, 1, o.metric("lode_epochs_total", "netuid", "1", "outcome", "no_weights"))
	require.Zero(t, o.metric("lode_subnet_epoch_age_seconds", "netuid", "1"))
	require.EqualValues(t, 0, o.metric("lode_upgrade_plan_height"))
	families, err := o.registry.Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	for _, p := range problems { // a counter that a genesis brings along is one all the same
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Metrics are read while blocks are made: the race detector and the databases say
// whether that is safe. They change nothing: the state is that of a chain without.
func TestMetricsAreReadBesideBlocksAndChangeNothing(t *testing.T) {
	plain, c := newChain(t), newChain(t)
	o := observe(t, c)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := o.registry.Gather(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 15 {
		plain.block()
		require.Equal(t, abci.ResponseProcessProposal_ACCEPT, o.proposed(c.frame()))
		o.decided()
	}
	close(stop)
	readers.Wait()
	require.Equal(t, plain.LastCommitID().Hash, c.LastCommitID().Hash)
	require.Zero(t, o.metric("lode_state_read_failed"))
}

// BenchmarkMetricsOfAFullChain gathers all metrics of a chain with 128 subnets, each
// time of another block.
func BenchmarkMetricsOfAFullChain(b *testing.B) {
	c := chainWith(b, cheapSubnets(b), appOptions{})
	c.block()
	c.run([]string{"user"}, send("user", "owner-hot", 1))
	c.run([]string{"owner", "owner-hot"}, &alphatypes.MsgBindHotkey{Coldkey: text("owner"), Hotkey: text("owner-hot")})
	for netuid := range uint32(128) {
		c.run([]string{"owner"}, &subnetstypes.MsgCreateSubnet{Coldkey: text("owner"), Hotkey: text("owner-hot"), MaxLock: tao, Name: fmt.Sprint("subnet ", netuid)},
			&subnetstypes.MsgStartSubnet{Coldkey: text("owner"), Netuid: netuid + 1})
	}
	o := observe(b, c)
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		o.decided()
		b.StartTimer()
		if _, err := o.registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
	require.EqualValues(b, 128, o.metric("lode_subnets", "started", "true"))
}

// cheapSubnets is a genesis where each subnet costs a TAO.
func cheapSubnets(b *testing.B) *genutiltypes.AppGenesis {
	g := genesis(b)
	var state map[string]json.RawMessage
	require.NoError(b, json.Unmarshal(g.AppState, &state))
	codec := app.MakeEncodingConfig().Codec
	var subnets subnetstypes.GenesisState
	require.NoError(b, codec.UnmarshalJSON(state[subnetstypes.ModuleName], &subnets))
	subnets.Params.MinLock, subnets.Params.LockMultiplier = tao, 1
	state[subnetstypes.ModuleName] = codec.MustMarshalJSON(&subnets)
	var err error
	g.AppState, err = json.Marshal(state)
	require.NoError(b, err)
	return g
}
