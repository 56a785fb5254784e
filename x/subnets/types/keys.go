package types

import "cosmossdk.io/collections"

const (
	// ModuleName is the module's name.
	ModuleName = "subnets"
	// StoreKey is the module's store.
	StoreKey = ModuleName
)

// Prefixes of the store. What belongs to a subnet is under its permanent id, so
// that a successor in the same slot inherits nothing.
var (
	ParamsKey    = collections.NewPrefix(0)
	SubnetsKey   = collections.NewPrefix(1) // subnet id → Subnet
	NetuidsKey   = collections.NewPrefix(2) // netuid → subnet id: an index, rebuilt at import
	NeuronsKey   = collections.NewPrefix(3) // (subnet id, uid) → Neuron
	HotkeysKey   = collections.NewPrefix(4) // (subnet id, hotkey) → uid: an index, rebuilt at import
	BurnsKey     = collections.NewPrefix(5) // subnet id → rao
	CreationsKey = collections.NewPrefix(6) // creator → block
	SetsKey      = collections.NewPrefix(7) // (subnet id, hyperparameter) → block
	LockKey      = collections.NewPrefix(8)
	ScheduledKey = collections.NewPrefix(9)  // (subnet id, hyperparameter) → ScheduledHyperparameter
	PublishedKey = collections.NewPrefix(10) // (subnet id, uid) → Published
	UsesKey      = collections.NewPrefix(11) // (subnet id, uid) → PublishUse
	RemovalsKey  = collections.NewPrefix(12) // (block, subnet id) → Removal: the queue of the sweep
)
