package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the module's name and its account's.
	ModuleName = "weights"
	// StoreKey is the module's store.
	StoreKey = ModuleName
)

// Prefixes of the store. Every key begins with the permanent subnet id, so that
// a successor in the same slot inherits nothing.
var (
	ParamsKey   = collections.NewPrefix(0)
	RowsKey     = collections.NewPrefix(1) // (subnet id, uid) → Row
	BondsKey    = collections.NewPrefix(2) // (subnet id, uid) → Bonds
	CommitsKey  = collections.NewPrefix(3) // (subnet id, uid) → Commits
	EpochsKey   = collections.NewPrefix(4) // subnet id → EpochState
	ResultsKey  = collections.NewPrefix(5) // subnet id → EpochResult
	PermitsKey  = collections.NewPrefix(6) // (subnet id, uid)
	AttemptsKey = collections.NewPrefix(7) // (subnet id, uid, kind) → LastAttempt
	DueKey      = collections.NewPrefix(8) // (due height, netuid, subnet id): the schedule's index, rebuilt at import
)

// Kinds of transaction with a limit of their own.
const (
	KindWeights = "weights" // SetWeights and CommitWeights share weights_rate_limit
	KindReveal  = "reveal"  // one a block; free ones as often as weights
	KindServe   = "serve"   // serve_rate_limit of x/subnets
)

// Kinds are all of them, in order.
var Kinds = []string{KindWeights, KindReveal, KindServe}

// Outcomes of an epoch (protocol.md §7, step 8).
const (
	OutcomeWeighted  = "weighted"   // miners and validators share by the weights
	OutcomeNoWeights = "no_weights" // nobody judged: validators share by stake, the miners' half is burned
	OutcomeNoStake   = "no_stake"   // nobody has stake: both halves are recycled
)
