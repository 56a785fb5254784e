package subnet

import (
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/lodenet/lode/mesh"
	"github.com/prometheus/client_golang/prometheus"
)

// Common is what miners and validators are both made of.
type Common struct {
	// Chain speaks for the hotkey; required.
	Chain Chain
	// Mesh is the hotkey's host; required.
	Mesh Mesh
	// Netuid is the subnet's slot; required.
	Netuid uint16
	// Name is the subnet's name in protocols: "video" serves video/miner. Required.
	Name string
	// Version is published beside the protocol; free text.
	Version string

	// Register lets the process register its hotkey when it starts and finds it without
	// a uid, for at most MaxBurn rao. It registers once: a neuron that is pruned later
	// waits until somebody registers it again.
	Register bool
	MaxBurn  uint64

	// Limits bound the requests that are served; where neither Allow nor Open is set,
	// only neurons of the subnet are.
	Limits mesh.HandlerOptions

	// Logger defaults to a silent one.
	Logger *slog.Logger
	// Metrics, if given, gets the process's metrics, lode_subnet_….
	Metrics prometheus.Registerer
}

// MinerConfig is what a miner is made of.
type MinerConfig struct {
	Common
	// Miner does the work; required.
	Miner Miner
}

// ValidatorConfig is what a validator is made of.
type ValidatorConfig struct {
	Common
	// Validator measures; required.
	Validator Validator
	// Handler, if given, is served to others under the protocol NAME/validator: a
	// gateway for customers, for example.
	Handler http.Handler

	// StateFile keeps averages and open commits over restarts; required. It belongs to
	// one hotkey in one subnet of one chain.
	StateFile string
	// WeightsVersion is the newest version of the measure that the validator implements.
	// It sends no weights to a subnet that asks for a newer one.
	WeightsVersion uint64
	// Smoothing is the share of a new score in a miner's moving average, in (0, 1];
	// default 0.3.
	Smoothing float64
	// RoundTimeout bounds a round; default 10 min.
	RoundTimeout time.Duration
	// RoundPause is the least time between the starts of two rounds. A round starts
	// with a new block in any case; default 0.
	RoundPause time.Duration
	// Rand is where salts and tasks come from; default crypto/rand.
	Rand io.Reader
}
