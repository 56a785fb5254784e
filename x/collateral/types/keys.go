package types

import (
	"cosmossdk.io/collections"

	alphatypes "github.com/lodenet/lode/x/alpha/types"
)

const (
	// ModuleName is the module's name and its account's, which holds the deposits.
	ModuleName = "collateral"
	// StoreKey is the module's store.
	StoreKey = ModuleName

	// Denom is the bank's name for a rao.
	Denom = alphatypes.Denom
)

// Prefixes of the store. A key names a subnet by its permanent id, so that a
// successor in the same slot inherits nothing, and a hotkey by its account of
// x/alpha, which stays the same when a hotkey is swapped for another.
var (
	ParamsKey      = collections.NewPrefix(0)
	NextClaimIDKey = collections.NewPrefix(1)
	CollateralsKey = collections.NewPrefix(2) // (subnet id, account) → Collateral
	LooksKey       = collections.NewPrefix(3) // (look height, subnet id, account): index, rebuilt at import
	ClaimsKey      = collections.NewPrefix(4) // claim id → Claim
	ClaimOfKey     = collections.NewPrefix(5) // (subnet id, accused's account) → claim id: index, rebuilt at import
	ClaimEndsKey   = collections.NewPrefix(6) // (end height, claim id): index, rebuilt at import
	VotersKey      = collections.NewPrefix(7) // (claim id, account) → Voter
	WaitsKey       = collections.NewPrefix(8) // (subnet id, author's account) → Wait
)
