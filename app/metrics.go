package app

import (
	"github.com/prometheus/client_golang/prometheus"

	abci "github.com/cometbft/cometbft/abci/types"

	servertypes "github.com/cosmos/cosmos-sdk/server/types"
)

// Metrics are what a node tells of its chain to Prometheus: a collector for one
// [App]. They look on from outside: calls of consensus are timed around the
// application ([Metrics.Around]), results are counted from its answers, the state is
// read as queries read it, of the last committed block. Nothing of it is state, and
// nothing that a block does depends on it.
type Metrics struct {
	app *App

	calls       *prometheus.HistogramVec // call
	steps       *prometheus.HistogramVec // step
	run         prometheus.Histogram
	interval    prometheus.Histogram
	dropped     prometheus.Counter
	failures    prometheus.Counter
	txs         *prometheus.CounterVec // kind, result
	gasUsed     *prometheus.CounterVec // kind
	laneGas     prometheus.Gauge
	judged      *prometheus.CounterVec // result
	prepared    *prometheus.CounterVec // proof
	proofs      *prometheus.CounterVec // proof
	checked     prometheus.Gauge
	broken      prometheus.Gauge
	events      *prometheus.CounterVec // event
	epochs      *prometheus.CounterVec // netuid, outcome
	weightsSet  *prometheus.CounterVec // netuid, how
	failedParts *prometheus.CounterVec // netuid

	counted []prometheus.Collector // all of the above
	blocks  blockHistory
	state   stateReader
}

// NewMetrics makes the application's metrics. They see blocks that go through what
// [Metrics.Around] returns.
func (app *App) NewMetrics() *Metrics {
	app.runs.take() // what ran unseen
	m := &Metrics{app: app, state: stateReader{app: app}}
	m.calls = histograms(m, "abci_seconds", "Time that CometBFT waited for the application, by call.", durations, "call")
	m.steps = histograms(m, "block_step_seconds", "Time of each step of a block's execution; of blocks that were decided, wherever they ran.", durations, "step")
	m.run = histogram(m, "block_run_seconds", "Time of a block's execution from its seed to its end; of blocks that were decided, wherever they ran.", durations)
	m.interval = histogram(m, "block_interval_seconds", "Time between blocks, as their headers say it.",
		[]float64{0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 60, 120})
	m.dropped = counter(m, "block_runs_dropped_total", "Executions of proposed blocks that were not decided.")
	m.failures = counter(m, "block_failures_total", "Decided blocks that could not be executed: the chain stands still on this node.")
	m.txs = counters(m, "transactions_total", "Transactions in blocks.", "kind", "result")
	m.gasUsed = counters(m, "gas_used_total", "Gas that transactions used.", "kind")
	m.laneGas = gauge(m, "block_lane_gas", "Gas limits of the free lane's transactions in the last block, together.")
	m.judged = counters(m, "proposals_judged_total", "Proposed blocks that this node judged.", "result")
	m.prepared = counters(m, "proposals_prepared_total", "Blocks that this node prepared, and whether they had its VRF proof.", "proof")
	m.proofs = counters(m, "seed_proofs_total", "Blocks by whether their proposer proved its part of the seed.", "proof")
	m.checked = gauge(m, "invariants_checked_height", "Last block whose invariants this node checked; 0: none.")
	m.broken = gauge(m, "invariants_broken", "1 where a check of the invariants failed.")
	m.events = counters(m, "events_total", "Events of the chain's own modules in blocks.", "event")
	m.epochs = counters(m, "epochs_total", "Epochs that this node ran, by outcome.", "netuid", "outcome")
	m.weightsSet = counters(m, "weights_rows_total", "Rows of weights that took force, or were committed.", "netuid", "how")
	m.failedParts = counters(m, "subnet_failures_total", "Parts of a block's emission that failed for a subnet.", "netuid")
	m.failedParts.WithLabelValues("0") // the step as a whole
	for _, proof := range []string{"proved", "missing"} {
		m.proofs.WithLabelValues(proof)
		m.prepared.WithLabelValues(proof)
	}
	for _, result := range []string{"accepted", "refused"} {
		m.judged.WithLabelValues(result)
	}
	for _, kind := range []string{lane, paid} {
		m.gasUsed.WithLabelValues(kind)
		for _, result := range []string{"ok", "failed"} {
			m.txs.WithLabelValues(kind, result)
		}
	}
	return m
}

// Describe tells Prometheus which metrics there are.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.counted {
		c.Describe(ch)
	}
	m.state.Describe(ch)
}

// Collect gives the metrics as they are now; those of the state as of the last
// committed block. It may be called at any time, also beside a block.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.counted {
		c.Collect(ch)
	}
	m.state.collect(ch, m.blocks.lastEpochs())
}

// Around is the application as a server runs it, with its calls measured. inner is the
// metrics' [App], or what a server has put around it.
func (m *Metrics) Around(inner servertypes.Application) servertypes.Application {
	return measured{inner, m}
}

type measured struct {
	servertypes.Application
	m *Metrics
}

func (a measured) timed(call string) func() {
	t := prometheus.NewTimer(a.m.calls.WithLabelValues(call))
	return func() { t.ObserveDuration() }
}

func (a measured) PrepareProposal(req *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	defer a.timed("prepare_proposal")()
	res, err := a.Application.PrepareProposal(req)
	if err == nil {
		a.m.prepared.WithLabelValues(proofOf(res.Txs)).Inc()
	}
	return res, err
}

func (a measured) ProcessProposal(req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	defer a.timed("process_proposal")()
	res, err := a.Application.ProcessProposal(req)
	result := "refused"
	if err == nil && res.IsAccepted() {
		result = "accepted"
	}
	a.m.judged.WithLabelValues(result).Inc()
	return res, err
}

func (a measured) FinalizeBlock(req *abci.RequestFinalizeBlock) (res *abci.ResponseFinalizeBlock, err error) {
	defer a.timed("finalize_block")()
	done := false
	defer func() {
		run, dropped := a.m.app.runs.take()
		a.m.dropped.Add(float64(dropped))
		if !done || err != nil { // a panic passes on
			a.m.observeFailure(run)
			return
		}
		a.m.observeBlock(req, res, run)
	}()
	res, err = a.Application.FinalizeBlock(req)
	done = true
	return res, err
}

func (a measured) Commit() (*abci.ResponseCommit, error) {
	defer a.timed("commit")()
	return a.Application.Commit()
}
