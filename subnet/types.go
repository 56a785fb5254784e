package subnet

import (
	"context"
	"encoding/json"
	"net/http"
)

// Miner does a subnet's work: it answers requests of the subnet's neurons. It sees
// paths below the subnet's own, so what a validator sends to [Network.URL](m, "/job")
// arrives as "/job". [mesh.Caller] names the hotkey that asks.
type Miner = http.Handler

// Validator measures a subnet's miners.
type Validator interface {
	// Round measures the miners once and returns what each was worth. It is called
	// again and again, one round at a time, whether or not the validator holds a
	// permit yet. An error is logged and the round does not count.
	Round(ctx context.Context, n *Network) (Scores, error)
}

// ValidatorFunc is a function as a [Validator].
type ValidatorFunc func(ctx context.Context, n *Network) (Scores, error)

// Round calls f.
func (f ValidatorFunc) Round(ctx context.Context, n *Network) (Scores, error) { return f(ctx, n) }

// Scores are what a round found, by uid: 0 for work that is worth nothing (or was not
// done), more for better work, on any scale; only ratios matter. A uid that is absent
// was not measured and keeps its average. Negative, infinite and NaN scores make the
// whole round fail.
type Scores map[uint16]float64

// Neuron is a hotkey's slot in a subnet.
type Neuron struct {
	UID             uint16
	Hotkey          string   // lode1…
	Coldkey         string   // lode1…
	Endpoints       []string // multiaddrs that end in /p2p/ID; empty if it serves nothing
	Protocol        string   // what it serves, for example video/miner
	ProtocolVersion string
	Permit          bool    // may set weights that count
	Stake           uint64  // stake weight of the last epoch, units of 10^-9
	Incentive       float64 // of the last epoch, 0..1
	Dividends       float64 // of the last epoch, 0..1
	RegisteredAt    int64   // block
}

// Hyperparameters are those of a subnet's that its processes need (protocol.md §3).
type Hyperparameters struct {
	Tempo             int64  // blocks
	WeightsRateLimit  int64  // blocks
	WeightsVersion    uint64 // of the measure; a row must carry it
	MinAllowedWeights int
	MaxWeightLimit    uint16 // of 65,535
	CommitReveal      bool
	RevealPeriod      uint64 // epochs
}

// Metagraph is a subnet at one block. It is never changed after it was made; neither
// must its users change it.
type Metagraph struct {
	ChainID  string
	Netuid   uint16
	SubnetID uint64 // permanent; a successor in the same slot has another
	Name     string
	Height   int64 // block that it shows

	// Epoch is the number of the next run: a commit made now belongs to it.
	Epoch uint64
	// NextEpoch is the block at which it is due.
	NextEpoch int64
	// Started says whether the subnet trades and runs epochs.
	Started bool

	Hyperparameters Hyperparameters
	// Parameters are the subnet's own, a JSON object, or empty.
	Parameters json.RawMessage
	// Neurons are in the order of their uids, which are dense: Neurons[uid].
	Neurons []Neuron
}

// ByUID returns a neuron by uid.
func (m *Metagraph) ByUID(uid uint16) (Neuron, bool) {
	if int(uid) >= len(m.Neurons) {
		return Neuron{}, false
	}
	return m.Neurons[uid], true
}

// ByHotkey returns a neuron by its hotkey's address.
func (m *Metagraph) ByHotkey(hotkey string) (Neuron, bool) {
	for _, n := range m.Neurons {
		if n.Hotkey == hotkey {
			return n, true
		}
	}
	return Neuron{}, false
}
