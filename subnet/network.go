package subnet

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// Network is what a [Validator] sees in a round: the subnet at one block, and a way
// to its miners.
type Network struct {
	name   string
	meta   *Metagraph
	self   Neuron
	client *http.Client
	rand   io.Reader
	log    *slog.Logger
}

// NewNetwork makes a Network by hand, for tests of a [Validator]: self is the hotkey
// that measures, name the subnet's name in protocols ("video" in "video/miner"). A
// self that is no neuron of meta is allowed; its uid is then meaningless.
func NewNetwork(name string, meta *Metagraph, self string, client *http.Client, rand io.Reader, log *slog.Logger) *Network {
	n, ok := meta.ByHotkey(self)
	if !ok {
		n = Neuron{Hotkey: self}
	}
	return &Network{name: name, meta: meta, self: n, client: client, rand: rand, log: log}
}

// Netuid returns the subnet's slot.
func (n *Network) Netuid() uint16 { return n.meta.Netuid }

// Self returns the neuron that measures.
func (n *Network) Self() Neuron { return n.self }

// Metagraph returns the snapshot that the round works on.
func (n *Network) Metagraph() *Metagraph { return n.meta }

// Miners returns the neurons that serve the protocol NAME/miner, oneself left out, by
// uid.
func (n *Network) Miners() []Neuron {
	return miners(n.meta, n.name, n.self.Hotkey)
}

func miners(meta *Metagraph, name, self string) []Neuron {
	var out []Neuron
	for _, m := range meta.Neurons {
		if m.Hotkey != self && m.Protocol == minerProtocol(name) && len(m.Endpoints) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// Client returns the client that reaches neurons through the mesh; see [mesh.Host.Client]
// for its limits.
func (n *Network) Client() *http.Client { return n.client }

// URL returns the address of a path of a neuron's [Miner].
func (n *Network) URL(to Neuron, path string) string {
	return "http://" + to.Hotkey + mountPath(n.meta.Netuid) + strings.TrimPrefix(path, "/")
}

// Params returns the subnet's own parameters from the chain, a JSON object; empty if
// it has none.
func (n *Network) Params() json.RawMessage { return n.meta.Parameters }

// Rand returns the source of randomness. Tasks drawn from it can't be foreseen.
func (n *Network) Rand() io.Reader { return n.rand }

// Logger returns a logger that names the subnet.
func (n *Network) Logger() *slog.Logger { return n.log }

// mountPath is where a subnet's handlers live on a host, so that one hotkey can serve
// several subnets.
func mountPath(netuid uint16) string { return fmt.Sprintf("/subnet/%d/", netuid) }

func minerProtocol(name string) string     { return name + "/miner" }
func validatorProtocol(name string) string { return name + "/validator" }
