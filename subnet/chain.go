package subnet

import (
	"context"
	"errors"
	"net/http"

	"github.com/lodenet/lode/mesh"
)

// Chain is what a miner's or validator's process needs from the chain. One value
// speaks for one hotkey. Every call returns when its answer is known, or ctx ends, or
// it failed; a transaction has been committed when its call returns nil.
type Chain interface {
	// Metagraph returns a subnet as of the latest block.
	Metagraph(ctx context.Context, netuid uint16) (*Metagraph, error)
	// Commits returns the hotkey's open commits in a subnet.
	Commits(ctx context.Context, netuid uint16) (Commits, error)
	// Blocks tells of new blocks until ctx ends, then it closes the channel. A slow
	// reader misses blocks but not that something changed: what was missed is merged
	// into the next one. The first comes as soon as the chain can be reached. It
	// reconnects by itself and sends a Block that Changed after it did.
	Blocks(ctx context.Context, netuid uint16) <-chan Block

	// Register gives the hotkey a uid for a burn of at most maxBurn rao.
	Register(ctx context.Context, netuid uint16, maxBurn uint64) error
	// Serve publishes what the hotkey serves, and where.
	Serve(ctx context.Context, netuid uint16, s Serving) error
	// SetWeights sets a row at once, where commit–reveal is off.
	SetWeights(ctx context.Context, netuid uint16, w Weights) error
	// CommitWeights commits to the hash of a row.
	CommitWeights(ctx context.Context, netuid uint16, hash [32]byte) error
	// RevealWeights opens a commit.
	RevealWeights(ctx context.Context, netuid uint16, w Weights, salt [32]byte) error
}

// Block is a new block, or several merged into one.
type Block struct {
	Height int64
	// Changed says that the subnet's neurons, hyperparameters or epoch may differ from
	// what they were at the block before.
	Changed bool
}

// Commits are a hotkey's open commits, oldest first, and when it may commit again.
type Commits struct {
	Open []Commit
	// NextHeight is the first block at which another commit (or set) is accepted.
	NextHeight int64
}

// Commit is a commit as the chain keeps it.
type Commit struct {
	Hash   [32]byte
	Epoch  uint64 // the run that it belongs to
	Reveal uint64 // the only run in which it can be opened
	Height int64
}

// Serving is what a neuron publishes about itself.
type Serving struct {
	Endpoints []string
	Protocol  string
	Version   string
}

// Errors that callers branch on.
var (
	// ErrNotRegistered says that the hotkey has no uid in the subnet.
	ErrNotRegistered = errors.New("the hotkey is not registered in the subnet")
	// ErrUnavailable says that the chain can't be reached now. Implementations of [Chain]
	// wrap it around what waiting can cure.
	ErrUnavailable = errors.New("the chain can't be reached")
	// ErrOldVersion says that the subnet asks for a newer validator.
	ErrOldVersion = errors.New("the subnet asks for a newer version of the validator")
)

// Mesh is what a process needs from the mesh; [mesh.Host] is one.
type Mesh interface {
	Hotkey() string
	Endpoints() []string
	Client() *http.Client
	AddPeer(hotkey string, endpoints ...string) error
	RemovePeer(hotkey string) error
	Handle(path string, h http.Handler, opts mesh.HandlerOptions) error
	Unhandle(path string)
	Counters() mesh.Counters
}

var _ Mesh = (*mesh.Host)(nil)
