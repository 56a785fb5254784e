package types

import (
	"cosmossdk.io/collections"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

const (
	// ModuleName is the module's name and its account's.
	ModuleName = "emission"
	// StoreKey is the module's store.
	StoreKey = ModuleName

	// Denom is the bank's name for a rao: the one coin that the chain mints.
	Denom = alphatypes.Denom
)

// Prefixes of the store. A subnet's record is under its permanent id, so that a
// successor in the same slot inherits nothing.
var (
	ParamsKey       = collections.NewPrefix(0)
	TotalsKey       = collections.NewPrefix(1)
	ClockKey        = collections.NewPrefix(2)
	SubnetsKey      = collections.NewPrefix(3) // subnet id → SubnetEmission
	TaoRemainderKey = collections.NewPrefix(4) // rao · milliseconds
	UncountedKey    = collections.NewPrefix(5) // rao that other modules burned in this block so far
)

// Reasons of EventRecycled.
const (
	ReasonRootUnclaimed = "root_unclaimed" // an epoch's root pot without a validator to claim it
)
