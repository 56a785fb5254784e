package app

import (
	"maps"
	"strings"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/lodenet/lode/x/seed/vrf"
)

// Kinds of transactions, as metrics tell them apart.
const (
	lane = "lane" // without a fee
	paid = "paid"
)

// blockHistory is what metrics remember of blocks that were decided in this run of
// the program.
type blockHistory struct {
	mu     sync.Mutex
	last   time.Time            // of the last block's header
	epochs map[string]time.Time // of the last epoch, by netuid
}

func (h *blockHistory) block(at time.Time) (since time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	since, ok = at.Sub(h.last), !h.last.IsZero()
	h.last = at
	return since, ok
}

func (h *blockHistory) epoch(netuid string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.epochs == nil {
		h.epochs = map[string]time.Time{}
	}
	h.epochs[netuid] = at
}

func (h *blockHistory) lastEpochs() map[string]time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.epochs)
}

// observeBlock counts a decided block, from the request and the answer.
func (m *Metrics) observeBlock(req *abci.RequestFinalizeBlock, res *abci.ResponseFinalizeBlock, run *blockRun) {
	if run != nil && run.height == req.Height {
		m.run.Observe(run.total.Seconds())
		for step, took := range run.steps {
			m.steps.WithLabelValues(step).Observe(took.Seconds())
		}
		if run.checked {
			m.checked.Set(float64(run.height))
		}
	}
	if since, ok := m.blocks.block(req.Time); ok {
		m.interval.Observe(since.Seconds())
	}
	m.proofs.WithLabelValues(proofOf(req.Txs)).Inc()
	m.observeTransactions(req.Txs, res.TxResults)
	m.observeEvents(res.Events, req.Time)
	for _, r := range res.TxResults {
		m.observeEvents(r.Events, req.Time)
	}
}

// observeFailure counts a block that could not be executed.
func (m *Metrics) observeFailure(run *blockRun) {
	m.failures.Inc()
	if run != nil && run.broken {
		m.broken.Set(1)
	}
}

func (m *Metrics) observeTransactions(txs [][]byte, results []*abci.ExecTxResult) {
	laneGas := uint64(0)
	for i, r := range results {
		if i >= len(txs) {
			break
		}
		if _, ok := vrf.Unframe(txs[i]); ok {
			continue // the proof is no transaction
		}
		kind, gas := offer(txs[i])
		if kind == lane {
			laneGas += gas
		}
		result := "ok"
		if r.Code != abci.CodeTypeOK {
			result = "failed"
		}
		m.txs.WithLabelValues(kind, result).Inc()
		m.gasUsed.WithLabelValues(kind).Add(float64(max(r.GasUsed, 0)))
	}
	m.laneGas.Set(float64(laneGas))
}

// proofOf tells whether a block begins with its proposer's proof.
func proofOf(txs [][]byte) string {
	if len(txs) > 0 {
		if proof, ok := vrf.Unframe(txs[0]); ok && len(proof) > 0 {
			return "proved"
		}
	}
	return "missing"
}

// offer is what a transaction in a block offers: its kind and its gas limit. It reads
// no more of it than these, since every transaction has been decoded once already:
// TxRaw.auth_info_bytes (2), AuthInfo.fee (2), Fee.amount (1) and gas_limit (2).
func offer(raw []byte) (kind string, gas uint64) {
	kind = lane
	fee := field(field(raw, 2), 2)
	for len(fee) > 0 {
		num, typ, n := protowire.ConsumeTag(fee)
		if n < 0 {
			return paid, 0
		}
		size := protowire.ConsumeFieldValue(num, typ, fee[n:])
		if size < 0 {
			return paid, 0
		}
		value := fee[n : n+size]
		switch {
		case num == 1 && typ == protowire.BytesType:
			coin, _ := protowire.ConsumeBytes(value)
			if amount := string(field(coin, 2)); strings.Trim(amount, "0") != "" {
				kind = paid
			}
		case num == 2 && typ == protowire.VarintType:
			gas, _ = protowire.ConsumeVarint(value)
		}
		fee = fee[n+size:]
	}
	return kind, gas
}

// field is the first of a message's fields of that number that holds bytes; nil where
// there is none.
func field(msg []byte, want protowire.Number) []byte {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return nil
		}
		size := protowire.ConsumeFieldValue(num, typ, msg[n:])
		if size < 0 {
			return nil
		}
		if num == want && typ == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(msg[n : n+size])
			return value
		}
		msg = msg[n+size:]
	}
	return nil
}

// observeEvents counts the modules' own events: lode.MODULE.v1.EventNAME. Their kinds
// are as many as proto/ has, whatever anybody sends.
func (m *Metrics) observeEvents(events []abci.Event, at time.Time) {
	for _, e := range events {
		rest, own := strings.CutPrefix(e.Type, "lode.")
		if !own {
			continue
		}
		m.events.WithLabelValues(strings.Replace(rest, ".v1.Event", ".", 1)).Inc()
		switch rest {
		case "emission.v1.EventSubnetEmission":
			// Every started subnet has one in every block. Counters of what should never
			// happen begin at zero: the first time would not be seen to be one.
			netuid := attribute(e, "netuid")
			m.epochs.WithLabelValues(netuid, "failed")
			m.failedParts.WithLabelValues(netuid)
		case "weights.v1.EventEpoch":
			netuid := attribute(e, "netuid")
			m.epochs.WithLabelValues(netuid, attribute(e, "outcome")).Inc()
			m.blocks.epoch(netuid, at)
		case "weights.v1.EventEpochFailed":
			m.epochs.WithLabelValues(attribute(e, "netuid"), "failed").Inc()
		case "weights.v1.EventWeightsSet":
			how := "set"
			if attribute(e, "revealed") == "true" {
				how = "revealed"
			}
			m.weightsSet.WithLabelValues(attribute(e, "netuid"), how).Inc()
		case "weights.v1.EventWeightsCommitted":
			m.weightsSet.WithLabelValues(attribute(e, "netuid"), "committed").Inc()
		case "weights.v1.EventCommitExpired":
			m.weightsSet.WithLabelValues(attribute(e, "netuid"), "expired").Inc()
		case "emission.v1.EventSubnetFailed":
			m.failedParts.WithLabelValues(attribute(e, "netuid")).Inc()
		}
	}
}

// attribute is a typed event's, which is JSON: a number, or a text in quotes.
func attribute(e abci.Event, key string) string {
	for _, a := range e.Attributes {
		if a.Key == key {
			return strings.Trim(a.Value, `"`)
		}
	}
	return "0" // of a number that JSON leaves out
}
